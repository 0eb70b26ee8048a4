/* vmctl-guest, the command of a guest's unit, and a vmctld that goes away in the middle. */
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define PATIENCE_MS 20000

typedef struct Fixture {
    char *dir, *path;
    int listener;
    GSubprocess *command;
} Fixture;

static void
listen_anew(Fixture *f)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    g_strlcpy(address.sun_path, f->path, sizeof(address.sun_path));
    g_assert_no_errno(bind(f->listener, (struct sockaddr *)&address, sizeof(address)));
    g_assert_no_errno(listen(f->listener, 4));
}

static void
go_away(Fixture *f)
{
    close(f->listener);
    f->listener = -1;
    g_assert_no_errno(g_unlink(f->path));
}

static void
set_up(Fixture *f, gconstpointer unused)
{
    f->dir = g_dir_make_tmp("vmctl-unit-XXXXXX", NULL);
    f->path = g_build_filename(f->dir, "units", NULL);
    listen_anew(f);
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    go_away(f);
    g_rmdir(f->dir);
    g_object_unref(f->command);
    g_free(f->path);
    g_free(f->dir);
}

static GSubprocess *
spawn(Fixture *f, const char *verb, const char *main_pid)
{
    g_autofree char *program = g_build_filename(g_getenv("VMCTL_TOP_BUILDDIR"), "vmctl-guest", NULL);
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_autoptr(GError) error = NULL;
    GSubprocess *command;

    g_subprocess_launcher_setenv(launcher, "VMCTL_UNITS", f->path, TRUE);
    g_subprocess_launcher_setenv(launcher, "MAINPID", main_pid, TRUE);
    command = g_subprocess_launcher_spawn(launcher, &error, program, verb, "web", NULL);
    g_assert_no_error(error);
    return command;
}

static void
run(Fixture *f, const char *verb)
{
    f->command = spawn(f, verb, "1");
}

static void
wait_for(int fd)
{
    g_assert_cmpint(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, PATIENCE_MS), ==, 1);
}

/* Somebody asks @verb: what he waits at. */
static int
hear(Fixture *f, const char *verb)
{
    vmm_msg_auto request = NULL;
    const char *name = "";
    int fd;

    wait_for(f->listener);
    fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
    wait_for(fd);
    request = vmm_msg_recv(fd);
    g_assert_nonnull(request);
    g_assert_cmpstr(vmm_msg_name(request), ==, verb);
    g_assert_true(vmm_msg_get_string(request, "name", &name));
    g_assert_cmpstr(name, ==, "web");
    return fd;
}

static void
say(int fd, VmmMsgKind kind)
{
    vmm_msg_auto reply = vmm_msg_new(kind, 1, "answer");

    g_assert_true(vmm_msg_send(fd, reply));
    close(fd);
}

static gboolean
succeeds(Fixture *f)
{
    g_assert_true(g_subprocess_wait(f->command, NULL, NULL));
    return g_subprocess_get_successful(f->command);
}

static void
test_answer(Fixture *f, gconstpointer unused)
{
    run(f, "stop");
    say(hear(f, "stop"), VMM_MSG_REPLY);
    g_assert_true(succeeds(f));
}

static void
test_refusal(Fixture *f, gconstpointer unused)
{
    run(f, "wait");
    say(hear(f, "wait"), VMM_MSG_ERROR);
    g_assert_false(succeeds(f));
}

/* The service manager runs both at once: who waits for a start leaves it to the other to ask for it. */
static void
test_early(Fixture *f, gconstpointer unused)
{
    g_autoptr(GSubprocess) starter = spawn(f, "start", "1");
    int start = hear(f, "start");

    f->command = spawn(f, "wait", g_subprocess_get_identifier(starter));
    g_assert_cmpint(poll(&(struct pollfd){ f->listener, POLLIN, 0 }, 1, 300), ==, 0);
    say(start, VMM_MSG_ERROR);
    say(hear(f, "wait"), VMM_MSG_ERROR);
    g_assert_false(succeeds(f));
}

/* The service manager keeps the socket; the daemon behind it is another one. */
static void
test_restart(Fixture *f, gconstpointer unused)
{
    run(f, "stop");
    close(hear(f, "stop"));
    close(hear(f, "stop"));
    say(hear(f, "stop"), VMM_MSG_REPLY);
    g_assert_true(succeeds(f));
}

/* Nobody keeps it. */
static void
test_away(Fixture *f, gconstpointer unused)
{
    int fd;

    run(f, "save");
    fd = hear(f, "save");
    go_away(f);
    close(fd);
    g_usleep(300 * 1000);
    listen_anew(f);
    say(hear(f, "save"), VMM_MSG_REPLY);
    g_assert_true(succeeds(f));
}

static void
test_start_once(Fixture *f, gconstpointer unused)
{
    run(f, "start");
    close(hear(f, "start"));
    g_assert_false(succeeds(f));
    g_assert_cmpint(poll(&(struct pollfd){ f->listener, POLLIN, 0 }, 1, 0), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/unit-command/answer", Fixture, NULL, set_up, test_answer, tear_down);
    g_test_add("/unit-command/refusal", Fixture, NULL, set_up, test_refusal, tear_down);
    g_test_add("/unit-command/early", Fixture, NULL, set_up, test_early, tear_down);
    g_test_add("/unit-command/restart", Fixture, NULL, set_up, test_restart, tear_down);
    g_test_add("/unit-command/away", Fixture, NULL, set_up, test_away, tear_down);
    g_test_add("/unit-command/start-once", Fixture, NULL, set_up, test_start_once, tear_down);
    return g_test_run();
}
