/* The ways in which a payload guest is reset, turned off, woken by its button, and paused. */
#include "tests/guest/payload-tests.h"

#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <signal.h>
#include <string.h>

#define MIB (1ull << 20)

/* Each way of resetting, @data, from one boot to the fifth. */
static void
test_reset(gconstpointer data)
{
    g_autofree char *cmdline = g_strdup_printf("%s 5", (const char *)data);
    g_autofree char *said = NULL;
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(2, cmdline);
    for (guint i = 0; i < 4; i++) {
        vmm_msg_auto event = vmm_wait_event(vmm, VMM_EVENT_RESET);
        const char *reason = NULL;

        g_assert_true(vmm_msg_get_string(event, "reason", &reason));
        g_assert_cmpstr(reason, ==, VMM_REASON_RESET);
    }
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, "boot 1\nboot 2\nboot 3\nboot 4\nboot 5\n");
}

/* The vCPUs that the guest has started are off again after a reset. */
static void
test_reset_after_smp(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(4, "smp-boots 4");
    for (guint i = 0; i < 2; i++) {
        vmm_msg_auto event = vmm_wait_event(vmm, VMM_EVENT_RESET);
        (void)event;
    }
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
}

/* on-reboot decides what a guest's reset is; "reset" from the driver is one in any case. */
static void
test_on_reboot(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *create;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    create = vmm_create_request(vmm, 16 * MIB, 1, "cf9 5");
    vmm_msg_put_string(create, "on-reboot", VMM_ACTION_STOP);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_stopped(vmm, VMM_REASON_RESET, NULL);
}

static void
test_reset_verb(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *action;
    g_autofree char *said = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(2, "boots");
    vmm_wait_serial(vmm, "boot 1\n");
    action = vmm_request(vmm, VMM_SET_ACTION);
    vmm_msg_put_string(action, "on-reboot", VMM_ACTION_STOP);
    vmm_accept(vmm_call(vmm, action));
    vmm_do(vmm, VMM_RESET);
    vmm_wait_serial(vmm, "boot 2\n");
    vmm_assert_state(vmm, VMM_STATE_RUNNING, VMM_REASON_USER);
    /* A paused guest stays paused, and boots when it is resumed. */
    vmm_do(vmm, VMM_PAUSE);
    vmm_do(vmm, VMM_RESET);
    vmm_assert_state(vmm, VMM_STATE_PAUSED, VMM_REASON_USER);
    g_usleep(50000);
    said = vmm_serial(vmm);
    g_assert_null(strstr(said, "boot 3"));
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "boot 3\n");
}

/* Twenty resets leave nothing behind in the process. */
static void
test_resets_are_flat(void)
{
    g_autoptr(Vmm) vmm = NULL;
    guint fds, threads;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(4, "boots");
    vmm_wait_serial(vmm, "boot 1\n");
    fds = vmm_count(vmm, "fd");
    threads = vmm_count(vmm, "task");
    for (guint i = 2; i <= 21; i++) {
        g_autofree char *line = g_strdup_printf("boot %u\n", i);

        vmm_do(vmm, VMM_RESET);
        vmm_wait_serial(vmm, line);
    }
    g_assert_cmpuint(vmm_count(vmm, "fd"), ==, fds);
    g_assert_cmpuint(vmm_count(vmm, "task"), ==, threads);
    g_assert_cmpuint(threads, >=, 1 + 4); /* the kernel adds one of its own */
}

static void
test_power_off(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(1, "power-off");
    vmm_wait_stopped(vmm, VMM_REASON_POWEROFF, NULL);
}

static void
test_on_poweroff_reset(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *create;
    vmm_msg_auto event = NULL;
    const char *reason = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    create = vmm_create_request(vmm, 16 * MIB, 1, "power-off");
    vmm_msg_put_string(create, "on-poweroff", VMM_ACTION_RESET);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    event = vmm_wait_event(vmm, VMM_EVENT_RESET);
    g_assert_true(vmm_msg_get_string(event, "reason", &reason));
    g_assert_cmpstr(reason, ==, VMM_REASON_POWEROFF);
}

static void
test_power_button(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(1, "power-button");
    vmm_wait_serial(vmm, "waiting for the button\n");
    vmm_do(vmm, VMM_POWER_BUTTON);
    vmm_wait_stopped(vmm, VMM_REASON_POWEROFF, NULL);
}

/* A reboot: the power-off that answers this press starts over, the one that answers the next press
 * does not. */
static void
test_power_button_then_reset(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *press;
    vmm_msg_auto event = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(1, "power-button");
    vmm_wait_serial(vmm, "waiting for the button\n");
    press = vmm_request(vmm, VMM_POWER_BUTTON);
    vmm_msg_put_string(press, "then", VMM_ACTION_RESET);
    vmm_accept(vmm_call(vmm, press));
    event = vmm_wait_event(vmm, VMM_EVENT_RESET);
    vmm_wait_serial(vmm, "good night\nwaiting for the button\n");
    vmm_do(vmm, VMM_POWER_BUTTON);
    vmm_wait_stopped(vmm, VMM_REASON_POWEROFF, NULL);
}

