/* pool-list and pool-info: which storage pools there are, and how much is in them. */
#include "cli/commands.h"

#include "cli/facts.h"
#include "cli/object-list.h"
#include "cli/output.h"
#include "cli/size.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* virStoragePoolInfo */
typedef struct Info {
    int state;
    guint64 capacity, allocation, available;
} Info;

static gboolean
read_info(GVariant *reply, Info *ret_info)
{
    if (!reply)
        return FALSE;
    g_variant_get(reply, "((ittt))", &ret_info->state, &ret_info->capacity, &ret_info->allocation,
                  &ret_info->available);
    return TRUE;
}

static const char *
state_name(int state)
{
    static const char *const names[] = { N_("inactive"), N_("building"), N_("running"),
                                         N_("degraded"), N_("inaccessible") };

    return state >= 0 && (gsize)state < G_N_ELEMENTS(names) ? _(names[state]) : _("unknown");
}

static gboolean
has_figures(const Info *info)
{
    return info->state == VIR_STORAGE_POOL_RUNNING || info->state == VIR_STORAGE_POOL_DEGRADED;
}

/* list */

static const ArgsFlag filters[] = {
    { "transient", VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT },
    { "persistent", VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT },
    { "autostart", VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART },
    { "no-autostart", VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART },
    { NULL, 0 },
};

static const ArgsFlag types[] = {
    { "dir", VIR_CONNECT_LIST_STORAGE_POOLS_DIR },
    { "fs", VIR_CONNECT_LIST_STORAGE_POOLS_FS },
    { "netfs", VIR_CONNECT_LIST_STORAGE_POOLS_NETFS },
    { "logical", VIR_CONNECT_LIST_STORAGE_POOLS_LOGICAL },
    { "disk", VIR_CONNECT_LIST_STORAGE_POOLS_DISK },
    { "iscsi", VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI },
    { "iscsi-direct", VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT },
    { "scsi", VIR_CONNECT_LIST_STORAGE_POOLS_SCSI },
    { "mpath", VIR_CONNECT_LIST_STORAGE_POOLS_MPATH },
    { "rbd", VIR_CONNECT_LIST_STORAGE_POOLS_RBD },
    { "sheepdog", VIR_CONNECT_LIST_STORAGE_POOLS_SHEEPDOG },
    { "gluster", VIR_CONNECT_LIST_STORAGE_POOLS_GLUSTER },
    { "zfs", VIR_CONNECT_LIST_STORAGE_POOLS_ZFS },
    { "vstorage", VIR_CONNECT_LIST_STORAGE_POOLS_VSTORAGE },
    { NULL, 0 },
};

/* "dir,fs" */
static gboolean
read_types(const Args *args, guint *ret_flags, GError **error)
{
    const char *text = args_string(args, "type");
    g_auto(GStrv) names = text ? g_strsplit(text, ",", -1) : NULL;

    *ret_flags = 0;
    for (gsize i = 0; names && names[i]; i++) {
        guint flag = args_flag_of(types, names[i]);

        if (!flag)
            return cli_fail(error, _("Invalid pool type '%s'"), names[i]);
        *ret_flags |= flag;
    }
    return TRUE;
}

static void
print_table(const GPtrArray *entries)
{
    static const TableKey keys[] = {
        { "name", TABLE_TEXT },
        { "state", TABLE_TEXT },
        { "autostart", TABLE_BOOLEAN },
    };
    const char *titles[] = { _("Name"), _("State"), _("Autostart"), NULL };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);

    for (guint i = 0; i < entries->len; i++) {
        const ObjectEntry *entry = entries->pdata[i];
        table_add(table, (const char *const[]){ entry->name,
                                                text_active(object_entry_is(entry, "Active")),
                                                text_yes(object_entry_is(entry, "Autostart")),
                                                NULL });
    }
    table_print(table, keys);
}

/* What a person reads is scaled, what a program reads is in bytes. */
static char *
amount(const Info *info, guint64 bytes)
{
    if (!has_figures(info))
        return NULL;
    return output_is_json() ? g_strdup_printf("%" G_GUINT64_FORMAT, bytes) : size_short_text(bytes);
}

static void
add_details(Table *table, const ObjectEntry *entry, const Info *info)
{
    g_autofree char *capacity = amount(info, info->capacity);
    g_autofree char *allocation = amount(info, info->allocation);
    g_autofree char *available = amount(info, info->available);

    table_add(table, (const char *const[]){ entry->name, state_name(info->state),
                                            text_yes(object_entry_is(entry, "Autostart")),
                                            text_yes(object_entry_is(entry, "Persistent")),
                                            table_cell(capacity), table_cell(allocation),
                                            table_cell(available), NULL });
}

