/* What looks after a guest: crashes, panics, the watchdog, and NMIs from outside. */
#include "tests/guest/payload-tests.h"

#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>

#define MIB (1ull << 20)

static void
assert_crash_log(Vmm *vmm)
{
    g_autofree char *log = vmm_log(vmm);

    g_assert_nonnull(strstr(log, "vCPU 0: registers:"));
    g_assert_nonnull(strstr(log, "rip 00000000d0000000"));
    g_assert_nonnull(strstr(log, "rax 000000000000c0de"));
    g_assert_nonnull(strstr(log, "cr0"));
}

static void
test_crash_stop(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(2, "fetch-from-nowhere");
    vmm_wait_stopped(vmm, VMM_REASON_CRASHED, NULL);
    assert_crash_log(vmm);
}

static void
test_crash_pause(void)
{
    g_autoptr(Vmm) vmm = NULL;
    vmm_msg_auto event = NULL;
    const char *reason = NULL;
    VmmMsg *create;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    create = vmm_create_request(vmm, 16 * MIB, 1, "fetch-from-nowhere");
    vmm_msg_put_string(create, "on-crash", VMM_ACTION_PAUSE);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    event = vmm_wait_event(vmm, VMM_EVENT_PAUSED);
    g_assert_true(vmm_msg_get_string(event, "reason", &reason));
    g_assert_cmpstr(reason, ==, VMM_REASON_CRASHED);
    vmm_assert_state(vmm, VMM_STATE_PAUSED, VMM_REASON_CRASHED);
    assert_crash_log(vmm);
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

/* A machine with one more device and a policy for crashes, running @cmdline. */
static Vmm *
start_with(const char *class, const char *key, const char *value, const char *on_crash,
           const char *cmdline)
{
    Vmm *vmm = vmm_spawn();
    VmmMsg *msg = vmm_create_request(vmm, 16 * MIB, 2, cmdline);

    vmm_msg_put_string(msg, "on-crash", on_crash);
    vmm_accept(vmm_call(vmm, msg));
    vmm_add_devices(vmm);
    msg = vmm_request(vmm, VMM_ADD_DEVICE);
    vmm_msg_put_string(msg, "class", class);
    vmm_msg_put_string(msg, "id", "guard");
    if (key) {
        vmm_msg_put_u64(msg, "slot", 5);
        vmm_msg_put_string(msg, key, value);
    }
    vmm_accept(vmm_call(vmm, msg));
    vmm_do(vmm, VMM_RUN);
    return vmm;
}

static void
assert_reason(VmmMsg *event, const char *wanted)
{
    vmm_msg_auto owned = event;
    const char *reason = NULL;

    g_assert_true(vmm_msg_get_string(owned, "reason", &reason));
    g_assert_cmpstr(reason, ==, wanted);
}

static void
test_panic_stop(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start_with(VMM_CLASS_PVPANIC, NULL, NULL, VMM_ACTION_STOP, "panic 1");
    vmm_wait_stopped(vmm, VMM_REASON_PANICKED, NULL);
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, "panicking\n");
}

static void
test_panic_pause(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start_with(VMM_CLASS_PVPANIC, NULL, NULL, VMM_ACTION_PAUSE, "panic 1");
    assert_reason(vmm_wait_event(vmm, VMM_EVENT_PAUSED), VMM_REASON_PANICKED);
    vmm_assert_state(vmm, VMM_STATE_PAUSED, VMM_REASON_PANICKED);
    vmm_do(vmm, VMM_RUN); /* whoever wants to may see what it does then */
    vmm_wait_serial(vmm, "still here\n");
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "1");
}

static void
test_crash_loaded(void)
{
    g_autoptr(Vmm) vmm = NULL;
    vmm_msg_auto event = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start_with(VMM_CLASS_PVPANIC, NULL, NULL, VMM_ACTION_STOP, "panic 2");
    event = vmm_wait_event(vmm, VMM_EVENT_CRASH_LOADED);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "2");
}

