/* The commands about the volumes of storage pools. */
#include "cli/commands.h"

#include "cli/facts.h"
#include "cli/file.h"
#include "cli/object-commands.h"
#include "cli/object-list.h"
#include "cli/output.h"
#include "cli/size.h"
#include "cli/table.h"
#include "cli/volume.h"
#include "cli/xpath.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

#define OPTION_VOLUME(help)                                                                        \
    {                                                                                              \
        "vol", OPTION_DATA, OPTION_REQUIRED, help                                                  \
    }
#define OPTION_POOL                                                                                \
    {                                                                                              \
        "pool", OPTION_STRING, 0, N_("the pool's name or UUID")                                    \
    }

/* The volume that --vol names, in --pool where the command has that and it was given. */
static Object *
volume_from_args(Session *session, const Args *args, GError **error)
{
    const char *text = args_string(args, "vol");
    gboolean has_pool = command_option(args_command(args), "pool") != NULL;
    g_autoptr(Object) pool = NULL;
    Object *volume;

    if (has_pool && args_has(args, "pool") &&
        !(pool = object_from_args(session, &object_pool, args, error)))
        return NULL;
    volume = volume_find(session, pool, text, error);
    if (volume)
        return volume;
    if (has_pool && !pool)
        output_error(_("failed to get vol '%s', specifying --pool might help"), text);
    else
        output_error(_("failed to get vol '%s'"), text);
    return NULL;
}

/* virStorageVolInfo */
typedef struct Info {
    int type;
    guint64 capacity, allocation;
} Info;

static gboolean
read_info(GVariant *reply, Info *ret_info)
{
    if (!reply)
        return FALSE;
    g_variant_get(reply, "((itt))", &ret_info->type, &ret_info->capacity, &ret_info->allocation);
    return TRUE;
}

static const char *
type_name(int type)
{
    static const char *const names[] = { N_("file"),    N_("block"),  N_("dir"),
                                         N_("network"), N_("netdir"), N_("ploop") };

    return type >= 0 && (gsize)type < G_N_ELEMENTS(names) ? _(names[type]) : _("unknown");
}

/* list */

static GPtrArray *
list_volumes(const Object *pool, GError **error)
{
    g_autofree const char **paths = NULL;
    g_autoptr(GVariant) reply =
        object_call(pool, "ListStorageVolumes", g_variant_new("(u)", 0), "(ao)", error);

    if (!reply)
        return NULL;
    g_variant_get(reply, "(^a&o)", &paths);
    return object_list_paths(pool->connection, &volume_kind, paths);
}

static void
print_table(const GPtrArray *entries)
{
    static const TableKey keys[] = { { "name", TABLE_TEXT }, { "path", TABLE_TEXT } };
    const char *titles[] = { _("Name"), _("Path"), NULL };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);

    for (guint i = 0; i < entries->len; i++) {
        const ObjectEntry *entry = entries->pdata[i];
        table_add(table,
                  (const char *const[]){ entry->name, object_entry_text(entry, "Path"), NULL });
    }
    table_print(table, keys);
}

static char *
amount(guint64 bytes)
{
    return output_is_json() ? g_strdup_printf("%" G_GUINT64_FORMAT, bytes) : size_short_text(bytes);
}

static void
add_details(Table *table, const ObjectEntry *entry, const Info *info)
{
    g_autofree char *capacity = amount(info->capacity);
    g_autofree char *allocation = amount(info->allocation);

    table_add(table, (const char *const[]){ entry->name, object_entry_text(entry, "Path"),
                                            type_name(info->type), capacity, allocation, NULL });
}

