/* Fuzz target: a driver that sends anything to the control socket of a VMM without a machine: every verb, keys of any
 * kind and descriptors, bytes that are no message, requests without reading the answers, and leaves.
 *
 * The input is a row of steps of four bytes: what, which verb, which key, its value. */
#include "qemu-kvm-backend/control.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STEP      4
#define STEPS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Fuzz {
    Loop *loop;
    Control *control;
    struct sockaddr_un address;
    int conn;
    VmmMsg *request; /* that keys are put into */
    guint32 serial;
} Fuzz;

static const char *const verbs[] = {
    VMM_HELLO, VMM_CREATE,     VMM_ADD_DEVICE,   VMM_REMOVE_DEVICE, VMM_RUN,         VMM_PAUSE,
    VMM_RESET, VMM_STATS,      VMM_POWER_BUTTON, VMM_SET_ACTION,    VMM_TELL_DEVICE, VMM_QUIT,
    "",        "no such verb",
};

static const char *const keys[] = {
    "kvm",      "memory",  "vcpus",   "sockets",  "dies",  "cores",       "threads", "kernel",
    "initrd",   "cmdline", "machine", "firmware", "nvram", "boot-menu",   "acpi",    "rtc-offset",
    "on-crash", "record",  "class",   "id",       "then",  "no such key",
};

static void
on_end(void *data, uint32_t events)
{
    loop_quit(data);
}

/* Twice, for the first round may end with what the VMM itself wants: to go. */
static void
settle(Fuzz *fuzz)
{
    for (int round = 0; round < 2; round++) {
        int fd = eventfd(1, EFD_CLOEXEC);
        LoopSource *source = loop_add_fd(fuzz->loop, fd, EPOLLIN, on_end, fuzz->loop);

        loop_run(fuzz->loop);
        loop_source_free(source);
        close(fd);
    }
}

static void
come(Fuzz *fuzz)
{
    if (fuzz->conn >= 0)
        close(fuzz->conn);
    fuzz->conn = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(fuzz->conn, (struct sockaddr *)&fuzz->address, sizeof(fuzz->address)) < 0)
        g_assert_cmpint(errno, ==, EAGAIN); /* as many wait as may */
}

static void
put_key(Fuzz *fuzz, const uint8_t *step)
{
    const char *key = keys[step[2] % G_N_ELEMENTS(keys)];

    switch (step[1] % 5) {
    case 0:
        vmm_msg_put_u64(fuzz->request, key, 1ull << step[3] % 64);
        break;
    case 1:
        vmm_msg_put_string(fuzz->request, key, verbs[step[3] % G_N_ELEMENTS(verbs)]);
        break;
    case 2:
        vmm_msg_put_bool(fuzz->request, key, step[3] & 1);
        break;
    case 3:
        vmm_msg_put_fd(fuzz->request, key, open("/dev/null", O_RDWR | O_CLOEXEC));
        break;
    case 4:
        vmm_msg_put_i64(fuzz->request, key, -(1ll << step[3] % 63));
        break;
    }
}

static void
begin_request(Fuzz *fuzz, const uint8_t *step)
{
    vmm_msg_free(fuzz->request);
    fuzz->request = vmm_msg_new(step[2] == 0xff ? VMM_MSG_EVENT : VMM_MSG_REQUEST, ++fuzz->serial,
                                verbs[step[1] % G_N_ELEMENTS(verbs)]);
}

static void
read_answers(Fuzz *fuzz)
{
    VmmMsg *msg;

    while ((msg = vmm_msg_recv(fuzz->conn)))
        vmm_msg_free(msg);
}

static void
take_step(Fuzz *fuzz, const uint8_t *step)
{
    switch (step[0] % 8) {
    case 0:
        if (step[1] < 64)
            come(fuzz);
        break;
    case 1:
        begin_request(fuzz, step);
        break;
    case 2 ... 3:
        put_key(fuzz, step);
        break;
    case 4:
        for (unsigned i = 0; i <= step[1] && vmm_msg_send(fuzz->conn, fuzz->request); i++)
            continue;
        break;
    case 5:
        send(fuzz->conn, step, step[1] % 5, MSG_NOSIGNAL);
        break;
    case 6:
        read_answers(fuzz);
        break;
    case 7:
        settle(fuzz);
        break;
    }
}

/* No file: the name begins with a NUL. */
static int
listen_for(Fuzz *fuzz)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    fuzz->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(fuzz->address.sun_path + 1, sizeof(fuzz->address.sun_path) - 1,
             "vmctl-fuzz-control-%d", (int)getpid());
    g_assert_cmpint(bind(fd, (struct sockaddr *)&fuzz->address, sizeof(fuzz->address)), ==, 0);
    g_assert_cmpint(listen(fd, 2), ==, 0);
    return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Fuzz fuzz = { .loop = loop_new(), .conn = -1 };
    int listener = listen_for(&fuzz);
    Machine *machine;

    fuzz.control = control_new(fuzz.loop, listener);
    machine = machine_new(fuzz.loop, control_notify, fuzz.control);
    control_set_machine(fuzz.control, machine);
    fuzz.request = vmm_msg_new(VMM_MSG_REQUEST, ++fuzz.serial, VMM_HELLO);
    come(&fuzz);
    for (size_t at = 0; at + STEP <= size && at < STEPS_MAX * STEP; at += STEP)
        take_step(&fuzz, data + at);
    settle(&fuzz);
    vmm_msg_free(fuzz.request);
    close(fuzz.conn);
    control_free(fuzz.control);
    machine_free(machine);
    close(listener);
    loop_free(fuzz.loop);
    return 0;
}
