#include "tests/bus/fake-devices.h"

#include "qemu-kvm-backend/proto/connect-broker.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/proto/vsock-broker.h"
#include "tests/bus/fake-agent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEVICES_MAX 128
#define WORD_MAX    64

typedef struct FakeDevice {
    bool there;
    char id[WORD_MAX], class[WORD_MAX], device[WORD_MAX], bus[WORD_MAX];
    uint64_t slot, function;
    bool link;             /* of a network card */
    bool medium;           /* of a disk */
    uint64_t iothread;     /* of a disk; 0: none */
    uint64_t threshold;    /* of a disk */
    uint64_t capacity;     /* of a disk that got another size, bytes; 0: the same as all others */
    uint64_t growing;      /* the size that it is getting; 0: none */
    uint64_t limit;        /* bytes a second: how far a disk's file is written, or added to a card's figures */
    uint64_t target, size; /* of a balloon, bytes */
    uint64_t period_s;
    unsigned port; /* of virtio-serial: the first; 0: none */
    bool port_open;
    bool leaving;
    int listener, broker; /* of a vsock; one of them of the first port of virtio-serial, too */
    int tap;              /* of a network card; -1: none. The host's end goes with it */
} FakeDevice;

struct FakeDevices {
    FakeTell tell;
    void *data;
    FakeBehaves behaves;
    bool booted;
    const char *word; /* how the guest's agent behaves */
    int agent;        /* of fake-agent; -1: none */
    bool full; /* the host has no room for what disks write */
    FakeDevice devices[DEVICES_MAX];
};

FakeDevices *
fake_devices_new(FakeTell tell, void *data)
{
    FakeDevices *devices = calloc(1, sizeof(*devices));

    devices->tell = tell;
    devices->data = data;
    devices->agent = -1;
    return devices;
}

void
fake_devices_set_guest(FakeDevices *devices, FakeBehaves behaves)
{
    devices->behaves = behaves;
}

static FakeDevice *
find(FakeDevices *devices, const char *id)
{
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        if (devices->devices[i].there && strcmp(devices->devices[i].id, id) == 0)
            return &devices->devices[i];
    }
    return NULL;
}

static FakeDevice *
find_named(FakeDevices *devices, VmmMsg *request)
{
    const char *id = "";

    vmm_msg_get_string(request, "id", &id);
    return find(devices, id);
}

static FakeDevice *
find_room(FakeDevices *devices)
{
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        if (!devices->devices[i].there)
            return &devices->devices[i];
    }
    return NULL;
}

static bool
is_taken(FakeDevices *devices, const FakeDevice *wanted)
{
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        const FakeDevice *dev = &devices->devices[i];

        if (dev->there && strcmp(dev->bus, wanted->bus) == 0 && dev->slot == wanted->slot &&
            dev->function == wanted->function)
            return true;
    }
    return false;
}

static void
copy_word(char to[WORD_MAX], VmmMsg *msg, const char *key)
{
    const char *word = "";

    vmm_msg_get_string(msg, key, &word);
    snprintf(to, WORD_MAX, "%s", word);
}

static unsigned
first_port(VmmMsg *request)
{
    for (unsigned port = 1; port < 15; port++) {
        char key[32];

        snprintf(key, sizeof(key), "port-%u-kind", port);
        if (vmm_msg_has(request, key))
            return port;
    }
    return 0;
}

/* Those of them that tests set. */
static void
read_limits(FakeDevice *dev, VmmMsg *request)
{
    static const char *const others[] = { "read-bytes-sec", "total-iops-sec", "total-bytes-sec-max",
                                          "total-bytes-sec-max-length" };
    bool said = false;
    const char *group;
    uint64_t value;

    if (!vmm_msg_get_bool(request, "limits", &said))
        return;
    dev->limit = 0;
    vmm_msg_get_u64(request, "total-bytes-sec", &dev->limit);
    vmm_msg_get_string(request, "limits-group", &group);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        vmm_msg_get_u64(request, others[i], &value);
}

