#include "cli/domain-list.h"

#include "cli/columns.h"
#include "cli/domain.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <string.h>

static void
entry_free(gpointer data)
{
    DomainEntry *entry = data;

    g_free(entry->path);
    g_free(entry->name);
    g_free(entry->uuid);
    g_free(entry);
}

static int
compare(gconstpointer a, gconstpointer b)
{
    const DomainEntry *one = *(DomainEntry *const *)a;
    const DomainEntry *other = *(DomainEntry *const *)b;

    if (one->id && other->id)
        return one->id < other->id ? -1 : one->id > other->id;
    if (one->id || other->id)
        return one->id ? -1 : 1;
    return g_ascii_strcasecmp(one->name, other->name);
}

static GPtrArray *
entries_new(void)
{
    return g_ptr_array_new_with_free_func(entry_free);
}

/* vmctld's own method: one call tells everything, in columns. */

#define IN_COLUMNS "ListAllDomainsInColumns"
#define COLUMNS    "(ayayauaiaiay)"
#define PERSISTENT 1 /* marks */
#define AUTOSTART  2

typedef struct Columns {
    const char *root;
    Texts names, uuids;
    const guint32 *ids;
    const gint32 *states, *reasons;
    const guint8 *marks;
    gsize n;
} Columns;

/* As libvirt-dbus names objects. */
static char *
path_of(const char *root, const char *uuid)
{
    char *path = g_strconcat(root, "/domain/_", uuid, NULL);

    g_strdelimit(path + strlen(root), "-", '_');
    return path;
}

static gboolean
add_entry(GPtrArray *entries, Columns *columns, gsize i)
{
    const char *name = texts_next(&columns->names);
    const char *uuid = texts_next(&columns->uuids);
    DomainEntry *entry;

    if (!name || !uuid)
        return FALSE;
    entry = g_new(DomainEntry, 1);
    *entry = (DomainEntry){
        .path = path_of(columns->root, uuid),
        .name = g_strdup(name),
        .uuid = g_strdup(uuid),
        .id = columns->ids[i],
        .state = columns->states[i],
        .reason = columns->reasons[i],
        .persistent = (columns->marks[i] & PERSISTENT) != 0,
        .autostart = (columns->marks[i] & AUTOSTART) != 0,
    };
    g_ptr_array_add(entries, entry);
    return TRUE;
}

static gboolean
add_entries(GPtrArray *entries, Columns *columns)
{
    for (gsize i = 0; i < columns->n; i++) {
        if (!add_entry(entries, columns, i))
            return FALSE;
    }
    return texts_end(&columns->names) && texts_end(&columns->uuids);
}

/* FALSE: it makes no sense. */
static gboolean
read_columns(const char *root, GVariant *reply, GPtrArray *entries)
{
    g_autoptr(GVariant) names = g_variant_get_child_value(reply, 0);
    g_autoptr(GVariant) uuids = g_variant_get_child_value(reply, 1);
    g_autoptr(GVariant) ids = g_variant_get_child_value(reply, 2);
    g_autoptr(GVariant) states = g_variant_get_child_value(reply, 3);
    g_autoptr(GVariant) reasons = g_variant_get_child_value(reply, 4);
    g_autoptr(GVariant) marks = g_variant_get_child_value(reply, 5);
    gsize n = g_variant_n_children(ids);
    Columns columns = { root,
                        texts_of(names),
                        texts_of(uuids),
                        column_of(ids, sizeof(guint32), n),
                        column_of(states, sizeof(gint32), n),
                        column_of(reasons, sizeof(gint32), n),
                        column_of(marks, 1, n),
                        n };

    return (n == 0 || (columns.states && columns.reasons && columns.marks)) &&
           add_entries(entries, &columns);
}

static GPtrArray *
list_at_once(Connection *connection, guint flags, GError **error)
{
    g_autoptr(GPtrArray) entries = entries_new();
    const char *root = connection_root(connection);
    g_autoptr(GVariant) reply =
        connection_call(connection, root, VMCTL_CONNECT_INTERFACE, IN_COLUMNS,
                        g_variant_new("(u)", flags), COLUMNS, error);

    if (!reply)
        return NULL;
    if (read_columns(root, reply, entries))
        return g_steal_pointer(&entries);
    cli_fail(error, _("the answer of %s.%s makes no sense"), VMCTL_CONNECT_INTERFACE, IN_COLUMNS);
    return NULL;
}

static char *
dict_string(GVariantDict *dict, const char *key)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(dict, key, "s");

    return value ? g_variant_dup_string(value, NULL) : g_strdup("");
}

static gboolean
dict_boolean(GVariantDict *dict, const char *key)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(dict, key, "b");

    return value && g_variant_get_boolean(value);
}

static guint
dict_uint(GVariantDict *dict, const char *key)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(dict, key, "u");

    return value ? g_variant_get_uint32(value) : 0;
}

/* NULL where the domain has gone meanwhile. */
static DomainEntry *
look_at(Connection *connection, const char *path)
{
    DomainEntry *entry;
    Domain domain = { connection, (char *)path, NULL };
    int state, reason;
    g_autoptr(GVariantDict) properties =
        connection_get_all(connection, path, DOMAIN_INTERFACE, NULL);

    if (!properties || !domain_state(&domain, &state, &reason, NULL))
        return NULL;
    entry = g_new0(DomainEntry, 1);
    *entry = (DomainEntry){
        .path = g_strdup(path),
        .name = dict_string(properties, "Name"),
        .uuid = dict_string(properties, "UUID"),
        .id = dict_boolean(properties, "Active") ? dict_uint(properties, "Id") : 0,
        .state = state,
        .reason = reason,
        .persistent = dict_boolean(properties, "Persistent"),
        .autostart = dict_boolean(properties, "Autostart"),
    };
    return entry;
}

/* libvirt-dbus' way: a call for the list, two for each domain. */
static GPtrArray *
list_one_by_one(Connection *connection, guint flags, GError **error)
{
    g_autoptr(GPtrArray) entries = entries_new();
    g_autoptr(GVariantIter) paths = NULL;
    const char *path;
    g_autoptr(GVariant) reply =
        connection_call(connection, connection_root(connection), CONNECT_INTERFACE, "ListDomains",
                        g_variant_new("(u)", flags), "(ao)", error);

    if (!reply)
        return NULL;
    g_variant_get(reply, "(ao)", &paths);
    while (g_variant_iter_next(paths, "&o", &path)) {
        DomainEntry *entry = look_at(connection, path);
        if (entry)
            g_ptr_array_add(entries, entry);
    }
    return g_steal_pointer(&entries);
}

GPtrArray *
domain_list(Connection *connection, guint flags, GError **error)
{
    g_autoptr(GError) failure = NULL;
    GPtrArray *entries = list_at_once(connection, flags, &failure);

    if (!entries && error_is_unknown_method(failure))
        entries = list_one_by_one(connection, flags, error);
    else if (!entries)
        g_propagate_error(error, g_steal_pointer(&failure));
    if (entries)
        g_ptr_array_sort(entries, compare);
    return entries;
}
