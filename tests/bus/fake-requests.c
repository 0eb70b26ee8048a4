#include "tests/bus/fake-requests.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/bus/fake-answer.h"
#include "tests/bus/fake-clock.h"
#include "tests/bus/fake-iothreads.h"
#include "tests/bus/fake-save.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VCPUS_MAX 16

static void
copy_word(char *to, size_t room, const char *from)
{
    snprintf(to, room, "%s", from);
}

static void
hello(Fake *fake, VmmMsg *request)
{
    VmmMsg *msg = fake_reply_to(request);

    vmm_msg_put_u64(msg, "version", VMM_PROTO_VERSION);
    vmm_msg_put_string(msg, "state", fake->state);
    vmm_msg_put_string(msg, "reason", fake->reason);
    fake_send(fake, msg);
}

static void
read_actions(Fake *fake, VmmMsg *request)
{
    const char *word;

    if (vmm_msg_get_string(request, "on-poweroff", &word))
        copy_word(fake->on_poweroff, sizeof(fake->on_poweroff), word);
    if (vmm_msg_get_string(request, "on-reboot", &word))
        copy_word(fake->on_reboot, sizeof(fake->on_reboot), word);
    if (vmm_msg_get_string(request, "on-crash", &word))
        copy_word(fake->on_crash, sizeof(fake->on_crash), word);
}

/* Asks for what "create" has beside the things that matter here; the descriptors go with the
 * message. */
static void
read_machine(Fake *fake, VmmMsg *request)
{
    static const char *const numbers[] = { "sockets",       "dies",      "cores",         "threads",
                                           "firmware-port", "boot-menu", "reboot-timeout" };
    static const char *const files[] = { "kvm", "kernel", "initrd", "firmware", "nvram" };
    static const char *const words[] = { "machine",   "uuid", "boot-order",
                                         "cpu-cache", "msrs", "cpuid" };
    const char *cmdline, *word;
    uint64_t number;
    bool flag;
    int fd;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        vmm_msg_get_u64(request, numbers[i], &number);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (vmm_msg_take_fd(request, files[i], &fd))
            close(fd);
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        vmm_msg_get_string(request, words[i], &word);
    vmm_msg_get_bool(request, "acpi", &flag);
    vmm_msg_get_bool(request, "pae", &flag);
    vmm_msg_get_bool(request, "pmu", &flag);
    vmm_msg_get_bool(request, "kvm-leaves", &flag);
    vmm_msg_get_bool(request, "hyperv-leaves", &flag);
    vmm_msg_get_bool(request, "hyperv-synic", &flag);
    vmm_msg_get_bool(request, "firmware-uefi", &flag);
    vmm_msg_get_bool(request, "pm-suspend-to-mem", &flag);
    vmm_msg_get_bool(request, "pm-suspend-to-disk", &flag);
    vmm_msg_take_fd(request, "record", &fake->record);
    if (vmm_msg_get_string(request, "cmdline", &cmdline))
        copy_word(fake->cmdline, sizeof(fake->cmdline), cmdline);
    fake_clock_create(fake, request);
    read_actions(fake, request);
}

/* What "set-memory-nodes" has to say, and "create" can. */
static bool
read_nodes(VmmMsg *request)
{
    const char *policy;
    const void *nodes;
    size_t size;

    return vmm_msg_get_string(request, "ram-policy", &policy) &&
           vmm_msg_get_bytes(request, "ram-nodes", &nodes, &size) && size > 0;
}

/* Threads named as a VMM's are, and nothing more. */
static void *
be_vcpu(void *data)
{
    for (;;)
        pause();
    return NULL;
}

static void
start_vcpus(const Fake *fake)
{
    for (uint64_t i = 0; i < fake->vcpus && i < VCPUS_MAX; i++) {
        pthread_t thread;
        char name[16];

        snprintf(name, sizeof(name), "vcpu %d", (int)i);
        if (pthread_create(&thread, NULL, be_vcpu, NULL) == 0)
            pthread_setname_np(thread, name);
    }
}

