#include "driver/pm-suspend.h"

#include "driver/agent.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/verb.h"

#include <libvirt/libvirt.h>

/* What the guest tells. Whoever had its agent suspend it gets no other answer: the connection's end is one. */

static void
sleep_of(Domain *domain, PmEvent event, int detail)
{
    domain_tell(domain, pm, event);
    domain_move(domain, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN);
    domain_emit(domain, VIR_DOMAIN_EVENT_PMSUSPENDED, detail);
    agent_closed(domain);
}

void
pm_suspended(Domain *domain)
{
    sleep_of(domain, PM_EVENT_SUSPEND, VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY);
}

void
pm_hibernated(Domain *domain)
{
    sleep_of(domain, PM_EVENT_SUSPEND_DISK, VIR_DOMAIN_EVENT_PMSUSPENDED_DISK);
}

void
pm_woken(Domain *domain)
{
    domain_tell(domain, pm, PM_EVENT_WAKEUP);
    if (domain->state != VIR_DOMAIN_PMSUSPENDED)
        return;
    domain_move(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP);
    domain_emit(domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_WAKEUP);
}

/* virDomainPMWakeup. The guest's process tells of the wake before it answers. */

static void
wakeup_begin(Verb *verb)
{
    VmmLink *link = verb_link(verb);

    if (!link)
        return;
    if (verb->domain->state != VIR_DOMAIN_PMSUSPENDED) /* QEMU's words, as libvirt passes them on */
        verb_fail(verb, VIR_ERR_INTERNAL_ERROR,
                  "unable to execute QEMU command 'system_wakeup': "
                  "Unable to wake up: guest is not in suspended state");
    else
        vmm_link_send(link, vmm_link_request(link, VMM_WAKEUP), VMM_LINK_TIMEOUT_MS, verb_answered,
                      verb);
}

void
domain_pm_wakeup(Domain *domain, guint flags, DomainDone done, gpointer data)
{
    const Verb verb = {
        .domain = domain, .flags = flags, .begin = wakeup_begin, .done = done, .data = data
    };
    g_autoptr(GError) error = NULL;

    if (!domain_is_simulated(domain)) {
        verb_start_checked("pm-wakeup", &verb, "virDomainPMWakeup", 0);
        return;
    }
    driver_error(&error, VIR_ERR_NO_SUPPORT, "virDomainPMWakeup"); /* as libvirt's test driver */
    done(data, error);
}

/* virDomainPMSuspendForDuration */

static const struct {
    const char *command;
    gsize offset; /* of what has to be offered, in a DomainPm */
    const char *refusal;
} targets[] = {
    [VIR_NODE_SUSPEND_TARGET_MEM] = { "guest-suspend-ram", offsetof(DomainPm, to_mem),
                                      "S3 state is disabled for this domain" },
    [VIR_NODE_SUSPEND_TARGET_DISK] = { "guest-suspend-disk", offsetof(DomainPm, to_disk),
                                       "S4 state is disabled for this domain" },
    [VIR_NODE_SUSPEND_TARGET_HYBRID] = { "guest-suspend-hybrid", offsetof(DomainPm, to_mem),
                                         "S3 state is disabled for this domain" },
};

static void
ask_agent(AgentVerb *verb)
{
    verb->ends_agent = TRUE;
    agent_verb_ask(verb, targets[GPOINTER_TO_UINT(verb->detail)].command, NULL, agent_verb_done);
}

static gboolean
may_suspend(const Domain *domain, guint target, guint64 duration_s, GError **error)
{
    const DomainDef *live = domain->live;

    if (domain_is_simulated(domain))
        return driver_error(error, VIR_ERR_NO_SUPPORT, "virDomainPMSuspendForDuration");
    if (duration_s)
        return driver_error(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                            "Duration not supported. Use 0 for now");
    if (target >= G_N_ELEMENTS(targets))
        return driver_error(error, VIR_ERR_INVALID_ARG, "Unknown suspend target: %u", target);
    if (!domain_is_active(domain))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
    /* By it a guest knows how to sleep, and that it may. */
    if (live->features.states[DOMAIN_FEATURE_ACPI] != 1)
        return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                            "Domain does not have suspend support");
    return *(const DomainPmState *)((const char *)&live->pm + targets[target].offset) !=
               DOMAIN_PM_NO ||
           driver_error(error, VIR_ERR_OPERATION_INVALID, "%s", targets[target].refusal);
}

void
domain_pm_suspend(Domain *domain, guint target, guint64 duration_s, guint flags, DomainReply done,
                  gpointer data)
{
    const AgentVerb verb = {
        .domain = domain,
        .begin = ask_agent,
        .done = done,
        .data = data,
        .detail = GUINT_TO_POINTER(target),
    };
    g_autoptr(GError) error = NULL;

    if (driver_check_flags(flags, 0, "virDomainPMSuspendForDuration", &error) &&
        may_suspend(domain, target, duration_s, &error))
        agent_verb_start("pm-suspend", &verb, "virDomainPMSuspendForDuration", flags, 0);
    else
        done(data, NULL, error);
}