static void
read_device(FakeDevice *dev, VmmMsg *request)
{
    *dev = (FakeDevice){ .link = true, .listener = -1, .broker = -1, .tap = -1 };
    copy_word(dev->id, request, "id");
    copy_word(dev->class, request, "class");
    copy_word(dev->device, request, "device");
    copy_word(dev->bus, request, "bus");
    vmm_msg_get_u64(request, "slot", &dev->slot);
    vmm_msg_get_u64(request, "function", &dev->function);
    vmm_msg_get_bool(request, "link", &dev->link);
    vmm_msg_get_u64(request, "target", &dev->target);
    vmm_msg_get_u64(request, "stats-period", &dev->period_s);
    dev->medium = vmm_msg_has(request, "fd");
    vmm_msg_get_u64(request, "iothread", &dev->iothread);
    read_limits(dev, request);
    if (strcmp(dev->device, "vsock") == 0) {
        vmm_msg_take_fd(request, "fd", &dev->listener);
        vmm_msg_take_fd(request, "broker", &dev->broker);
    }
    if (strcmp(dev->device, "net") == 0)
        vmm_msg_take_fd(request, "fd0", &dev->tap);
    dev->port = first_port(request);
    if (dev->port) {
        const char *kind = "";
        char key[32];

        snprintf(key, sizeof(key), "port-%u-kind", dev->port);
        vmm_msg_get_string(request, key, &kind);
        snprintf(key, sizeof(key), "port-%u-fd", dev->port);
        vmm_msg_take_fd(request, key, strcmp(kind, "broker") == 0 ? &dev->broker : &dev->listener);
    }
}

bool
fake_devices_use_iothread(const FakeDevices *devices, uint64_t iothread)
{
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        if (devices->devices[i].there && devices->devices[i].iothread == iothread)
            return true;
    }
    return false;
}

const char *
fake_devices_add(FakeDevices *devices, VmmMsg *request)
{
    FakeDevice *room = find_room(devices), dev;

    read_device(&dev, request);
    if (!room || !*dev.id || find(devices, dev.id))
        return "this is no new device of the fake machine";
    if (strcmp(dev.bus, "pcie.0") != 0 && !find(devices, dev.bus))
        return "there is no such bus in the fake machine";
    if (is_taken(devices, &dev))
        return "somebody is in that place of the fake machine";
    if (devices->booted && strcmp(dev.bus, "pcie.0") == 0)
        return "nothing can be plugged there while the fake machine runs";
    dev.there = true;
    *room = dev;
    return NULL;
}

const char *
fake_devices_remove(FakeDevices *devices, VmmMsg *request)
{
    FakeDevice *dev = find_named(devices, request);

    if (!dev || strcmp(dev->bus, "pcie.0") == 0)
        return "there is no such device that can be removed from the fake machine";
    dev->leaving = !devices->booted || !devices->behaves(devices->data, "keep-devices");
    return NULL;
}

/* What each device can be told */

static void
inflate(FakeDevices *devices, FakeDevice *dev)
{
    VmmMsg *event;

    if (!devices->booted || dev->size == dev->target ||
        devices->behaves(devices->data, "no-balloon"))
        return;
    dev->size = dev->target;
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_BALLOON);
    vmm_msg_put_string(event, "id", dev->id);
    vmm_msg_put_u64(event, "size", dev->size);
    devices->tell(devices->data, event);
}

static void
tell_balloon(FakeDevices *devices, FakeDevice *dev, VmmMsg *request, VmmMsg *reply)
{
    vmm_msg_get_u64(request, "target", &dev->target);
    vmm_msg_get_u64(request, "stats-period", &dev->period_s);
    vmm_msg_put_u64(reply, "target", dev->target);
    vmm_msg_put_u64(reply, "size", dev->size);
    vmm_msg_put_u64(reply, "stats-time", dev->period_s ? 1700000000 : 0);
    if (dev->period_s) {
        vmm_msg_put_u64(reply, "stat-free", 40960 * 1024);
        vmm_msg_put_u64(reply, "stat-total", 61440 * 1024);
        vmm_msg_put_u64(reply, "stat-major-faults", 7);
    }
    inflate(devices, dev);
}

static void
tell_net(FakeDevices *devices, FakeDevice *dev, VmmMsg *request, VmmMsg *reply)
{
    static const char *const counters[] = { "rx-packets", "rx-bytes", "rx-dropped",
                                            "tx-packets", "tx-bytes", "tx-dropped" };

    static const char *const others[] = { "in-rate", "in-peak", "in-burst", "out-peak", "out-burst" };
    uint64_t value;
    bool said;

    vmm_msg_get_bool(request, "link", &dev->link);
    vmm_msg_put_bool(reply, "link", dev->link);
    if (vmm_msg_get_bool(request, "bandwidth", &said)) {
        dev->limit = 0;
        vmm_msg_get_u64(request, "out-rate", &dev->limit);
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
            vmm_msg_get_u64(request, others[i], &value);
    }
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        vmm_msg_put_u64(reply, counters[i], 10 * (i + 1) + dev->limit);
}

static uint64_t
capacity_of(const FakeDevice *dev)
{
    return !dev->medium ? 0 : dev->capacity ? dev->capacity : 1 << 20;
}

