/* Payload guests on the host's KVM: what the VMM does from the first message to the last. */
#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1ull << 20)

static Vmm *
start(guint vcpus, const char *cmdline)
{
    Vmm *vmm = vmm_spawn();

    vmm_build(vmm, vcpus, cmdline);
    vmm_do(vmm, VMM_RUN);
    return vmm;
}

static gboolean
has_tsc_scaling(void)
{
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int has = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL);

    close(kvm);
    return has > 0;
}

static void
test_hello(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start(1, "hello 7");
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "7");
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, "hello from the payload\n");
}

/* Each way of resetting, @data, from one boot to the fifth. */
static void
test_reset(gconstpointer data)
{
    g_autofree char *cmdline = g_strdup_printf("%s 5", (const char *)data);
    g_autofree char *said = NULL;
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start(2, cmdline);
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
    vmm = start(4, "smp-boots 4");
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
    vmm = start(2, "boots");
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
    vmm = start(4, "boots");
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
    vmm = start(1, "power-off");
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
    vmm = start(1, "power-button");
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
    vmm = start(1, "power-button");
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
    vmm = start(1, "power-button");
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
    vmm = start(1, "idle");
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
    guint64 time = 0;

    g_assert_true(vmm_msg_get_u64(reply, "vcpu-0-time", &time));
    return time;
}

static void
test_pause(void)
{
    g_autoptr(Vmm) vmm = NULL;
    guint64 before;

    if (!vmm_have_kvm())
        return;
    vmm = start(2, "count 1000");
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
    vmm = start(1, "long-string");
    vmm_wait_serial(vmm, "writing\n");
    begin = g_get_monotonic_time();
    vmm_do(vmm, VMM_PAUSE);
    vmm_do(vmm, VMM_RUN);
    vmm_do(vmm, VMM_RESET);
    g_assert_cmpint(g_get_monotonic_time() - begin, <, 300 * G_USEC_PER_SEC);
    vmm_wait_serial(vmm, "writing\nwriting\n");
    vmm_assert_state(vmm, VMM_STATE_RUNNING, VMM_REASON_USER);
}

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
    vmm = start(2, "fetch-from-nowhere");
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
    vmm_refuses(vmm, VMM_INJECT_NMI, VMM_ERROR_STATE);
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

    if (!vmm_have_kvm())
        return;
    vmm = start(1, "nmi 1");
    vmm_wait_serial(vmm, "waiting for an NMI\n");
    vmm_refuses(vmm, VMM_INJECT_NMI, VMM_ERROR_FAILED);
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

static VmmMsg *
peek_at(Vmm *vmm, guint64 address, guint64 size, gboolean virtual, int file)
{
    VmmMsg *msg = vmm_request(vmm, VMM_PEEK);

    vmm_msg_put_u64(msg, "address", address);
    vmm_msg_put_u64(msg, "size", size);
    vmm_msg_put_bool(msg, "virtual", virtual);
    vmm_msg_put_fd(msg, "to", dup(file));
    return vmm_call(vmm, msg);
}

/* The payload is at 1 MiB, mapped where it is; beyond a page's end, too. */
static void
test_peek(void)
{
    static char seen[2][8192];
    g_autoptr(Vmm) vmm = NULL;
    int file = memfd_create("peek", MFD_CLOEXEC);

    if (!vmm_have_kvm())
        return;
    vmm = start(2, "nmi");
    vmm_wait_serial(vmm, "waiting for an NMI\n");
    for (int virtual = 0; virtual < 2; virtual++) {
        vmm_accept(peek_at(vmm, (1 << 20) + 0x801, sizeof(seen[0]), virtual, file));
        g_assert_cmpint(pread(file, seen[virtual], sizeof(seen[0]), 0), ==, sizeof(seen[0]));
    }
    g_assert_cmpmem(seen[0], sizeof(seen[0]), seen[1], sizeof(seen[1]));
    g_assert_nonnull(memmem(seen[0], sizeof(seen[0]), "waiting for an NMI", 18));
    vmm_reject(peek_at(vmm, (16 << 20) - 4, 8, FALSE, file), VMM_ERROR_FAILED, "no RAM");
    vmm_reject(peek_at(vmm, G_MAXUINT64 - 3, 8, FALSE, file), VMM_ERROR_FAILED, "no RAM");
    vmm_reject(peek_at(vmm, 0, VMM_PEEK_MAX + 1, FALSE, file), VMM_ERROR_INVALID, "size");
    vmm_do(vmm, VMM_PAUSE);
    vmm_accept(peek_at(vmm, 0, 0, FALSE, file));
    vmm_do(vmm, VMM_RUN);
    vmm_do(vmm, VMM_INJECT_NMI); /* it is as it was */
    vmm_wait_serial(vmm, "NMI\n");
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    close(file);
}

