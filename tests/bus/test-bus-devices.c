/* What a guest's disks and network cards have done, and what they may do: figures and limits. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define FLAGS(n)    g_variant_new("(u)", (guint)(n))
#define LIVE        VIR_DOMAIN_AFFECT_LIVE
#define CONFIG      VIR_DOMAIN_AFFECT_CONFIG
#define MAC_ADDRESS "52:54:00:00:00:01"
#define CARD        "<interface type='user'><mac address='" MAC_ADDRESS "'/></interface>"
#define IMAGE_SIZE  65536

/* A domain with a disk "vda", in the file "disk" of the fixture's directory, and a card. */
static char *
define_guest(Fixture *fixture, const char *name, const char *cmdline)
{
    g_autofree char *zeros = g_malloc0(IMAGE_SIZE);
    g_autofree char *image = g_build_filename(fixture->dir, "disk", NULL);
    g_autofree char *devices = g_strdup_printf(
        "<disk type='file'><source file='%s'/><target dev='vda'/></disk>" CARD, image);

    g_assert_true(g_file_set_contents(image, zeros, IMAGE_SIZE, NULL));
    return fixture_define_with(fixture, name, cmdline, devices);
}

/* More than a guest's process is asked for at once: each has a port of its own. */
static void
test_many(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GString) devices = g_string_new(NULL);
    g_autofree char *image = g_build_filename(fixture->dir, "disk", NULL);
    g_autofree char *path = NULL;

    g_assert_true(g_file_set_contents(image, "", 0, NULL));
    for (guint i = 0; i < 40; i++)
        g_string_append_printf(devices,
                               "<disk type='file'><source file='%s'/><target dev='vd%s%c'/>"
                               "<readonly/></disk>",
                               image, i < 26 ? "" : "a", 'a' + i % 26);
    path = fixture_define_with(fixture, "many", "", devices->str);
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
}

/* Figures */

static GVariant *
stats_of(Fixture *fixture, const char *path, guint groups)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, DOMAIN, "GetStats",
                                             g_variant_new("(uu)", groups, 0), "(a{sv})");

    return g_variant_get_child_value(reply, 0);
}

/* A field as text, or "none". */
static char *
field(GVariant *stats, const char *name)
{
    g_autoptr(GVariant) wrapped = g_variant_lookup_value(stats, name, NULL);
    g_autoptr(GVariant) value = wrapped && g_variant_is_of_type(wrapped, G_VARIANT_TYPE_VARIANT)
                                    ? g_variant_get_variant(wrapped)
                                    : NULL;

    return value ? g_variant_print(value, FALSE) : g_strdup("none");
}

static void
assert_field(GVariant *stats, const char *name, const char *wanted)
{
    g_autofree char *text = field(stats, name);

    if (strcmp(text, wanted) != 0)
        g_error("%s is %s, not %s", name, text, wanted);
}

static void
test_inactive(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "still", "");
    g_autoptr(GVariant) stats =
        stats_of(fixture, path, VIR_DOMAIN_STATS_BLOCK | VIR_DOMAIN_STATS_INTERFACE);

    assert_field(stats, "block.count", "1");
    assert_field(stats, "block.0.name", "'vda'");
    assert_field(stats, "block.0.capacity", "65536");
    assert_field(stats, "block.0.physical", "65536");
    assert_field(stats, "block.0.rd.reqs", "none");
    assert_field(stats, "net.count", "none");
    fixture_call_fails(fixture, path, DOMAIN, "GetDiskErrors", FLAGS(0), NULL,
                       "Requested operation is not valid: domain is not running");
}

static void
test_active(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "busy", "");
    g_autoptr(GVariant) stats = NULL;

    fixture_do(fixture, path, "Create", FLAGS(0));
    stats = stats_of(fixture, path, VIR_DOMAIN_STATS_BLOCK | VIR_DOMAIN_STATS_INTERFACE);
    assert_field(stats, "block.0.rd.reqs", "100");
    assert_field(stats, "block.0.rd.times", "300");
    assert_field(stats, "block.0.fl.reqs", "700");
    assert_field(stats, "block.0.capacity", "1048576");
    assert_field(stats, "block.0.allocation", "4096");
    assert_field(stats, "block.0.physical", "8192");
    assert_field(stats, "net.count", "1");
    assert_field(stats, "net.0.name", "'net0'");
    assert_field(stats, "net.0.rx.bytes", "20");
    assert_field(stats, "net.0.tx.drop", "60");
    assert_field(stats, "vmctl.stale", "none");
}

