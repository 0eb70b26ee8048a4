/* Snapshots of the test driver: the tree, its filters, what may be made, gone back to and deleted, and what is told of it.
 * The states and events are those of libvirt's test driver.
 */
#include "driver/driver.h"
#include "driver/error.h"
#include "driver/snapshot.h"

#include <libvirt/libvirt.h>
#include <string.h>

typedef struct Fixture {
    Driver *driver;
    Domain *domain;
    GString *told; /* "event/detail " */
    gboolean answered;
    GError *error;
} Fixture;

static void
on_lifecycle(gpointer data, Domain *domain, int event, int detail)
{
    g_string_append_printf(((Fixture *)data)->told, "%d/%d ", event, detail);
}

static void
answer(gpointer data, const GError *error)
{
    Fixture *f = data;

    g_assert_false(f->answered);
    f->answered = TRUE;
    g_clear_error(&f->error);
    f->error = error ? g_error_copy(error) : NULL;
}

static void
answer_created(gpointer data, const Snapshot *snapshot, const GError *error)
{
    g_assert_true(!snapshot == !!error);
    answer(data, error);
}

static void
wait_answer(Fixture *f)
{
    while (!f->answered)
        g_main_context_iteration(NULL, TRUE);
    f->answered = FALSE;
}

static void
set_up(Fixture *f, gconstpointer unused)
{
    const DriverEvents events = { .lifecycle = on_lifecycle, .data = f };
    g_autoptr(GError) error = NULL;

    f->told = g_string_new(NULL);
    f->driver = driver_new_test(&events, &error);
    g_assert_no_error(error);
    while (!driver_is_settled(f->driver))
        g_main_context_iteration(NULL, TRUE);
    f->domain = domain_ref(driver_find_name(f->driver, "test", NULL));
    g_string_truncate(f->told, 0);
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    domain_unref(f->domain);
    driver_free(f->driver);
    g_clear_error(&f->error);
    g_string_free(f->told, TRUE);
}

static void
create_xml(Fixture *f, const char *xml, guint flags)
{
    domain_snapshot_create(f->domain, xml, flags, answer_created, f);
    wait_answer(f);
}

static void
create(Fixture *f, const char *name)
{
    g_autofree char *xml =
        g_strdup_printf("<domainsnapshot><name>%s</name></domainsnapshot>", name);

    create_xml(f, xml, 0);
    g_assert_no_error(f->error);
}

static void
revert(Fixture *f, const char *name, guint flags)
{
    domain_snapshot_revert(f->domain, name, flags, answer, f);
    wait_answer(f);
}

static void
delete_snapshot(Fixture *f, const char *name, guint flags)
{
    domain_snapshot_delete(f->domain, name, flags, answer, f);
    wait_answer(f);
}

static void
do_verb(Fixture *f, void (*verb)(Domain *domain, DomainDone done, gpointer data))
{
    verb(f->domain, answer, f);
    wait_answer(f);
    g_assert_no_error(f->error);
}

static void
destroy(Fixture *f)
{
    domain_destroy(f->domain, 0, answer, f);
    wait_answer(f);
}

static void
start(Fixture *f)
{
    domain_start(f->domain, 0, answer, f);
    wait_answer(f);
    g_assert_no_error(f->error);
}

static void
assert_listed(Fixture *f, const char *from, guint flags, const char *expected)
{
    const Snapshot *below = from ? domain_find_snapshot(f->domain, from, NULL) : NULL;
    g_autoptr(GPtrArray) found = domain_list_snapshots(f->domain, below, flags, NULL);
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < found->len; i++)
        g_string_append_printf(names, "%s ", snapshot_name(g_ptr_array_index(found, i)));
    g_assert_cmpstr(names->str, ==, expected);
}

static void
assert_current(Fixture *f, const char *name)
{
    const Snapshot *current = domain_current_snapshot(f->domain, 0, NULL);

    g_assert_cmpstr(current ? snapshot_name(current) : NULL, ==, name);
}

static void
assert_failed(Fixture *f, int code, const char *message)
{
    g_assert_error(f->error, DRIVER_ERROR, code);
    g_assert_cmpstr(f->error->message, ==, message);
}

static void
redefine(Fixture *f, const char *name, const char *parent, const char *rest, guint flags)
{
    g_autofree char *above =
        parent ? g_strdup_printf("<parent><name>%s</name></parent>", parent) : g_strdup("");
    g_autofree char *xml = g_strdup_printf(
        "<domainsnapshot><name>%s</name>%s<creationTime>7</creationTime>%s</domainsnapshot>", name,
        above, rest);

    create_xml(f, xml, flags | VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE);
}

