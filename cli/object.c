#include "cli/object.h"

#include "cli/log.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <string.h>

#define UUID_LENGTH 36

static gboolean
is_uuid(const char *text)
{
    return strlen(text) == UUID_LENGTH;
}

static gboolean
is_mac(const char *text)
{
    return g_regex_match_simple("^[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2}){5}$", text, 0, 0);
}

const ObjectKind object_interface = {
    "interface",
    "org.libvirt.Interface",
    "ListInterfaces",
    "InterfaceLookupByName",
    "InterfaceLookupByMAC",
    is_mac,
    FALSE,
    N_("failed to get interface '%s'"),
};

const ObjectKind object_network = {
    "network",
    "org.libvirt.Network",
    "ListNetworks",
    "NetworkLookupByName",
    "NetworkLookupByUUID",
    is_uuid,
    TRUE,
    N_("failed to get network '%s'"),
};

const ObjectKind object_node_device = {
    "device",
    "org.libvirt.NodeDevice",
    "ListNodeDevices",
    "NodeDeviceLookupByName",
    NULL,
    NULL,
    TRUE,
    N_("Could not find matching device '%s'"),
};

const ObjectKind object_pool = {
    "pool",
    "org.libvirt.StoragePool",
    "ListStoragePools",
    "StoragePoolLookupByName",
    "StoragePoolLookupByUUID",
    is_uuid,
    TRUE,
    N_("failed to get pool '%s'"),
};

const ObjectKind *const object_kinds[] = { &object_interface, &object_network, &object_node_device,
                                           &object_pool, NULL };

/* Calls one of Connect's methods that find: the object's path or NULL. */
static char *
look_up(Connection *connection, const ObjectKind *kind, const char *method, const char *text,
        GError **error)
{
    g_autofree char *by = g_ascii_strup(strstr(method, "By") + strlen("By"), -1);
    g_autoptr(GVariant) reply = NULL;
    char *path = NULL;

    log_say(LOG_LEVEL_DEBUG, "<%s> trying as %s %s", kind->option, kind->option, by);
    reply = connection_call(connection, connection_root(connection), CONNECT_INTERFACE, method,
                            g_variant_new("(s)", text), "(o)", error);
    if (reply)
        g_variant_get(reply, "(o)", &path);
    return path;
}

/* The last way that was tried is what @error is about, as in virsh. */
static char *
find_path(Connection *connection, const ObjectKind *kind, const char *text, ObjectBy by,
          GError **error)
{
    gboolean is_key = kind->by_key && kind->is_key(text);
    gboolean by_name = (by & OBJECT_BY_NAME) && (!is_key || kind->name_too);
    char *path = NULL;

    if (is_key && (by & OBJECT_BY_KEY))
        path = look_up(connection, kind, kind->by_key, text, by_name ? NULL : error);
    if (!path && by_name)
        path = look_up(connection, kind, kind->by_name, text, error);
    return path;
}

Object *
object_find(Session *session, const ObjectKind *kind, const char *text, ObjectBy by, GError **error)
{
    g_autofree char *path = NULL;

    log_say(LOG_LEVEL_INFO, "found option <%s>: %s", kind->option, text);
    if (g_utf8_validate(text, -1, NULL))
        path = find_path(session->connection, kind, text, by, error);
    else
        cli_fail(error, "%s", _("the name is not UTF-8"));
    if (!path) {
        g_autofree char *missing = text_about(kind->missing, text, NULL);
        output_error("%s", missing);
        return NULL;
    }
    return object_from_path(session, kind, path);
}

Object *
object_from_args(Session *session, const ObjectKind *kind, const Args *args, GError **error)
{
    return object_find(session, kind, args_string(args, kind->option), OBJECT_BY_ANY, error);
}

Object *
object_from_path(Session *session, const ObjectKind *kind, const char *path)
{
    Object *object = g_new0(Object, 1);

    object->kind = kind;
    object->connection = session->connection;
    object->path = g_strdup(path);
    return object;
}

void
object_free(Object *object)
{
    if (!object)
        return;
    g_free(object->path);
    g_free(object);
}

GVariant *
object_call(const Object *object, const char *method, GVariant *parameters, const char *reply_type,
            GError **error)
{
    return connection_call(object->connection, object->path, object->kind->interface, method,
                           parameters, reply_type, error);
}

GVariantDict *
object_properties(const Object *object, GError **error)
{
    return connection_get_all(object->connection, object->path, object->kind->interface, error);
}

char *
object_text(const Object *object, const char *property, GError **error)
{
    g_autoptr(GVariant) value = connection_get(object->connection, object->path,
                                               object->kind->interface, property, "s", error);

    return value ? g_variant_dup_string(value, NULL) : NULL;
}

char *
object_xml(const Object *object, guint flags, GError **error)
{
    char *xml = NULL;
    g_autoptr(GVariant) reply =
        object_call(object, "GetXMLDesc", g_variant_new("(u)", flags), "(s)", error);

    if (reply)
        g_variant_get(reply, "(s)", &xml);
    return xml;
}
