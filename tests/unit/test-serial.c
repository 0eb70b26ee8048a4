/* The 16550A as drivers use it: every interrupt edge counts, for the line is edge-triggered. */
#include "qemu-kvm-backend/chardev.h"
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/x86/aml.h"
#include "tests/unit/fake-alarm.h"
#include "tests/unit/test-board.h"

#include <glib.h>
#include <string.h>

#define COM1 0x3f8
#define IRQ  4

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR, FCR = IIR, EFR = IIR, DLL = DATA, DLM = IER };

/* The character device, with the test at its other end */

struct Chardev {
    ChardevOwner owner;
    GString *output;
    unsigned n_accepts;
};

static Chardev *chardev;

Chardev *
chardev_new(Loop *loop, VmmMsg *params, const ChardevOwner *owner, VmmError *err)
{
    chardev = g_new0(Chardev, 1);
    chardev->owner = *owner;
    chardev->output = g_string_new(NULL);
    return chardev;
}

void
chardev_free(Chardev *which)
{
    if (!which)
        return;
    g_string_free(which->output, TRUE);
    g_clear_pointer(&chardev, g_free);
}

void
chardev_write(Chardev *which, const uint8_t *bytes, size_t size)
{
    g_string_append_len(which->output, (const char *)bytes, size);
}

void
chardev_accept(Chardev *which)
{
    which->n_accepts++;
}

/* Gives as much of @text as there is room for; returns how much that was. */
static size_t
type(const char *text)
{
    ChardevOwner *owner = &chardev->owner;
    size_t n;

    pthread_mutex_lock(owner->lock);
    n = MIN(owner->room(owner->data), strlen(text));
    if (n > 0)
        owner->receive(owner->data, (const uint8_t *)text, n);
    pthread_mutex_unlock(owner->lock);
    return n;
}

typedef struct Fixture {
    TestBoard *test;
    Device *dev;
} Fixture;

static void
set_up(Fixture *f, const void *data)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_u64(params, "port", 0);
    f->test = test_board_new(NULL);
    f->dev = test_board_add(f->test, &serial_class, params);
}

static void
tear_down(Fixture *f, const void *data)
{
    device_free(f->dev);
    test_board_free(f->test);
}

static uint8_t
get(Fixture *f, unsigned reg)
{
    return in8(f->test, COM1 + reg);
}

static void
set(Fixture *f, unsigned reg, uint8_t value)
{
    out8(f->test, COM1 + reg, value);
}

static void
check_line(Fixture *f, bool level, unsigned rises)
{
    g_assert_cmpint(f->test->level[IRQ], ==, level);
    g_assert_cmpuint(f->test->rises[IRQ], ==, rises);
}

/* 115200 baud, 8N1, the line connected */
static void
start(Fixture *f, uint8_t fcr, uint8_t ier)
{
    set(f, LCR, 0x83);
    set(f, DLL, 1);
    set(f, DLM, 0);
    set(f, LCR, 0x03);
    set(f, FCR, fcr);
    set(f, MCR, 0x0b);
    set(f, IER, ier);
}

#define FOUR_CHARACTERS_NS (4 * 10 * 8681)

static void
test_power_on(Fixture *f, const void *data)
{
    static const uint8_t values[] = { 0, 0, 0x01, 0, 0, 0x60, 0xb0, 0 };

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        g_assert_cmphex(get(f, i), ==, values[i]);
    check_line(f, false, 0);
}

/* What Linux does to tell a 16550A from all else: drivers/tty/serial/8250/8250_port.c, autoconfig(),
 * told in steps. */
