/* Clients that do what no client should: arguments of other types, calls without end, replies that nobody reads.
 * The others are served meanwhile, and the daemon's memory stays bounded. No clock decides: what has to be answered in
 * time has to be answered before something else is. */
#include "schemas/interfaces.h"
#include "tests/bus/fixture.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CALLS     10000
#define TURNS     400
#define MORE_KIB  (64 * 1024)
#define BUS_PATH  "/org/freedesktop/DBus"
#define BUS       "org.freedesktop.DBus"
#define WEB_UUID  "c7a5fdbd-edaf-9455-926a-d65c16db1809"
#define WEB       ROOT_PATH "/domain/_c7a5fdbd_edaf_9455_926a_d65c16db1809"

/* Another client than the fixture's. */
static GDBusConnection *
connect_another(Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    GDBusConnection *bus =
        g_dbus_connection_new_for_address_sync(fixture->address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);

    g_assert_no_error(error);
    return bus;
}

static void
assert_served(Fixture *fixture)
{
    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains",
                                 g_variant_new("(u)", 0), "(ao)"));
}

/* GLib keeps what thousands of waiting calls took, for the next ones; what is lost with each call would be more. */
static void
assert_bounded(Fixture *fixture, void (*storm)(Fixture *fixture))
{
    guint kib[3];

    kib[0] = fixture_memory_kib(fixture);
    for (guint i = 1; i < G_N_ELEMENTS(kib); i++) {
        storm(fixture);
        assert_served(fixture);
        kib[i] = fixture_memory_kib(fixture);
    }
    g_test_message("%u KiB, then %u and %u KiB", kib[0], kib[1], kib[2]);
#ifndef __SANITIZE_ADDRESS__ /* which gives back nothing for a long time */
    g_assert_cmpuint(kib[2], <, kib[0] + MORE_KIB);
#endif
}

/* Arguments of other types */

static void
fails_on_the_bus(Fixture *fixture, const char *path, const char *interface, const char *member,
                 GVariant *args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = fixture_try(fixture, path, interface, member, args, NULL, &error);
    g_autofree char *name = NULL;

    if (reply)
        g_error("%s.%s took what it cannot take", interface, member);
    name = g_dbus_error_get_remote_error(error);
    if (!name || !g_str_has_prefix(name, BUS ".Error."))
        g_error("%s.%s: %s", interface, member, error->message);
}

static GVariant *
deep(guint depth)
{
    GVariant *value = g_variant_new_int32(1);

    while (depth--)
        value = g_variant_new_variant(value);
    return value;
}

static void
malform_interface(Fixture *fixture, const char *path, const GDBusInterfaceInfo *info)
{
    for (GDBusMethodInfo **method = info->methods; method && *method; method++) {
        const char *member = (*method)->name;

        if ((*method)->in_args && (*method)->in_args[0])
            fails_on_the_bus(fixture, path, info->name, member, NULL);
        fails_on_the_bus(fixture, path, info->name, member, g_variant_new("(dd)", 1.0, 2.0));
        fails_on_the_bus(fixture, path, info->name, member, g_variant_new("(@v)", deep(40)));
    }
    fails_on_the_bus(fixture, path, info->name, "NoSuchMember", NULL);
    fails_on_the_bus(fixture, path, PROPERTIES, "Get", g_variant_new("(ss)", info->name, "Nope"));
    fails_on_the_bus(fixture, path, PROPERTIES, "Get", g_variant_new("(ss)", "no.such", "Name"));
    fails_on_the_bus(fixture, path, PROPERTIES, "GetAll", g_variant_new("(s)", "no.such"));
    fails_on_the_bus(fixture, path, PROPERTIES, "Set",
                     g_variant_new("(ssv)", info->name, "Nope", deep(1)));
}

#define TEST_PATH "/org/libvirt/Test"

