/* Figures of a domain's disks and network interfaces: domblkstat, domblkinfo, domblkerror, domifstat. */
#include "cli/commands.h"
#include "cli/devices.h"
#include "cli/domain.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/size.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

#define BLOCK_INFO_INTERFACE "org.vmctl.Domain"

/* What virsh prints, the field of GetStats that has it, and its key in JSON. */
typedef struct Figure {
    const char *name, *field, *key, *text;
} Figure;

/* A field of entry @i of a group: "block.0.rd.reqs"; NULL: there is none of that type. */
static GVariant *
field(GVariantDict *stats, const char *group, guint i, const char *name, const char *type)
{
    g_autofree char *key = g_strdup_printf("%s.%u.%s", group, i, name);

    return variant_dict_unwrap(stats, key, type);
}

/* The entry whose name is @device, or whose path is; FALSE: there is none. */
static gboolean
find_entry(GVariantDict *stats, const char *group, const char *device, guint *ret)
{
    for (guint i = 0;; i++) {
        g_autoptr(GVariant) name = field(stats, group, i, "name", "s");
        g_autoptr(GVariant) path = field(stats, group, i, "path", "s");

        if (!name)
            return FALSE;
        if (strcmp(g_variant_get_string(name, NULL), device) == 0 ||
            (path && strcmp(g_variant_get_string(path, NULL), device) == 0)) {
            *ret = i;
            return TRUE;
        }
    }
}

static gboolean
check_running(Domain *domain, GError **error)
{
    gboolean active;

    return domain_is_active(domain, &active, error) &&
           (active ||
            cli_fail(error, "%s", _("Requested operation is not valid: domain is not running")));
}

/* Disks */

static const Figure disk_figures[] = {
    { "rd_req", "rd.reqs", "read-requests", N_("number of read operations:") },
    { "rd_bytes", "rd.bytes", "read-bytes", N_("number of bytes read:") },
    { "wr_req", "wr.reqs", "write-requests", N_("number of write operations:") },
    { "wr_bytes", "wr.bytes", "write-bytes", N_("number of bytes written:") },
    { "flush_operations", "fl.reqs", "flush-requests", N_("number of flush operations:") },
    { "rd_total_times", "rd.times", "read-time-ns", N_("total duration of reads (ns):") },
    { "wr_total_times", "wr.times", "write-time-ns", N_("total duration of writes (ns):") },
    { "flush_total_times", "fl.times", "flush-time-ns", N_("total duration of flushes (ns):") },
};

/* Of entry @i, or of all together where @device is "". FALSE: the guest does not count it. */
static gboolean
disk_figure(GVariantDict *stats, guint i, const char *device, const char *name, guint64 *ret)
{
    gboolean whole = !*device, known = whole;
    guint64 sum = 0;

    for (guint at = i;; at++) {
        g_autoptr(GVariant) value = field(stats, "block", at, name, "t");

        if (!value)
            break;
        sum += g_variant_get_uint64(value);
        known = TRUE;
        if (!whole)
            break;
    }
    *ret = sum;
    return known;
}

static void
print_disk(GVariantDict *stats, guint i, const char *device, gboolean human)
{
    guint64 value;

    if (human)
        output(_("Device: %s\n"), device);
    for (gsize f = 0; f < G_N_ELEMENTS(disk_figures); f++) {
        if (!disk_figure(stats, i, device, disk_figures[f].field, &value))
            continue;
        if (human)
            output(" %-*s %" G_GUINT64_FORMAT "\n", text_in(31, _(disk_figures[f].text)), value);
        else
            output("%s %s %" G_GUINT64_FORMAT "\n", device, disk_figures[f].name, value);
    }
}

static void
print_disk_json(GVariantDict *stats, guint i, const char *device)
{
    g_autoptr(Facts) facts = facts_new();
    guint64 value;

    facts_add(facts, "device", NULL, NULL, g_variant_new("ms", *device ? device : NULL));
    for (gsize f = 0; f < G_N_ELEMENTS(disk_figures); f++) {
        if (disk_figure(stats, i, device, disk_figures[f].field, &value))
            facts_add(facts, disk_figures[f].key, NULL, NULL, g_variant_new_uint64(value));
    }
    facts_print(facts, 0);
}

static gboolean
run_domblkstat(Session *session, const Args *args, GError **error)
{
    const char *device = args_string(args, "device") ? args_string(args, "device") : "";
    g_autoptr(GVariantDict) stats = NULL;
    guint i = 0;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (check_running(domain, error))
        stats = domain_stats(domain, VIR_DOMAIN_STATS_BLOCK, error);
    if (stats && *device && !find_entry(stats, "block", device, &i)) {
        cli_fail(error, _("invalid argument: invalid path: %s"), device);
        g_clear_pointer(&stats, g_variant_dict_unref);
    }
    if (!stats) {
        output_error(_("Failed to get block stats %s %s"), domain->name, device);
        return FALSE;
    }
    if (output_is_json())
        print_disk_json(stats, i, device);
    else
        print_disk(stats, i, device, args_has(args, "human"));
    return TRUE;
}

