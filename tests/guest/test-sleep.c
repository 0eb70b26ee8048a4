/* Payload guests that suspend themselves (S3), and what wakes them. */
#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1ull << 20)

/* A guest that has fallen asleep. */
static Vmm *
asleep(guint vcpus, const char *cmdline)
{
    Vmm *vmm = vmm_start(vcpus, cmdline);

    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_SUSPENDED));
    return vmm;
}

/* It has woken and found everything as it should be. */
static void
assert_went_on(Vmm *vmm)
{
    g_autofree char *said = NULL;

    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, "asleep\nawake\n");
}

static void
test_wakeup(gconstpointer vcpus)
{
    g_autofree char *cmdline = g_strdup_printf("sleep %u", GPOINTER_TO_UINT(vcpus));
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = asleep(GPOINTER_TO_UINT(vcpus), cmdline);
    vmm_assert_state(vmm, VMM_STATE_SUSPENDED, VMM_REASON_SLEEP);
    vmm_refuses(vmm, VMM_RUN, VMM_ERROR_STATE);
    vmm_refuses(vmm, VMM_PAUSE, VMM_ERROR_STATE);
    vmm_assert_state(vmm, VMM_STATE_SUSPENDED, VMM_REASON_SLEEP);
    vmm_do(vmm, VMM_WAKEUP);
    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_WOKEN));
    assert_went_on(vmm);
}

static void
test_button(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = asleep(1, "sleep 1");
    vmm_do(vmm, VMM_POWER_BUTTON);
    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_WOKEN));
    assert_went_on(vmm);
}

/* The button works when it is up again. */
static void
test_button_awake(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = asleep(1, "sleep-button");
    vmm_do(vmm, VMM_WAKEUP);
    vmm_wait_serial(vmm, "asleep\nawake\nwaiting for the button\n");
    vmm_do(vmm, VMM_POWER_BUTTON);
    vmm_wait_serial(vmm, "the button was pressed\n");
    vmm_wait_stopped(vmm, VMM_REASON_POWEROFF, NULL);
}

/* Nobody has to do anything. */
static void
test_alarm(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = asleep(1, "nap");
    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_WOKEN));
    assert_went_on(vmm);
}

static void
test_awake(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    vmm_build(vmm, 1, "idle");
    vmm_refuses(vmm, VMM_WAKEUP, VMM_ERROR_STATE);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "idle\n");
    vmm_refuses(vmm, VMM_WAKEUP, VMM_ERROR_STATE);
    vmm_assert_state(vmm, VMM_STATE_RUNNING, VMM_REASON_USER);
}

static void
test_no_vector(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = asleep(1, "sleep-lost");
    vmm_do(vmm, VMM_WAKEUP);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, "asleep\nit started over\n");
}

/* The reset button wakes it, but not to where it was. */
static void
test_reset(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *said = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = asleep(1, "sleep 1");
    vmm_do(vmm, VMM_RESET);
    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_WOKEN));
    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_SUSPENDED));
    said = vmm_serial(vmm);
    g_assert_cmpstr(said, ==, "asleep\nasleep\n");
}

static void
test_hibernate(void)
{
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_start(1, "hibernate");
    vmm_wait_stopped(vmm, VMM_REASON_HIBERNATED, NULL);
}

/* Who was not offered it goes on: the payload's own words end it. */
static void
test_not_offered(gconstpointer scene)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *create;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    create = vmm_create_request(vmm, 16 * MIB, 1, scene);
    vmm_msg_put_bool(create, "pm-suspend-to-mem", false);
    vmm_msg_put_bool(create, "pm-suspend-to-disk", false);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "1");
}

