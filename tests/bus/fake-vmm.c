/* fake-vmm: speaks the contract of vmm-proto.h as a VMM does, with no machine behind it.
 *
 * The guest that it makes believe is told how to behave by a word of its kernel command line:
 *     fake=fail-create     "create" is refused
 *     fake=hang            "run" is never answered
 *     fake=crash           cannot go on as soon as it runs
 *     fake=die             the process dies as soon as it runs, without a word
 *     fake=panic           its kernel panics as soon as it runs
 *     fake=crash-loaded    the same, with a crash kernel that sees to it
 *     fake=bitten-pause    its watchdog expires as soon as it runs and pauses it
 *     fake=bitten-off      the same, and cuts the power
 *     fake=disk-full       the host's disk is full as soon as it runs, until it is run again
 *     fake=disk-ignored    the same, and nobody cares
 *     fake=io-error        pauses itself as soon as it runs, for a disk that failed
 *     fake=reboot          resets itself once, as soon as it runs
 *     fake=sleep           suspends itself to memory as soon as it runs
 *     fake=hibernate       suspends itself to its disk as soon as it runs
 *     fake=ignore-button   does nothing about the power button
 *     fake=save-fails      the file that it is saved to is full
 *     fake=save-hangs      it is never saved to its end; cancelling works
 *     fake=save-dies       the process dies while it is saved
 *     fake=restore-fails   what it is restored from is not what it can use
 * and those of fake-devices.h. Otherwise it powers off when the button is pressed. Its serial port says a banner, and says
 * whatever it hears in capitals.
 */
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/bus/fake-devices.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BANNER      "fake guest here\r\n"
#define LIFETIME_S  120 /* since the last that was heard: a test that lost sight of us */
#define SERIALS_MAX 4
#define VCPUS_MAX   16

typedef struct Serial {
    int fd, watch; /* the watch tells that somebody opened the other side of a closed pty */
    bool asleep;   /* nobody is there to be heard, or, without a watch, ever will be */
} Serial;

typedef struct Fake {
    int conn, record;
    const char *state, *reason;
    char cmdline[256];
    char on_poweroff[16], on_reboot[16], on_crash[16];
    char then[16]; /* what the power-off that answers the button does instead */
    uint64_t vcpus;
    Serial serials[SERIALS_MAX];
    size_t n_serials;
    FakeDevices *devices;
    int saving; /* what is written to, of a save that hangs; -1: none */
} Fake;

static bool
behaves(const Fake *fake, const char *word)
{
    const char *at = strstr(fake->cmdline, "fake=");
    size_t size = strlen(word);

    return at && strncmp(at + 5, word, size) == 0 && (at[5 + size] == '\0' || at[5 + size] == ' ');
}

static void
copy_word(char *to, size_t room, const char *from)
{
    snprintf(to, room, "%s", from);
}

/* What is said */

static void
send_message(Fake *fake, VmmMsg *msg)
{
    if (fake->conn >= 0)
        vmm_msg_send(fake->conn, msg);
    vmm_msg_free(msg);
}

static VmmMsg *
reply_to(const VmmMsg *request)
{
    return vmm_msg_new(VMM_MSG_REPLY, vmm_msg_serial(request), vmm_msg_name(request));
}

static void
refuse(Fake *fake, const VmmMsg *request, const char *class, const char *text)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_ERROR, vmm_msg_serial(request), vmm_msg_name(request));

    vmm_msg_put_string(msg, "class", class);
    vmm_msg_put_string(msg, "text", text);
    send_message(fake, msg);
}

static void
tell(Fake *fake, const char *name, const char *reason)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, name);

    vmm_msg_put_string(msg, "reason", reason);
    send_message(fake, msg);
}

static void
tell_of_device(Fake *fake, const char *name, const char *id, const char *action)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, name);

    vmm_msg_put_string(msg, "id", id);
    if (action)
        vmm_msg_put_string(msg, "action", action);
    send_message(fake, msg);
}

/* What the guest does */

static void
say(Fake *fake, const char *text, size_t size)
{
    for (size_t i = 0; i < fake->n_serials; i++) {
        if (write(fake->serials[i].fd, text, size) < 0)
            fprintf(stderr, "fake-vmm: serial port: %s\n", strerror(errno));
    }
}

