#include "qemu-kvm-backend/x86/aml-private.h"

#include <assert.h>
#include <endian.h>

/* Sections are those of ACPI 6.4. */

/* I/O port descriptor (6.4.2.5): a fixed place that decodes all 16 address bits. */
void
aml_resource_io(Aml *aml, uint16_t base, uint8_t length)
{
    const uint8_t descriptor[] = { 0x47,        0x01,      base & 0xff, base >> 8,
                                   base & 0xff, base >> 8, 0x01,        length };

    aml_put_descriptor(aml, descriptor, sizeof(descriptor));
}

/* IRQ descriptor without flags (6.4.2.1): edge-triggered, active high, not shared, as on ISA. */
void
aml_resource_irq(Aml *aml, unsigned irq)
{
    const uint8_t descriptor[] = { 0x22, (1u << irq) & 0xff, (1u << irq) >> 8 };

    assert(irq < 16);
    aml_put_descriptor(aml, descriptor, sizeof(descriptor));
}

/* Extended interrupt descriptor (6.4.3.6): a consumer's. */
void
aml_resource_pci_irq(Aml *aml, const uint32_t *irqs, unsigned n)
{
    const uint8_t head[] = { 0x89, 2 + 4 * n, 0, 0x0d, n };

    assert(n <= 63);
    aml_put_descriptor(aml, head, sizeof(head));
    for (unsigned i = 0; i < n; i++)
        aml_put_descriptor(aml, &(uint32_t){ htole32(irqs[i]) }, 4);
}

/* 32-bit fixed memory descriptor (6.4.3.4), writable. */
void
aml_resource_memory32(Aml *aml, uint32_t base, uint32_t length)
{
    const uint8_t head[] = { 0x86, 9, 0, 1 };
    const uint32_t range[] = { htole32(base), htole32(length) };

    aml_put_descriptor(aml, head, sizeof(head));
    aml_put_descriptor(aml, range, sizeof(range));
}

/* Address space descriptors (6.4.3.5): a producer's window with fixed ends, of numbers of @width bytes. */
typedef struct Window {
    uint8_t tag;
    uint8_t width;
    uint8_t type;  /* 0 memory, 1 I/O, 2 buses */
    uint8_t flags; /* of that type */
} Window;

#define WINDOW_FLAGS 0x0c /* minimum and maximum are fixed */

static void
put_number(Aml *aml, uint64_t value, unsigned width)
{
    value = htole64(value);
    aml_put_descriptor(aml, &value, width);
}

static void
put_window(Aml *aml, const Window *window, uint64_t first, uint64_t last)
{
    const uint8_t head[] = { window->tag,  3 + 5 * window->width, 0,
                             window->type, WINDOW_FLAGS,          window->flags };
    const uint64_t numbers[] = { 0, first, last, 0,
                                 last - first + 1 }; /* granularity, ..., offset */

    assert(first <= last);
    aml_put_descriptor(aml, head, sizeof(head));
    for (unsigned i = 0; i < 5; i++)
        put_number(aml, numbers[i], window->width);
}

void
aml_resource_buses(Aml *aml, uint8_t first, uint8_t last)
{
    put_window(aml, &(Window){ 0x88, 2, 2, 0 }, first, last);
}

/* 3: the whole of ISA's and other ranges. */
void
aml_resource_io_window(Aml *aml, uint16_t first, uint16_t last)
{
    put_window(aml, &(Window){ 0x88, 2, 1, 3 }, first, last);
}

/* 1: writable. */
void
aml_resource_memory32_window(Aml *aml, uint32_t first, uint32_t last)
{
    put_window(aml, &(Window){ 0x87, 4, 0, 1 }, first, last);
}

/* 7: writable, prefetchable. */
void
aml_resource_memory64_window(Aml *aml, uint64_t first, uint64_t last)
{
    put_window(aml, &(Window){ 0x8a, 8, 0, 7 }, first, last);
}
