/* shutdown: asks a guest to power off or to start over: by its agent, and by the power button.
 *
 * Where nobody says how, the agent is asked first, as in libvirt: it answers for a guest that heeds no button.
 */
#include "driver/agent.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/json.h"
#include "driver/verb.h"

#include <libvirt/libvirt-qemu.h>

/* What is the same for both: the numbers of virDomainShutdownFlagValues and virDomainRebootFlagValues are. */
#define BY_BUTTON VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN
#define BY_AGENT  VIR_DOMAIN_SHUTDOWN_GUEST_AGENT

typedef struct Farewell {
    Domain *domain;
    const char *name, *function;
    guint flags;
    gboolean reboot;
    DomainDone done;
    gpointer data;
} Farewell;

static void
farewell_end(gpointer data, const GError *error)
{
    Farewell *farewell = data;

    farewell->done(farewell->data, error);
    domain_unref(farewell->domain);
    g_free(farewell);
}

/* The power button: for a reboot the power-off that answers it starts over. */
static void
press_power_button(Verb *verb)
{
    const Farewell *farewell = verb->detail;
    VmmLink *link = verb_link(verb);
    VmmMsg *request;

    if (!link)
        return;
    if (verb->domain->state != VIR_DOMAIN_RUNNING) {
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is not running");
        return;
    }
    request = vmm_link_request(link, VMM_POWER_BUTTON);
    if (farewell->reboot)
        vmm_msg_put_string(request, "then", VMM_ACTION_RESET);
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, verb_answered, verb);
}

static void
use_button(Farewell *farewell)
{
    const Verb verb = { .domain = farewell->domain,
                        .detail = farewell,
                        .begin = press_power_button,
                        .done = farewell_end,
                        .data = farewell };

    verb_start(farewell->name, &verb);
}

/* As the definition has it, where it makes the one of the other. */
static const char *
agent_mode(const Farewell *farewell)
{
    const DomainDef *live = farewell->domain->live;

    if (farewell->reboot)
        return live->on_reboot == DOMAIN_ACTION_DESTROY ? "powerdown" : "reboot";
    return live->on_poweroff == DOMAIN_ACTION_RESTART ? "reboot" : "powerdown";
}

static void
ask_agent(AgentVerb *verb)
{
    const Farewell *farewell = verb->data;

    verb->ends_agent = TRUE;
    agent_verb_ask_for(verb, "guest-shutdown",
                       json_object("mode", g_variant_new_string(agent_mode(farewell)), NULL),
                       VIR_DOMAIN_QEMU_AGENT_COMMAND_SHUTDOWN, agent_verb_done);
}

static void
agent_asked(gpointer data, GVariant *nothing, const GError *error)
{
    Farewell *farewell = data;

    if (error && farewell->flags != BY_AGENT)
        use_button(farewell);
    else
        farewell_end(farewell, error);
}

static void
say_farewell(const Farewell *what)
{
    Farewell *farewell = g_memdup2(what, sizeof(*what));
    const AgentVerb verb = {
        .domain = what->domain, .begin = ask_agent, .done = agent_asked, .data = farewell
    };
    g_autoptr(GError) error = NULL;

    domain_ref(farewell->domain);
    if (!driver_check_flags(what->flags, BY_BUTTON | BY_AGENT, what->function, &error))
        farewell_end(farewell, error);
    else if (what->flags == BY_BUTTON)
        use_button(farewell);
    else
        agent_verb_start(what->name, &verb, what->function, 0, 0);
}

void
domain_shutdown(Domain *domain, guint flags, DomainDone done, gpointer data)
{
    const Farewell farewell = { domain, "shutdown", "virDomainShutdownFlags", flags, FALSE,
                                done,   data };

    say_farewell(&farewell);
}

void
domain_reboot(Domain *domain, guint flags, DomainDone done, gpointer data)
{
    const Farewell farewell = { domain, "reboot", "virDomainReboot", flags, TRUE, done, data };

    say_farewell(&farewell);
}