/* A process that does not answer delays nobody, and what it said last counts, marked as such. */
static void
test_stale(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "stuck", "");
    g_autoptr(GVariant) before = NULL, first = NULL, later = NULL, after = NULL;
    gint64 quickest = G_MAXINT64;

    fixture_do(fixture, path, "Create", FLAGS(0));
    before = stats_of(fixture, path, VIR_DOMAIN_STATS_BLOCK);
    fixture_signal_guests(fixture, SIGSTOP);
    first = stats_of(fixture, path, VIR_DOMAIN_STATS_BLOCK);
    assert_field(first, "block.0.rd.reqs", "100");
    assert_field(first, "vmctl.stale", "true");
    /* Nobody waits a second time: where all did, the quickest call would take as long as a wait. */
    for (int i = 0; i < 30; i++) {
        gint64 since = g_get_monotonic_time();

        g_clear_pointer(&later, g_variant_unref);
        later = stats_of(fixture, path, VIR_DOMAIN_STATS_BLOCK);
        quickest = MIN(quickest, g_get_monotonic_time() - since);
    }
    g_assert_cmpint(quickest, <, 100000);
    assert_field(later, "block.0.rd.reqs", "100");
    fixture_signal_guests(fixture, SIGCONT);
    do {
        g_clear_pointer(&after, g_variant_unref);
        g_usleep(1000);
        after = stats_of(fixture, path, VIR_DOMAIN_STATS_BLOCK);
    } while (g_variant_lookup(after, "vmctl.stale", "v", NULL));
    assert_field(after, "block.0.rd.reqs", "100");
}

static void
test_block_info(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "sized", "");
    g_autoptr(GVariant) still = NULL, live = NULL;
    g_autofree char *still_text = NULL, *live_text = NULL;

    still = fixture_call(fixture, path, VMCTL_DOMAIN, "GetBlockInfo",
                         g_variant_new("(su)", "vda", 0), "((ttt))");
    still_text = g_variant_print(still, FALSE);
    g_assert_true(g_str_has_prefix(still_text, "((65536, "));
    g_assert_true(g_str_has_suffix(still_text, ", 65536),)"));
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "GetBlockInfo", g_variant_new("(su)", "vdz", 0),
                       NULL, "invalid argument: invalid path vdz not assigned to domain");
    fixture_do(fixture, path, "Create", FLAGS(0));
    live = fixture_call(fixture, path, VMCTL_DOMAIN, "GetBlockInfo",
                        g_variant_new("(su)", "vda", 0), "((ttt))");
    live_text = g_variant_print(live, FALSE);
    g_assert_cmpstr(live_text, ==, "((1048576, 4096, 8192),)");
}

/* With error_policy='ignore': told, and that is all. */
static void
test_disk_ignored(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "careless", "fake=disk-ignored");
    g_autofree char *signal =
        g_strdup_printf("IOError ('%s/disk', 'virtio-disk0', 0, 'enospc')", fixture->dir);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_wait_signal(fixture, signal);
    fixture_expect_events(fixture, "4,0 2,0");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
}

/* The host's disk is full: the guest is paused, everybody is told, and it runs again when it is resumed. */
static void
test_disk_full(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "full", "fake=disk-full");
    g_autoptr(GVariant) errors = NULL, none = NULL, state = NULL;
    g_autofree char *errors_text = NULL, *state_text = NULL, *none_text = NULL;
    g_autofree char *signal =
        g_strdup_printf("IOError ('%s/disk', 'virtio-disk0', 1, 'enospc')", fixture->dir);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_wait_signal(fixture, signal);
    fixture_expect_events(fixture, "4,0 2,0 3,2");
    state = fixture_call(fixture, path, DOMAIN, "GetState", FLAGS(0), "((ii))");
    state_text = g_variant_print(state, FALSE);
    g_assert_cmpstr(state_text, ==, "((3, 5),)"); /* paused, I/O error */
    errors = fixture_call(fixture, path, DOMAIN, "GetDiskErrors", FLAGS(0), "(a(si))");
    errors_text = g_variant_print(errors, FALSE);
    g_assert_cmpstr(errors_text, ==, "([('vda', 2)],)");
    fixture_do(fixture, path, "Resume", NULL);
    none = fixture_call(fixture, path, DOMAIN, "GetDiskErrors", FLAGS(0), "(a(si))");
    none_text = g_variant_print(none, FALSE);
    g_assert_cmpstr(none_text, ==, "([],)");
}

