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

/* Regions ascend by address. They change only while no vCPU runs, so lookups take no lock. */
struct Bus {
    char *name;
    BusRegion *regions;
    size_t n_regions;
};

Bus *
bus_new(const char *name)
{
    Bus *bus = vmm_must(calloc(1, sizeof(*bus)));

    bus->name = vmm_must(strdup(name));
    return bus;
}

void
bus_free(Bus *bus)
{
    if (!bus)
        return;
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

bool
bus_add(Bus *bus, uint64_t base, uint64_t size, const BusOps *ops, BusOwner owner, VmmError *err)
{
    size_t at = lower_bound(bus, base);
    uint64_t last;

    if (size == 0 || __builtin_add_overflow(base, size - 1, &last))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Device '%s' claims no addresses at 0x%" PRIx64 " of the %s bus", owner.name,
                         base, bus->name);
    if (at < bus->n_regions && bus->regions[at].base <= last)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Device '%s' claims 0x%" PRIx64 "-0x%" PRIx64
                         " of the %s bus, where device '%s' is",
                         owner.name, base, last, bus->name, bus->regions[at].owner.name);
    bus->regions = vmm_must(realloc(bus->regions, (bus->n_regions + 1) * sizeof(BusRegion)));
    memmove(&bus->regions[at + 1], &bus->regions[at], (bus->n_regions - at) * sizeof(BusRegion));
    bus->regions[at] = (BusRegion){ base, last, ops, owner };
    bus->n_regions++;
    return true;
}

void
bus_remove(Bus *bus, struct Device *dev)
{
    size_t kept = 0;

    for (size_t i = 0; i < bus->n_regions; i++) {
        if (bus->regions[i].owner.dev != dev)
            bus->regions[kept++] = bus->regions[i];
    }
    bus->n_regions = kept;
}

/* The region that an access is for is that of its first byte, as in a chipset's decoder: four bytes
 * to the PCI address port 0xcf8 do not write the reset register at 0xcf9. */
static const BusRegion *
find(const Bus *bus, uint64_t addr)
{
    size_t at = lower_bound(bus, addr);

    return at < bus->n_regions && bus->regions[at].base <= addr ? &bus->regions[at] : NULL;
}

static bool
is_whole(const BusRegion *region, uint64_t addr, unsigned size)
{
    return (size == 1 || size == 2 || size == 4 || size == 8) && size - 1 <= region->last - addr;
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
    const BusRegion *region = find(bus, addr);
    uint8_t *bytes = data;

    memset(data, 0xff, size);
    if (!region)
        return;
    pthread_mutex_lock(region->owner.lock);
    if (is_whole(region, addr, size)) {
        read_region(region, addr, bytes, size);
    } else {
        for (unsigned i = 0; i < size && addr + i >= addr && addr + i <= region->last; i++)
            read_region(region, addr + i, bytes + i, 1);
    }
    pthread_mutex_unlock(region->owner.lock);
}

void
bus_write(Bus *bus, uint64_t addr, const void *data, unsigned size)
{
    const BusRegion *region = find(bus, addr);
    const uint8_t *bytes = data;

    if (!region)
        return;
    pthread_mutex_lock(region->owner.lock);
    if (is_whole(region, addr, size)) {
        write_region(region, addr, bytes, size);
    } else {
        for (unsigned i = 0; i < size && addr + i >= addr && addr + i <= region->last; i++)
            write_region(region, addr + i, bytes + i, 1);
    }
    pthread_mutex_unlock(region->owner.lock);
}
