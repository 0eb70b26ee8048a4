/* device-disk: <disk>: a virtio disk whose contents are a file or a block device of the host.
 *
 * What is behind it is opened here, with the access and the caching that the document asks for, and
 * locked as QEMU and qemu-img lock it (image-lock.h), so that nobody writes to it at the same time by
 * mistake.
 */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_disk;