static void
assert_refused(Fixture *fixture, const char *path, const char *member, GVariant *args,
               const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, member, args, NULL, text);
}

static void
test_threshold(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "watched", "");
    g_autoptr(GVariant) stats = NULL;

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "SetBlockThreshold",
               g_variant_new("(stu)", "vda", (guint64)12345, 0));
    stats = stats_of(fixture, path, VIR_DOMAIN_STATS_BLOCK);
    assert_field(stats, "block.0.threshold", "12345");
}

/* Limits */

static GVariant *
limits_arg(const char *disk, const char *params, guint flags)
{
    return g_variant_new("(s@a{sv}u)", disk, g_variant_new_parsed(params), flags);
}

static void
assert_limits(Fixture *fixture, const char *path, const char *disk, guint flags, const char *wanted)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, DOMAIN, "GetBlockIOTune",
                                             g_variant_new("(su)", disk, flags), "(a{sv})");
    g_autofree char *text = g_variant_print(reply, FALSE);

    if (!strstr(text, wanted))
        g_error("%s is not in %s", wanted, text);
}

/* A running guest's limits and those of its definition are apart; what is not spoken of stays. */
static void
test_iotune(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "slow", "");
    g_autoptr(GVariant) stats = NULL;

    assert_limits(fixture, path, "vda", 0, "'total_bytes_sec': <<uint64 0>>, 'read_bytes_sec'");
    fixture_do(fixture, path, "SetBlockIOTune",
               limits_arg("vda", "{'total_bytes_sec': <uint64 11000>, "
                                 "'total_bytes_sec_max': <uint64 22000>}", 0));
    fixture_do(fixture, path, "SetBlockIOTune",
               limits_arg("vda", "{'total_bytes_sec_max_length': <uint64 3>}", CONFIG));
    assert_limits(fixture, path, "vda", CONFIG, "'total_bytes_sec': <<uint64 11000>>");
    assert_limits(fixture, path, "vda", CONFIG, "'total_bytes_sec_max': <<uint64 22000>>");
    assert_limits(fixture, path, "vda", CONFIG, "'total_bytes_sec_max_length': <<uint64 3>>");
    fixture_do(fixture, path, "Create", FLAGS(0));
    stats = stats_of(fixture, path, VIR_DOMAIN_STATS_BLOCK);
    assert_field(stats, "block.0.allocation", "11000"); /* what the fake disk makes of it */
    fixture_do(fixture, path, "SetBlockIOTune",
               limits_arg("vda", "{'total_bytes_sec': <uint64 12000>, 'group_name': <'some'>}",
                          LIVE));
    g_clear_pointer(&stats, g_variant_unref);
    stats = stats_of(fixture, path, VIR_DOMAIN_STATS_BLOCK);
    assert_field(stats, "block.0.allocation", "12000");
    fixture_wait_signal(fixture, "Tunable ({'blkdeviotune.disk': <<'vda'>>, "
                                 "'blkdeviotune.total_bytes_sec': <<uint64 12000>>, "
                                 "'blkdeviotune.group_name': <<'some'>>},)");
    assert_limits(fixture, path, "vda", 0, "'total_bytes_sec': <<uint64 12000>>");
    assert_limits(fixture, path, "vda", LIVE, "'group_name': <<'some'>>");
    assert_limits(fixture, path, "vda", CONFIG, "'total_bytes_sec': <<uint64 11000>>");
    /* Nothing is limited any more, and so no group has any limits. */
    fixture_do(fixture, path, "SetBlockIOTune",
               limits_arg("vda", "{'total_bytes_sec': <uint64 0>, 'total_bytes_sec_max': <uint64 "
                                 "0>, 'total_bytes_sec_max_length': <uint64 0>}",
                          LIVE | CONFIG));
    assert_limits(fixture, path, "vda", LIVE, "'group_name': <<''>>");
    assert_limits(fixture, path, "vda", CONFIG, "'total_bytes_sec': <<uint64 0>>");
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    assert_limits(fixture, path, "vda", LIVE, "'total_bytes_sec': <<uint64 0>>");
    assert_limits(fixture, path, "vda", CONFIG, "'total_bytes_sec': <<uint64 0>>");
}

