/* ACPI's fixed hardware: the button, the sleep, the timer, and the level of the SCI; with the two
 * small devices that also end a run: reset-control and debug-exit. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/x86/layout.h"
#include "tests/unit/fake-alarm.h"
#include "tests/unit/test-board.h"

#include <glib.h>

#define STATUS  (LAYOUT_PM_BASE + 0)
#define ENABLE  (LAYOUT_PM_BASE + 2)
#define CONTROL (LAYOUT_PM_BASE + 4)
#define TIMER   (LAYOUT_PM_BASE + 8)

#define POWER_BUTTON 0x0100
#define RTC_ALARM    0x0400
#define WAKE         0x8000
#define TIMER_EVENT  0x0001
#define SLP_EN       0x2000
#define SECOND       1000000000ull

typedef struct Fixture {
    TestBoard *test;
    Device *dev;
} Fixture;

static void
set_up(Fixture *f, gconstpointer class)
{
    fake_now_ns = 123456789;
    f->test = test_board_new(NULL);
    f->dev = test_board_add(f->test, class, NULL);
}

static void
tear_down(Fixture *f, gconstpointer class)
{
    device_free(f->dev);
    test_board_free(f->test);
}

static void
check_sci(Fixture *f, bool level, unsigned rises)
{
    g_assert_cmpint(f->test->level[LAYOUT_SCI], ==, level);
    g_assert_cmpuint(f->test->rises[LAYOUT_SCI], ==, rises);
}

static void
test_power_on(Fixture *f, gconstpointer class)
{
    g_assert_cmphex(in16(f->test, STATUS), ==, 0);
    g_assert_cmphex(in16(f->test, ENABLE), ==, 0);
    g_assert_cmphex(in16(f->test, CONTROL), ==, 1); /* in ACPI mode from the start */
    out16(f->test, CONTROL, 0);
    g_assert_cmphex(in16(f->test, CONTROL), ==, 1);
    out16(f->test, ENABLE, 0xffff);
    g_assert_cmphex(in16(f->test, ENABLE), ==, 0x0721);
    g_assert_cmphex(in32(f->test, STATUS), ==, 0x07210000);
    check_sci(f, false, 0);
}

static void
test_power_button(Fixture *f, gconstpointer class)
{
    g_assert_true(f->dev->class->power_button(f->dev));
    g_assert_cmphex(in16(f->test, STATUS), ==, POWER_BUTTON);
    check_sci(f, false, 0);
    out16(f->test, ENABLE, POWER_BUTTON); /* kept until somebody cares */
    check_sci(f, true, 1);
    f->dev->class->power_button(f->dev);
    check_sci(f, true, 1);
    out16(f->test, STATUS, 0x0001); /* clears another */
    check_sci(f, true, 1);
    out8(f->test, STATUS + 1, POWER_BUTTON >> 8);
    check_sci(f, false, 1);
    g_assert_cmphex(in16(f->test, STATUS), ==, 0);
    f->dev->class->power_button(f->dev);
    check_sci(f, true, 2);
    f->dev->class->reset(f->dev);
    check_sci(f, false, 2);
    g_assert_cmphex(in32(f->test, STATUS), ==, 0);
}

static void
test_sleep(Fixture *f, gconstpointer class)
{
    uint16_t s5 = LAYOUT_S5_TYPE << 10, other = 7 << 10;

    out16(f->test, CONTROL, s5); /* as ACPICA: the type first, then with the bit that does it */
    g_assert_cmpuint(f->test->n_requests, ==, 0);
    out16(f->test, CONTROL, other | SLP_EN);
    g_assert_cmpuint(f->test->n_requests, ==, 0);
    g_assert_cmphex(in16(f->test, CONTROL), ==, other | 1);
    out16(f->test, CONTROL, s5 | SLP_EN);
    g_assert_cmpuint(f->test->n_requests, ==, 1);
    g_assert_cmpint(f->test->request, ==, BOARD_POWEROFF);
    g_assert_cmphex(in16(f->test, CONTROL), ==, s5 | 1);
}

static void
check_request(Fixture *f, unsigned n, BoardRequest what)
{
    g_assert_cmpuint(f->test->n_requests, ==, n);
    g_assert_cmpint(f->test->request, ==, what);
}

static void
test_suspend(Fixture *f, gconstpointer class)
{
    out16(f->test, CONTROL, LAYOUT_S3_TYPE << 10 | SLP_EN);
    check_request(f, 1, BOARD_SUSPEND);
    out16(f->test, CONTROL, LAYOUT_S4_TYPE << 10 | SLP_EN);
    check_request(f, 2, BOARD_HIBERNATE);
}

