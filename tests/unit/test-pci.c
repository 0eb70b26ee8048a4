/* The PCI tree behind its host bridge: configuration space, BARs, vectors and pins. The tables that tell of it: test-pci-acpi. */
#include "qemu-kvm-backend/pci.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/pci-host.h"
#include "qemu-kvm-backend/pci-assign.h"
#include "qemu-kvm-backend/pci-msix.h"
#include "tests/unit/test-board.h"

#include <glib.h>

#define MIB     ((uint64_t)1 << 20)
#define ECAM    0xe0000000ull
#define DEVFN   (3u << 3) /* of the first probe */
#define VECTORS 3
#define MSIX_AT 0x80 /* a probe's capability is the second one */

/* A function with one BAR of each kind, whose registers say which they are. */
typedef struct Probe {
    PciFunction fn;
    PciMsix *msix;
    unsigned n_moves;
} Probe;

static uint64_t
read_small(Device *dev, uint64_t offset, unsigned size)
{
    return 0x5000 + offset;
}

static uint64_t
read_large(Device *dev, uint64_t offset, unsigned size)
{
    return 0x7000 + offset;
}

static uint64_t
read_port(Device *dev, uint64_t offset, unsigned size)
{
    return 0x30 + offset;
}

static const BusOps small_ops = { read_small, NULL, false };
static const BusOps large_ops = { read_large, NULL, false };
static const BusOps port_ops = { read_port, NULL, false };

static void
probe_written(PciFunction *fn, unsigned offset, unsigned size)
{
    pci_msix_config_written(((Probe *)fn)->msix, offset, size);
}

static void
probe_moved(PciFunction *fn, unsigned bar)
{
    ((Probe *)fn)->n_moves++;
}

static const PciOps probe_ops = { .config_written = probe_written, .bar_moved = probe_moved };

static bool
probe_create(Device *dev, VmmMsg *params, VmmError *err)
{
    static const PciIdentity identity = { 0x1234, 0x5678, 9, 0x020304 };
    Probe *probe = (Probe *)dev;

    pci_init(&probe->fn, &identity, &probe_ops);
    pci_add_pin(&probe->fn);
    pci_add_bar(&probe->fn, 0, 0x1000, 0, &small_ops);
    pci_add_bar(&probe->fn, 2, 0x4000, PCI_BAR_64 | PCI_BAR_PREFETCH, &large_ops);
    pci_add_bar(&probe->fn, 4, 0x20, PCI_BAR_IO, &port_ops);
    g_assert_cmphex(pci_add_capability(&probe->fn, 0x09, 0x40), ==, 0x40);
    probe->msix = pci_msix_new(&probe->fn, 5, VECTORS, err);
    return probe->msix && pci_plug(&probe->fn, params, err);
}

static void
probe_reset(Device *dev)
{
    pci_msix_reset(((Probe *)dev)->msix);
    pci_reset((PciFunction *)dev);
}

static void
probe_destroy(Device *dev)
{
    pci_unplug((PciFunction *)dev);
    pci_msix_free(((Probe *)dev)->msix);
}

static const DeviceClass probe_class = {
    .name = "probe",
    .size = sizeof(Probe),
    .create = probe_create,
    .reset = probe_reset,
    .destroy = probe_destroy,
};

typedef struct Fixture {
    TestBoard *test;
    Device *host;
    Probe *probe, *other;
} Fixture;

static VmmMsg *
place(uint64_t slot, uint64_t function)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_u64(params, "slot", slot);
    vmm_msg_put_u64(params, "function", function);
    return params;
}

static Fixture
set_up(void)
{
    Fixture f = { .test = test_board_new(NULL) };

    f.test->board.memory = memory_new(16 * MIB, NULL);
    f.host = test_board_add(f.test, &pci_host_class, NULL);
    f.probe = (Probe *)test_board_add(f.test, &probe_class, place(3, 0));
    return f;
}