static void
test_iotune_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "strict", ""), *image = NULL, *disk = NULL;

    assert_refused(fixture, path, "GetBlockIOTune", g_variant_new("(su)", "vdz", 0),
                   "invalid argument: disk 'vdz' was not found in the domain config");
    assert_refused(fixture, path, "SetBlockIOTune", limits_arg("vdz", "{'read_iops_sec': <uint64 1>}", 0),
                   "invalid argument: missing persistent configuration for disk 'vdz'");
    assert_refused(fixture, path, "SetBlockIOTune",
                   limits_arg("vda", "{'total_bytes_sec': <uint64 1>, 'read_bytes_sec': <uint64 "
                                     "1>}",
                              0),
                   "invalid argument: total and read/write of bytes_sec cannot be set at the same "
                   "time");
    assert_refused(fixture, path, "SetBlockIOTune",
                   limits_arg("vda", "{'total_iops_sec': <uint64 1000000000000001>}", 0),
                   "argument unsupported: block I/O throttle limit value must be no more than "
                   "1000000000000000");
    assert_refused(fixture, path, "SetBlockIOTune",
                   limits_arg("vda", "{'total_bytes_sex': <uint64 1>}", 0),
                   "argument unsupported: parameter 'total_bytes_sex' not supported");
    assert_refused(fixture, path, "SetBlockIOTune",
                   limits_arg("vda", "{'total_bytes_sec_max': <uint64 1>}", 0),
                   "unsupported configuration: value 'total_bytes_sec_max' cannot be set if "
                   "'total_bytes_sec' is not set");
    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_refused(fixture, path, "SetBlockIOTune",
                   limits_arg("vda", "{'total_iops_sec': <uint64 2>, 'total_iops_sec_max': "
                                     "<uint64 1>}",
                              LIVE),
                   "unsupported configuration: value 'total_iops_sec_max' cannot be smaller than "
                   "'total_iops_sec'");
    /* What the persistent definition cannot have does not get to the guest, either. */
    fixture_do(fixture, path, "SetBlockIOTune",
               limits_arg("vda", "{'total_iops_sec': <uint64 10>}", LIVE));
    assert_refused(fixture, path, "SetBlockIOTune",
                   limits_arg("vda", "{'total_iops_sec_max': <uint64 20>}", LIVE | CONFIG),
                   "unsupported configuration: value 'total_iops_sec_max' cannot be set if "
                   "'total_iops_sec' is not set");
    assert_limits(fixture, path, "vda", LIVE, "'total_iops_sec_max': <<uint64 0>>");
    image = g_build_filename(fixture->dir, "disk", NULL);
    disk = g_strdup_printf("<disk type='file'><source file='%s'/><target dev='vda'/><iotune>"
                           "<total_iops_sec>5</total_iops_sec></iotune></disk>",
                           image);
    assert_refused(fixture, path, "UpdateDevice", g_variant_new("(su)", disk, LIVE),
                   "Operation not supported: cannot modify field 'iotune' of the disk");
    assert_refused(fixture, path, "GetBlockIOTune", g_variant_new("(su)", "vdz", 0),
                   "invalid argument: No device found for specified path: vdz");
}

