#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_US (600 * G_USEC_PER_SEC) /* software KVM on a busy machine is slow */

struct Vmm {
    char *dir;
    char *socket_path;
    int listener; /* until the process has it */
    int sock;     /* -1: not connected */
    int log_fd;
    int serial_fd;
    int record_fd;
    pid_t pid;
    int pidfd;
    gboolean exited;
    guint32 serial;
    GQueue events;
};

char *
vmm_built(const char *name)
{
    const char *top = g_getenv("VMCTL_TOP_BUILDDIR");

    return g_build_filename(top ? top : ".", name, NULL);
}

static int
memory_file(const char *name)
{
    int fd = memfd_create(name, MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void
listen_at(Vmm *vmm)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    vmm->dir = g_dir_make_tmp("vmm-XXXXXX", NULL);
    vmm->socket_path = g_build_filename(vmm->dir, "control", NULL);
    g_strlcpy(addr.sun_path, vmm->socket_path, sizeof(addr.sun_path));
    vmm->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    g_assert_cmpint(vmm->listener, >=, 0);
    g_assert_no_errno(bind(vmm->listener, (struct sockaddr *)&addr, sizeof(addr)));
    g_assert_no_errno(listen(vmm->listener, 4));
}

void
vmm_connect(Vmm *vmm)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };

    g_strlcpy(addr.sun_path, vmm->socket_path, sizeof(addr.sun_path));
    vmm->sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    g_assert_no_errno(connect(vmm->sock, (struct sockaddr *)&addr, sizeof(addr)));
}

void
vmm_disconnect(Vmm *vmm)
{
    if (vmm->sock >= 0)
        close(vmm->sock);
    vmm->sock = -1;
    g_queue_clear_full(&vmm->events, (GDestroyNotify)vmm_msg_free);
}

int
vmm_socket(const Vmm *vmm)
{
    return vmm->sock;
}

/* A test that fails aborts. The VMM has asked to die with us, but changes of user made the kernel forget
 * that (prctl(2), PR_SET_PDEATHSIG). */
static Vmm *living[256];

static void
kill_living(int number)
{
    for (gsize i = 0; i < G_N_ELEMENTS(living); i++) {
        if (living[i])
            syscall(SYS_pidfd_send_signal, living[i]->pidfd, SIGKILL, NULL, 0);
    }
    signal(number, SIG_DFL);
    raise(number);
}

static void
replace_living(Vmm *old, Vmm *new)
{
    for (gsize i = 0; i < G_N_ELEMENTS(living); i++) {
        if (living[i] == old) {
            living[i] = new;
            return;
        }
    }
    g_error("a test has more than %u VMMs", (guint)G_N_ELEMENTS(living));
}

/* In the child. The VMM ends with the test program, and does not hold the test's output open. */
static void
exec_vmm(const char *program, int listener, int log_fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    /* fcntl(): dup2() onto itself keeps close-on-exec. */
    if (dup2(log_fd, STDERR_FILENO) < 0 || dup2(listener, VMM_LISTEN_FD) < 0 ||
        fcntl(VMM_LISTEN_FD, F_SETFD, 0) < 0)
        _exit(126);
    syscall(SYS_close_range, VMM_LISTEN_FD + 1, ~0u, 0);
    execl(program, program, NULL);
    _exit(127);
}

Vmm *
vmm_spawn(void)
{
    g_autofree char *program = vmm_built("vmctl-vmm");
    Vmm *vmm = g_new0(Vmm, 1);

    listen_at(vmm);
    vmm_connect(vmm);
    vmm->log_fd = memory_file("log");
    vmm->serial_fd = memory_file("serial");
    vmm->record_fd = memory_file("record");
    vmm->pid = fork();
    if (vmm->pid == 0)
        exec_vmm(program, vmm->listener, vmm->log_fd);
    g_assert_cmpint(vmm->pid, >, 0);
    vmm->pidfd = syscall(SYS_pidfd_open, vmm->pid, 0);
    g_assert_cmpint(vmm->pidfd, >=, 0);
    close(vmm->listener); /* so that the connection breaks when the process dies */
    replace_living(NULL, vmm);
    signal(SIGABRT, kill_living);
    signal(SIGTRAP, kill_living); /* g_error() outside a test */
    signal(SIGTERM, kill_living);
    return vmm;
}

