/* The clock: what it reads, how it is set, and when it interrupts. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/unit/fake-alarm.h"
#include "tests/unit/test-board.h"

#include <glib.h>
#include <string.h>

#define IRQ    8
#define SECOND 1000000000ull
#define MS     1000000ull
#define US     1000ull

#define A       0x0a
#define B       0x0b
#define C       0x0c
#define D       0x0d
#define CENTURY 0x32

#define UPDATE   0x10
#define ALARM    0x20
#define PERIODIC 0x40
#define IRQF     0x80

/* Saturday, 2 January 2021, 15:04:05.25 UTC */
#define START (1609599845 * SECOND + 250 * MS)

typedef struct Fixture {
    TestBoard *test;
    Device *dev;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    fake_now_ns = START;
    f->test = test_board_new(NULL);
    f->dev = test_board_add(f->test, &rtc_class, NULL);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    device_free(f->dev);
    test_board_free(f->test);
}

static uint8_t
get(Fixture *f, uint8_t reg)
{
    out8(f->test, 0x70, reg);
    return in8(f->test, 0x71);
}

static void
set(Fixture *f, uint8_t reg, uint8_t value)
{
    out8(f->test, 0x70, reg | 0x80); /* NMIs off, as Linux does */
    out8(f->test, 0x71, value);
}

static const uint8_t time_registers[] = { CENTURY, 9, 8, 7, 4, 2, 0 };

/* Century, year, month, day, hour, minute, second in hexadecimal, as the registers have them */
static void
check_time(Fixture *f, const char *expected)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(time_registers); i++)
        g_string_append_printf(text, i ? " %02x" : "%02x", get(f, time_registers[i]));
    g_assert_cmpstr(text->str, ==, expected);
}

static void
check_line(Fixture *f, bool level, unsigned rises)
{
    g_assert_cmpint(f->test->level[IRQ], ==, level);
    g_assert_cmpuint(f->test->rises[IRQ], ==, rises);
}

/* A clock that does not show UTC: an offset at first, kept over resets; none that is beyond reason. */
static void
test_offset(Fixture *f, gconstpointer data)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "create"); /* the board takes it over */
    vmm_msg_auto wrong = vmm_msg_new(VMM_MSG_REQUEST, 1, "create");
    VmmError err;

    device_free(f->dev);
    vmm_msg_put_i64(wrong, "rtc-offset", G_MAXINT64);
    g_assert_null(device_new(&rtc_class, &f->test->board, "rtc", wrong, &err));
    vmm_msg_put_i64(params, "rtc-offset", -5 * 3600 - 30 * 60);
    f->dev = test_board_add(f->test, &rtc_class, params);
    check_time(f, "20 21 01 02 09 34 05");
    rtc_class.reset(f->dev);
    fake_advance(SECOND);
    check_time(f, "20 21 01 02 09 34 06");
}

static void
test_power_on(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(get(f, A), ==, 0x26);
    g_assert_cmphex(get(f, B), ==, 0x02);
    g_assert_cmphex(get(f, C), ==, 0);
    g_assert_cmphex(get(f, D), ==, 0x80);
    check_time(f, "20 21 01 02 15 04 05");
    g_assert_cmphex(get(f, 6), ==, 7); /* Sunday is 1 */
    g_assert_cmphex(in8(f->test, 0x70), ==, 0xff);
    fake_advance(86400 * SECOND);
    check_time(f, "20 21 01 03 15 04 05");
    g_assert_cmphex(get(f, 6), ==, 1);
}

/* By register and without SET, as GRUB and SeaBIOS do, over dates that there are not. */
static void
test_by_register(Fixture *f, gconstpointer data)
{
    set(f, 7, 0x31);
    set(f, 8, 0x02);
    set(f, 7, 0x01);
    check_time(f, "20 21 02 01 15 04 05");
    set(f, 9, 0x24);
    set(f, 7, 0x29);
    set(f, 9, 0x23);
    set(f, 8, 0x03);
    set(f, 7, 0x30);
    check_time(f, "20 23 03 30 15 04 05");
    fake_advance(SECOND);
    check_time(f, "20 23 03 30 15 04 06");
    set(f, 8, 0x02); /* what is none at the next update is the one that so many days lead to */
    check_time(f, "20 23 02 30 15 04 06");
    fake_advance(SECOND);
    check_time(f, "20 23 03 02 15 04 07");
}

