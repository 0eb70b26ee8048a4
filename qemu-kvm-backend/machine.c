#include "qemu-kvm-backend/machine.h"

#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hardware.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/machine-config.h"
#include "qemu-kvm-backend/machine-job.h"
#include "qemu-kvm-backend/mailbox.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct Machine {
    Loop *loop;
    void (*notify)(void *data, VmmMsg *event);
    void *data;
    Mailbox *mailbox;
    const char *state;
    const char *reason;
    MachineConfig config;
    const char *then; /* what the next power-off does instead of on-poweroff, or NULL */
    Hardware *hw;     /* NULL: empty */
    bool confined;    /* "run" has come: the main thread has the filter of its role */
    MachineJob *job;  /* the guest is being saved or restored, or NULL */
    bool spoiled;     /* a restore has failed halfway */
};

/* State and its news. */

static bool
is(const Machine *m, const char *state)
{
    return strcmp(m->state, state) == 0;
}

static void
enter(Machine *m, const char *state, const char *reason)
{
    m->state = state;
    m->reason = reason;
}

static VmmMsg *
event_new(const char *name, const char *reason)
{
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, name);

    vmm_msg_put_string(event, "reason", reason);
    return event;
}

/* The exit record outlives the process for a driver that was not there to get the event. */
static void
write_record(Machine *m, const char *text)
{
    char line[sizeof(((VmmError *)0)->text) + 64];
    int n;

    if (m->config.record_fd < 0)
        return;
    n = snprintf(line, sizeof(line), "%s %s %s\n", m->state, m->reason, text);
    if (pwrite(m->config.record_fd, line, n, 0) != n)
        log_line("Cannot write the exit record: %s", strerrordesc_np(errno));
}

static void
stop(Machine *m, const char *reason, const char *text)
{
    VmmMsg *event = event_new(VMM_EVENT_STOPPED, reason);

    enter(m, VMM_STATE_STOPPED, reason);
    log_line("Guest stopped: %s: %s", reason, text);
    vmm_msg_put_string(event, "state", m->state);
    vmm_msg_put_string(event, "text", text);
    write_record(m, text);
    m->notify(m->data, event);
    loop_quit(m->loop);
}

static void
run(Machine *m, const char *reason)
{
    enter(m, VMM_STATE_RUNNING, reason);
    hardware_run(m->hw);
}

/* What a guest did to itself, and what its policy makes of it. */

static const char *
action_for(const Machine *m, const char *reason)
{
    if (strcmp(reason, VMM_REASON_POWEROFF) == 0)
        return m->then ? m->then : m->config.policy.on_poweroff;
    if (strcmp(reason, VMM_REASON_RESET) == 0)
        return m->config.policy.on_reboot;
    if (strcmp(reason, VMM_REASON_CRASHED) == 0 || strcmp(reason, VMM_REASON_PANICKED) == 0)
        return m->config.policy.on_crash;
    if (strcmp(reason, VMM_REASON_IO_ERROR) == 0 || strcmp(reason, VMM_REASON_WATCHDOG) == 0)
        return VMM_ACTION_PAUSE;
    return VMM_ACTION_STOP; /* the debug-exit port, a watchdog that cuts the power */
}

static bool
start_over(Machine *m, VmmError *err)
{
    m->then = NULL;
    return hardware_reset(m->hw, err);
}

static void
reset_by_guest(Machine *m, const Ending *ending, bool was_running)
{
    VmmError err;

    log_guest("Guest reset: %s: %s", ending->reason, ending->text);
    if (!start_over(m, &err)) {
        stop(m, VMM_REASON_CRASHED, err.text);
        return;
    }
    m->notify(m->data, event_new(VMM_EVENT_RESET, ending->reason));
    if (was_running)
        run(m, m->reason);
}

static void
pause_by_guest(Machine *m, const Ending *ending)
{
    VmmMsg *event = event_new(VMM_EVENT_PAUSED, ending->reason);

    log_guest("Guest paused: %s: %s", ending->reason, ending->text);
    vmm_msg_put_string(event, "text", ending->text);
    enter(m, VMM_STATE_PAUSED, ending->reason);
    m->notify(m->data, event);
}

