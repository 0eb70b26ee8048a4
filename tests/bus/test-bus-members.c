/* Every member of the bus: introspection tells of it as libvirt-dbus', and a call without sense does no harm. */
#include "schemas/interfaces.h"
#include "tests/bus/surface.h"

#define TEST_PATH "/org/libvirt/Test"

#define EACH(type, item, list)                                                                     \
    for (type *const *at = (type *const *)(list), *item = at ? *at : NULL; item; item = *++at)

/* Every method with arguments of the right types and no sense */

static GVariant *
basic_argument(char type, gboolean hostile)
{
    switch (type) {
    case 'b':
        return g_variant_new_boolean(hostile);
    case 'i':
        return g_variant_new_int32(hostile ? G_MININT32 : 0);
    case 'u':
        return g_variant_new_uint32(hostile ? G_MAXUINT32 : 0);
    case 'x':
        return g_variant_new_int64(hostile ? G_MININT64 : 0);
    case 't':
        return g_variant_new_uint64(hostile ? G_MAXUINT64 : 0);
    case 's':
        return g_variant_new_string(hostile ? "<a b='%s%n'>../../\n\xc3\xa9" : "");
    default:
        g_error("what is a '%c'?", type);
    }
}

static GVariant *
argument(const char *signature, gboolean hostile)
{
    g_autoptr(GVariantType) type = g_variant_type_new(signature);

    return g_variant_type_is_basic(type)
               ? basic_argument(*signature, hostile)
               : g_variant_new_array(g_variant_type_element(type), NULL, 0);
}

static GVariant *
arguments(const GDBusMethodInfo *method, gboolean hostile)
{
    GVariantBuilder args;

    g_variant_builder_init(&args, G_VARIANT_TYPE_TUPLE);
    EACH(GDBusArgInfo, arg, method->in_args)
    g_variant_builder_add_value(&args, argument(arg->signature, hostile));
    return g_variant_builder_end(&args);
}

static void
call_senselessly(Fixture *fixture, const char *path, const char *interface,
                 const GDBusMethodInfo *method, gboolean hostile)
{
    g_autoptr(GString) type = g_string_new("(");
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = fixture_try(fixture, path, interface, method->name,
                                            arguments(method, hostile), NULL, &error);
    g_autofree char *name = error ? g_dbus_error_get_remote_error(error) : NULL;

    EACH(GDBusArgInfo, arg, method->out_args)
    g_string_append(type, arg->signature);
    g_string_append_c(type, ')');
    if (reply)
        g_assert_cmpstr(g_variant_get_type_string(reply), ==, type->str);
    else if (g_strcmp0(name, "org.libvirt.Error") != 0)
        g_error("%s: %s", method->name, error->message);
}

static void
walk(Fixture *fixture, const char *path, const GDBusInterfaceInfo *info)
{
    EACH(GDBusMethodInfo, method, info->methods)
    {
        surface_define(fixture, "walked"); /* one of them undefines */
        call_senselessly(fixture, path, info->name, method, FALSE);
        call_senselessly(fixture, path, info->name, method, TRUE);
    }
}

/* What the test driver has beside its domain. */
static const struct {
    const char *path;
    const GDBusInterfaceInfo *info;
} host_objects[] = {
    { ROOT_PATH "/domainsnapshot/_x_y", &org_libvirt_domain_snapshot_interface },
    { TEST_PATH "/network/_dd8fe884_6c02_601e_7551_cca97df1c5df", &org_libvirt_network_interface },
    { TEST_PATH "/storagepool/_dfe224cb_28fb_8dd0_c4b2_64eb3f0f4566",
      &org_libvirt_storage_pool_interface },
    { TEST_PATH "/interface/aa_3abb_3acc_3add_3aee_3aff", &org_libvirt_interface_interface },
    { TEST_PATH "/nodedev/scsi_5fhost1", &org_libvirt_node_device_interface },
};

static void
test_walk(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    walk(fixture, ROOT_PATH, &org_libvirt_connect_interface);
    walk(fixture, ROOT_PATH, &org_vmctl_connect_interface);
    walk(fixture, PATH, &org_libvirt_domain_interface);
    walk(fixture, PATH, &org_vmctl_domain_interface);
    for (gsize i = 0; i < G_N_ELEMENTS(host_objects); i++)
        walk(fixture, host_objects[i].path, host_objects[i].info);
}

/* Introspection */