static void
tear_down(Fixture *f)
{
    if (f->other)
        device_free(&f->other->fn.dev);
    device_free(&f->probe->fn.dev);
    device_free(f->host);
    test_board_free(f->test);
}

static uint32_t
get(Fixture *f, unsigned offset, unsigned size)
{
    return config_read(f->test, 0, DEVFN, offset, size);
}

static void
set(Fixture *f, unsigned offset, unsigned size, uint32_t value)
{
    config_write(f->test, 0, DEVFN, offset, size, value);
}

static void
test_identity(void)
{
    Fixture f = set_up();

    g_assert_cmphex(get(&f, 0, 4), ==, 0x56781234);
    g_assert_cmphex(get(&f, 8, 4), ==, 0x02030409);
    g_assert_cmphex(get(&f, 0x2c, 4), ==, 0x11001af4);
    g_assert_cmphex(get(&f, 0x3c, 2), ==, 0x0100);
    g_assert_cmphex(get(&f, 6, 2), ==, 0x0010);
    set(&f, 0, 4, 0);
    set(&f, 8, 4, 0);
    set(&f, 0x2c, 4, 0);
    g_assert_cmphex(get(&f, 0, 4), ==, 0x56781234);
    g_assert_cmphex(get(&f, 0x2c, 4), ==, 0x11001af4);
    set(&f, 0x3c, 4, ~0u);
    g_assert_cmphex(get(&f, 0x3c, 4), ==, 0x000001ff);
    g_assert_cmphex(config_read(f.test, 0, 0, 0, 4), ==, 0x29c08086);
    g_assert_cmphex(config_read(f.test, 0, 0, 0x2c, 4), ==, 0x11001af4);
    g_assert_cmphex(config_read(f.test, 0, 1 << 3, 0, 4), ==, ~0u);
    g_assert_cmphex(config_read(f.test, 1, DEVFN, 0, 4), ==, ~0u);
    config_write(f.test, 7, DEVFN, 4, 4, ~0u);
    tear_down(&f);
}

/* The ports of configuration mechanism 1, of which 0xcf9 is somebody else's. */
static void
test_ports(void)
{
    Fixture f = set_up();
    Device *reset = test_board_add(f.test, &reset_control_class, NULL);

    out32(f.test, 0xcf8, 0x80001802);
    g_assert_cmphex(in32(f.test, 0xcf8), ==, 0x80001800);
    g_assert_cmphex(in16(f.test, 0xcfe), ==, 0x5678);
    g_assert_cmphex(in8(f.test, 0xcfd), ==, 0x12);
    g_assert_cmpuint(f.test->n_requests, ==, 0);
    out8(f.test, 0xcf8, 0);
    out16(f.test, 0xcf8, 0);
    g_assert_cmphex(in32(f.test, 0xcf8), ==, 0x80001800);
    out8(f.test, 0xcf9, 2);
    g_assert_cmphex(in8(f.test, 0xcf9), ==, 2);
    g_assert_cmphex(in32(f.test, 0xcf8), ==, 0x80001800);
    out32(f.test, 0xcf8, 0x00001800);
    g_assert_cmphex(in32(f.test, 0xcfc), ==, ~0u);
    device_free(reset);
    tear_down(&f);
}

