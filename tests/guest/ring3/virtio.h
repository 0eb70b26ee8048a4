/* virtio: a driver for a modern virtio device on PCI (Virtual I/O Device 1.2, 4.1) that polls. */
#pragma once

#include "ring3.h"

#define QUEUE_SIZE 256

#define VIRTIO_F_VERSION_1 (1ull << 32)

#define DESC_NEXT  1
#define DESC_WRITE 2 /* by the device */

typedef struct Desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
} Desc;

typedef struct Avail {
    uint16_t flags, idx, ring[QUEUE_SIZE], used_event;
} Avail;

typedef struct UsedElem {
    uint32_t id, len;
} UsedElem;

typedef struct Used {
    uint16_t flags, idx;
    UsedElem ring[QUEUE_SIZE];
    uint16_t avail_event;
} Used;

typedef struct Queue {
    Desc desc[QUEUE_SIZE] __attribute__((aligned(4096)));
    volatile Avail avail __attribute__((aligned(4096)));
    volatile Used used __attribute__((aligned(4096)));
    volatile uint16_t *notify;
    uint16_t number, size, next_avail, next_used;
} Queue;

typedef struct Device {
    volatile uint8_t *common, *config, *notify;
    uint32_t notify_multiplier;
    unsigned devfn;
} Device;

/* Finds the first device of virtio's @type (1: network card, 2: disk), resets it, and accepts those of
 * @features that it offers, VERSION_1 with them; fails where there is none. */
void virtio_open(Device *dev, uint16_t type, uint64_t features);
/* Gives it queue @number, before virtio_start(). */
void virtio_queue(Device *dev, Queue *queue, uint16_t number);
void virtio_start(Device *dev);

/* Has the device tell of a change of its configuration by @vector (MSI-X), which nobody takes: the local APIC keeps
 * it. To be told once more is another vector. */
void virtio_watch_config(Device *dev, uint8_t vector);
bool virtio_config_changed(uint8_t vector);

/* Offers the chain that begins at @head; the device is told of it by virtio_kick(). */
void queue_offer(Queue *queue, uint16_t head);
void queue_kick(Queue *queue);
/* Waits until the device is done with a chain, whose head it returns. */
uint16_t queue_wait(Queue *queue);
