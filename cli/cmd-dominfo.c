/* dominfo: a domain on one page. */
#include "cli/commands.h"

#include "cli/domain-names.h"
#include "cli/domain.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

#define NSEC_PER_SEC 1e9

static void
line(const char *title, const char *text)
{
    output("%-15s %s\n", title, text);
}

static const char *
yes_no(gboolean yes)
{
    return yes ? _("yes") : _("no");
}

static gboolean
is_true(GVariantDict *properties, const char *key)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(properties, key, "b");

    return value && g_variant_get_boolean(value);
}

static void
line_from(const char *title, GVariantDict *properties, const char *key)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(properties, key, "s");

    line(title, value ? g_variant_get_string(value, NULL) : "-");
}

static void
print_id(GVariantDict *properties)
{
    g_autoptr(GVariant) id = variant_dict_unwrap(properties, "Id", "u");

    if (id && is_true(properties, "Active"))
        output("%-15s %u\n", _("Id:"), g_variant_get_uint32(id));
    else
        line(_("Id:"), "-");
}

/* A figure in KiB, left out where the daemon has none. */
static void
print_memory(const char *title, GVariantDict *stats, const char *key)
{
    g_autoptr(GVariant) kib = variant_dict_unwrap(stats, key, "t");

    if (kib)
        output("%-15s %" G_GUINT64_FORMAT " KiB\n", title, g_variant_get_uint64(kib));
}

static void
print_cpu(GVariantDict *stats)
{
    g_autoptr(GVariant) cpus = variant_dict_unwrap(stats, "vcpu.current", "u");
    g_autoptr(GVariant) time_ns = variant_dict_unwrap(stats, "cpu.time", "t");

    if (cpus)
        output("%-15s %u\n", _("CPU(s):"), g_variant_get_uint32(cpus));
    if (time_ns && g_variant_get_uint64(time_ns))
        output("%-15s %.1lfs\n", _("CPU time:"),
               (double)g_variant_get_uint64(time_ns) / NSEC_PER_SEC);
}

static void
print_figures(Domain *domain)
{
    const guint groups =
        VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU;
    g_autoptr(GVariantDict) stats = domain_stats(domain, groups, NULL);

    if (!stats)
        return;
    print_cpu(stats);
    print_memory(_("Max memory:"), stats, "balloon.maximum");
    print_memory(_("Used memory:"), stats, "balloon.current");
}

static void
print_managed_save(Domain *domain)
{
    gboolean has;
    g_autoptr(GVariant) reply =
        domain_call(domain, "HasManagedSaveImage", g_variant_new("(u)", 0), "(b)", NULL);

    if (!reply) {
        line(_("Managed save:"), _("unknown"));
        return;
    }
    g_variant_get(reply, "(b)", &has);
    line(_("Managed save:"), yes_no(has));
}

/* A daemon that has no security driver says so by not knowing the call; libvirt's word for that is "none". */
static void
print_security(Connection *connection)
{
    const char *model = "none", *doi = "0";
    g_autoptr(GVariant) reply =
        connection_call(connection, connection_root(connection), CONNECT_INTERFACE,
                        "NodeGetSecurityModel", NULL, "((ss))", NULL);
    if (reply)
        g_variant_get(reply, "((&s&s))", &model, &doi);
    if (*model == '\0')
        return;
    line(_("Security model:"), model);
    line(_("Security DOI:"), doi);
}

static gboolean
run_dominfo(Session *session, const Args *args, GError **error)
{
    int state, reason;
    g_autoptr(GVariantDict) properties = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !domain_state(domain, &state, &reason, error))
        return FALSE;
    properties = connection_get_all(domain->connection, domain->path, DOMAIN_INTERFACE, error);
    if (!properties)
        return FALSE;
    print_id(properties);
    line(_("Name:"), domain->name);
    line_from(_("UUID:"), properties, "UUID");
    line_from(_("OS Type:"), properties, "OSType");
    line(_("State:"), domain_state_name(state));
    print_figures(domain);
    line(_("Persistent:"), yes_no(is_true(properties, "Persistent")));
    line(_("Autostart:"), is_true(properties, "Autostart") ? _("enable") : _("disable"));
    print_managed_save(domain);
    print_security(domain->connection);
    return TRUE;
}

static const Option dominfo_options[] = { OPTION_DOMAIN_ANY, { NULL } };

const Command command_dominfo = {
    "dominfo", N_("print a domain's basic facts"), NULL, dominfo_options, run_dominfo, 0,
};