static void
reap(Vmm *vmm, int *ret_status)
{
    while (waitpid(vmm->pid, ret_status, 0) < 0)
        g_assert_cmpint(errno, ==, EINTR);
    vmm->exited = TRUE;
}

/* What a sanitizer found is an error, also where the process was killed before it could say so. */
static void
check_sanitizers(const Vmm *vmm)
{
    static const char *const marks[] = { "AddressSanitizer", "LeakSanitizer", "ThreadSanitizer",
                                         "runtime error:" };
    g_autofree char *log = vmm_log(vmm);

    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++) {
        if (strstr(log, marks[i]))
            g_error("the VMM's log:\n%s", log);
    }
}

void
vmm_free(Vmm *vmm)
{
    int status;

    check_sanitizers(vmm);
    vmm_disconnect(vmm);
    if (!vmm->exited) {
        syscall(SYS_pidfd_send_signal, vmm->pidfd, SIGKILL, NULL, 0);
        reap(vmm, &status);
    }
    replace_living(vmm, NULL);
    g_unlink(vmm->socket_path);
    g_rmdir(vmm->dir);
    close(vmm->log_fd);
    close(vmm->serial_fd);
    close(vmm->record_fd);
    close(vmm->pidfd);
    g_free(vmm->socket_path);
    g_free(vmm->dir);
    g_free(vmm);
}

pid_t
vmm_pid(const Vmm *vmm)
{
    return vmm->pid;
}

static char *
read_all(int fd)
{
    GString *text = g_string_new(NULL);
    char chunk[4096];
    ssize_t n;

    while ((n = pread(fd, chunk, sizeof(chunk), text->len)) > 0)
        g_string_append_len(text, chunk, n);
    return g_string_free(text, FALSE);
}

char *
vmm_log(const Vmm *vmm)
{
    return read_all(vmm->log_fd);
}

char *
vmm_serial(const Vmm *vmm)
{
    return read_all(vmm->serial_fd);
}

char *
vmm_record(const Vmm *vmm)
{
    return read_all(vmm->record_fd);
}

int
vmm_record_fd(const Vmm *vmm)
{
    return fcntl(vmm->record_fd, F_DUPFD_CLOEXEC, 0);
}

static void
fail(const Vmm *vmm, const char *what)
{
    g_autofree char *log = vmm_log(vmm);
    g_autofree char *serial = vmm_serial(vmm);

    g_error("%s did not come in time.\nThe VMM's log:\n%s\nThe guest said:\n%s", what, log, serial);
}

/* One message, or NULL at the connection's end. */
static VmmMsg *
receive(Vmm *vmm, const char *awaited)
{
    struct pollfd poller = { .fd = vmm->sock, .events = POLLIN };
    VmmMsg *msg;

    if (poll(&poller, 1, LIMIT_US / 1000) != 1)
        fail(vmm, awaited);
    msg = vmm_msg_recv(vmm->sock);
    if (!msg && errno != 0 && errno != ECONNRESET)
        g_error("awaiting %s: %s", awaited, g_strerror(errno));
    return msg;
}

VmmMsg *
vmm_request(Vmm *vmm, const char *name)
{
    return vmm_msg_new(VMM_MSG_REQUEST, ++vmm->serial, name);
}

VmmMsg *
vmm_call(Vmm *vmm, VmmMsg *request)
{
    guint32 serial = vmm_msg_serial(request);

    g_assert_true(vmm_msg_send(vmm->sock, request));
    for (;;) {
        VmmMsg *msg = receive(vmm, vmm_msg_name(request));

        if (!msg)
            fail(vmm, vmm_msg_name(request));
        if (vmm_msg_kind(msg) != VMM_MSG_EVENT) {
            g_assert_cmpuint(vmm_msg_serial(msg), ==, serial);
            g_assert_cmpstr(vmm_msg_name(msg), ==, vmm_msg_name(request));
            vmm_msg_free(request);
            return msg;
        }
        g_queue_push_tail(&vmm->events, msg);
    }
}