static void
stop(Fake *fake, const char *reason, const char *text)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_STOPPED);

    if (fake->record >= 0)
        dprintf(fake->record, "%s %s %s\n", VMM_STATE_STOPPED, reason, text);
    vmm_msg_put_string(msg, "state", VMM_STATE_STOPPED);
    vmm_msg_put_string(msg, "reason", reason);
    vmm_msg_put_string(msg, "text", text);
    send_message(fake, msg);
    exit(0);
}

/* One of VMM_ACTION_*, for @reason. */
static void
act(Fake *fake, const char *action, const char *reason, const char *text)
{
    if (strcmp(action, VMM_ACTION_RESET) == 0) {
        tell(fake, VMM_EVENT_RESET, reason);
        fake_devices_reset(fake->devices);
        say(fake, BANNER, strlen(BANNER));
    } else if (strcmp(action, VMM_ACTION_PAUSE) == 0) {
        fake->state = VMM_STATE_PAUSED;
        fake->reason = reason;
        tell(fake, VMM_EVENT_PAUSED, reason);
    } else {
        stop(fake, reason, text);
    }
}

static void
fall_asleep(Fake *fake)
{
    fake->state = VMM_STATE_SUSPENDED;
    fake->reason = VMM_REASON_SLEEP;
    send_message(fake, vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_SUSPENDED));
}

static void
be_bitten(Fake *fake)
{
    if (behaves(fake, "bitten-pause")) {
        tell_of_device(fake, VMM_EVENT_WATCHDOG, "watchdog0", VMM_WATCHDOG_PAUSE);
        act(fake, VMM_ACTION_PAUSE, VMM_REASON_WATCHDOG, "");
    } else if (behaves(fake, "bitten-off")) {
        tell_of_device(fake, VMM_EVENT_WATCHDOG, "watchdog0", VMM_WATCHDOG_POWEROFF);
        act(fake, VMM_ACTION_STOP, VMM_REASON_POWER_CUT, "The watchdog expired");
    }
}

static void
boot(Fake *fake)
{
    say(fake, BANNER, strlen(BANNER));
    fake_devices_boot(fake->devices);
    if (behaves(fake, "die"))
        _exit(1);
    if (behaves(fake, "crash"))
        act(fake, fake->on_crash, VMM_REASON_CRASHED, "the fake guest crashed as told");
    if (behaves(fake, "panic"))
        act(fake, fake->on_crash, VMM_REASON_PANICKED, "the fake guest panicked as told");
    if (behaves(fake, "crash-loaded"))
        tell_of_device(fake, VMM_EVENT_CRASH_LOADED, "panic0", NULL);
    be_bitten(fake);
    if (behaves(fake, "disk-full")) {
        fake_devices_fill(fake->devices, VMM_ACTION_PAUSE);
        act(fake, VMM_ACTION_PAUSE, VMM_REASON_IO_ERROR, "");
    }
    if (behaves(fake, "disk-ignored"))
        fake_devices_fill(fake->devices, "ignore");
    if (behaves(fake, "io-error"))
        act(fake, VMM_ACTION_PAUSE, VMM_REASON_IO_ERROR, "");
    if (behaves(fake, "sleep"))
        fall_asleep(fake);
    if (behaves(fake, "hibernate"))
        act(fake, fake->on_poweroff, VMM_REASON_HIBERNATED, "");
    if (behaves(fake, "reboot"))
        act(fake, fake->on_reboot, VMM_REASON_RESET, "");
}

static void
feel_button(Fake *fake)
{
    char then[16];

    if (behaves(fake, "ignore-button"))
        return;
    copy_word(then, sizeof(then), fake->then[0] ? fake->then : fake->on_poweroff);
    fake->then[0] = '\0';
    act(fake, then, VMM_REASON_POWEROFF, "");
}

/* Requests */

static void
hello(Fake *fake, VmmMsg *request)
{
    VmmMsg *msg = reply_to(request);

    vmm_msg_put_u64(msg, "version", VMM_PROTO_VERSION);
    vmm_msg_put_string(msg, "state", fake->state);
    vmm_msg_put_string(msg, "reason", fake->reason);
    send_message(fake, msg);
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
    static const char *const words[] = { "machine", "uuid", "boot-order" };
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
    vmm_msg_get_bool(request, "pm-suspend-to-mem", &flag);
    vmm_msg_get_bool(request, "pm-suspend-to-disk", &flag);
    vmm_msg_take_fd(request, "record", &fake->record);
    if (vmm_msg_get_string(request, "cmdline", &cmdline))
        copy_word(fake->cmdline, sizeof(fake->cmdline), cmdline);
    read_actions(fake, request);
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
    if (strcmp(fake->state, VMM_STATE_EMPTY) != 0) {
        refuse(fake, request, VMM_ERROR_STATE, "there is a machine already");
    } else if (!complete || memory == 0 || memory % 4096 || vmm_msg_unread(request)) {
        refuse(fake, request, VMM_ERROR_INVALID, "this is not the description of a machine");
    } else if (behaves(fake, "fail-create")) {
        refuse(fake, request, VMM_ERROR_UNSUPPORTED, "the fake machine cannot be made, as told");
    } else {
        fake->state = VMM_STATE_CREATED;
        start_vcpus(fake);
        send_message(fake, reply_to(request));
    }
}

