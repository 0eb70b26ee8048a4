#include "tests/unit/test-board.h"

#include <glib.h>

static void
set_irq(Board *board, unsigned gsi, bool level)
{
    TestBoard *test = (TestBoard *)board;

    g_assert_cmpuint(gsi, <, G_N_ELEMENTS(test->level));
    g_assert_cmpint(test->level[gsi], !=, level); /* a call that changes nothing costs an ioctl */
    test->level[gsi] = level;
    *(level ? &test->rises[gsi] : &test->falls[gsi]) += 1;
}

static void
request(Board *board, BoardRequest what, unsigned code, const char *why)
{
    TestBoard *test = (TestBoard *)board;

    g_assert_nonnull(why);
    test->n_requests++;
    test->request = what;
    test->code = code;
}

TestBoard *
test_board_new(Loop *loop)
{
    TestBoard *test = g_new0(TestBoard, 1);

    test->board =
        (Board){ .loop = loop, .pio = bus_new("port I/O"), .set_irq = set_irq, .request = request };
    return test;
}

void
test_board_free(TestBoard *test)
{
    bus_free(test->board.pio);
    g_free(test);
}

Device *
test_board_add(TestBoard *test, const DeviceClass *class, VmmMsg *params)
{
    vmm_msg_auto msg = params ? params : vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    VmmError err = { 0 };
    Device *dev = device_new(class, &test->board, class->name, msg, &err);

    g_assert_cmpstr(err.text, ==, "");
    g_assert_nonnull(dev);
    g_assert_null(vmm_msg_unread(msg));
    if (class->reset)
        class->reset(dev);
    return dev;
}

static uint32_t
in(TestBoard *test, uint16_t port, unsigned size)
{
    uint32_t value = 0;

    bus_read(test->board.pio, port, &value, size);
    return GUINT32_FROM_LE(value);
}

static void
out(TestBoard *test, uint16_t port, unsigned size, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    bus_write(test->board.pio, port, &value, size);
}

uint8_t
in8(TestBoard *test, uint16_t port)
{
    return in(test, port, 1);
}

uint16_t
in16(TestBoard *test, uint16_t port)
{
    return in(test, port, 2);
}

uint32_t
in32(TestBoard *test, uint16_t port)
{
    return in(test, port, 4);
}

void
out8(TestBoard *test, uint16_t port, uint8_t value)
{
    out(test, port, 1, value);
}

void
out16(TestBoard *test, uint16_t port, uint16_t value)
{
    out(test, port, 2, value);
}

void
out32(TestBoard *test, uint16_t port, uint32_t value)
{
    out(test, port, 4, value);
}
