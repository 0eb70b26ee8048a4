/* Serial ports: one on a pty, one on a socket as guest agents have it, one that only logs. */
#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_console.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define MIB         ((uint64_t)1 << 20)
#define CONTROL_IN  2
#define CONTROL_OUT 3
#define PTY_IN      0 /* port 0 */
#define PTY_OUT     1
#define AGENT_IN    4 /* port 1 */
#define AGENT_OUT   5
#define LOG_OUT     7 /* port 2 */
#define AGENT       "org.qemu.guest_agent.0"
#define BUFFER      256

typedef struct Fixture {
    VirtioGuest *guest;
    char *path;    /* the agent's socket */
    int slave;     /* of the pty */
    int log;       /* the pipe that port 2 writes into */
    uint64_t ctrl; /* 16 receive buffers of the control queue */
} Fixture;

static int
listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 4), ==, 0);
    return fd;
}

static int
client_new(Fixture *f)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_strlcpy(address.sun_path, f->path, sizeof(address.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    test_board_settle(f->guest->test);
    return fd;
}

static VmmMsg *
console_params(Fixture *f)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), pipe_fds[2];

    g_assert_cmpint(grantpt(master) | unlockpt(master), ==, 0);
    f->slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    g_assert_cmpint(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
    f->log = pipe_fds[0];
    f->path = g_strdup_printf("%s/vmctl-console-%d", g_get_tmp_dir(), getpid());
    vmm_msg_put_string(params, "device", "console");
    vmm_msg_put_string(params, "port-0-kind", "pty");
    vmm_msg_put_fd(params, "port-0-fd", master);
    vmm_msg_put_bool(params, "port-0-console", true);
    vmm_msg_put_string(params, "port-1-kind", "socket");
    vmm_msg_put_string(params, "port-1-name", AGENT);
    vmm_msg_put_fd(params, "port-1-fd", listen_at(f->path));
    vmm_msg_put_string(params, "port-2-kind", "file");
    vmm_msg_put_fd(params, "port-2-fd", pipe_fds[1]);
    return params;
}

static void
offer_in(Fixture *f, unsigned queue, unsigned i, uint64_t buffer, uint32_t size)
{
    guest_desc(f->guest, f->guest->queues[queue].desc, i, buffer, size, DESC_WRITE, 0);
    guest_offer(f->guest, queue, i);
}

static void
start(Fixture *f)
{
    guest_start(f->guest, UINT64_MAX);
    f->ctrl = guest_alloc(f->guest, 16 * BUFFER);
    for (unsigned i = 0; i < 16; i++)
        offer_in(f, CONTROL_IN, i, f->ctrl + i * BUFFER, BUFFER);
    guest_kick(f->guest, CONTROL_IN);
}

static void
set_up(Fixture *f, const void *data)
{
    f->guest = virtio_guest_new(console_params(f), 8 * MIB);
    guest_enable_msix(f->guest);
    start(f);
}

static void
tear_down(Fixture *f, const void *data)
{
    virtio_guest_free(f->guest);
    g_assert_cmpint(unlink(f->path), ==, 0);
    g_free(f->path);
    close(f->slave);
    close(f->log);
}

static void
send_control(Fixture *f, uint32_t id, uint16_t event, uint16_t value)
{
    struct virtio_console_control control = { GUINT32_TO_LE(id), GUINT16_TO_LE(event),
                                              GUINT16_TO_LE(value) };
    uint64_t buffer = guest_alloc(f->guest, sizeof(control));
    uint32_t head, len;

    memcpy(guest_memory(f->guest, buffer, sizeof(control)), &control, sizeof(control));
    guest_desc(f->guest, f->guest->queues[CONTROL_OUT].desc, 0, buffer, sizeof(control), 0, 0);
    guest_offer(f->guest, CONTROL_OUT, 0);
    guest_kick(f->guest, CONTROL_OUT);
    g_assert_true(guest_take_used(f->guest, CONTROL_OUT, &head, &len));
}

/* The next message of the device is this one. */
static void
check_control(Fixture *f, uint32_t id, uint16_t event, uint16_t value, const char *text)
{
    struct virtio_console_control control;
    uint32_t i, size;
    uint8_t *at;

    g_assert_true(guest_take_used(f->guest, CONTROL_IN, &i, &size));
    g_assert_cmpuint(size, ==, sizeof(control) + strlen(text));
    at = guest_memory(f->guest, f->ctrl + i * BUFFER, BUFFER);
    memcpy(&control, at, sizeof(control));
    g_assert_cmpuint(GUINT32_FROM_LE(control.id), ==, id);
    g_assert_cmpuint(GUINT16_FROM_LE(control.event), ==, event);
    g_assert_cmpuint(GUINT16_FROM_LE(control.value), ==, value);
    g_assert_cmpmem(at + sizeof(control), size - sizeof(control), text, strlen(text));
    offer_in(f, CONTROL_IN, i, f->ctrl + i * BUFFER, BUFFER);
}