/* Both ports in one access. */
static void
test_wide(Fixture *f, gconstpointer data)
{
    out16(f->test, 0x70, 0x5a0f);
    g_assert_cmphex(get(f, 0x0f), ==, 0x5a);
    g_assert_cmphex(in16(f->test, 0x70), ==, 0x5aff);
}

static void
test_encodings(Fixture *f, gconstpointer data)
{
    set(f, B, 0x06);
    check_time(f, "14 15 01 02 0f 04 05");
    set(f, B, 0x04);
    g_assert_cmphex(get(f, 4), ==, 0x83);
    set(f, B, 0x00);
    g_assert_cmphex(get(f, 4), ==, 0x83);
    fake_advance(9 * 3600 * SECOND); /* four past midnight */
    g_assert_cmphex(get(f, 4), ==, 0x12);
    fake_advance(12 * 3600 * SECOND);
    g_assert_cmphex(get(f, 4), ==, 0x92);
    set(f, B, 0x02);
    g_assert_cmphex(get(f, 4), ==, 0x12);
}

/* UIP comes at least 244 us before the registers change, and goes when they have. */
static void
test_update_in_progress(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(get(f, A), ==, 0x26);
    fake_advance(750 * MS - 2229 * US);
    g_assert_cmphex(get(f, A), ==, 0x26);
    fake_advance(1 * US);
    g_assert_cmphex(get(f, A), ==, 0xa6);
    check_time(f, "20 21 01 02 15 04 05");
    fake_advance(2227 * US);
    g_assert_cmphex(get(f, A), ==, 0xa6);
    check_time(f, "20 21 01 02 15 04 05");
    fake_advance(1 * US);
    g_assert_cmphex(get(f, A), ==, 0x26);
    check_time(f, "20 21 01 02 15 04 06");
    set(f, B, 0x82);
    fake_advance(999 * MS);
    g_assert_cmphex(get(f, A), ==, 0x26);
}

/* As Linux' mc146818_set_time(): hold, reset the divider, write, let go in the same order. */
static void
set_like_linux(Fixture *f, const uint8_t *values)
{
    set(f, B, 0x82);
    set(f, A, 0x76);
    for (unsigned i = 0; i < G_N_ELEMENTS(time_registers); i++)
        set(f, time_registers[i], values[i]);
    set(f, B, 0x02);
    set(f, A, 0x26);
}

static void
test_set_time(Fixture *f, gconstpointer data)
{
    static const uint8_t values[] = { 0x19, 0x99, 0x12, 0x31, 0x23, 0x59, 0x58 };

    set_like_linux(f, values);
    check_time(f, "19 99 12 31 23 59 58");
    fake_advance(499 * MS); /* the first second ends after half a one */
    check_time(f, "19 99 12 31 23 59 58");
    fake_advance(1 * MS);
    check_time(f, "19 99 12 31 23 59 59");
    fake_advance(1 * SECOND);
    check_time(f, "20 00 01 01 00 00 00");
    g_assert_cmphex(get(f, 6), ==, 7);
    f->dev->class->reset(f->dev); /* the battery lasts */
    check_time(f, "20 00 01 01 00 00 00");
}

static void
test_set_running(Fixture *f, gconstpointer data)
{
    set(f, 4, 0x20);
    check_time(f, "20 21 01 02 20 04 05");
    fake_advance(749 * MS); /* the fraction is kept */
    check_time(f, "20 21 01 02 20 04 05");
    fake_advance(1 * MS);
    check_time(f, "20 21 01 02 20 04 06");
    set(f, B, 0x82);
    fake_advance(10 * SECOND);
    check_time(f, "20 21 01 02 20 04 06");
    set(f, 0, 0x30);
    set(f, B, 0x02);
    check_time(f, "20 21 01 02 20 04 30");
}

/* Whatever a guest writes, the clock stays one that goes. */
static void
test_nonsense(Fixture *f, gconstpointer data)
{
    for (unsigned value = 0; value < 256; value++) {
        uint8_t second;

        set(f, B, value & 4 ? 0x84 : 0x80);
        for (unsigned i = 0; i < G_N_ELEMENTS(time_registers); i++)
            set(f, time_registers[i], value);
        set(f, B, 0x02);
        second = get(f, 0);
        g_assert_cmphex(second, <, 0x60);
        g_assert_cmphex(second & 0x0f, <, 0x0a);
        fake_advance(SECOND);
        g_assert_cmphex(get(f, 0), !=, second);
    }
}

