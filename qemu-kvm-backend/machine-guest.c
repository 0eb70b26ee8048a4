#include "qemu-kvm-backend/machine-private.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* State and its news. */

bool
machine_is(const Machine *m, const char *state)
{
    return strcmp(m->state, state) == 0;
}

void
machine_enter(Machine *m, const char *state, const char *reason)
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
void
machine_write_record(Machine *m, const char *text)
{
    char line[sizeof(((VmmError *)0)->text) + 64];
    int n;

    if (m->config.record_fd < 0)
        return;
    n = snprintf(line, sizeof(line), "%s %s %s\n", m->state, m->reason, text);
    if (pwrite(m->config.record_fd, line, n, 0) != n)
        log_line("Cannot write the exit record: %s", strerrordesc_np(errno));
}

void
machine_stop(Machine *m, const char *reason, const char *text)
{
    VmmMsg *event = event_new(VMM_EVENT_STOPPED, reason);

    machine_enter(m, VMM_STATE_STOPPED, reason);
    log_line("Guest stopped: %s: %s", reason, text);
    vmm_msg_put_string(event, "state", m->state);
    vmm_msg_put_string(event, "text", text);
    machine_write_record(m, text);
    m->notify(m->data, event);
    loop_quit(m->loop);
}

void
machine_go(Machine *m, const char *reason)
{
    machine_enter(m, VMM_STATE_RUNNING, reason);
    hardware_run(m->hw);
}

/* What a guest did to itself, and what its policy makes of it. */

static const char *
action_for(const Machine *m, const char *reason)
{
    if (strcmp(reason, VMM_REASON_POWEROFF) == 0 || strcmp(reason, VMM_REASON_HIBERNATED) == 0)
        return m->then ? m->then : m->config.policy.on_poweroff;
    if (strcmp(reason, VMM_REASON_RESET) == 0)
        return m->config.policy.on_reboot;
    if (strcmp(reason, VMM_REASON_CRASHED) == 0 || strcmp(reason, VMM_REASON_PANICKED) == 0)
        return m->config.policy.on_crash;
    if (strcmp(reason, VMM_REASON_IO_ERROR) == 0 || strcmp(reason, VMM_REASON_WATCHDOG) == 0)
        return VMM_ACTION_PAUSE;
    return VMM_ACTION_STOP; /* the debug-exit port, a watchdog that cuts the power */
}

bool
machine_start_over(Machine *m, VmmError *err)
{
    m->then = NULL;
    return hardware_reset(m->hw, err);
}

static void
reset_by_guest(Machine *m, const Ending *ending, bool was_running)
{
    VmmError err;

    log_guest("Guest reset: %s: %s", ending->reason, ending->text);
    if (!machine_start_over(m, &err)) {
        machine_stop(m, VMM_REASON_CRASHED, err.text);
        return;
    }
    m->notify(m->data, event_new(VMM_EVENT_RESET, ending->reason));
    if (was_running)
        machine_go(m, m->reason);
}

static void
pause_by_guest(Machine *m, const Ending *ending)
{
    VmmMsg *event = event_new(VMM_EVENT_PAUSED, ending->reason);

    log_guest("Guest paused: %s: %s", ending->reason, ending->text);
    vmm_msg_put_string(event, "text", ending->text);
    machine_enter(m, VMM_STATE_PAUSED, ending->reason);
    m->notify(m->data, event);
}

/* Sleep is no policy's. The driver hears of it before anything can end it. */
static void
suspend_by_guest(Machine *m, const Ending *ending)
{
    log_guest("%s", ending->text);
    machine_enter(m, VMM_STATE_SUSPENDED, VMM_REASON_SLEEP);
    m->notify(m->data, vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_SUSPENDED));
    hardware_sleep(m->hw);
}

bool
machine_wake(Machine *m, VmmError *err)
{
    VmmError failure;

    m->then = NULL;
    if (!hardware_wake(m->hw, &failure)) {
        machine_stop(m, VMM_REASON_CRASHED, failure.text);
        return vmm_error(err, failure.kind, "%s", failure.text);
    }
    m->notify(m->data, vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_WOKEN));
    machine_go(m, VMM_REASON_WAKEUP);
    return true;
}

static void
wake_by_guest(Machine *m, const Ending *ending)
{
    VmmError err;

    log_guest("%s", ending->text);
    if (machine_is(m, VMM_STATE_SUSPENDED))
        machine_wake(m, &err);
}

static void
obey_guest(Machine *m)
{
    bool was_running = machine_is(m, VMM_STATE_RUNNING);
    const char *action;
    Ending ending;

    /* Parked first, so that no second vCPU adds an ending to the one that is taken. */
    if (was_running)
        hardware_halt(m->hw);
    mailbox_take_ending(m->mailbox, &ending);
    action = action_for(m, ending.reason);
    if (strcmp(ending.reason, VMM_REASON_SLEEP) == 0)
        suspend_by_guest(m, &ending);
    else if (strcmp(ending.reason, VMM_REASON_WAKEUP) == 0)
        wake_by_guest(m, &ending);
    else if (strcmp(action, VMM_ACTION_RESET) == 0)
        reset_by_guest(m, &ending, was_running);
    else if (strcmp(action, VMM_ACTION_PAUSE) == 0)
        pause_by_guest(m, &ending);
    else
        machine_stop(m, ending.reason, ending.text);
}

/* While the set of devices changes no vCPU runs. One that has ended its run stays parked for obey_guest(). */
void
machine_unpark(Machine *m)
{
    if (machine_is(m, VMM_STATE_RUNNING) && !mailbox_has_ending(m->mailbox))
        hardware_unpark(m->hw);
}

void
machine_press_nmi(Machine *m)
{
    hardware_park(m->hw);
    if (!hardware_inject_nmi(m->hw))
        log_guest("No vCPU takes a non-maskable interrupt");
    machine_unpark(m);
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
    machine_unpark(m);
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
    { VMM_WATCHDOG_INJECT_NMI, NULL, machine_press_nmi },
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
 * overtook the news. What is being saved stays as it is until that is over: a clock's alarm does not wake it. */
void
machine_read_mail(void *data)
{
    Machine *m = data;
    VmmMsg *event;

    while ((event = mailbox_take_event(m->mailbox)))
        pass_on(m, event);
    if (!m->job && !machine_is(m, VMM_STATE_STOPPED) && mailbox_has_ending(m->mailbox))
        obey_guest(m);
}