static void
check_no_control(Fixture *f)
{
    uint32_t head, len;

    g_assert_false(guest_take_used(f->guest, CONTROL_IN, &head, &len));
}

/* What Linux does on finding the device, with the answers. */
static void
introduce(Fixture *f)
{
    send_control(f, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
    for (unsigned i = 0; i < 3; i++)
        check_control(f, i, VIRTIO_CONSOLE_PORT_ADD, 1, "");
    send_control(f, 0, VIRTIO_CONSOLE_PORT_READY, 1);
    check_control(f, 0, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
    check_control(f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    send_control(f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_NAME, 1, AGENT);
    send_control(f, 2, VIRTIO_CONSOLE_PORT_READY, 1);
    check_control(f, 2, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    check_no_control(f);
}

static bool
read_event(Fixture *f, uint64_t *ret_port, bool *ret_open)
{
    VmmMsg *event = f->guest->test->event;

    return event && strcmp(vmm_msg_name(event), VMM_EVENT_PORT) == 0 &&
           vmm_msg_get_u64(event, "port", ret_port) && vmm_msg_get_bool(event, "open", ret_open);
}

static void
check_event(Fixture *f, unsigned n, uint64_t port, bool open)
{
    uint64_t got_port;
    bool got_open;

    g_assert_cmpuint(f->guest->test->n_events, ==, n);
    g_assert_true(read_event(f, &got_port, &got_open));
    g_assert_cmpuint(got_port, ==, port);
    g_assert_cmpint(got_open, ==, open);
}

static void
guest_writes(Fixture *f, unsigned queue, unsigned i, const void *bytes, size_t size)
{
    uint64_t buffer = guest_alloc(f->guest, size);

    memcpy(guest_memory(f->guest, buffer, size), bytes, size);
    guest_desc(f->guest, f->guest->queues[queue].desc, i, buffer, size, 0, 0);
    guest_offer(f->guest, queue, i);
    guest_kick(f->guest, queue);
}

/* Whether queue gave back one buffer, and no more. */
static bool
is_sent(Fixture *f, unsigned queue)
{
    uint32_t head, len, more;

    return guest_take_used(f->guest, queue, &head, &len) && len == 0 &&
           !guest_take_used(f->guest, queue, &more, &len);
}

/* What goes through a pty takes a kernel thread's time. */
static bool
await_used(Fixture *f, unsigned queue, uint32_t *ret_head, uint32_t *ret_len)
{
    for (unsigned i = 0; i < 2000; i++) {
        if (guest_take_used(f->guest, queue, ret_head, ret_len))
            return true;
        g_usleep(1000);
        test_board_settle(f->guest->test);
    }
    return false;
}

static void
await_readable(int fd)
{
    GPollFD poll = { .fd = fd, .events = G_IO_IN };

    g_assert_cmpint(g_poll(&poll, 1, 2000), ==, 1);
}

static void
check_read(int fd, const char *text)
{
    char bytes[256];
    ssize_t n = read(fd, bytes, sizeof(bytes));

    g_assert_cmpmem(bytes, MAX(n, 0), text, strlen(text));
}

static void
check_nothing_to_read(int fd)
{
    char byte;

    g_assert_cmpint(read(fd, &byte, 1), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
}

static void
test_introduction(Fixture *f, const void *data)
{
    g_assert_cmpuint(guest_get(f->guest, COMMON_NUM_QUEUES, 2), ==, 8);
    g_assert_cmpuint(mmio_read(f->guest->test, f->guest->device + 4, 4), ==, 3);
    introduce(f);
    guest_reset(f->guest);
    start(f);
    introduce(f);
}

/* A driver that offers no buffers for messages gets them when it does, in order and as things are then. */
static void
test_messages_wait(Fixture *f, const void *data)
{
    int client;

    guest_reset(f->guest);
    guest_start(f->guest, UINT64_MAX);
    send_control(f, VIRTIO_CONSOLE_BAD_ID, VIRTIO_CONSOLE_DEVICE_READY, 1);
    send_control(f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
    for (unsigned i = 0; i < 100; i++) {
        client = client_new(f);
        close(client);
        test_board_settle(f->guest->test);
    }
    client = client_new(f);
    for (unsigned i = 0; i < 16; i++)
        offer_in(f, CONTROL_IN, i, f->ctrl + i * BUFFER, BUFFER);
    guest_kick(f->guest, CONTROL_IN);
    check_control(f, 0, VIRTIO_CONSOLE_PORT_ADD, 1, "");
    check_control(f, 1, VIRTIO_CONSOLE_PORT_ADD, 1, "");
    check_control(f, 1, VIRTIO_CONSOLE_PORT_NAME, 1, AGENT);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    check_control(f, 2, VIRTIO_CONSOLE_PORT_ADD, 1, "");
    check_no_control(f);
    close(client);
}

/* The socket: who comes is told of, bytes go both ways, one client at a time. */
static void
test_socket(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    int client, second;
    uint32_t head, len;

    introduce(f);
    client = client_new(f);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    check_event(f, 1, 1, true);
    guest_writes(f, AGENT_OUT, 0, "pong", 4);
    g_assert_true(is_sent(f, AGENT_OUT));
    check_read(client, "pong");
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    g_assert_cmpint(write(client, "ping", 4), ==, 4);
    test_board_settle(f->guest->test);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 4), len, "ping", 4);
    second = client_new(f);
    g_assert_cmpint(write(second, "next", 4), ==, 4);
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    g_assert_false(guest_take_used(f->guest, AGENT_IN, &head, &len));
    check_no_control(f);
    close(client);
    test_board_settle(f->guest->test);
    test_board_settle(f->guest->test);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    test_board_settle(f->guest->test);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 4), len, "next", 4);
    close(second);
}

/* What the guest has no buffers for, or no open port, waits in the socket, as long as the client does. */
static void
test_socket_input_waits(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    uint32_t head, len;
    int client;

    introduce(f);
    client = client_new(f);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    offer_in(f, AGENT_IN, 0, buffer, 3);
    guest_kick(f->guest, AGENT_IN);
    g_assert_cmpint(write(client, "abcdef", 6), ==, 6);
    test_board_settle(f->guest->test);
    g_assert_false(guest_take_used(f->guest, AGENT_IN, &head, &len));
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 3), len, "abc", 3);
    check_no_control(f);
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 3), len, "def", 3);
    g_assert_cmpint(write(client, "ghi", 3), ==, 3);
    close(client);
    test_board_settle(f->guest->test);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    g_assert_false(guest_take_used(f->guest, AGENT_IN, &head, &len));
    /* With room, what was written before leaving arrives. */
    client = client_new(f);
    g_assert_cmpint(write(client, "jkl", 3), ==, 3);
    close(client);
    test_board_settle(f->guest->test);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 3), len, "jkl", 3);
}

