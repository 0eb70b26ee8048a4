#include "qemu-kvm-backend/bus.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <endian.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct BusRegion {
    uint64_t base;
    uint64_t last; /* inclusive, so that a region may end at the top of the address space */
    const BusOps *ops;
    BusOwner owner;
} BusRegion;

/* Regions ascend by address. PCI functions move theirs while vCPUs run, so a lookup takes the lock for as
 * long as it takes to copy the region; the access itself goes without. */
struct Bus {
    char *name;
    pthread_rwlock_t lock;
    BusRegion *regions;
    size_t n_regions;
};

Bus *
bus_new(const char *name)
{
    Bus *bus = vmm_must(calloc(1, sizeof(*bus)));

    bus->name = vmm_must(strdup(name));
    pthread_rwlock_init(&bus->lock, NULL);
    return bus;
}

void
bus_free(Bus *bus)
{
    if (!bus)
        return;
    pthread_rwlock_destroy(&bus->lock);
    free(bus->regions);
    free(bus->name);
    free(bus);
}

/* The first region that ends at @addr or above it; n_regions where there is none. */
static size_t
lower_bound(const Bus *bus, uint64_t addr)
{
    size_t low = 0, high = bus->n_regions;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (bus->regions[middle].last < addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
add_locked(Bus *bus, BusRegion region, VmmError *err)
{
    size_t at = lower_bound(bus, region.base);

    if (at < bus->n_regions && bus->regions[at].base <= region.last)
        return vmm_error(
            err, VMM_ERROR_INVALID,
            "Device '%s' claims 0x%" PRIx64 "-0x%" PRIx64 " of the %s bus, where device '%s' is",
            region.owner.name, region.base, region.last, bus->name, bus->regions[at].owner.name);
    bus->regions = vmm_must(realloc(bus->regions, (bus->n_regions + 1) * sizeof(BusRegion)));
    memmove(&bus->regions[at + 1], &bus->regions[at], (bus->n_regions - at) * sizeof(BusRegion));
    bus->regions[at] = region;
    bus->n_regions++;
    return true;
}

bool
bus_add(Bus *bus, uint64_t base, uint64_t size, const BusOps *ops, BusOwner owner, VmmError *err)
{
    BusRegion region = { .base = base, .ops = ops, .owner = owner };
    bool added;

    if (size == 0 || __builtin_add_overflow(base, size - 1, &region.last))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Device '%s' claims no addresses at 0x%" PRIx64 " of the %s bus",
                         owner.name, base, bus->name);
    pthread_rwlock_wrlock(&bus->lock);
    added = add_locked(bus, region, err);
    pthread_rwlock_unlock(&bus->lock);
    return added;
}

void
bus_remove_at(Bus *bus, struct Device *dev, uint64_t base)
{
    size_t at;

    pthread_rwlock_wrlock(&bus->lock);
    at = lower_bound(bus, base);
    if (at < bus->n_regions && bus->regions[at].base == base && bus->regions[at].owner.dev == dev) {
        bus->n_regions--;
        memmove(&bus->regions[at], &bus->regions[at + 1],
                (bus->n_regions - at) * sizeof(BusRegion));
    }
    pthread_rwlock_unlock(&bus->lock);
}

void
bus_remove(Bus *bus, struct Device *dev)
{
    size_t kept = 0;

    pthread_rwlock_wrlock(&bus->lock);
    for (size_t i = 0; i < bus->n_regions; i++) {
        if (bus->regions[i].owner.dev != dev)
            bus->regions[kept++] = bus->regions[i];
    }
    bus->n_regions = kept;
    pthread_rwlock_unlock(&bus->lock);
}

/* The region that an access is for is that of its first byte, as in a chipset's decoder: four bytes
 * to the PCI address port 0xcf8 do not write the reset register at 0xcf9. */
static bool
find(Bus *bus, uint64_t addr, BusRegion *ret)
{
    bool found;
    size_t at;

    pthread_rwlock_rdlock(&bus->lock);
    at = lower_bound(bus, addr);
    found = at < bus->n_regions && bus->regions[at].base <= addr;
    if (found)
        *ret = bus->regions[at];
    pthread_rwlock_unlock(&bus->lock);
    return found;
}

static bool
is_whole(const BusRegion *region, uint64_t addr, unsigned size)
{
    return (size == 1 || size == 2 || size == 4 || size == 8) &&
           (region->ops->wide || size - 1 <= region->last - addr);
}

static void
read_region(const BusRegion *region, uint64_t addr, uint8_t *data, unsigned size)
{
    uint64_t value = UINT64_MAX;

    if (region->ops->read)
        value = region->ops->read(region->owner.dev, addr - region->base, size);
    value = htole64(value);
    memcpy(data, &value, size);
}

static void
write_region(const BusRegion *region, uint64_t addr, const uint8_t *data, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, data, size);
    if (region->ops->write)
        region->ops->write(region->owner.dev, addr - region->base, size, le64toh(value));
}

void
bus_read(Bus *bus, uint64_t addr, void *data, unsigned size)
{
    uint8_t *bytes = data;
    BusRegion region;

    memset(data, 0xff, size);
    if (!find(bus, addr, &region))
        return;
    pthread_mutex_lock(region.owner.lock);
    if (is_whole(&region, addr, size)) {
        read_region(&region, addr, bytes, size);
    } else {
        for (unsigned i = 0; i < size && addr + i >= addr && addr + i <= region.last; i++)
            read_region(&region, addr + i, bytes + i, 1);
    }
    pthread_mutex_unlock(region.owner.lock);
}

void
bus_write(Bus *bus, uint64_t addr, const void *data, unsigned size)
{
    const uint8_t *bytes = data;
    BusRegion region;

    if (!find(bus, addr, &region))
        return;
    pthread_mutex_lock(region.owner.lock);
    if (is_whole(&region, addr, size)) {
        write_region(&region, addr, bytes, size);
    } else {
        for (unsigned i = 0; i < size && addr + i >= addr && addr + i <= region.last; i++)
            write_region(&region, addr + i, bytes + i, 1);
    }
    pthread_mutex_unlock(region.owner.lock);
}
