/* Side by side: libvirt-dbus in front of libvirt's test driver, and vmctld's own one, are asked the same and have to
 * answer the same, errors and signals included. Speaks TAP.
 *
 * conformance.cases has what is asked, conformance.differences what is allowed to differ, and why. Every method and
 * property of every interface that libvirt-dbus has must be among the former, every signal must have been heard or be
 * excused in the latter, and each row of the latter must have been needed.
 *
 * "--print" prints the answers instead: "= both" or "- libvirt-dbus" and "+ vmctld".
 */
#include "tests/bus/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_PATH "/org/libvirt/Test"
#define N_SIDES   2
#define WAIT_MS   10000

typedef struct Side {
    Fixture *fixture;
    GString *signals; /* heard since the last comparison, a line each */
} Side;

/* A row of conformance.differences: where @cases matches, @regex is replaced in what @whose answered. */
typedef struct Difference {
    GRegex *cases, *regex;
    char *whose, *replacement, *reason;
    gboolean needed;
} Difference;

typedef struct Conformance {
    Side sides[N_SIDES];
    GPtrArray *differences;
    GHashTable *interfaces; /* name -> GDBusInterfaceInfo, as libvirt-dbus describes it */
    GHashTable *nodes;      /* what the former belong to: a set of GDBusNodeInfo */
    GHashTable *covered;    /* "interface.member": a set */
    GPtrArray *heard_in;    /* names of the cases since the last comparison of signals */
    gboolean print;
    guint n, n_failed;
} Conformance;

static const char *const names[N_SIDES] = { "libvirt-dbus", "vmctld" };

/* Output */

static void
print_lines(const char *prefix, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++)
        printf("%s%s\n", prefix, *line);
}

static void
result(Conformance *c, const char *name, gboolean ok)
{
    printf("%sok %u - %s\n", ok ? "" : "not ", ++c->n, name);
    c->n_failed += !ok;
    fflush(stdout);
}

/* Differences */

static char **
read_lines(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "bus", name, NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return g_strsplit(text, "\n", -1);
}

static GRegex *
regex_new(const char *pattern)
{
    g_autoptr(GError) error = NULL;
    GRegex *regex = g_regex_new(pattern, G_REGEX_MULTILINE, 0, &error);

    g_assert_no_error(error);
    return regex;
}

static void
difference_free(gpointer data)
{
    Difference *row = data;

    g_regex_unref(row->cases);
    g_regex_unref(row->regex);
    g_free(row->whose);
    g_free(row->replacement);
    g_free(row->reason);
    g_free(row);
}

static void
read_differences(Conformance *c)
{
    g_auto(GStrv) lines = read_lines("conformance.differences");

    c->differences = g_ptr_array_new_with_free_func(difference_free);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) column = g_strsplit(*line, "\t", -1);
        Difference *row;

        if (**line == '#' || **line == '\0')
            continue;
        if (g_strv_length(column) != 5)
            g_error("not five columns: %s", *line);
        row = g_new0(Difference, 1);
        row->cases = regex_new(column[0]);
        row->whose = g_strdup(column[1]);
        row->regex = regex_new(column[2]);
        row->replacement = g_strdup(column[3]);
        row->reason = g_strdup(column[4]);
        g_ptr_array_add(c->differences, row);
    }
}

static void
edit_one(Difference *row, const char *side, char **text)
{
    char *edited;

    if (!g_str_equal(row->whose, "both") && !g_str_equal(row->whose, side))
        return;
    edited = g_regex_replace(row->regex, *text, -1, 0, row->replacement, 0, NULL);
    g_assert_nonnull(edited);
    row->needed |= !g_str_equal(edited, *text);
    g_free(*text);
    *text = edited;
}

/* Whether the answers are the same but for what is listed. A row is needed where they differ without it. */
static gboolean
same(Conformance *c, const char *name, const char *const text[N_SIDES])
{
    char *edited[N_SIDES] = { g_strdup(text[0]), g_strdup(text[1]) };
    gboolean equal = g_str_equal(edited[0], edited[1]);

    for (guint i = 0; i < c->differences->len && !equal; i++) {
        Difference *row = c->differences->pdata[i];

        if (!g_regex_match(row->cases, name, 0, NULL))
            continue;
        for (guint side = 0; side < N_SIDES; side++)
            edit_one(row, names[side], &edited[side]);
        equal = g_str_equal(edited[0], edited[1]);
    }
    for (guint side = 0; side < N_SIDES; side++)
        g_free(edited[side]);
    return equal;
}

