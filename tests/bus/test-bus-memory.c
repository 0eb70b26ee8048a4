/* How much RAM a guest has: its balloon as clients of the bus see it. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define NONE     "<memballoon model='none'/>"

static void
set_memory(Fixture *fixture, const char *path, guint64 kib, guint flags)
{
    fixture_do(fixture, path, "SetMemory", g_variant_new("(tu)", kib, flags));
}

static void
assert_current(Fixture *fixture, const char *path, guint flags, const char *kib)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, flags);
    g_autofree char *element = g_strdup_printf("<currentMemory unit='KiB'>%s</currentMemory>", kib);

    if (!strstr(xml, element))
        g_error("no %s in %s", element, xml);
}

static void
test_set_live(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "smaller", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    set_memory(fixture, path, 32768, 0);
    fixture_wait_signal(fixture, "BalloonChange (32768,)");
    assert_current(fixture, path, 0, "32768");
    assert_current(fixture, path, VIR_DOMAIN_XML_INACTIVE, "65536");
    set_memory(fixture, path, 49152, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG);
    fixture_wait_signal(fixture, "BalloonChange (49152,)");
    assert_current(fixture, path, 0, "49152");
    assert_current(fixture, path, VIR_DOMAIN_XML_INACTIVE, "49152");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    /* It starts with what its definition says. */
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_wait_signal(fixture, "BalloonChange (49152,)");
}

/* A guest that does not oblige has what it has. */
static void
test_unwilling(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "greedy", "fake=no-balloon");

    fixture_do(fixture, path, "Create", FLAGS(0));
    set_memory(fixture, path, 32768, 0);
    assert_current(fixture, path, 0, "65536");
}

static void
test_config(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "kept", "");

    set_memory(fixture, path, 131072, VIR_DOMAIN_AFFECT_CONFIG | VIR_DOMAIN_MEM_MAXIMUM);
    set_memory(fixture, path, 98304, 0);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    assert_current(fixture, path, 0, "98304");
}

static void
assert_refused(Fixture *fixture, const char *path, guint64 kib, guint flags, const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, "SetMemory", g_variant_new("(tu)", kib, flags), NULL,
                       text);
}

static void
test_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "firm", "");
    g_autofree char *bare = fixture_define_with(fixture, "bare", "", NONE);

    assert_refused(fixture, path, 4096, VIR_DOMAIN_AFFECT_LIVE,
                   "Requested operation is not valid: domain is not running");
    assert_refused(fixture, path, 70000, 0,
                   "invalid argument: cannot set memory higher than max memory");
    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_refused(fixture, path, 70000, 0,
                   "invalid argument: cannot set memory higher than max memory");
    assert_refused(fixture, path, 70000, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_MEM_MAXIMUM,
                   "Requested operation is not valid: cannot resize the maximum memory on an "
                   "active domain");
    fixture_do(fixture, bare, "Create", FLAGS(0));
    assert_refused(fixture, bare, 4096, 0,
                   "Requested operation is not valid: Unable to change memory of active domain "
                   "without the balloon device and guest OS balloon driver");
}

static guint64
stat_of(Fixture *fixture, const char *path, int wanted)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "MemoryStats", FLAGS(0), "(a{it})");
    g_autoptr(GVariantIter) stats = NULL;
    guint64 value;
    int tag;

    g_variant_get(reply, "(a{it})", &stats);
    while (g_variant_iter_next(stats, "{it}", &tag, &value)) {
        if (tag == wanted)
            return value;
    }
    return G_MAXUINT64;
}

/* The same in the group of all domains' statistics, in libvirt's words. */
static void
assert_group(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetStats",
                     g_variant_new("(uu)", VIR_DOMAIN_STATS_BALLOON, 0), "(a{sv})");
    g_autofree char *text = g_variant_print(reply, FALSE);

    g_assert_nonnull(strstr(text, "'balloon.current': <<uint64 65536>>"));
    g_assert_nonnull(strstr(text, "'balloon.maximum': <<uint64 65536>>"));
    g_assert_nonnull(strstr(text, "'balloon.unused': <<uint64 40960>>"));
    g_assert_nonnull(strstr(text, "'balloon.available': <<uint64 61440>>"));
    g_assert_nonnull(strstr(text, "'balloon.major_fault': <<uint64 7>>"));
    g_assert_nonnull(strstr(text, "'balloon.last-update': <<uint64 1700000000>>"));
    g_assert_nonnull(strstr(text, "'balloon.rss': <<uint64 "));
    g_assert_null(strstr(text, "balloon.swap_in"));
}

