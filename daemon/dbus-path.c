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
    g_autofree char *node = dbus_path_node(domain);

    return g_strconcat(root, "/domain/", node, NULL);
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
