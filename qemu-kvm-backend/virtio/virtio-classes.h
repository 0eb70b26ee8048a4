/* virtio-classes: every virtio device there is, in one table; the rows themselves are in the device's
 * source. */
#pragma once

#include "qemu-kvm-backend/virtio/virtio.h"

/* NULL ends it. */
extern const VirtioClass *const virtio_classes[];

extern const VirtioClass virtio_balloon_class;
extern const VirtioClass virtio_blk_class;
extern const VirtioClass virtio_console_class;
extern const VirtioClass virtio_net_class;
extern const VirtioClass virtio_rng_class;
extern const VirtioClass virtio_vsock_class;
