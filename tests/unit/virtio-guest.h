/* virtio-guest: a guest's driver of a virtio device on a test board: it goes the way that virtio 1.2 section 3.1.1
 * and 4.1.5 prescribe, through configuration space, BARs and rings, and may leave it anywhere. */
#pragma once

#include "tests/unit/test-board.h"

#include "qemu-kvm-backend/virtio/virtio.h"

#include <glib.h>

#define GUEST_QUEUES     8
#define GUEST_VECTOR(q)  (0x4000u + (q)) /* the message data of a queue's vector ... */
#define GUEST_CONFIG_MSI 0x40ffu         /* ... and of the configuration's */

/* Common configuration, 4.1.4.3 */
#define COMMON_FEATURE_SELECT        0x00
#define COMMON_FEATURE               0x04
#define COMMON_DRIVER_FEATURE_SELECT 0x08
#define COMMON_DRIVER_FEATURE        0x0c
#define COMMON_CONFIG_VECTOR         0x10
#define COMMON_NUM_QUEUES            0x12
#define COMMON_STATUS                0x14
#define COMMON_GENERATION            0x15
#define COMMON_QUEUE_SELECT          0x16
#define COMMON_QUEUE_SIZE            0x18
#define COMMON_QUEUE_VECTOR          0x1a
#define COMMON_QUEUE_ENABLE          0x1c
#define COMMON_QUEUE_NOTIFY          0x1e
#define COMMON_QUEUE_DESC            0x20
#define COMMON_QUEUE_DRIVER          0x28
#define COMMON_QUEUE_DEVICE          0x30

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER      2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8
#define STATUS_NEEDS_RESET 0x40

#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

typedef struct GuestQueue {
    unsigned size;
    uint64_t desc, driver, device; /* in guest memory */
    uint16_t avail;                /* next index to publish */
    uint16_t used;                 /* next one to look at */
} GuestQueue;

typedef struct VirtioGuest {
    TestBoard *test;
    Device *host;
    Device *dev;
    unsigned bus, devfn;
    uint64_t structures, msix; /* the BARs */
    uint64_t common, isr, device, notify;
    uint32_t notify_step;
    uint64_t free_gpa; /* RAM from here on is free */
    GuestQueue queues[GUEST_QUEUES];
} VirtioGuest;

/* A board with @memory bytes of RAM and a loop of this thread, a PCI host, and the device that @params says
 * (taken over), BARs set; the machine runs. */
VirtioGuest *virtio_guest_new(VmmMsg *params, uint64_t memory);
void virtio_guest_free(VirtioGuest *guest);

uint32_t guest_get(VirtioGuest *guest, unsigned offset, unsigned size);
void guest_set(VirtioGuest *guest, unsigned offset, unsigned size, uint32_t value);
void guest_set64(VirtioGuest *guest, unsigned offset, uint64_t value);

/* Up to FEATURES_OK with what of @features is offered, and VERSION_1; false where it did not stick. */
bool guest_negotiate(VirtioGuest *guest, uint64_t features);
/* RAM for a queue of @size, 0: the maximum, and enables it, with its vector. */
void guest_setup_queue(VirtioGuest *guest, unsigned index, unsigned size);
void guest_driver_ok(VirtioGuest *guest);
/* All of it: features, every queue, DRIVER_OK. */
void guest_start(VirtioGuest *guest, uint64_t features);
/* Resets the device; and waits for it. */
void guest_begin_reset(VirtioGuest *guest);
void guest_reset(VirtioGuest *guest);

/* MSI-X: on, with a message for each queue and the configuration. */
void guest_enable_msix(VirtioGuest *guest);

uint64_t guest_alloc(VirtioGuest *guest, uint64_t size);
void *guest_memory(VirtioGuest *guest, uint64_t gpa, uint64_t size);
void guest_desc(VirtioGuest *guest, uint64_t table, unsigned i, uint64_t addr, uint32_t len,
                unsigned flags, unsigned next);
/* Makes chain @head available; guest_kick() notifies and lets the device work. */
void guest_offer(VirtioGuest *guest, unsigned queue, uint16_t head);
void guest_set_avail(VirtioGuest *guest, unsigned queue, uint16_t idx);
void guest_kick(VirtioGuest *guest, unsigned queue);
/* The next used element; false where there is none. */
bool guest_take_used(VirtioGuest *guest, unsigned queue, uint32_t *ret_head, uint32_t *ret_len);
