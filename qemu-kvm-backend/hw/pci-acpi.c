#include "qemu-kvm-backend/hw/pci-acpi.h"

#include "qemu-kvm-backend/x86/layout.h"

#define SLOTS     32u
#define PINS      4u
#define FIRST_GSI 16u
#define GIB       (1ull << 30)

/* _OSC, PCI Firmware Specification 4.5: status in the first DWORD, what the system may control itself in the
 * third. */
#define OSC_UUID            "33DB4D5B-1FF7-401C-9657-7441C03DD766"
#define OSC_UNKNOWN_UUID    0x04
#define OSC_UNKNOWN_VERSION 0x08
#define OSC_MASKED          0x10
#define OSC_GRANTED         0x1d /* native hot-plug, PME, AER, the capability structure; not SHPC */

uint64_t
pci_memory64(const Memory *memory, uint64_t *ret_size)
{
    uint64_t end = LAYOUT_HIGH_RAM;
    MemoryRegion region;

    for (unsigned i = 0; memory_region(memory, i, &region); i++) {
        if (region.gpa + region.size > end)
            end = region.gpa + region.size;
    }
    *ret_size = 16 * GIB;
    return (end + GIB - 1) / GIB * GIB;
}

static void
put_memory32(Aml *aml, uint64_t first, uint64_t end)
{
    if (first < end)
        aml_resource_memory32_window(aml, first, end - 1);
}

/* Above RAM, where 64-bit BARs go: firmware may have a place of its own for them, such as the top of what the processor
 * addresses (edk2's OVMF), and a system leaves them there only if it is in the window. */
static void
put_memory64(Aml *aml, const PciWindows *windows)
{
    uint64_t size, used, used_end, first = pci_memory64(windows->memory, &size), end = first + size;

    if (pci_answers_above(windows->pci, first, &used, &used_end) && used_end > end) {
        first = used / GIB * GIB;
        end = (used_end + GIB - 1) / GIB * GIB;
        if (end - first < size)
            end = first + size;
    }
    aml_resource_memory64_window(aml, first, end - 1);
}

/* Below 4 GiB everything between RAM and the I/O APIC but the ECAM. */
static void
put_memory_windows(Aml *aml, const PciWindows *windows)
{
    uint64_t ecam_end = windows->ecam_base + windows->ecam_size;

    if (windows->ecam_size == 0 || ecam_end > LAYOUT_IOAPIC) {
        put_memory32(aml, LAYOUT_LOW_RAM_END, LAYOUT_IOAPIC);
    } else {
        put_memory32(aml, LAYOUT_LOW_RAM_END, windows->ecam_base);
        put_memory32(aml, ecam_end, LAYOUT_IOAPIC);
    }
    put_memory64(aml, windows);
}

static void
describe_windows(Aml *aml, const PciWindows *windows)
{
    unsigned n_buses = windows->ecam_size ? windows->ecam_size >> 20 : 256;

    aml_open_resources(aml, "_CRS");
    aml_resource_buses(aml, 0, n_buses - 1);
    aml_resource_io(aml, 0xcf8, 8);
    aml_resource_io_window(aml, 0, 0xcf7);
    aml_resource_io_window(aml, 0xd00, 0xffff);
    put_memory_windows(aml, windows);
    aml_close(aml);
}

/* Where each pin of each slot leads, 6.2.13: to one of the links, or to a GSI, which is what 0 says. */
static void
describe_pins(Aml *aml, const char *name, bool by_links)
{
    char link[] = "LNKA";

    aml_open_package(aml, name, SLOTS * PINS);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        for (unsigned pin = 0; pin < PINS; pin++) {
            unsigned line = pci_line(slot, pin + 1);

            link[3] = 'A' + line;
            aml_open_element(aml, 4);
            aml_integer(aml, slot << 16 | 0xffff);
            aml_integer(aml, pin);
            if (by_links)
                aml_path(aml, link);
            else
                aml_integer(aml, 0);
            aml_integer(aml, by_links ? 0 : FIRST_GSI + line);
            aml_close(aml);
        }
    }
    aml_close(aml);
}