/* What only the test driver has. */
static const struct {
    const char *path;
    const GDBusInterfaceInfo *info;
} test_objects[] = {
    { TEST_PATH, &org_libvirt_connect_interface },
    { TEST_PATH "/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f", &org_libvirt_domain_interface },
    { TEST_PATH "/domainsnapshot/_x_y", &org_libvirt_domain_snapshot_interface },
    { TEST_PATH "/network/_dd8fe884_6c02_601e_7551_cca97df1c5df", &org_libvirt_network_interface },
    { TEST_PATH "/storagepool/_dfe224cb_28fb_8dd0_c4b2_64eb3f0f4566",
      &org_libvirt_storage_pool_interface },
    { TEST_PATH "/interface/aa_3abb_3acc_3add_3aee_3aff", &org_libvirt_interface_interface },
    { TEST_PATH "/nodedev/scsi_5fhost1", &org_libvirt_node_device_interface },
};

static void
test_malformed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *domain = fixture_define(fixture, "web", "");
    g_autofree char *none = g_strconcat(domain, "/below", NULL);

    malform_interface(fixture, ROOT_PATH, &org_libvirt_connect_interface);
    malform_interface(fixture, ROOT_PATH, &org_vmctl_connect_interface);
    malform_interface(fixture, domain, &org_libvirt_domain_interface);
    malform_interface(fixture, domain, &org_vmctl_domain_interface);
    for (gsize i = 0; i < G_N_ELEMENTS(test_objects); i++)
        malform_interface(fixture, test_objects[i].path, test_objects[i].info);
    fails_on_the_bus(fixture, domain, PROPERTIES, "Set",
                     g_variant_new("(ssv)", DOMAIN, "Autostart", g_variant_new_string("yes")));
    fails_on_the_bus(fixture, domain, PROPERTIES, "Set",
                     g_variant_new("(ssv)", DOMAIN, "Name", g_variant_new_string("other")));
    fails_on_the_bus(fixture, none, DOMAIN, "GetState", g_variant_new("(u)", 0));
    fails_on_the_bus(fixture, "/", CONNECT, "ListDomains", g_variant_new("(u)", 0));
    fails_on_the_bus(fixture, domain, CONNECT, "ListDomains", g_variant_new("(u)", 0));
    assert_served(fixture);
}

/* Values of the right type that no driver can take. */
static void
test_extremes(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *domain = fixture_define(fixture, "web", "");
    g_autofree char *huge = g_strnfill(2 * 1024 * 1024, '<');
    const guint all = G_MAXUINT;

    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", huge),
                       NULL, "*");
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainLookupByName", g_variant_new("(s)", huge),
                       NULL, "Domain not found*");
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainLookupByUUID", g_variant_new("(s)", huge),
                       NULL, "*");
    fixture_call_fails(fixture, domain, DOMAIN, "Create", g_variant_new("(u)", all), NULL,
                       "unsupported flags*");
    fixture_call_fails(fixture, domain, DOMAIN, "SetVcpus", g_variant_new("(uu)", all, 0), NULL, "*");
    fixture_call_fails(fixture, domain, DOMAIN, "SetMemory", g_variant_new("(tu)", G_MAXUINT64, 0),
                       NULL, "*");
    fixture_call_fails(fixture, domain, DOMAIN, "BlockPeek",
                       g_variant_new("(sttu)", "vda", G_MAXUINT64, G_MAXUINT64, 0), NULL, "*");
    fixture_call_fails(fixture, domain, DOMAIN, "Rename", g_variant_new("(su)", "../a", 0), NULL, "*");
    assert_served(fixture);
}

/* Calls without end */

typedef struct Storm {
    guint sent, answered, refused;
} Storm;

static void
storm_answered(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    Storm *storm = data;

    storm->answered++;
    storm->refused += !reply;
}

static void
storm_send(Storm *storm, GDBusConnection *bus, const char *path, const char *interface,
           const char *member, GVariant *args)
{
    g_dbus_connection_call(bus, BUS_NAME, path, interface, member, args, NULL,
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, NULL, storm_answered, storm);
    storm->sent++;
}

static void
storm_end(Storm *storm)
{
    while (storm->answered < storm->sent)
        g_main_context_iteration(NULL, TRUE);
}