/* The types of states that are not offered are no types. */
static void
test_suspend_refused(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "create");
    Fixture f = { .test = test_board_new(NULL) };

    vmm_msg_put_bool(params, "pm-suspend-to-mem", false);
    vmm_msg_put_bool(params, "pm-suspend-to-disk", false);
    f.dev = test_board_add(f.test, &pm_class, params);
    out16(f.test, CONTROL, LAYOUT_S3_TYPE << 10 | SLP_EN);
    out16(f.test, CONTROL, LAYOUT_S4_TYPE << 10 | SLP_EN);
    g_assert_cmpuint(f.test->n_requests, ==, 0);
    tear_down(&f, NULL);
}

/* Nothing wakes what does not sleep. What woke it is what it finds, besides that it slept. */
static void
test_wake_button(Fixture *f, gconstpointer class)
{
    f->dev->class->power_button(f->dev);
    g_assert_cmpuint(f->test->n_requests, ==, 0);
    out16(f->test, STATUS, POWER_BUTTON);
    f->dev->class->sleep(f->dev);
    g_assert_cmpuint(f->test->n_requests, ==, 0);
    f->dev->class->power_button(f->dev);
    check_request(f, 1, BOARD_WAKE);
    f->dev->class->power_button(f->dev);
    check_request(f, 1, BOARD_WAKE);
    f->dev->class->wake(f->dev);
    g_assert_cmphex(in16(f->test, STATUS), ==, WAKE | POWER_BUTTON);
    g_assert_cmphex(in16(f->test, ENABLE), ==, 0);
    g_assert_cmphex(in16(f->test, CONTROL), ==, 1);
    check_sci(f, false, 0);
    out16(f->test, STATUS, WAKE);
    g_assert_cmphex(in16(f->test, STATUS), ==, POWER_BUTTON);
}

static void
test_wake_alarm(Fixture *f, gconstpointer class)
{
    f->dev->class->sleep(f->dev);
    f->dev->class->rtc_alarm(f->dev); /* not enabled */
    g_assert_cmpuint(f->test->n_requests, ==, 0);
    g_assert_cmphex(in16(f->test, STATUS), ==, RTC_ALARM);
    f->dev->class->reset(f->dev);
    out16(f->test, ENABLE, RTC_ALARM);
    f->dev->class->sleep(f->dev);
    g_assert_cmpuint(f->test->n_requests, ==, 0);
    f->dev->class->rtc_alarm(f->dev);
    check_request(f, 1, BOARD_WAKE);
    f->dev->class->wake(f->dev);
    g_assert_cmphex(in16(f->test, STATUS), ==, WAKE | RTC_ALARM);
}

/* An alarm that goes off before it sleeps is not lost. */
static void
test_wake_early(Fixture *f, gconstpointer class)
{
    out16(f->test, ENABLE, RTC_ALARM);
    f->dev->class->rtc_alarm(f->dev);
    g_assert_cmpuint(f->test->n_requests, ==, 0);
    f->dev->class->sleep(f->dev);
    check_request(f, 1, BOARD_WAKE);
}

/* Woken by somebody outside: guests go on only where they find a reason. */
static void
test_wake_request(Fixture *f, gconstpointer class)
{
    f->dev->class->sleep(f->dev);
    f->dev->class->wake(f->dev);
    g_assert_cmphex(in16(f->test, STATUS), ==, WAKE | POWER_BUTTON);
    f->dev->class->reset(f->dev);
    g_assert_cmphex(in16(f->test, STATUS), ==, 0);
    f->dev->class->power_button(f->dev);
    g_assert_cmpuint(f->test->n_requests, ==, 0);
}

static void
test_timer(Fixture *f, gconstpointer class)
{
    g_assert_cmpuint(in32(f->test, TIMER), ==, 0);
    fake_advance(SECOND);
    g_assert_cmpuint(in32(f->test, TIMER), ==, 3579545);
    out32(f->test, TIMER, 5);
    g_assert_cmpuint(in32(f->test, TIMER), ==, 3579545);
    g_assert_cmphex(in16(f->test, TIMER + 2), ==, 3579545 >> 16);
    g_assert_cmphex(in8(f->test, TIMER + 3), ==, 0);
    fake_advance(9 * SECOND);
    g_assert_cmpuint(in32(f->test, TIMER), ==, 35795450 % (1 << 24));
    fake_advance(100000000 * SECOND); /* three years */
    g_assert_cmpuint(in32(f->test, TIMER), ==, 100000010 * 3579545ull % (1 << 24));
}

/* The highest bit toggles every 2.34 s. */
static void
test_timer_status(Fixture *f, gconstpointer class)
{
    fake_advance(SECOND * 234 / 100);
    g_assert_cmphex(in16(f->test, STATUS), ==, 0);
    fake_advance(SECOND / 100);
    g_assert_cmphex(in16(f->test, STATUS), ==, TIMER_EVENT);
    out16(f->test, STATUS, TIMER_EVENT);
    g_assert_cmphex(in16(f->test, STATUS), ==, 0);
    g_assert_false(fake_alarm_is_set());

    out16(f->test, ENABLE, TIMER_EVENT);
    g_assert_cmpuint(fake_advance(SECOND * 23 / 10), ==, 0);
    check_sci(f, false, 0);
    g_assert_cmpuint(fake_advance(SECOND / 10), ==, 1);
    check_sci(f, true, 1);
    g_assert_false(fake_alarm_is_set());
    out16(f->test, STATUS, TIMER_EVENT);
    check_sci(f, false, 1);
    fake_advance(SECOND * 24 / 10);
    check_sci(f, true, 2);
    out16(f->test, ENABLE, 0);
    check_sci(f, false, 2);
}