/* Output that a client does not read makes the guest wait, and nothing is lost; without a client it goes
 * nowhere. */
static void
test_socket_output_waits(Fixture *f, const void *data)
{
    static uint8_t bytes[65536], back[65536];
    unsigned sent = 0, n = 32;
    uint32_t head, len;
    int client;

    introduce(f);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = i * 31;
    guest_writes(f, AGENT_OUT, 0, bytes, sizeof(bytes));
    g_assert_true(is_sent(f, AGENT_OUT));
    client = client_new(f);
    for (unsigned i = 0; i < n; i++)
        guest_writes(f, AGENT_OUT, i, bytes, sizeof(bytes));
    while (guest_take_used(f->guest, AGENT_OUT, &head, &len))
        sent++;
    g_assert_cmpuint(sent, <, n);
    for (unsigned i = 0; i < n; i++) {
        for (size_t done = 0; done < sizeof(back);) {
            ssize_t got = read(client, back + done, sizeof(back) - done);

            if (got < 0)
                test_board_settle(f->guest->test);
            else
                done += got;
        }
        g_assert_cmpmem(back, sizeof(back), bytes, sizeof(bytes));
    }
    while (guest_take_used(f->guest, AGENT_OUT, &head, &len))
        sent++;
    g_assert_cmpuint(sent, ==, n);
    check_nothing_to_read(client);
    for (unsigned i = 0; i < n; i++)
        guest_writes(f, AGENT_OUT, i, bytes, sizeof(bytes));
    close(client); /* with output that waits */
    for (unsigned turn = 0; turn < 2 * n && sent < 2 * n; turn++) {
        test_board_settle(f->guest->test);
        while (guest_take_used(f->guest, AGENT_OUT, &head, &len))
            sent++;
    }
    g_assert_cmpuint(sent, ==, 2 * n);
}

