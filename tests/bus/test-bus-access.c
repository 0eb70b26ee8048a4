/* Who may do what: a client that is not root, and an authority that is told what to say. */
#include "schemas/interfaces.h"
#include "tests/bus/fake-polkit.h"
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define DENIED "authentication failed: access denied by policy"
#define READ   "org.libvirt.unix.monitor"
#define MANAGE "org.libvirt.unix.manage"
#define WAIT   128 /* of one client's calls so many wait for the authority */
#define CALLS  200

typedef struct Access {
    Fixture *fixture;
    GDBusConnection *other; /* somebody's who is not root */
    char *domain;
} Access;

/* A connection as the user nobody, if there is a choice. */
static GDBusConnection *
connect_other(Fixture *fixture)
{
    const struct passwd *nobody = getpwnam("nobody");
    g_autoptr(GError) error = NULL;
    GDBusConnection *bus;

    g_assert_nonnull(nobody);
    g_assert_cmpint(g_chmod(fixture->dir, 0711), ==, 0);
    if (getuid() == 0)
        g_assert_cmpint(setresuid(nobody->pw_uid, nobody->pw_uid, 0), ==, 0);
    bus = g_dbus_connection_new_for_address_sync(fixture->address,
                                                 G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                     G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                 NULL, NULL, &error);
    if (getuid() == nobody->pw_uid)
        g_assert_cmpint(setresuid(0, 0, 0), ==, 0);
    g_assert_no_error(error);
    return bus;
}

/* With a domain "web", which the daemon was given before it asked anybody. The bus itself sets a client no limit. */
static void
set_up(Access *a, gconstpointer data)
{
    a->fixture = fixture_new_session();
    a->domain = fixture_define(a->fixture, "web", "");
    fixture_end_daemon(a->fixture, SIGTERM);
    a->fixture->option = data ? data : "--access=polkit";
    fixture_start_daemon(a->fixture);
    a->other = connect_other(a->fixture);
}

static void
tear_down(Access *a, gconstpointer data)
{
    g_dbus_connection_close_sync(a->other, NULL, NULL);
    g_object_unref(a->other);
    fixture_free(a->fixture);
    g_free(a->domain);
}

static GVariant *
try_with(Access *a, const char *path, const char *interface, const char *member, GVariant *args,
         GDBusCallFlags flags, GError **error)
{
    return g_dbus_connection_call_sync(a->other, BUS_NAME, path, interface, member, args, NULL,
                                       flags | G_DBUS_CALL_FLAGS_NO_AUTO_START, 10000, NULL, error);
}

static GVariant *
try(Access *a, const char *path, const char *interface, const char *member, GVariant *args,
    GError **error)
{
    return try_with(a, path, interface, member, args, G_DBUS_CALL_FLAGS_NONE, error);
}

static void
refused(Access *a, const char *path, const char *interface, const char *member, GVariant *args,
        const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = try(a, path, interface, member, args, &error);
    g_autofree char *name = NULL;

    if (reply)
        g_error("%s.%s was let through", interface, member);
    name = g_dbus_error_get_remote_error(error);
    g_assert_cmpstr(name, ==, "org.libvirt.Error");
    g_dbus_error_strip_remote_error(error);
    g_assert_cmpstr(error->message, ==, text);
}

static void
allowed(Access *a, const char *path, const char *interface, const char *member, GVariant *args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = try(a, path, interface, member, args, &error);

    g_assert_no_error(error);
}

/* Every member */

/* Some value of a type; the call is refused before anybody looks at it. */
static GVariant *
some_value(const char *type)
{
    const char *text = type[0] == 's'   ? "''"
                       : type[0] == 'o' ? "'/'"
                       : type[0] == 'b' ? "false"
                       : type[0] == 'a' ? "[]"
                                        : "0";
    g_autoptr(GError) error = NULL;
    GVariant *value = g_variant_parse(
        G_VARIANT_TYPE(type), g_str_has_prefix(type, "a{") ? "{}" : text, NULL, NULL, &error);

    g_assert_no_error(error);
    return value;
}