static void
compare(Conformance *c, const char *name, const char *const text[N_SIDES])
{
    gboolean ok = same(c, name, text);

    if (c->print && g_str_equal(text[0], text[1])) {
        printf("%s\n", name);
        print_lines("  = ", text[0]);
    }
    if (!ok || (c->print && !g_str_equal(text[0], text[1]))) {
        if (c->print)
            printf("%s%s\n", name, ok ? "" : " DIFFERS");
        print_lines(c->print ? "  - " : "# - ", text[0]);
        print_lines(c->print ? "  + " : "# + ", text[1]);
    }
    if (!c->print)
        result(c, name, ok);
}

/* The two sides */

static void
on_signal(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
          const char *signal, GVariant *args, gpointer data)
{
    Side *side = data;
    g_autofree char *text = g_variant_print(args, FALSE);

    g_string_append_printf(side->signals, "%s %s.%s %s\n",
                           g_str_has_prefix(path, TEST_PATH) ? path + strlen(TEST_PATH) : path,
                           interface, signal, text);
}

static void
listen_to(Side *side)
{
    side->signals = g_string_new(NULL);
    g_dbus_connection_signal_subscribe(side->fixture->client, BUS_NAME, NULL, NULL, NULL, NULL,
                                       G_DBUS_SIGNAL_FLAGS_NONE, on_signal, side, NULL);
}

static void
name_appeared(GDBusConnection *bus, const char *name, const char *owner, gpointer data)
{
    *(gboolean *)data = TRUE;
}

/* libvirt-dbus on a bus of its own. */
static Fixture *
start_peer(const char *program)
{
    const char *argv[] = { program, "--session", NULL };
    Fixture *fixture = fixture_new_bare();
    gboolean there = FALSE;
    guint watch = g_bus_watch_name_on_connection(fixture->client, BUS_NAME,
                                                 G_BUS_NAME_WATCHER_FLAGS_NONE, name_appeared, NULL,
                                                 &there, NULL);

    fixture->daemon = fixture_spawn(fixture, G_SUBPROCESS_FLAGS_NONE, argv);
    while (!there)
        g_main_context_iteration(NULL, TRUE);
    g_bus_unwatch_name(watch);
    return fixture;
}

/* Where libvirt-dbus is; NULL: there is none. */
static char *
find_peer(void)
{
    g_autofree char *script =
        g_build_filename(g_getenv("VMCTL_TOP_SRCDIR"), "tests/cli/peer", NULL);
    g_autoptr(GSubprocess) process = g_subprocess_new(
        G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, "bash", script,
        "find", NULL);
    char *path = NULL;

    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &path, NULL, NULL));
    if (g_subprocess_get_successful(process))
        return g_strchomp(path);
    g_free(path);
    return NULL;
}

/* Interfaces */

static const struct {
    const char *below, *interface;
} kinds[] = {
    { "/domain/", "org.libvirt.Domain" },           { "/domainsnapshot/", "org.libvirt.DomainSnapshot" },
    { "/network/", "org.libvirt.Network" },         { "/storagepool/", "org.libvirt.StoragePool" },
    { "/storagevol/", "org.libvirt.StorageVol" },   { "/nodedev/", "org.libvirt.NodeDevice" },
    { "/interface/", "org.libvirt.Interface" },     { "/secret/", "org.libvirt.Secret" },
    { "/nwfilter/", "org.libvirt.NWFilter" },
};

static const char *
interface_at(const char *path)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_has_prefix(path, kinds[i].below))
            return kinds[i].interface;
    }
    return CONNECT;
}

static GVariant *
call(const Side *side, const char *path, const char *interface, const char *member, GVariant *args,
     GError **error)
{
    g_autofree char *full = g_strconcat(TEST_PATH, g_str_equal(path, "/") ? "" : path, NULL);

    return g_dbus_connection_call_sync(side->fixture->client, BUS_NAME, full, interface, member,
                                       args, NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, 60000, NULL,
                                       error);
}

