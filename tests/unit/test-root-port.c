/* A root port: its windows, and how a device comes and goes behind it. */
#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/pci-host.h"
#include "qemu-kvm-backend/pci-assign.h"
#include "qemu-kvm-backend/pci.h"

#include <string.h>

#define MIB          ((uint64_t)1 << 20)
#define ECAM         0xe0000000ull
#define PORT         (2u << 3)
#define EXPRESS      0x40 /* its capability */
#define CONTROL      (EXPRESS + 0x18)
#define STATUS       (EXPRESS + 0x1a)
#define LINK         (EXPRESS + 0x12)
#define MSI          0x77
#define LISTENS      0x1029 /* hot-plug interrupts: button, presence, link */
#define ON           0x0100 /* power indicator on, power on */
#define OFF          0x0700 /* indicator off, power off */
#define BUTTON       0x001
#define PRESENCE     0x008
#define PRESENT      0x040
#define LINK_CHANGED 0x100

typedef struct Fixture {
    TestBoard *test;
    Device *host, *port, *dev;
} Fixture;

static char *removed;

static void
notify(Board *board, VmmMsg *event)
{
    const char *id;

    g_assert_cmpstr(vmm_msg_name(event), ==, "device-removed");
    g_assert_true(vmm_msg_get_string(event, "id", &id));
    g_assert_null(removed);
    removed = g_strdup(id);
    vmm_msg_free(event);
}

static VmmMsg *
params(const char *key, const char *value, int slot)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    if (key)
        vmm_msg_put_string(msg, key, value);
    if (slot >= 0)
        vmm_msg_put_u64(msg, "slot", slot);
    return msg;
}

static VmmMsg *
rng_params(unsigned function)
{
    VmmMsg *msg = params("device", "rng", 0);

    vmm_msg_put_string(msg, "bus", "pcie-root-port");
    vmm_msg_put_u64(msg, "function", function);
    return msg;
}

static Device *
add_rng(Fixture *f)
{
    return test_board_add(f->test, &virtio_pci_class, rng_params(0));
}

static Fixture
set_up(void)
{
    Fixture f = { .test = test_board_new(loop_new()) };

    f.test->board.memory = memory_new(16 * MIB, NULL);
    f.test->board.notify = notify;
    f.host = test_board_add(f.test, &pci_host_class, NULL);
    f.port = test_board_add(f.test, &root_port_class, params(NULL, NULL, 2));
    return f;
}

static void
tear_down(Fixture *f)
{
    Loop *loop = f->test->board.loop;

    device_free(f->dev);
    device_free(f->port);
    device_free(f->host);
    test_board_free(f->test);
    loop_free(loop);
    g_clear_pointer(&removed, g_free);
}

static void
boot(Fixture *f)
{
    pci_host_set_ecam(f->test->board.pci, ECAM);
    pci_assign(f->test->board.pci, 0xc0000000, ECAM, 0x1000);
    f->test->board.hot = true;
}

static uint32_t
get(Fixture *f, unsigned offset, unsigned size)
{
    return config_read(f->test, 0, PORT, offset, size);
}

static void
set(Fixture *f, unsigned offset, unsigned size, uint32_t value)
{
    config_write(f->test, 0, PORT, offset, size, value);
}

/* As a driver does: messages, and the events that it wants to hear of. */
static void
listen(Fixture *f, uint32_t power)
{
    uint64_t table = get(f, 0x10, 4);
    unsigned msix = get(f, 0x34, 1);

    set(f, 4, 2, 6);
    mmio_write(f->test, table, 8, 0xfee00000);
    mmio_write(f->test, table + 8, 4, MSI);
    mmio_write(f->test, table + 12, 4, 0);
    set(f, msix + 2, 2, 0x8000);
    set(f, CONTROL, 2, LISTENS | power);
    set(f, STATUS, 2, 0xffff);
    test_board_take_msi(f->test, MSI);
}

