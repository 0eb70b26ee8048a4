/* Units of guests: their names, and starts that wait for a process. */
#include "driver/error.h"
#include "driver/units.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct {
    const char *domain, *unit;
} names[] = {
    { "web", "vmctl-guest@web.service" },
    { "a_b:c.d", "vmctl-guest@a_b:c.d.service" },
    { "my-guest", "vmctl-guest@my\\x2dguest.service" },
    { ".hidden", "vmctl-guest@\\x2ehidden.service" },
    { "two words", "vmctl-guest@two\\x20words.service" },
    { "\xc3\xa9", "vmctl-guest@\\xc3\\xa9.service" },
};

/* As systemd-escape(1) has them. */
static void
test_names(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *unit = units_name(names[i].domain);

        g_assert_cmpstr(unit, ==, names[i].unit);
    }
}

static char *asked;

static void
start(gpointer data, const char *unit)
{
    g_free(asked);
    asked = g_strdup(unit);
}

static void
ready(gpointer data, UnitCall *call, const GError *error)
{
    g_assert_null(call);
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_FAILED);
    g_assert_nonnull(strstr(error->message, "did not start: failed"));
    (*(int *)data)++;
}

static void
test_failed(void)
{
    const UnitManager manager = { .start = start };
    Units *units;
    int one = 0, other = 0;

    units = units_new(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), &manager,
                      &(UnitRequests){ 0 });
    units_request(units, "one", ready, &one);
    g_assert_cmpstr(asked, ==, "vmctl-guest@one.service");
    units_request(units, "other", ready, &other);
    units_failed(units, "vmctl-guest@third.service", "failed");
    g_assert_cmpint(one + other, ==, 0);
    units_failed(units, "vmctl-guest@one.service", "failed");
    g_assert_cmpint(one, ==, 1);
    units_cancel(units, &other);
    units_failed(units, "vmctl-guest@other.service", "failed");
    g_assert_cmpint(other, ==, 0);
    units_free(units);
    g_clear_pointer(&asked, g_free);
}

/* Processes of units, which talk over the socket. */

typedef struct Fixture {
    char *dir;
    Units *units;
    UnitCall *call;    /* that ready_call() got */
    char *nobody;      /* whose start nobody waits for */
} Fixture;

static void
ready_call(gpointer data, UnitCall *call, const GError *error)
{
    g_assert_no_error(error);
    ((Fixture *)data)->call = call;
}

static void
start_anew(gpointer data, const char *name, UnitCall *call)
{
    ((Fixture *)data)->nobody = g_strdup(name);
    unit_call_answer(call, NULL);
}

static void
fixture_set_up(Fixture *fixture, gconstpointer data)
{
    const UnitManager manager = { .start = start };
    const UnitRequests requests = { .start = start_anew, .data = fixture };
    g_autoptr(GError) error = NULL;
    int fd;

    fixture->dir = g_dir_make_tmp("units.XXXXXX", NULL);
    fd = units_listen(fixture->dir, &error);
    g_assert_no_error(error);
    fixture->units = units_new(fd, &manager, &requests);
}

static void
fixture_tear_down(Fixture *fixture, gconstpointer data)
{
    g_autofree char *path = g_build_filename(fixture->dir, "units", NULL);

    units_free(fixture->units);
    g_unlink(path);
    g_rmdir(fixture->dir);
    g_free(fixture->dir);
    g_free(fixture->nobody);
    g_clear_pointer(&asked, g_free);
}

static int
come(Fixture *fixture, const char *verb, const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, verb);

    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/units", fixture->dir);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    vmm_msg_put_string(request, "name", name);
    g_assert_true(vmm_msg_send(fd, request));
    while (g_main_context_iteration(NULL, FALSE))
        ;
    return fd;
}

/* The answer, and the end of the call. */
static VmmMsg *
answer(int fd)
{
    VmmMsg *reply;

    g_assert_cmpint(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 0), ==, 1);
    reply = vmm_msg_recv(fd);
    g_assert_nonnull(reply);
    close(fd);
    return reply;
}

static void
refused(int fd, const char *why)
{
    vmm_msg_auto reply = answer(fd);
    const char *text = "";

    g_assert_cmpint(vmm_msg_kind(reply), ==, VMM_MSG_ERROR);
    vmm_msg_get_string(reply, "text", &text);
    g_assert_cmpstr(text, ==, why);
}

static void
test_hand_over(Fixture *fixture, gconstpointer data)
{
    int fd, log = open("/dev/null", O_RDWR | O_CLOEXEC), listener = -1, its_log = -1;
    g_autoptr(GError) error = NULL;
    vmm_msg_auto reply = NULL;
    const char *vmm = NULL;

    units_request(fixture->units, "one", ready_call, fixture);
    fd = come(fixture, "start", "one");
    g_assert_nonnull(fixture->call);
    g_assert_cmpint(unit_call_pid(fixture->call), ==, getpid());
    g_assert_true(unit_call_hand_over(fixture->call, "/the/vmm", log, log, &error));
    reply = answer(fd);
    g_assert_true(vmm_msg_get_string(reply, "vmm", &vmm));
    g_assert_cmpstr(vmm, ==, "/the/vmm");
    g_assert_true(vmm_msg_take_fd(reply, "listener", &listener));
    g_assert_true(vmm_msg_take_fd(reply, "log", &its_log));
    close(listener);
    close(its_log);
    close(log);
    g_assert_null(fixture->nobody);
}

/* A process that comes after all must not start what was given up, and the next one may. */
static void
test_given_up(Fixture *fixture, gconstpointer data)
{
    units_request(fixture->units, "one", ready_call, fixture);
    units_cancel(fixture->units, fixture);
    refused(come(fixture, "start", "one"), "operation aborted: the start was given up");
    g_assert_null(fixture->call);
    g_assert_null(fixture->nobody);
    vmm_msg_free(answer(come(fixture, "start", "one")));
    g_assert_cmpstr(fixture->nobody, ==, "one");
}

static void
test_no_request(Fixture *fixture, gconstpointer data)
{
    int silent;

    refused(come(fixture, "dance", "one"), "invalid argument: this is no request of a unit");
    silent = come(fixture, "start", "");
    g_assert_cmpstr(fixture->nobody, ==, "");
    close(silent);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/units/names", test_names);
    g_test_add_func("/units/failed", test_failed);
    g_test_add("/units/hand-over", Fixture, NULL, fixture_set_up, test_hand_over, fixture_tear_down);
    g_test_add("/units/given-up", Fixture, NULL, fixture_set_up, test_given_up, fixture_tear_down);
    g_test_add("/units/no-request", Fixture, NULL, fixture_set_up, test_no_request,
               fixture_tear_down);
    return g_test_run();
}
