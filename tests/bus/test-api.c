/* The tables of the daemon and the introspection XML say the same. */
#include "daemon/api.h"
#include "daemon/dbus-access.h"
#include "daemon/dbus-path.h"
#include "daemon/dbus-quirks.h"
#include "schemas/interfaces.h"

#include <string.h>

static const GDBusInterfaceInfo *const infos[] = {
    &org_libvirt_connect_interface,
    &org_libvirt_domain_interface,
    &org_libvirt_domain_snapshot_interface, &org_libvirt_network_interface,
    &org_libvirt_storage_pool_interface,
    &org_libvirt_interface_interface,
    &org_libvirt_node_device_interface,
    &org_vmctl_connect_interface,
    &org_vmctl_domain_interface,
};

/* GDBus leaves an empty list NULL. */
#define EACH(type, item, list)                                                                     \
    for (type *const *at = (type *const *)(list), *item = at ? *at : NULL; item; item = *++at)

static guint
count_methods(const Interface *interface)
{
    guint n = 0;

    while (interface->methods[n].member)
        n++;
    return n;
}

static guint
count_properties(const Interface *interface)
{
    guint n = 0;

    while (interface->properties && interface->properties[n].name)
        n++;
    return n;
}

static void
check_methods(const Interface *interface, const GDBusInterfaceInfo *info)
{
    guint n = 0;

    EACH(GDBusMethodInfo, method, info->methods)
    {
        const Method *row = interface_find_method(interface, method->name);

        if (!row)
            g_error("%s.%s has no row", info->name, method->name);
        g_assert_true(g_str_has_prefix(row->libvirt_name, "vir"));
        g_assert_true(g_regex_match_simple("^[a-z-]+[.][a-z-]+$", row->access, 0, 0));
        n++;
    }
    g_assert_cmpint(count_methods(interface), ==, n);
}

static void
check_properties(const Interface *interface, const GDBusInterfaceInfo *info)
{
    guint n = 0;

    EACH(GDBusPropertyInfo, property, info->properties)
    {
        const Property *row = interface_find_property(interface, property->name);
        gboolean writable = (property->flags & G_DBUS_PROPERTY_INFO_FLAGS_WRITABLE) != 0;

        if (!row || !row->get || (row->set != NULL) != writable)
            g_error("%s.%s has no fitting row", info->name, property->name);
        n++;
    }
    g_assert_cmpint(count_properties(interface), ==, n);
}

/* "INTERFACE.MEMBER virFUNCTION", a line each, of what the driver cannot do. */
static char *
not_supported(void)
{
    GString *lines = g_string_new("\n");

    for (const Interface *const *at = api_interfaces; *at; at++) {
        for (const Method *row = (*at)->methods; row->member; row++) {
            if (!row->run)
                g_string_append_printf(lines, "%s.%s %s\n", (*at)->name, row->member,
                                       row->libvirt_name);
        }
    }
    return g_string_free(lines, FALSE);
}

/* Each line of @some is one of @all. */
static void
assert_lines_among(const char *some, const char *all, const char *otherwise)
{
    g_auto(GStrv) lines = g_strsplit(some, "\n", -1);

    for (guint i = 0; lines[i]; i++) {
        g_autofree char *whole = g_strdup_printf("\n%s\n", lines[i]);

        if (*lines[i] && !strstr(all, whole))
            g_error("%s: %s", otherwise, lines[i]);
    }
}

/* It is written down, so that nothing becomes so, or stays there, by a slip. --verbose prints it. */
static void
test_not_supported(void)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "bus", "not-supported.members", NULL);
    g_autofree char *text = NULL, *known = NULL, *lines = not_supported();

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    known = g_strconcat("\n", text, NULL);
    g_test_message("not supported:%s", lines);
    assert_lines_among(lines, known, "it is new that the driver cannot do this");
    assert_lines_among(text, lines, "the driver can do this now");
}