static void
test_identity(void)
{
    Fixture f = set_up();

    g_assert_cmphex(get(&f, 0, 4), ==, 0x000c1b36);
    g_assert_cmphex(get(&f, 8, 4) >> 8, ==, 0x060400);
    g_assert_cmphex(get(&f, 0xe, 1), ==, 1);
    g_assert_cmphex(get(&f, EXPRESS, 1), ==, 0x10);
    g_assert_cmphex(get(&f, EXPRESS + 2, 2), ==, 0x0142);
    g_assert_cmphex(get(&f, EXPRESS + 0x0c, 4) >> 24, ==, PORT);
    g_assert_cmphex(get(&f, EXPRESS + 0x14, 4) >> 19, ==, PORT);
    g_assert_cmphex(get(&f, STATUS, 2), ==, 0);
    g_assert_cmphex(get(&f, CONTROL, 2) & 0x400, ==, 0x400);
    g_assert_cmphex(get(&f, LINK, 2), ==, 0x11);
    tear_down(&f);
}

static void
test_number(void)
{
    Fixture f = set_up();
    VmmMsg *said = params(NULL, NULL, 3);
    vmm_msg_auto beyond = params(NULL, NULL, 4);
    VmmError err;

    vmm_msg_put_u64(said, "port", 0xff);
    f.dev = test_board_add(f.test, &root_port_class, said);
    g_assert_cmphex(config_read(f.test, 0, 3 << 3, EXPRESS + 0x0c, 4), ==, 0xff100011);
    g_assert_cmphex(config_read(f.test, 0, 3 << 3, EXPRESS + 0x14, 4) >> 19, ==, 3 << 3);
    vmm_msg_put_u64(beyond, "port", 0x100);
    g_assert_null(device_new(&root_port_class, &f.test->board, "x", beyond, &err));
    g_assert_cmpstr(err.text, ==, "The port of device 'x' is greater than 255");
    tear_down(&f);
}

static void
test_assign(void)
{
    Fixture f = set_up();

    f.dev = add_rng(&f);
    boot(&f);
    g_assert_cmphex(get(&f, 0x18, 4), ==, 0x00010100);
    g_assert_cmphex(config_read(f.test, 1, 0, 0, 4), ==, 0x10441af4);
    g_assert_cmphex(config_read(f.test, 1, 8, 0, 4), ==, ~0u);
    g_assert_cmphex(config_read(f.test, 1, 0, 0x14, 4), ==, 0xc0200000);
    g_assert_cmphex(config_read(f.test, 1, 0, 0x20, 4), ==, 0xc020400c);
    g_assert_cmphex(get(&f, 0x20, 4), ==, 0xc030c020);
    g_assert_cmphex(get(&f, 0x24, 4), ==, 0xc051c041);
    g_assert_cmphex(mmio_read(f.test, ECAM + MIB, 4), ==, 0x10441af4);
    g_assert_cmphex(mmio_read(f.test, 0xc0204012, 2), ==, 1); /* its number of queues */
    tear_down(&f);
}

/* What is behind the port answers where its windows let it. */
static void
test_windows(void)
{
    Fixture f = set_up();
    const uint64_t at = 0xc0204012;

    f.dev = add_rng(&f);
    boot(&f);
    set(&f, 4, 2, 0);
    g_assert_cmphex(mmio_read(f.test, at, 2), ==, 0xffff);
    set(&f, 4, 2, 2);
    g_assert_cmphex(mmio_read(f.test, at, 2), ==, 1);
    set(&f, 0x20, 4, 0xc050c040);
    g_assert_cmphex(mmio_read(f.test, at, 2), ==, 0xffff);
    set(&f, 0x24, 4, 0xc031c031);
    g_assert_cmphex(mmio_read(f.test, at, 2), ==, 0xffff);
    set(&f, 0x24, 4, 0xc021c011);
    g_assert_cmphex(mmio_read(f.test, at, 2), ==, 1);
    set(&f, 0x18, 4, 0x00050300);
    g_assert_cmphex(config_read(f.test, 1, 0, 0, 4), ==, ~0u);
    g_assert_cmphex(config_read(f.test, 3, 0, 0, 4), ==, 0x10441af4);
    set(&f, 0x18, 4, 0x00000000); /* its own bus: no circle */
    g_assert_cmphex(config_read(f.test, 0, 0, 0, 4), ==, 0x29c08086);
    g_assert_cmphex(config_read(f.test, 5, 0, 0, 4), ==, ~0u);
    tear_down(&f);
}

