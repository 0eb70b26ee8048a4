#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <string.h>

const VirtioClass *const virtio_classes[] = {
    &virtio_balloon_class,
    &virtio_blk_class,
    &virtio_console_class,
    &virtio_net_class,
    &virtio_rng_class,
    &virtio_vsock_class,
    NULL,
};

const VirtioClass *
virtio_class_find(const char *name)
{
    for (size_t i = 0; virtio_classes[i]; i++) {
        if (strcmp(virtio_classes[i]->name, name) == 0)
            return virtio_classes[i];
    }
    return NULL;
}