static void
test_nvram(Fixture *f, gconstpointer data)
{
    for (unsigned reg = 0x0e; reg < 0x80; reg++) {
        if (reg != CENTURY)
            set(f, reg, reg ^ 0x5a);
    }
    f->dev->class->reset(f->dev);
    for (unsigned reg = 0x0e; reg < 0x80; reg++) {
        if (reg != CENTURY)
            g_assert_cmphex(get(f, reg), ==, reg ^ 0x5a);
    }
    set(f, D, 0);
    set(f, C, 0xff);
    g_assert_cmphex(get(f, D), ==, 0x80);
    g_assert_cmphex(get(f, C), ==, 0);
}

static void
test_update_interrupt(Fixture *f, gconstpointer data)
{
    fake_advance(SECOND);
    g_assert_cmphex(get(f, C) & ~PERIODIC, ==, UPDATE); /* flagged, but not enabled */
    check_line(f, false, 0);
    g_assert_false(fake_alarm_is_set());
    set(f, B, 0x02 | UPDATE);
    fake_advance(749 * MS);
    check_line(f, false, 0);
    fake_advance(1 * MS);
    check_line(f, true, 1);
    g_assert_false(fake_alarm_is_set()); /* nothing more to say until somebody listens */
    fake_advance(5 * SECOND);
    check_line(f, true, 1);
    g_assert_cmphex(get(f, C) & ~PERIODIC, ==, IRQF | UPDATE);
    check_line(f, false, 1);
    g_assert_cmphex(get(f, C), ==, 0);
    fake_advance(1 * SECOND);
    check_line(f, true, 2);
    set(f, B, 0x82 | UPDATE); /* setting the time ends it */
    check_line(f, false, 2);
    g_assert_cmphex(get(f, B), ==, 0x82);
}

static void
set_alarm(Fixture *f, uint8_t hour, uint8_t minute, uint8_t second)
{
    set(f, 5, hour);
    set(f, 3, minute);
    set(f, 1, second);
    get(f, C);
}

/* Whoever may wake the machine by it hears of it once, and only where it is enabled. */
static void
test_alarm_told(Fixture *f, gconstpointer data)
{
    set_alarm(f, 0xff, 0xff, 0xff);
    fake_advance(2 * SECOND);
    get(f, C);
    g_assert_cmpuint(f->test->n_rtc_alarms, ==, 0);
    set(f, B, 0x02 | ALARM);
    fake_advance(SECOND);
    g_assert_cmpuint(f->test->n_rtc_alarms, ==, 1);
    fake_advance(SECOND);
    g_assert_cmpuint(f->test->n_rtc_alarms, ==, 1);
    get(f, C);
    fake_advance(SECOND);
    g_assert_cmpuint(f->test->n_rtc_alarms, ==, 2);
}

/* A BIOS learns here that the machine wakes; a guest without one keeps what it has there. */
static void
test_wake(Fixture *f, gconstpointer data)
{
    set(f, 0x0f, 0x0a);
    set(f, B, 0x02 | ALARM);
    rtc_class.wake(f->dev);
    g_assert_cmphex(get(f, 0x0f), ==, 0x0a);
    g_assert_cmphex(get(f, B), ==, 0x02);
    f->test->board.fw_cfg = (struct FwCfg *)f; /* anything */
    rtc_class.wake(f->dev);
    g_assert_cmphex(get(f, 0x0f), ==, 0xfe);
    f->test->board.fw_cfg = NULL;
}

static void
test_alarm(Fixture *f, gconstpointer data)
{
    set(f, B, 0x02 | ALARM);
    set_alarm(f, 0x15, 0x04, 0x07);
    fake_advance(1749 * MS);
    check_line(f, false, 0);
    fake_advance(1 * MS);
    check_line(f, true, 1);
    g_assert_cmphex(get(f, C) & ~PERIODIC, ==, IRQF | UPDATE | ALARM);
    check_line(f, false, 1);
    fake_advance(86400 * SECOND - 1);
    check_line(f, false, 1);
    fake_advance(1);
    check_line(f, true, 2);
    set(f, B, 0x02);
    check_line(f, false, 2);
    set(f, B, 0x02 | ALARM); /* the flag is still there */
    check_line(f, true, 3);
}