void
vmm_accept(VmmMsg *reply)
{
    const char *text = "";

    vmm_msg_get_string(reply, "text", &text);
    if (vmm_msg_kind(reply) != VMM_MSG_REPLY)
        g_error("%s: %s", vmm_msg_name(reply), text);
    vmm_msg_free(reply);
}

void
vmm_reject(VmmMsg *reply, const char *class, const char *part)
{
    const char *text = NULL, *got = NULL;

    g_assert_cmpint(vmm_msg_kind(reply), ==, VMM_MSG_ERROR);
    g_assert_true(vmm_msg_get_string(reply, "text", &text));
    g_assert_true(vmm_msg_get_string(reply, "class", &got));
    g_assert_cmpstr(got, ==, class);
    if (!strstr(text, part))
        g_error("'%s' does not say '%s'", text, part);
    vmm_msg_free(reply);
}

void
vmm_do(Vmm *vmm, const char *name)
{
    vmm_accept(vmm_call(vmm, vmm_request(vmm, name)));
}

void
vmm_refuses(Vmm *vmm, const char *name, const char *class)
{
    vmm_reject(vmm_call(vmm, vmm_request(vmm, name)), class, "");
}

VmmMsg *
vmm_create_kernel_request(Vmm *vmm, const char *kernel, const char *initrd, guint64 memory,
                          guint vcpus, const char *cmdline)
{
    VmmMsg *msg = vmm_request(vmm, VMM_CREATE);

    vmm_msg_put_fd(msg, "kvm", open("/dev/kvm", O_RDWR | O_CLOEXEC));
    vmm_msg_put_fd(msg, "kernel", open(kernel, O_RDONLY | O_CLOEXEC));
    if (initrd)
        vmm_msg_put_fd(msg, "initrd", open(initrd, O_RDONLY | O_CLOEXEC));
    vmm_msg_put_fd(msg, "record", vmm_record_fd(vmm));
    vmm_msg_put_u64(msg, "memory", memory);
    vmm_msg_put_u64(msg, "vcpus", vcpus);
    vmm_msg_put_string(msg, "cmdline", cmdline);
    return msg;
}

VmmMsg *
vmm_create_request(Vmm *vmm, guint64 memory, guint vcpus, const char *cmdline)
{
    g_autofree char *kernel = vmm_built("tests/guest/payload/payload.elf");

    return vmm_create_kernel_request(vmm, kernel, NULL, memory, vcpus, cmdline);
}

void
vmm_set_serial(Vmm *vmm, int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    g_assert_cmpint(copy, >=, 0);
    close(vmm->serial_fd);
    vmm->serial_fd = copy;
}

int
vmm_serial_fd(const Vmm *vmm)
{
    return fcntl(vmm->serial_fd, F_DUPFD_CLOEXEC, 0);
}

void
vmm_add_serial(Vmm *vmm)
{
    VmmMsg *msg = vmm_request(vmm, VMM_ADD_DEVICE);

    vmm_msg_put_string(msg, "class", VMM_CLASS_SERIAL);
    vmm_msg_put_string(msg, "id", "serial0");
    vmm_msg_put_u64(msg, "port", 0);
    vmm_msg_put_string(msg, "kind", "file");
    vmm_msg_put_fd(msg, "fd", fcntl(vmm->serial_fd, F_DUPFD_CLOEXEC, 0));
    vmm_accept(vmm_call(vmm, msg));
}

void
vmm_add_devices(Vmm *vmm)
{
    VmmMsg *msg;

    vmm_add_serial(vmm);
    msg = vmm_request(vmm, VMM_ADD_DEVICE);
    vmm_msg_put_string(msg, "class", VMM_CLASS_DEBUG_EXIT);
    vmm_msg_put_string(msg, "id", "exit");
    vmm_msg_put_u64(msg, "port", 0x501);
    vmm_accept(vmm_call(vmm, msg));
}