static void
test_ecam(void)
{
    Fixture f = set_up();
    uint64_t at = ECAM + (DEVFN << 12);

    g_assert_cmphex(mmio_read(f.test, at, 4), ==, ~0u);
    config_write(f.test, 0, 0, 0x64, 4, 0);
    config_write(f.test, 0, 0, 0x60, 4, ECAM | 1);
    g_assert_cmphex(mmio_read(f.test, at, 4), ==, 0x56781234);
    g_assert_cmphex(mmio_read(f.test, at, 8), ==, 0x0010000056781234);
    g_assert_cmphex(mmio_read(f.test, at + 2, 1), ==, 0x78);
    g_assert_cmphex(mmio_read(f.test, at + 0x100, 4), ==, 0);
    g_assert_cmphex(mmio_read(f.test, at + 0xffc, 4), ==, 0);
    g_assert_cmphex(mmio_read(f.test, ECAM + (1 << 20), 4), ==, ~0u);
    mmio_write(f.test, at + 0x3c, 1, 11);
    g_assert_cmphex(get(&f, 0x3c, 1), ==, 11);
    mmio_write(f.test, at + 0x200, 4, ~0u);
    /* As SeaBIOS does it. */
    config_write(f.test, 0, 0, 0x60, 4, 0xb0000001);
    g_assert_cmphex(mmio_read(f.test, at, 4), ==, ~0u);
    g_assert_cmphex(mmio_read(f.test, 0xb0000000 + (DEVFN << 12), 4), ==, 0x56781234);
    /* When the machine wakes, it is where it was, and SeaBIOS opens it anew, through itself. */
    f.host->class->wake(f.host);
    g_assert_cmphex(config_read(f.test, 0, 0, 0x60, 4), ==, 0xb0000001);
    mmio_write(f.test, 0xb0000060, 4, 0);
    mmio_write(f.test, 0xb0000064, 4, 0);
    mmio_write(f.test, 0xb0000060, 4, 0xb0000001);
    g_assert_cmphex(mmio_read(f.test, 0xb0000060, 4), ==, 0xb0000001);
    /* Through the window itself, to half the size. */
    mmio_write(f.test, 0xb0000060, 4, 0xc0000003);
    g_assert_cmphex(mmio_read(f.test, 0xc0000000, 4), ==, 0x29c08086);
    g_assert_cmphex(mmio_read(f.test, 0xc0000000 + (127 << 20), 4), ==, ~0u);
    f.host->class->reset(f.host);
    g_assert_cmphex(mmio_read(f.test, 0xc0000000, 4), ==, ~0u);
    tear_down(&f);
}

/* PAM and SMRAM hold what firmware writes, until it locks them. */
static void
test_chipset_registers(void)
{
    Fixture f = set_up();

    config_write(f.test, 0, 0, 0x90, 1, 0x30);
    config_write(f.test, 0, 0, 0x91, 1, 0x33);
    g_assert_cmphex(config_read(f.test, 0, 0, 0x90, 2), ==, 0x3330);
    g_assert_cmphex(config_read(f.test, 0, 0, 0x9d, 1), ==, 0x02);
    config_write(f.test, 0, 0, 0x9d, 1, 0x4a);
    g_assert_cmphex(config_read(f.test, 0, 0, 0x9d, 1), ==, 0x4a);
    config_write(f.test, 0, 0, 0x9d, 1, 0x1a);
    config_write(f.test, 0, 0, 0x9d, 1, 0x4a);
    g_assert_cmphex(config_read(f.test, 0, 0, 0x9d, 1), ==, 0x1a);
    f.host->class->reset(f.host);
    config_write(f.test, 0, 0, 0x9d, 1, 0x4a);
    g_assert_cmphex(config_read(f.test, 0, 0, 0x9d, 1), ==, 0x4a);
    tear_down(&f);
}

static void
test_lpc(void)
{
    Fixture f = set_up();
    Device *lpc = test_board_add(f.test, &lpc_class, NULL);
    unsigned devfn = 31 << 3;

    g_assert_cmphex(config_read(f.test, 0, devfn, 0, 4), ==, 0x29188086);
    g_assert_cmphex(config_read(f.test, 0, devfn, 8, 4) >> 8, ==, 0x060100);
    g_assert_cmphex(config_read(f.test, 0, devfn, 0x40, 4), ==, 0x601);
    g_assert_cmphex(config_read(f.test, 0, devfn, 0x60, 4), ==, 0x80808080);
    config_write(f.test, 0, devfn, 0x60, 1, 0x0b);
    g_assert_cmphex(config_read(f.test, 0, devfn, 0x60, 4), ==, 0x8080800b);
    lpc->class->reset(lpc);
    g_assert_cmphex(config_read(f.test, 0, devfn, 0x60, 4), ==, 0x80808080);
    device_free(lpc);
    tear_down(&f);
}