static void
test_smp(gconstpointer data)
{
    guint vcpus = GPOINTER_TO_UINT(data);
    g_autofree char *cmdline = g_strdup_printf("smp %u", vcpus);
    g_autofree char *expected = g_strdup_printf("vCPUs: %u, APIC ids: %u\n", vcpus, vcpus);
    g_autofree char *said = NULL;
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start(vcpus, cmdline);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, expected);
}

/* Each wrong "create" is refused in words, and the machine can be created after it. */
static void
test_refusals(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    vmm_assert_state(vmm, VMM_STATE_EMPTY, VMM_REASON_USER);
    vmm_refuses(vmm, VMM_RUN, VMM_ERROR_STATE);
    vmm_refuses(vmm, VMM_PAUSE, VMM_ERROR_STATE);
    vmm_refuses(vmm, VMM_STATS, VMM_ERROR_STATE);
    vmm_refuses(vmm, "dance", VMM_ERROR_UNSUPPORTED);

    msg = vmm_create_request(vmm, 16 * MIB, 1, "idle");
    vmm_msg_put_u64(msg, "colour", 3);
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_INVALID, "'colour'");
    msg = vmm_create_request(vmm, 16 * MIB, 1, "idle");
    vmm_msg_put_u64(msg, "acpi", 1);
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_INVALID, "'acpi'");
    vmm_reject(vmm_call(vmm, vmm_create_request(vmm, 16 * MIB + 1, 1, "")), VMM_ERROR_INVALID,
               "16777217 bytes");
    vmm_reject(vmm_call(vmm, vmm_create_request(vmm, 16 * MIB, 0, "")), VMM_ERROR_INVALID, "vCPUs");
    vmm_reject(vmm_call(vmm, vmm_create_request(vmm, 16 * MIB, 256, "")), VMM_ERROR_INVALID,
               "vCPUs");
    msg = vmm_create_request(vmm, 16 * MIB, 4, "idle");
    vmm_msg_put_u64(msg, "cores", 3);
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_INVALID, "topology");
    msg = vmm_create_request(vmm, 16 * MIB, 4, "idle");
    vmm_msg_put_string(msg, "on-crash", "cry");
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_INVALID, "'cry'");
    vmm_reject(vmm_call(vmm, vmm_request(vmm, VMM_CREATE)), VMM_ERROR_INVALID, "'kvm'");

    vmm_build(vmm, 1, "idle");
    vmm_assert_state(vmm, VMM_STATE_CREATED, VMM_REASON_USER);
    vmm_refuses(vmm, VMM_CREATE, VMM_ERROR_STATE);
    vmm_refuses(vmm, VMM_PAUSE, VMM_ERROR_STATE);
    msg = vmm_request(vmm, VMM_ADD_DEVICE);
    vmm_msg_put_string(msg, "class", "warp-drive");
    vmm_msg_put_string(msg, "id", "x");
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_UNSUPPORTED, "'warp-drive'");
    msg = vmm_request(vmm, VMM_ADD_DEVICE);
    vmm_msg_put_string(msg, "class", VMM_CLASS_DEBUG_EXIT);
    vmm_msg_put_string(msg, "id", "exit");
    vmm_msg_put_u64(msg, "port", 0x502);
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_INVALID, "'exit'");
    msg = vmm_request(vmm, VMM_ADD_DEVICE);
    vmm_msg_put_string(msg, "class", VMM_CLASS_DEBUG_EXIT);
    vmm_msg_put_string(msg, "id", "exit2");
    vmm_msg_put_u64(msg, "port", 0x510);
    vmm_msg_put_bool(msg, "loud", TRUE);
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_INVALID, "'loud'");
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "idle\n");
    msg = vmm_request(vmm, VMM_ADD_DEVICE);
    vmm_msg_put_string(msg, "class", VMM_CLASS_DEBUG_EXIT);
    vmm_msg_put_string(msg, "id", "late");
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_STATE, "new machine");
}