static void
create(Fake *fake, VmmMsg *request)
{
    bool complete = vmm_msg_has(request, "kvm") &&
                    (vmm_msg_has(request, "kernel") || vmm_msg_has(request, "firmware"));
    uint64_t memory = 0;

    complete &= vmm_msg_get_u64(request, "memory", &memory);
    complete &= vmm_msg_get_u64(request, "vcpus", &fake->vcpus);
    read_machine(fake, request);
    read_nodes(request);
    if (fake_behaves(fake, "create-waits"))
        raise(SIGSTOP);
    if (strcmp(fake->state, VMM_STATE_EMPTY) != 0) {
        fake_refuse(fake, request, VMM_ERROR_STATE, "there is a machine already");
    } else if (!complete || memory == 0 || memory % 4096 || vmm_msg_unread(request)) {
        fake_refuse(fake, request, VMM_ERROR_INVALID, "this is not the description of a machine");
    } else if (fake_behaves(fake, "fail-create")) {
        fake_refuse(fake, request, VMM_ERROR_UNSUPPORTED, "the fake machine cannot be made, as told");
    } else {
        fake->state = VMM_STATE_CREATED;
        start_vcpus(fake);
        fake_send(fake, fake_reply_to(request));
    }
}

static void
add_pci_device(Fake *fake, VmmMsg *request)
{
    fake_answer(fake, request, fake_reply_to(request), fake_devices_add(fake->devices, request));
}

static void
remove_device(Fake *fake, VmmMsg *request)
{
    fake_answer(fake, request, fake_reply_to(request), fake_devices_remove(fake->devices, request));
    fake_devices_settle(fake->devices);
}

/* It says what is typed. */
static void
hear_keys(Fake *fake, VmmMsg *request)
{
    char text[128];
    const void *keys;
    uint64_t hold;
    size_t n, at = 0;

    if (fake_behaves(fake, "no-keyboard")) {
        fake_refuse(fake, request, VMM_ERROR_UNSUPPORTED, "The machine has no keyboard");
        return;
    }
    if (!vmm_msg_get_bytes(request, "keys", &keys, &n) || n > 16 ||
        !vmm_msg_get_u64(request, "hold", &hold)) {
        fake_refuse(fake, request, VMM_ERROR_INVALID, "the fake keyboard is told something else");
        return;
    }
    for (size_t i = 0; i < n; i++)
        at += sprintf(text + at, "%02x ", ((const uint8_t *)keys)[i]);
    at += sprintf(text + at, "for %" PRIu64 " ms\r\n", hold);
    fake_say(fake, text, at);
    fake_send(fake, fake_reply_to(request));
}

static void
tell_device(Fake *fake, VmmMsg *request)
{
    VmmMsg *reply;
    const char *id = "";

    vmm_msg_get_string(request, "id", &id);
    if (strcmp(id, VMM_DEVICE_KEYBOARD) == 0) {
        hear_keys(fake, request);
        return;
    }
    if (strcmp(id, VMM_DEVICE_RTC) == 0) {
        fake_clock_tell(fake, request);
        return;
    }
    reply = fake_reply_to(request);
    fake_answer(fake, request, reply, fake_devices_tell(fake->devices, request, reply));
    fake_devices_settle(fake->devices);
}

static bool
is_on_pci(VmmMsg *request)
{
    const char *class = "";

    vmm_msg_get_string(request, "class", &class);
    return strcmp(class, VMM_CLASS_ROOT_PORT) == 0 || strcmp(class, VMM_CLASS_VIRTIO_PCI) == 0 ||
           strcmp(class, VMM_CLASS_PVPANIC_PCI) == 0;
}

