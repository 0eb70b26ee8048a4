/* pvpanic on ISA and on PCI: what it says, what it is told, and how ACPI describes it. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/pci.h"
#include "tests/unit/iasl.h"
#include "tests/unit/test-board.h"

#include <glib.h>

#define PORT  0x505
#define DEVFN (3u << 3)
#define BAR   0xd0000000u

static VmmMsg *
params(const char *key, guint64 value)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_u64(msg, key, value);
    return msg;
}

static void
assert_told(TestBoard *test, unsigned n_events, unsigned n_requests)
{
    g_assert_cmpuint(test->n_events, ==, n_events);
    g_assert_cmpuint(test->n_requests, ==, n_requests);
}

static void
test_isa(void)
{
    TestBoard *test = test_board_new(NULL);
    Device *dev = test_board_add(test, &pvpanic_class, NULL);

    g_assert_cmphex(in8(test, PORT), ==, 3);
    g_assert_cmphex(in8(test, PORT + 1), ==, 0xff);
    out8(test, PORT, 0);
    out8(test, PORT, 0xfc); /* what is not known is ignored */
    assert_told(test, 0, 0);
    out8(test, PORT, 2);
    out8(test, PORT, 2);
    assert_told(test, 1, 0);
    g_assert_cmpstr(vmm_msg_name(test->event), ==, "crash-loaded");
    out8(test, PORT, 3);
    assert_told(test, 1, 1);
    g_assert_cmpint(test->request, ==, BOARD_PANIC);
    dev->class->reset(dev);
    out8(test, PORT, 2);
    assert_told(test, 2, 1);
    device_free(dev);
    test_board_free(test);
}

static void
test_other_port(void)
{
    TestBoard *test = test_board_new(NULL);
    Device *dev = test_board_add(test, &pvpanic_class, params("port", 0x510));

    g_assert_cmphex(in8(test, PORT), ==, 0xff);
    out8(test, 0x510, 1);
    assert_told(test, 0, 1);
    device_free(dev);
    test_board_free(test);
}

static void
assert_refused(TestBoard *test, guint64 port)
{
    vmm_msg_auto msg = params("port", port);
    VmmError err = { 0 };

    g_assert_null(device_new(&pvpanic_class, &test->board, "other", msg, &err));
    g_assert_cmpstr(err.text, !=, "");
}

static void
test_bad_ports(void)
{
    TestBoard *test = test_board_new(NULL);
    Device *dev = test_board_add(test, &pvpanic_class, NULL);

    assert_refused(test, PORT);
    assert_refused(test, 0x10000);
    device_free(dev);
    test_board_free(test);
}

static void
test_acpi(void)
{
    TestBoard *test = test_board_new(NULL);
    Device *dev = test_board_add(test, &pvpanic_class, NULL);
    Aml *aml = aml_new();
    g_autofree char *asl = NULL;

    aml_open_scope(aml, "\\_SB");
    dev->class->describe(dev, aml);
    aml_close(aml);
    asl = iasl_round_trip_code(aml);
    if (asl) {
        iasl_assert_has(asl, "Device (PEVT)");
        iasl_assert_has(asl, "\"QEMU0001\"");
        iasl_assert_has(asl, "OperationRegion (PEOR, SystemIO, 0x0505, One)");
        iasl_assert_has(asl, "Field (PEOR, ByteAcc, NoLock, Preserve)");
        iasl_assert_has(asl, "PEPT,   8");
        iasl_assert_has(asl, "Return (PEPT)");
        iasl_assert_has(asl, "PEPT = Arg0");
    }
    aml_free(aml);
    device_free(dev);
    test_board_free(test);
}

static void
test_pci(void)
{
    TestBoard *test = test_board_new(NULL);
    Device *host = test_board_add(test, &pci_host_class, NULL);
    Device *dev = test_board_add(test, &pvpanic_pci_class, params("slot", 3));

    g_assert_cmphex(config_read(test, 0, DEVFN, PCI_VENDOR, 4), ==, 0x00111b36);
    config_write(test, 0, DEVFN, PCI_BAR0, 4, BAR);
    g_assert_cmphex(mmio_read(test, BAR, 1), ==, 0xff);
    config_write(test, 0, DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    g_assert_cmphex(mmio_read(test, BAR, 1), ==, 3);
    g_assert_cmphex(mmio_read(test, BAR + 1, 1), ==, 0);
    mmio_write(test, BAR + 1, 1, 1);
    assert_told(test, 0, 0);
    mmio_write(test, BAR, 1, 2);
    mmio_write(test, BAR, 1, 2);
    assert_told(test, 1, 0);
    mmio_write(test, BAR, 1, 1);
    assert_told(test, 1, 1);
    g_assert_cmpint(test->request, ==, BOARD_PANIC);
    dev->class->reset(dev);
    g_assert_cmphex(mmio_read(test, BAR, 1), ==, 0xff);
    device_free(dev);
    device_free(host);
    test_board_free(test);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pvpanic/isa", test_isa);
    g_test_add_func("/pvpanic/other-port", test_other_port);
    g_test_add_func("/pvpanic/bad-ports", test_bad_ports);
    g_test_add_func("/pvpanic/acpi", test_acpi);
    g_test_add_func("/pvpanic/pci", test_pci);
    return g_test_run();
}