static void
check_resets(Fixture *f, unsigned n)
{
    g_assert_cmpuint(f->test->n_requests, ==, n);
    if (n)
        g_assert_cmpint(f->test->request, ==, BOARD_RESET);
}

static void
test_reset_register(Fixture *f, gconstpointer class)
{
    g_assert_cmphex(in8(f->test, LAYOUT_RESET_PORT), ==, 0);
    out8(f->test, LAYOUT_RESET_PORT, 0x02); /* as Linux: what kind first, then the edge */
    check_resets(f, 0);
    out8(f->test, LAYOUT_RESET_PORT, 0x06);
    check_resets(f, 1);
    out8(f->test, LAYOUT_RESET_PORT, 0x0e);
    check_resets(f, 1);
    f->dev->class->reset(f->dev);
    g_assert_cmphex(in8(f->test, LAYOUT_RESET_PORT), ==, 0);
    out8(f->test, LAYOUT_RESET_PORT, LAYOUT_RESET_VALUE); /* as ACPI: at once */
    check_resets(f, 2);
    f->dev->class->reset(f->dev);
    out32(f->test, LAYOUT_RESET_PORT - 1, 0xffffffff); /* PCI's address port */
    check_resets(f, 2);
}

static void
test_fast_reset(Fixture *f, gconstpointer class)
{
    g_assert_cmphex(in8(f->test, 0x92), ==, 0x02);
    out8(f->test, 0x92, 0x00);
    g_assert_cmphex(in8(f->test, 0x92), ==, 0x00);
    out8(f->test, 0x92, 0x02);
    check_resets(f, 0);
    out8(f->test, 0x92, 0x03);
    check_resets(f, 1);
}

static void
check_exit(TestBoard *test, unsigned n, unsigned code)
{
    g_assert_cmpuint(test->n_requests, ==, n);
    g_assert_cmpint(test->request, ==, BOARD_EXIT);
    g_assert_cmphex(test->code, ==, code);
}

static void
test_debug_exit(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    TestBoard *test = test_board_new(NULL);
    Device *dev;

    vmm_msg_put_u64(params, "port", 0x501);
    dev = test_board_add(test, &debug_exit_class, params);
    g_assert_cmphex(in8(test, 0x501), ==, 0);
    g_assert_cmpuint(test->n_requests, ==, 0);
    out8(test, 0x501, 0x2a);
    check_exit(test, 1, 0x2a);
    out16(test, 0x501, 0x1234);
    check_exit(test, 2, 0x1234);
    out32(test, 0x501, 0x89abcdef);
    check_exit(test, 3, 0x89abcdef);
    device_free(dev);
    test_board_free(test);
}

static void
test_debug_exit_ports(void)
{
    vmm_msg_auto none = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    vmm_msg_auto high = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    TestBoard *test = test_board_new(NULL);
    VmmError err;

    vmm_msg_put_u64(high, "port", 0xfffd);
    g_assert_null(device_new(&debug_exit_class, &test->board, "x", none, &err));
    g_assert_cmpstr(err.text, ==, "Device 'x' has no port");
    g_assert_null(device_new(&debug_exit_class, &test->board, "x", high, &err));
    g_assert_cmpstr(err.text, ==, "Port 0xfffd of device 'x' is out of range");
    test_board_free(test);
}

#define ADD(path, class, fn) g_test_add(path, Fixture, &class, set_up, fn, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/pm/power-on", pm_class, test_power_on);
    ADD("/pm/power-button", pm_class, test_power_button);
    ADD("/pm/sleep", pm_class, test_sleep);
    ADD("/pm/suspend", pm_class, test_suspend);
    g_test_add_func("/pm/suspend-refused", test_suspend_refused);
    ADD("/pm/wake-button", pm_class, test_wake_button);
    ADD("/pm/wake-alarm", pm_class, test_wake_alarm);
    ADD("/pm/wake-early", pm_class, test_wake_early);
    ADD("/pm/wake-request", pm_class, test_wake_request);
    ADD("/pm/timer", pm_class, test_timer);
    ADD("/pm/timer-status", pm_class, test_timer_status);
    ADD("/reset-control/register", reset_control_class, test_reset_register);
    ADD("/reset-control/fast", reset_control_class, test_fast_reset);
    g_test_add_func("/debug-exit/write", test_debug_exit);
    g_test_add_func("/debug-exit/ports", test_debug_exit_ports);
    return g_test_run();
}