static VmmMsg *
call_with(Vmm *vmm, const char *verb, int fd)
{
    VmmMsg *msg = vmm_request(vmm, verb);

    vmm_msg_put_fd(msg, "fd", fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return vmm_call(vmm, msg);
}

static void
wait_job(Vmm *vmm)
{
    vmm_msg_auto event = vmm_wait_event(vmm, VMM_EVENT_JOB_ENDED);
    const char *outcome = "", *state = "";

    vmm_msg_get_string(event, "outcome", &outcome);
    vmm_msg_get_string(event, "state", &state);
    g_assert_cmpstr(outcome, ==, VMM_OUTCOME_COMPLETED);
    g_assert_cmpstr(state, ==, VMM_STATE_SUSPENDED);
}

/* Saved in its sleep, it sleeps in another process, and wakes there. */
static void
test_saved(void)
{
    int fd = memfd_create("state", MFD_CLOEXEC), serial;
    g_autoptr(Vmm) vmm = NULL, other = NULL;

    g_assert_cmpint(fd, >=, 0);
    if (vmm_have_kvm()) {
        vmm = asleep(2, "sleep 2");
        vmm_accept(call_with(vmm, VMM_SAVE, fd));
        wait_job(vmm);
        serial = vmm_serial_fd(vmm);
        other = vmm_spawn();
        vmm_set_serial(other, serial);
        close(serial);
        vmm_build(other, 2, "sleep 2");
        vmm_do(vmm, VMM_QUIT);
        g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
        vmm_accept(call_with(other, VMM_RESTORE, fd));
        wait_job(other);
        vmm_assert_state(other, VMM_STATE_SUSPENDED, VMM_REASON_SLEEP);
        vmm_refuses(other, VMM_RUN, VMM_ERROR_STATE);
        vmm_do(other, VMM_WAKEUP);
        assert_went_on(other);
    }
    close(fd);
}

static VmmMsg *
press_key(Vmm *vmm)
{
    static const guint8 enter = 28;
    VmmMsg *msg = vmm_request(vmm, VMM_TELL_DEVICE);

    vmm_msg_put_string(msg, "id", "i8042");
    vmm_msg_put_bytes(msg, "keys", &enter, 1);
    vmm_msg_put_u64(msg, "hold", 100);
    return vmm_call(vmm, msg);
}

/* Nothing wakes it while its RAM is being written: into a pipe that nobody reads, until that is given up. */
static void
test_save_undisturbed(void)
{
    g_autoptr(Vmm) vmm = NULL;
    int ends[2];

    if (!vmm_have_kvm())
        return;
    g_assert_no_errno(pipe2(ends, O_CLOEXEC));
    g_assert_cmpint(fcntl(ends[1], F_SETPIPE_SZ, 4096), >=, 4096);
    vmm = asleep(1, "sleep 1");
    vmm_accept(call_with(vmm, VMM_SAVE, ends[1]));
    close(ends[1]);
    vmm_accept(press_key(vmm));
    vmm_assert_state(vmm, VMM_STATE_SUSPENDED, VMM_REASON_SLEEP);
    close(ends[0]);
    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_JOB_ENDED));
    vmm_msg_free(vmm_wait_event(vmm, VMM_EVENT_WOKEN));
    assert_went_on(vmm);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/sleep/wakeup", GUINT_TO_POINTER(1), test_wakeup);
    g_test_add_data_func("/sleep/wakeup-smp", GUINT_TO_POINTER(2), test_wakeup);
    g_test_add_func("/sleep/button", test_button);
    g_test_add_func("/sleep/button-awake", test_button_awake);
    g_test_add_func("/sleep/alarm", test_alarm);
    g_test_add_func("/sleep/awake", test_awake);
    g_test_add_func("/sleep/no-vector", test_no_vector);
    g_test_add_func("/sleep/reset", test_reset);
    g_test_add_func("/sleep/hibernate", test_hibernate);
    g_test_add_data_func("/sleep/not-offered/memory", "sleep 1", test_not_offered);
    g_test_add_data_func("/sleep/not-offered/disk", "hibernate", test_not_offered);
    g_test_add_func("/sleep/saved", test_saved);
    g_test_add_func("/sleep/save-undisturbed", test_save_undisturbed);
    return g_test_run();
}