static GDBusNodeInfo *
introspect(GDBusConnection *bus, const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        bus, BUS_NAME, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL,
        G_VARIANT_TYPE("(s)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
    GDBusNodeInfo *node;
    const char *xml;

    g_assert_no_error(error);
    g_variant_get(reply, "(&s)", &xml);
    node = g_dbus_node_info_new_for_xml(xml, &error);
    g_assert_no_error(error);
    return node;
}

static void
add_line(GHashTable *lines, const char *interface, GString *text)
{
    g_hash_table_add(lines, g_strconcat(interface, " ", text->str, NULL));
    g_string_free(text, TRUE);
}

static void
describe_args(GString *text, const char *way, GDBusArgInfo **args)
{
    EACH(GDBusArgInfo, arg, args)
    g_string_append_printf(text, " %s %s %s", way, arg->name, arg->signature);
}

static void
describe_interface(GHashTable *lines, const GDBusInterfaceInfo *info)
{
    EACH(GDBusMethodInfo, method, info->methods)
    {
        GString *text = g_string_new(method->name);

        describe_args(text, "in", method->in_args);
        describe_args(text, "out", method->out_args);
        add_line(lines, info->name, text);
    }
    EACH(GDBusSignalInfo, signal, info->signals)
    {
        GString *text = g_string_new(signal->name);

        describe_args(text, "signal", signal->args);
        add_line(lines, info->name, text);
    }
    EACH(GDBusPropertyInfo, property, info->properties)
    {
        GString *text = g_string_new(property->name);

        g_string_append_printf(text, " %s %u", property->signature, property->flags);
        add_line(lines, info->name, text);
    }
}

/* What the root, a domain and the host's objects have of libvirt's interfaces, one line a member. */
static GHashTable *
describe(GDBusConnection *bus, const char *root, const char *domain)
{
    GHashTable *lines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GDBusNodeInfo) connect_node = introspect(bus, root);
    g_autoptr(GDBusNodeInfo) domain_node = introspect(bus, domain);

    describe_interface(lines, g_dbus_node_info_lookup_interface(connect_node, CONNECT));
    describe_interface(lines, g_dbus_node_info_lookup_interface(domain_node, DOMAIN));
    for (gsize i = 0; i < G_N_ELEMENTS(host_objects); i++) {
        g_autoptr(GDBusNodeInfo) node = introspect(bus, host_objects[i].path);

        describe_interface(lines,
                           g_dbus_node_info_lookup_interface(node, host_objects[i].info->name));
    }
    return lines;
}

/* libvirt-dbus.members lists libvirt-dbus 1.4.1 and what its development has added. */
static void
test_members(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GHashTable) ours = describe(fixture->client, ROOT_PATH, PATH);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "bus/libvirt-dbus.members", NULL);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    lines = g_strsplit(g_strchomp(text), "\n", 0);
    for (char **line = lines; *line; line++) {
        if (!g_hash_table_contains(ours, *line))
            g_error("there is no '%s'", *line);
    }
    g_assert_cmpint(g_hash_table_size(ours), ==, g_strv_length(lines));
}

static gboolean
has_owner(Fixture *fixture, gconstpointer name)
{
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        fixture->client, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "NameHasOwner", g_variant_new("(s)", name), G_VARIANT_TYPE("(b)"), G_DBUS_CALL_FLAGS_NONE,
        -1, NULL, NULL);
    gboolean has;

    g_variant_get(reply, "(b)", &has);
    return has;
}

/* The genuine libvirt-dbus, or NULL where nobody fetched it. */
static char *
find_peer(void)
{
    g_autofree char *finder = g_test_build_filename(G_TEST_DIST, "cli", "peer", NULL);
    const char *argv[] = { finder, "find", NULL };
    g_autofree char *path = NULL;
    int status = 0;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL,
                               &path, NULL, &status, NULL));
    return status == 0 ? g_strdup(g_strchomp(path)) : NULL;
}

/* The same beside the genuine one, which has nothing that we have not. */
static void
test_genuine(void)
{
    g_autofree char *peer = find_peer();
    const char *argv[] = { peer, "--session", NULL };
    g_autoptr(Fixture) ours = NULL;
    g_autoptr(Fixture) theirs = NULL;
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GHashTable) our_lines = NULL, their_lines = NULL;
    GHashTableIter iter;
    gpointer line;

    if (!peer) {
        g_test_skip("there is no libvirt-dbus");
        return;
    }
    ours = fixture_new();
    theirs = fixture_new_bare();
    process = fixture_spawn(theirs, G_SUBPROCESS_FLAGS_STDERR_SILENCE, argv);
    fixture_wait(theirs, has_owner, BUS_NAME);
    our_lines = describe(ours->client, ROOT_PATH, PATH);
    their_lines = describe(theirs->client, "/org/libvirt/Test",
                           "/org/libvirt/Test/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f");
    g_hash_table_iter_init(&iter, their_lines);
    while (g_hash_table_iter_next(&iter, &line, NULL)) {
        if (!g_hash_table_contains(our_lines, line))
            g_error("there is no '%s'", (const char *)line);
    }
    g_assert_cmpint(g_hash_table_size(their_lines), >, 180);
    g_subprocess_force_exit(process);
    g_subprocess_wait(process, NULL, NULL);
}

static void
test_enumeration(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GDBusNodeInfo) empty = introspect(fixture->client, ROOT_PATH "/domain");
    g_autoptr(GDBusNodeInfo) full = NULL;

    g_assert_true(!empty->nodes || !empty->nodes[0]);
    surface_define(fixture, "seen");
    full = introspect(fixture->client, ROOT_PATH "/domain");
    g_assert_cmpstr(full->nodes[0]->path, ==, "_c7a5fdbd_edaf_9455_926a_d65c16db1809");
    g_assert_null(full->nodes[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/surface/walk", test_walk);
    g_test_add_func("/bus/surface/members", test_members);
    g_test_add_func("/bus/surface/genuine", test_genuine);
    g_test_add_func("/bus/surface/enumeration", test_enumeration);
    return g_test_run();
}