static void
obey_guest(Machine *m)
{
    bool was_running = is(m, VMM_STATE_RUNNING);
    const char *action;
    Ending ending;

    /* Parked first, so that no second vCPU adds an ending to the one that is taken. */
    if (was_running)
        hardware_halt(m->hw);
    mailbox_take_ending(m->mailbox, &ending);
    action = action_for(m, ending.reason);
    if (strcmp(action, VMM_ACTION_RESET) == 0)
        reset_by_guest(m, &ending, was_running);
    else if (strcmp(action, VMM_ACTION_PAUSE) == 0)
        pause_by_guest(m, &ending);
    else
        stop(m, ending.reason, ending.text);
}

/* While the set of devices changes no vCPU runs. One that has ended its run stays parked for obey_guest(). */
static void
unpark(Machine *m)
{
    if (is(m, VMM_STATE_RUNNING) && !mailbox_has_ending(m->mailbox))
        hardware_unpark(m->hw);
}

/* What a device has news of and the machine acts on. */

static void
let_go(Machine *m, VmmMsg *event)
{
    const char *id;

    if (!vmm_msg_get_string(event, "id", &id))
        return;
    hardware_park(m->hw);
    hardware_remove_device(m->hw, id);
    unpark(m);
}

static void
inject_nmi(Machine *m)
{
    hardware_park(m->hw);
    if (!hardware_inject_nmi(m->hw))
        log_guest("No vCPU takes a non-maskable interrupt");
    unpark(m);
}

/* A power button on which nobody but the guest's policy has a say. */
static void
press_button(Machine *m)
{
    m->then = NULL;
    if (!hardware_press_power_button(m->hw))
        log_guest("The guest has no ACPI power button for the watchdog to press");
}

static const struct {
    const char *action;
    const char *reason; /* of an ending, or NULL */
    void (*act)(Machine *m);
} bites[] = {
    { VMM_WATCHDOG_NONE, NULL, NULL },
    { VMM_WATCHDOG_PAUSE, VMM_REASON_WATCHDOG, NULL },
    { VMM_WATCHDOG_RESET, VMM_REASON_RESET, NULL },
    { VMM_WATCHDOG_POWEROFF, VMM_REASON_POWER_CUT, NULL },
    { VMM_WATCHDOG_SHUTDOWN, NULL, press_button },
    { VMM_WATCHDOG_INJECT_NMI, NULL, inject_nmi },
};

/* The driver hears of it first. What it comes to is read with the same mail. */
static void
obey_watchdog(Machine *m, const char *action)
{
    log_guest("The watchdog expired: %s", action);
    for (size_t i = 0; i < sizeof(bites) / sizeof(bites[0]); i++) {
        if (strcmp(bites[i].action, action) != 0)
            continue;
        if (bites[i].reason)
            mailbox_post_ending(m->mailbox, bites[i].reason, "The watchdog expired");
        if (bites[i].act)
            bites[i].act(m);
    }
}

/* Takes @event over. */
static void
pass_on(Machine *m, VmmMsg *event)
{
    const char *name = vmm_msg_name(event), *action;
    char bite[16] = "";

    if (strcmp(name, VMM_EVENT_DEVICE_REMOVED) == 0)
        let_go(m, event);
    if (strcmp(name, VMM_EVENT_WATCHDOG) == 0 && vmm_msg_get_string(event, "action", &action))
        snprintf(bite, sizeof(bite), "%s", action);
    m->notify(m->data, event);
    if (bite[0])
        obey_watchdog(m, bite);
}

/* Also before every verb: a guest that has turned itself off is not resumed because the request
 * overtook the news. */
static void
read_mail(void *data)
{
    Machine *m = data;
    VmmMsg *event;

    while ((event = mailbox_take_event(m->mailbox)))
        pass_on(m, event);
    if (!is(m, VMM_STATE_STOPPED) && mailbox_has_ending(m->mailbox))
        obey_guest(m);
}

/* In any thread. */
static void
on_ended(void *data, const char *reason, const char *text)
{
    mailbox_post_ending(((Machine *)data)->mailbox, reason, text);
}

static void
on_event(void *data, VmmMsg *event)
{
    mailbox_post_event(((Machine *)data)->mailbox, event);
}

Machine *
machine_new(Loop *loop, void (*notify)(void *data, VmmMsg *event), void *data)
{
    Machine *m = vmm_must(calloc(1, sizeof(*m)));

    m->loop = loop;
    m->notify = notify;
    m->data = data;
    m->mailbox = mailbox_new(loop, read_mail, m);
    machine_config_init(&m->config);
    enter(m, VMM_STATE_EMPTY, VMM_REASON_USER);
    return m;
}

