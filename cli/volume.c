#include "cli/volume.h"

#include "cli/output.h"

#include <glib/gi18n.h>

const ObjectKind volume_kind = { .option = "vol", .interface = "org.libvirt.StorageVol" };

/* A method that finds one, of the object @path: the volume's path or NULL. */
static char *
look_up(Session *session, const char *path, const char *interface, const char *method,
        const char *text, GError **error)
{
    char *found = NULL;
    g_autoptr(GVariant) reply = connection_call(session->connection, path, interface, method,
                                                g_variant_new("(s)", text), "(o)", error);

    if (reply)
        g_variant_get(reply, "(o)", &found);
    return found;
}

static char *
find_path(Session *session, const Object *pool, const char *text, GError **error)
{
    const char *root = connection_root(session->connection);
    char *path = NULL;

    if (pool)
        path = look_up(session, pool->path, pool->kind->interface, "StorageVolLookupByName", text,
                       NULL);
    if (!path)
        path = look_up(session, root, CONNECT_INTERFACE, "StorageVolLookupByKey", text, NULL);
    if (!path)
        path = look_up(session, root, CONNECT_INTERFACE, "StorageVolLookupByPath", text, error);
    return path;
}

Object *
volume_find(Session *session, const Object *pool, const char *text, GError **error)
{
    g_autofree char *path = NULL;

    if (g_utf8_validate(text, -1, NULL))
        path = find_path(session, pool, text, error);
    else
        cli_fail(error, "%s", _("the name is not UTF-8"));
    return path ? object_from_path(session, &volume_kind, path) : NULL;
}
