/* Fuzz target: a guest that does anything to configuration space, by ports and by the window, to bridges, their
 * windows, BARs and slots, while devices are plugged in and out behind them.
 *
 * The input is a row of steps of eight bytes: what, where (three bytes), and a value of four. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/pci-host.h"
#include "qemu-kvm-backend/pci-assign.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/x86/aml.h"
#include "tests/unit/test-board.h"

#include <glib.h>
#include <string.h>

#define MEMORY    0x100000u
#define ECAM      0xe0000000ull
#define STEP      8
#define STEPS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In the order of their creation; those with a bus named by another one come after it. */
enum { HOST, LPC, PORT_A, PORT_B, PORT_C, CARD, CARD_A, CARD_C, N_DEVICES };

static const struct {
    const DeviceClass *class;
    const char *id, *bus;
} plan[N_DEVICES] = {
    [HOST] = { &pci_host_class, "host", NULL },
    [LPC] = { &lpc_class, "lpc", NULL },
    [PORT_A] = { &root_port_class, "a", "pcie.0" },
    [PORT_B] = { &root_port_class, "b", "pcie.0" },
    [PORT_C] = { &root_port_class, "c", "b" }, /* a bridge below a bridge */
    [CARD] = { &virtio_pci_class, "card", "pcie.0" },
    [CARD_A] = { &virtio_pci_class, "card-a", "a" },
    [CARD_C] = { &virtio_pci_class, "card-c", "c" },
};

typedef struct Fuzz {
    TestBoard *test;
    Device *devices[N_DEVICES];
    bool removed[N_DEVICES]; /* the guest has let go */
} Fuzz;

static Fuzz *current;

static void
notify(Board *board, VmmMsg *event)
{
    const char *id;

    g_assert_cmpstr(vmm_msg_name(event), ==, "device-removed");
    g_assert_true(vmm_msg_get_string(event, "id", &id));
    for (unsigned i = 0; i < N_DEVICES; i++)
        current->removed[i] |= strcmp(plan[i].id, id) == 0;
    vmm_msg_free(event);
}

static void
plug(Fuzz *fuzz, unsigned i)
{
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    Device *dev;
    VmmError err;

    if (fuzz->devices[i])
        return;
    if (plan[i].bus)
        vmm_msg_put_string(params, "bus", plan[i].bus);
    if (plan[i].class == &virtio_pci_class)
        vmm_msg_put_string(params, "device", "rng");
    dev = device_new(plan[i].class, &fuzz->test->board, plan[i].id, params, &err);
    g_assert_nonnull(dev);
    dev->class->reset(dev);
    if (dev->class->resume)
        dev->class->resume(dev);
    fuzz->devices[i] = dev;
    fuzz->removed[i] = false;
}

static void
unplug(Fuzz *fuzz, unsigned i)
{
    device_free(fuzz->devices[i]);
    fuzz->devices[i] = NULL;
}

/* What the machine does when it hears of it. */
static void
serve_removals(Fuzz *fuzz)
{
    for (unsigned i = N_DEVICES; i-- > 0;) {
        if (!fuzz->removed[i] || !fuzz->devices[i])
            continue;
        fuzz->removed[i] = false;
        if (fuzz->devices[i]->class->eject)
            unplug(fuzz, i);
    }
}

static void
host_step(Fuzz *fuzz, const uint8_t *step)
{
    unsigned i = step[1] % 2 ? CARD_A : CARD_C;
    VmmError err;

    switch (step[2] % 4) {
    case 0:
        plug(fuzz, i);
        break;
    case 1:
        if (fuzz->devices[i])
            fuzz->devices[i]->class->eject(fuzz->devices[i], &err);
        break;
    case 2:
        serve_removals(fuzz);
        break;
    case 3:
        test_board_settle(fuzz->test);
        break;
    }
}

/* The reset comes after the news (machine.c, read_mail). */
static void
reset(Fuzz *fuzz)
{
    serve_removals(fuzz);
    for (unsigned i = 0; i < N_DEVICES; i++) {
        if (fuzz->devices[i])
            fuzz->devices[i]->class->reset(fuzz->devices[i]);
    }
    pci_host_set_ecam(fuzz->test->board.pci, ECAM);
    pci_assign(fuzz->test->board.pci, 0xc0000000, ECAM, 0x1000);
}

static uint32_t
value_of(const uint8_t *step)
{
    return step[4] | step[5] << 8 | step[6] << 16 | (uint32_t)step[7] << 24;
}

/* Mostly where there is something. */
static unsigned
devfn_of(const uint8_t *step)
{
    static const uint8_t devfns[] = { 0, 0xf8, 8, 16, 24, 0, 0, 0 };

    return step[1] & 0x80 ? step[3] : devfns[step[1] & 7];
}