/* \_PIC, 5.8.1: a system that drives the I/O APIC says so. */
static void
describe_mode(Aml *aml)
{
    aml_name_integer(aml, "\\PICF", 0);
    aml_open_method(aml, "\\_PIC", 1);
    aml_operator(aml, AML_STORE);
    aml_arg(aml, 0);
    aml_reference(aml, "\\PICF");
    aml_close(aml);
}

/* With the I/O APIC each pin has a line of its own, with the PICs alone what the links lead to. Without links there is no
 * other way. */
static void
describe_routing(Aml *aml, bool links)
{
    if (!links) {
        describe_pins(aml, "_PRT", false);
        return;
    }
    describe_pins(aml, "PRTA", false);
    describe_pins(aml, "PRTL", true);
    aml_open_method(aml, "_PRT", 0);
    aml_open_if(aml);
    aml_reference(aml, "\\PICF");
    aml_operator(aml, AML_RETURN);
    aml_reference(aml, "PRTA");
    aml_close(aml);
    aml_operator(aml, AML_RETURN);
    aml_reference(aml, "PRTL");
    aml_close(aml);
}

/* CDW1 |= @bits */
static void
add_status(Aml *aml, unsigned bits)
{
    aml_operator(aml, AML_OR);
    aml_reference(aml, "CDW1");
    aml_constant(aml, bits);
    aml_reference(aml, "CDW1");
}

/* CDW3 &= OSC_GRANTED, and whether that took something away. */
static void
grant_control(Aml *aml)
{
    aml_dword_field(aml, 3, 8, "CDW3");
    aml_open_if(aml);
    aml_operator(aml, AML_LNOT);
    aml_operator(aml, AML_LEQUAL);
    aml_reference(aml, "CDW3");
    aml_operator(aml, AML_AND);
    aml_reference(aml, "CDW3");
    aml_constant(aml, OSC_GRANTED);
    aml_constant(aml, 0); /* the result goes nowhere else */
    add_status(aml, OSC_MASKED);
    aml_close(aml);
    aml_operator(aml, AML_AND);
    aml_reference(aml, "CDW3");
    aml_constant(aml, OSC_GRANTED);
    aml_reference(aml, "CDW3");
}

static void
describe_control(Aml *aml)
{
    aml_open_method(aml, "_OSC", 4);
    aml_dword_field(aml, 3, 0, "CDW1");
    aml_open_if(aml);
    aml_operator(aml, AML_LEQUAL);
    aml_arg(aml, 0);
    aml_uuid(aml, OSC_UUID);
    grant_control(aml);
    aml_open_if(aml);
    aml_operator(aml, AML_LNOT);
    aml_operator(aml, AML_LEQUAL);
    aml_arg(aml, 1);
    aml_constant(aml, 1);
    add_status(aml, OSC_UNKNOWN_VERSION);
    aml_close(aml);
    aml_close(aml);
    aml_open_else(aml);
    add_status(aml, OSC_UNKNOWN_UUID);
    aml_close(aml);
    aml_operator(aml, AML_RETURN);
    aml_arg(aml, 3);
    aml_close(aml);
}

static void
describe_ecam(Aml *aml, const PciWindows *windows)
{
    if (windows->ecam_size == 0)
        return;
    aml_open_device(aml, "MCFG");
    aml_name_eisaid(aml, "_HID", "PNP0C02");
    aml_open_resources(aml, "_CRS");
    aml_resource_memory32(aml, windows->ecam_base, windows->ecam_size);
    aml_close(aml);
    aml_close(aml);
}

void
pci_acpi_describe(Aml *aml, const PciWindows *windows, bool links)
{
    if (links)
        describe_mode(aml);
    aml_open_device(aml, "PCI0");
    aml_name_eisaid(aml, "_HID", "PNP0A08");
    aml_name_eisaid(aml, "_CID", "PNP0A03");
    aml_name_integer(aml, "_UID", 0);
    aml_name_integer(aml, "_BBN", 0);
    aml_name_integer(aml, "_SEG", 0);
    describe_windows(aml, windows);
    describe_routing(aml, links);
    describe_control(aml);
    aml_close(aml);
    describe_ecam(aml, windows);
}