/* What of a disk cannot change while a guest uses it. It is not enough that nothing happens. */
static void
test_fields(void)
{
    static const struct {
        const char *what, *field;
    } changes[] = {
        { "<driver name='qemu' cache='writethrough'/>", "cache" },
        { "<driver name='qemu' error_policy='report'/>", "error_policy" },
        { "<driver name='qemu' rerror_policy='report'/>", "rerror_policy" },
        { "<driver name='qemu' io='native'/>", "io" },
        { "<driver name='qemu' discard='ignore'/>", "discard" },
        { "<driver name='qemu' detect_zeroes='on'/>", "detect_zeroes" },
        { "<readonly/>", "readonly" },
        { "<shareable/>", "shared" },
        { "<serial>other</serial>", "serial" },
        { "<alias name='ua-other'/>", "alias" },
        { "<address type='pci' domain='0' bus='0' slot='0x1e' function='0'/>", "address" },
        { "<boot order='3'/>", "boot order" },
    };
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = g_build_filename(fixture->dir, "fields-disk", NULL);
    g_autofree char *disk = g_strdup_printf(
        "<disk type='file'><driver name='qemu' cache='none' error_policy='stop'/><source "
        "file='%s'/><target dev='vda'/></disk>",
        image);
    g_autofree char *path = fixture_define_with(fixture, "fields", "", disk);
    g_autofree char *xml = NULL;

    g_assert_true(g_file_set_contents(image, "12345678", -1, NULL));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "UpdateDevice", g_variant_new("(su)", disk, LIVE)); /* no change */
    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autofree char *changed =
            g_strdup_printf("<disk type='file'><source file='%s'/><target dev='vda'/>%s</disk>",
                            image, changes[i].what);
        g_autofree char *text =
            g_strdup_printf("Operation not supported: cannot modify field '%s' of the disk",
                            changes[i].field);

        assert_refused(fixture, path, "UpdateDevice", g_variant_new("(su)", changed, LIVE), text);
    }
    xml = fixture_xml_of(fixture, path, 0);
    g_assert_nonnull(strstr(xml, "cache='none' error_policy='stop'"));
}

static void
assert_bandwidth(Fixture *fixture, const char *path, const char *name, guint flags,
                 const char *wanted)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, DOMAIN, "GetInterfaceParameters",
                                             g_variant_new("(su)", name, flags), "(a{sv})");
    g_autofree char *text = g_variant_print(reply, FALSE);

    if (!strstr(text, wanted))
        g_error("%s is not in %s", wanted, text);
}

static void
test_bandwidth(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "slow", "");
    g_autoptr(GVariant) stats = NULL;

    assert_bandwidth(fixture, path, MAC_ADDRESS, 0, "{'inbound.average': <<uint32 0>>, ");
    fixture_do(fixture, path, "SetInterfaceParameters",
               limits_arg(MAC_ADDRESS,
                          "{'inbound.average': <uint32 10>, 'inbound.peak': <uint32 20>}", 0));
    fixture_do(fixture, path, "SetInterfaceParameters",
               limits_arg(MAC_ADDRESS, "{'outbound.average': <uint32 2>}", CONFIG));
    assert_bandwidth(fixture, path, MAC_ADDRESS, CONFIG, "'inbound.peak': <<uint32 20>>");
    assert_bandwidth(fixture, path, MAC_ADDRESS, CONFIG, "'outbound.average': <<uint32 2>>");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "SetInterfaceParameters",
               limits_arg(MAC_ADDRESS,
                          "{'outbound.average': <uint32 3>, 'inbound.average': <uint32 0>}", LIVE));
    stats = stats_of(fixture, path, VIR_DOMAIN_STATS_INTERFACE);
    assert_field(stats, "net.0.rx.bytes", "3092"); /* 20 and 3 KiB */
    assert_bandwidth(fixture, path, MAC_ADDRESS, LIVE, "'inbound.peak': <<uint32 0>>");
    assert_bandwidth(fixture, path, MAC_ADDRESS, 0, "'outbound.average': <<uint32 3>>");
    assert_bandwidth(fixture, path, MAC_ADDRESS, CONFIG, "'inbound.average': <<uint32 10>>");
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    assert_bandwidth(fixture, path, MAC_ADDRESS, LIVE, "'outbound.average': <<uint32 3>>");
    assert_bandwidth(fixture, path, MAC_ADDRESS, CONFIG, "'outbound.average': <<uint32 2>>");
    /* A card that is changed as a whole has what its document says. */
    fixture_do(fixture, path, "UpdateDevice",
               g_variant_new("(su)",
                             "<interface type='user'><mac address='" MAC_ADDRESS "'/><bandwidth>"
                             "<outbound average='1'/></bandwidth></interface>",
                             LIVE));
    g_clear_pointer(&stats, g_variant_unref);
    stats = stats_of(fixture, path, VIR_DOMAIN_STATS_INTERFACE);
    assert_field(stats, "net.0.rx.bytes", "1044");
}

