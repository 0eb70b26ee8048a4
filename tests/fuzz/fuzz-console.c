/* Fuzz target: a guest's driver of serial ports, and clients of the socket behind one, that do anything. */
#include "tests/fuzz/virtio-steps.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Client {
    VirtioGuest *guest;
    struct sockaddr_un address;
    int fd; /* -1: none */
} Client;

static void
leave(Client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

static void
come(Client *client)
{
    leave(client);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(client->fd, (struct sockaddr *)&client->address, sizeof(client->address)) < 0)
        leave(client);
}

static void
client_step(void *data, const uint8_t *step)
{
    uint8_t bytes[65536] = { 0 };
    Client *client = data;

    switch (step[1] % 4) {
    case 0:
        come(client);
        break;
    case 1:
        leave(client);
        break;
    case 2:
        send(client->fd, bytes, (step[6] << 8 | step[7]) % sizeof(bytes), MSG_NOSIGNAL);
        break;
    case 3:
        if (recv(client->fd, bytes, sizeof(bytes), 0) < 0)
            return;
        break;
    }
    test_board_settle(client->guest->test);
}

/* No file: the name begins with a NUL. */
static int
listen_for(Client *client)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    client->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(client->address.sun_path + 1, sizeof(client->address.sun_path) - 1,
             "vmctl-fuzz-console-%d", (int)getpid());
    g_assert_cmpint(bind(fd, (struct sockaddr *)&client->address, sizeof(client->address)), ==, 0);
    g_assert_cmpint(listen(fd, 2), ==, 0);
    return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    Client client = { .fd = -1 };

    vmm_msg_put_string(params, "device", "console");
    vmm_msg_put_string(params, "port-0-kind", "null");
    vmm_msg_put_bool(params, "port-0-console", true);
    vmm_msg_put_string(params, "port-2-kind", "socket");
    vmm_msg_put_string(params, "port-2-name", "org.qemu.guest_agent.0");
    vmm_msg_put_fd(params, "port-2-fd", listen_for(&client));
    client.guest = virtio_guest_new(params, 4 << 20);
    guest_start(client.guest, UINT64_MAX);
    virtio_steps_run(&(VirtioSteps){ client.guest, client_step, &client }, data, size);
    leave(&client);
    virtio_guest_free(client.guest);
    return 0;
}