static void
answer(Fake *fake, const VmmMsg *request, VmmMsg *reply, const char *trouble)
{
    if (!trouble) {
        send_message(fake, reply);
        return;
    }
    vmm_msg_free(reply);
    refuse(fake, request, VMM_ERROR_INVALID, trouble);
}

static void
add_pci_device(Fake *fake, VmmMsg *request)
{
    answer(fake, request, reply_to(request), fake_devices_add(fake->devices, request));
}

static void
remove_device(Fake *fake, VmmMsg *request)
{
    answer(fake, request, reply_to(request), fake_devices_remove(fake->devices, request));
    fake_devices_settle(fake->devices);
}

static void
tell_device(Fake *fake, VmmMsg *request)
{
    VmmMsg *reply = reply_to(request);

    answer(fake, request, reply, fake_devices_tell(fake->devices, request, reply));
    fake_devices_settle(fake->devices);
}

static bool
is_on_pci(VmmMsg *request)
{
    const char *class = "";

    vmm_msg_get_string(request, "class", &class);
    return strcmp(class, VMM_CLASS_ROOT_PORT) == 0 || strcmp(class, VMM_CLASS_VIRTIO_PCI) == 0;
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
        strcmp(fake->state, VMM_STATE_CREATED) != 0 || fake->n_serials + 1 == SERIALS_MAX) {
        refuse(fake, request, VMM_ERROR_INVALID, "this is not a device of the fake machine");
        return;
    }
    if (serial->fd >= 0)
        fake->n_serials++;
    send_message(fake, reply_to(request));
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
        refuse(fake, request, VMM_ERROR_STATE, "there is no guest that could run on");
        return;
    }
    if (fake->saving >= 0) {
        refuse(fake, request, VMM_ERROR_STATE, "the job 'save' is under way");
        return;
    }
    if (behaves(fake, "hang"))
        return;
    fake->state = VMM_STATE_RUNNING;
    fake->reason = VMM_REASON_USER;
    send_message(fake, reply_to(request));
    if (first)
        boot(fake);
    else
        fake_devices_fill(fake->devices, NULL);
}

static void
pause_guest(Fake *fake, VmmMsg *request)
{
    if (strcmp(fake->state, VMM_STATE_RUNNING) != 0) {
        refuse(fake, request, VMM_ERROR_STATE, "the guest does not run");
        return;
    }
    fake->state = VMM_STATE_PAUSED;
    fake->reason = VMM_REASON_USER;
    send_message(fake, reply_to(request));
}

static void
wakeup(Fake *fake, VmmMsg *request)
{
    if (strcmp(fake->state, VMM_STATE_SUSPENDED) != 0) {
        refuse(fake, request, VMM_ERROR_STATE, "the guest does not sleep");
        return;
    }
    fake->state = VMM_STATE_RUNNING;
    fake->reason = VMM_REASON_WAKEUP;
    send_message(fake, vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_WOKEN));
    fake_devices_reset(fake->devices);
    send_message(fake, reply_to(request));
}

/* Saving: the state is the guest's command line, with its NUL, and once more where it sleeps. */

static void
end_job(Fake *fake, const char *job, const char *outcome, const char *text, uint64_t bytes)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_JOB_ENDED);

    vmm_msg_put_string(msg, "job", job);
    vmm_msg_put_string(msg, "outcome", outcome);
    if (text)
        vmm_msg_put_string(msg, "text", text);
    vmm_msg_put_u64(msg, "bytes", bytes);
    vmm_msg_put_string(msg, "state", fake->state);
    send_message(fake, msg);
}

static void
write_state(Fake *fake, int fd)
{
    size_t size = strlen(fake->cmdline) + 1;

    size += strcmp(fake->state, VMM_STATE_SUSPENDED) == 0;

    if (behaves(fake, "save-fails") || write(fd, fake->cmdline, size) != (ssize_t)size)
        end_job(fake, VMM_SAVE, VMM_OUTCOME_FAILED, "No space left on device, as told", 0);
    else
        end_job(fake, VMM_SAVE, VMM_OUTCOME_COMPLETED, NULL, size);
    close(fd);
}