/* Needs no KVM. */
static void
test_not_kvm(void)
{
    g_autoptr(Vmm) vmm = vmm_spawn();
    VmmMsg *msg = vmm_request(vmm, VMM_CREATE);

    vmm_msg_put_fd(msg, "kvm", open("/dev/null", O_RDWR | O_CLOEXEC));
    vmm_msg_put_fd(msg, "kernel", open("/dev/null", O_RDONLY | O_CLOEXEC));
    vmm_msg_put_u64(msg, "memory", 16 * MIB);
    vmm_msg_put_u64(msg, "vcpus", 1);
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_FAILED, "is not /dev/kvm");
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

static void
test_left_before_create(void)
{
    g_autoptr(Vmm) vmm = vmm_spawn();

    vmm_assert_state(vmm, VMM_STATE_EMPTY, VMM_REASON_USER);
    vmm_disconnect(vmm);
    vmm_wait_exit(vmm);
}

static void
test_not_a_message(void)
{
    g_autoptr(Vmm) vmm = vmm_spawn();

    g_assert_cmpint(write(vmm_socket(vmm), "nonsense", 8), ==, 8);
    vmm_wait_exit(vmm);
}

static void
test_unbootable(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    msg = vmm_request(vmm, VMM_CREATE);
    vmm_msg_put_fd(msg, "kvm", open("/dev/kvm", O_RDWR | O_CLOEXEC));
    vmm_msg_put_fd(msg, "kernel", open("/dev/null", O_RDONLY | O_CLOEXEC));
    vmm_msg_put_u64(msg, "memory", 16 * MIB);
    vmm_msg_put_u64(msg, "vcpus", 1);
    vmm_accept(vmm_call(vmm, msg));
    vmm_refuses(vmm, VMM_RUN, VMM_ERROR_INVALID);
    vmm_assert_state(vmm, VMM_STATE_CREATED, VMM_REASON_USER);
}

/* A restarted daemon finds its guest again. */
static void
test_reconnect(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start(1, "power-button");
    vmm_wait_serial(vmm, "waiting for the button\n");
    for (guint i = 0; i < 5; i++) {
        vmm_disconnect(vmm);
        g_usleep(20000);
        vmm_connect(vmm);
        vmm_assert_state(vmm, VMM_STATE_RUNNING, VMM_REASON_USER);
    }
    vmm_do(vmm, VMM_POWER_BUTTON);
    vmm_wait_stopped(vmm, VMM_REASON_POWEROFF, NULL);
}

/* Stopped while nobody was connected: the record tells. */
static void
test_record(void)
{
    g_autofree char *record = NULL;
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start(1, "late-exit 42");
    vmm_disconnect(vmm);
    vmm_wait_exit(vmm);
    record = vmm_record(vmm);
    g_assert_cmpstr(record, ==, "stopped exit 42\n");
}

/* A driver that does not read loses its connection, and the guest does not notice. */
static void
test_deaf_driver(void)
{
    g_autofree char *log = NULL;
    g_autoptr(Vmm) vmm = NULL;
    gint64 limit = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    if (!vmm_have_kvm())
        return;
    vmm = start(1, "cf9 1000000");
    do {
        g_free(log);
        g_usleep(20000);
        log = vmm_log(vmm);
    } while (!strstr(log, "its connection is dropped") && g_get_monotonic_time() < limit);
    g_assert_nonnull(strstr(log, "its connection is dropped"));
    vmm_disconnect(vmm);
    vmm_connect(vmm);
    vmm_assert_state(vmm, VMM_STATE_RUNNING, VMM_REASON_USER);
}

/* Requests that nobody waits for are all answered, in order. */
static void
test_many_requests(void)
{
    g_autoptr(Vmm) vmm = vmm_spawn();
    guint sent = 0, got = 0;

    while (got < 2000) {
        VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, sent + 1, VMM_HELLO);

        while (sent < 2000 && vmm_msg_send(vmm_socket(vmm), msg)) {
            vmm_msg_free(msg);
            msg = vmm_msg_new(VMM_MSG_REQUEST, ++sent + 1, VMM_HELLO);
        }
        vmm_msg_free(msg);
        while ((msg = vmm_msg_recv(vmm_socket(vmm)))) {
            g_assert_cmpuint(vmm_msg_serial(msg), ==, ++got);
            vmm_msg_free(msg);
        }
        g_assert_cmpint(errno, ==, EAGAIN);
        g_usleep(500);
    }
}

static void
test_quit(void)
{
    g_autofree char *record = NULL;
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start(4, "count 1000");
    vmm_wait_serial(vmm, ".");
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
    record = vmm_record(vmm);
    g_assert_cmpstr(record, ==, "stopped user ended by request\n");
}

