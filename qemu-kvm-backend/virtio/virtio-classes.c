#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <string.h>

static const VirtioClass *const classes[] = {
    &virtio_balloon_class,
    &virtio_blk_class,
    &virtio_console_class,
    &virtio_net_class,
    &virtio_rng_class,
    &virtio_vsock_class,
};

const VirtioClass *
virtio_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strcmp(classes[i]->name, name) == 0)
            return classes[i];
    }
    return NULL;
}
