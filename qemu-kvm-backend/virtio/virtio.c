#include "qemu-kvm-backend/virtio/virtio.h"

#include "qemu-kvm-backend/log.h"

void
virtio_break(VirtioDevice *vdev, const char *why)
{
    if (vdev->broken)
        return;
    vdev->broken = true;
    for (unsigned i = 0; i < vdev->n_queues; i++) {
        if (vdev->queues[i])
            queue_abandon(vdev->queues[i]);
    }
    log_guest("Device '%s' waits for a reset by its driver: %s", vdev->dev->id, why);
    vdev->transport->raise_config(vdev);
}

void
virtio_config_changed(VirtioDevice *vdev)
{
    vdev->transport->raise_config(vdev);
}

void
virtio_kick(VirtioDevice *vdev, unsigned queue)
{
    vdev->transport->kick(vdev, queue);
}