static void
test_linux_autoconfig(Fixture *f, const void *data)
{
    unsigned n;
    uint8_t mcr;

    set(f, IER, 0);
    g_assert_cmphex(get(f, IER) & 0x0f, ==, 0);
    set(f, IER, 0x0f);
    g_assert_cmphex(get(f, IER) & 0x0f, ==, 0x0f);
    set(f, IER, 0);

    mcr = get(f, MCR);
    set(f, MCR, 0x1a); /* loop, OUT2, RTS */
    g_assert_cmphex(get(f, MSR) & 0xf0, ==, 0x90);
    set(f, MCR, mcr);

    set(f, LCR, 0xbf);
    set(f, EFR, 0);
    set(f, LCR, 0);
    set(f, FCR, 0x01);
    g_assert_cmphex(get(f, IIR) >> 6, ==, 3); /* a 16550A */

    set(f, LCR, 0x80); /* no 16650, */
    g_assert_cmphex(get(f, EFR), !=, 0);
    set(f, LCR, 0xbf); /* no 16650V2, */
    g_assert_cmphex(get(f, EFR), !=, 0);
    set(f, LCR, 0); /* no SuperIO chip, */
    mcr = get(f, MCR);
    set(f, LCR, 0xe0);
    g_assert_cmphex((get(f, 2) ^ mcr) & 0x10, ==, 0);
    set(f, LCR, 0);
    set(f, MCR, mcr ^ 0x10);
    set(f, LCR, 0xe0);
    g_assert_cmphex((get(f, 2) ^ mcr) & 0x10, ==, 0);
    set(f, LCR, 0);
    set(f, MCR, mcr);
    set(f, FCR, 0x21); /* no TI16750, */
    g_assert_cmphex(get(f, IIR) >> 5, ==, 6);
    set(f, LCR, 0x80);
    set(f, FCR, 0x21);
    g_assert_cmphex(get(f, IIR) >> 5, ==, 6);
    set(f, LCR, 0);
    set(f, IER, 0x40); /* no XScale */
    g_assert_cmphex(get(f, IER), ==, 0);

    set(f, FCR, 0x07); /* and its FIFO holds 16 */
    set(f, MCR, 0x10);
    for (n = 0; n < 256; n++)
        set(f, DATA, n);
    for (n = 0; get(f, LSR) & 0x01; n++)
        g_assert_cmphex(get(f, DATA), ==, n);
    g_assert_cmpuint(n, ==, 16);
    g_assert_cmpuint(chardev->output->len, ==, 0);
    check_line(f, false, 0);
}

/* serial8250_do_startup() tests whether the transmitter's interrupt comes, and comes again. */
static void
test_linux_thre_test(Fixture *f, const void *data)
{
    start(f, 0x07, 0);
    g_assert_cmphex(get(f, LSR), ==, 0x60);
    set(f, IER, 0x02);
    g_assert_cmphex(get(f, IIR), ==, 0xc2);
    set(f, IER, 0);
    set(f, IER, 0x02);
    g_assert_cmphex(get(f, IIR), ==, 0xc2);
    g_assert_cmphex(get(f, IIR), ==, 0xc1);
    check_line(f, false, 2);
}

static void
test_divisor(Fixture *f, const void *data)
{
    set(f, LCR, 0x80);
    g_assert_cmphex(in16(f->test, COM1), ==, 12);
    out16(f->test, COM1, 0x1234); /* two cycles of a byte */
    g_assert_cmphex(get(f, DLL), ==, 0x34);
    g_assert_cmphex(get(f, DLM), ==, 0x12);
    set(f, LCR, 0x03);
    g_assert_cmphex(get(f, IER), ==, 0);
    set(f, SCR, 0xa5);
    g_assert_cmphex(get(f, SCR), ==, 0xa5);
}

/* An interrupt handler that reads IIR and then fills the FIFO: one edge a burst, and the edge comes
 * after the line was low. */
static void
test_transmit_fifo(Fixture *f, const void *data)
{
    start(f, 0x01, 0);
    set(f, IER, 0x02);
    check_line(f, true, 1);
    for (unsigned burst = 2; burst < 5; burst++) {
        g_assert_cmphex(get(f, IIR), ==, 0xc2);
        g_assert_cmpint(f->test->level[IRQ], ==, false);
        for (unsigned i = 0; i < 16; i++)
            set(f, DATA, 'a');
        check_line(f, true, burst);
    }
    g_assert_cmphex(get(f, IIR), ==, 0xc2);
    check_line(f, false, 4);
    g_assert_cmpuint(chardev->output->len, ==, 48);
}

/* Without FIFO each character has its edge, even for a handler that never reads IIR. */
static void
test_transmit_single(Fixture *f, const void *data)
{
    start(f, 0, 0x02);
    check_line(f, true, 1);
    set(f, DATA, 'a');
    check_line(f, true, 2);
    set(f, DATA, 'b');
    check_line(f, true, 3);
    set(f, IER, 0);
    check_line(f, false, 3);
    set(f, DATA, 'c');
    check_line(f, false, 3);
    g_assert_cmpstr(chardev->output->str, ==, "abc");
}

static void
test_out2_gates(Fixture *f, const void *data)
{
    start(f, 0x01, 0x02);
    check_line(f, true, 1);
    set(f, MCR, 0x03);
    check_line(f, false, 1);
    g_assert_cmphex(get(f, IIR), ==, 0xc2); /* the chip itself still has it */
    set(f, IER, 0);
    set(f, IER, 0x02);
    set(f, MCR, 0x1b); /* looped back the pin is off */
    check_line(f, false, 1);
    set(f, MCR, 0x0b);
    check_line(f, true, 2);
}

