/* Serial ports: what device and driver say to each other about them, and what the daemon hears. */
#include "tests/unit/console-fixture.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <linux/virtio_console.h>
#include <string.h>
#include <unistd.h>

static void
test_introduction(Fixture *f, const void *data)
{
    g_assert_cmpuint(guest_get(f->guest, COMMON_NUM_QUEUES, 2), ==, 8);
    g_assert_cmpuint(mmio_read(f->guest->test, f->guest->device + 4, 4), ==, 3);
    console_introduce(f);
    guest_reset(f->guest);
    console_start(f);
    console_introduce(f);
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
    console_introduce(f);
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
    console_introduce(f);
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
test_bad_parameters(void)
{
    static const char *const rows[][2] = {
        { "socket", "has no descriptor" }, { "pty", "descriptor" },
        { "serial", "unknown kind" },      { "name", "64" },
        { "pipe", "no socket" },           { "none", "1 to 15 ports" },
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
        } else if (strcmp(rows[i][0], "none") == 0) {
            vmm_msg_put_u64(params, "ports", 0);
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

/* There is room for a port where nobody says of any. */
static void
test_no_port(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    VirtioGuest *guest;

    vmm_msg_put_string(params, "device", "console");
    guest = virtio_guest_new(params, 8 * MIB);
    g_assert_cmpuint(guest_get(guest, COMMON_NUM_QUEUES, 2), ==, 4);
    g_assert_cmpuint(mmio_read(guest->test, guest->device + 4, 4), ==, 1);
    virtio_guest_free(guest);
}

/* A port goes, and another one comes in its place; one that the guest has not heard of leaves no trace. */
static void
test_plug(Fixture *f, const void *data)
{
    int client;

    console_introduce(f);
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    tell_device(f, port_removal(1), NULL);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_REMOVE, 1, "");
    guest_writes(f, AGENT_OUT, 0, "lost", 4);
    tell_device(f, port_removal(1), "has no such port");
    tell_device(f, port_removal(3), "has no such port");
    tell_device(f, port_addition(3, -1), "has room for 3 ports");
    tell_device(f, port_addition(1, -1), "is of no kind");
    tell_device(f, port_addition(0, -1), "has a port 0 already");

    unlink(f->path);
    tell_device(f, port_addition(1, listen_at(f->path)), NULL);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_ADD, 1, "");
    send_control(f, 1, VIRTIO_CONSOLE_PORT_READY, 1);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_NAME, 1, "another");
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    client = client_new(f);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    close(client);
    check_no_control(f);
}

#define CHAINS 32

/* Fills the transmit queue of port 1 with more than a client takes that does not read. */
static void
fill_output(Fixture *f)
{
    static const uint8_t bytes[65536];

    for (unsigned i = 0; i < CHAINS; i++)
        guest_writes(f, AGENT_OUT, i, bytes, sizeof(bytes));
}

static unsigned
count_sent(Fixture *f)
{
    uint32_t head, len;
    unsigned n = 0;

    while (guest_take_used(f->guest, AGENT_OUT, &head, &len))
        n++;
    return n;
}

/* Port 1 comes anew; its client. */
static int
plug_again(Fixture *f)
{
    unlink(f->path);
    tell_device(f, port_addition(1, listen_at(f->path)), NULL);
    return client_new(f);
}

static void
check_nothing_to_read(int client)
{
    char byte;

    g_assert_cmpint(read(client, &byte, 1), ==, -1);
}

/* What waits to be sent when a port goes, and what the guest sends without one, is given back and nobody's. */
static void
test_plug_output(Fixture *f, const void *data)
{
    int old, client;
    unsigned sent;

    console_introduce(f);
    old = client_new(f);
    fill_output(f);
    sent = count_sent(f);
    g_assert_cmpuint(sent, <, CHAINS);
    tell_device(f, port_removal(1), NULL);
    g_assert_cmpuint(sent + count_sent(f), ==, CHAINS);
    guest_writes(f, AGENT_OUT, 0, "lost", 4);
    g_assert_cmpuint(count_sent(f), ==, 1);
    client = plug_again(f);
    check_nothing_to_read(client);
    guest_writes(f, AGENT_OUT, 0, "found", 5);
    g_assert_cmpuint(count_sent(f), ==, 1);
    close(old);
    close(client);
}

/* The same where both happen in a pause, in which nothing can be given back. */
static void
test_plug_paused(Fixture *f, const void *data)
{
    Device *dev = f->guest->dev;
    int old, client;
    unsigned sent;

    console_introduce(f);
    old = client_new(f);
    fill_output(f);
    sent = count_sent(f);
    dev->class->pause(dev);
    tell_device(f, port_removal(1), NULL);
    client = plug_again(f);
    g_assert_cmpuint(count_sent(f), ==, 0);
    dev->class->resume(dev);
    test_board_settle(f->guest->test);
    g_assert_cmpuint(sent + count_sent(f), ==, CHAINS);
    check_nothing_to_read(client);
    close(old);
    close(client);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(path, test)                                                                           \
    g_test_add("/virtio-console/" path, Fixture, NULL, console_set_up, test, console_tear_down)
    CASE("introduction", test_introduction);
    CASE("messages-wait", test_messages_wait);
    CASE("events-bounded", test_events_bounded);
    CASE("nonsense", test_nonsense);
    CASE("small-control-buffer", test_small_control_buffer);
    CASE("plug", test_plug);
    CASE("plug-output", test_plug_output);
    CASE("plug-paused", test_plug_paused);
    g_test_add_func("/virtio-console/no-port", test_no_port);
    g_test_add_func("/virtio-console/bad-parameters", test_bad_parameters);
    return g_test_run();
}
