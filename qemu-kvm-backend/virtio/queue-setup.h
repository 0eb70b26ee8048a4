/* queue-setup: what the transport does with a queue, before and after the device uses it. */
#pragma once

#include "qemu-kvm-backend/virtio/virtio.h"

/* Where the driver wants the queue; guest physical addresses. */
typedef struct QueueSetup {
    uint16_t size;
    uint64_t desc, driver, device;
    bool enabled;
} QueueSetup;

VirtQueue *queue_new(VirtioDevice *vdev, unsigned index);
void queue_free(VirtQueue *queue);

/* Takes the queue into use, empty, with the driver's features; false where its size is no power of two up
 * to the maximum, or an area is misaligned or not in RAM. */
bool queue_map(VirtQueue *queue, const QueueSetup *setup);
/* As after queue_new(). */
void queue_unmap(VirtQueue *queue);