static void
add_serial(Fake *fake, VmmMsg *request)
{
    Serial *serial = &fake->serials[fake->n_serials];
    const char *class = "", *id = "", *kind = "";
    uint64_t port;
    bool append;
    int log;

    vmm_msg_get_string(request, "class", &class);
    vmm_msg_get_string(request, "id", &id);
    vmm_msg_get_string(request, "kind", &kind);
    vmm_msg_get_u64(request, "port", &port);
    vmm_msg_get_bool(request, "append", &append);
    *serial = (Serial){ -1, -1, false };
    vmm_msg_take_fd(request, "fd", &serial->fd);
    vmm_msg_take_fd(request, "watch", &serial->watch);
    if (vmm_msg_take_fd(request, "log", &log))
        close(log);
    if (strcmp(class, VMM_CLASS_SERIAL) != 0 || !*id || !*kind || vmm_msg_unread(request) ||
        strcmp(fake->state, VMM_STATE_CREATED) != 0 || fake->n_serials + 1 == FAKE_SERIALS_MAX) {
        fake_refuse(fake, request, VMM_ERROR_INVALID, "this is not a device of the fake machine");
        return;
    }
    if (serial->fd >= 0)
        fake->n_serials++;
    fake_send(fake, fake_reply_to(request));
}

static void
add_device(Fake *fake, VmmMsg *request)
{
    if (is_on_pci(request))
        add_pci_device(fake, request);
    else
        add_serial(fake, request);
}

static void
run(Fake *fake, VmmMsg *request)
{
    bool first = strcmp(fake->state, VMM_STATE_CREATED) == 0;

    if (!first && strcmp(fake->state, VMM_STATE_PAUSED) != 0) {
        fake_refuse(fake, request, VMM_ERROR_STATE, "there is no guest that could run on");
        return;
    }
    if (fake->saving >= 0) {
        fake_refuse(fake, request, VMM_ERROR_STATE, "the job 'save' is under way");
        return;
    }
    if (fake_behaves(fake, "hang"))
        return;
    if (!first && fake_behaves(fake, "run-on-hangs"))
        return;
    if (!first && fake_behaves(fake, "run-on-dies"))
        _exit(1);
    fake->state = VMM_STATE_RUNNING;
    fake->reason = VMM_REASON_USER;
    fake_send(fake, fake_reply_to(request));
    if (first)
        fake_boot(fake);
    else
        fake_devices_fill(fake->devices, NULL);
}

static void
pause_guest(Fake *fake, VmmMsg *request)
{
    if (strcmp(fake->state, VMM_STATE_RUNNING) != 0) {
        fake_refuse(fake, request, VMM_ERROR_STATE, "the guest does not run");
        return;
    }
    fake->state = VMM_STATE_PAUSED;
    fake->reason = VMM_REASON_USER;
    fake_send(fake, fake_reply_to(request));
}

static void
wakeup(Fake *fake, VmmMsg *request)
{
    if (strcmp(fake->state, VMM_STATE_SUSPENDED) != 0) {
        fake_refuse(fake, request, VMM_ERROR_STATE, "the guest does not sleep");
        return;
    }
    fake->state = VMM_STATE_RUNNING;
    fake->reason = VMM_REASON_WAKEUP;
    fake_send(fake, vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_WOKEN));
    fake_devices_reset(fake->devices);
    fake_send(fake, fake_reply_to(request));
}

static void
reset(Fake *fake, VmmMsg *request)
{
    fake->then[0] = '\0';
    if (strcmp(fake->state, VMM_STATE_SUSPENDED) == 0) {
        fake->state = VMM_STATE_RUNNING;
        fake_send(fake, vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_WOKEN));
    }
    fake_send(fake, fake_reply_to(request));
    fake_say_banner(fake);
    fake_clock_boot(fake);
}

static void
power_button(Fake *fake, VmmMsg *request)
{
    const char *then = "";

    vmm_msg_get_string(request, "then", &then);
    copy_word(fake->then, sizeof(fake->then), then);
    fake_send(fake, fake_reply_to(request));
    if (strcmp(fake->state, VMM_STATE_RUNNING) == 0)
        fake_feel_button(fake);
}

static void
inject_nmi(Fake *fake, VmmMsg *request)
{
    fake_send(fake, fake_reply_to(request));
    fake_say(fake, "NMI\r\n", strlen("NMI\r\n"));
}

