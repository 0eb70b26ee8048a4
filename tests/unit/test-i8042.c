/* The keyboard controller: every probe is answered at once, and it resets. What is plugged into it is
 * test-ps2's. */
#include "qemu-kvm-backend/device-classes.h"
#include "tests/unit/test-board.h"

#include <glib.h>

#define DATA    0x60
#define COMMAND 0x64

#define FULL    0x01
#define AUX     0x20
#define TIMEOUT 0x40

typedef struct Fixture {
    TestBoard *test;
    Device *dev;
} Fixture;

/* @data: whether something is plugged in. */
static void
set_up(Fixture *f, gconstpointer data)
{
    f->test = test_board_new(NULL);
    f->test->board.ps2 = data != NULL;
    f->dev = test_board_add(f->test, &i8042_class, NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    device_free(f->dev);
    test_board_free(f->test);
}

/* Sends a command and takes its answer. */
static uint8_t
ask(Fixture *f, uint8_t command)
{
    uint8_t value;

    out8(f->test, COMMAND, command);
    g_assert_cmphex(in8(f->test, COMMAND) & 0x03, ==, FULL);
    value = in8(f->test, DATA);
    g_assert_cmphex(in8(f->test, COMMAND) & FULL, ==, 0);
    return value;
}

static void
tell(Fixture *f, uint8_t command, uint8_t value)
{
    out8(f->test, COMMAND, command);
    out8(f->test, DATA, value);
}

static void
test_power_on(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(in8(f->test, COMMAND), ==, 0x14);
    g_assert_cmphex(ask(f, 0x20), ==, data ? 0x65 : 0x34);
}

static void
test_tests(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(ask(f, 0xaa), ==, 0x55);
    g_assert_cmphex(ask(f, 0xab), ==, 0x00);
    g_assert_cmphex(ask(f, 0xa9), ==, 0x00);
    g_assert_cmphex(ask(f, 0xc0), ==, 0xff);
}

static void
test_command_byte(Fixture *f, gconstpointer data)
{
    tell(f, 0x60, 0x43);
    g_assert_cmphex(in8(f->test, COMMAND) & FULL, ==, 0);
    g_assert_cmphex(ask(f, 0x20), ==, 0x43);
    g_assert_cmphex(in8(f->test, COMMAND) & 0x04, ==, 0);
    out8(f->test, COMMAND, 0xad);
    out8(f->test, COMMAND, 0xa7);
    g_assert_cmphex(ask(f, 0x20), ==, 0x73);
    out8(f->test, COMMAND, 0xae);
    out8(f->test, COMMAND, 0xa8);
    g_assert_cmphex(ask(f, 0x20), ==, 0x43);
    tell(f, 0x7f, 0xff);
    g_assert_cmphex(ask(f, 0x3f), ==, 0xff);
}

/* A keyboard that is not there: the controller says so, the guest does not wait. */
static void
test_no_devices(Fixture *f, gconstpointer data)
{
    out8(f->test, DATA, 0xff);
    g_assert_cmphex(in8(f->test, COMMAND) & (FULL | AUX | TIMEOUT), ==, FULL | TIMEOUT);
    g_assert_cmphex(in8(f->test, DATA), ==, 0xfe);
    tell(f, 0xd4, 0xff);
    g_assert_cmphex(in8(f->test, COMMAND) & (FULL | AUX | TIMEOUT), ==, FULL | AUX | TIMEOUT);
    g_assert_cmphex(in8(f->test, DATA), ==, 0xfe);
    g_assert_cmphex(in8(f->test, COMMAND) & (FULL | AUX | TIMEOUT), ==, 0);
}

/* Linux's test whether there is a mouse port, and whether it interrupts. */
static void
test_loops(Fixture *f, gconstpointer data)
{
    tell(f, 0x60, 0x47);
    tell(f, 0xd3, 0x5a);
    g_assert_cmphex(in8(f->test, COMMAND) & (FULL | AUX), ==, FULL | AUX);
    g_assert_true(f->test->level[12]);
    g_assert_false(f->test->level[1]);
    g_assert_cmphex(in8(f->test, DATA), ==, 0x5a);
    g_assert_false(f->test->level[12]);
    tell(f, 0xd2, 0xa5);
    g_assert_cmphex(in8(f->test, COMMAND) & (FULL | AUX), ==, FULL);
    g_assert_true(f->test->level[1]);
    g_assert_cmphex(in8(f->test, DATA), ==, 0xa5);
    tell(f, 0x60, 0x74);
    tell(f, 0xd3, 0x5a);
    tell(f, 0xd2, 0x5a);
    g_assert_cmphex(in8(f->test, DATA), ==, 0x5a);
    g_assert_cmphex(in8(f->test, DATA), ==, 0x5a);
    g_assert_cmpuint(f->test->rises[1], ==, 1);
    g_assert_cmpuint(f->test->rises[12], ==, 1);
}

static void
check_resets(Fixture *f, unsigned n)
{
    g_assert_cmpuint(f->test->n_requests, ==, n);
    if (n)
        g_assert_cmpint(f->test->request, ==, BOARD_RESET);
}

static void
test_reset_line(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(ask(f, 0xd0), ==, 0x03);
    out8(f->test, COMMAND, 0xff);
    out8(f->test, COMMAND, 0xfd);
    tell(f, 0xd1, 0xdf);
    check_resets(f, 0);
    g_assert_cmphex(ask(f, 0xd0), ==, 0xdf);
    out8(f->test, COMMAND, 0xfe);
    check_resets(f, 1);
    tell(f, 0xd1, 0x02);
    check_resets(f, 2);
}

/* A command forgets the one before it, and reset all of them. */
static void
test_interrupted(Fixture *f, gconstpointer data)
{
    out8(f->test, COMMAND, 0xd1);
    out8(f->test, COMMAND, 0xa8);
    out8(f->test, DATA, 0x00);
    check_resets(f, 0);
    out8(f->test, COMMAND, 0xd1);
    f->dev->class->reset(f->dev);
    out8(f->test, DATA, 0x00);
    check_resets(f, 0);
}

#define ADD(path, fn)                                                                              \
    g_test_add("/i8042/empty/" path, Fixture, NULL, set_up, fn, tear_down);                        \
    g_test_add("/i8042/plugged/" path, Fixture, "", set_up, fn, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("power-on", test_power_on);
    ADD("tests", test_tests);
    ADD("command-byte", test_command_byte);
    ADD("loops", test_loops);
    ADD("reset-line", test_reset_line);
    ADD("interrupted", test_interrupted);
    g_test_add("/i8042/empty/no-devices", Fixture, NULL, set_up, test_no_devices, tear_down);
    return g_test_run();
}