void
machine_free(Machine *m)
{
    if (!m)
        return;
    machine_job_free(m->job);
    hardware_free(m->hw);
    machine_config_clear(&m->config);
    mailbox_free(m->mailbox);
    free(m);
}

const char *
machine_state(const Machine *m)
{
    return m->state;
}

const char *
machine_reason(const Machine *m)
{
    return m->reason;
}

/* What nobody read is never dropped in silence. */
static bool
is_understood(VmmMsg *create, VmmError *err)
{
    const char *unread = vmm_msg_unread(create);

    return !unread || vmm_error(err, VMM_ERROR_INVALID,
                                "create: the key '%s' is unknown or has another type", unread);
}

bool
machine_create(Machine *m, VmmMsg *msg, VmmError *err)
{
    const HardwareOwner owner = { on_ended, on_event, m };

    if (!is(m, VMM_STATE_EMPTY))
        return vmm_error(err, VMM_ERROR_STATE, "The machine was created already");
    if (machine_config_read(&m->config, msg, err))
        m->hw = hardware_new(m->loop, &m->config, msg, &owner, err);
    if (!m->hw || !is_understood(msg, err)) {
        hardware_free(m->hw);
        m->hw = NULL;
        machine_config_clear(&m->config);
        return false;
    }
    enter(m, VMM_STATE_CREATED, VMM_REASON_USER);
    return true;
}

/* Whether nothing is under way that needs the machine to stay as it is. */
static bool
is_free(Machine *m, const char *what, VmmError *err)
{
    if (m->job)
        return vmm_error(err, VMM_ERROR_STATE, "%s: the job '%s' is under way", what,
                         machine_job_name(m->job));
    return !m->spoiled ||
           vmm_error(err, VMM_ERROR_STATE, "%s: this machine has failed to restore a guest", what);
}

static bool
has_devices(Machine *m, VmmError *err)
{
    read_mail(m);
    if (!is_free(m, "Devices do not come and go now", err))
        return false;
    return (!is(m, VMM_STATE_EMPTY) && !is(m, VMM_STATE_STOPPED)) ||
           vmm_error(err, VMM_ERROR_STATE,
                     "Devices come and go while there is a machine: its state is '%s'", m->state);
}

bool
machine_add_device(Machine *m, VmmMsg *msg, VmmError *err)
{
    const char *class_name, *id;
    const DeviceClass *class;
    bool added;

    if (!has_devices(m, err))
        return false;
    if (!vmm_msg_get_string(msg, "class", &class_name) || !vmm_msg_get_string(msg, "id", &id))
        return vmm_error(err, VMM_ERROR_INVALID, "add-device: 'class' or 'id' is missing");
    class = device_class_find(class_name);
    if (!class)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "There is no device class '%s'", class_name);
    hardware_park(m->hw);
    added = hardware_add_device(m->hw, class, id, msg, err);
    unpark(m);
    return added;
}

bool
machine_remove_device(Machine *m, VmmMsg *msg, VmmError *err)
{
    const char *id;
    VmmMsg *event;

    if (!has_devices(m, err))
        return false;
    if (!vmm_msg_get_string(msg, "id", &id))
        return vmm_error(err, VMM_ERROR_INVALID, "remove-device: the string 'id' is missing");
    if (!is(m, VMM_STATE_CREATED))
        return hardware_eject_device(m->hw, id, err);
    if (!hardware_remove_device(m->hw, id))
        return vmm_error(err, VMM_ERROR_INVALID, "There is no device '%s' that can be removed", id);
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_DEVICE_REMOVED);
    vmm_msg_put_string(event, "id", id);
    m->notify(m->data, event);
    return true;
}

bool
machine_tell_device(Machine *m, VmmMsg *msg, VmmMsg *reply, VmmError *err)
{
    const char *id;

    if (!m->hw)
        return vmm_error(err, VMM_ERROR_STATE, "tell-device: there is no machine yet");
    if (!vmm_msg_get_string(msg, "id", &id))
        return vmm_error(err, VMM_ERROR_INVALID, "tell-device: 'id' is missing");
    return hardware_tell_device(m->hw, id, msg, reply, err);
}

static bool
needs_life(Machine *m, const char *what, VmmError *err)
{
    read_mail(m);
    if (!is_free(m, what, err))
        return false;
    if (is(m, VMM_STATE_RUNNING) || is(m, VMM_STATE_PAUSED))
        return true;
    return vmm_error(err, VMM_ERROR_STATE, "%s: the guest is not running: its state is '%s'", what,
                     m->state);
}

