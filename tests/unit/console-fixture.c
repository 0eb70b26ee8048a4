#include "tests/unit/console-fixture.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/unit/raw-pty.h"

#include <fcntl.h>
#include <linux/virtio_console.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 4), ==, 0);
    return fd;
}

int
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
    int master = raw_pty_open(), pipe_fds[2];

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

void
offer_in(Fixture *f, unsigned queue, unsigned i, uint64_t buffer, uint32_t size)
{
    guest_desc(f->guest, f->guest->queues[queue].desc, i, buffer, size, DESC_WRITE, 0);
    guest_offer(f->guest, queue, i);
}

void
console_start(Fixture *f)
{
    guest_start(f->guest, UINT64_MAX);
    f->ctrl = guest_alloc(f->guest, 16 * BUFFER);
    for (unsigned i = 0; i < 16; i++)
        offer_in(f, CONTROL_IN, i, f->ctrl + i * BUFFER, BUFFER);
    guest_kick(f->guest, CONTROL_IN);
}

void
console_set_up(Fixture *f, const void *data)
{
    f->guest = virtio_guest_new(console_params(f), 8 * MIB);
    guest_enable_msix(f->guest);
    console_start(f);
}

void
console_tear_down(Fixture *f, const void *data)
{
    virtio_guest_free(f->guest);
    g_assert_cmpint(unlink(f->path), ==, 0);
    g_free(f->path);
    close(f->slave);
    close(f->log);
}

void
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

void
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

void
check_no_control(Fixture *f)
{
    uint32_t head, len;

    g_assert_false(guest_take_used(f->guest, CONTROL_IN, &head, &len));
}

void
console_introduce(Fixture *f)
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

void
check_event(Fixture *f, unsigned n, uint64_t port, bool open)
{
    uint64_t got_port;
    bool got_open;

    g_assert_cmpuint(f->guest->test->n_events, ==, n);
    g_assert_true(read_event(f, &got_port, &got_open));
    g_assert_cmpuint(got_port, ==, port);
    g_assert_cmpint(got_open, ==, open);
}

void
guest_writes(Fixture *f, unsigned queue, unsigned i, const void *bytes, size_t size)
{
    uint64_t buffer = guest_alloc(f->guest, size);

    memcpy(guest_memory(f->guest, buffer, size), bytes, size);
    guest_desc(f->guest, f->guest->queues[queue].desc, i, buffer, size, 0, 0);
    guest_offer(f->guest, queue, i);
    guest_kick(f->guest, queue);
}

bool
is_sent(Fixture *f, unsigned queue)
{
    uint32_t head, len, more;

    return guest_take_used(f->guest, queue, &head, &len) && len == 0 &&
           !guest_take_used(f->guest, queue, &more, &len);
}

void
tell_device(Fixture *f, VmmMsg *request, const char *wrong)
{
    vmm_msg_auto own = request;
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VmmError err = { 0 };

    g_assert_true(f->guest->dev->class->tell(f->guest->dev, own, reply, &err) == !wrong);
    g_assert_true(!wrong || strstr(err.text, wrong));
    g_assert_true(wrong || !vmm_msg_unread(own));
}

VmmMsg *
port_removal(uint64_t port)
{
    VmmMsg *request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);

    vmm_msg_put_u64(request, "remove", port);
    return request;
}

VmmMsg *
port_addition(uint64_t port, int fd)
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