static void
test_alarm_any(Fixture *f, gconstpointer data)
{
    set(f, B, 0x02 | ALARM);
    set_alarm(f, 0xff, 0xc0, 0x03); /* once a minute */
    fake_advance(58 * SECOND);
    check_line(f, true, 1);
    get(f, C);
    fake_advance(59 * SECOND);
    check_line(f, false, 1);
    fake_advance(1 * SECOND);
    check_line(f, true, 2);
    set_alarm(f, 0x16, 0xff, 0xff); /* each second from four o'clock */
    fake_advance(3600 * SECOND);
    check_line(f, true, 3);
    set_alarm(f, 0x25, 0x00, 0x00); /* never */
    g_assert_false(fake_alarm_is_set());
    fake_advance(48 * 3600 * SECOND);
    check_line(f, false, 3);
}

static void
test_alarm_12h(Fixture *f, gconstpointer data)
{
    set(f, B, ALARM);
    set_alarm(f, 0x03, 0x05, 0x00);
    fake_advance(60 * SECOND); /* that is in the morning */
    check_line(f, false, 0);
    fake_advance(12 * 3600 * SECOND);
    check_line(f, true, 1);
    set_alarm(f, 0x83, 0x05, 0x00);
    fake_advance(12 * 3600 * SECOND);
    check_line(f, true, 2);
}

/* The clock that is set, not the host's, decides. */
static void
test_alarm_after_setting(Fixture *f, gconstpointer data)
{
    static const uint8_t values[] = { 0x20, 0x30, 0x06, 0x15, 0x11, 0x59, 0x59 };

    set(f, B, 0x02 | ALARM);
    set_alarm(f, 0x12, 0x00, 0x00);
    set_like_linux(f, values);
    set(f, B, 0x02 | ALARM);
    fake_advance(499 * MS);
    check_line(f, false, 0);
    fake_advance(1 * MS);
    check_line(f, true, 1);
}

static void
test_periodic(Fixture *f, gconstpointer data)
{
    unsigned n = 0;

    set(f, B, 0x02 | PERIODIC); /* 1024 Hz */
    get(f, C);
    for (unsigned i = 0; i < 100000; i++) {
        fake_advance(10 * US);
        if (f->test->level[IRQ]) {
            g_assert_cmphex(get(f, C) & (IRQF | PERIODIC), ==, IRQF | PERIODIC);
            n++;
        }
    }
    g_assert_cmpuint(n, ==, 1024);
    g_assert_cmpuint(f->test->rises[IRQ], ==, 1024);
    set(f, A, 0x2f); /* 2 Hz, in step with the seconds */
    get(f, C);
    fake_advance(249 * MS);
    check_line(f, false, 1024);
    fake_advance(1 * MS);
    check_line(f, true, 1025);
    set(f, A, 0x20); /* off */
    get(f, C);
    g_assert_false(fake_alarm_is_set());
}

/* A guest that was away for ten periods gets as many interrupts in the end, one by one, and one that
 * was away for long no more than a second's; as it usually is, they are one. */
static void
test_catch_up(Fixture *f, gconstpointer data)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "create");
    unsigned n = 0;

    set(f, B, 0x02 | PERIODIC);
    get(f, C);
    fake_advance(SECOND);
    get(f, C);
    check_line(f, false, 1);
    device_free(f->dev);
    vmm_msg_put_bool(params, "rtc-catchup", true);
    f->dev = test_board_add(f->test, &rtc_class, params);
    rtc_class.reset(f->dev);
    set(f, A, 0x2a); /* 64 Hz */
    set(f, B, 0x02 | PERIODIC);
    get(f, C);
    f->test->rises[IRQ] = 0;
    fake_advance(SECOND * 10 / 64);
    while (f->test->level[IRQ] && get(f, C) & PERIODIC)
        n++;
    g_assert_cmpuint(n, ==, 10);
    g_assert_cmpuint(f->test->rises[IRQ], ==, 10);
    fake_advance(60 * SECOND);
    for (n = 0; f->test->level[IRQ] && get(f, C) & PERIODIC; n++)
        continue;
    g_assert_cmpuint(n, ==, 1 + 64);
}

static void
test_reset(Fixture *f, gconstpointer data)
{
    set(f, B, 0x04 | UPDATE);
    fake_advance(SECOND);
    check_line(f, true, 1);
    f->dev->class->reset(f->dev);
    check_line(f, false, 1);
    g_assert_cmphex(get(f, B), ==, 0x02);
    check_time(f, "20 21 01 02 15 04 06");
    set(f, B, 0x82); /* dying in the middle of setting it */
    set(f, A, 0x76);
    set(f, 0, 0x33);
    f->dev->class->reset(f->dev);
    g_assert_cmphex(get(f, A), ==, 0x26);
    check_time(f, "20 21 01 02 15 04 33");
}

