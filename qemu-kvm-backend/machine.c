#include "qemu-kvm-backend/machine-private.h"

#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/iothread-pool.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    m->mailbox = mailbox_new(loop, machine_read_mail, m);
    machine_config_init(&m->config);
    machine_enter(m, VMM_STATE_EMPTY, VMM_REASON_USER);
    return m;
}

void
machine_free(Machine *m)
{
    if (!m)
        return;
    machine_job_free(m->job);
    machine_move_stop(m);
    hardware_free(m->hw);
    iothread_pool_clear();
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

bool
machine_has_guest(const Machine *m)
{
    return !machine_is(m, VMM_STATE_EMPTY) && !machine_is(m, VMM_STATE_CREATED);
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

    if (!machine_is(m, VMM_STATE_EMPTY))
        return vmm_error(err, VMM_ERROR_STATE, "The machine was created already");
    if (machine_config_read(&m->config, msg, err))
        m->hw = hardware_new(m->loop, &m->config, msg, &owner, err);
    if (!m->hw || !is_understood(msg, err)) {
        hardware_free(m->hw);
        m->hw = NULL;
        machine_config_clear(&m->config);
        return false;
    }
    machine_enter(m, VMM_STATE_CREATED, VMM_REASON_USER);
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
    machine_read_mail(m);
    if (!is_free(m, "Devices do not come and go now", err))
        return false;
    return (!machine_is(m, VMM_STATE_EMPTY) && !machine_is(m, VMM_STATE_STOPPED)) ||
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
    machine_unpark(m);
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
    if (!machine_is(m, VMM_STATE_CREATED))
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

/* Once: before the first byte that the guest's owner has made, its kernel, is looked at. */
static void
confine_main(Machine *m)
{
    if (!m->confined)
        confine_thread(CONFINE_MAIN);
    m->confined = true;
}

/* From here on it is a machine whose guest is paused, at the first instruction. */
static bool
power_on(Machine *m, VmmError *err)
{
    confine_main(m);
    if (!hardware_power_on(m->hw, err))
        return false;
    machine_enter(m, VMM_STATE_PAUSED, VMM_REASON_USER);
    return true;
}

/* A guest, which may be asleep, or have not run yet. */
static bool
needs_guest(Machine *m, const char *what, VmmError *err)
{
    machine_read_mail(m);
    if (!is_free(m, what, err))
        return false;
    if (machine_is(m, VMM_STATE_CREATED))
        return power_on(m, err);
    if (machine_is(m, VMM_STATE_RUNNING) || machine_is(m, VMM_STATE_PAUSED) ||
        machine_is(m, VMM_STATE_SUSPENDED))
        return true;
    return vmm_error(err, VMM_ERROR_STATE, "%s: the guest is not running: its state is '%s'", what,
                     m->state);
}

static bool
needs_life(Machine *m, const char *what, VmmError *err)
{
    if (!needs_guest(m, what, err))
        return false;
    return !machine_is(m, VMM_STATE_SUSPENDED) ||
           vmm_error(err, VMM_ERROR_STATE, "%s: the guest is suspended", what);
}

bool
machine_run(Machine *m, VmmError *err)
{
    machine_read_mail(m);
    if (machine_is(m, VMM_STATE_RUNNING))
        return true;
    if (!machine_is(m, VMM_STATE_CREATED) && !machine_is(m, VMM_STATE_PAUSED))
        return vmm_error(err, VMM_ERROR_STATE, "run: the machine's state is '%s'", m->state);
    if (!is_free(m, "run", err))
        return false;
    if (machine_is(m, VMM_STATE_CREATED) && !power_on(m, err))
        return false;
    machine_go(m, VMM_REASON_USER);
    return true;
}

bool
machine_pause(Machine *m, VmmError *err)
{
    if (!needs_life(m, "pause", err))
        return false;
    if (machine_is(m, VMM_STATE_PAUSED))
        return true;
    hardware_halt(m->hw);
    machine_enter(m, VMM_STATE_PAUSED, VMM_REASON_USER);
    return true;
}

bool
machine_wakeup(Machine *m, VmmError *err)
{
    if (!needs_guest(m, "wakeup", err))
        return false;
    if (!machine_is(m, VMM_STATE_SUSPENDED))
        return vmm_error(err, VMM_ERROR_STATE, "Unable to wake up: guest is not in suspended state");
    log_line("Guest woken by request");
    return machine_wake(m, err);
}

bool
machine_reset(Machine *m, VmmError *err)
{
    bool was_running, was_asleep;
    VmmError failure;
    Ending missed;

    if (!needs_guest(m, "reset", err))
        return false;
    was_running = machine_is(m, VMM_STATE_RUNNING);
    was_asleep = machine_is(m, VMM_STATE_SUSPENDED);
    if (was_running)
        hardware_halt(m->hw);
    /* What the guest asked for in the meantime belongs to the run that is over. */
    mailbox_take_ending(m->mailbox, &missed);
    if (!machine_start_over(m, &failure)) {
        machine_stop(m, VMM_REASON_CRASHED, failure.text);
        return vmm_error(err, failure.kind, "%s", failure.text);
    }
    log_line("Guest reset by request");
    if (was_asleep)
        m->notify(m->data, vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_WOKEN));
    if (was_running || was_asleep)
        machine_go(m, VMM_REASON_USER);
    else
        machine_enter(m, VMM_STATE_PAUSED, VMM_REASON_USER); /* no longer crashed */
    return true;
}

bool
machine_power_button(Machine *m, VmmMsg *msg, VmmError *err)
{
    const char *then = NULL;

    if (!needs_guest(m, "power-button", err) || !machine_action_read("then", msg, &then, err))
        return false;
    if (!hardware_press_power_button(m->hw))
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "The guest has no ACPI power button");
    m->then = then;
    return true;
}