static GVariant *
some_args(const GDBusMethodInfo *method)
{
    GVariantBuilder args;

    g_variant_builder_init(&args, G_VARIANT_TYPE_TUPLE);
    for (GDBusArgInfo **arg = method->in_args; arg && *arg; arg++) {
        g_autoptr(GVariant) value = some_value((*arg)->signature);

        g_variant_builder_add_value(&args, value);
    }
    return g_variant_builder_end(&args);
}

/* None of these is there, which nobody gets to know. */
static const struct {
    const char *path;
    const GDBusInterfaceInfo *info;
} host_objects[] = {
    { ROOT_PATH "/domainsnapshot/_x_y", &org_libvirt_domain_snapshot_interface },
    { ROOT_PATH "/network/_x", &org_libvirt_network_interface },
    { ROOT_PATH "/storagepool/_x", &org_libvirt_storage_pool_interface },
    { ROOT_PATH "/interface/x", &org_libvirt_interface_interface },
    { ROOT_PATH "/nodedev/x", &org_libvirt_node_device_interface },
};

/* Each is refused, after one question; those that only look go to @readers. */
static void
refuse_interface(Access *a, FakePolkit *polkit, const char *path, const GDBusInterfaceInfo *info,
                 GString *readers)
{
    for (GDBusMethodInfo **method = info->methods; method && *method; method++) {
        g_autofree char *asked = NULL;

        refused(a, path, info->name, (*method)->name, some_args(*method), DENIED);
        asked = fake_polkit_asked(polkit);
        if (g_str_has_prefix(asked, READ " "))
            g_string_append_printf(readers, "%s.%s\n", info->name, (*method)->name);
        else
            g_assert_true(g_str_has_prefix(asked, MANAGE " "));
        g_assert_cmpstr(strchr(asked, '\n'), ==, "\n");
    }
}

static void
refuse_properties(Access *a, FakePolkit *polkit, const char *path, const GDBusInterfaceInfo *info)
{
    for (GDBusPropertyInfo **property = info->properties; property && *property; property++) {
        g_autofree char *asked = NULL;

        refused(a, path, PROPERTIES, "Get", g_variant_new("(ss)", info->name, (*property)->name),
                DENIED);
        asked = fake_polkit_asked(polkit);
        g_assert_true(g_str_has_prefix(asked, READ " "));
    }
    if (info->properties) /* of none GDBus tells by itself */
        refused(a, path, PROPERTIES, "GetAll", g_variant_new("(s)", info->name), DENIED);
}

/* The members that only look are written down, so that none becomes one by a slip. */
static void
test_everything(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);
    g_autoptr(GString) readers = g_string_new(NULL);
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "bus/access-monitor.members", NULL);
    g_autofree char *expected = NULL, *asked = NULL;

    refuse_interface(a, polkit, ROOT_PATH, &org_libvirt_connect_interface, readers);
    refuse_interface(a, polkit, a->domain, &org_libvirt_domain_interface, readers);
    refuse_interface(a, polkit, ROOT_PATH, &org_vmctl_connect_interface, readers);
    refuse_interface(a, polkit, a->domain, &org_vmctl_domain_interface, readers);
    for (gsize i = 0; i < G_N_ELEMENTS(host_objects); i++)
        refuse_interface(a, polkit, host_objects[i].path, host_objects[i].info, readers);
    g_assert_true(g_file_get_contents(path, &expected, NULL, NULL));
    g_assert_cmpstr(readers->str, ==, expected);

    refuse_properties(a, polkit, ROOT_PATH, &org_libvirt_connect_interface);
    refuse_properties(a, polkit, a->domain, &org_libvirt_domain_interface);
    refuse_properties(a, polkit, ROOT_PATH, &org_vmctl_connect_interface);
    for (gsize i = 0; i < G_N_ELEMENTS(host_objects); i++)
        refuse_properties(a, polkit, host_objects[i].path, host_objects[i].info);
    g_free(fake_polkit_asked(polkit));
    refused(a, a->domain, PROPERTIES, "Set",
            g_variant_new("(ssv)", DOMAIN, "Autostart", g_variant_new_boolean(TRUE)), DENIED);
    asked = fake_polkit_asked(polkit);
    g_assert_cmpstr(asked, ==, MANAGE " domain.write 'web'\n");
}