static void
save(Fake *fake, VmmMsg *request)
{
    int fd;

    if (strcmp(fake->state, VMM_STATE_RUNNING) == 0 || fake->saving >= 0 ||
        !vmm_msg_take_fd(request, "fd", &fd)) {
        refuse(fake, request, VMM_ERROR_STATE, "there is no guest that could be saved");
        return;
    }
    send_message(fake, reply_to(request));
    if (behaves(fake, "save-dies"))
        _exit(1);
    if (behaves(fake, "save-hangs"))
        fake->saving = fd;
    else
        write_state(fake, fd);
}

static void
restore(Fake *fake, VmmMsg *request)
{
    char state[sizeof(fake->cmdline)] = "";
    ssize_t size;
    bool good;
    int fd;

    if (strcmp(fake->state, VMM_STATE_CREATED) != 0 || !vmm_msg_take_fd(request, "fd", &fd)) {
        refuse(fake, request, VMM_ERROR_STATE, "there is no machine that could be restored");
        return;
    }
    send_message(fake, reply_to(request));
    size = read(fd, state, sizeof(state) - 1);
    good = size > 0 && strcmp(state, fake->cmdline) == 0 &&
           !behaves(fake, "restore-fails");
    close(fd);
    if (good)
        fake->state = size > (ssize_t)strlen(state) + 1 ? VMM_STATE_SUSPENDED : VMM_STATE_PAUSED;
    end_job(fake, VMM_RESTORE, good ? VMM_OUTCOME_COMPLETED : VMM_OUTCOME_FAILED,
            good ? NULL : "the fake state is another guest's", strlen(state));
}

static void
cancel_job(Fake *fake, VmmMsg *request)
{
    send_message(fake, reply_to(request));
    if (fake->saving < 0)
        return;
    close(fake->saving);
    fake->saving = -1;
    end_job(fake, VMM_SAVE, VMM_OUTCOME_CANCELLED, "The job was cancelled", 0);
}

static void
reset(Fake *fake, VmmMsg *request)
{
    fake->then[0] = '\0';
    if (strcmp(fake->state, VMM_STATE_SUSPENDED) == 0) {
        fake->state = VMM_STATE_RUNNING;
        send_message(fake, vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_WOKEN));
    }
    send_message(fake, reply_to(request));
    say(fake, BANNER, strlen(BANNER));
}

static void
power_button(Fake *fake, VmmMsg *request)
{
    const char *then = "";

    vmm_msg_get_string(request, "then", &then);
    copy_word(fake->then, sizeof(fake->then), then);
    send_message(fake, reply_to(request));
    if (strcmp(fake->state, VMM_STATE_RUNNING) == 0)
        feel_button(fake);
}

static void
inject_nmi(Fake *fake, VmmMsg *request)
{
    send_message(fake, reply_to(request));
    say(fake, "NMI\r\n", strlen("NMI\r\n"));
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
        refuse(fake, request, VMM_ERROR_FAILED, "There is no RAM there");
        return;
    }
    for (uint64_t i = 0; i < size; i++) {
        uint8_t byte = address + i + virtual;

        if (pwrite(to, &byte, 1, i) < 0)
            fprintf(stderr, "fake-vmm: peek: %s\n", strerror(errno));
    }
    close(to);
    send_message(fake, reply_to(request));
}

static void
stats(Fake *fake, VmmMsg *request)
{
    VmmMsg *msg = reply_to(request);

    for (uint64_t i = 0; i < fake->vcpus; i++) {
        char key[32];

        snprintf(key, sizeof(key), "vcpu-%d-time", (int)i);
        vmm_msg_put_u64(msg, key, (i + 1) * 1000000000);
    }
    if (fake->saving >= 0) {
        vmm_msg_put_string(msg, "job", VMM_SAVE);
        vmm_msg_put_u64(msg, "job-done", 16 << 20);
        vmm_msg_put_u64(msg, "job-total", 64 << 20);
        vmm_msg_put_u64(msg, "job-bytes", 8 << 20);
    }
    send_message(fake, msg);
}

static void
set_action(Fake *fake, VmmMsg *request)
{
    read_actions(fake, request);
    send_message(fake, reply_to(request));
}