/* After the reply. */
static void
end_growth(FakeDevices *devices, FakeDevice *dev)
{
    VmmMsg *event;

    if (!dev->growing || devices->behaves(devices->data, "resize-mute"))
        return;
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_RESIZED);
    if (devices->behaves(devices->data, "resize-full"))
        vmm_msg_put_string(event, "text", "No space left on device");
    else
        dev->capacity = dev->growing;
    dev->growing = 0;
    vmm_msg_put_string(event, "device", dev->id);
    vmm_msg_put_u64(event, "size", capacity_of(dev));
    devices->tell(devices->data, event);
}

/* One that nobody is told of is over when it is asked about. */
static void
grow(FakeDevice *dev, VmmMsg *request, VmmMsg *reply)
{
    if (!vmm_msg_get_u64(request, "new-size", &dev->growing) && dev->growing) {
        dev->capacity = dev->growing;
        dev->growing = 0;
    }
    vmm_msg_put_bool(reply, "resizing", dev->growing != 0);
}

static void
tell_blk(FakeDevices *devices, FakeDevice *dev, VmmMsg *request, VmmMsg *reply)
{
    static const char *const counters[] = { "rd-requests", "rd-bytes", "rd-time",     "wr-requests",
                                            "wr-bytes",    "wr-time",  "fl-requests", "fl-time" };
    static const char *const words[] = { "format", "cache", "io" };
    bool medium, flag;
    const char *word;

    if (vmm_msg_get_bool(request, "medium", &medium))
        dev->medium = medium;
    vmm_msg_get_bool(request, "resize", &flag);
    vmm_msg_get_u64(request, "threshold", &dev->threshold);
    read_limits(dev, request);
    vmm_msg_get_bool(request, "read-only", &flag);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        vmm_msg_get_string(request, words[i], &word);
    grow(dev, request, reply);
    vmm_msg_put_u64(reply, "size", capacity_of(dev));
    for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
        vmm_msg_put_u64(reply, counters[i], 100 * (i + 1));
    vmm_msg_put_u64(reply, "file-size", 65536);
    vmm_msg_put_u64(reply, "allocated", 8192);
    vmm_msg_put_u64(reply, "written-to", dev->limit ? dev->limit : 4096);
    vmm_msg_put_u64(reply, "threshold", dev->threshold);
    vmm_msg_put_string(reply, "io-status", devices->full ? "nospace" : "ok");
}

/* What there may be of a port. */
static void
read_port(VmmMsg *request, uint64_t number)
{
    static const char *const words[] = { "kind", "name" }, *const fds[] = { "fd", "out", "watch", "log" };
    const char *word;
    char key[32];
    bool flag;
    int fd;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        snprintf(key, sizeof(key), "port-%u-%s", (unsigned)number, words[i]);
        vmm_msg_get_string(request, key, &word);
    }
    for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        snprintf(key, sizeof(key), "port-%u-%s", (unsigned)number, fds[i]);
        if (vmm_msg_take_fd(request, key, &fd))
            close(fd);
    }
    snprintf(key, sizeof(key), "port-%u-console", (unsigned)number);
    vmm_msg_get_bool(request, key, &flag);
    snprintf(key, sizeof(key), "port-%u-telnet", (unsigned)number);
    vmm_msg_get_bool(request, key, &flag);
}

static void
tell_console(FakeDevices *devices, FakeDevice *dev, VmmMsg *request, VmmMsg *reply)
{
    uint64_t number;
    char key[32];

    if (vmm_msg_get_u64(request, "add", &number))
        read_port(request, number);
    vmm_msg_get_u64(request, "remove", &number);
    snprintf(key, sizeof(key), "port-%u-guest-open", dev->port);
    vmm_msg_put_bool(reply, key, dev->port_open);
    snprintf(key, sizeof(key), "port-%u-host-open", dev->port);
    vmm_msg_put_bool(reply, key, false);
}

static const struct {
    const char *device;
    void (*tell)(FakeDevices *devices, FakeDevice *dev, VmmMsg *request, VmmMsg *reply);
} tells[] = {
    { "balloon", tell_balloon },
    { "net", tell_net },
    { "blk", tell_blk },
    { "console", tell_console },
};

static void
close_medium(VmmMsg *request)
{
    int fd;

    if (vmm_msg_take_fd(request, "fd", &fd))
        close(fd);
    if (vmm_msg_take_fd(request, "lock", &fd))
        close(fd);
}

