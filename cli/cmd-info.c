/* The commands that say one thing about one domain. */
#include "cli/commands.h"

#include "cli/domain-names.h"
#include "cli/domain.h"
#include "cli/facts.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static gboolean
run_domstate(Session *session, const Args *args, GError **error)
{
    int state, reason;
    g_autofree char *text = NULL;
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !domain_state(domain, &state, &reason, error))
        return FALSE;
    text = args_has(args, "reason") ? g_strdup_printf("%s (%s)", domain_state_name(state),
                                                      domain_reason_name(state, reason))
                                    : g_strdup(domain_state_name(state));
    facts_add(facts, "state", "", text, g_variant_new_string(domain_state_name(state)));
    facts_add(facts, "reason", NULL, domain_reason_name(state, reason), NULL);
    facts_print(facts, 0);
    return TRUE;
}

static const Option domstate_options[] = {
    OPTION_DOMAIN_ANY,
    { "reason", OPTION_BOOL, 0, N_("say as well why it is in that state") },
    { NULL },
};

const Command command_domstate = {
    "domstate",   N_("print the state of a domain"), NULL, domstate_options, run_domstate,
    COMMAND_JSON,
};

static gboolean
run_domuuid(Session *session, const Args *args, GError **error)
{
    g_autofree char *uuid = NULL;
    g_autoptr(Domain) domain =
        domain_find(session, args_string(args, "domain"), DOMAIN_BY_ID | DOMAIN_BY_NAME, error);
    if (!domain)
        return FALSE;
    uuid = domain_path_uuid(domain->path);
    if (!uuid)
        return cli_fail(error, _("the object's path %s has no UUID"), domain->path);
    return facts_tell("uuid", uuid, NULL);
}

static const Option domuuid_options[] = { OPTION_DOMAIN(N_("the domain's id or name")), { NULL } };

const Command command_domuuid = {
    "domuuid", N_("print the UUID of a domain"), NULL, domuuid_options, run_domuuid, COMMAND_JSON,
};

static gboolean
run_domid(Session *session, const Args *args, GError **error)
{
    gboolean active;
    g_autofree char *text = NULL;
    g_autoptr(GVariant) id = NULL;
    g_autoptr(Domain) domain =
        domain_find(session, args_string(args, "domain"), DOMAIN_BY_NAME | DOMAIN_BY_UUID, error);
    if (!domain || !domain_is_active(domain, &active, error))
        return FALSE;
    if (!active)
        return facts_tell("id", "-", g_variant_new_maybe(G_VARIANT_TYPE_UINT32, NULL));
    id = connection_get(domain->connection, domain->path, DOMAIN_INTERFACE, "Id", "u", error);
    if (!id)
        return FALSE;
    text = g_strdup_printf("%u", g_variant_get_uint32(id));
    return facts_tell("id", text, id);
}

static const Option domid_options[] = { OPTION_DOMAIN(N_("the domain's name or UUID")), { NULL } };

const Command command_domid = {
    "domid",
    N_("print the id of a domain"),
    N_("A domain that does not run has none: '-'."),
    domid_options,
    run_domid,
    COMMAND_JSON,
};

static gboolean
run_domname(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain =
        domain_find(session, args_string(args, "domain"), DOMAIN_BY_ID | DOMAIN_BY_UUID, error);
    if (!domain)
        return FALSE;
    return facts_tell("name", domain->name, NULL);
}

static const Option domname_options[] = { OPTION_DOMAIN(N_("the domain's id or UUID")), { NULL } };

const Command command_domname = {
    "domname", N_("print the name of a domain"), NULL, domname_options, run_domname, COMMAND_JSON,
};