#define DOMAIN_OF(uuid, kib)                                                                       \
    "<domain type='test'><name>test</name><uuid>" uuid "</uuid><memory>" kib                       \
    "</memory><os><type>hvm</type></os></domain>"
#define UUID   "6695eb01-f6a4-8304-79aa-97f2502e193f"
#define DOMAIN DOMAIN_OF(UUID, "65536")

/* a -> b -> c, a -> d -> e, a -> g; current: g */
static void
grow(Fixture *f)
{
    create(f, "a");
    create(f, "b");
    create(f, "c");
    revert(f, "a", 0);
    create(f, "d");
    create(f, "e");
    revert(f, "a", 0);
    create(f, "g");
}

static void
test_tree(Fixture *f, gconstpointer unused)
{
    const guint descendants = VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS;
    g_autoptr(GError) error = NULL;

    assert_listed(f, NULL, 0, "");
    g_assert_null(domain_current_snapshot(f->domain, 0, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_NO_DOMAIN_SNAPSHOT);
    grow(f);
    assert_listed(f, NULL, 0, "a g d e b c ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_ROOTS, "a ");
    assert_listed(f, "a", 0, "g d b ");
    assert_listed(f, "a", descendants, "g d e b c ");
    assert_listed(f, "e", descendants, "");
    assert_listed(f, "a", descendants | VIR_DOMAIN_SNAPSHOT_LIST_LEAVES, "g e c ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES, "a d b ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_LEAVES | VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES,
                  "a g d e b c ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_METADATA, "a g d e b c ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA, "");
    assert_current(f, "g");
    delete_snapshot(f, "a", 0);
    assert_listed(f, NULL, 0, "g d e b c ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_ROOTS, "g d b ");
    g_assert_null(snapshot_parent(domain_find_snapshot(f->domain, "b", NULL), 0, NULL));
    delete_snapshot(f, "g", 0);
    assert_current(f, NULL);
}

static void
test_delete(Fixture *f, gconstpointer unused)
{
    grow(f);
    revert(f, "e", 0);
    delete_snapshot(f, "d", VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY);
    assert_listed(f, NULL, 0, "a g d b c ");
    assert_current(f, "d");
    revert(f, "c", 0);
    delete_snapshot(f, "b", VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN);
    assert_listed(f, NULL, 0, "a g d ");
    assert_current(f, "a");
    delete_snapshot(f, "nope", 0);
    assert_failed(f, VIR_ERR_NO_DOMAIN_SNAPSHOT,
                  "Domain snapshot not found: no domain snapshot with matching name 'nope'");
    delete_snapshot(f, "a", VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY);
    assert_failed(f, VIR_ERR_INVALID_ARG,
                  "unsupported flags (0x2) in function virDomainSnapshotDelete");
    delete_snapshot(f, "a",
                    VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY);
    assert_failed(f, VIR_ERR_INVALID_ARG,
                  "Flags 'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN' and "
                  "'VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY' are mutually exclusive");
}

static void
test_status_filters(Fixture *f, gconstpointer unused)
{
    create(f, "on");
    create_xml(f,
               "<domainsnapshot><name>ext</name><memory file='/m'/><disks><disk name='vda'>"
               "<source file='/x'/></disk></disks></domainsnapshot>",
               0);
    g_assert_no_error(f->error);
    destroy(f);
    create(f, "off");
    redefine(f, "disk", "off", "<state>disk-snapshot</state>" DOMAIN, 0);
    g_assert_no_error(f->error);
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE, "on ext ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE, "off ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY, "disk ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE | VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY,
                  "on ext disk ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL, "ext ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL, "on off disk ");
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL | VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE,
                  "on ");
}

static void
test_create_refused(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *xml;
        guint flags;
        int code;
        const char *message;
    } cases[] = {
        { "<domainsnapshot><name>a</name></domainsnapshot>", 0, VIR_ERR_OPERATION_FAILED,
          "operation failed: domain moment a already exists" },
        { "<foo/>", 0, VIR_ERR_XML_ERROR,
          "XML error: expecting root element of 'domainsnapshot', not 'foo'" },
        { "<domainsnapshot/>", VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY, VIR_ERR_INVALID_ARG,
          "unsupported flags (0x10) in function virDomainSnapshotCreateXML" },
        { "<domainsnapshot/>", VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA, VIR_ERR_INVALID_ARG,
          "unsupported flags (0x4) in function virDomainSnapshotCreateXML" },
        { "<domainsnapshot/>", VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT, VIR_ERR_INVALID_ARG,
          "unsupported flags (0x20) in function virDomainSnapshotCreateXML" },
        { "<domainsnapshot/>", VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT, VIR_ERR_INVALID_ARG,
          "Flag 'VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE' is required by flag "
          "'VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT'" },
        { "<domainsnapshot/>",
          VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA,
          VIR_ERR_INVALID_ARG,
          "Flags 'VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE' and "
          "'VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA' are mutually exclusive" },
        { "<domainsnapshot/>",
          VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | VIR_DOMAIN_SNAPSHOT_CREATE_HALT,
          VIR_ERR_INVALID_ARG,
          "Flags 'VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE' and 'VIR_DOMAIN_SNAPSHOT_CREATE_HALT' are "
          "mutually exclusive" },
        { "<domainsnapshot><disks><disk name='vda' snapshot='manual'/></disks></domainsnapshot>", 0,
          VIR_ERR_OPERATION_UNSUPPORTED,
          "Operation not supported: 'manual' snapshot mode is not supported by the test driver" },
        { "<domainsnapshot><disks><disk name='vda' snapshot='no'/></disks></domainsnapshot>", 0,
          VIR_ERR_CONFIG_UNSUPPORTED,
          "unsupported configuration: disk 'vda' must use snapshot mode 'internal'" },
        { "<domainsnapshot><memory file='/m'/></domainsnapshot>", 0, VIR_ERR_CONFIG_UNSUPPORTED,
          "unsupported configuration: source for disk 'vda' is not a regular file; refusing to "
          "generate external snapshot name" },
    };

    create(f, "a");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        create_xml(f, cases[i].xml, cases[i].flags);
        assert_failed(f, cases[i].code, cases[i].message);
    }
    g_assert_cmpint(domain_n_snapshots(f->domain), ==, 1);
    create_xml(f, "<domainsnapshot><name>b</name></domainsnapshot>",
               VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC |
                   VIR_DOMAIN_SNAPSHOT_CREATE_LIVE);
    g_assert_no_error(f->error);
}