/* Once: before the first byte that the guest's owner has made, its kernel, is looked at. */
static void
confine_main(Machine *m)
{
    if (!m->confined)
        confine_thread(CONFINE_MAIN);
    m->confined = true;
}

bool
machine_run(Machine *m, VmmError *err)
{
    read_mail(m);
    if (is(m, VMM_STATE_RUNNING))
        return true;
    if (!is(m, VMM_STATE_CREATED) && !is(m, VMM_STATE_PAUSED))
        return vmm_error(err, VMM_ERROR_STATE, "run: the machine's state is '%s'", m->state);
    if (!is_free(m, "run", err))
        return false;
    confine_main(m);
    if (is(m, VMM_STATE_CREATED) && !hardware_power_on(m->hw, err))
        return false;
    run(m, VMM_REASON_USER);
    return true;
}

bool
machine_pause(Machine *m, VmmError *err)
{
    if (!needs_life(m, "pause", err))
        return false;
    if (is(m, VMM_STATE_PAUSED))
        return true;
    hardware_halt(m->hw);
    enter(m, VMM_STATE_PAUSED, VMM_REASON_USER);
    return true;
}

bool
machine_reset(Machine *m, VmmError *err)
{
    VmmError failure;
    bool was_running;
    Ending missed;

    if (!needs_life(m, "reset", err))
        return false;
    was_running = is(m, VMM_STATE_RUNNING);
    if (was_running)
        hardware_halt(m->hw);
    /* What the guest asked for in the meantime belongs to the run that is over. */
    mailbox_take_ending(m->mailbox, &missed);
    if (!start_over(m, &failure)) {
        stop(m, VMM_REASON_CRASHED, failure.text);
        return vmm_error(err, failure.kind, "%s", failure.text);
    }
    log_line("Guest reset by request");
    if (was_running)
        run(m, VMM_REASON_USER);
    else
        enter(m, VMM_STATE_PAUSED, VMM_REASON_USER); /* no longer crashed */
    return true;
}

bool
machine_power_button(Machine *m, VmmMsg *msg, VmmError *err)
{
    const char *then = NULL;

    if (!needs_life(m, "power-button", err) || !machine_action_read("then", msg, &then, err))
        return false;
    if (!hardware_press_power_button(m->hw))
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "The guest has no ACPI power button");
    m->then = then;
    return true;
}

/* Saving and restoring */

static void
job_ended(void *data, bool completed, VmmMsg *event)
{
    Machine *m = data;
    bool restored = strcmp(machine_job_name(m->job), VMM_RESTORE) == 0;

    machine_job_free(m->job);
    m->job = NULL;
    if (restored && completed)
        enter(m, VMM_STATE_PAUSED, VMM_REASON_USER);
    m->spoiled = restored && !completed;
    m->notify(m->data, event);
}

bool
machine_save(Machine *m, VmmMsg *msg, VmmError *err)
{
    const MachineJobOwner owner = { job_ended, m };
    int fd;

    if (!needs_life(m, "save", err))
        return false;
    if (!is(m, VMM_STATE_PAUSED))
        return vmm_error(err, VMM_ERROR_STATE, "save: the guest is not paused");
    if (!vmm_msg_take_fd(msg, "fd", &fd))
        return vmm_error(err, VMM_ERROR_INVALID, "save: the descriptor 'fd' is missing");
    m->job = machine_job_save(m->loop, m->hw, fd, &owner, err);
    return m->job != NULL;
}

/* What is restored may be anybody's, so the main thread is confined first. */
bool
machine_restore(Machine *m, VmmMsg *msg, VmmError *err)
{
    const MachineJobOwner owner = { job_ended, m };
    int fd;

    read_mail(m);
    if (!is_free(m, "restore", err))
        return false;
    if (!is(m, VMM_STATE_CREATED))
        return vmm_error(err, VMM_ERROR_STATE, "restore: the machine's state is '%s'", m->state);
    if (!vmm_msg_take_fd(msg, "fd", &fd))
        return vmm_error(err, VMM_ERROR_INVALID, "restore: the descriptor 'fd' is missing");
    confine_main(m);
    m->job = machine_job_restore(m->loop, m->hw, fd, &owner, err);
    return m->job != NULL;
}

void
machine_cancel_job(Machine *m)
{
    if (m->job)
        machine_job_cancel(m->job);
}

/* Dirty pages */