/* polkit knows the action of each permission: by default, looking is allowed. */
static void
check_policy(const char *policy, const char *access)
{
    g_autofree char *start = g_strdup_printf("<action id=\"org.libvirt.api.%s\">", access);
    const char *action = strstr(policy, start);
    const char *wanted = access_is_read(access) ? "<allow_any>yes<" : "<allow_any>no<";
    g_autofree char *text = NULL;

    if (!action)
        g_error("no action for %s", access);
    text = g_strndup(action, strstr(action, "</action>") - action);
    if (!strstr(text, wanted))
        g_error("%s is not %s", access, wanted);
}

static void
test_policy(void)
{
    g_autofree char *path =
        g_test_build_filename(G_TEST_DIST, "..", "daemon", "org.vmctl.api.policy", NULL);
    g_autofree char *policy = NULL;

    g_assert_true(g_file_get_contents(path, &policy, NULL, NULL));
    for (const Interface *const *at = api_interfaces; *at; at++) {
        for (const Method *row = (*at)->methods; row->member; row++) {
            check_policy(policy, row->access);
            if (row->special_flags)
                check_policy(policy, row->special_access);
        }
    }
}

static void
test_rows(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(infos); i++) {
        const Interface *interface = api_find(infos[i]->name);

        g_assert_nonnull(interface);
        check_methods(interface, infos[i]);
        check_properties(interface, infos[i]);
    }
    g_assert_null(api_interfaces[G_N_ELEMENTS(infos)]);
}

static void
test_paths(void)
{
    const char *root = "/org/libvirt/QEMU";
    g_autofree char *whole =
        dbus_path_uuid(root, "/org/libvirt/QEMU/domain/_c7a5fdbd_edaf_9455_926a_d65c16db1809");
    g_autofree char *odd = dbus_path_uuid(root, "/org/libvirt/QEMU/domain/__");

    g_assert_null(dbus_path_uuid(root, root));
    g_assert_cmpstr(whole, ==, "c7a5fdbd-edaf-9455-926a-d65c16db1809");
    g_assert_cmpstr(odd, ==, "-");
}

static void
assert_host_path(const HostFacts *facts, const char *path)
{
    const HostObject object = { facts };
    g_autofree char *made = dbus_path_of_host("/org/libvirt/QEMU", &object);
    HostKind kind = N_HOST_KINDS;
    g_autofree char *key = dbus_path_host_key("/org/libvirt/QEMU", path, &kind);

    g_assert_cmpstr(made, ==, path);
    g_assert_cmpstr(key, ==, host_object_key(&object));
    g_assert_cmpint(kind, ==, facts->kind);
}

static void
test_host_paths(void)
{
    const HostFacts network = { HOST_NETWORK, "a", "c7a5fdbd-edaf-9455-926a-d65c16db1809" };
    const HostFacts interface = { HOST_INTERFACE, "a", NULL, "aa:bb:cc:dd:ee:ff" };
    const HostFacts device = { HOST_NODE_DEVICE, "pci_0000\xc3" };
    HostKind kind;

    assert_host_path(&network, "/org/libvirt/QEMU/network/_c7a5fdbd_edaf_9455_926a_d65c16db1809");
    assert_host_path(&interface, "/org/libvirt/QEMU/interface/aa_3abb_3acc_3add_3aee_3aff");
    assert_host_path(&device, "/org/libvirt/QEMU/nodedev/pci_5f0000_c3");
    g_assert_null(dbus_path_host_key("/org/libvirt/QEMU", "/org/libvirt/QEMU", &kind));
    g_assert_null(dbus_path_host_key("/org/libvirt/QEMU", "/org/libvirt/QEMU/domain/_c7", &kind));
}

static void
assert_snapshot_path(const char *path, const char *uuid, const char *name)
{
    g_autofree char *found_name = NULL;
    g_autofree char *found = dbus_path_snapshot_uuid("/org/libvirt/QEMU", path, &found_name);

    g_assert_cmpstr(found, ==, uuid);
    g_assert_cmpstr(found_name, ==, name);
}