/* One that is gone by now is left out. */
static void
print_details(Connection *connection, const GPtrArray *entries)
{
    static const TableKey keys[] = {
        { "name", TABLE_TEXT },
        { "state", TABLE_TEXT },
        { "autostart", TABLE_BOOLEAN },
        { "persistent", TABLE_BOOLEAN },
        { "capacity-bytes", TABLE_NUMBER },
        { "allocation-bytes", TABLE_NUMBER },
        { "available-bytes", TABLE_NUMBER },
    };
    const char *titles[] = { _("Name"),     _("State"),      _("Autostart"), _("Persistent"),
                             _("Capacity"), _("Allocation"), _("Available"), NULL };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);
    GVariant **replies =
        object_entries_call(connection, &object_pool, entries, "GetInfo", NULL, "((ittt))");
    Info info;

    for (guint i = 0; i < entries->len; i++)
        if (read_info(replies[i], &info))
            add_details(table, entries->pdata[i], &info);
    replies_free(replies, entries->len);
    table_print(table, keys);
}

/* "UUID NAME", as far as they are asked for. */
static void
print_words(const Args *args, const GPtrArray *entries)
{
    for (guint i = 0; i < entries->len; i++) {
        const ObjectEntry *entry = entries->pdata[i];

        if (args_has(args, "uuid"))
            output("%s%s", object_entry_text(entry, "UUID"), args_has(args, "name") ? " " : "");
        if (args_has(args, "name"))
            output("%-*s", text_in(20, entry->name));
        output("\n");
    }
}

static gboolean
run_list(Session *session, const Args *args, GError **error)
{
    guint type_flags;
    g_autoptr(GPtrArray) entries = NULL;

    if (!args_exclusive(args, "details", "uuid", error) ||
        !args_exclusive(args, "details", "name", error) || !read_types(args, &type_flags, error))
        return FALSE;
    entries = object_list(session->connection, &object_pool,
                          object_list_states(args) | args_flags(args, filters) | type_flags, error);
    if (!entries) {
        output_error("%s", _("Failed to list pools"));
        return FALSE;
    }
    if (args_has(args, "details"))
        print_details(session->connection, entries);
    else if (!output_is_json() && (args_has(args, "name") || args_has(args, "uuid")))
        print_words(args, entries);
    else
        print_table(entries);
    return TRUE;
}

static const Option list_options[] = {
    { "inactive", OPTION_BOOL, 0, N_("pools that are not active") },
    { "all", OPTION_BOOL, 0, N_("pools that are active and those that are not") },
    { "transient", OPTION_BOOL, 0, N_("only transient pools") },
    { "persistent", OPTION_BOOL, 0, N_("only persistent pools") },
    { "autostart", OPTION_BOOL, 0, N_("only pools with autostart") },
    { "no-autostart", OPTION_BOOL, 0, N_("only pools without autostart") },
    { "type", OPTION_STRING, 0, N_("only pools of these types, separated by commas") },
    { "details", OPTION_BOOL, 0, N_("show in the table how much is in them") },
    { "uuid", OPTION_BOOL, 0, N_("print UUIDs") },
    { "name", OPTION_BOOL, 0, N_("print names") },
    { NULL },
};

const Command command_pool_list = {
    "pool-list",
    N_("list pools"),
    N_("Without an option: the active ones."),
    list_options,
    run_list,
    COMMAND_JSON,
};

/* info */

static void
add_amount(Facts *facts, const Args *args, const char *key, const char *title, guint64 bytes)
{
    g_autofree char *text = args_has(args, "bytes") ? g_strdup_printf("%" G_GUINT64_FORMAT, bytes)
                                                    : size_short_text(bytes);

    facts_add(facts, key, title, text, g_variant_new_uint64(bytes));
}

static gboolean
run_info(Session *session, const Args *args, GError **error)
{
    g_autoptr(Object) pool = object_from_args(session, &object_pool, args, error);
    g_autoptr(GVariantDict) properties = pool ? object_properties(pool, error) : NULL;
    g_autoptr(GVariant) reply =
        properties ? object_call(pool, "GetInfo", NULL, "((ittt))", error) : NULL;
    g_autoptr(Facts) facts = facts_new();
    Info info;

    if (!read_info(reply, &info))
        return FALSE;
    facts_add_property(facts, "name", _("Name:"), properties, "Name");
    facts_add_property(facts, "uuid", _("UUID:"), properties, "UUID");
    facts_add(facts, "state", _("State:"), state_name(info.state), NULL);
    facts_add_property(facts, "persistent", _("Persistent:"), properties, "Persistent");
    facts_add_property(facts, "autostart", _("Autostart:"), properties, "Autostart");
    if (has_figures(&info)) {
        add_amount(facts, args, "capacity-bytes", _("Capacity:"), info.capacity);
        add_amount(facts, args, "allocation-bytes", _("Allocation:"), info.allocation);
        add_amount(facts, args, "available-bytes", _("Available:"), info.available);
    }
    facts_print(facts, 15);
    return TRUE;
}

static const Option info_options[] = {
    { "pool", OPTION_DATA, OPTION_REQUIRED, N_("the pool's name or UUID") },
    { "bytes", OPTION_BOOL, 0, N_("print sizes in bytes") },
    { NULL },
};

const Command command_pool_info = {
    "pool-info", N_("print a pool's basic facts"), NULL, info_options, run_info, COMMAND_JSON,
};