/* With the permissions of libvirt's access driver */

#define API_DENIED "access denied: 'QEMU' denied access"
#define API        "org.libvirt.api."

/* The second question is about the permission that the first one named. */
static void
assert_asks_api(const char *asked, const char *coarse, const char *member)
{
    g_auto(GStrv) lines = g_strsplit(asked, "\n", -1);
    g_auto(GStrv) first = NULL, second = NULL;
    g_autofree char *action = NULL;

    if (g_strv_length(lines) != 3)
        g_error("%s asks\n%s", member, asked);
    first = g_strsplit(lines[0], " ", -1);
    second = g_strsplit(lines[1], " ", -1);
    action = g_strconcat(API, first[1], NULL);
    g_assert_true(g_pattern_match_simple(coarse, first[0]));
    g_assert_cmpstr(second[0], ==, action);
    g_assert_cmpstr(second[1], ==, first[1]);
    g_assert_cmpstr(second[2], ==, first[2]);
}

static void
refuse_api_interface(Access *a, FakePolkit *polkit, const char *path,
                     const GDBusInterfaceInfo *info)
{
    for (GDBusMethodInfo **method = info->methods; method && *method; method++) {
        g_autofree char *asked = NULL;

        refused(a, path, info->name, (*method)->name, some_args(*method), API_DENIED);
        asked = fake_polkit_asked(polkit);
        assert_asks_api(asked, "org.libvirt.unix.*", (*method)->name);
    }
    for (GDBusPropertyInfo **property = info->properties; property && *property; property++) {
        g_autofree char *asked = NULL;

        refused(a, path, PROPERTIES, "Get", g_variant_new("(ss)", info->name, (*property)->name),
                API_DENIED);
        asked = fake_polkit_asked(polkit);
        assert_asks_api(asked, READ, (*property)->name);
    }
}

/* Whoever may manage may still do nothing that no rule grants. */
static void
test_api_everything(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);

    fake_polkit_allow(polkit, READ " " MANAGE);
    refuse_api_interface(a, polkit, ROOT_PATH, &org_libvirt_connect_interface);
    refuse_api_interface(a, polkit, a->domain, &org_libvirt_domain_interface);
    refuse_api_interface(a, polkit, ROOT_PATH, &org_vmctl_connect_interface);
    refuse_api_interface(a, polkit, a->domain, &org_vmctl_domain_interface);
}

static void
test_api_some(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);
    g_autofree char *asked = NULL;

    fake_polkit_allow(polkit, READ " " MANAGE " " API "domain.start " API "domain.read");
    allowed(a, a->domain, DOMAIN, "Create", g_variant_new("(u)", 0));
    allowed(a, a->domain, DOMAIN, "GetXMLDesc", g_variant_new("(u)", 0));
    refused(a, a->domain, DOMAIN, "GetXMLDesc", g_variant_new("(u)", VIR_DOMAIN_XML_SECURE),
            API_DENIED);
    refused(a, a->domain, DOMAIN, "Destroy", g_variant_new("(u)", 0), API_DENIED);
    g_free(fake_polkit_asked(polkit));
    fake_polkit_allow(polkit, API "*"); /* which is nothing without the first */
    refused(a, a->domain, DOMAIN, "Create", g_variant_new("(u)", 0), DENIED);
    asked = fake_polkit_asked(polkit);
    g_assert_cmpstr(asked, ==, MANAGE " domain.start 'web'\n");
}

static char *
introspect(Access *a)
{
    g_autofree char *path = g_strconcat(ROOT_PATH, "/domain", NULL);
    g_autoptr(GVariant) reply =
        try(a, path, "org.freedesktop.DBus.Introspectable", "Introspect", NULL, NULL);
    char *xml;

    g_assert_nonnull(reply);
    g_variant_get(reply, "(s)", &xml);
    return xml;
}

static void
assert_lists(Access *a, const char *interface, const char *member, GVariant *args, gsize n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = try(a, ROOT_PATH, interface, member, args, &error), list = NULL;

    g_assert_no_error(error);
    list = g_variant_get_child_value(reply, 0);
    if (g_variant_n_children(list) != n)
        g_error("%s tells of %" G_GSIZE_FORMAT " domains", member, g_variant_n_children(list));
}

