/* How many calls a command makes: as many for hundreds of domains as for one. A monitor of the bus counts them. */
#include "tests/cli/vmctl.h"

#define MANY 300

static void
define(Fixture *fixture, guint number)
{
    g_autofree char *name = g_strdup_printf("guest-%04u", number);
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>%s</name><memory>65536</memory><os><type arch='x86_64'>hvm</type>"
        "<kernel>%s/kernel</kernel></os></domain>",
        name, fixture->dir);

    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                 g_variant_new("(s)", xml), "(o)"));
}

typedef struct Monitor {
    GDBusConnection *bus;
    gint calls, pings; /* to the daemon; of another thread, too */
} Monitor;

static GDBusMessage *
on_message(GDBusConnection *bus, GDBusMessage *message, gboolean incoming, gpointer data)
{
    Monitor *monitor = data;

    if (incoming && g_dbus_message_get_message_type(message) == G_DBUS_MESSAGE_TYPE_METHOD_CALL &&
        g_strcmp0(g_dbus_message_get_destination(message), BUS_NAME) == 0)
        g_atomic_int_inc(g_strcmp0(g_dbus_message_get_member(message), "Ping") == 0
                             ? &monitor->pings
                             : &monitor->calls);
    if (!incoming)
        return message;
    g_object_unref(message);
    return NULL; /* a monitor answers nobody */
}

static GVariant *
ask_bus(GDBusConnection *bus, const char *interface, const char *member, GVariant *args)
{
    g_autoptr(GError) error = NULL;
    GVariant *reply = g_dbus_connection_call_sync(bus, "org.freedesktop.DBus",
                                                  "/org/freedesktop/DBus", interface, member, args,
                                                  NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

    g_assert_no_error(error);
    return reply;
}

static void
monitor_start(Monitor *monitor, Fixture *fixture)
{
    g_autoptr(GError) error = NULL;

    monitor->bus =
        g_dbus_connection_new_for_address_sync(fixture->address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);
    g_assert_no_error(error);
    g_variant_unref(ask_bus(monitor->bus, "org.freedesktop.DBus.Monitoring", "BecomeMonitor",
                            g_variant_new("(asu)", NULL, 0)));
    g_dbus_connection_add_filter(monitor->bus, on_message, monitor, NULL);
}

/* The bus delivers in order: what was said before a call that the monitor has seen, it has seen, too. */
static guint
monitor_count(Monitor *monitor, Fixture *fixture)
{
    gint pings = g_atomic_int_get(&monitor->pings);

    g_variant_unref(
        fixture_call(fixture, ROOT_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL, "()"));
    while (g_atomic_int_get(&monitor->pings) == pings)
        g_usleep(1000);
    return g_atomic_int_get(&monitor->calls);
}

static const char *const commands[][5] = {
    { "list", "--all" },
    { "list", "--all", "--name" },
    { "list", "--all", "--uuid" },
    { "list", "--all", "--title" },
    { "list", "--all", "--managed-save" },
    { "list", "--all", "--id" },
    { "list", "--all", "--autostart" },
    { "list", "--inactive", "--persistent" },
    { "list", "--all", "--without-snapshot" },
    { "list", "--all", "--without-managed-save" },
    { "list", "--all", "--no-autostart", "--uuid" },
    { "--output=json", "list", "--all" },
    { "--output=json", "list", "--all", "--title" },
    { "top", "--batch", "--count", "1" },
    { "complete", "--", "start", "guest-000" },
    { "domstats" },
    { "domstats", "--state", "--vcpu" },
    { "domstats", "--list-inactive", "--raw" },
    { "--output=json", "domstats" },
    { "domid", "guest-0000" },
    { "dominfo", "guest-0000" },
};

static void
count_all(Fixture *fixture, Monitor *monitor, guint ret[G_N_ELEMENTS(commands)])
{
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        const char *const *words = commands[i];
        guint before = monitor_count(monitor, fixture);
        g_autoptr(Said) said = vmctl(fixture, "", words[0], words[1], words[2], words[3], words[4], NULL);

        g_assert_cmpstr(said->err, ==, "");
        g_assert_cmpint(said->status, ==, 0);
        g_assert_cmpstr(said->out, !=, "");
        ret[i] = monitor_count(monitor, fixture) - before;
    }
}

static void
test_round_trips(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    guint with_one[G_N_ELEMENTS(commands)], with_many[G_N_ELEMENTS(commands)];
    Monitor monitor = { 0 };

    define(fixture, 0);
    monitor_start(&monitor, fixture);
    count_all(fixture, &monitor, with_one);
    for (guint i = 1; i < MANY; i++)
        define(fixture, i);
    count_all(fixture, &monitor, with_many);
    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_test_message("%s %s: %u calls, %u with %u domains", commands[i][0],
                       commands[i][1] ? commands[i][1] : "", with_one[i], with_many[i], MANY);
        g_assert_cmpuint(with_one[i], >, 0);
        g_assert_cmpuint(with_many[i], ==, with_one[i]);
    }
    g_dbus_connection_close_sync(monitor.bus, NULL, NULL);
    g_object_unref(monitor.bus);
}

#define NETWORKS 150 /* more than are asked at one time */

static void
define_network(Fixture *fixture, guint number)
{
    g_autofree char *xml = g_strdup_printf("<network><name>net-%04u</name></network>", number);

    g_variant_unref(fixture_call(fixture, "/org/libvirt/Test", CONNECT, "NetworkDefineXML",
                                 g_variant_new("(s)", xml), "(o)"));
}

static guint
count_networks(Fixture *fixture, Monitor *monitor, guint expected)
{
    guint before = monitor_count(monitor, fixture);
    g_autoptr(Said) said =
        vmctl(fixture, "", "-c", "test:///default", "-q", "net-list", "--all", "--name", NULL);
    g_auto(GStrv) lines = g_strsplit(said->out, "\n", -1);

    g_assert_cmpstr(said->err, ==, "");
    g_assert_cmpint(said->status, ==, 0);
    g_assert_cmpuint(g_strv_length(lines), ==, expected + 1);
    return monitor_count(monitor, fixture) - before;
}

/* Networks have no list that tells all: there is one call for each, and no more. */
static void
test_networks(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    Monitor monitor = { 0 };
    guint with_one;

    monitor_start(&monitor, fixture);
    with_one = count_networks(fixture, &monitor, 1);
    for (guint i = 1; i < NETWORKS; i++)
        define_network(fixture, i);
    g_assert_cmpuint(count_networks(fixture, &monitor, NETWORKS), ==, with_one + NETWORKS - 1);
    g_dbus_connection_close_sync(monitor.bus, NULL, NULL);
    g_object_unref(monitor.bus);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/round-trips", test_round_trips);
    g_test_add_func("/cli/round-trips/networks", test_networks);
    return g_test_run();
}
