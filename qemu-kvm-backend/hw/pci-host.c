/* pci-host: the host bridge of Intel's Q35 chipset (datasheet 316966, chapter 5), as firmware and kernels look
 * for it, and the root of the PCI tree. Configuration space is behind ports 0xcf8 and 0xcfc, and behind
 * a window of memory space wherever the guest puts it (PCIEXBAR). PAM and SMRAM hold what they are
 * given: what they would hide is RAM, and stays it. */
#include "qemu-kvm-backend/hw/pci-host.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/pci-acpi.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/state.h"

#include <string.h>

#define PORT_ADDRESS 0xcf8u
#define PORT_DATA    0xcfcu

#define ADDRESS_ENABLE 0x80000000u

#define REG_PCIEXBAR  0x60u /* 64 bits */
#define REG_PAM       0x90u /* seven bytes */
#define REG_SMRAM     0x9du
#define REG_ESMRAMC   0x9eu
#define SMRAM_RESET   0x02u
#define SMRAM_LOCKED  0x10u
#define PCIEXBAR_ON   1u
#define PCIEXBAR_SIZE 6u /* the bits that say it: 256, 128 or 64 MiB, reserved */
#define PCIEXBAR_BASE 0xfffc000000ull

typedef struct PciHost {
    PciFunction fn;
    Pci *pci;
    uint32_t address;
    uint64_t ecam_base; /* where it answers now ... */
    uint64_t ecam_size; /* ... 0: nowhere */
} PciHost;

static uint64_t
pciexbar(const PciHost *host)
{
    return pci_get(&host->fn, REG_PCIEXBAR, 4) | (uint64_t)pci_get(&host->fn, REG_PCIEXBAR + 4, 4)
                                                     << 32;
}

bool
pci_host_ecam(const Pci *pci, uint64_t *ret_base, uint64_t *ret_size)
{
    const PciHost *host = (const PciHost *)pci_next(pci_root((Pci *)pci), NULL);
    uint64_t bar = pciexbar(host);
    unsigned size = (bar & PCIEXBAR_SIZE) / 2;

    if (!(bar & PCIEXBAR_ON) || size == 3)
        return false;
    *ret_size = 256ull << 20 >> size;
    *ret_base = bar & PCIEXBAR_BASE & ~(*ret_size - 1);
    return true;
}

/* Each megabyte is a bus, each 4 KiB a function (PCI Express, 7.2.2). */
static uint64_t
ecam_read(Device *dev, uint64_t offset, unsigned size)
{
    Pci *pci = ((PciHost *)dev)->pci;
    unsigned bus = offset >> 20, devfn = offset >> 12 & 0xff, reg = offset & 0xfff;
    uint64_t value = pci_config_read(pci, bus, devfn, reg, size == 8 ? 4 : size);

    if (size == 8)
        value |= (uint64_t)pci_config_read(pci, bus, devfn, reg + 4, 4) << 32;
    return value;
}

/* When the machine wakes, SeaBIOS 1.16 closes the window through itself before it opens it again where it was, and would
 * be left without one, for what it writes would go nowhere by then. */
static bool
closes_window(unsigned bus, unsigned devfn, unsigned reg, uint64_t value)
{
    return bus == 0 && devfn == 0 && reg == REG_PCIEXBAR && !(value & PCIEXBAR_ON);
}

static void
ecam_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    Pci *pci = ((PciHost *)dev)->pci;
    unsigned bus = offset >> 20, devfn = offset >> 12 & 0xff, reg = offset & 0xfff;

    if (closes_window(bus, devfn, reg, value))
        return;
    pci_config_write(pci, bus, devfn, reg, size == 8 ? 4 : size, value);
    if (size == 8)
        pci_config_write(pci, bus, devfn, reg + 4, 4, value >> 32);
}

static const BusOps ecam_ops = { ecam_read, ecam_write, false };

/* Configuration cycles take the tree's lock, not that of the function that the bridge itself is. */
static bool
claim(PciHost *host, Bus *bus, uint64_t base, uint64_t size, const BusOps *ops, VmmError *err)
{
    Device *dev = &host->fn.dev;
    BusOwner owner = { dev, dev->id, pci_lock(host->pci) };

    return bus_add(bus, base, size, ops, owner, err);
}

/* With the tree's lock. */
static void
move_ecam(PciHost *host)
{
    Device *dev = &host->fn.dev;
    uint64_t base = 0, size = 0;
    VmmError err;

    pci_host_ecam(host->pci, &base, &size);
    if (base == host->ecam_base && size == host->ecam_size)
        return;
    if (host->ecam_size)
        bus_remove_at(dev->board->mmio, dev, host->ecam_base);
    if (size && !claim(host, dev->board->mmio, base, size, &ecam_ops, &err)) {
        log_guest("The guest's configuration window is not there: %s", err.text);
        size = 0;
    }
    host->ecam_base = base;
    host->ecam_size = size;
}

void
pci_host_set_ecam(Pci *pci, uint64_t base)
{
    PciHost *host = (PciHost *)pci_next(pci_root(pci), NULL);

    pthread_mutex_lock(pci_lock(pci));
    pci_set(&host->fn, REG_PCIEXBAR, 4, base | PCIEXBAR_ON);
    pci_set(&host->fn, REG_PCIEXBAR + 4, 4, base >> 32);
    move_ecam(host);
    pthread_mutex_unlock(pci_lock(pci));
}

