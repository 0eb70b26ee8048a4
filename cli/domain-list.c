#include "cli/domain-list.h"

#include "cli/domain.h"

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

/* vmctld's own method: one call tells everything. */
static GPtrArray *
list_at_once(Connection *connection, guint flags, GError **error)
{
    g_autoptr(GPtrArray) entries = entries_new();
    g_autoptr(GVariantIter) rows = NULL;
    DomainEntry entry;
    g_autoptr(GVariant) reply =
        connection_call(connection, connection_root(connection), VMCTL_CONNECT_INTERFACE,
                        "ListAllDomains", g_variant_new("(u)", flags), "(a(ossuiibb))", error);

    if (!reply)
        return NULL;
    g_variant_get(reply, "(a(ossuiibb))", &rows);
    while (g_variant_iter_next(rows, "(ossuiibb)", &entry.path, &entry.name, &entry.uuid, &entry.id,
                               &entry.state, &entry.reason, &entry.persistent, &entry.autostart))
        g_ptr_array_add(entries, g_memdup2(&entry, sizeof entry));
    return g_steal_pointer(&entries);
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