static const Option domblkstat_options[] = {
    OPTION_DOMAIN_ANY,
    { "device", OPTION_STRING, OPTION_EMPTY_OK, N_("the disk's target or source; all together") },
    { "human", OPTION_BOOL, 0, N_("with words instead of names") },
    { NULL },
};

const Command command_domblkstat = {
    "domblkstat",
    N_("print what a guest has read and written"),
    N_("Requests that went well, their bytes, and how long they took in nanoseconds."),
    domblkstat_options,
    run_domblkstat,
    COMMAND_JSON,
};

/* Sizes */

typedef struct Sizes {
    char *capacity, *allocation, *physical;
} Sizes;

static void
sizes_clear(Sizes *sizes)
{
    g_free(sizes->capacity);
    g_free(sizes->allocation);
    g_free(sizes->physical);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sizes, sizes_clear)

static char *
printed(guint64 bytes, gboolean human)
{
    return human ? size_text(bytes) : g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
}

static gboolean
get_sizes(Domain *domain, const char *device, gboolean human, Sizes *ret, GError **error)
{
    guint64 capacity, allocation, physical;
    g_autoptr(GVariant) reply =
        connection_call(domain->connection, domain->path, BLOCK_INFO_INTERFACE, "GetBlockInfo",
                        g_variant_new("(su)", device, 0), "((ttt))", error);

    if (!reply)
        return FALSE;
    g_variant_get(reply, "((ttt))", &capacity, &allocation, &physical);
    *ret =
        (Sizes){ printed(capacity, human), printed(allocation, human), printed(physical, human) };
    return TRUE;
}

static gboolean
print_all_sizes(Domain *domain, gboolean human, GError **error)
{
    static const char *const titles[] = { N_("Target"), N_("Capacity"), N_("Allocation"),
                                          N_("Physical"), NULL };
    static const TableKey keys[] = { { "target" },
                                     { "capacity-bytes", TABLE_NUMBER },
                                     { "allocation-bytes", TABLE_NUMBER },
                                     { "physical-bytes", TABLE_NUMBER } };
    g_autofree char *xml = domain_xml(domain, 0, error);
    g_autoptr(GPtrArray) disks = xml ? devices_of(xml, "disk") : NULL;
    g_autoptr(Table) table = table_new(titles);

    if (!disks)
        return FALSE;
    for (guint i = 0; i < disks->len; i++) {
        const DeviceEntry *disk = g_ptr_array_index(disks, i);
        g_auto(Sizes) sizes = { NULL };

        if (disk->source && !get_sizes(domain, disk->target, human, &sizes, error))
            return FALSE;
        table_add(table, (const char *const[]){ disk->target, table_cell(sizes.capacity),
                                                table_cell(sizes.allocation),
                                                table_cell(sizes.physical), NULL });
    }
    table_print(table, keys);
    return TRUE;
}

/* JSON has the number, which is all of the text there. */
static void
add_size(Facts *facts, const char *key, const char *title, const char *text)
{
    facts_add(facts, key, title, text, g_variant_new_uint64(g_ascii_strtoull(text, NULL, 10)));
}

static gboolean
run_domblkinfo(Session *session, const Args *args, GError **error)
{
    const char *device = args_string(args, "device");
    gboolean human = args_has(args, "human") && !output_is_json();
    g_auto(Sizes) sizes = { NULL };
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !args_exclusive(args, "all", "device", error))
        return FALSE;
    if (args_has(args, "all"))
        return print_all_sizes(domain, human, error);
    if (!device)
        return cli_fail(error, "%s", _("command 'domblkinfo' requires <device> option"));
    if (!get_sizes(domain, device, human, &sizes, error))
        return FALSE;
    add_size(facts, "capacity-bytes", _("Capacity:"), sizes.capacity);
    add_size(facts, "allocation-bytes", _("Allocation:"), sizes.allocation);
    add_size(facts, "physical-bytes", _("Physical:"), sizes.physical);
    facts_print(facts, 15);
    return TRUE;
}

static const Option domblkinfo_options[] = {
    OPTION_DOMAIN_ANY,
    { "device", OPTION_STRING, 0, N_("the disk's target or source") },
    { "human", OPTION_BOOL, 0, N_("with units instead of bytes") },
    { "all", OPTION_BOOL, 0, N_("of all disks, as a table") },
    { NULL },
};