/* Lines of PCI at the PICs: PIRQx_ROUT. The probe's pin, at slot 3, is line D's, one at slot 4 line E's. */
static void
test_lpc_routes(void)
{
    static const unsigned reserved[] = { 0, 1, 2, 8, 13 };
    Fixture f = set_up();
    Device *lpc = test_board_add(f.test, &lpc_class, NULL);
    unsigned devfn = 31 << 3;

    f.other = (Probe *)test_board_add(f.test, &probe_class, place(4, 0));
    lpc->class->reset(lpc);
    pci_set_intx(&f.probe->fn, true);
    g_assert_true(f.test->level[16 + 3]);
    g_assert_false(f.test->level[11]);
    config_write(f.test, 0, devfn, 0x60, 4, 0x0b80800a); /* one that is up already */
    g_assert_true(f.test->level[11]);
    g_assert_true(f.test->level[16 + 3]);
    config_write(f.test, 0, devfn, 0x68, 1, 0x0b); /* shared by two lines */
    pci_set_intx(&f.other->fn, true);
    pci_set_intx(&f.probe->fn, false);
    g_assert_true(f.test->level[11]);
    config_write(f.test, 0, devfn, 0x68, 1, 0x05);
    g_assert_false(f.test->level[11]);
    g_assert_true(f.test->level[5]);
    config_write(f.test, 0, devfn, 0x68, 1, 0x85);
    g_assert_false(f.test->level[5]);
    g_assert_true(f.test->level[16 + 4]);
    for (size_t i = 0; i < G_N_ELEMENTS(reserved); i++) {
        config_write(f.test, 0, devfn, 0x68, 1, reserved[i]);
        g_assert_false(f.test->level[reserved[i]]);
    }
    config_write(f.test, 0, devfn, 0x68, 1, 0x09);
    g_assert_true(f.test->level[9]);
    lpc->class->reset(lpc);
    g_assert_false(f.test->level[9]);
    pci_set_intx(&f.other->fn, false);
    device_free(lpc);
    tear_down(&f);
}

static void
test_bar_sizes(void)
{
    Fixture f = set_up();

    for (unsigned offset = 0x10; offset < 0x28; offset += 4)
        set(&f, offset, 4, ~0u);
    g_assert_cmphex(get(&f, 0x10, 4), ==, 0xfffff000);
    g_assert_cmphex(get(&f, 0x14, 4), ==, 0);
    g_assert_cmphex(get(&f, 0x18, 4), ==, 0xffffc00c);
    g_assert_cmphex(get(&f, 0x1c, 4), ==, 0xffffffff);
    g_assert_cmphex(get(&f, 0x20, 4), ==, 0x0000ffe1);
    g_assert_cmphex(get(&f, 0x24, 4), ==, 0xfffff000);
    set(&f, 4, 2, 7); /* decoding what is there while sizing is nowhere */
    g_assert_cmpuint(f.probe->n_moves, ==, 0);
    tear_down(&f);
}

