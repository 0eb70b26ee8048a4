#include "qemu-kvm-backend/pci-assign.h"

#include "qemu-kvm-backend/log.h"

#define MIB       (1ull << 20)
#define PORTS_END 0x10000u

/* A bridge gets room for what may be plugged in below it later. */
#define BRIDGE_MEMORY   (2 * MIB)
#define BRIDGE_PREFETCH (2 * MIB)

typedef struct Plan {
    uint64_t memory, memory_end; /* free */
    uint64_t port;
    unsigned last_bus;
} Plan;

static uint64_t
align(uint64_t at, uint64_t to)
{
    return (at + to - 1) / to * to;
}

/* @size bytes of it, aligned to their size; 0: there are none left. */
static uint64_t
take(uint64_t *at, uint64_t end, uint64_t size)
{
    uint64_t base = align(*at, size);

    if (base + size > end)
        return 0;
    *at = base + size;
    return base;
}

static void
assign_bar(Plan *plan, PciFunction *fn, unsigned i)
{
    const PciBar *bar = &fn->bars[i];
    bool io = bar->flags & PCI_BAR_IO;
    unsigned offset = PCI_BAR0 + 4 * i;
    uint64_t base = io ? take(&plan->port, PORTS_END, bar->size)
                       : take(&plan->memory, plan->memory_end, bar->size);

    if (base == 0) {
        log_line("Device '%s': there are no addresses left for its BAR %u", fn->dev.id, i);
        return;
    }
    pci_set(fn, offset, 4, base | (pci_get(fn, offset, 4) & 0xf));
    if (bar->flags & PCI_BAR_64)
        pci_set(fn, offset + 4, 4, base >> 32);
    pci_set(fn, PCI_COMMAND, 2,
            pci_get(fn, PCI_COMMAND, 2) | (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY));
}

static void
assign_bars(Plan *plan, PciFunction *fn)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        if (fn->bars[i].size)
            assign_bar(plan, fn, i);
    }
}

/* The second window holds nothing yet; ports there are none. */
static void
set_windows(PciFunction *fn, uint64_t from, uint64_t to, uint64_t prefetch)
{
    pci_set(fn, PCI_MEM_BASE, 2, from >> 16);
    pci_set(fn, PCI_MEM_LIMIT, 2, (to - 1) >> 16 & 0xfff0);
    pci_set(fn, PCI_PREF_BASE, 2, prefetch >> 16 | 1);
    pci_set(fn, PCI_PREF_LIMIT, 2, ((prefetch + BRIDGE_PREFETCH - 1) >> 16 & 0xfff0) | 1);
    pci_set(fn, PCI_IO_BASE, 1, 0xf0);
    pci_set(fn, PCI_IO_LIMIT, 1, 0);
    pci_set(fn, PCI_COMMAND, 2,
            pci_get(fn, PCI_COMMAND, 2) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void assign_bus(Plan *plan, const PciBus *bus, unsigned number);

static void
assign_bridge(Plan *plan, PciFunction *fn, unsigned number)
{
    uint64_t from, to, prefetch;

    pci_set(fn, PCI_PRIMARY, 1, number);
    pci_set(fn, PCI_SECONDARY, 1, ++plan->last_bus);
    from = plan->memory = align(plan->memory, BRIDGE_MEMORY);
    assign_bus(plan, fn->secondary, plan->last_bus);
    pci_set(fn, PCI_SUBORDINATE, 1, plan->last_bus);
    to = plan->memory = align(plan->memory + (plan->memory == from), BRIDGE_MEMORY);
    prefetch = take(&plan->memory, plan->memory_end, BRIDGE_PREFETCH);
    if (prefetch)
        set_windows(fn, from, to, prefetch);
    else
        log_line("Device '%s': there are no addresses left for what is behind it", fn->dev.id);
}

static void
assign_bus(Plan *plan, const PciBus *bus, unsigned number)
{
    for (PciFunction *fn = pci_next(bus, NULL); fn; fn = pci_next(bus, fn)) {
        assign_bars(plan, fn);
        if (fn->secondary)
            assign_bridge(plan, fn, number);
    }
}

void
pci_assign(Pci *pci, uint64_t memory, uint64_t memory_end, unsigned port)
{
    Plan plan = { .memory = memory, .memory_end = memory_end, .port = port };

    pthread_mutex_lock(pci_lock(pci));
    assign_bus(&plan, pci_root(pci), 0);
    pci_remap(pci);
    pthread_mutex_unlock(pci_lock(pci));
}