void
vmm_build(Vmm *vmm, guint vcpus, const char *cmdline)
{
    vmm_accept(vmm_call(vmm, vmm_create_request(vmm, 16 << 20, vcpus, cmdline)));
    vmm_add_devices(vmm);
}

Vmm *
vmm_start(guint vcpus, const char *cmdline)
{
    Vmm *vmm = vmm_spawn();

    vmm_build(vmm, vcpus, cmdline);
    vmm_do(vmm, VMM_RUN);
    return vmm;
}

static VmmMsg *
next_event(Vmm *vmm, const char *awaited)
{
    VmmMsg *event = g_queue_pop_head(&vmm->events);

    if (!event)
        event = receive(vmm, awaited);
    if (!event)
        fail(vmm, awaited);
    g_assert_cmpint(vmm_msg_kind(event), ==, VMM_MSG_EVENT);
    return event;
}

VmmMsg *
vmm_take_event(Vmm *vmm)
{
    struct pollfd poller = { .fd = vmm->sock, .events = POLLIN };

    if (!g_queue_is_empty(&vmm->events) || poll(&poller, 1, 0) == 1)
        return next_event(vmm, "an event");
    return NULL;
}

VmmMsg *
vmm_wait_event(Vmm *vmm, const char *name)
{
    for (;;) {
        VmmMsg *event = next_event(vmm, name);

        if (strcmp(vmm_msg_name(event), name) == 0)
            return event;
        vmm_msg_free(event);
    }
}

void
vmm_wait_exit(Vmm *vmm)
{
    struct pollfd poller = { .fd = vmm->pidfd, .events = POLLIN };
    int status;

    if (poll(&poller, 1, LIMIT_US / 1000) != 1)
        fail(vmm, "the end of the process");
    reap(vmm, &status);
    if (status != 0) {
        g_autofree char *log = vmm_log(vmm);

        g_error("the VMM ended with wait status 0x%x; its log:\n%s", status, log);
    }
}

void
vmm_wait_stopped(Vmm *vmm, const char *reason, const char *text)
{
    vmm_msg_auto event = vmm_wait_event(vmm, VMM_EVENT_STOPPED);
    g_autofree char *record = NULL, *expected = NULL, *log = NULL;
    const char *got_reason = NULL, *got_text = NULL;

    g_assert_true(vmm_msg_get_string(event, "reason", &got_reason));
    g_assert_true(vmm_msg_get_string(event, "text", &got_text));
    log = vmm_log(vmm);
    if (strcmp(got_reason, reason) != 0)
        g_error("stopped for '%s' (%s), not '%s'; the log:\n%s", got_reason, got_text, reason, log);
    if (text)
        g_assert_cmpstr(got_text, ==, text);
    vmm_wait_exit(vmm);
    record = vmm_record(vmm);
    expected = g_strdup_printf("stopped %s %s\n", got_reason, got_text);
    g_assert_cmpstr(record, ==, expected);
}

void
vmm_wait_serial(Vmm *vmm, const char *text)
{
    gint64 limit = g_get_monotonic_time() + LIMIT_US;

    for (;;) {
        g_autofree char *said = vmm_serial(vmm);

        if (strstr(said, text))
            return;
        if (g_get_monotonic_time() > limit)
            fail(vmm, text);
        g_usleep(2000);
    }
}

void
vmm_assert_state(Vmm *vmm, const char *state, const char *reason)
{
    vmm_msg_auto reply = vmm_call(vmm, vmm_request(vmm, VMM_HELLO));
    const char *got_state = NULL, *got_reason = NULL;

    g_assert_true(vmm_msg_get_string(reply, "state", &got_state));
    g_assert_true(vmm_msg_get_string(reply, "reason", &got_reason));
    g_assert_cmpstr(got_state, ==, state);
    g_assert_cmpstr(got_reason, ==, reason);
}

guint
vmm_count(const Vmm *vmm, const char *what)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", vmm->pid, what);
    GDir *dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir))
        n++;
    g_dir_close(dir);
    return n;
}

gboolean
vmm_have_kvm(void)
{
    int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        return TRUE;
    }
    g_test_skip("/dev/kvm does not open");
    return FALSE;
}