static void
test_bandwidth_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "strict", "");

    assert_refused(fixture, path, "GetInterfaceParameters", g_variant_new("(su)", "vnet9", 0),
                   "invalid argument: 'vnet9' is not a known interface");
    assert_refused(fixture, path, "SetInterfaceParameters",
                   limits_arg("vnet9", "{'outbound.average': <uint32 2>}", 0),
                   "invalid argument: 'vnet9' is not a known interface");
    assert_refused(fixture, path, "SetInterfaceParameters",
                   limits_arg(MAC_ADDRESS, "{'inbound.floor': <uint32 2>}", 0),
                   "unsupported configuration: floor attribute is not supported for this config");
    assert_refused(fixture, path, "SetInterfaceParameters",
                   limits_arg(MAC_ADDRESS, "{'inbound.flour': <uint32 2>}", 0),
                   "argument unsupported: parameter 'inbound.flour' not supported");
    assert_refused(fixture, path, "SetInterfaceParameters",
                   limits_arg(MAC_ADDRESS, "{'inbound.average': <uint32 2>}", LIVE),
                   "Requested operation is not valid: domain is not running");
}

static void
test_peek(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "open", "");
    g_autofree char *image = g_build_filename(fixture->dir, "disk", NULL);
    g_autoptr(GVariant) reply = NULL;
    g_autofree char *text = NULL;

    g_assert_true(g_file_set_contents(image, "abcdef", 6, NULL));
    reply = fixture_call(fixture, path, DOMAIN, "BlockPeek",
                         g_variant_new("(sttu)", "vda", (guint64)4, (guint64)3, 0), "(ay)");
    text = g_variant_print(reply, FALSE);
    g_assert_cmpstr(text, ==, "(b'ef',)"); /* and the zero behind the end */
    assert_refused(fixture, path, "BlockPeek",
                   g_variant_new("(sttu)", "/etc/shadow", (guint64)0, (guint64)3, 0),
                   "invalid argument: invalid disk or path '/etc/shadow'");
}

/* There never is a job on a disk, and that is told of a guest that runs. */
static void
test_block_jobs(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "jobless", "");
    g_autofree char *image = g_build_filename(fixture->dir, "disk", NULL);
    g_autoptr(GVariant) info = NULL;
    g_autofree char *text = NULL;

    g_assert_true(g_file_set_contents(image, "abcdef", 6, NULL));
    assert_refused(fixture, path, "GetBlockJobInfo", g_variant_new("(su)", "vda", 0),
                   "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "Create", g_variant_new("(u)", 0));
    info = fixture_call(fixture, path, DOMAIN, "GetBlockJobInfo", g_variant_new("(su)", "vda", 1),
                        "((ittt))");
    text = g_variant_print(info, FALSE);
    g_assert_cmpstr(text, ==, "((0, 0, 0, 0),)");
    assert_refused(fixture, path, "GetBlockJobInfo", g_variant_new("(su)", "vdz", 0),
                   "invalid argument: No device found for specified path: vdz");
    assert_refused(fixture, path, "BlockJobAbort", g_variant_new("(su)", "vda", 0),
                   "invalid argument: disk vda does not have an active block job");
    assert_refused(fixture, path, "BlockJobSetSpeed",
                   g_variant_new("(stu)", "vda", (guint64)1, 0),
                   "invalid argument: disk vda does not have an active block job");
    assert_refused(fixture, path, "BlockJobAbort", g_variant_new("(su)", "vda", 4),
                   "unsupported flags (0x4) in function virDomainBlockJobAbort");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/devices/many", test_many);
    g_test_add_func("/bus/devices/inactive", test_inactive);
    g_test_add_func("/bus/devices/active", test_active);
    g_test_add_func("/bus/devices/stale", test_stale);
    g_test_add_func("/bus/devices/block-info", test_block_info);
    g_test_add_func("/bus/devices/block-jobs", test_block_jobs);
    g_test_add_func("/bus/devices/disk-full", test_disk_full);
    g_test_add_func("/bus/devices/disk-ignored", test_disk_ignored);
    g_test_add_func("/bus/devices/threshold", test_threshold);
    g_test_add_func("/bus/devices/iotune", test_iotune);
    g_test_add_func("/bus/devices/iotune-refused", test_iotune_refused);
    g_test_add_func("/bus/devices/fields", test_fields);
    g_test_add_func("/bus/devices/bandwidth", test_bandwidth);
    g_test_add_func("/bus/devices/bandwidth-refused", test_bandwidth_refused);
    g_test_add_func("/bus/devices/peek", test_peek);
    return g_test_run();
}
