/* What a system is told of PCI, by ACPICA's own disassembler: buses, windows, pins, and that what firmware has placed is in
 * the windows. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/pci-host.h"
#include "qemu-kvm-backend/pci.h"
#include "tests/unit/iasl.h"
#include "tests/unit/test-board.h"

#include <glib.h>
#include <string.h>

#define MIB   ((uint64_t)1 << 20)
#define ECAM  0xe0000000ull
#define BAR   (16 * MIB)
#define DEVFN (3u << 3)

static const BusOps nothing = { NULL, NULL, false };

static bool
create(Device *dev, VmmMsg *params, VmmError *err)
{
    static const PciIdentity identity = { 0x1234, 0x5678, 9, 0x058000 };
    PciFunction *fn = (PciFunction *)dev;

    pci_init(fn, &identity, NULL);
    pci_add_bar(fn, 0, BAR, PCI_BAR_64 | PCI_BAR_PREFETCH, &nothing);
    return pci_plug(fn, params, err);
}

static void
reset(Device *dev)
{
    pci_reset((PciFunction *)dev);
}

static void
destroy(Device *dev)
{
    pci_unplug((PciFunction *)dev);
}

static const DeviceClass large_class = {
    .name = "large",
    .size = sizeof(PciFunction),
    .create = create,
    .reset = reset,
    .destroy = destroy,
};

/* The host bridge, and what it says of itself. */

typedef struct Fixture {
    TestBoard *test;
    Device *host, *large;
} Fixture;

static Fixture
set_up(void)
{
    Fixture f = { .test = test_board_new(NULL) };
    VmmMsg *place = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_u64(place, "slot", 3);
    vmm_msg_put_u64(place, "function", 0);
    f.test->board.memory = memory_new(16 * MIB, NULL);
    f.host = test_board_add(f.test, &pci_host_class, NULL);
    f.large = test_board_add(f.test, &large_class, place);
    pci_host_set_ecam(f.test->board.pci, ECAM);
    return f;
}

static void
tear_down(Fixture *f)
{
    device_free(f->large);
    device_free(f->host);
    test_board_free(f->test);
}

/* To be freed. */
static char *
describe(Fixture *f)
{
    Aml *aml = aml_new();
    char *asl;

    aml_open_scope(aml, "\\_SB");
    f->host->class->describe(f->host, aml);
    aml_close(aml);
    asl = iasl_round_trip_code(aml);
    aml_free(aml);
    return asl;
}

static void
test_all(void)
{
    static const char *const expected[] = {
        "Device (PCI0)",
        "Name (_HID, EisaId (\"PNP0A08\")",
        "Name (_CID, EisaId (\"PNP0A03\")",
        "WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode,",
        "0x00FF,             // Range Maximum",
        "WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,",
        "0x80000000,         // Range Minimum",
        "0xDFFFFFFF,         // Range Maximum",
        "0xF0000000,         // Range Minimum",
        "0xFEBFFFFF,         // Range Maximum",
        "0x0000000100000000, // Range Minimum",
        "0x00000004FFFFFFFF, // Range Maximum",
        "Name (PRTA, Package (0x80)",
        "Name (PRTL, Package (0x80)",
        "Method (_PRT, 0, NotSerialized)",
        "Method (\\_PIC, 1, NotSerialized)",
        "0x001FFFFF,",
        "Method (_OSC, 4, NotSerialized)",
        "CreateDWordField (Arg3, 0x08, CDW3)",
        "ToUUID (\"33db4d5b-1ff7-401c-9657-7441c03dd766\")",
        "CDW3 &= 0x1D",
        "Return (Arg3)",
        "Name (_HID, EisaId (\"PNP0C02\")",
        "0xE0000000,         // Address Base",
        "0x10000000,         // Address Length",
    };
    Fixture f = set_up();
    g_autofree char *asl = describe(&f);

    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        iasl_assert_has(asl, expected[i]);
    tear_down(&f);
}

/* Where there is no LPC bridge, the pins lead to the I/O APIC alone. */
static void
test_without_links(void)
{
    static const char *const links[] = { "PRTL", "PICF", "_PIC", "LNK" };
    Fixture f = set_up();
    g_autofree char *asl = NULL;

    f.test->board.lpc = false;
    asl = describe(&f);
    iasl_assert_has(asl, "Name (_PRT, Package (0x80)");
    iasl_assert_has(asl, "0x17");
    for (size_t i = 0; i < G_N_ELEMENTS(links); i++)
        g_assert_null(strstr(asl, links[i]));
    tear_down(&f);
}

/* Above 4 GiB, once firmware has placed the function's BAR. */
static void
test_placed(void)
{
    static const struct {
        uint64_t bar;
        const char *first, *last;
    } all[] = {
        { 0x140000000, "0x0000000100000000, // Range Minimum", "0x00000004FFFFFFFF, // Range Maximum" },
        /* Where OVMF has it, with 46 bits of address and with fewer. */
        { 0x380000000000, "0x0000380000000000, // Range Minimum", "0x00003803FFFFFFFF, // Range Maximum" },
        { 0x800000000, "0x0000000800000000, // Range Minimum", "0x0000000BFFFFFFFF, // Range Maximum" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        Fixture f = set_up();
        g_autofree char *asl = NULL;

        config_write(f.test, 0, DEVFN, PCI_BAR0, 4, (uint32_t)all[i].bar);
        config_write(f.test, 0, DEVFN, PCI_BAR0 + 4, 4, all[i].bar >> 32);
        config_write(f.test, 0, DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
        asl = describe(&f);
        iasl_assert_has(asl, all[i].first);
        iasl_assert_has(asl, all[i].last);
        tear_down(&f);
    }
}

/* A bridge says of what lies behind it, whatever its guest has written, or nothing. */
static void
test_window(void)
{
    static const struct {
        uint64_t first, last; /* of the prefetchable window */
        const char *expected_first, *expected_last;
    } all[] = {
        { 0x800000000, 0x8ffffffff, "0x0000000800000000, // Range Minimum", "0x0000000BFFFFFFFF, // Range Maximum" },
        /* To the end of what there are addresses for, and from there. */
        { 0x800000000, 0xffffffffffffffff, "0x0000000100000000, // Range Minimum", "0x00000004FFFFFFFF, // Range Maximum" },
        { 0xffffffffffe00000, 0xffffffffffefffff, "0x0000000100000000, // Range Minimum",
          "0x00000004FFFFFFFF, // Range Maximum" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        Fixture f = set_up();
        Device *port = test_board_add(f.test, &root_port_class, NULL);
        unsigned devfn = ((PciFunction *)port)->slot << 3;
        g_autofree char *asl = NULL;

        config_write(f.test, 0, devfn, PCI_PREF_BASE, 2, all[i].first >> 16 & 0xfff0);
        config_write(f.test, 0, devfn, PCI_PREF_BASE_HI, 4, all[i].first >> 32);
        config_write(f.test, 0, devfn, PCI_PREF_LIMIT, 2, all[i].last >> 16 & 0xfff0);
        config_write(f.test, 0, devfn, PCI_PREF_LIMIT_HI, 4, all[i].last >> 32);
        config_write(f.test, 0, devfn, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
        asl = describe(&f);
        iasl_assert_has(asl, all[i].expected_first);
        iasl_assert_has(asl, all[i].expected_last);
        device_free(port);
        tear_down(&f);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci-acpi/all", test_all);
    g_test_add_func("/pci-acpi/without-links", test_without_links);
    g_test_add_func("/pci-acpi/placed", test_placed);
    g_test_add_func("/pci-acpi/window", test_window);
    return g_test_run();
}
