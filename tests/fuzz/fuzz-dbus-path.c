/* Fuzz target: an object path that a client makes up, as the domain, the snapshot or the host's object that it means. The
 * input ends the path; where it is no path, it is a name, which comes back from the path that is made of it. */
#include "daemon/dbus-path.h"

#include <stdint.h>
#include <string.h>

#define ROOT "/org/libvirt/QEMU"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_path(const char *path)
{
    HostKind kind = N_HOST_KINDS;
    g_autofree char *name = NULL;
    g_autofree char *snapshot = dbus_path_snapshot_uuid(ROOT, path, &name);
    g_autofree char *domain = dbus_path_uuid(ROOT, path);
    g_autofree char *key = dbus_path_host_key(ROOT, path, &kind);

    g_assert_true((snapshot == NULL) == (name == NULL));
    g_assert_true((domain == NULL) == g_str_equal(path, ROOT));
    g_assert_true((key == NULL) == (kind == N_HOST_KINDS));
    g_assert_true(!domain || !strchr(domain, '_'));
    g_assert_true(!snapshot || !strchr(snapshot, '_'));
}

static void
check_name(const char *name)
{
    const HostFacts facts = { .kind = HOST_NODE_DEVICE, .name = name };
    const HostObject device = { .facts = &facts };
    g_autofree char *path = dbus_path_of_host(ROOT, &device), *key = NULL;
    HostKind kind = N_HOST_KINDS;

    g_assert_true(g_variant_is_object_path(path));
    key = dbus_path_host_key(ROOT, path, &kind);
    g_assert_cmpstr(key, ==, name);
    g_assert_cmpint(kind, ==, HOST_NODE_DEVICE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autofree char *path = g_strconcat(ROOT, text, NULL);

    if (g_variant_is_object_path(path))
        read_path(path);
    else if (*text)
        check_name(text);
    return 0;
}