/* Whatever a client makes up has an answer. */
static void
test_snapshot_paths(void)
{
    assert_snapshot_path(
        "/org/libvirt/QEMU/domainsnapshot/_c7a5fdbd_edaf_9455_926a_d65c16db1809_a_20_2f1",
        "c7a5fdbd-edaf-9455-926a-d65c16db1809", "a /1");
    assert_snapshot_path("/org/libvirt/QEMU/domainsnapshot/_c7a5fdbd_edaf_9455_926a_d65c16db1809",
                         "c7a5fdbd-edaf-9455-926a-d65c16db1809", "");
    assert_snapshot_path("/org/libvirt/QEMU/domainsnapshot/_x_y", "x-y", "");
    assert_snapshot_path("/org/libvirt/QEMU/domain/_c7", NULL, NULL);
    assert_snapshot_path("/org/libvirt/QEMU", NULL, NULL);
}

static void
assert_wrapped(const char *value, const char *wanted)
{
    g_autoptr(GVariant) plain = g_variant_ref_sink(g_variant_new_parsed(value));
    g_autoptr(GVariant) wrapped = g_variant_ref_sink(dbus_quirks_wrap(plain));
    g_autofree char *text = g_variant_print(wrapped, TRUE);

    g_assert_cmpstr(text, ==, wanted);
}

/* A dictionary that stands in a list many times is wrapped once. */
static void
test_quirks_shared(void)
{
    g_autoptr(GVariant) one = g_variant_ref_sink(g_variant_new_parsed("{'a': <1>}"));
    g_autoptr(GVariant) other = g_variant_ref_sink(g_variant_new_parsed("{'b': <2>}"));
    GVariant *rows[] = { one, one, other, one };
    GVariant *list = g_variant_new_array(NULL, rows, G_N_ELEMENTS(rows));
    g_autoptr(GVariant) plain = g_variant_ref_sink(g_variant_new_tuple(&list, 1));
    g_autoptr(GVariant) wrapped = g_variant_ref_sink(dbus_quirks_wrap(plain));
    g_autoptr(GVariant) array = g_variant_get_child_value(wrapped, 0);
    g_autoptr(GVariant) first = g_variant_get_child_value(array, 0);
    g_autoptr(GVariant) second = g_variant_get_child_value(array, 1);
    g_autofree char *text = g_variant_print(wrapped, FALSE);

    g_assert_true(first == second);
    g_assert_cmpstr(text, ==, "([{'a': <<1>>}, {'a': <<1>>}, {'b': <<2>>}, {'a': <<1>>}],)");
}

static void
test_quirks(void)
{
    assert_wrapped("({'a': <1>, 'b': <'x'>},)", "({'a': <<1>>, 'b': <<'x'>>},)");
    assert_wrapped("([('vm', {'a': <1>})],)", "([('vm', {'a': <<1>>})],)");
    assert_wrapped("([('a', {'a': <1>}), ('b', {'a': <1>}), ('c', {'b': <2>}), ('d', {'a': <1>})],)",
                   "([('a', {'a': <<1>>}), ('b', {'a': <<1>>}), ('c', {'b': <<2>>}), ('d', {'a': <<1>>})],)");
    assert_wrapped("(@a{sv} {},)", "(@a{sv} {},)");
    assert_wrapped("(@a(sa{sv}) [],)", "(@a(sa{sv}) [],)");
    assert_wrapped("((1, {'a': <true>}),)", "((1, {'a': <<true>>}),)");
    assert_wrapped("('text', ['a'], [(1, 2)], {'k': uint64 1}, @ay [])",
                   "('text', ['a'], [(1, 2)], {'k': uint64 1}, @ay [])");
    g_assert_true(dbus_quirks_apply("org.libvirt.Domain"));
    g_assert_false(dbus_quirks_apply("org.vmctl.Domain"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/api/not-supported", test_not_supported);
    g_test_add_func("/api/policy", test_policy);
    g_test_add_func("/api/rows", test_rows);
    g_test_add_func("/api/paths", test_paths);
    g_test_add_func("/api/host-paths", test_host_paths);
    g_test_add_func("/api/snapshot-paths", test_snapshot_paths);
    g_test_add_func("/api/quirks", test_quirks);
    g_test_add_func("/api/quirks-shared", test_quirks_shared);
    return g_test_run();
}
