/* Where BARs answer: what COMMAND, the BARs and the windows of the bridges say together (PCI 3.0, 6.2). */
#include "qemu-kvm-backend/pci-tree.h"

#define IO_SPACE_END 0x10000u
#define ADDRESS_END  (1ull << 52) /* of what page tables can hold */

static uint64_t
bar_address(const PciFunction *fn, unsigned bar)
{
    unsigned offset = PCI_BAR0 + 4 * bar;
    uint64_t value = pci_get(fn, offset, 4);

    if (fn->bars[bar].flags & PCI_BAR_IO)
        return value & 0xfffc;
    if (fn->bars[bar].flags & PCI_BAR_64)
        value |= (uint64_t)pci_get(fn, offset + 4, 4) << 32;
    return value & ~0xfull;
}

/* That of prefetchable memory (PCI-to-PCI Bridge 1.2, 3.2.5.9 and 10). It is closed where it begins behind its end. */
static void
prefetch_window(const PciFunction *bridge, uint64_t *ret_from, uint64_t *ret_to)
{
    *ret_from = (uint64_t)pci_get(bridge, PCI_PREF_BASE_HI, 4) << 32 |
                (uint64_t)(pci_get(bridge, PCI_PREF_BASE, 2) & 0xfff0) << 16;
    *ret_to = (uint64_t)pci_get(bridge, PCI_PREF_LIMIT_HI, 4) << 32 |
              (uint64_t)(pci_get(bridge, PCI_PREF_LIMIT, 2) & 0xfff0) << 16 | 0xfffff;
}

static bool
window_has(const PciFunction *bridge, bool io, uint64_t base, uint64_t last)
{
    uint64_t from, to;

    if (io) {
        from = (pci_get(bridge, PCI_IO_BASE, 1) & 0xf0) << 8;
        to = (pci_get(bridge, PCI_IO_LIMIT, 1) & 0xf0) << 8 | 0xfff;
        return base >= from && last <= to;
    }
    from = (uint64_t)(pci_get(bridge, PCI_MEM_BASE, 2) & 0xfff0) << 16;
    to = (uint64_t)(pci_get(bridge, PCI_MEM_LIMIT, 2) & 0xfff0) << 16 | 0xfffff;
    if (base >= from && last <= to)
        return true;
    prefetch_window(bridge, &from, &to);
    return base >= from && last <= to;
}

static bool
is_decoding(const PciFunction *fn, bool io)
{
    return pci_get(fn, PCI_COMMAND, 2) & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

/* Whether the BAR is to answer, and where. An address of 0 is one that nobody has set, and the end of the
 * address space is where a guest finds out how large a BAR is (PCI 3.0, 6.2.5.1). */
static bool
wants_mapping(const PciFunction *fn, unsigned bar, uint64_t *ret)
{
    bool io = fn->bars[bar].flags & PCI_BAR_IO;
    uint64_t size = fn->bars[bar].size, base = bar_address(fn, bar), last = base + size - 1;
    uint64_t end = io ? IO_SPACE_END : fn->bars[bar].flags & PCI_BAR_64 ? ADDRESS_END : 1ull << 32;

    if (size == 0 || base == 0 || last < base || last >= end - 1 || !is_decoding(fn, io))
        return false;
    for (const PciFunction *bridge = fn->bus->bridge; bridge; bridge = bridge->bus->bridge) {
        if (!is_decoding(bridge, io) || !window_has(bridge, io, base, last))
            return false;
    }
    *ret = base;
    return true;
}

static Bus *
bus_of(const PciFunction *fn, unsigned bar)
{
    return fn->bars[bar].flags & PCI_BAR_IO ? fn->dev.board->pio : fn->dev.board->mmio;
}

static void
tell_moved(PciFunction *fn, unsigned bar)
{
    if (fn->ops && fn->ops->bar_moved)
        fn->ops->bar_moved(fn, bar);
}

static void
unmap_moved(PciFunction *fn)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        PciBar *bar = &fn->bars[i];
        uint64_t base;

        if (!bar->mapped || (wants_mapping(fn, i, &base) && base == bar->base))
            continue;
        bus_remove_at(bus_of(fn, i), &fn->dev, bar->base);
        bar->mapped = false;
        tell_moved(fn, i);
    }
}

static void
map_wanted(PciFunction *fn)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        PciBar *bar = &fn->bars[i];
        uint64_t base;

        if (bar->mapped || !wants_mapping(fn, i, &base) ||
            !device_claim(&fn->dev, bus_of(fn, i), base, bar->size, bar->ops, NULL))
            continue;
        bar->mapped = true;
        bar->base = base;
        tell_moved(fn, i);
    }
}

static void
for_functions(PciBus *bus, void (*fn)(PciFunction *function))
{
    for (PciFunction *at = bus->first; at; at = at->next) {
        pthread_mutex_lock(&at->dev.lock);
        fn(at);
        pthread_mutex_unlock(&at->dev.lock);
        if (at->secondary)
            for_functions(at->secondary, fn);
    }
}

/* All that moves goes away before anything comes, so that two functions can change places. */
void
pci_remap(Pci *pci)
{
    for_functions(&pci->root, unmap_moved);
    for_functions(&pci->root, map_wanted);
}

typedef struct Span {
    uint64_t first, end; /* end 0: nothing */
} Span;

static void
widen(Span *span, uint64_t first, uint64_t end)
{
    if (span->end == 0 || first < span->first)
        span->first = first;
    if (end > span->end)
        span->end = end;
}

static void
widen_by_function(Span *span, const PciFunction *fn, uint64_t floor)
{
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const PciBar *bar = &fn->bars[i];

        if (bar->mapped && !(bar->flags & PCI_BAR_IO) && bar->base >= floor)
            widen(span, bar->base, bar->base + bar->size);
    }
    if (fn->secondary && is_decoding(fn, false)) {
        uint64_t from, to;

        prefetch_window(fn, &from, &to);
        if (from >= floor && from <= to && to < ADDRESS_END)
            widen(span, from, to + 1);
    }
}

bool
pci_answers_above(const Pci *pci, uint64_t floor, uint64_t *ret_first, uint64_t *ret_end)
{
    Span span = { 0 };

    for (const PciFunction *fn = pci->root.first; fn; fn = fn->next)
        widen_by_function(&span, fn, floor);
    *ret_first = span.first;
    *ret_end = span.end;
    return span.end != 0;
}