static void
config_step(Fuzz *fuzz, const uint8_t *step, bool write)
{
    unsigned width = 1u << (step[1] >> 3) % 3, bus = (step[1] >> 5) % 4;

    if (write)
        config_write(fuzz->test, bus, devfn_of(step), step[2] & ~(width - 1), width,
                     value_of(step));
    else
        config_read(fuzz->test, bus, devfn_of(step), step[2] & ~(width - 1), width);
}

static void
ecam_step(Fuzz *fuzz, const uint8_t *step, bool write)
{
    uint64_t base = ECAM, size;
    uint64_t at;

    pci_host_ecam(fuzz->test->board.pci, &base, &size);
    at = base + ((step[1] >> 5) % 4 << 20) + (devfn_of(step) << 12) + step[2] + (step[3] >> 4 << 8);
    if (write)
        mmio_write(fuzz->test, at, 1u << step[3] % 4, value_of(step) * 0x100000001ull);
    else
        mmio_read(fuzz->test, at, 1u << step[3] % 4);
}

/* Into the memory that functions get, in places of 2 KiB. */
static void
memory_step(Fuzz *fuzz, const uint8_t *step, bool write)
{
    uint64_t at = 0xc0000000 + (step[1] | step[2] << 8) * 0x800ull + step[3] * 4ull;

    if (write)
        mmio_write(fuzz->test, at, 4, value_of(step));
    else
        mmio_read(fuzz->test, at, 4);
}

static void
port_step(Fuzz *fuzz, const uint8_t *step)
{
    uint64_t value = value_of(step);

    bus_write(fuzz->test->board.pio, 0xcf4 + step[1] % 16, &value, 1u << step[2] % 3);
    bus_read(fuzz->test->board.pio, 0xcf4 + step[3] % 16, &value, 1u << step[2] % 3);
}

/* What firmware is told of where PCI is, as the guest has left it. */
static void
describe(Fuzz *fuzz)
{
    Aml *aml = aml_new();

    aml_open_scope(aml, "\\_SB");
    fuzz->devices[HOST]->class->describe(fuzz->devices[HOST], aml);
    aml_close(aml);
    aml_free(aml);
}

static void
take_step(Fuzz *fuzz, const uint8_t *step)
{
    switch (step[0] % 16) {
    case 0:
        config_step(fuzz, step, false);
        break;
    case 1 ... 5:
        config_step(fuzz, step, true);
        break;
    case 6:
    case 7:
        ecam_step(fuzz, step, step[0] & 1);
        break;
    case 8:
        memory_step(fuzz, step, false);
        break;
    case 9 ... 10:
        memory_step(fuzz, step, true);
        break;
    case 11:
        port_step(fuzz, step);
        break;
    case 12:
        if (step[1] < 32)
            reset(fuzz);
        else if (step[1] < 64)
            describe(fuzz);
        break;
    default:
        host_step(fuzz, step);
        break;
    }
}

/* However the guest has left it: after a reset all is where it was. */
static void
check_reset(Fuzz *fuzz)
{
    describe(fuzz);
    serve_removals(fuzz);
    plug(fuzz, CARD_A);
    plug(fuzz, CARD_C);
    reset(fuzz);
    g_assert_cmphex(config_read(fuzz->test, 0, 0, 0, 4), ==, 0x29c08086);
    g_assert_cmphex(config_read(fuzz->test, 1, 0, 0, 4), ==, 0x10441af4);
    g_assert_cmphex(config_read(fuzz->test, 3, 0, 0, 4), ==, 0x10441af4);
    g_assert_cmphex(mmio_read(fuzz->test, ECAM + (3 << 20), 4), ==, 0x10441af4);
    for (unsigned i = CARD; i < N_DEVICES; i++) {
        const PciFunction *fn = (PciFunction *)fuzz->devices[i];

        g_assert_true(fn->bars[1].mapped && fn->bars[4].mapped);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Fuzz fuzz = { .test = test_board_new(loop_new()) };
    Loop *loop = fuzz.test->board.loop;

    current = &fuzz;
    fuzz.test->board.memory = memory_new(MEMORY, NULL);
    fuzz.test->board.notify = notify;
    for (unsigned i = 0; i < N_DEVICES; i++)
        plug(&fuzz, i);
    reset(&fuzz);
    fuzz.test->board.hot = true;
    for (size_t at = 0; at + STEP <= size && at < STEPS_MAX * STEP; at += STEP)
        take_step(&fuzz, data + at);
    check_reset(&fuzz);
    for (unsigned i = N_DEVICES; i-- > 0;)
        unplug(&fuzz, i);
    test_board_free(fuzz.test);
    loop_free(loop);
    return 0;
}