/* The schema is libvirt's question to the document before it is read. */
static void
test_validate(Fixture *f, gconstpointer unused)
{
    create_xml(f, "<domainsnapshot><name>a</name></domainsnapshot>",
               VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE);
    g_assert_no_error(f->error);
    create_xml(f, "<domainsnapshot><disks><disk/></disks></domainsnapshot>",
               VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE);
    g_assert_error(f->error, DRIVER_ERROR, VIR_ERR_XML_INVALID_SCHEMA);
}

static void
test_redefine(Fixture *f, gconstpointer unused)
{
    static const struct {
        const char *name, *parent, *rest, *message; /* NULL: it is taken */
    } cases[] = {
        { "r4", NULL, "<state>shutoff</state>", "internal error: missing domain in snapshot" },
        { "r5", NULL, "<state>shutoff</state>" DOMAIN, NULL },
        { "r6", "nopar", "<state>shutoff</state>" DOMAIN,
          "invalid argument: parent nopar for moment r6 not found" },
        { "r7", "r7", "<state>shutoff</state>" DOMAIN,
          "invalid argument: cannot set moment r7 as its own parent" },
        { "r8", "r5", "<state>running</state>" DOMAIN, NULL },
        { "r5", "r8", "<state>shutoff</state>" DOMAIN,
          "invalid argument: parent r8 would create cycle to r5" },
        { "r5", NULL, "<state>running</state>" DOMAIN,
          "invalid argument: cannot change between online and offline snapshot state in snapshot "
          "r5" },
        { "r5", NULL, "<state>disk-snapshot</state>" DOMAIN,
          "invalid argument: cannot change between disk only and full system in snapshot r5" },
        { "r12", NULL,
          "<state>shutoff</state>" DOMAIN_OF("7695eb01-f6a4-8304-79aa-97f2502e193f", "65536"),
          "invalid argument: definition for snapshot r12 must use uuid " UUID },
        { "r5", NULL, "<state>shutoff</state>" DOMAIN_OF(UUID, "65535"),
          "unsupported configuration: Target domain max memory 65535 does not match source 65536" },
        { "r5", NULL, "<description>again</description><state>shutoff</state>", NULL },
    };
    g_autofree char *xml = NULL;

    create(f, "now");
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        redefine(f, cases[i].name, cases[i].parent, cases[i].rest, 0);
        if (cases[i].message)
            assert_failed(f, f->error ? f->error->code : 0, cases[i].message);
        else
            g_assert_no_error(f->error);
    }
    assert_listed(f, NULL, VIR_DOMAIN_SNAPSHOT_LIST_ROOTS, "r5 now ");
    assert_listed(f, "r5", 0, "r8 ");
    assert_current(f, "now");
    xml = snapshot_xml(domain_find_snapshot(f->domain, "r5", NULL), 0, NULL);
    g_assert_nonnull(strstr(xml, "<description>again</description>"));
    g_assert_nonnull(strstr(xml, "<memory unit='KiB'>65536</memory>"));
    redefine(f, "r5", NULL, "<state>shutoff</state>", VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT);
    g_assert_no_error(f->error);
    assert_current(f, "r5");
    g_assert_cmpstr(f->told->str, ==, "");
}