static void
test_receive_single(Fixture *f, const void *data)
{
    start(f, 0, 0x01);
    g_assert_cmpuint(type("xy"), ==, 1);
    check_line(f, true, 1);
    g_assert_cmpuint(type("y"), ==, 0);
    g_assert_cmpuint(chardev->n_accepts, ==, 0);
    g_assert_cmphex(get(f, IIR), ==, 0x04);
    g_assert_cmphex(get(f, LSR), ==, 0x61);
    g_assert_cmpint(get(f, DATA), ==, 'x');
    check_line(f, false, 1);
    g_assert_cmpuint(chardev->n_accepts, ==, 1);
    g_assert_cmphex(get(f, LSR), ==, 0x60);
    g_assert_cmpint(get(f, DATA), ==, 'x'); /* the register keeps what it had */
    g_assert_cmpuint(type("y"), ==, 1);
    check_line(f, true, 2);
}

static void
test_trigger_level(Fixture *f, const void *data)
{
    static const unsigned levels[] = { 1, 4, 8, 14 };

    for (unsigned i = 0; i < G_N_ELEMENTS(levels); i++) {
        start(f, 0x03 | i << 6, 0x01);
        for (unsigned n = 1; n < levels[i]; n++)
            type("x");
        check_line(f, false, i);
        type("x");
        check_line(f, true, i + 1);
        g_assert_cmphex(get(f, IIR), ==, 0xc4);
        get(f, DATA); /* below the level */
        check_line(f, false, i + 1);
    }
}

static void
test_fifo_order_and_room(Fixture *f, const void *data)
{
    start(f, 0x01, 0);
    for (unsigned round = 0; round < 5; round++) {
        g_assert_cmpuint(type("0123456789abcdefXYZ"), ==, 16);
        g_assert_cmpuint(type("!"), ==, 0);
        for (unsigned i = 0; i < 16; i++)
            g_assert_cmpint(get(f, DATA), ==, "0123456789abcdef"[i]);
        g_assert_cmphex(get(f, LSR), ==, 0x60);
        g_assert_cmpuint(chardev->n_accepts, ==, round + 1);
    }
}

static void
test_character_timeout(Fixture *f, const void *data)
{
    start(f, 0xc1, 0x01);
    type("abc");
    fake_advance(FOUR_CHARACTERS_NS - 1000);
    check_line(f, false, 0);
    type("d"); /* counts anew */
    fake_advance(FOUR_CHARACTERS_NS - 1000);
    check_line(f, false, 0);
    fake_advance(2000);
    check_line(f, true, 1);
    g_assert_cmphex(get(f, IIR), ==, 0xcc);
    g_assert_cmpint(get(f, DATA), ==, 'a'); /* ends it, and counts anew */
    check_line(f, false, 1);
    fake_advance(FOUR_CHARACTERS_NS + 1000);
    check_line(f, true, 2);
    type("e"); /* does not take it back */
    check_line(f, true, 2);
    for (unsigned i = 0; i < 4; i++)
        g_assert_cmpint(get(f, DATA), ==, "bcde"[i]);
    fake_advance(10 * FOUR_CHARACTERS_NS);
    check_line(f, false, 2);
    g_assert_false(fake_alarm_is_set());
}

static void
test_clear_fifo(Fixture *f, const void *data)
{
    start(f, 0x01, 0x01);
    type("0123456789abcdef");
    g_assert_cmpuint(type("g"), ==, 0);
    check_line(f, true, 1);
    set(f, FCR, 0x03);
    check_line(f, false, 1);
    g_assert_cmphex(get(f, LSR), ==, 0x60);
    g_assert_cmpuint(chardev->n_accepts, ==, 1);
    type("h");
    set(f, FCR, 0x00); /* switching clears too */
    g_assert_cmphex(get(f, LSR), ==, 0x60);
    set(f, FCR, 0xc0); /* no trigger level without FIFO */
    g_assert_cmphex(get(f, IIR), ==, 0x01);
}

static void
test_overrun(Fixture *f, const void *data)
{
    start(f, 0, 0x04);
    set(f, MCR, 0x10);
    set(f, DATA, 'a');
    set(f, DATA, 'b');
    g_assert_cmphex(get(f, IIR), ==, 0x06);
    g_assert_cmphex(get(f, LSR), ==, 0x63);
    g_assert_cmphex(get(f, LSR), ==, 0x61);
    g_assert_cmphex(get(f, IIR), ==, 0x01);
    g_assert_cmpint(get(f, DATA), ==, 'b');
    g_assert_cmpuint(type("c"), ==, 0); /* the outside waits until the loop is open */
    set(f, MCR, 0x0b);
    g_assert_cmpuint(chardev->n_accepts, ==, 1);
    g_assert_cmpuint(type("c"), ==, 1);
}

static void
test_modem_status(Fixture *f, const void *data)
{
    start(f, 0, 0);
    get(f, MSR);
    set(f, MCR, 0x1f);
    g_assert_cmphex(get(f, MSR), ==, 0xf0); /* RI came: no delta */
    set(f, MCR, 0x10);
    g_assert_cmphex(get(f, MSR), ==, 0x0f);
    g_assert_cmphex(get(f, MSR), ==, 0x00);
    set(f, IER, 0x08);
    set(f, MCR, 0x0b);
    check_line(f, true, 1);
    g_assert_cmphex(get(f, IIR), ==, 0x00);
    g_assert_cmphex(get(f, MSR), ==, 0xbb);
    check_line(f, false, 1);
}