/* The first column of an answer that has them: the name @name and no other, or where that is "" none. */
static void
assert_names(Access *a, const char *member, GVariant *args, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = try(a, ROOT_PATH, VMCTL_CONNECT, member, args, &error);
    g_autoptr(GVariant) names = NULL;
    gconstpointer bytes;
    gsize size;

    g_assert_no_error(error);
    names = g_variant_get_child_value(reply, 0);
    bytes = g_variant_get_fixed_array(names, &size, 1);
    g_assert_cmpmem(bytes, size, name, *name ? strlen(name) + 1 : 0);
}

/* "db", too, which comes before or after it. */
static void
assert_asked_of_each(FakePolkit *polkit, const char *permission)
{
    g_autofree char *asked = fake_polkit_asked(polkit);
    g_autofree char *web = g_strdup_printf("\n" API "%s %s 'web'\n", permission, permission);
    g_autofree char *db = g_strdup_printf("\n" API "%s %s 'db'\n", permission, permission);

    g_assert_true(g_str_has_prefix(asked,
                                   READ " connect.search-domains ''\n" API
                                        "connect.search-domains connect.search-domains ''\n"));
    g_assert_nonnull(strstr(asked, web));
    g_assert_nonnull(strstr(asked, db));
}

/* What a client may not see is in no list, no statistics, no lookup and no introspection. */
static void
test_api_lists(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);
    g_autofree char *other = NULL, *seen = NULL;

    fake_polkit_allow(polkit, "*");
    other = fixture_define(a->fixture, "db", "");
    g_free(fake_polkit_asked(polkit));
    fake_polkit_hide(polkit, "db");
    fake_polkit_allow(polkit, READ " " API "connect.search-domains " API "domain.getattr");
    assert_lists(a, CONNECT, "ListDomains", g_variant_new("(u)", 0), 1);
    assert_asked_of_each(polkit, "domain.getattr");
    assert_lists(a, VMCTL_CONNECT, "ListAllDomains", g_variant_new("(u)", 0), 1);
    assert_names(a, "ListAllDomainsInColumns", g_variant_new("(u)", 0), "web");
    assert_lists(a, CONNECT, "GetAllDomainStats", g_variant_new("(uu)", 0, 0), 0);
    assert_names(a, "GetAllDomainStatsInColumns", g_variant_new("(uu)", 0, 0), "");
    fake_polkit_allow(polkit, READ " " API "connect.search-domains " API "domain.read");
    assert_lists(a, CONNECT, "ListDomains", g_variant_new("(u)", 0), 0);
    g_free(fake_polkit_asked(polkit));
    assert_lists(a, CONNECT, "GetAllDomainStats", g_variant_new("(uu)", 0, 0), 1);
    assert_asked_of_each(polkit, "domain.read");
    assert_names(a, "ListAllDomainsInColumns", g_variant_new("(u)", 0), "");
    assert_names(a, "GetAllDomainStatsInColumns", g_variant_new("(uu)", 0, 0), "web");

    fake_polkit_allow(polkit, READ " " API "*");
    allowed(a, ROOT_PATH, CONNECT, "DomainLookupByName", g_variant_new("(s)", "web"));
    refused(a, ROOT_PATH, CONNECT, "DomainLookupByName", g_variant_new("(s)", "db"), API_DENIED);
    seen = introspect(a);
    g_assert_null(strstr(seen, strrchr(a->domain, '/') + 1));
    fake_polkit_hide(polkit, "");
    assert_lists(a, CONNECT, "ListDomains", g_variant_new("(u)", 0), 2);
}