const Command command_domblkinfo = {
    "domblkinfo",
    N_("print how large a domain's disk is"),
    N_("What the guest sees of it, what it takes of the host, and how large its image is."),
    domblkinfo_options,
    run_domblkinfo,
    COMMAND_JSON,
};

/* Errors */

static gboolean
run_domblkerror(Session *session, const Args *args, GError **error)
{
    /* virDomainDiskErrorCode */
    static const char *const texts[] = { N_("no error"), N_("unspecified error"), N_("no space") };
    g_autoptr(GVariantIter) disks = NULL;
    GVariantBuilder all;
    const char *disk;
    int code;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (domain)
        reply = domain_call(domain, "GetDiskErrors", g_variant_new("(u)", 0), "(a(si))", error);
    if (!reply)
        return FALSE;
    g_variant_get(reply, "(a(si))", &disks);
    g_variant_builder_init(&all, G_VARIANT_TYPE("aa{sv}"));
    if (g_variant_iter_n_children(disks) == 0 && !output_is_json())
        output("%s\n", _("No errors found"));
    while (g_variant_iter_next(disks, "(&si)", &disk, &code)) {
        const char *text = _(texts[CLAMP(code, 0, 2)]);

        if (output_is_json())
            g_variant_builder_add_parsed(&all, "{'target': <%s>, 'error': <%s>}", disk, text);
        else
            output("%s: %s\n", disk, text);
    }
    if (output_is_json())
        output_json(g_variant_builder_end(&all));
    else
        g_variant_builder_clear(&all);
    return TRUE;
}

static const Option domblkerror_options[] = { OPTION_DOMAIN_ANY, { NULL } };

const Command command_domblkerror = {
    "domblkerror",
    N_("print which disks have failed a guest"),
    N_("A guest that is paused for such a disk goes on where it is resumed."),
    domblkerror_options,
    run_domblkerror,
    COMMAND_JSON,
};

/* Interfaces */

static const Figure interface_figures[] = {
    { "rx_bytes", "rx.bytes", "rx-bytes" }, { "rx_packets", "rx.pkts", "rx-packets" },
    { "rx_errs", "rx.errs", "rx-errors" },  { "rx_drop", "rx.drop", "rx-drops" },
    { "tx_bytes", "tx.bytes", "tx-bytes" }, { "tx_packets", "tx.pkts", "tx-packets" },
    { "tx_errs", "tx.errs", "tx-errors" },  { "tx_drop", "tx.drop", "tx-drops" },
};

/* The number among the guest's of the interface @name, by its target or address. */
static gboolean
find_interface(Domain *domain, GVariantDict *stats, const char *name, guint *ret, GError **error)
{
    g_autofree char *xml = domain_xml(domain, 0, error);
    g_autoptr(GPtrArray) all = xml ? devices_of(xml, "interface") : NULL;
    const DeviceEntry *entry = all ? devices_find(all, name) : NULL;

    if (!all)
        return FALSE;
    if (entry && g_ptr_array_find(all, entry, ret))
        return TRUE;
    return find_entry(stats, "net", name, ret) ||
           cli_fail(error, _("invalid argument: '%s' is not a known interface"), name);
}

static gboolean
run_domifstat(Session *session, const Args *args, GError **error)
{
    const char *name = args_string(args, "interface");
    g_autoptr(GVariantDict) stats = NULL;
    g_autoptr(Facts) facts = facts_new();
    guint i = 0;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (check_running(domain, error))
        stats = domain_stats(domain, VIR_DOMAIN_STATS_INTERFACE, error);
    if (!stats || !find_interface(domain, stats, name, &i, error)) {
        output_error(_("Failed to get interface stats %s %s"), domain->name, name);
        return FALSE;
    }
    facts_add(facts, "interface", NULL, name, NULL);
    for (gsize f = 0; f < G_N_ELEMENTS(interface_figures); f++) {
        g_autoptr(GVariant) value = field(stats, "net", i, interface_figures[f].field, "t");

        if (value && output_is_json())
            facts_add(facts, interface_figures[f].key, NULL, NULL, value);
        else if (value)
            output("%s %s %" G_GUINT64_FORMAT "\n", name, interface_figures[f].name,
                   g_variant_get_uint64(value));
    }
    if (output_is_json())
        facts_print(facts, 0);
    return TRUE;
}

static const Option domifstat_options[] = {
    OPTION_DOMAIN_ANY,
    { "interface", OPTION_DATA, OPTION_REQUIRED, N_("the interface's target or MAC address") },
    { NULL },
};

const Command command_domifstat = {
    "domifstat",
    N_("print what a guest has sent and received"),
    N_("As the guest sees it: rx is what it received."),
    domifstat_options,
    run_domifstat,
    COMMAND_JSON,
};