static void
test_pty(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    uint32_t head, len;

    introduce(f);
    test_board_settle(f->guest->test);
    guest_writes(f, PTY_OUT, 0, "login: ", 7);
    g_assert_true(is_sent(f, PTY_OUT));
    test_board_settle(f->guest->test);
    await_readable(f->slave);
    check_read(f->slave, "login: ");
    offer_in(f, PTY_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, PTY_IN);
    g_assert_cmpint(write(f->slave, "root", 4), ==, 4);
    test_board_settle(f->guest->test);
    g_assert_false(guest_take_used(f->guest, PTY_IN, &head, &len));
    send_control(f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
    g_assert_true(await_used(f, PTY_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 4), len, "root", 4);
}

static void
test_file(Fixture *f, const void *data)
{
    introduce(f);
    guest_writes(f, LOG_OUT, 0, "one\n", 4);
    guest_writes(f, LOG_OUT, 1, "two\n", 4);
    check_read(f->log, "one\ntwo\n");
}

/* A buffer of any size does not keep the loop to itself. */
static void
test_huge_output(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, 2 * MIB);
    unsigned turns = 0;

    introduce(f);
    guest_desc(f->guest, f->guest->queues[LOG_OUT].desc, 0, buffer, 2 * MIB, 0, 0);
    guest_offer(f->guest, LOG_OUT, 0);
    guest_kick(f->guest, LOG_OUT);
    for (; !is_sent(f, LOG_OUT); turns++) {
        g_assert_cmpuint(turns, <, 100);
        test_board_settle(f->guest->test);
    }
    g_assert_cmpuint(turns, >, 1);
}

/* Without MULTIPORT port 0 is all there is, and open. */
static void
test_one_port(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    uint32_t head, len;

    guest_reset(f->guest);
    guest_start(f->guest, 0);
    offer_in(f, PTY_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, PTY_IN);
    test_board_settle(f->guest->test);
    g_assert_cmpint(write(f->slave, "x", 1), ==, 1);
    g_assert_true(await_used(f, PTY_IN, &head, &len));
    g_assert_cmpuint(len, ==, 1);
}

static bool
is_guest_open(Fixture *f, const char *key)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VmmError err;
    bool open;

    g_assert_true(f->guest->dev->class->tell(f->guest->dev, request, reply, &err));
    g_assert_true(vmm_msg_get_bool(reply, key, &open));
    return open;
}

static void
on_time(void *data, uint32_t events)
{
    loop_quit(data);
}

static void
pass_time(Fixture *f, unsigned ms)
{
    Loop *loop = f->guest->test->board.loop;
    LoopSource *timer = loop_add_timer(loop, on_time, loop);

    loop_timer_set(timer, ms);
    loop_run(loop);
    loop_source_free(timer);
}

/* A guest that opens and closes without end is told of ten times a second, and the last word is right. */
static void
test_events_bounded(Fixture *f, const void *data)
{
    introduce(f);
    for (unsigned i = 0; i < 101; i++)
        send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, i % 2 == 0);
    send_control(f, 2, VIRTIO_CONSOLE_PORT_OPEN, 1);
    g_assert_true(is_guest_open(f, "port-1-guest-open"));
    check_event(f, 1, 1, true);
    g_assert_false(is_guest_open(f, "port-1-host-open"));
    pass_time(f, 110);
    check_event(f, 2, 2, true);
    guest_reset(f->guest);
    pass_time(f, 110);
    check_event(f, 4, 2, false);
}

static void
test_nonsense(Fixture *f, const void *data)
{
    introduce(f);
    send_control(f, 3, VIRTIO_CONSOLE_PORT_OPEN, 1);
    send_control(f, UINT32_MAX, VIRTIO_CONSOLE_PORT_READY, 1);
    send_control(f, 1, 99, 1);
    send_control(f, 0, VIRTIO_CONSOLE_DEVICE_READY, 0);
    check_no_control(f);
    g_assert_cmpuint(f->guest->test->n_events, ==, 0);
    guest_writes(f, CONTROL_OUT, 0, "short", 5);
    g_assert_true(is_sent(f, CONTROL_OUT));
    g_assert_cmphex(guest_get(f->guest, COMMON_STATUS, 1), ==, 0xf);
}