static void
learn_interface(Conformance *c, const char *path, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = call(&c->sides[0], path, "org.freedesktop.DBus.Introspectable",
                                     "Introspect", NULL, &error);
    GDBusInterfaceInfo *info;
    GDBusNodeInfo *node;
    const char *xml;

    g_assert_no_error(error);
    g_variant_get(reply, "(&s)", &xml);
    node = g_dbus_node_info_new_for_xml(xml, &error);
    g_assert_no_error(error);
    g_hash_table_add(c->nodes, node);
    info = g_dbus_node_info_lookup_interface(node, name);
    g_assert_nonnull(info);
    g_hash_table_insert(c->interfaces, g_strdup(name), info);
}

static void
learn_interfaces(Conformance *c)
{
    c->interfaces = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    c->nodes = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)g_dbus_node_info_unref, NULL);
    learn_interface(c, "/", CONNECT);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *path = g_strconcat(kinds[i].below, "_x", NULL);

        learn_interface(c, path, kinds[i].interface);
    }
}

/* Cases */

static char *
type_of(const GDBusMethodInfo *method)
{
    GString *type = g_string_new("(");

    for (GDBusArgInfo **arg = method->in_args; arg && *arg; arg++)
        g_string_append(type, (*arg)->signature);
    return g_string_free(g_string_append_c(type, ')'), FALSE);
}

/* The arguments "0, 'x'", which have no outer parentheses, for @method. */
static GVariant *
parse_args(const GDBusMethodInfo *method, const char *text)
{
    gboolean single = method->in_args && method->in_args[0] && !method->in_args[1];
    g_autofree char *tuple = g_strdup_printf(single ? "(%s,)" : "(%s)", text);
    g_autofree char *type = type_of(method);
    g_autoptr(GError) error = NULL;
    GVariant *args = g_variant_parse(G_VARIANT_TYPE(type), tuple, NULL, NULL, &error);

    if (!args)
        g_error("%s %s: %s", method->name, text, error->message);
    return args;
}

static int
by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The elements of an array that is in no order. */
static char *
print_sorted(GVariant *array, const char *open, const char *close)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *inner = NULL;

    for (gsize i = 0; i < g_variant_n_children(array); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(array, i);

        g_ptr_array_add(texts, g_variant_print(child, FALSE));
    }
    g_ptr_array_sort(texts, by_text);
    g_ptr_array_add(texts, NULL);
    inner = g_strjoinv(", ", (char **)texts->pdata);
    return g_strconcat(open, inner, close, NULL);
}

/* A list of objects is in no order, nor is a dictionary. */
static char *
print_reply(GVariant *reply)
{
    g_autoptr(GVariant) only = NULL;

    if (g_variant_n_children(reply) != 1)
        return g_variant_print(reply, FALSE);
    only = g_variant_get_child_value(reply, 0);
    if (g_variant_is_of_type(only, G_VARIANT_TYPE("ao")))
        return print_sorted(only, "([", "],)");
    if (g_variant_is_of_type(only, G_VARIANT_TYPE_DICTIONARY))
        return print_sorted(only, "({", "},)");
    return g_variant_print(reply, FALSE);
}

static char *
ask(const Side *side, const char *path, const char *interface, const char *member, GVariant *args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = call(side, path, interface, member, args, &error);
    g_autofree char *name = NULL;

    if (reply)
        return print_reply(reply);
    name = g_dbus_error_get_remote_error(error);
    g_dbus_error_strip_remote_error(error);
    return g_strdup_printf("%s: %s", name ? name : "no answer", error->message);
}

static void
cover(Conformance *c, const char *interface, const char *member)
{
    g_hash_table_add(c->covered, g_strconcat(interface, ".", member, NULL));
}