/* Only 32-bit accesses reach the address register (PCI 3.0, 3.2.2.3.2): bytes are for the ports around. */
static uint64_t
address_read(Device *dev, uint64_t offset, unsigned size)
{
    return size == 4 ? ((PciHost *)dev)->address : UINT64_MAX;
}

static void
address_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    if (size == 4)
        ((PciHost *)dev)->address = value & ~3u;
}

static uint64_t
data_read(Device *dev, uint64_t offset, unsigned size)
{
    const PciHost *host = (PciHost *)dev;
    uint32_t at = host->address;

    if (!(at & ADDRESS_ENABLE))
        return UINT64_MAX;
    return pci_config_read(host->pci, at >> 16 & 0xff, at >> 8 & 0xff, (at & 0xfc) + offset, size);
}

static void
data_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    const PciHost *host = (PciHost *)dev;
    uint32_t at = host->address;

    if (at & ADDRESS_ENABLE)
        pci_config_write(host->pci, at >> 16 & 0xff, at >> 8 & 0xff, (at & 0xfc) + offset, size,
                         value);
}

/* One port, for 0xcf9 is the reset register's. */
static const BusOps address_ops = { address_read, address_write, true };
static const BusOps data_ops = { data_read, data_write, false };

/* What firmware has locked stays until the reset (5.1.20). */
static void
lock_smram(PciHost *host)
{
    if (pci_get(&host->fn, REG_SMRAM, 1) & SMRAM_LOCKED) {
        pci_allow(&host->fn, REG_SMRAM, 1, 0);
        pci_allow(&host->fn, REG_ESMRAMC, 1, 0);
    }
}

static void
host_config_written(PciFunction *fn, unsigned offset, unsigned size)
{
    lock_smram((PciHost *)fn);
    move_ecam((PciHost *)fn);
}

static const PciOps host_ops = { .config_written = host_config_written };

static void
allow_registers(PciFunction *fn)
{
    pci_allow(fn, REG_PCIEXBAR, 4, (PCIEXBAR_BASE & 0xffffffff) | PCIEXBAR_ON | PCIEXBAR_SIZE);
    pci_allow(fn, REG_PCIEXBAR + 4, 4, PCIEXBAR_BASE >> 32);
    for (unsigned i = 0; i < 7; i++)
        pci_allow(fn, REG_PAM + i, 1, i == 0 ? 0x30 : 0x33);
    pci_allow(fn, REG_SMRAM, 1, 0x7a);
    pci_allow(fn, REG_ESMRAMC, 1, 0xff);
}

static bool
host_create(Device *dev, VmmMsg *params, VmmError *err)
{
    static const PciIdentity identity = { 0x8086, 0x29c0, 2, 0x060000 };
    PciHost *host = (PciHost *)dev;

    dev->board->pci = host->pci = pci_new();
    pci_init(&host->fn, &identity, &host_ops);
    return pci_plug_at(&host->fn, pci_root(host->pci), 0, 0, err) &&
           claim(host, dev->board->pio, PORT_ADDRESS, 1, &address_ops, err) &&
           claim(host, dev->board->pio, PORT_DATA, 4, &data_ops, err);
}

static void
host_reset(Device *dev)
{
    PciHost *host = (PciHost *)dev;

    host->address = 0;
    pci_reset(&host->fn);
    allow_registers(&host->fn);
    pci_set(&host->fn, REG_SMRAM, 1, SMRAM_RESET);
    pthread_mutex_lock(pci_lock(host->pci));
    move_ecam(host);
    pthread_mutex_unlock(pci_lock(host->pci));
}

/* Who wakes goes on to use the window where it was, and so does firmware on the way. */
static void
host_wake(Device *dev)
{
    PciHost *host = (PciHost *)dev;
    uint64_t bar = pciexbar(host);

    host_reset(dev);
    pthread_mutex_lock(pci_lock(host->pci));
    pci_set(&host->fn, REG_PCIEXBAR, 4, bar);
    pci_set(&host->fn, REG_PCIEXBAR + 4, 4, bar >> 32);
    move_ecam(host);
    pthread_mutex_unlock(pci_lock(host->pci));
}

static void
host_describe(Device *dev, struct Aml *aml)
{
    PciWindows windows = { .memory = dev->board->memory, .pci = ((PciHost *)dev)->pci };

    if (!pci_host_ecam(windows.pci, &windows.ecam_base, &windows.ecam_size))
        windows.ecam_size = 0;
    pci_acpi_describe(aml, &windows, dev->board->lpc);
}

static void
host_destroy(Device *dev)
{
    PciHost *host = (PciHost *)dev;

    pci_unplug(&host->fn);
    pci_free(host->pci);
    dev->board->pci = NULL;
}

static bool
host_loaded(void *object, VmmError *err)
{
    PciHost *host = object;

    host->address &= ~3u;
    pthread_mutex_lock(pci_lock(host->pci));
    lock_smram(host);
    move_ecam(host);
    pthread_mutex_unlock(pci_lock(host->pci));
    return true;
}

static const StateField host_fields[] = {
    STATE_STRUCT(PciHost, fn, &pci_function_state),
    STATE_NUMBER(PciHost, address),
    STATE_END,
};

static const StateTable host_state = { .version = 1, .fields = host_fields, .loaded = host_loaded };

const DeviceClass pci_host_class = {
    .name = "pci-host",
    .size = sizeof(PciHost),
    .create = host_create,
    .reset = host_reset,
    .wake = host_wake,
    .describe = host_describe,
    .state = &host_state,
    .destroy = host_destroy,
};