static void
test_stats(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "counted", "");
    g_autofree char *xml = NULL;

    fixture_call_fails(fixture, path, DOMAIN, "MemoryStats", FLAGS(0), NULL,
                       "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "Create", FLAGS(0));
    g_assert_cmpuint(stat_of(fixture, path, VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON), ==, 65536);
    g_assert_cmpuint(stat_of(fixture, path, VIR_DOMAIN_MEMORY_STAT_UNUSED), ==, G_MAXUINT64);
    g_assert_cmpuint(stat_of(fixture, path, VIR_DOMAIN_MEMORY_STAT_RSS), >, 0);
    fixture_do(fixture, path, "SetMemoryStatsPeriod",
               g_variant_new("(iu)", 5, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG));
    g_assert_cmpuint(stat_of(fixture, path, VIR_DOMAIN_MEMORY_STAT_UNUSED), ==, 40960);
    g_assert_cmpuint(stat_of(fixture, path, VIR_DOMAIN_MEMORY_STAT_AVAILABLE), ==, 61440);
    g_assert_cmpuint(stat_of(fixture, path, VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT), ==, 7);
    g_assert_cmpuint(stat_of(fixture, path, VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE), ==, 1700000000);
    assert_group(fixture, path);
    fixture_signal_guests(fixture, SIGSTOP); /* who does not answer now has told before */
    g_assert_cmpuint(stat_of(fixture, path, VIR_DOMAIN_MEMORY_STAT_AVAILABLE), ==, 61440);
    assert_group(fixture, path);
    fixture_signal_guests(fixture, SIGCONT);
    xml = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_INACTIVE);
    g_assert_nonnull(strstr(xml, "<stats period='5'/>"));
}

/* What a guest gave back is known to a daemon that was not there. */
static void
test_restart(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "steady", "");
    g_autoptr(GVariant) updated = NULL;

    fixture_do(fixture, path, "Create", FLAGS(0));
    set_memory(fixture, path, 32768, 0);
    fixture_wait_signal(fixture, "BalloonChange (32768,)");
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    fixture_wait_signal(fixture, "BalloonChange (32768,)");
    assert_current(fixture, path, 0, "32768");
    updated = fixture_get(fixture, path, DOMAIN, "Updated");
    g_assert_false(g_variant_get_boolean(updated));
}

static void
assert_peek(Fixture *fixture, const char *path, guint64 address, guint64 size, guint flags,
            const char *bytes)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, DOMAIN, "MemoryPeek",
                                             g_variant_new("(ttu)", address, size, flags), "(ay)");
    g_autoptr(GVariant) array = g_variant_get_child_value(reply, 0);
    gsize n;
    const void *data = g_variant_get_fixed_array(array, &n, 1);

    g_assert_cmpmem(data, n, bytes, size);
}

static void
assert_no_peek(Fixture *fixture, const char *path, guint64 address, guint64 size, guint flags,
               const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, "MemoryPeek",
                       g_variant_new("(ttu)", address, size, flags), NULL, text);
}

static void
test_peek(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "seen", "");
    guint n;

    assert_no_peek(fixture, path, 0, 4, VIR_MEMORY_PHYSICAL,
                   "Requested operation is not valid: domain is not running");
    assert_no_peek(fixture, path, 0, 4, VIR_MEMORY_PHYSICAL | VIR_MEMORY_VIRTUAL,
                   "Flags 'VIR_MEMORY_VIRTUAL' and 'VIR_MEMORY_PHYSICAL' are mutually "
                   "exclusive");
    fixture_do(fixture, path, "Create", FLAGS(0));
    n = fixture_count_descriptors(fixture);
    assert_peek(fixture, path, 0x141, 3, VIR_MEMORY_PHYSICAL, "ABC");
    assert_peek(fixture, path, 0x141, 3, VIR_MEMORY_VIRTUAL, "BCD");
    assert_peek(fixture, path, 0x141, 0, VIR_MEMORY_PHYSICAL, "");
    assert_no_peek(fixture, path, 0, 4, 0,
                   "invalid argument: flags parameter must be VIR_MEMORY_VIRTUAL or "
                   "VIR_MEMORY_PHYSICAL");
    assert_no_peek(fixture, path, 0, 4, 8, "unsupported flags (0x8) *");
    assert_no_peek(fixture, path, 0, (4 << 20) + 1, VIR_MEMORY_PHYSICAL,
                   "invalid argument: size too large for a peek*");
    assert_no_peek(fixture, path, 16 << 20, 1, VIR_MEMORY_PHYSICAL, "*There is no RAM there");
    fixture_expect_descriptors(fixture, n);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/memory/set-live", test_set_live);
    g_test_add_func("/bus/memory/unwilling", test_unwilling);
    g_test_add_func("/bus/memory/config", test_config);
    g_test_add_func("/bus/memory/refused", test_refused);
    g_test_add_func("/bus/memory/stats", test_stats);
    g_test_add_func("/bus/memory/restart", test_restart);
    g_test_add_func("/bus/memory/peek", test_peek);
    return g_test_run();
}