/* What a guest reads in leaf @leaf of a machine that was made to measure. */
static char *
read_cpuid(guint32 leaf)
{
    g_autofree char *scene = g_strdup_printf("cpuid %u", leaf);
    g_autoptr(Vmm) vmm = vmm_spawn();
    VmmMsg *create = vmm_create_request(vmm, 16 * MIB, 1, scene);

    vmm_msg_put_string(create, "cpuid",
                       "0.0:eax=d/ffffffff 1.0:eax=206a1/ffffffff "
                       "80000002.0:eax=6c746d76/ffffffff");
    vmm_msg_put_string(create, "cpu-cache", "emulated");
    vmm_msg_put_bool(create, "kvm-leaves", FALSE);
    vmm_msg_put_bool(create, "pmu", FALSE);
    vmm_msg_put_bool(create, "pit-reinject", FALSE);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    return vmm_serial(vmm);
}

static void
test_cpuid(void)
{
    g_autofree char *limit = NULL, *features = NULL, *kvm = NULL, *brand = NULL;

    if (!vmm_have_kvm())
        return;
    limit = read_cpuid(0);
    features = read_cpuid(1);
    kvm = read_cpuid(0x40000000);
    brand = read_cpuid(0x80000002);
    g_assert_true(g_str_has_prefix(limit, "0000000d "));
    g_assert_true(g_str_has_prefix(features, "000206a1 "));
    g_assert_null(strstr(kvm, "4b4d564b"));
    g_assert_true(g_str_has_prefix(brand, "6c746d76 "));
}

/* A guest in a file of ours, all of it there from the start and locked: the kernel that was loaded into it is
 * in the file. */
static void
test_memory_file(void)
{
    static const guint32 magic = 0x1badb002; /* the payload's multiboot header, at 1 MiB */
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *create;
    guint32 found = 0;
    int fd;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    create = vmm_create_request(vmm, 4 * MIB, 1, "hello 7");
    fd = memfd_create("ram", MFD_CLOEXEC);
    g_assert_no_errno(ftruncate(fd, 4 * MIB));
    vmm_msg_put_fd(create, "ram", fcntl(fd, F_DUPFD_CLOEXEC, 0));
    vmm_msg_put_bool(create, "ram-shared", TRUE);
    vmm_msg_put_bool(create, "ram-locked", TRUE);
    vmm_msg_put_u64(create, "ram-threads", 2);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "7");
    for (off_t at = MIB; at < (off_t)(MIB + 8192) && found != magic; at += 4)
        g_assert_cmpint(pread(fd, &found, sizeof(found), at), ==, sizeof(found));
    g_assert_cmphex(found, ==, magic);
    close(fd);
}

/* A clock that this host has, and one that takes scaling: where there is none, nobody pretends. */
static void
test_tsc(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *create;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    create = vmm_create_request(vmm, 16 * MIB, 1, "hello 7");
    vmm_msg_put_u64(create, "tsc-khz", 123456);
    if (has_tsc_scaling()) {
        vmm_accept(vmm_call(vmm, create));
        return;
    }
    vmm_reject(vmm_call(vmm, create), VMM_ERROR_UNSUPPORTED,
               "and TSC scaling is not supported by the host CPU");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/payload/hello", test_hello);
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
    g_test_add_func("/payload/peek", test_peek);
    g_test_add_data_func("/payload/smp/2", GUINT_TO_POINTER(2), test_smp);
    g_test_add_data_func("/payload/smp/4", GUINT_TO_POINTER(4), test_smp);
    g_test_add_data_func("/payload/smp/16", GUINT_TO_POINTER(16), test_smp);
    g_test_add_func("/payload/cpu/cpuid", test_cpuid);
    g_test_add_func("/payload/cpu/tsc", test_tsc);
    g_test_add_func("/payload/memory/file", test_memory_file);
    g_test_add_func("/payload/refusals", test_refusals);
    g_test_add_func("/payload/not-kvm", test_not_kvm);
    g_test_add_func("/payload/left-before-create", test_left_before_create);
    g_test_add_func("/payload/not-a-message", test_not_a_message);
    g_test_add_func("/payload/unbootable", test_unbootable);
    g_test_add_func("/payload/reconnect", test_reconnect);
    g_test_add_func("/payload/record", test_record);
    g_test_add_func("/payload/deaf-driver", test_deaf_driver);
    g_test_add_func("/payload/many-requests", test_many_requests);
    g_test_add_func("/payload/quit", test_quit);
    return g_test_run();
}