static void
test_monitor(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);

    fake_polkit_allow(polkit, READ);
    allowed(a, ROOT_PATH, CONNECT, "ListDomains", g_variant_new("(u)", 0));
    allowed(a, a->domain, DOMAIN, "GetXMLDesc", g_variant_new("(u)", 0));
    allowed(a, a->domain, PROPERTIES, "GetAll", g_variant_new("(s)", DOMAIN));
    refused(a, a->domain, DOMAIN, "GetXMLDesc", g_variant_new("(u)", VIR_DOMAIN_XML_SECURE),
            DENIED);
    refused(a, a->domain, DOMAIN, "GetVcpus", g_variant_new("(u)", VIR_DOMAIN_VCPU_GUEST), DENIED);
    refused(a, a->domain, DOMAIN, "Create", g_variant_new("(u)", 0), DENIED);
    fake_polkit_allow(polkit, READ " " MANAGE);
    allowed(a, a->domain, DOMAIN, "GetXMLDesc", g_variant_new("(u)", VIR_DOMAIN_XML_SECURE));
    allowed(a, a->domain, DOMAIN, "Create", g_variant_new("(u)", 0));
    allowed(a, a->domain, DOMAIN, "Destroy", g_variant_new("(u)", 0));
}

static void
test_question(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autofree char *asked = NULL;

    refused(a, a->domain, DOMAIN, "Create", g_variant_new("(u)", 0), DENIED);
    refused(a, ROOT_PATH, CONNECT, "GetCapabilities", NULL, DENIED);
    reply = try_with(a, a->domain, DOMAIN, "Destroy", g_variant_new("(u)", 0),
                     G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, &error);
    g_assert_null(reply);
    asked = fake_polkit_asked(polkit);
    g_assert_cmpstr(asked, ==,
                    MANAGE " domain.start 'web'\n" READ " connect.read ''\n" MANAGE
                           " domain.stop 'web' interactive\n");
}

static void
test_refusals(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);

    fake_polkit_set_challenge(polkit, TRUE);
    refused(a, a->domain, DOMAIN, "Create", g_variant_new("(u)", 0),
            "authentication unavailable: no polkit agent available to authenticate action '" MANAGE
            "'");
    fake_polkit_set_dismissed(polkit, TRUE);
    refused(a, a->domain, DOMAIN, "Create", g_variant_new("(u)", 0),
            "authentication cancelled: user cancelled authentication process");
}

/* No authority: root may, others not (the test's other user is in no group). */
static void
test_absent(Access *a, gconstpointer data)
{
    refused(a, a->domain, DOMAIN, "Create", g_variant_new("(u)", 0),
            "authentication failed: access denied: polkit is not there to be asked");
    refused(a, ROOT_PATH, CONNECT, "ListDomains", g_variant_new("(u)", 0),
            "authentication failed: access denied: polkit is not there to be asked");
    if (getuid() == 0)
        fixture_do(a->fixture, a->domain, "Create", g_variant_new("(u)", 0));
}

/* Documents: a domain need not be there to be somebody's, nor need a saved guest be running. */