/* Going back: from each state to each, with each flag. */

static void
bring_to(Fixture *f, char state)
{
    if (domain_is_active(f->domain))
        destroy(f);
    if (state != '0')
        start(f);
    if (state == 'p')
        do_verb(f, domain_suspend);
    g_string_truncate(f->told, 0);
}

static const char *const by_state[] = { ['0'] = "off", ['r'] = "running", ['p'] = "paused" };

static void
check_revert(Fixture *f, char from, char to, guint flags)
{
    gboolean runs = to != '0' || flags & 3;
    gboolean paused = flags & 1 ? FALSE : flags & 2 ? TRUE : to == 'p';
    g_autoptr(GString) expected = g_string_new(NULL);
    int state, reason;

    bring_to(f, from);
    revert(f, by_state[(int)to], flags);
    g_assert_no_error(f->error);
    if (from != '0')
        g_string_append(expected, "5/6 ");
    if (runs)
        g_string_append(expected, "2/3 ");
    if (runs && paused)
        g_string_append(expected, "3/5 ");
    g_assert_cmpstr(f->told->str, ==, expected->str);
    domain_state(f->domain, &state, &reason);
    if (!runs) {
        g_assert_cmpint(state, ==, VIR_DOMAIN_SHUTOFF);
        g_assert_cmpint(reason, ==,
                        from == '0' ? VIR_DOMAIN_SHUTOFF_DESTROYED
                                    : VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT);
    } else {
        g_assert_cmpint(state, ==, paused ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING);
        g_assert_cmpint(reason, ==,
                        paused ? VIR_DOMAIN_PAUSED_FROM_SNAPSHOT
                               : VIR_DOMAIN_RUNNING_FROM_SNAPSHOT);
    }
    assert_current(f, by_state[(int)to]);
}

static void
test_revert(Fixture *f, gconstpointer unused)
{
    static const guint flags[] = { 0, 1, 2, 4, 5, 6 };
    static const char states[] = "0rp";

    create(f, "running");
    do_verb(f, domain_suspend);
    create(f, "paused");
    destroy(f);
    create(f, "off");
    for (const char *from = states; *from; from++) {
        for (const char *to = states; *to; to++) {
            for (gsize i = 0; i < G_N_ELEMENTS(flags); i++)
                check_revert(f, *from, *to, flags[i]);
        }
    }
    revert(f, "off", 3);
    assert_failed(f, VIR_ERR_INVALID_ARG,
                  "Flags 'VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING' and "
                  "'VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED' are mutually exclusive");
    revert(f, "off", VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM);
    assert_failed(f, VIR_ERR_INVALID_ARG,
                  "unsupported flags (0x8) in function virDomainRevertToSnapshot");
}

/* The definition of then comes back, by the name of now. */
static void
test_revert_definition(Fixture *f, gconstpointer unused)
{
    g_autofree char *xml = NULL;

    destroy(f);
    create(f, "old");
    g_assert_nonnull(driver_define(f->driver, DOMAIN, 0, NULL));
    g_assert_cmpint(domain_persistent_def(f->domain)->memory_kib, ==, 65536);
    domain_rename(f->domain, "other", 0, answer, f);
    wait_answer(f);
    g_assert_no_error(f->error);
    revert(f, "old", 0);
    g_assert_no_error(f->error);
    g_assert_cmpint(domain_persistent_def(f->domain)->memory_kib, ==, 8388608);
    g_assert_true(driver_find_name(f->driver, "other", NULL) == f->domain);
    g_assert_cmpstr(domain_name(f->domain), ==, "other");
    xml = snapshot_xml(domain_find_snapshot(f->domain, "old", NULL), 0, NULL);
    g_assert_nonnull(strstr(xml, "<state>shutoff</state>"));
    g_assert_nonnull(strstr(xml, "<memory snapshot='no'/>"));
}

