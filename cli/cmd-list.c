/* list: the domains, as a table or as bare words for scripts. */
#include "cli/commands.h"

#include "cli/document.h"
#include "cli/domain-list.h"
#include "cli/domain-names.h"
#include "cli/domain.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static const ArgsFlag filters[] = {
    { "persistent", VIR_CONNECT_LIST_DOMAINS_PERSISTENT },
    { "transient", VIR_CONNECT_LIST_DOMAINS_TRANSIENT },
    { "with-managed-save", VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE },
    { "without-managed-save", VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE },
    { "autostart", VIR_CONNECT_LIST_DOMAINS_AUTOSTART },
    { "no-autostart", VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART },
    { "with-snapshot", VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT },
    { "without-snapshot", VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT },
    { "with-checkpoint", VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT },
    { "without-checkpoint", VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT },
    { "state-running", VIR_CONNECT_LIST_DOMAINS_RUNNING },
    { "state-paused", VIR_CONNECT_LIST_DOMAINS_PAUSED },
    { "state-shutoff", VIR_CONNECT_LIST_DOMAINS_SHUTOFF },
    { "state-other", VIR_CONNECT_LIST_DOMAINS_OTHER },
    { NULL, 0 },
};

static guint
list_flags(const Args *args)
{
    guint flags = VIR_CONNECT_LIST_DOMAINS_ACTIVE;

    if (args_has(args, "inactive") || args_has(args, "state-shutoff"))
        flags = VIR_CONNECT_LIST_DOMAINS_INACTIVE;
    if (args_has(args, "all"))
        flags = VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE;
    return flags | args_flags(args, filters);
}

static char *
id_text(const DomainEntry *entry)
{
    return entry->id ? g_strdup_printf("%u", entry->id) : NULL;
}

/* What the list itself does not tell: one more call for all domains, or for another daemon than vmctld one for each. */
typedef struct More {
    GHashTable *titles; /* by their domains' paths; NULL: not known */
    GHashTable *saved;  /* UUIDs of the domains with a managed save; NULL: not asked for */
} More;

static void
more_clear(More *more)
{
    g_clear_pointer(&more->titles, g_hash_table_unref);
    g_clear_pointer(&more->saved, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(More, more_clear)

static void
ask_titles(Session *session, guint flags, More *more)
{
    g_autoptr(GVariant) reply = connection_call(
        session->connection, connection_root(session->connection), VMCTL_CONNECT_INTERFACE,
        "ListAllDomainTitles", g_variant_new("(u)", flags), "(a{os})", NULL);
    g_autoptr(GVariantIter) titles = NULL;
    char *path, *title;

    if (!reply)
        return;
    more->titles = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_variant_get(reply, "(a{os})", &titles);
    while (g_variant_iter_next(titles, "{os}", &path, &title))
        g_hash_table_insert(more->titles, path, title);
}

static void
ask_saved(Session *session, More *more)
{
    g_autoptr(GPtrArray) entries =
        domain_list(session->connection, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, NULL);

    more->saved = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; entries && i < entries->len; i++)
        g_hash_table_add(more->saved, g_strdup(((const DomainEntry *)entries->pdata[i])->uuid));
}

/* Unknown is empty: the domain may be gone by now. */
static char *
title_of(Session *session, const More *more, const DomainEntry *entry)
{
    Domain domain = { session->connection, entry->path, entry->name };
    g_autofree char *xml = NULL;
    char *title = NULL;

    if (more->titles) {
        title = g_hash_table_lookup(more->titles, entry->path);
        return g_strdup(title ? title : "");
    }
    xml = domain_xml(&domain, entry->id ? 0 : VIR_DOMAIN_XML_INACTIVE, NULL);
    title = xml ? document_find(xml, "domain/title", NULL) : NULL;
    return title ? title : g_strdup("");
}

static const char *
state_text(const More *more, const DomainEntry *entry)
{
    if (more->saved && entry->state == VIR_DOMAIN_SHUTOFF &&
        g_hash_table_contains(more->saved, entry->uuid))
        return _("saved");
    return domain_state_name(entry->state);
}

static void
print_table(Session *session, const Args *args, const GPtrArray *entries)
{
    static const TableKey keys[] = {
        { "id", TABLE_NUMBER },
        { "name", TABLE_TEXT },
        { "state", TABLE_TEXT },
        { "title", TABLE_TEXT },
    };
    gboolean with_title = args_has(args, "title");
    const char *titles[] = { _("Id"), _("Name"), _("State"), with_title ? _("Title") : NULL, NULL };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);
    g_auto(More) more = { NULL, NULL };

    if (with_title)
        ask_titles(session, list_flags(args), &more);
    if (args_has(args, "managed-save"))
        ask_saved(session, &more);
    for (guint i = 0; i < entries->len; i++) {
        const DomainEntry *entry = entries->pdata[i];
        g_autofree char *id = id_text(entry);
        g_autofree char *title = with_title ? title_of(session, &more, entry) : NULL;
        table_add(table,
                  (const char *const[]){ table_cell(id), entry->name, state_text(&more, entry), title,
                                         NULL });
    }
    table_print(table, keys);
}

