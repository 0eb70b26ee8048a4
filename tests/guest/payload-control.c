/* The conversation of driver and VMM: what is refused, and who comes, goes and falls silent. */
#include "tests/guest/payload-tests.h"

#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MIB (1ull << 20)

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

/* What needs a guest has one before the first run: it is paused, and goes on from its first instruction. */
static void
test_turned_on(void)
{
    static const char *const verbs[] = { VMM_PAUSE, VMM_RESET, VMM_POWER_BUTTON };

    if (!vmm_have_kvm())
        return;
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++) {
        g_autoptr(Vmm) vmm = vmm_spawn();
        g_autofree char *said = NULL;

        vmm_build(vmm, 2, "hello 5");
        vmm_do(vmm, verbs[i]);
        vmm_assert_state(vmm, VMM_STATE_PAUSED, VMM_REASON_USER);
        vmm_do(vmm, VMM_RUN);
        vmm_wait_stopped(vmm, VMM_REASON_EXIT, "5");
        said = vmm_serial(vmm);
        g_assert_cmpstr(said, ==, "hello from the payload\n");
    }
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
    vmm = vmm_start(1, "power-button");
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
    vmm = vmm_start(1, "late-exit 42");
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
    vmm = vmm_start(1, "cf9 1000000");
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
    vmm = vmm_start(4, "count 1000");
    vmm_wait_serial(vmm, ".");
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
    record = vmm_record(vmm);
    g_assert_cmpstr(record, ==, "stopped user ended by request\n");
}

void
add_control_tests(void)
{
    g_test_add_func("/payload/refusals", test_refusals);
    g_test_add_func("/payload/turned-on", test_turned_on);
    g_test_add_func("/payload/not-kvm", test_not_kvm);
    g_test_add_func("/payload/left-before-create", test_left_before_create);
    g_test_add_func("/payload/not-a-message", test_not_a_message);
    g_test_add_func("/payload/unbootable", test_unbootable);
    g_test_add_func("/payload/reconnect", test_reconnect);
    g_test_add_func("/payload/record", test_record);
    g_test_add_func("/payload/deaf-driver", test_deaf_driver);
    g_test_add_func("/payload/many-requests", test_many_requests);
    g_test_add_func("/payload/quit", test_quit);
}