static void
test_bar_moves(void)
{
    Fixture f = set_up();

    set(&f, 0x10, 4, 0xc0000000);
    set(&f, 0x18, 4, 0x40000000);
    set(&f, 0x1c, 4, 0x12);
    set(&f, 0x20, 4, 0xc000);
    g_assert_cmphex(mmio_read(f.test, 0xc0000004, 4), ==, ~0u);
    set(&f, 4, 2, 2);
    g_assert_cmphex(mmio_read(f.test, 0xc0000004, 4), ==, 0x5004);
    g_assert_cmphex(mmio_read(f.test, 0x1240000010, 4), ==, 0x7010);
    g_assert_cmphex(in8(f.test, 0xc001), ==, 0xff);
    set(&f, 4, 2, 3);
    g_assert_cmphex(in8(f.test, 0xc001), ==, 0x31);
    set(&f, 0x10, 4, 0xc0010000);
    g_assert_cmphex(mmio_read(f.test, 0xc0000004, 4), ==, ~0u);
    g_assert_cmphex(mmio_read(f.test, 0xc0010004, 4), ==, 0x5004);
    set(&f, 4, 2, 0);
    g_assert_cmphex(mmio_read(f.test, 0xc0010004, 4), ==, ~0u);
    g_assert_cmphex(in8(f.test, 0xc001), ==, 0xff);
    set(&f, 4, 2, 2);
    f.probe->fn.dev.class->reset(&f.probe->fn.dev);
    g_assert_cmphex(mmio_read(f.test, 0xc0010004, 4), ==, ~0u);
    g_assert_cmphex(get(&f, 0x10, 4), ==, 0);
    g_assert_cmphex(get(&f, 0x18, 4), ==, 0xc);
    tear_down(&f);
}

/* Who comes first keeps an address; the other one has it when it is free. */
static void
test_bar_overlap(void)
{
    Fixture f = set_up();
    unsigned other = 4 << 3;

    f.other = (Probe *)test_board_add(f.test, &probe_class, place(4, 0));
    config_write(f.test, 0, 0, 0x60, 4, ECAM | 1);
    set(&f, 0x10, 4, 0xc0000000);
    set(&f, 4, 2, 2);
    config_write(f.test, 0, other, 0x18, 4, 0xc0000000);
    config_write(f.test, 0, other, 4, 2, 2);
    g_assert_cmphex(mmio_read(f.test, 0xc0000000, 4), ==, 0x5000);
    g_assert_cmphex(mmio_read(f.test, 0xc0001000, 4), ==, ~0u);
    set(&f, 0x10, 4, ECAM);
    g_assert_cmphex(mmio_read(f.test, 0xc0001000, 4), ==, 0x8000);
    g_assert_cmphex(mmio_read(f.test, ECAM, 4), ==, 0x29c08086);
    /* They change places in one go each. */
    config_write(f.test, 0, other, 0x18, 4, 0xd0000000);
    set(&f, 0x10, 4, 0xc0000000);
    g_assert_cmphex(mmio_read(f.test, 0xc0000000, 4), ==, 0x5000);
    g_assert_cmphex(mmio_read(f.test, 0xd0000000, 4), ==, 0x7000);
    device_free(&f.probe->fn.dev);
    config_write(f.test, 0, other, 0x18, 4, 0xc0000000);
    g_assert_cmphex(mmio_read(f.test, 0xc0000000, 4), ==, 0x7000);
    f.probe = f.other;
    f.other = NULL;
    tear_down(&f);
}

static void
test_functions(void)
{
    Fixture f = set_up();
    vmm_msg_auto taken = place(3, 0);
    vmm_msg_auto beyond = place(32, 0);
    VmmError err;

    g_assert_cmphex(get(&f, 0xe, 1), ==, 0);
    f.other = (Probe *)test_board_add(f.test, &probe_class, place(3, 5));
    g_assert_cmphex(get(&f, 0xe, 1), ==, 0x80);
    g_assert_cmphex(config_read(f.test, 0, DEVFN + 5, 0, 4), ==, 0x56781234);
    device_free(&f.other->fn.dev);
    f.other = NULL;
    g_assert_cmphex(get(&f, 0xe, 1), ==, 0);
    g_assert_null(device_new(&probe_class, &f.test->board, "second", taken, &err));
    g_assert_cmpstr(err.text, ==,
                    "Device 'second': slot 3.0 of bus 'pcie.0' is taken by device 'probe'");
    g_assert_null(device_new(&probe_class, &f.test->board, "second", beyond, &err));
    g_assert_cmpstr(err.text, ==, "Device 'second': there is no slot 32.0 on any PCI bus");
    tear_down(&f);
}