/* What a rule forbids by name, of documents and of save images. */
static void
test_api_documents(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);
    g_autofree char *image = g_build_filename(a->fixture->dir, "image", NULL);
    g_autofree char *prod = fixture_xml(a->fixture, "prod", NULL, "");
    g_autofree char *ci = fixture_xml(a->fixture, "ci", NULL, "");
    g_autofree char *asked = NULL;

    fake_polkit_allow(polkit, "*");
    fixture_do(a->fixture, a->domain, "Create", g_variant_new("(u)", 0));
    fixture_do(a->fixture, a->domain, "Save", g_variant_new("(ssu)", image, "", 0));
    g_free(fake_polkit_asked(polkit));
    fake_polkit_hide(polkit, "prod");
    refused(a, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", prod), API_DENIED);
    asked = fake_polkit_asked(polkit);
    g_assert_cmpstr(asked, ==, MANAGE " domain.write ''\n" API "domain.write domain.write 'prod'\n");
    refused(a, ROOT_PATH, CONNECT, "DomainCreateXML", g_variant_new("(su)", prod, 0), API_DENIED);
    allowed(a, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", ci));

    fake_polkit_hide(polkit, "web");
    refused(a, ROOT_PATH, CONNECT, "DomainRestore", g_variant_new("(ssu)", image, "", 0), API_DENIED);
    refused(a, ROOT_PATH, CONNECT, "DomainSaveImageGetXMLDesc", g_variant_new("(su)", image, 0), API_DENIED);
    refused(a, ROOT_PATH, CONNECT, "DomainSaveImageDefineXML", g_variant_new("(ssu)", image, "", 0), API_DENIED);
    fake_polkit_hide(polkit, "");
    allowed(a, ROOT_PATH, CONNECT, "DomainRestore", g_variant_new("(ssu)", image, "", 0));
}

/* Nobody who may not manage gets the daemon to read anything, so the action is asked for twice. */
static void
test_documents(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);
    g_autofree char *prod = fixture_xml(a->fixture, "prod", NULL, "");
    g_autofree char *ci = fixture_xml(a->fixture, "ci", NULL, "");
    g_autofree char *asked = NULL;

    refused(a, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", prod), DENIED);
    fake_polkit_allow(polkit, MANAGE);
    fake_polkit_refuse(polkit, "prod");
    refused(a, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", prod), DENIED);
    allowed(a, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", ci));
    refused(a, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", "<"),
            "(domain_definition):1: StartTag: invalid element name\n<\n-^");
    asked = fake_polkit_asked(polkit);
    g_assert_cmpstr(asked, ==,
                    MANAGE " domain.write ''\n" MANAGE " domain.write ''\n" MANAGE
                           " domain.write 'prod'\n" MANAGE " domain.write ''\n" MANAGE
                           " domain.write 'ci'\n" MANAGE " domain.write ''\n");
}

static void
test_introspection(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);
    g_autofree char *before = introspect(a), *after = NULL;
    const char *node = strrchr(a->domain, '/') + 1;

    g_assert_null(strstr(before, node));
    fake_polkit_allow(polkit, READ);
    allowed(a, ROOT_PATH, CONNECT, "ListDomains", g_variant_new("(u)", 0));
    after = introspect(a);
    g_assert_nonnull(strstr(after, node));
}

typedef struct Flood {
    guint answered, refused;
} Flood;

static void
count_answer(GObject *bus, GAsyncResult *result, gpointer data)
{
    Flood *flood = data;
    g_autoptr(GVariant) reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL);

    flood->answered += reply != NULL;
    flood->refused += reply == NULL;
}

static gboolean
is_over(Fixture *fixture, gconstpointer flood)
{
    return ((const Flood *)flood)->answered + ((const Flood *)flood)->refused == CALLS;
}

static gboolean
has_refused(Fixture *fixture, gconstpointer flood)
{
    return ((const Flood *)flood)->refused == CALLS - WAIT;
}

/* One client's calls wait while the authority thinks; others are served, and it has its limit. */
static void
test_flood(Access *a, gconstpointer data)
{
    g_autoptr(FakePolkit) polkit = fake_polkit_new(a->fixture->address);
    Flood flood = { 0 };

    fake_polkit_allow(polkit, READ);
    fake_polkit_hold(polkit, TRUE);
    for (guint i = 0; i < CALLS; i++)
        g_dbus_connection_call(a->other, BUS_NAME, ROOT_PATH, CONNECT, "ListDomains",
                               g_variant_new("(u)", 0), NULL, G_DBUS_CALL_FLAGS_NONE, 60000, NULL,
                               count_answer, &flood);
    fixture_wait(a->fixture, has_refused, &flood);
    if (getuid() == 0)
        g_assert_cmpint(fixture_state(a->fixture, a->domain), ==, VIR_DOMAIN_SHUTOFF);
    fake_polkit_hold(polkit, FALSE);
    fixture_wait(a->fixture, is_over, &flood);
    g_assert_cmpuint(flood.answered, ==, WAIT);
    allowed(a, ROOT_PATH, CONNECT, "ListDomains", g_variant_new("(u)", 0));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, test) g_test_add("/bus/access/" name, Access, NULL, set_up, test, tear_down)
    ADD("everything", test_everything);
    ADD("monitor", test_monitor);
    ADD("question", test_question);
    ADD("refusals", test_refusals);
    ADD("documents", test_documents);
    ADD("absent", test_absent);
    ADD("introspection", test_introspection);
    ADD("flood", test_flood);
#define ADD_API(name, test)                                                                        \
    g_test_add("/bus/access/" name, Access, "--access=api", set_up, test, tear_down)
    ADD_API("api-everything", test_api_everything);
    ADD_API("api-some", test_api_some);
    ADD_API("api-lists", test_api_lists);
    ADD_API("api-documents", test_api_documents);
    return g_test_run();
}