/* Saving and restoring */

static void
restored_guest(Machine *m)
{
    if (!hardware_is_asleep(m->hw)) {
        machine_enter(m, VMM_STATE_PAUSED, VMM_REASON_USER);
        return;
    }
    machine_enter(m, VMM_STATE_SUSPENDED, VMM_REASON_SLEEP);
    hardware_sleep(m->hw);
}

static void
job_ended(void *data, bool completed, VmmMsg *event)
{
    Machine *m = data;
    bool restored = strcmp(machine_job_name(m->job), VMM_RESTORE) == 0;

    machine_job_free(m->job);
    m->job = NULL;
    if (restored && completed)
        restored_guest(m);
    m->spoiled = restored && !completed;
    vmm_msg_put_string(event, "state", m->state);
    m->notify(m->data, event);
    machine_read_mail(m); /* what had to wait for that */
}

static bool
may_save(Machine *m, VmmError *err)
{
    return needs_guest(m, "save", err) &&
           (!machine_is(m, VMM_STATE_RUNNING) || vmm_error(err, VMM_ERROR_STATE, "save: the guest is not paused"));
}

/* Once it has finished, what became of that is seen to before anything is written. */
bool
machine_save(Machine *m, VmmMsg *msg, VmmError *err)
{
    const MachineJobOwner owner = { job_ended, m };
    int fd;

    if (!may_save(m, err) || !hardware_finish(m->hw, err) || !may_save(m, err))
        return false;
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

    machine_read_mail(m);
    if (!is_free(m, "restore", err))
        return false;
    if (!machine_is(m, VMM_STATE_CREATED))
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

    if (machine_is(m, VMM_STATE_EMPTY))
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

    if (machine_is(m, VMM_STATE_EMPTY) || !memory_is_tracked(hardware_memory(m->hw)))
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
    if (!needs_life(m, "inject-nmi", err))
        return false;
    machine_press_nmi(m);
    return true;
}

/* A vCPU that runs has its registers to itself, page tables too. */
static bool
peek_parked(Machine *m, uint64_t address, uint64_t size, bool virtual, int to, VmmError *err)
{
    bool good;

    hardware_park(m->hw);
    good = hardware_peek(m->hw, address, size, virtual, to, err);
    machine_unpark(m);
    return good;
}

bool
machine_peek(Machine *m, VmmMsg *msg, VmmError *err)
{
    uint64_t address, size;
    bool virtual = false, good;
    int to;

    if (!needs_guest(m, "peek", err))
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
    if (machine_is(m, VMM_STATE_EMPTY))
        return vmm_error(err, VMM_ERROR_STATE, "set-action: there is no machine yet");
    return machine_policy_read(&m->config.policy, msg, err);
}

bool
machine_stats(Machine *m, VmmMsg *reply, VmmError *err)
{
    uint64_t times[MACHINE_VCPUS_MAX];
    unsigned n;

    if (!m->hw)
        return vmm_error(err, VMM_ERROR_STATE, "stats: there is no machine yet");
    n = hardware_n_vcpus(m->hw);
    for (unsigned i = 0; i < n; i++)
        times[i] = htole64(hardware_cpu_time_ns(m->hw, i));
    vmm_msg_put_bytes(reply, "vcpu-times", times, n * sizeof(times[0]));
    if (m->job)
        machine_job_stats(m->job, reply);
    return true;
}

void
machine_quit(Machine *m)
{
    machine_read_mail(m);
    if (machine_is(m, VMM_STATE_STOPPED))
        return;
    if (machine_is(m, VMM_STATE_RUNNING))
        hardware_halt(m->hw);
    machine_enter(m, VMM_STATE_STOPPED, VMM_REASON_USER);
    log_line("Guest ended by request");
    machine_write_record(m, "ended by request");
    loop_quit(m->loop);
}
