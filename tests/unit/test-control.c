/* The driver's connection to a VMM whose machine answers whatever a test wants. */
#include "qemu-kvm-backend/control.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/signals.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIELDS_TOO_MANY 300

typedef struct Fixture {
    Loop *loop;
    int listener, conn;
    Control *control;
    Machine *machine;
    VmmMsg *reply; /* the newest */
} Fixture;

static unsigned n_fields; /* of the answer to "stats" */

static bool has_guest;

bool __wrap_machine_has_guest(const Machine *machine);
bool __wrap_machine_create(Machine *machine, VmmMsg *msg, VmmError *err);
bool __wrap_machine_stats(Machine *machine, VmmMsg *reply, VmmError *err);

bool
__wrap_machine_stats(Machine *machine, VmmMsg *reply, VmmError *err)
{
    for (unsigned i = 0; i < n_fields; i++) {
        g_autofree char *key = g_strdup_printf("field-%u", i);

        vmm_msg_put_u64(reply, key, i);
    }
    return true;
}

bool
__wrap_machine_has_guest(const Machine *machine)
{
    return has_guest;
}

/* Somebody wants the end while it is busy. */
bool
__wrap_machine_create(Machine *machine, VmmMsg *msg, VmmError *err)
{
    g_assert_no_errno(kill(getpid(), SIGTERM));
    return true;
}

/* No file: the name begins with a NUL. */
static void
set_up(Fixture *f, const void *data)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "vmctl-control-%d", (int)getpid());
    f->loop = loop_new();
    f->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    f->conn = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    g_assert_no_errno(bind(f->listener, (struct sockaddr *)&address, sizeof(address)));
    g_assert_no_errno(listen(f->listener, 1));
    f->control = control_new(f->loop, f->listener);
    f->machine = machine_new(f->loop, control_notify, f->control);
    control_set_machine(f->control, f->machine);
    g_assert_no_errno(connect(f->conn, (struct sockaddr *)&address, sizeof(address)));
}

static void
tear_down(Fixture *f, const void *data)
{
    vmm_msg_free(f->reply);
    close(f->conn);
    control_free(f->control);
    machine_free(f->machine);
    close(f->listener);
    loop_free(f->loop);
}

static void
on_reply(void *data, uint32_t events)
{
    Fixture *f = data;

    vmm_msg_free(f->reply);
    f->reply = vmm_msg_recv(f->conn);
    loop_quit(f->loop);
}

static void
on_time(void *data, uint32_t events)
{
    g_error("there is no answer");
}

static VmmMsg *
ask(Fixture *f, uint32_t serial)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, serial, VMM_STATS);
    LoopSource *source = loop_add_fd(f->loop, f->conn, EPOLLIN, on_reply, f);
    LoopSource *timer = loop_add_timer(f->loop, on_time, NULL);

    loop_timer_set(timer, 60000);
    g_assert_true(vmm_msg_send(f->conn, request));
    loop_run(f->loop);
    loop_source_free(source);
    loop_source_free(timer);
    g_assert_cmpuint(vmm_msg_serial(f->reply), ==, serial);
    return f->reply;
}

/* Who asked would wait for it, and take what comes next for it. */
static void
test_answer_too_long(Fixture *f, const void *data)
{
    const char *text, *class;

    n_fields = FIELDS_TOO_MANY;
    g_assert_cmpint(vmm_msg_kind(ask(f, 1)), ==, VMM_MSG_ERROR);
    g_assert_true(vmm_msg_get_string(f->reply, "class", &class));
    g_assert_cmpstr(class, ==, VMM_ERROR_FAILED);
    g_assert_true(vmm_msg_get_string(f->reply, "text", &text));
    g_assert_cmpstr(text, ==, "The answer to 'stats' is too long for a message");
    n_fields = 1;
    g_assert_cmpint(vmm_msg_kind(ask(f, 2)), ==, VMM_MSG_REPLY);
    g_assert_true(vmm_msg_has(f->reply, "field-0"));
}

/* Until something ends the loop. */
static void
serve_create(Fixture *f)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);

    alarm(60);
    signals_watch(f->loop, f->machine);
    g_assert_true(vmm_msg_send(f->conn, request));
    loop_run(f->loop);
    _exit(strcmp(machine_state(f->machine), VMM_STATE_STOPPED) == 0 ? 0 : 1);
}

/* What wait(2) says of a process to which SIGTERM comes while it is busy. */
static int
end_meanwhile(Fixture *f)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        serve_create(f);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return status;
}

/* Nobody waits until there is a machine, which may take long, to end it. */
static void
test_end_without_guest(Fixture *f, const void *data)
{
    int status;

    has_guest = false;
    status = end_meanwhile(f);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGTERM);
}

/* A guest is ended in good order. */
static void
test_end_with_guest(Fixture *f, const void *data)
{
    int status;

    has_guest = true;
    status = end_meanwhile(f);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/control/answer-too-long", Fixture, NULL, set_up, test_answer_too_long, tear_down);
    g_test_add("/control/end/without-guest", Fixture, NULL, set_up, test_end_without_guest,
               tear_down);
    g_test_add("/control/end/with-guest", Fixture, NULL, set_up, test_end_with_guest, tear_down);
    return g_test_run();
}
