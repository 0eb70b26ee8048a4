#include "tests/bench/domains.h"

#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <stdlib.h>

static Fixture *fixture;

static void
begin(void)
{
    fixture = fixture_new_bare();
    /* Nobody listens to the events: the peer's client does not, either. */
    g_dbus_connection_signal_unsubscribe(fixture->client, fixture->subscription);
    fixture->subscription = 0;
}

static void
start(void)
{
    fixture_start_daemon(fixture);
}

static void
stop(void)
{
    fixture_end_daemon(fixture, SIGTERM);
}

static GPid
pid(void)
{
    return atoi(g_subprocess_get_identifier(fixture->daemon));
}

static void
define(const char *xml)
{
    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                 g_variant_new("(s)", xml), "(o)"));
}

static guint
count(const char *member, GVariant *args, const char *type)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, member, args, type);
    g_autoptr(GVariant) array = g_variant_get_child_value(reply, 0);

    return g_variant_n_children(array);
}

static guint
list(void)
{
    return count("ListDomains", g_variant_new("(u)", 0), "(ao)");
}

static guint
stats(void)
{
    return count("GetAllDomainStats", g_variant_new("(uu)", VIR_DOMAIN_STATS_STATE, 0),
                 "(a(sa{sv}))");
}

static char *
path_of(const char *name)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainLookupByName",
                                             g_variant_new("(s)", name), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

static void
lookup(const char *name)
{
    g_free(path_of(name));
}

static void
undefine(const char *name)
{
    g_autofree char *path = path_of(name);

    fixture_do(fixture, path, "Undefine", g_variant_new("(u)", 0));
}

static void
end(void)
{
    fixture_free(fixture);
}

const Manager manager_vmctld = {
    "vmctld", begin, start, stop, pid, define, list, stats, lookup, undefine, end,
};
