/* bus: which device answers at an address; one bus for port I/O and one for MMIO.
 *
 * Nobody home reads all ones and swallows writes, as on hardware. Dispatch takes the owner's lock,
 * so a device never sees two accesses at once, nor one beside its main-loop work.
 */
#pragma once

#include "qemu-kvm-backend/error.h"

#include <pthread.h>
#include <stdint.h>

typedef struct Bus Bus;
struct Device;

/* @offset is from the region's base; @size is 1, 2, 4 or 8 bytes; the access lies within the
 * region. The value's bits above @size are ignored. */
typedef struct BusOps {
    uint64_t (*read)(struct Device *dev, uint64_t offset, unsigned size);
    void (*write)(struct Device *dev, uint64_t offset, unsigned size, uint64_t value);
    bool wide; /* takes an access that begins in the region whole, also where it reaches beyond */
} BusOps;

Bus *bus_new(const char *name);
void bus_free(Bus *bus);

/* Who answers; what it points to belongs to the device and outlives its regions. */
typedef struct BusOwner {
    struct Device *dev;
    const char *name;
    pthread_mutex_t *lock;
} BusOwner;

/* Fails where [base, base + size) overlaps another region. Any thread, also while vCPUs run: an access
 * that has found its region before the change is served as if it had come earlier. Therefore nothing that
 * @owner names is freed before every vCPU has been parked. Devices call device_claim(). */
bool bus_add(Bus *bus, uint64_t base, uint64_t size, const BusOps *ops, BusOwner owner,
             VmmError *err);
/* The region of @dev that begins at @base; all regions of @dev. */
void bus_remove_at(Bus *bus, struct Device *dev, uint64_t base);
void bus_remove(Bus *bus, struct Device *dev);

/* An access by a vCPU, @size bytes at @data (little-endian). Never fails. */
void bus_read(Bus *bus, uint64_t addr, void *data, unsigned size);
void bus_write(Bus *bus, uint64_t addr, const void *data, unsigned size);