static void
storm_of_calls(Fixture *fixture)
{
    g_autoptr(GDBusConnection) other = connect_another(fixture);
    Storm storm = { 0 };

    for (guint i = 0; i < CALLS; i++)
        storm_send(&storm, other, WEB, DOMAIN, "GetXMLDesc", g_variant_new("(u)", 0));
    assert_served(fixture);
    storm_end(&storm);
    g_assert_cmpuint(storm.answered, ==, CALLS);
    g_assert_cmpuint(storm.refused, ==, 0);
    g_dbus_connection_close_sync(other, NULL, NULL);
}

static void
storm_of_properties(Fixture *fixture)
{
    g_autoptr(GDBusConnection) other = connect_another(fixture);
    Storm storm = { 0 };

    for (guint i = 0; i < CALLS / 8; i++) {
        storm_send(&storm, other, WEB, PROPERTIES, "GetAll", g_variant_new("(s)", DOMAIN));
        storm_send(&storm, other, WEB, PROPERTIES, "Get", g_variant_new("(ss)", DOMAIN, "Name"));
        storm_send(&storm, other, WEB, PROPERTIES, "Set",
                   g_variant_new("(ssv)", DOMAIN, "Nope", g_variant_new_boolean(TRUE)));
        storm_send(&storm, other, WEB, "org.freedesktop.DBus.Peer", "Ping", NULL);
    }
    assert_served(fixture);
    storm_end(&storm);
    g_assert_cmpuint(storm.refused, ==, CALLS / 8); /* the Sets */
    g_dbus_connection_close_sync(other, NULL, NULL);
}

static void
note_answered(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, NULL);
    Storm *one = data;

    g_assert_nonnull(reply);
    one->answered++;
}

/* The bus has handed on all that @client sent. */
static void
pass_bus(GDBusConnection *client)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_sync(client, BUS, BUS_PATH, BUS, "GetId", NULL, NULL,
                                    G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL, &error);

    g_assert_no_error(error);
}

/* Another's call is served after one of those that wait, not after all that came before it. The daemon rests until
 * all of them wait for it, so that the order is its own. */
static void
test_turns(void)
{
    g_autoptr(Fixture) fixture = fixture_new_session();
    g_autoptr(GDBusConnection) other = connect_another(fixture);
    Storm storm = { 0 }, one = { 0 };

    g_subprocess_send_signal(fixture->daemon, SIGSTOP);
    for (guint i = 0; i < TURNS; i++)
        storm_send(&storm, other, ROOT_PATH, CONNECT, "GetCapabilities", NULL);
    pass_bus(other);
    g_dbus_connection_call(fixture->client, BUS_NAME, ROOT_PATH, CONNECT, "ListDomains",
                           g_variant_new("(u)", 0), NULL, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL,
                           note_answered, &one);
    pass_bus(fixture->client);
    g_assert_cmpuint(storm.answered, ==, 0);
    g_subprocess_send_signal(fixture->daemon, SIGCONT);
    while (one.answered == 0)
        g_main_context_iteration(NULL, TRUE);
    g_test_message("served after %u of %u", storm.answered, storm.sent);
    g_assert_cmpuint(storm.answered, <, TURNS / 4);
    storm_end(&storm);
    g_dbus_connection_close_sync(other, NULL, NULL);
}

/* Clients that go while their calls are under way. */
static void
storm_of_gone(Fixture *fixture)
{
    for (guint round = 0; round < 5; round++) {
        g_autoptr(GDBusConnection) other = connect_another(fixture);
        Storm storm = { 0 };

        for (guint i = 0; i < CALLS / 10; i++)
            storm_send(&storm, other, WEB, DOMAIN, "GetXMLDesc", g_variant_new("(u)", 0));
        g_dbus_connection_flush_sync(other, NULL, NULL);
        g_dbus_connection_close_sync(other, NULL, NULL);
        storm_end(&storm);
    }
}

