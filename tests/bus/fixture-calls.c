#include "tests/bus/fixture.h"

#include <gio/gunixfdlist.h>
#include <string.h>

#define LATE_MS 300

char *
fixture_xml(Fixture *fixture, const char *name, const char *uuid, const char *cmdline)
{
    g_autofree char *id = uuid ? g_strdup_printf("<uuid>%s</uuid>", uuid) : g_strdup("");

    return g_strdup_printf(
        "<domain type='kvm'><name>%s</name>%s<memory unit='MiB'>64</memory><vcpu>2</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>%s/kernel</kernel>"
        "<cmdline>%s</cmdline></os><features><acpi/></features>"
        "<devices><serial type='pty'><target port='0'/></serial>"
        "<serial type='file'><source path='%s/serial1'/><target port='1'/></serial></devices>"
        "</domain>",
        name, id, fixture->dir, cmdline, fixture->dir);
}

GVariant *
fixture_try(Fixture *fixture, const char *path, const char *interface, const char *member,
            GVariant *args, GUnixFDList **ret_fds, GError **error)
{
    return g_dbus_connection_call_with_unix_fd_list_sync(
        fixture->client, BUS_NAME, path, interface, member, args, NULL,
        G_DBUS_CALL_FLAGS_NO_AUTO_START, FIXTURE_WAIT_S * 1000, NULL, ret_fds, NULL, error);
}

GVariant *
fixture_call(Fixture *fixture, const char *path, const char *interface, const char *member,
             GVariant *args, const char *reply_type)
{
    g_autoptr(GError) error = NULL;
    GVariant *reply = fixture_try(fixture, path, interface, member, args, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(g_variant_get_type_string(reply), ==, reply_type);
    return reply;
}

void
fixture_call_fails(Fixture *fixture, const char *path, const char *interface, const char *member,
                   GVariant *args, const char *name, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = fixture_try(fixture, path, interface, member, args, NULL, &error);
    g_autofree char *got_name = NULL;

    g_assert_null(reply);
    g_assert_nonnull(error);
    got_name = g_dbus_error_get_remote_error(error);
    g_assert_cmpstr(got_name, ==, name ? name : "org.libvirt.Error");
    g_dbus_error_strip_remote_error(error);
    if (!g_pattern_match_simple(text, error->message))
        g_error("%s said '%s', not '%s'", member, error->message, text);
}

static void
call_over(GObject *bus, GAsyncResult *result, gpointer data)
{
    FixtureCall *call = data;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &call->error);

    if (call->error)
        g_dbus_error_strip_remote_error(call->error);
    call->over = TRUE;
}

void
fixture_begin(Fixture *fixture, FixtureCall *call, const char *path, const char *member,
              GVariant *args)
{
    *call = (FixtureCall){ FALSE, NULL };
    g_dbus_connection_call(fixture->client, BUS_NAME, path, DOMAIN, member, args, NULL,
                           G_DBUS_CALL_FLAGS_NONE, FIXTURE_WAIT_S * 1000, NULL, call_over, call);
}

static gboolean
is_over(Fixture *fixture, gconstpointer call)
{
    return ((const FixtureCall *)call)->over;
}

void
fixture_end(Fixture *fixture, FixtureCall *call, const char *text)
{
    fixture_wait(fixture, is_over, call);
    if (!text)
        g_assert_no_error(call->error);
    else if (!call->error || !g_pattern_match_simple(text, call->error->message))
        g_error("the call said '%s', not '%s'", call->error ? call->error->message : "done", text);
    g_clear_error(&call->error);
}

static gboolean
after(gpointer over)
{
    *(gboolean *)over = TRUE;
    return G_SOURCE_REMOVE;
}

void
fixture_let_time_pass(void)
{
    gboolean over = FALSE;

    g_timeout_add(LATE_MS, after, &over);
    while (!over)
        g_main_context_iteration(NULL, TRUE);
}

