#include "tests/bench/domains.h"

#include "cli/columns.h"
#include "cli/stats-reader.h"
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static Fixture *fixture;
static volatile guint64 sum; /* so that what is read is used */

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

/* As vmctl asks: all rows are gone through, as libvirt's client makes an object of each. */
static guint
list(void)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "ListAllDomainsInColumns",
                     g_variant_new("(u)", 0), "(ayayauaiaiay)");
    g_autoptr(GVariant) names = g_variant_get_child_value(reply, 0);
    g_autoptr(GVariant) uuids = g_variant_get_child_value(reply, 1);
    Texts name = texts_of(names), uuid = texts_of(uuids);
    guint n = 0;

    while (texts_next(&name)) {
        g_assert_nonnull(texts_next(&uuid));
        n++;
    }
    g_assert_true(texts_end(&name) && texts_end(&uuid));
    return n;
}

/* The same: each name and each value, whose field's name and type are known then. */
static guint
stats(guint groups)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "GetAllDomainStatsInColumns",
                     g_variant_new("(uu)", groups, 0), STATS_COLUMNS);
    g_autoptr(StatsReader) reader = stats_reader_new(reply);
    guint n = 0;

    g_assert_nonnull(reader);
    while (stats_reader_next(reader)) {
        gsize n_fields;
        const StatsField *fields = stats_reader_fields(reader, &n_fields);

        for (gsize i = 0; i < n_fields; i++)
            sum += strlen(fields[i].key) + stats_reader_bits(reader, i);
        n++;
    }
    return n;
}

/* As clients of libvirt-dbus ask. */

static guint
count(const char *member, GVariant *args, const char *type)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, member, args, type);
    g_autoptr(GVariant) array = g_variant_get_child_value(reply, 0);

    return g_variant_n_children(array);
}

static guint
list_objects(void)
{
    return count("ListDomains", g_variant_new("(u)", 0), "(ao)");
}

static guint
stats_records(guint groups)
{
    return count("GetAllDomainStats", g_variant_new("(uu)", groups, 0), "(a(sa{sv}))");
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

/* The whole of it, as a user waits for it. */
static char *
command(const char *const *words)
{
    char *said;
    g_autofree char *program = fixture_built("vmctl");
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_autoptr(GSubprocess) process = NULL;

    g_ptr_array_add(argv, program);
    g_ptr_array_add(argv, (gpointer)"-c");
    g_ptr_array_add(argv, (gpointer)"qemu:///session");
    for (; *words; words++)
        g_ptr_array_add(argv, (gpointer)*words);
    g_ptr_array_add(argv, NULL);
    process = fixture_spawn(fixture, G_SUBPROCESS_FLAGS_STDOUT_PIPE,
                            (const char *const *)argv->pdata);
    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &said, NULL, NULL));
    g_assert_true(g_subprocess_get_successful(process));
    return said;
}

static void
end(void)
{
    fixture_free(fixture);
}

const Manager manager_vmctld = {
    "vmctld", begin,    start,   stop,         pid,           define, list,
    stats,    lookup,   undefine, list_objects, stats_records, command, end,
};