static Vmm *
start_watchdog(const char *action)
{
    Vmm *vmm = start_with(VMM_CLASS_I6300ESB, "action", action, VMM_ACTION_STOP, "watchdog");
    vmm_msg_auto event = vmm_wait_event(vmm, VMM_EVENT_WATCHDOG);
    const char *text = NULL;

    g_assert_true(vmm_msg_get_string(event, "action", &text));
    g_assert_cmpstr(text, ==, action);
    g_assert_true(vmm_msg_get_string(event, "id", &text));
    g_assert_cmpstr(text, ==, "guard");
    return vmm;
}

static void
test_watchdog_reset(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start_watchdog(VMM_WATCHDOG_RESET);
    assert_reason(vmm_wait_event(vmm, VMM_EVENT_RESET), VMM_REASON_RESET);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    said = vmm_serial(vmm);
    g_assert_true(g_str_has_suffix(said, "it was the watchdog\n"));
}

static void
test_watchdog_poweroff(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start_watchdog(VMM_WATCHDOG_POWEROFF);
    vmm_wait_stopped(vmm, VMM_REASON_POWER_CUT, NULL);
}

static void
test_watchdog_pause(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start_watchdog(VMM_WATCHDOG_PAUSE);
    assert_reason(vmm_wait_event(vmm, VMM_EVENT_PAUSED), VMM_REASON_WATCHDOG);
    vmm_assert_state(vmm, VMM_STATE_PAUSED, VMM_REASON_WATCHDOG);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "bitten\n");
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

/* What does not end the run: the guest goes on, here with the watchdog off. */
static void
test_watchdog_goes_on(gconstpointer action)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start_watchdog(action);
    vmm_wait_serial(vmm, "bitten\n");
    vmm_assert_state(vmm, VMM_STATE_RUNNING, VMM_REASON_USER);
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

static void
test_watchdog_nmi(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start_watchdog(VMM_WATCHDOG_INJECT_NMI);
    vmm_wait_serial(vmm, "NMI\n");
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
}

static void
test_inject_nmi(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    vmm_build(vmm, 2, "nmi");
    vmm_do(vmm, VMM_INJECT_NMI); /* lost: nobody listens before the first instruction */
    vmm_assert_state(vmm, VMM_STATE_PAUSED, VMM_REASON_USER);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "waiting for an NMI\n");
    vmm_do(vmm, VMM_INJECT_NMI);
    vmm_wait_serial(vmm, "NMI\n");
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
}

static void
test_nmi_masked(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(1, "nmi 1");
    vmm_wait_serial(vmm, "waiting for an NMI\n");
    vmm_do(vmm, VMM_INJECT_NMI);
    vmm_do(vmm, VMM_PAUSE);
    vmm_do(vmm, VMM_RUN);
    vmm_do(vmm, VMM_PAUSE);
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, "waiting for an NMI\n");
}

void
add_guards_tests(void)
{
    g_test_add_func("/payload/crash/stop", test_crash_stop);
    g_test_add_func("/payload/crash/pause", test_crash_pause);
    g_test_add_func("/payload/panic/stop", test_panic_stop);
    g_test_add_func("/payload/panic/pause", test_panic_pause);
    g_test_add_func("/payload/panic/crash-loaded", test_crash_loaded);
    g_test_add_func("/payload/watchdog/reset", test_watchdog_reset);
    g_test_add_func("/payload/watchdog/poweroff", test_watchdog_poweroff);
    g_test_add_func("/payload/watchdog/pause", test_watchdog_pause);
    g_test_add_data_func("/payload/watchdog/none", VMM_WATCHDOG_NONE, test_watchdog_goes_on);
    g_test_add_data_func("/payload/watchdog/shutdown", VMM_WATCHDOG_SHUTDOWN,
                         test_watchdog_goes_on);
    g_test_add_func("/payload/watchdog/inject-nmi", test_watchdog_nmi);
    g_test_add_func("/payload/nmi/taken", test_inject_nmi);
    g_test_add_func("/payload/nmi/masked", test_nmi_masked);
}