/* What machined, systemd and administrators say. */
static void
test_signals(void)
{
    g_autoptr(Vmm) vmm = NULL;
    vmm_msg_auto event = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(1, "power-button");
    vmm_wait_serial(vmm, "waiting for the button\n");
    kill(vmm_pid(vmm), SIGINT);
    event = vmm_wait_event(vmm, VMM_EVENT_RESET);
    vmm_wait_serial(vmm, "good night\nwaiting for the button\n");
    kill(vmm_pid(vmm), SIGRTMIN + 4);
    vmm_wait_stopped(vmm, VMM_REASON_POWEROFF, NULL);
}

static void
test_signal_end(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *record = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(1, "idle");
    vmm_wait_serial(vmm, "idle\n");
    kill(vmm_pid(vmm), SIGTERM);
    vmm_wait_exit(vmm);
    record = vmm_record(vmm);
    g_assert_cmpstr(record, ==, "stopped user ended by request\n");
}

static void
test_no_acpi(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *create;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    create = vmm_create_request(vmm, 16 * MIB, 1, "idle");
    vmm_msg_put_bool(create, "acpi", FALSE);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "idle\n");
    vmm_refuses(vmm, VMM_POWER_BUTTON, VMM_ERROR_UNSUPPORTED);
}

static guint64
cpu_time(Vmm *vmm)
{
    vmm_msg_auto reply = vmm_call(vmm, vmm_request(vmm, VMM_STATS));
    const void *times = NULL;
    gsize size = 0;
    guint64 time;

    g_assert_true(vmm_msg_get_bytes(reply, "vcpu-times", &times, &size));
    g_assert_cmpuint(size, >=, sizeof(time));
    memcpy(&time, times, sizeof(time));
    return GUINT64_FROM_LE(time);
}

static void
test_pause(void)
{
    g_autoptr(Vmm) vmm = NULL;
    guint64 before;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(2, "count 1000");
    for (guint i = 0; i < 20; i++) {
        g_autofree char *said = NULL, *later = NULL;

        vmm_wait_serial(vmm, ".");
        vmm_do(vmm, VMM_PAUSE);
        vmm_assert_state(vmm, VMM_STATE_PAUSED, VMM_REASON_USER);
        said = vmm_serial(vmm);
        before = cpu_time(vmm);
        g_assert_cmpuint(before, >, 0);
        g_usleep(5000);
        later = vmm_serial(vmm);
        g_assert_cmpstr(said, ==, later);
        g_assert_cmpuint(cpu_time(vmm), <, before + 1000000); /* of the 5 ms: going to sleep */
        vmm_do(vmm, VMM_RUN);
        vmm_assert_state(vmm, VMM_STATE_RUNNING, VMM_REASON_USER);
        while (cpu_time(vmm) < before + 1000000)
            g_usleep(1000);
    }
}

/* An instruction of four thousand million port writes holds up neither a pause nor a reset. */
static void
test_long_string(void)
{
    g_autoptr(Vmm) vmm = NULL;
    gint64 begin;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(1, "long-string");
    vmm_wait_serial(vmm, "writing\n");
    begin = g_get_monotonic_time();
    vmm_do(vmm, VMM_PAUSE);
    vmm_do(vmm, VMM_RUN);
    vmm_do(vmm, VMM_RESET);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 300 * G_USEC_PER_SEC);
    vmm_wait_serial(vmm, "writing\nwriting\n");
    vmm_assert_state(vmm, VMM_STATE_RUNNING, VMM_REASON_USER);
}

void
add_power_tests(void)
{
    g_test_add_data_func("/payload/reset/cf9", "cf9", test_reset);
    g_test_add_data_func("/payload/reset/i8042", "i8042", test_reset);
    g_test_add_data_func("/payload/reset/triple-fault", "triple-fault", test_reset);
    g_test_add_func("/payload/reset/after-smp", test_reset_after_smp);
    g_test_add_func("/payload/reset/on-reboot", test_on_reboot);
    g_test_add_func("/payload/reset/verb", test_reset_verb);
    g_test_add_func("/payload/reset/flat", test_resets_are_flat);
    g_test_add_func("/payload/power/off", test_power_off);
    g_test_add_func("/payload/power/on-poweroff", test_on_poweroff_reset);
    g_test_add_func("/payload/power/button", test_power_button);
    g_test_add_func("/payload/power/button-then-reset", test_power_button_then_reset);
    g_test_add_func("/payload/power/signals", test_signals);
    g_test_add_func("/payload/power/signal-end", test_signal_end);
    g_test_add_func("/payload/power/no-acpi", test_no_acpi);
    g_test_add_func("/payload/pause", test_pause);
    g_test_add_func("/payload/long-string", test_long_string);
}
