/* domcontrol: whether the daemon can control a domain that runs. */
#include "cli/commands.h"

#include "cli/domain.h"
#include "cli/facts.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* virDomainControlState and virDomainControlErrorReason, in virsh's words */
static const char *const states[] = { N_("ok"), N_("background job"), N_("occupied"), N_("error") };
static const char *const reasons[] = { N_("no error"), N_("unknown"), N_("monitor failure"),
                                       N_("internal (locking) error") };

static void
print_json(const char *state, const char *reason, guint64 ms)
{
    g_autoptr(Facts) facts = facts_new();

    facts_add(facts, "state", NULL, state, NULL);
    facts_add(facts, "reason", NULL, reason, NULL);
    facts_add(facts, "state-ms", NULL, NULL, g_variant_new_uint64(ms));
    facts_print(facts, 0);
}

static void
print(guint number, const char *state, guint details, const char *reason, guint64 ms)
{
    guint s = ms / 1000, rest = ms % 1000;

    if (number == VIR_DOMAIN_CONTROL_JOB || number == VIR_DOMAIN_CONTROL_OCCUPIED)
        output("%s (%u.%03us)\n", state, s, rest);
    else if (number == VIR_DOMAIN_CONTROL_ERROR && details > 0)
        output("%s: %s\n", state, reason);
    else
        output("%s\n", state);
}

static gboolean
run_domcontrol(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL;
    const char *state, *reason;
    guint number, details;
    guint64 ms;

    if (domain)
        reply = domain_call(domain, "GetControlInfo", g_variant_new("(u)", 0), "((uut))", error);
    if (!reply)
        return FALSE;
    g_variant_get(reply, "((uut))", &number, &details, &ms);
    state = number < G_N_ELEMENTS(states) ? _(states[number]) : _("unknown");
    reason = details < G_N_ELEMENTS(reasons) ? _(reasons[details]) : _("unknown");
    if (output_is_json())
        print_json(state, reason, ms);
    else
        print(number, state, details, reason, ms);
    return TRUE;
}

static const Option domcontrol_options[] = { OPTION_DOMAIN_ANY, { NULL } };

const Command command_domcontrol = {
    "domcontrol",
    N_("print whether a domain can be controlled"),
    N_("Or what it is busy with, and for how long: a job, or a request that its process has not answered."),
    domcontrol_options,
    run_domcontrol,
    COMMAND_JSON,
};