static void
test_halt(Fixture *f, gconstpointer unused)
{
    int state, reason;

    create_xml(f, "<domainsnapshot/>", VIR_DOMAIN_SNAPSHOT_CREATE_HALT);
    g_assert_no_error(f->error);
    g_assert_cmpstr(f->told->str, ==, "5/6 ");
    domain_state(f->domain, &state, &reason);
    g_assert_cmpint(state, ==, VIR_DOMAIN_SHUTOFF);
    g_assert_cmpint(reason, ==, VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT);
    create_xml(f, "<domainsnapshot><name>again</name></domainsnapshot>",
               VIR_DOMAIN_SNAPSHOT_CREATE_HALT);
    g_assert_no_error(f->error);
    g_assert_cmpint(domain_n_snapshots(f->domain), ==, 2);
}

static void
test_transient(Fixture *f, gconstpointer unused)
{
    destroy(f);
    create(f, "off");
    start(f);
    create(f, "on");
    g_assert_true(domain_undefine(f->domain, 0, NULL)); /* it goes on: so do they */
    create_xml(f, "<domainsnapshot/>", VIR_DOMAIN_SNAPSHOT_CREATE_HALT);
    assert_failed(f, VIR_ERR_OPERATION_INVALID,
                  "Requested operation is not valid: cannot halt after transient domain snapshot");
    revert(f, "off", 0);
    assert_failed(f, VIR_ERR_OPERATION_INVALID,
                  "Requested operation is not valid: transient domain needs to request run or "
                  "pause to revert to inactive snapshot");
    revert(f, "on", 0);
    g_assert_no_error(f->error);
    g_assert_false(domain_is_persistent(f->domain));
    g_assert_true(driver_find_name(f->driver, "test", NULL) == f->domain);
    revert(f, "off", VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED);
    g_assert_no_error(f->error);
    g_assert_true(domain_is_active(f->domain));
    destroy(f);
    g_assert_null(driver_find_name(f->driver, "test", NULL));
}

static void
test_undefine(Fixture *f, gconstpointer unused)
{
    g_autoptr(GPtrArray) with = NULL, without = NULL;
    g_autoptr(GError) error = NULL;

    destroy(f);
    create(f, "a");
    with = driver_list(f->driver, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, NULL);
    without = driver_list(f->driver, VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, NULL);
    g_assert_cmpint(with->len, ==, 1);
    g_assert_cmpint(without->len, ==, 0);
    g_assert_false(domain_undefine(f->domain, 0, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_INVALID);
    g_assert_cmpstr(error->message, ==,
                    "Requested operation is not valid: cannot delete inactive domain with 1 "
                    "snapshots");
    g_assert_true(domain_undefine(f->domain, VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA, NULL));
}

/* Whoever destroys the domain while it goes back is not undone. */
static void
test_destroyed_meanwhile(Fixture *f, gconstpointer unused)
{
    create(f, "on");
    g_assert_true(domain_undefine(f->domain, 0, NULL));
    domain_snapshot_revert(f->domain, "on", 0, answer, f);
    g_assert_false(f->answered);
    domain_destroy(f->domain, 0, answer, f);
    while (!f->answered)
        g_main_context_iteration(NULL, TRUE);
    f->answered = FALSE;
    while (!f->answered)
        g_main_context_iteration(NULL, TRUE);
    g_assert_true(domain_is_active(f->domain) ==
                  (driver_find_name(f->driver, "test", NULL) == f->domain));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*test)(Fixture *f, gconstpointer unused);
    } tests[] = {
        { "/snapshot/tree", test_tree },
        { "/snapshot/delete", test_delete },
        { "/snapshot/status-filters", test_status_filters },
        { "/snapshot/create-refused", test_create_refused },
        { "/snapshot/validate", test_validate },
        { "/snapshot/redefine", test_redefine },
        { "/snapshot/revert", test_revert },
        { "/snapshot/revert-definition", test_revert_definition },
        { "/snapshot/halt", test_halt },
        { "/snapshot/transient", test_transient },
        { "/snapshot/undefine", test_undefine },
        { "/snapshot/destroyed-meanwhile", test_destroyed_meanwhile },
    };

    g_autofree char *schemas = g_build_filename(g_getenv("VMCTL_TOP_SRCDIR"), "schemas", NULL);

    g_setenv("VMCTL_SCHEMAS", schemas, TRUE);
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
    return g_test_run();
}