void
fixture_do(Fixture *fixture, const char *path, const char *member, GVariant *args)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, DOMAIN, member, args, "()");
}

char *
fixture_define(Fixture *fixture, const char *name, const char *cmdline)
{
    return fixture_define_with(fixture, name, cmdline, "");
}

char *
fixture_define_with(Fixture *fixture, const char *name, const char *cmdline, const char *devices)
{
    g_autofree char *plain = fixture_xml(fixture, name, NULL, cmdline);
    g_auto(GStrv) parts = g_strsplit(plain, "</devices>", 2);
    g_autofree char *xml = g_strconcat(parts[0], devices, "</devices>", parts[1], NULL);
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", xml), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    fixture_expect_events(fixture, "0,0");
    return path;
}

char *
fixture_define_saying(Fixture *fixture, const char *name, const char *said)
{
    g_autofree char *plain = fixture_xml(fixture, name, NULL, "");
    g_auto(GStrv) halves = g_strsplit(plain, "<os>", 2);
    g_autofree char *xml = g_strconcat(halves[0], said, "<os>", halves[1], NULL);
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", xml), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    fixture_expect_events(fixture, "0,0");
    return path;
}

char *
fixture_xml_of(Fixture *fixture, const char *path, guint flags)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetXMLDesc", g_variant_new("(u)", flags), "(s)");
    char *xml;

    g_variant_get(reply, "(s)", &xml);
    return xml;
}

static gboolean
has_signal(Fixture *fixture, gconstpointer text)
{
    return strstr(fixture->signals->str, text) != NULL;
}

void
fixture_wait_signal(Fixture *fixture, const char *text)
{
    fixture_wait(fixture, has_signal, text);
    g_string_truncate(fixture->signals, 0);
}

GVariant *
fixture_get(Fixture *fixture, const char *path, const char *interface, const char *property)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, PROPERTIES, "Get",
                                             g_variant_new("(ss)", interface, property), "(v)");
    GVariant *value;

    g_variant_get(reply, "(v)", &value);
    return value;
}

int
fixture_state(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetState", g_variant_new("(u)", 0), "((ii))");
    int state;

    g_variant_get(reply, "((ii))", &state, NULL);
    return state;
}

void
fixture_assert_state(Fixture *fixture, const char *path, int state, int reason)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetState", g_variant_new("(u)", 0), "((ii))");
    int got_state, got_reason;

    g_variant_get(reply, "((ii))", &got_state, &got_reason);
    g_assert_cmpint(got_state, ==, state);
    g_assert_cmpint(got_reason, ==, reason);
}

guint
fixture_count_listed(Fixture *fixture, guint flags)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains",
                                             g_variant_new("(u)", flags), "(ao)");
    g_autoptr(GVariant) domains = g_variant_get_child_value(reply, 0);

    return g_variant_n_children(domains);
}

/* Waiting */

static gboolean
wake(gpointer data)
{
    return G_SOURCE_CONTINUE;
}

void
fixture_wait(Fixture *fixture, gboolean (*test)(Fixture *fixture, gconstpointer data),
             gconstpointer data)
{
    guint timer = g_timeout_add(10, wake, NULL);
    gint64 end = g_get_monotonic_time() + FIXTURE_WAIT_S * G_USEC_PER_SEC;

    while (!test(fixture, data)) {
        if (g_get_monotonic_time() > end)
            g_error("waited in vain; events: %s", fixture->events->str);
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(timer);
}

static gboolean
has_events(Fixture *fixture, gconstpointer wanted)
{
    return fixture->events->len >= strlen(wanted) + 1;
}

void
fixture_expect_events(Fixture *fixture, const char *events)
{
    fixture_wait(fixture, has_events, events);
    g_string_truncate(fixture->events, fixture->events->len - 1);
    g_assert_cmpstr(fixture->events->str, ==, events);
    g_string_truncate(fixture->events, 0);
}