static void
test_plug(void)
{
    Fixture f = set_up();

    boot(&f);
    listen(&f, OFF);
    f.dev = add_rng(&f);
    g_assert_cmphex(get(&f, STATUS, 2), ==, PRESENT | PRESENCE | LINK_CHANGED);
    g_assert_cmphex(get(&f, LINK, 2), ==, 0x2011);
    g_assert_cmpuint(test_board_take_msi(f.test, MSI), ==, 1);
    set(&f, STATUS, 2, PRESENCE);
    g_assert_cmphex(get(&f, STATUS, 2), ==, PRESENT | LINK_CHANGED);
    set(&f, STATUS, 2, LINK_CHANGED);
    g_assert_cmphex(get(&f, STATUS, 2), ==, PRESENT);
    g_assert_cmpuint(test_board_take_msi(f.test, MSI), ==, 0);
    set(&f, CONTROL, 2, LISTENS | ON);
    g_assert_cmphex(config_read(f.test, 1, 0, 0, 4), ==, 0x10441af4);
    g_assert_null(removed);
    tear_down(&f);
}

static void
test_eject(void)
{
    Fixture f = set_up();
    VmmError err;

    f.dev = add_rng(&f);
    boot(&f);
    g_assert_false(f.dev->class->eject(f.dev, &err));
    g_assert_cmpstr(err.text, ==,
                    "Device 'virtio-pci': the guest does not listen to the slot's button yet");
    listen(&f, ON);
    g_assert_true(f.dev->class->eject(f.dev, &err));
    g_assert_cmphex(get(&f, STATUS, 2), ==, PRESENT | BUTTON);
    g_assert_cmpuint(test_board_take_msi(f.test, MSI), ==, 1);
    set(&f, STATUS, 2, BUTTON);
    set(&f, CONTROL, 2, LISTENS | 0x200); /* the indicator blinks */
    g_assert_null(removed);
    set(&f, CONTROL, 2, LISTENS | OFF);
    g_assert_cmpstr(removed, ==, "virtio-pci");
    g_assert_cmphex(get(&f, STATUS, 2), ==, PRESENCE | LINK_CHANGED);
    g_assert_cmpuint(test_board_take_msi(f.test, MSI), ==, 1);
    set(&f, CONTROL, 2, LISTENS | OFF);
    device_free(f.dev);
    f.dev = NULL;
    g_assert_cmphex(config_read(f.test, 1, 0, 0, 4), ==, ~0u);
    f.dev = add_rng(&f);
    g_assert_cmphex(get(&f, STATUS, 2) & PRESENT, ==, PRESENT);
    tear_down(&f);
}

/* What is behind the port is found by its function 0, which is the last to come; one by one they do not leave. */
static void
test_functions(void)
{
    Fixture f = set_up();
    vmm_msg_auto late = rng_params(2);
    Device *first;
    VmmError err;

    boot(&f);
    listen(&f, OFF);
    first = test_board_add(f.test, &virtio_pci_class, rng_params(1));
    g_assert_cmphex(get(&f, STATUS, 2), ==, 0);
    g_assert_cmpuint(test_board_take_msi(f.test, MSI), ==, 0);
    f.dev = add_rng(&f);
    g_assert_cmphex(get(&f, STATUS, 2), ==, PRESENT | PRESENCE | LINK_CHANGED);
    g_assert_cmpuint(test_board_take_msi(f.test, MSI), ==, 1);
    set(&f, CONTROL, 2, LISTENS | ON);
    g_assert_cmphex(config_read(f.test, 1, 0, 0xe, 1), ==, 0x80);
    g_assert_null(device_new(&virtio_pci_class, &f.test->board, "x", late, &err));
    g_assert_cmpstr(err.text, ==,
                    "Device 'x': device 'virtio-pci' is in slot 0 of bus 'pcie-root-port' already, and a running guest does "
                    "not look for other functions of it");
    g_assert_false(first->class->eject(first, &err));
    g_assert_cmpstr(err.text, ==,
                    "Device 'virtio-pci' shares the slot of PCI bus 'pcie-root-port' with others, which would go with it");
    g_assert_cmphex(get(&f, STATUS, 2) & BUTTON, ==, 0);
    g_assert_null(removed);
    device_free(f.dev);
    f.dev = NULL;
    g_assert_cmphex(get(&f, STATUS, 2) & PRESENT, ==, 0);
    device_free(first);
    tear_down(&f);
}