/* "Get NAME", "Set NAME VALUE" and "GetAll" are of the properties. */
static GVariant *
property_args(Conformance *c, const char *interface, const char *member, const char *rest)
{
    g_auto(GStrv) words = g_strsplit(rest, " ", 2);

    if (g_str_equal(member, "GetAll"))
        return g_variant_new("(s)", interface);
    cover(c, interface, words[0]);
    if (g_str_equal(member, "Get"))
        return g_variant_new("(ss)", interface, words[0]);
    return g_variant_new("(ssv)", interface, words[0],
                         g_variant_new_parsed(words[1]));
}

static gboolean
is_property_member(const char *member)
{
    return g_str_equal(member, "Get") || g_str_equal(member, "Set") ||
           g_str_equal(member, "GetAll");
}

/* A path, or the short name of one of the objects that the cases are about. */
static const char *
resolve(const char *path)
{
    static const char *const short_names[][2] = {
        { "test", "/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f" },
        { "other", "/domain/_11111111_2222_3333_4444_555555555555" },
        { "nobody", "/domain/_00000000_0000_0000_0000_000000000000" },
        { "network", "/network/_dd8fe884_6c02_601e_7551_cca97df1c5df" },
        { "net2", "/network/_11111111_2222_3333_4444_555555555555" },
        { "pool", "/storagepool/_dfe224cb_28fb_8dd0_c4b2_64eb3f0f4566" },
        { "pool2", "/storagepool/_11111111_2222_3333_4444_555555555555" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(short_names); i++) {
        if (g_str_equal(path, short_names[i][0]))
            return short_names[i][1];
    }
    return path;
}

/* "@DIR@" is a directory of the test's. */
static char *
fill_in(const Conformance *c, const char *line)
{
    g_auto(GStrv) parts = g_strsplit(line, "@DIR@", -1);

    return g_strjoinv(c->sides[0].fixture->dir, parts);
}

static void
run_case(Conformance *c, const char *line)
{
    g_autofree char *text_line = fill_in(c, line);
    g_auto(GStrv) words = g_strsplit(text_line, " ", 3);
    const char *path = resolve(words[0]), *member = words[1], *rest = member && words[2] ? words[2] : "";
    const char *interface = interface_at(path), *called = interface;
    g_autoptr(GVariant) args = NULL;
    char *text[N_SIDES];

    g_assert_nonnull(member);
    if (is_property_member(member)) {
        called = PROPERTIES;
        args = property_args(c, interface, member, rest);
    } else {
        GDBusMethodInfo *method = g_dbus_interface_info_lookup_method(
            g_hash_table_lookup(c->interfaces, interface), member);

        if (!method)
            g_error("%s has no %s", interface, member);
        args = parse_args(method, rest);
        cover(c, interface, member);
    }
    g_variant_ref_sink(args);
    for (guint i = 0; i < N_SIDES; i++)
        text[i] = ask(&c->sides[i], path, called, member, args);
    compare(c, line, (const char *const *)text);
    for (guint i = 0; i < N_SIDES; i++)
        g_free(text[i]);
}

/* Signals */

static gboolean
too_late(gpointer data)
{
    *(gboolean *)data = TRUE;
    return G_SOURCE_REMOVE;
}

/* The signals of a paragraph. They come when they come, but in their order. */
static void
compare_signals(Conformance *c, const char *paragraph)
{
    g_autofree char *name = g_strdup_printf("signals of %s", paragraph);
    gboolean late = FALSE;
    guint timer = g_timeout_add(WAIT_MS, too_late, &late);
    const char *text[N_SIDES];

    do {
        while (g_main_context_iteration(NULL, FALSE))
            ;
        for (guint i = 0; i < N_SIDES; i++)
            text[i] = c->sides[i].signals->str;
        if (same(c, name, text))
            break;
        g_main_context_iteration(NULL, TRUE);
    } while (!late);
    if (!late)
        g_source_remove(timer);
    compare(c, name, text);
    for (guint i = 0; i < N_SIDES; i++) {
        g_auto(GStrv) lines = g_strsplit(c->sides[i].signals->str, "\n", -1);

        for (char **line = lines; *line; line++) {
            g_auto(GStrv) words = g_strsplit(*line, " ", 3);

            if (words[0] && words[1])
                g_hash_table_add(c->covered, g_strdup(words[1]));
        }
        g_string_truncate(c->sides[i].signals, 0);
    }
}

static void
run_cases(Conformance *c)
{
    g_auto(GStrv) lines = read_lines("conformance.cases");
    g_autofree char *paragraph = g_strdup("the start");

    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "##"))
            continue;
        if (g_str_has_prefix(*line, "# ")) {
            g_free(paragraph);
            paragraph = g_strdup(*line + 2);
        } else if (**line) {
            run_case(c, *line);
        } else {
            compare_signals(c, paragraph);
        }
    }
}