/* Levels of two functions on one line, and the bit that keeps one from it. */
static void
test_pins(void)
{
    Fixture f = set_up();
    const unsigned gsi = 16 + 3;

    f.other = (Probe *)test_board_add(f.test, &probe_class, place(11, 0));
    pci_set_intx(&f.probe->fn, true);
    pci_set_intx(&f.other->fn, true);
    g_assert_true(f.test->level[gsi]);
    g_assert_cmphex(get(&f, 6, 2), ==, 0x18);
    pci_set_intx(&f.probe->fn, false);
    g_assert_true(f.test->level[gsi]);
    g_assert_cmphex(get(&f, 6, 2), ==, 0x10);
    config_write(f.test, 0, 11 << 3, 4, 2, 0x400);
    g_assert_false(f.test->level[gsi]);
    g_assert_cmphex(config_read(f.test, 0, 11 << 3, 6, 2), ==, 0x18);
    config_write(f.test, 0, 11 << 3, 4, 2, 0);
    g_assert_true(f.test->level[gsi]);
    f.other->fn.dev.class->reset(&f.other->fn.dev);
    g_assert_false(f.test->level[gsi]);
    pci_set_intx(&f.probe->fn, true);
    tear_down(&f);
}

static uint64_t
vector_at(unsigned i)
{
    return 0xc1000000 + i * 16;
}

static void
set_vector(Fixture *f, unsigned i, uint32_t data, bool masked)
{
    mmio_write(f->test, vector_at(i), 8, 0xfee01000);
    mmio_write(f->test, vector_at(i) + 8, 4, data);
    mmio_write(f->test, vector_at(i) + 12, 4, masked);
}

static void
test_msix(void)
{
    Fixture f = set_up();
    const uint64_t pending = 0xc1000000 + 0x800;

    g_assert_cmphex(get(&f, MSIX_AT, 1), ==, 0x11);
    g_assert_cmphex(get(&f, MSIX_AT + 2, 2), ==, VECTORS - 1);
    g_assert_cmphex(get(&f, MSIX_AT + 4, 4), ==, 5);
    g_assert_cmphex(get(&f, MSIX_AT + 8, 4), ==, 0x805);
    set(&f, 0x24, 4, 0xc1000000);
    set(&f, 4, 2, 6);
    g_assert_cmphex(mmio_read(f.test, vector_at(1) + 12, 4), ==, 1);
    set_vector(&f, 1, 0x41, false);
    g_assert_cmphex(mmio_read(f.test, vector_at(1), 8), ==, 0xfee01000);
    g_assert_false(pci_msix_is_enabled(f.probe->msix));
    pci_msix_raise(f.probe->msix, 1);
    g_assert_cmphex(mmio_read(f.test, pending, 8), ==, 2);
    set(&f, MSIX_AT + 2, 2, 0x8000);
    g_assert_true(pci_msix_is_enabled(f.probe->msix));
    g_assert_cmpuint(test_board_take_msi(f.test, 0x41), ==, 1);
    pci_msix_raise(f.probe->msix, 1);
    pci_msix_raise(f.probe->msix, 1);
    g_assert_cmphex(mmio_read(f.test, pending, 4), ==, 0);
    g_assert_cmpuint(test_board_take_msi(f.test, 0x41), ==, 2);

    /* Masked vectors are pending until they are not. */
    set_vector(&f, 1, 0x42, true);
    pci_msix_raise(f.probe->msix, 1);
    g_assert_cmpuint(test_board_take_msi(f.test, 0x42), ==, 0);
    g_assert_cmphex(mmio_read(f.test, pending, 4), ==, 2);
    set_vector(&f, 1, 0x42, false);
    g_assert_cmphex(mmio_read(f.test, pending, 4), ==, 0);
    g_assert_cmpuint(test_board_take_msi(f.test, 0x42), ==, 1);
    set(&f, MSIX_AT + 2, 2, 0xc000);
    pci_msix_raise(f.probe->msix, 1);
    g_assert_cmphex(mmio_read(f.test, pending, 4), ==, 2);
    set(&f, MSIX_AT + 2, 2, 0x8000);
    g_assert_cmpuint(test_board_take_msi(f.test, 0x42), ==, 1);

    /* A reset forgets. */
    set_vector(&f, 1, 0x42, true);
    pci_msix_raise(f.probe->msix, 1);
    f.probe->fn.dev.class->reset(&f.probe->fn.dev);
    g_assert_false(pci_msix_is_enabled(f.probe->msix));
    set(&f, 0x24, 4, 0xc1000000);
    set(&f, 4, 2, 6);
    g_assert_cmphex(mmio_read(f.test, pending, 4), ==, 0);
    tear_down(&f);
}