static void
test_priorities(Fixture *f, const void *data)
{
    start(f, 0x01, 0);
    set(f, MCR, 0x10);
    for (unsigned i = 0; i < 17; i++)
        set(f, DATA, i);
    set(f, IER, 0x0f);
    g_assert_cmphex(get(f, IIR), ==, 0xc6);
    get(f, LSR);
    g_assert_cmphex(get(f, IIR), ==, 0xc4);
    set(f, FCR, 0x03);
    g_assert_cmphex(get(f, IIR), ==, 0xc2);
    g_assert_cmphex(get(f, IIR), ==, 0xc0);
    get(f, MSR);
    g_assert_cmphex(get(f, IIR), ==, 0xc1);
}

static void
test_reset(Fixture *f, const void *data)
{
    start(f, 0x01, 0x0f);
    type("0123456789abcdefg");
    check_line(f, true, 1);
    f->dev->class->reset(f->dev);
    check_line(f, false, 1);
    g_assert_cmphex(get(f, IIR), ==, 0x01);
    g_assert_cmphex(get(f, LSR), ==, 0x60);
    g_assert_cmphex(get(f, MSR), ==, 0xb0);
    g_assert_cmphex(get(f, MCR), ==, 0);
}

static void
test_ports(void)
{
    static const struct {
        unsigned base, irq;
    } com[] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };

    for (unsigned i = 0; i < G_N_ELEMENTS(com); i++) {
        VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
        TestBoard *test = test_board_new(NULL);
        Device *dev;

        vmm_msg_put_u64(params, "port", i);
        dev = test_board_add(test, &serial_class, params);
        out8(test, com[i].base + MCR, 0x08);
        out8(test, com[i].base + IER, 0x02);
        g_assert_cmpuint(test->rises[com[i].irq], ==, 1);
        device_free(dev);
        g_assert_cmphex(in8(test, com[i].base + LSR), ==, 0xff);
        test_board_free(test);
    }
}

static void
test_wrong_ports(void)
{
    vmm_msg_auto none = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    vmm_msg_auto fifth = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    TestBoard *test = test_board_new(NULL);
    VmmError err;

    vmm_msg_put_u64(fifth, "port", 4);
    g_assert_null(device_new(&serial_class, &test->board, "s", none, &err));
    g_assert_cmpstr(err.text, ==, "Device 's' has no port");
    g_assert_null(device_new(&serial_class, &test->board, "s", fifth, &err));
    g_assert_cmpstr(err.text, ==, "There is no serial port 4 for device 's'");
    test_board_free(test);
}

static void
test_describe(Fixture *f, const void *data)
{
    static const uint8_t hid[] = { '_', 'H', 'I', 'D', 0x0c, 0x41, 0xd0, 0x05, 0x01 };
    static const uint8_t crs[] = { 0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8, 0x22, 0x10, 0 };
    Aml *aml = aml_new();
    const uint8_t *bytes;
    size_t size;

    aml_open_scope(aml, "\\_SB");
    serial_class.describe(f->dev, aml);
    aml_close(aml);
    bytes = aml_bytes(aml, &size);
    g_assert_nonnull(memmem(bytes, size, "COM1", 4));
    g_assert_nonnull(memmem(bytes, size, hid, sizeof(hid)));
    g_assert_nonnull(memmem(bytes, size, crs, sizeof(crs)));
    aml_free(aml);
}

#define ADD(path, fn) g_test_add("/serial/" path, Fixture, NULL, set_up, fn, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("power-on", test_power_on);
    ADD("linux-autoconfig", test_linux_autoconfig);
    ADD("linux-thre-test", test_linux_thre_test);
    ADD("divisor", test_divisor);
    ADD("transmit/fifo", test_transmit_fifo);
    ADD("transmit/single", test_transmit_single);
    ADD("out2-gates", test_out2_gates);
    ADD("receive/single", test_receive_single);
    ADD("receive/trigger-level", test_trigger_level);
    ADD("receive/fifo", test_fifo_order_and_room);
    ADD("receive/timeout", test_character_timeout);
    ADD("receive/clear", test_clear_fifo);
    ADD("overrun", test_overrun);
    ADD("modem-status", test_modem_status);
    ADD("priorities", test_priorities);
    ADD("reset", test_reset);
    ADD("describe", test_describe);
    g_test_add_func("/serial/ports", test_ports);
    g_test_add_func("/serial/wrong-ports", test_wrong_ports);
    return g_test_run();
}