static void
assert_told(Fixture *f, unsigned n, int64_t offset_s, int64_t change_s)
{
    int64_t offset, change;

    g_assert_cmpuint(f->test->n_events, ==, n);
    g_assert_cmpstr(vmm_msg_name(f->test->event), ==, VMM_EVENT_RTC_CHANGE);
    g_assert_true(vmm_msg_get_i64(f->test->event, "offset", &offset));
    g_assert_true(vmm_msg_get_i64(f->test->event, "change", &change));
    g_assert_cmpint(offset, ==, offset_s);
    g_assert_cmpint(change, ==, change_s);
}

/* As Linux does it, and so that the driver hears of it; whoever asks hears the same. */
static void
test_told(Fixture *f, gconstpointer data)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "create"); /* the board takes it over */
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    int64_t offset = 0;
    VmmError err;

    device_free(f->dev);
    vmm_msg_put_i64(params, "rtc-offset", 100);
    f->dev = test_board_add(f->test, &rtc_class, params);
    set(f, 0x70, 1); /* RAM is no time */
    g_assert_cmpuint(f->test->n_events, ==, 0);
    set(f, B, 0x82);
    set(f, A, 0x76);
    set(f, 4, 0x16); /* it was 15:05:45 */
    set(f, 2, 0x04);
    set(f, 0, 0x05);
    g_assert_cmpuint(f->test->n_events, ==, 0);
    set(f, B, 0x02);
    set(f, A, 0x26);
    assert_told(f, 1, 3600, 3500);
    fake_advance(3600 * SECOND);
    g_assert_cmpuint(f->test->n_events, ==, 1);
    g_assert_true(rtc_class.tell(f->dev, request, reply, &err));
    g_assert_true(vmm_msg_get_i64(reply, "offset", &offset));
    g_assert_cmpint(offset, ==, 3600);
}

/* One that is set register by register is told of at once, and a second later as it is then; one that is set without end,
 * once a second. */
static void
test_told_seldom(Fixture *f, gconstpointer data)
{
    set(f, 4, 0x16);
    assert_told(f, 1, 3600, 3600);
    set(f, 2, 0x05);
    set(f, 2, 0x06);
    g_assert_cmpuint(f->test->n_events, ==, 1);
    fake_advance(SECOND);
    assert_told(f, 2, 3720, 3720);
    for (unsigned i = 0; i < 1000; i++) {
        set(f, 2, i % 2);
        fake_advance(10 * MS);
    }
    g_assert_cmpuint(f->test->n_events, <=, 2 + 10);
    fake_now_ns -= 3600 * SECOND; /* the host's clock */
    set(f, 4, 0x16);
    g_assert_cmpuint(f->test->n_events, >=, 2 + 10);
}

/* The host's clock being set back is no event, and no end of them either. */
static void
test_host_set_back(Fixture *f, gconstpointer data)
{
    set(f, B, 0x02 | UPDATE);
    fake_now_ns -= 3600 * SECOND;
    get(f, C);
    check_time(f, "20 21 01 02 14 04 05");
    fake_advance(750 * MS);
    check_line(f, true, 1);
}

#define ADD(path, fn) g_test_add("/rtc/" path, Fixture, NULL, set_up, fn, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("power-on", test_power_on);
    ADD("offset", test_offset);
    ADD("by-register", test_by_register);
    ADD("wide", test_wide);
    ADD("encodings", test_encodings);
    ADD("update-in-progress", test_update_in_progress);
    ADD("set/held", test_set_time);
    ADD("set/running", test_set_running);
    ADD("set/nonsense", test_nonsense);
    ADD("nvram", test_nvram);
    ADD("update-interrupt", test_update_interrupt);
    ADD("alarm/time", test_alarm);
    ADD("alarm/any", test_alarm_any);
    ADD("alarm/told", test_alarm_told);
    ADD("wake", test_wake);
    ADD("alarm/12h", test_alarm_12h);
    ADD("alarm/after-setting", test_alarm_after_setting);
    ADD("periodic", test_periodic);
    ADD("catch-up", test_catch_up);
    ADD("told", test_told);
    ADD("told/seldom", test_told_seldom);
    ADD("reset", test_reset);
    ADD("host-set-back", test_host_set_back);
    return g_test_run();
}