/* Outside of the table, in other widths, with vectors that are not there. */
static void
test_msix_bounds(void)
{
    Fixture f = set_up();

    set(&f, 0x24, 4, 0xc1000000);
    set(&f, 4, 2, 6);
    set(&f, MSIX_AT + 2, 2, 0xffff);
    g_assert_cmphex(get(&f, MSIX_AT + 2, 2), ==, 0xc000 | (VECTORS - 1));
    for (unsigned offset = 0; offset < 0x1000; offset += 4)
        mmio_write(f.test, 0xc1000000 + offset, 4, ~0u);
    for (unsigned offset = 0; offset < 0x1000; offset += 3)
        mmio_write(f.test, 0xc1000000 + offset, 1 << offset % 4, ~0ull);
    g_assert_cmphex(mmio_read(f.test, vector_at(0) + 12, 4), ==, 1);
    g_assert_cmphex(mmio_read(f.test, vector_at(VECTORS), 4), ==, 0);
    g_assert_cmphex(mmio_read(f.test, vector_at(0), 2), ==, 0xffff);
    pci_msix_raise(f.probe->msix, VECTORS);
    pci_msix_raise(f.probe->msix, PCI_MSIX_NONE);
    g_assert_cmpuint(test_board_n_msis(f.test), ==, VECTORS);
    tear_down(&f);
}

static void
test_assign(void)
{
    Fixture f = set_up();

    pci_host_set_ecam(f.test->board.pci, ECAM);
    pci_assign(f.test->board.pci, 0xc0000000, ECAM, 0x1000);
    g_assert_cmphex(get(&f, 4, 2), ==, 3);
    g_assert_cmphex(get(&f, 0x10, 4), ==, 0xc0000000);
    g_assert_cmphex(get(&f, 0x18, 4), ==, 0xc000400c);
    g_assert_cmphex(get(&f, 0x20, 4), ==, 0x1001);
    g_assert_cmphex(get(&f, 0x24, 4), ==, 0xc0008000);
    g_assert_cmphex(mmio_read(f.test, 0xc0004000, 4), ==, 0x7000);
    g_assert_cmphex(mmio_read(f.test, ECAM, 4), ==, 0x29c08086);
    tear_down(&f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci/identity", test_identity);
    g_test_add_func("/pci/ports", test_ports);
    g_test_add_func("/pci/ecam", test_ecam);
    g_test_add_func("/pci/chipset-registers", test_chipset_registers);
    g_test_add_func("/pci/lpc", test_lpc);
    g_test_add_func("/pci/lpc-routes", test_lpc_routes);
    g_test_add_func("/pci/bar-sizes", test_bar_sizes);
    g_test_add_func("/pci/bar-moves", test_bar_moves);
    g_test_add_func("/pci/bar-overlap", test_bar_overlap);
    g_test_add_func("/pci/functions", test_functions);
    g_test_add_func("/pci/pins", test_pins);
    g_test_add_func("/pci/msix", test_msix);
    g_test_add_func("/pci/msix-bounds", test_msix_bounds);
    g_test_add_func("/pci/assign", test_assign);
    return g_test_run();
}