/* Its memory has its own address in each byte, and ends at 16 MiB. One that is virtual is somewhere else. */
static void
peek(Fake *fake, VmmMsg *request)
{
    uint64_t address = 0, size = 0;
    bool virtual = false;
    int to;

    vmm_msg_get_u64(request, "address", &address);
    vmm_msg_get_u64(request, "size", &size);
    vmm_msg_get_bool(request, "virtual", &virtual);
    if (!vmm_msg_take_fd(request, "to", &to) || address + size > 16 << 20) {
        fake_refuse(fake, request, VMM_ERROR_FAILED, "There is no RAM there");
        return;
    }
    for (uint64_t i = 0; i < size; i++) {
        uint8_t byte = address + i + virtual;

        if (pwrite(to, &byte, 1, i) < 0)
            fprintf(stderr, "fake-vmm: peek: %s\n", strerror(errno));
    }
    close(to);
    fake_send(fake, fake_reply_to(request));
}

static void
stats(Fake *fake, VmmMsg *request)
{
    VmmMsg *msg = fake_reply_to(request);
    uint64_t *times = calloc(fake->vcpus, sizeof(times[0]));

    for (uint64_t i = 0; times && i < fake->vcpus; i++)
        times[i] = htole64((i + 1) * 1000000000);
    vmm_msg_put_bytes(msg, "vcpu-times", times, times ? fake->vcpus * sizeof(times[0]) : 0);
    free(times);
    if (fake->saving >= 0) {
        vmm_msg_put_string(msg, "job", VMM_SAVE);
        vmm_msg_put_u64(msg, "job-done", 16 << 20);
        vmm_msg_put_u64(msg, "job-total", 64 << 20);
        vmm_msg_put_u64(msg, "job-bytes", 8 << 20);
    }
    fake_send(fake, msg);
}

static void
set_action(Fake *fake, VmmMsg *request)
{
    read_actions(fake, request);
    fake_send(fake, fake_reply_to(request));
}

static void
set_memory_nodes(Fake *fake, VmmMsg *request)
{
    if (read_nodes(request) && !vmm_msg_unread(request))
        fake_send(fake, fake_reply_to(request));
    else
        fake_refuse(fake, request, VMM_ERROR_INVALID, "these are no nodes");
}

static void
quit(Fake *fake, VmmMsg *request)
{
    fake_send(fake, fake_reply_to(request));
    exit(0);
}

static const struct {
    const char *name;
    void (*serve)(Fake *fake, VmmMsg *request);
} requests[] = {
    { VMM_HELLO, hello },
    { VMM_CREATE, create },
    { VMM_ADD_DEVICE, add_device },
    { VMM_REMOVE_DEVICE, remove_device },
    { VMM_TELL_DEVICE, tell_device },
    { VMM_ADD_IOTHREAD, fake_add_iothread },
    { VMM_REMOVE_IOTHREAD, fake_remove_iothread },
    { VMM_TELL_IOTHREAD, fake_tell_iothread },
    { VMM_RUN, run },
    { VMM_PAUSE, pause_guest },
    { VMM_SAVE, fake_save },
    { VMM_RESTORE, fake_restore },
    { VMM_CANCEL_JOB, fake_cancel_job },
    { VMM_WAKEUP, wakeup },
    { VMM_RESET, reset },
    { VMM_INJECT_NMI, inject_nmi },
    { VMM_PEEK, peek },
    { VMM_STATS, stats },
    { VMM_SET_ACTION, set_action },
    { VMM_SET_MEMORY_NODES, set_memory_nodes },
    { VMM_QUIT, quit },
    { VMM_POWER_BUTTON, power_button },
};

void
fake_serve(Fake *fake, VmmMsg *request)
{
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        if (strcmp(requests[i].name, vmm_msg_name(request)) == 0) {
            requests[i].serve(fake, request);
            return;
        }
    }
    fake_refuse(fake, request, VMM_ERROR_UNSUPPORTED, "the fake VMM does not know this verb");
}