/* One that is gone by now is left out. */
static void
print_details(Connection *connection, const GPtrArray *entries)
{
    static const TableKey keys[] = {
        { "name", TABLE_TEXT },
        { "path", TABLE_TEXT },
        { "type", TABLE_TEXT },
        { "capacity-bytes", TABLE_NUMBER },
        { "allocation-bytes", TABLE_NUMBER },
    };
    const char *titles[] = { _("Name"),     _("Path"),       _("Type"),
                             _("Capacity"), _("Allocation"), NULL };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);
    GVariant **replies = object_entries_call(connection, &volume_kind, entries, "GetInfo",
                                             g_variant_new("(u)", 0), "((itt))");
    Info info;

    for (guint i = 0; i < entries->len; i++)
        if (read_info(replies[i], &info))
            add_details(table, entries->pdata[i], &info);
    replies_free(replies, entries->len);
    table_print(table, keys);
}

static gboolean
run_list(Session *session, const Args *args, GError **error)
{
    g_autoptr(Object) pool = object_from_args(session, &object_pool, args, error);
    g_autoptr(GPtrArray) entries = NULL;

    if (!pool)
        return FALSE;
    entries = list_volumes(pool, error);
    if (!entries)
        output_error("%s", _("Failed to list volumes"));
    else if (args_has(args, "details"))
        print_details(session->connection, entries);
    else
        print_table(entries);
    return entries != NULL;
}

static const Option list_options[] = {
    { "pool", OPTION_DATA, OPTION_REQUIRED, N_("the pool's name or UUID") },
    { "details", OPTION_BOOL, 0, N_("show in the table how large they are") },
    { NULL },
};

const Command command_vol_list = {
    "vol-list", N_("list the volumes of a pool"), NULL, list_options, run_list, COMMAND_JSON,
};

/* info */

static void
add_amount(Facts *facts, const Args *args, const char *key, const char *title, guint64 bytes)
{
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
    g_autofree char *text =
        args_has(args, "bytes") ? g_strdup_printf(_("%s bytes"), number) : size_short_text(bytes);

    facts_add(facts, key, title, text, g_variant_new_uint64(bytes));
}

static gboolean
run_info(Session *session, const Args *args, GError **error)
{
    gboolean physical = args_has(args, "physical");
    guint flags = physical ? VIR_STORAGE_VOL_GET_PHYSICAL : 0;
    g_autoptr(Object) volume = volume_from_args(session, args, error);
    g_autofree char *name = volume ? object_text(volume, "Name", error) : NULL;
    g_autoptr(GVariant) reply =
        name ? object_call(volume, "GetInfo", g_variant_new("(u)", flags), "((itt))", error) : NULL;
    g_autoptr(Facts) facts = facts_new();
    Info info;

    if (!read_info(reply, &info))
        return FALSE;
    facts_add(facts, "name", _("Name:"), name, NULL);
    facts_add(facts, "type", _("Type:"), type_name(info.type), NULL);
    add_amount(facts, args, "capacity-bytes", _("Capacity:"), info.capacity);
    add_amount(facts, args, physical ? "physical-bytes" : "allocation-bytes",
               physical ? _("Physical:") : _("Allocation:"), info.allocation);
    facts_print(facts, 15);
    return TRUE;
}

static const Option info_options[] = {
    OPTION_VOLUME(N_("the volume's name, key or path")),
    OPTION_POOL,
    { "bytes", OPTION_BOOL, 0, N_("print sizes in bytes") },
    { "physical", OPTION_BOOL, 0, N_("print its physical size in place of its allocation") },
    { NULL },
};

const Command command_vol_info = {
    "vol-info", N_("print a volume's basic facts"), NULL, info_options, run_info, COMMAND_JSON,
};

/* dumpxml */

static gboolean
run_dumpxml(Session *session, const Args *args, GError **error)
{
    g_autoptr(Object) volume = volume_from_args(session, args, error);
    g_autofree char *xml = volume ? object_xml(volume, 0, error) : NULL;

    return xml && xpath_print(xml, args, error);
}

static const Option dumpxml_options[] = {
    OPTION_VOLUME(N_("the volume's name, key or path")),
    OPTION_POOL,
    OPTIONS_XPATH,
    { NULL },
};

const Command command_vol_dumpxml = {
    "vol-dumpxml", N_("print the XML document of a volume"), NULL, dumpxml_options, run_dumpxml, 0,
};