bool
machine_track_dirty(Machine *m, VmmMsg *msg, VmmError *err)
{
    bool on;

    if (is(m, VMM_STATE_EMPTY))
        return vmm_error(err, VMM_ERROR_STATE, "track-dirty: there is no machine yet");
    if (!vmm_msg_get_bool(msg, "on", &on))
        return vmm_error(err, VMM_ERROR_INVALID, "track-dirty: 'on' is missing");
    return hardware_track_dirty(m->hw, on, err);
}

static bool
count_dirty(Machine *m, unsigned region, uint64_t *ret, VmmError *err)
{
    size_t words = memory_dirty_words(hardware_memory(m->hw), region);
    uint64_t *bitmap = vmm_must(calloc(words, sizeof(*bitmap)));
    bool good = hardware_take_dirty(m->hw, region, bitmap, err);

    for (size_t i = 0; good && i < words; i++)
        *ret += __builtin_popcountll(bitmap[i]);
    free(bitmap);
    return good;
}

bool
machine_take_dirty(Machine *m, VmmMsg *reply, VmmError *err)
{
    MemoryRegion region;
    uint64_t pages = 0;

    if (is(m, VMM_STATE_EMPTY) || !memory_is_tracked(hardware_memory(m->hw)))
        return vmm_error(err, VMM_ERROR_STATE, "take-dirty: nobody tracks dirty pages");
    for (unsigned i = 0; memory_region(hardware_memory(m->hw), i, &region); i++) {
        if (!count_dirty(m, i, &pages, err))
            return false;
    }
    vmm_msg_put_u64(reply, "pages", pages);
    return true;
}

bool
machine_inject_nmi(Machine *m, VmmError *err)
{
    bool taken;

    if (!needs_life(m, "inject-nmi", err))
        return false;
    hardware_park(m->hw);
    taken = hardware_inject_nmi(m->hw);
    unpark(m);
    return taken || vmm_error(err, VMM_ERROR_FAILED,
                              "No vCPU of the guest takes a non-maskable interrupt now");
}

/* A vCPU that runs has its registers to itself, page tables too. */
static bool
peek_parked(Machine *m, uint64_t address, uint64_t size, bool virtual, int to, VmmError *err)
{
    bool good;

    hardware_park(m->hw);
    good = hardware_peek(m->hw, address, size, virtual, to, err);
    unpark(m);
    return good;
}

bool
machine_peek(Machine *m, VmmMsg *msg, VmmError *err)
{
    uint64_t address, size;
    bool virtual = false, good;
    int to;

    if (!needs_life(m, "peek", err))
        return false;
    vmm_msg_get_bool(msg, "virtual", &virtual);
    if (!vmm_msg_get_u64(msg, "address", &address) || !vmm_msg_get_u64(msg, "size", &size) ||
        size > VMM_PEEK_MAX || !vmm_msg_take_fd(msg, "to", &to))
        return vmm_error(err, VMM_ERROR_INVALID, "peek: 'address', 'size' or 'to' is missing, or "
                                                 "the size is over %u bytes", VMM_PEEK_MAX);
    good = peek_parked(m, address, size, virtual, to, err);
    close(to);
    return good;
}

bool
machine_set_action(Machine *m, VmmMsg *msg, VmmError *err)
{
    if (is(m, VMM_STATE_EMPTY))
        return vmm_error(err, VMM_ERROR_STATE, "set-action: there is no machine yet");
    return machine_policy_read(&m->config.policy, msg, err);
}

bool
machine_stats(Machine *m, VmmMsg *reply, VmmError *err)
{
    char key[32];

    if (!m->hw)
        return vmm_error(err, VMM_ERROR_STATE, "stats: there is no machine yet");
    for (unsigned i = 0; i < hardware_n_vcpus(m->hw); i++) {
        snprintf(key, sizeof(key), "vcpu-%u-time", i);
        vmm_msg_put_u64(reply, key, hardware_cpu_time_ns(m->hw, i));
    }
    if (m->job)
        machine_job_stats(m->job, reply);
    return true;
}

void
machine_quit(Machine *m)
{
    read_mail(m);
    if (is(m, VMM_STATE_STOPPED))
        return;
    if (is(m, VMM_STATE_RUNNING))
        hardware_halt(m->hw);
    enter(m, VMM_STATE_STOPPED, VMM_REASON_USER);
    log_line("Guest ended by request");
    write_record(m, "ended by request");
    loop_quit(m->loop);
}