static void
test_small_control_buffer(Fixture *f, const void *data)
{
    guest_reset(f->guest);
    guest_start(f->guest, UINT64_MAX);
    offer_in(f, CONTROL_IN, 0, f->ctrl, 7);
    guest_kick(f->guest, CONTROL_IN);
    send_control(f, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
    g_assert_cmphex(guest_get(f->guest, COMMON_STATUS, 1), ==, 0xf | STATUS_NEEDS_RESET);
}

static void
test_pause(Fixture *f, const void *data)
{
    const DeviceClass *class = f->guest->dev->class;
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    uint32_t head, len;
    int client;

    introduce(f);
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    class->pause(f->guest->dev);
    client = client_new(f);
    g_assert_cmpint(write(client, "ping", 4), ==, 4);
    test_board_settle(f->guest->test);
    g_assert_false(guest_take_used(f->guest, AGENT_IN, &head, &len));
    check_no_control(f);
    class->resume(f->guest->dev);
    test_board_settle(f->guest->test);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpuint(len, ==, 4);
    close(client);
}

static void
test_bad_parameters(void)
{
    static const char *const rows[][2] = {
        { "socket", "has no socket" }, { "pty", "descriptor" },
        { "serial", "unknown kind" },  { "name", "64" },
        { "pipe", "listening" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        TestBoard *test = test_board_new(loop_new());
        vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
        const VirtioClass *class = virtio_class_find("console");
        VirtioDevice *vdev = g_malloc0(class->size);
        Device dev = { .id = (char *)"serial0", .board = &test->board };
        VmmError err = { 0 };

        *vdev = (VirtioDevice){ .class = class, .dev = &dev, .loop = test->board.loop };
        if (strcmp(rows[i][0], "name") == 0) {
            vmm_msg_put_string(params, "port-0-kind", "null");
            vmm_msg_put_string(params, "port-0-name",
                               "0123456789012345678901234567890123456789012345678901234567890123"
                               "4");
        } else if (strcmp(rows[i][0], "pipe") == 0) {
            vmm_msg_put_string(params, "port-0-kind", "socket");
            vmm_msg_put_fd(params, "port-0-fd", open("/dev/null", O_RDWR | O_CLOEXEC));
        } else {
            vmm_msg_put_string(params, "port-0-kind", rows[i][0]);
        }
        g_assert_false(class->create(vdev, params, &err));
        g_assert_nonnull(strstr(err.text, rows[i][1]));
        class->destroy(vdev);
        g_free(vdev);
        loop_free(test->board.loop);
        test_board_free(test);
    }
}

/* @request is consumed; NULL or a text that is in the error. */
static void
tell(Fixture *f, VmmMsg *request, const char *wrong)
{
    vmm_msg_auto own = request;
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VmmError err = { 0 };

    g_assert_true(f->guest->dev->class->tell(f->guest->dev, own, reply, &err) == !wrong);
    g_assert_true(!wrong || strstr(err.text, wrong));
    g_assert_true(wrong || !vmm_msg_unread(own));
}

static VmmMsg *
removal(uint64_t port)
{
    VmmMsg *request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);

    vmm_msg_put_u64(request, "remove", port);
    return request;
}

static VmmMsg *
addition(uint64_t port, int fd)
{
    VmmMsg *request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);

    vmm_msg_put_u64(request, "add", port);
    if (fd >= 0) {
        vmm_msg_put_string(request, "port-1-kind", "socket");
        vmm_msg_put_string(request, "port-1-name", "another");
        vmm_msg_put_fd(request, "port-1-fd", fd);
    }
    return request;
}

/* A port goes, and another one comes in its place; one that the guest has not heard of leaves no trace. */
static void
test_plug(Fixture *f, const void *data)
{
    int client;

    introduce(f);
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tell(f, removal(1), NULL);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 1, "");
    guest_writes(f, AGENT_OUT, 0, "lost", 4);
    tell(f, removal(1), "has no such port");
    tell(f, removal(3), "has no such port");
    tell(f, addition(3, -1), "has room for 3 ports");
    tell(f, addition(1, -1), "is of no kind");
    tell(f, addition(0, -1), "has a port 0 already");

    unlink(f->path);
    tell(f, addition(1, listen_at(f->path)), NULL);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_ADD, 1, "");
    send_control(f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_NAME, 1, "another");
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    client = client_new(f);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    close(client);
    check_no_control(f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(path, test) g_test_add("/virtio-console/" path, Fixture, NULL, set_up, test, tear_down)
    CASE("introduction", test_introduction);
    CASE("messages-wait", test_messages_wait);
    CASE("socket", test_socket);
    CASE("socket-input-waits", test_socket_input_waits);
    CASE("socket-output-waits", test_socket_output_waits);
    CASE("pty", test_pty);
    CASE("file", test_file);
    CASE("huge-output", test_huge_output);
    CASE("one-port", test_one_port);
    CASE("events-bounded", test_events_bounded);
    CASE("nonsense", test_nonsense);
    CASE("small-control-buffer", test_small_control_buffer);
    CASE("pause", test_pause);
    CASE("plug", test_plug);
    g_test_add_func("/virtio-console/bad-parameters", test_bad_parameters);
    return g_test_run();
}