static void
test_storm(gconstpointer storm)
{
    g_autoptr(Fixture) fixture = fixture_new_session();
    g_autofree char *xml = fixture_xml(fixture, "web", WEB_UUID, "");
    guint descriptors;

    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                 g_variant_new("(s)", xml), "(o)"));
    descriptors = fixture_count_descriptors(fixture);
    assert_bounded(fixture, (void (*)(Fixture *))storm);
    fixture_expect_descriptors(fixture, descriptors);
}

/* Replies that nobody reads: a client of its own, which writes alone. */

static void
write_all(int fd, const void *data, gsize size)
{
    g_assert_cmpint(send(fd, data, size, MSG_NOSIGNAL), ==, size);
}

/* What the bus says before there are messages. */
static void
expect_ok(int fd)
{
    char text[128];
    ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

    g_assert_cmpint(n, >, 3);
    g_assert_cmpint(strncmp(text, "OK ", 3), ==, 0);
}

static int
connect_raw(Fixture *fixture)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autofree char *uid = g_strdup_printf("%u", getuid());
    g_autoptr(GString) auth = g_string_new(NULL);

    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/bus", fixture->dir);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_string_append_c(auth, '\0');
    g_string_append(auth, "AUTH EXTERNAL ");
    for (const char *digit = uid; *digit; digit++)
        g_string_append_printf(auth, "%02x", *digit);
    g_string_append(auth, "\r\n");
    write_all(fd, auth->str, auth->len);
    expect_ok(fd);
    write_all(fd, "BEGIN\r\n", 7);
    return fd;
}

/* FALSE: the bus has had enough of it. */
static gboolean
send_message(int fd, GDBusMessage *message, guint serial)
{
    g_autofree guchar *blob = NULL;
    gsize size, done = 0;

    g_dbus_message_set_serial(message, serial);
    blob = g_dbus_message_to_blob(message, &size, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
    while (done < size) {
        struct pollfd ready = { .fd = fd, .events = POLLOUT };
        ssize_t n;

        if (poll(&ready, 1, 2000) <= 0)
            return FALSE; /* it takes nothing more, for nothing is taken from it */
        n = send(fd, blob + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN)
            return FALSE;
        done += MAX(n, 0);
    }
    return TRUE;
}

static void
storm_of_unread(Fixture *fixture)
{
    g_autoptr(GDBusMessage) hello = g_dbus_message_new_method_call(BUS, BUS_PATH, BUS, "Hello");
    g_autoptr(GDBusMessage) call =
        g_dbus_message_new_method_call(BUS_NAME, WEB, DOMAIN, "GetXMLDesc");
    int fd = connect_raw(fixture);
    guint sent = 0;

    g_dbus_message_set_body(call, g_variant_new("(u)", 0));
    g_assert_true(send_message(fd, hello, 1));
    while (sent < CALLS / 2 && send_message(fd, call, sent + 2)) {
        sent++;
        if (sent % 1000 == 0)
            assert_served(fixture);
    }
    g_test_message("%u calls were sent", sent);
    g_assert_cmpuint(sent, >, 1000);
    assert_served(fixture);
    close(fd);
}

/* What is no message at all ends the connection that it came over, and nothing else. */
static void
test_garbage(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    char garbage[4096];
    int fd = connect_raw(fixture);

    memset(garbage, 'l', sizeof(garbage));
    write_all(fd, garbage, sizeof(garbage));
    while (recv(fd, garbage, sizeof(garbage), 0) > 0)
        ;
    close(fd);
    assert_served(fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus-robust/malformed", test_malformed);
    g_test_add_func("/bus-robust/extremes", test_extremes);
    g_test_add_data_func("/bus-robust/calls", storm_of_calls, test_storm);
    g_test_add_data_func("/bus-robust/properties", storm_of_properties, test_storm);
    g_test_add_func("/bus-robust/turns", test_turns);
    g_test_add_data_func("/bus-robust/gone", storm_of_gone, test_storm);
    g_test_add_data_func("/bus-robust/unread", storm_of_unread, test_storm);
    g_test_add_func("/bus-robust/garbage", test_garbage);
    return g_test_run();
}