const char *
fake_devices_tell(FakeDevices *devices, VmmMsg *request, VmmMsg *reply)
{
    FakeDevice *dev = find_named(devices, request);

    for (size_t i = 0; dev && i < sizeof(tells) / sizeof(tells[0]); i++) {
        if (strcmp(tells[i].device, dev->device) != 0)
            continue;
        tells[i].tell(devices, dev, request, reply);
        close_medium(request);
        return vmm_msg_unread(request) ? "this is not what the fake device can be told" : NULL;
    }
    return "there is no such device that can be told anything in the fake machine";
}

static void
open_port(FakeDevices *devices, FakeDevice *dev, bool open)
{
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_PORT);

    dev->port_open = open;
    vmm_msg_put_string(event, "id", dev->id);
    vmm_msg_put_u64(event, "port", dev->port);
    vmm_msg_put_bool(event, "open", open);
    devices->tell(devices->data, event);
}

static void
open_ports(FakeDevices *devices, bool open)
{
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        FakeDevice *dev = &devices->devices[i];

        if (dev->there && dev->port && devices->word)
            open_port(devices, dev, open);
    }
}

static void
start_agent(FakeDevices *devices, FakeDevice *dev)
{
    if (devices->word && dev->listener >= 0 && devices->agent < 0) {
        devices->agent = fake_agent_start(dev->listener, devices->word);
        dev->listener = -1;
    }
}

int
fake_devices_agent(const FakeDevices *devices)
{
    return devices->agent;
}

void
fake_devices_reset(FakeDevices *devices)
{
    open_ports(devices, false);
    open_ports(devices, true);
}

/* Asks a broker for a connection, waits for it, and says hello there. */
static void
greet(FakeDevice *dev, const void *request, size_t size)
{
    char answer[16];
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = { answer, sizeof(answer) };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    int fd;

    if (send(dev->broker, request, size, MSG_NOSIGNAL) != (ssize_t)size ||
        recvmsg(dev->broker, &msg, MSG_CMSG_CLOEXEC) != (ssize_t)size || !CMSG_FIRSTHDR(&msg))
        return;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
    send(fd, "hello\n", 6, MSG_NOSIGNAL);
    close(fd);
}

/* Port 1024 of the host, where somebody listens there. */
static void
greet_host(FakeDevice *dev)
{
    const VsockBrokerRequest request = { 5, 1024 };

    greet(dev, &request, sizeof(request));
}

static void
greet_peer(FakeDevice *dev)
{
    const ConnectBrokerWord word = CONNECT_BROKER_WORD;

    if (dev->broker >= 0)
        greet(dev, &word, sizeof(word));
}

static void
start_port(FakeDevices *devices, FakeDevice *dev)
{
    greet_peer(dev);
    start_agent(devices, dev);
}

void
fake_devices_boot(FakeDevices *devices)
{
    devices->booted = true;
    devices->word = fake_agent_find(devices->behaves, devices->data);
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        FakeDevice *dev = &devices->devices[i];

        if (dev->there && dev->port)
            start_port(devices, dev);
        if (dev->there && strcmp(dev->device, "balloon") == 0)
            inflate(devices, dev);
        if (dev->there && strcmp(dev->device, "vsock") == 0)
            greet_host(dev);
    }
    open_ports(devices, true);
}

void
fake_devices_settle(FakeDevices *devices)
{
    for (size_t i = 0; i < DEVICES_MAX; i++) {
        FakeDevice *dev = &devices->devices[i];
        VmmMsg *event;

        if (dev->there)
            end_growth(devices, dev);
        if (!dev->there || !dev->leaving)
            continue;
        dev->there = false;
        if (dev->broker >= 0)
            close(dev->broker);
        if (dev->listener >= 0)
            close(dev->listener);
        if (dev->tap >= 0)
            close(dev->tap);
        event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_DEVICE_REMOVED);
        vmm_msg_put_string(event, "id", dev->id);
        devices->tell(devices->data, event);
    }
}

void
fake_devices_fill(FakeDevices *devices, const char *action)
{
    VmmMsg *event;

    devices->full = action && strcmp(action, VMM_ACTION_PAUSE) == 0;
    for (size_t i = 0; action && i < DEVICES_MAX; i++) {
        if (!devices->devices[i].there || strcmp(devices->devices[i].device, "blk") != 0)
            continue;
        event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_IO_ERROR);
        vmm_msg_put_string(event, "device", devices->devices[i].id);
        vmm_msg_put_string(event, "operation", "write");
        vmm_msg_put_string(event, "action", action);
        vmm_msg_put_string(event, "error", "enospc");
        devices->tell(devices->data, event);
    }
}
