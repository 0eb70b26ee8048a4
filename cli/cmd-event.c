/* event: waits for what happens to domains, and says it. */
#include "cli/commands.h"

#include "cli/domain-list.h"
#include "cli/domain.h"
#include "cli/output.h"
#include "cli/watch.h"

#include <glib/gi18n.h>

static gboolean
learn_names(Connection *connection, gconstpointer data, GHashTable *names, GError **error)
{
    g_autoptr(GPtrArray) entries = domain_list(connection, 0, error);

    if (!entries)
        return FALSE;
    for (guint i = 0; i < entries->len; i++) {
        const DomainEntry *entry = entries->pdata[i];
        g_hash_table_insert(names, g_strdup(entry->path), g_strdup(entry->name));
    }
    return TRUE;
}

static const WatchSubject domains = {
    DOMAIN_INTERFACE,
    event_kinds,
    N_("event '%s' for domain '%s'"),
    learn_names,
};

static gboolean
check_args(const Args *args, GError **error)
{
    if (!args_exclusive(args, "all", "event", error) ||
        !args_exclusive(args, "list", "all", error) ||
        !args_exclusive(args, "list", "event", error) || !watch_check_args(&domains, args, error))
        return FALSE;
    return args_has(args, "event") || args_has(args, "all") || args_has(args, "list") ||
           cli_fail(error, "%s", _("one of --list, --all, or --event <type> is required"));
}

static gboolean
run_event(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = NULL;

    if (!check_args(args, error))
        return FALSE;
    if (args_has(args, "list")) {
        watch_list_kinds(&domains);
        return TRUE;
    }
    if (args_has(args, "domain") && !(domain = domain_from_args(session, args, error)))
        return FALSE;
    return watch_run(session, &domains, args, domain ? domain->path : NULL, error);
}

static const Option event_options[] = {
    { "domain", OPTION_STRING, 0, N_("only of this domain: name, id or UUID") },
    WATCH_OPTION_EVENT,
    { "all", OPTION_BOOL, 0, N_("wait for every kind") },
    WATCH_OPTIONS,
    { NULL },
};

const Command command_event = {
    "event", N_("wait for what happens to domains"), NULL, event_options, run_event, COMMAND_JSON, &domains,
};
