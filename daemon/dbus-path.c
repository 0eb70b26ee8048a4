#include "daemon/dbus-path.h"

#include <string.h>

char *
dbus_path_node(const Domain *domain)
{
    char *node = g_strconcat("_", domain_uuid(domain), NULL);

    return g_strdelimit(node, "-", '_');
}

char *
dbus_path_of(const char *root, const Domain *domain)
{
    char *path = g_strconcat(root, "/domain/_", domain_uuid(domain), NULL);

    g_strdelimit(path + strlen(root), "-", '_');
    return path;
}

char *
dbus_path_uuid(const char *root, const char *path)
{
    const char *node;

    if (g_str_equal(root, path))
        return NULL;
    node = strrchr(path, '/') + 1;
    return g_strdelimit(g_strdup(*node == '_' ? node + 1 : node), "_", '-');
}

const char *const dbus_path_kinds[N_HOST_KINDS] = {
    [HOST_NETWORK] = "network",
    [HOST_POOL] = "storagepool",
    [HOST_INTERFACE] = "interface",
    [HOST_NODE_DEVICE] = "nodedev",
};

static char *
encode(const char *text)
{
    GString *node = g_string_new(NULL);

    for (const char *at = text; *at; at++)
        g_string_append_printf(node, g_ascii_isalnum(*at) ? "%c" : "_%02x", (guchar)*at);
    return g_string_free(node, FALSE);
}

/* What does not come from encode() is whatever comes out. */
static char *
decode(const char *node)
{
    GString *text = g_string_new(NULL);

    for (const char *at = node; *at; at++) {
        if (*at == '_' && g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2])) {
            g_string_append_c(text, (char)(g_ascii_xdigit_value(at[1]) * 16 + g_ascii_xdigit_value(at[2])));
            at += 2;
        } else {
            g_string_append_c(text, *at);
        }
    }
    return g_string_free(text, FALSE);
}

#define SNAPSHOTS   "/domainsnapshot/"
#define UUID_LENGTH 36

char *
dbus_path_snapshot_node(const Domain *domain, const Snapshot *snapshot)
{
    g_autofree char *uuid = dbus_path_node(domain);
    g_autofree char *name = encode(snapshot_name(snapshot));

    return g_strjoin("_", uuid, name, NULL);
}

char *
dbus_path_of_snapshot(const char *root, const Domain *domain, const Snapshot *snapshot)
{
    g_autofree char *node = dbus_path_snapshot_node(domain, snapshot);

    return g_strconcat(root, SNAPSHOTS, node, NULL);
}

char *
dbus_path_snapshot_uuid(const char *root, const char *path, char **ret_name)
{
    const char *rest = path + strlen(root), *node;

    if (!g_str_has_prefix(rest, SNAPSHOTS))
        return NULL;
    node = rest + strlen(SNAPSHOTS);
    if (*node == '_')
        node++;
    *ret_name = decode(strlen(node) > UUID_LENGTH ? node + UUID_LENGTH + 1 : "");
    return g_strdelimit(g_strndup(node, UUID_LENGTH), "_", '-');
}

char *
dbus_path_host_node(const HostObject *object)
{
    char *node;

    if (host_kind_key(object->facts->kind) != HOST_BY_UUID)
        return encode(host_object_key(object));
    node = g_strconcat("_", host_object_key(object), NULL);
    return g_strdelimit(node, "-", '_');
}

char *
dbus_path_of_host(const char *root, const HostObject *object)
{
    g_autofree char *node = dbus_path_host_node(object);

    return g_strjoin("/", root, dbus_path_kinds[object->facts->kind], node, NULL);
}

char *
dbus_path_host_key(const char *root, const char *path, HostKind *ret)
{
    g_auto(GStrv) parts = g_strsplit(path + strlen(root), "/", 3); /* "", the kind, the node */

    for (HostKind kind = 0; kind < N_HOST_KINDS && g_strv_length(parts) == 3; kind++) {
        if (!g_str_equal(parts[1], dbus_path_kinds[kind]))
            continue;
        *ret = kind;
        return host_kind_key(kind) == HOST_BY_UUID ? dbus_path_uuid(root, path) : decode(parts[2]);
    }
    return NULL;
}