/* name, key, path: @about is the property. */

static gboolean
run_fact(Session *session, const Args *args, GError **error)
{
    g_autoptr(Object) volume = volume_from_args(session, args, error);

    return volume && object_tell(volume, args_command(args)->about, error);
}

static const Option name_options[] = { OPTION_VOLUME(N_("the volume's key or path")), { NULL } };
static const Option key_options[] = { OPTION_VOLUME(N_("the volume's name or path")), OPTION_POOL,
                                      { NULL } };
static const Option path_options[] = { OPTION_VOLUME(N_("the volume's name or key")), OPTION_POOL,
                                       { NULL } };

const Command command_vol_name = {
    "vol-name", N_("print the name of a volume"), NULL, name_options, run_fact, COMMAND_JSON, "Name",
};

const Command command_vol_key = {
    "vol-key", N_("print the key of a volume"), NULL, key_options, run_fact, COMMAND_JSON, "Key",
};

const Command command_vol_path = {
    "vol-path", N_("print the path of a volume"), NULL, path_options, run_fact, COMMAND_JSON, "Path",
};

/* create, delete */

static gboolean
run_create(Session *session, const Args *args, GError **error)
{
    static const ArgsFlag flags[] = { { "prealloc-metadata", VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA },
                                      { "validate", VIR_STORAGE_VOL_CREATE_VALIDATE },
                                      { NULL, 0 } };
    const char *file = args_string(args, "file");
    g_autoptr(Object) pool = object_from_args(session, &object_pool, args, error);
    g_autofree char *xml = pool ? file_read_text(file, error) : NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Object) volume = NULL;
    g_autofree char *name = NULL;
    const char *path;

    if (!xml)
        return FALSE;
    reply = object_call(pool, "StorageVolCreateXML",
                        g_variant_new("(su)", xml, args_flags(args, flags)), "(o)", error);
    if (!reply) {
        output_error(_("Failed to create vol from %s"), file);
        return FALSE;
    }
    g_variant_get(reply, "(&o)", &path);
    volume = object_from_path(session, &volume_kind, path);
    name = object_text(volume, "Name", error);
    if (name)
        output_extra(_("Vol %s created from %s\n"), name, file);
    return name != NULL;
}

static const Option create_options[] = {
    { "pool", OPTION_DATA, OPTION_REQUIRED, N_("the pool's name or UUID") },
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("file with the volume's XML document") },
    { "prealloc-metadata", OPTION_BOOL, 0,
      N_("allocate the metadata of a qcow2 volume, without its data") },
    { "validate", OPTION_BOOL, 0, N_("check the document against the schema first") },
    { NULL },
};

const Command command_vol_create = {
    "vol-create",
    N_("make a volume from an XML file"),
    NULL,
    create_options,
    run_create,
    COMMAND_CHANGES,
};

static gboolean
run_delete(Session *session, const Args *args, GError **error)
{
    static const ArgsFlag flags[] = { { "delete-snapshots", VIR_STORAGE_VOL_DELETE_WITH_SNAPSHOTS },
                                      { NULL, 0 } };
    const char *called = args_string(args, "vol");
    g_autoptr(Object) volume = volume_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL;

    if (!volume)
        return FALSE;
    reply = object_call(volume, "Delete", g_variant_new("(u)", args_flags(args, flags)), "()", error);
    if (reply)
        output_extra(_("Vol %s deleted\n"), called);
    else
        output_error(_("Failed to delete vol %s"), called);
    return reply != NULL;
}

static const Option delete_options[] = {
    OPTION_VOLUME(N_("the volume's name, key or path")),
    OPTION_POOL,
    { "delete-snapshots", OPTION_BOOL, 0, N_("delete its snapshots, too") },
    { NULL },
};

const Command command_vol_delete = {
    "vol-delete", N_("delete a volume"), NULL, delete_options, run_delete, COMMAND_CHANGES,
};
