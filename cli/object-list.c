#include "cli/object-list.h"

#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static void
entry_free(gpointer data)
{
    ObjectEntry *entry = data;

    g_free(entry->path);
    g_free(entry->name);
    g_variant_dict_unref(entry->properties);
    g_free(entry);
}

static int
compare(gconstpointer a, gconstpointer b)
{
    const ObjectEntry *one = *(ObjectEntry *const *)a;
    const ObjectEntry *other = *(ObjectEntry *const *)b;

    return g_ascii_strcasecmp(one->name, other->name);
}

/* One that has gone meanwhile gave no @reply. */
static void
add_entry(GPtrArray *entries, const char *path, GVariant *reply)
{
    ObjectEntry *entry;
    g_autoptr(GVariant) all = reply ? g_variant_get_child_value(reply, 0) : NULL;
    g_autoptr(GVariantDict) properties = all ? g_variant_dict_new(all) : NULL;
    g_autoptr(GVariant) name = properties ? variant_dict_unwrap(properties, "Name", "s") : NULL;

    if (!name)
        return;
    entry = g_new0(ObjectEntry, 1);
    entry->path = g_strdup(path);
    entry->name = g_variant_dup_string(name, NULL);
    entry->properties = g_steal_pointer(&properties);
    g_ptr_array_add(entries, entry);
}

GPtrArray *
object_list_paths(Connection *connection, const ObjectKind *kind, const char *const *paths)
{
    GPtrArray *entries = g_ptr_array_new_with_free_func(entry_free);
    GVariant **replies = connection_get_all_of(connection, paths, kind->interface);
    gsize n = 0;

    for (; paths[n]; n++)
        add_entry(entries, paths[n], replies[n]);
    replies_free(replies, n);
    g_ptr_array_sort(entries, compare);
    return entries;
}

GPtrArray *
object_list(Connection *connection, const ObjectKind *kind, guint flags, GError **error)
{
    g_autofree const char **paths = NULL;
    g_autoptr(GVariant) reply =
        connection_call(connection, connection_root(connection), CONNECT_INTERFACE, kind->list,
                        g_variant_new("(u)", flags), "(ao)", error);

    if (!reply)
        return NULL;
    g_variant_get(reply, "(^a&o)", &paths);
    return object_list_paths(connection, kind, paths);
}

GVariant **
object_entries_call(Connection *connection, const ObjectKind *kind, const GPtrArray *entries,
                    const char *method, GVariant *parameters, const char *reply_type)
{
    g_autofree const char **paths = g_new0(const char *, entries->len + 1);

    for (guint i = 0; i < entries->len; i++)
        paths[i] = ((const ObjectEntry *)entries->pdata[i])->path;
    return connection_call_each(connection, paths, kind->interface, method, parameters, reply_type);
}

gboolean
object_entry_is(const ObjectEntry *entry, const char *property)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(entry->properties, property, "b");

    return value && g_variant_get_boolean(value);
}

/* The dictionary holds on to the text. */
const char *
object_entry_text(const ObjectEntry *entry, const char *property)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(entry->properties, property, "s");

    return value ? g_variant_get_string(value, NULL) : "";
}

void
object_entries_print(const GPtrArray *entries, const char *property)
{
    for (guint i = 0; i < entries->len; i++)
        output("%s\n", object_entry_text(entries->pdata[i], property));
}

gboolean
object_learn_names(Connection *connection, gconstpointer kind, GHashTable *names, GError **error)
{
    g_autoptr(GPtrArray) entries = object_list(connection, kind, 0, error);

    for (guint i = 0; entries && i < entries->len; i++) {
        const ObjectEntry *entry = entries->pdata[i];
        g_hash_table_insert(names, g_strdup(entry->path), g_strdup(entry->name));
    }
    return entries != NULL;
}

guint
object_list_states(const Args *args)
{
    if (args_has(args, "all"))
        return VIR_CONNECT_LIST_NETWORKS_ACTIVE | VIR_CONNECT_LIST_NETWORKS_INACTIVE;
    return args_has(args, "inactive") ? VIR_CONNECT_LIST_NETWORKS_INACTIVE
                                      : VIR_CONNECT_LIST_NETWORKS_ACTIVE;
}

const char *
text_active(gboolean active)
{
    return active ? _("active") : _("inactive");
}