/* Completeness */

/* A signal that nothing brings about is excused by a row for "never NAME". */
static gboolean
is_excused(Conformance *c, const char *member)
{
    g_autofree char *name = g_strconcat("never ", member, NULL);

    for (guint i = 0; i < c->differences->len; i++) {
        Difference *row = c->differences->pdata[i];

        if (g_str_has_prefix(g_regex_get_pattern(row->cases), "^never ") &&
            g_regex_match(row->cases, name, 0, NULL))
            return row->needed = TRUE;
    }
    return FALSE;
}

static void
check_covered(Conformance *c, const char *interface, const char *member, GString *missing)
{
    g_autofree char *name = g_strconcat(interface, ".", member, NULL);

    if (!g_hash_table_contains(c->covered, name) && !is_excused(c, name))
        g_string_append_printf(missing, "%s\n", name);
}

static void
check_complete(Conformance *c)
{
    g_autoptr(GString) missing = g_string_new(NULL), stale = g_string_new(NULL);
    GHashTableIter interfaces;
    gpointer name, info;

    g_hash_table_iter_init(&interfaces, c->interfaces);
    while (g_hash_table_iter_next(&interfaces, &name, &info)) {
        GDBusInterfaceInfo *interface = info;

        for (GDBusMethodInfo **at = interface->methods; at && *at; at++)
            check_covered(c, name, (*at)->name, missing);
        for (GDBusPropertyInfo **at = interface->properties; at && *at; at++)
            check_covered(c, name, (*at)->name, missing);
        for (GDBusSignalInfo **at = interface->signals; at && *at; at++)
            check_covered(c, name, (*at)->name, missing);
    }
    for (guint i = 0; i < c->differences->len; i++) {
        Difference *row = c->differences->pdata[i];

        if (!row->needed)
            g_string_append_printf(stale, "%s %s: %s\n", g_regex_get_pattern(row->cases),
                                   g_regex_get_pattern(row->regex), row->reason);
    }
    print_lines("# not asked: ", missing->str);
    result(c, "every member was asked", missing->len == 0);
    print_lines("# not needed: ", stale->str);
    result(c, "every difference that is listed was there", stale->len == 0);
}

/* All of it */

static void
start(Conformance *c, const char *peer)
{
    c->sides[0].fixture = start_peer(peer);
    c->sides[1].fixture = fixture_new();
    for (guint i = 0; i < N_SIDES; i++)
        listen_to(&c->sides[i]);
    c->covered = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    read_differences(c);
    learn_interfaces(c);
}

static void
end(Conformance *c)
{
    g_subprocess_force_exit(c->sides[0].fixture->daemon);
    g_subprocess_wait(c->sides[0].fixture->daemon, NULL, NULL);
    g_clear_object(&c->sides[0].fixture->daemon);
    for (guint i = 0; i < N_SIDES; i++) {
        fixture_free(c->sides[i].fixture);
        g_string_free(c->sides[i].signals, TRUE);
    }
    g_ptr_array_unref(c->differences);
    g_hash_table_unref(c->interfaces);
    g_hash_table_unref(c->nodes);
    g_hash_table_unref(c->covered);
}

int
main(int argc, char **argv)
{
    g_autofree char *peer = NULL;
    Conformance c = { .print = argc > 1 && g_str_equal(argv[1], "--print") };

    g_test_init(&argc, &argv, NULL);
    peer = find_peer();
    if (!peer) {
        puts("1..0 # SKIP there is no libvirt-dbus");
        return 0;
    }
    start(&c, peer);
    run_cases(&c);
    check_complete(&c);
    printf("1..%u\n", c.n);
    end(&c);
    return c.n_failed ? 1 : 0;
}