/* "UUID ID NAME", as far as they are asked for. */
static void
print_words(const Args *args, const GPtrArray *entries)
{
    for (guint i = 0; i < entries->len; i++) {
        const DomainEntry *entry = entries->pdata[i];
        g_autofree char *id = id_text(entry);
        const char *between = "";
        if (args_has(args, "uuid")) {
            output("%s", entry->uuid);
            between = " ";
        }
        if (args_has(args, "id")) {
            output("%s%s", between, table_cell(id));
            between = " ";
        }
        if (args_has(args, "name"))
            output("%s%s", between, entry->name);
        output("\n");
    }
}

static gboolean
run_list(Session *session, const Args *args, GError **error)
{
    static const char *const words[] = { "name", "uuid", "id" };
    gboolean as_words = FALSE;
    g_autoptr(GPtrArray) entries = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!args_exclusive(args, "table", words[i], error))
            return FALSE;
        as_words = as_words || args_has(args, words[i]);
    }
    entries = domain_list(session->connection, list_flags(args), error);
    if (!entries) {
        output_error("%s", _("Failed to list domains"));
        return FALSE;
    }
    if (as_words && !output_is_json())
        print_words(args, entries);
    else
        print_table(session, args, entries);
    return TRUE;
}

static const Option list_options[] = {
    { "inactive", OPTION_BOOL, 0, N_("domains that do not run") },
    { "all", OPTION_BOOL, 0, N_("domains that run and those that do not") },
    { "transient", OPTION_BOOL, 0, N_("only transient domains") },
    { "persistent", OPTION_BOOL, 0, N_("only persistent domains") },
    { "with-snapshot", OPTION_BOOL, 0, N_("only domains with a snapshot") },
    { "without-snapshot", OPTION_BOOL, 0, N_("only domains without a snapshot") },
    { "with-checkpoint", OPTION_BOOL, 0, N_("only domains with a checkpoint") },
    { "without-checkpoint", OPTION_BOOL, 0, N_("only domains without a checkpoint") },
    { "state-running", OPTION_BOOL, 0, N_("only running domains") },
    { "state-paused", OPTION_BOOL, 0, N_("only paused domains") },
    { "state-shutoff", OPTION_BOOL, 0, N_("only domains that are shut off") },
    { "state-other", OPTION_BOOL, 0, N_("only domains in other states") },
    { "autostart", OPTION_BOOL, 0, N_("only domains with autostart") },
    { "no-autostart", OPTION_BOOL, 0, N_("only domains without autostart") },
    { "with-managed-save", OPTION_BOOL, 0, N_("only domains with a managed save") },
    { "without-managed-save", OPTION_BOOL, 0, N_("only domains without a managed save") },
    { "uuid", OPTION_BOOL, 0, N_("print UUIDs") },
    { "name", OPTION_BOOL, 0, N_("print names") },
    { "id", OPTION_BOOL, 0, N_("print ids") },
    { "table", OPTION_BOOL, 0, N_("print a table (the default)") },
    { "managed-save", OPTION_BOOL, 0, N_("show in the table which domains have a managed save") },
    { "title", OPTION_BOOL, 0, N_("show titles in the table") },
    { NULL },
};

const Command command_list = {
    "list",       N_("list domains"), N_("Without an option: the domains that run."),
    list_options, run_list,           COMMAND_JSON,
};