/* Without messages the events are a level on the port's pin. */
static void
test_pin(void)
{
    Fixture f = set_up();
    const unsigned gsi = 16 + 2;

    boot(&f);
    set(&f, CONTROL, 2, LISTENS | OFF);
    f.dev = add_rng(&f);
    g_assert_true(f.test->level[gsi]);
    set(&f, STATUS, 2, PRESENCE);
    g_assert_true(f.test->level[gsi]);
    set(&f, STATUS, 2, LINK_CHANGED);
    g_assert_false(f.test->level[gsi]);
    tear_down(&f);
}

/* Who gets messages gets no level any more. */
static void
test_pin_goes(void)
{
    Fixture f = set_up();
    const unsigned gsi = 16 + 2;
    unsigned msix = get(&f, 0x34, 1);

    boot(&f);
    set(&f, CONTROL, 2, LISTENS | OFF);
    f.dev = add_rng(&f);
    g_assert_true(f.test->level[gsi]);
    set(&f, msix + 2, 2, 0x8000);
    g_assert_false(f.test->level[gsi]);
    set(&f, msix + 2, 2, 0);
    g_assert_true(f.test->level[gsi]);
    tear_down(&f);
}

static void
test_reset(void)
{
    Fixture f = set_up();

    boot(&f);
    listen(&f, OFF);
    f.dev = add_rng(&f);
    f.port->class->reset(f.port);
    g_assert_cmphex(get(&f, STATUS, 2), ==, PRESENT);
    g_assert_cmphex(get(&f, CONTROL, 2), ==, 0x1c0);
    g_assert_cmphex(get(&f, 0x18, 4), ==, 0);
    set(&f, CONTROL, 2, 0x5c0); /* power alone is not all that says that the device may be taken out */
    g_assert_null(removed);
    set(&f, CONTROL, 2, OFF);
    g_assert_cmpstr(removed, ==, "virtio-pci");
    tear_down(&f);
}

static void
test_refused(void)
{
    Fixture f = set_up();
    vmm_msg_auto root = params("device", "rng", -1);
    vmm_msg_auto second = params("device", "rng", 1);
    VmmError err;

    boot(&f);
    g_assert_null(device_new(&virtio_pci_class, &f.test->board, "x", root, &err));
    g_assert_cmpstr(err.text, ==,
                    "Device 'x': nothing is plugged into PCI bus 'pcie.0' while the guest runs");
    vmm_msg_put_string(second, "bus", "pcie-root-port");
    g_assert_null(device_new(&virtio_pci_class, &f.test->board, "x", second, &err));
    g_assert_cmpstr(err.text, ==, "Device 'x': bus 'pcie-root-port' has no slot 1.0");
    g_assert_cmphex(get(&f, STATUS, 2), ==, 0);
    tear_down(&f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/root-port/identity", test_identity);
    g_test_add_func("/root-port/number", test_number);
    g_test_add_func("/root-port/assign", test_assign);
    g_test_add_func("/root-port/windows", test_windows);
    g_test_add_func("/root-port/plug", test_plug);
    g_test_add_func("/root-port/eject", test_eject);
    g_test_add_func("/root-port/functions", test_functions);
    g_test_add_func("/root-port/pin", test_pin);
    g_test_add_func("/root-port/pin-goes", test_pin_goes);
    g_test_add_func("/root-port/reset", test_reset);
    g_test_add_func("/root-port/refused", test_refused);
    return g_test_run();
}
