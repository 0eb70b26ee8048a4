/* Fuzzes saved state: the input is loaded into each of several devices, which then is saved, run and reset: nothing
 * that a stream says may be more than its device can bear. The first byte picks the device; what follows is the
 * payload of its section, or after 0xff a whole section with its head. */
#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB (1ull << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static VmmMsg *
params_new(const char *device)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    if (device)
        vmm_msg_put_string(params, "device", device);
    return params;
}

static VmmMsg *
serial_params(void)
{
    VmmMsg *params = params_new(NULL);

    vmm_msg_put_u64(params, "port", 0);
    vmm_msg_put_string(params, "kind", "null");
    return params;
}

static int
new_file(uint64_t size)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    if (fd < 0 || ftruncate(fd, size) < 0)
        abort();
    return fd;
}

static VmmMsg *
flash_params(void)
{
    VmmMsg *params = params_new(NULL);

    vmm_msg_put_fd(params, "firmware", new_file(8192));
    vmm_msg_put_fd(params, "nvram", new_file(8192));
    return params;
}

static VmmMsg *
rng_params(void)
{
    return params_new("rng");
}

static VmmMsg *
balloon_params(void)
{
    return params_new("balloon");
}

static VmmMsg *
console_params(void)
{
    VmmMsg *params = params_new("console");

    vmm_msg_put_string(params, "port-0-kind", "null");
    vmm_msg_put_bool(params, "port-0-console", true);
    vmm_msg_put_string(params, "port-2-kind", "null");
    vmm_msg_put_string(params, "port-2-name", "agent");
    return params;
}

static int far_ends[] = { -1, -1 }; /* of what the last device was connected to */

/* One end of a connection; nobody is at the other one. */
static int
connected(unsigned i, int type)
{
    int ends[2];

    if (far_ends[i] >= 0)
        close(far_ends[i]);
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        abort();
    far_ends[i] = ends[1];
    return ends[0];
}

static VmmMsg *
net_params(void)
{
    VmmMsg *params = params_new("net");

    vmm_msg_put_string(params, "mac", "52:54:00:12:34:56");
    vmm_msg_put_bool(params, "thread", false);
    vmm_msg_put_string(params, "backend", "stream");
    vmm_msg_put_fd(params, "fd", connected(0, SOCK_STREAM));
    return params;
}

/* The kernel gives the socket a name. */
static VmmMsg *
vsock_params(void)
{
    const struct sockaddr any = { .sa_family = AF_UNIX };
    VmmMsg *params = params_new("vsock");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (bind(fd, &any, sizeof(any.sa_family)) < 0 || listen(fd, 1) < 0)
        abort();
    vmm_msg_put_u64(params, "cid", 3);
    vmm_msg_put_fd(params, "fd", fd);
    vmm_msg_put_fd(params, "broker", connected(1, SOCK_SEQPACKET));
    return params;
}

static VmmMsg *
blk_params(void)
{
    VmmMsg *params = params_new("blk");

    vmm_msg_put_fd(params, "fd", new_file(65536));
    vmm_msg_put_string(params, "io", "threads");
    return params;
}

/* In the order in which the first byte counts them. */
static const struct {
    const DeviceClass *class;
    VmmMsg *(*params)(void);
} devices[] = {
    { &serial_class, serial_params },
    { &rtc_class, NULL },
    { &pm_class, NULL },
    { &i8042_class, NULL },
    { &flash_class, flash_params },
    { &pci_host_class, NULL },
    { &root_port_class, NULL },
    { &virtio_pci_class, rng_params },
    { &virtio_pci_class, balloon_params },
    { &virtio_pci_class, console_params },
    { &virtio_pci_class, blk_params },
    { &virtio_pci_class, net_params },
    { &virtio_pci_class, vsock_params },
    { &i6300esb_class, NULL },
    { &pvpanic_class, NULL },
    { &pvpanic_pci_class, NULL },
    { &fw_cfg_class, NULL },
    { &lpc_class, NULL },
    { &reset_control_class, NULL },
};
#define N_DEVICES (sizeof(devices) / sizeof(devices[0]))

static TestBoard *
board_new(void)
{
    TestBoard *test = test_board_new(loop_new());

    test->board.memory = memory_new(MIB, NULL);
    return test;
}

static void
board_free(TestBoard *test)
{
    Loop *loop = test->board.loop;

    test_board_free(test);
    loop_free(loop);
}

/* As a section of the device's class, or as what the bytes say that it is. */
static bool
load(Device *dev, const uint8_t *data, size_t size)
{
    StateSection section = { .version = 1, .length = size, .data = data };
    VmmError err;

    if (size > 0 && data[0] == 0xff) {
        int head = state_read_head(data + 1, size - 1, &section, &err);

        if (head <= 0 || section.length > size - 1 - head)
            return false;
        section.data = data + 1 + head;
    }
    return state_load(&section, dev->class->state, dev, &err);
}

static void
save(Device *dev)
{
    StateOut *out = state_out_new();

    state_put_section(out, dev->class->name, dev->id, dev->class->state, dev);
    state_out_free(out);
}

/* It works for a while, whatever it thinks it is. */
static void
run(TestBoard *test, Device *dev)
{
    static const uint16_t ports[] = { 0x3f8, 0x600, 0x60, 0x504, 0x510, 0xcf8 };

    if (test->board.pci) {
        pthread_mutex_lock(pci_lock(test->board.pci));
        pci_remap(test->board.pci);
        pthread_mutex_unlock(pci_lock(test->board.pci));
    }
    if (dev->class->resume)
        dev->class->resume(dev);
    test_board_settle(test);
    for (unsigned i = 0; i < sizeof(ports) / sizeof(ports[0]) * 8; i++)
        in8(test, ports[i / 8] + i % 8);
    for (unsigned slot = 0; slot < 32 && test->board.pci; slot++)
        config_read(test, 0, slot << 3, 0x10, 4);
    out8(test, 0x3f8, 'x');
    out8(test, 0x505, 1);
    out8(test, 0x71, 0x10);
    in8(test, 0x71);
    mmio_write(test, 0x100000000ull - 16384 + 100, 1, 0x55);
    mmio_read(test, 0x100000000ull - 16384 + 100, 1);
    if (dev->class->pause)
        dev->class->pause(dev);
}

static void
try_device(unsigned i, const uint8_t *data, size_t size)
{
    TestBoard *test = board_new();
    Device *host = NULL, *dev;

    if (devices[i].class->needs == device_pci_classes || devices[i].class == &lpc_class)
        host = test_board_add(test, &pci_host_class, NULL);
    dev = test_board_add(test, devices[i].class, devices[i].params ? devices[i].params() : NULL);
    if (load(dev, data, size)) {
        save(dev);
        run(test, dev);
        save(dev);
    }
    dev->class->reset(dev);
    device_free(dev);
    device_free(host);
    board_free(test);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        try_device(data[0] % N_DEVICES, data + 1, size - 1);
    return 0;
}