static void
quit(Fake *fake, VmmMsg *request)
{
    send_message(fake, reply_to(request));
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
    { VMM_RUN, run },
    { VMM_PAUSE, pause_guest },
    { VMM_SAVE, save },
    { VMM_RESTORE, restore },
    { VMM_CANCEL_JOB, cancel_job },
    { VMM_WAKEUP, wakeup },
    { VMM_RESET, reset },
    { VMM_INJECT_NMI, inject_nmi },
    { VMM_PEEK, peek },
    { VMM_STATS, stats },
    { VMM_SET_ACTION, set_action },
    { VMM_QUIT, quit },
    { VMM_POWER_BUTTON, power_button },
};

static void
serve(Fake *fake, VmmMsg *request)
{
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        if (strcmp(requests[i].name, vmm_msg_name(request)) == 0) {
            requests[i].serve(fake, request);
            return;
        }
    }
    refuse(fake, request, VMM_ERROR_UNSUPPORTED, "the fake VMM does not know this verb");
}

/* The loop */

static void
hear_driver(Fake *fake)
{
    vmm_msg_auto request = vmm_msg_recv(fake->conn);

    if (request) {
        serve(fake, request);
    } else if (errno != EAGAIN) {
        close(fake->conn);
        fake->conn = -1;
        if (strcmp(fake->state, VMM_STATE_EMPTY) == 0)
            exit(0);
    }
}

static void
hear_serial(Fake *fake, Serial *serial)
{
    char bytes[512];
    ssize_t n = read(serial->asleep ? serial->watch : serial->fd, bytes, sizeof(bytes));

    if (serial->asleep || n <= 0) {
        /* A pty that nobody has open hangs up without end: then wait for the watch instead. */
        serial->asleep = !serial->asleep;
        return;
    }
    for (ssize_t i = 0; i < n; i++)
        bytes[i] = toupper((unsigned char)bytes[i]);
    if (strcmp(fake->state, VMM_STATE_RUNNING) == 0)
        say(fake, bytes, n);
}

/* The guest was told to go, or to sleep, by its agent. */
static void
hear_agent(Fake *fake, int fd)
{
    char how = 'p';

    if (read(fd, &how, 1) != 1)
        return;
    if (how == 's')
        fall_asleep(fake);
    else if (how == 'd')
        act(fake, fake->on_poweroff, VMM_REASON_HIBERNATED, "");
    else
        act(fake, how == 'r' ? fake->on_reboot : fake->on_poweroff,
            how == 'r' ? VMM_REASON_RESET : VMM_REASON_POWEROFF, "");
}

static void
turn(Fake *fake)
{
    struct pollfd polls[2 + SERIALS_MAX];

    polls[0] = (struct pollfd){ fake->conn >= 0 ? fake->conn : VMM_LISTEN_FD, POLLIN, 0 };
    for (size_t i = 0; i < fake->n_serials; i++) {
        Serial *serial = &fake->serials[i];

        polls[1 + i] = (struct pollfd){ serial->asleep ? serial->watch : serial->fd, POLLIN, 0 };
    }
    polls[1 + fake->n_serials] = (struct pollfd){ fake_devices_agent(fake->devices), POLLIN, 0 };
    if (poll(polls, 2 + fake->n_serials, -1) < 0)
        return;
    if (polls[1 + fake->n_serials].revents)
        hear_agent(fake, polls[1 + fake->n_serials].fd);
    for (size_t i = 0; i < fake->n_serials; i++) {
        if (polls[1 + i].revents)
            hear_serial(fake, &fake->serials[i]);
    }
    if (polls[0].revents && fake->conn >= 0)
        hear_driver(fake);
    else if (polls[0].revents)
        fake->conn = accept4(VMM_LISTEN_FD, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void
tell_driver(void *data, VmmMsg *event)
{
    send_message(data, event);
}

static bool
guest_behaves(void *data, const char *word)
{
    return behaves(data, word);
}

int
main(void)
{
    Fake fake = {
        .conn = -1,
        .record = -1,
        .saving = -1,
        .state = VMM_STATE_EMPTY,
        .reason = VMM_REASON_USER,
        .on_poweroff = VMM_ACTION_STOP,
        .on_reboot = VMM_ACTION_RESET,
        .on_crash = VMM_ACTION_STOP,
    };

    fake.devices = fake_devices_new(tell_driver, &fake);
    fake_devices_set_guest(fake.devices, guest_behaves);
    for (;;) {
        alarm(LIFETIME_S);
        turn(&fake);
    }
}
