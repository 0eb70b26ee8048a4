/* dominfo: a domain on one page. */
#include "cli/commands.h"

#include "cli/domain-names.h"
#include "cli/domain.h"
#include "cli/facts.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

#define NSEC_PER_SEC 1e9

static void
add_boolean(Facts *facts, const char *key, const char *title, const char *text, gboolean value)
{
    facts_add(facts, key, title, text, g_variant_new_boolean(value));
}

static gboolean
is_true(GVariantDict *properties, const char *key)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(properties, key, "b");

    return value && g_variant_get_boolean(value);
}

static void
add_id(Facts *facts, GVariantDict *properties)
{
    g_autoptr(GVariant) id = variant_dict_unwrap(properties, "Id", "u");
    g_autofree char *text = NULL;

    if (id && is_true(properties, "Active")) {
        text = g_strdup_printf("%u", g_variant_get_uint32(id));
        facts_add(facts, "id", _("Id:"), text, id);
    } else {
        facts_add(facts, "id", _("Id:"), "-", g_variant_new_maybe(G_VARIANT_TYPE_UINT32, NULL));
    }
}

/* A figure in KiB, left out where the daemon has none. */
static void
add_memory(Facts *facts, const char *key, const char *title, GVariantDict *stats,
           const char *figure)
{
    g_autoptr(GVariant) kib = variant_dict_unwrap(stats, figure, "t");
    g_autofree char *text = NULL;

    if (!kib)
        return;
    text = g_strdup_printf("%" G_GUINT64_FORMAT " KiB", g_variant_get_uint64(kib));
    facts_add(facts, key, title, text, kib);
}

static void
add_cpu(Facts *facts, GVariantDict *stats)
{
    g_autoptr(GVariant) cpus = variant_dict_unwrap(stats, "vcpu.current", "u");
    g_autoptr(GVariant) time_ns = variant_dict_unwrap(stats, "cpu.time", "t");

    if (cpus) {
        g_autofree char *text = g_strdup_printf("%u", g_variant_get_uint32(cpus));
        facts_add(facts, "vcpus", _("CPU(s):"), text, cpus);
    }
    if (time_ns && g_variant_get_uint64(time_ns)) {
        g_autofree char *text =
            g_strdup_printf("%.1lfs", (double)g_variant_get_uint64(time_ns) / NSEC_PER_SEC);
        facts_add(facts, "cpu-time-ns", _("CPU time:"), text, time_ns);
    }
}

static void
add_figures(Facts *facts, Domain *domain)
{
    const guint groups =
        VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU;
    g_autoptr(GVariantDict) stats = domain_stats(domain, groups, NULL);

    if (!stats)
        return;
    add_cpu(facts, stats);
    add_memory(facts, "max-memory-kib", _("Max memory:"), stats, "balloon.maximum");
    add_memory(facts, "used-memory-kib", _("Used memory:"), stats, "balloon.current");
}

static void
add_managed_save(Facts *facts, Domain *domain)
{
    gboolean has;
    g_autoptr(GVariant) reply =
        domain_call(domain, "HasManagedSaveImage", g_variant_new("(u)", 0), "(b)", NULL);

    if (!reply) {
        facts_add(facts, "managed-save", _("Managed save:"), _("unknown"),
                  g_variant_new_maybe(G_VARIANT_TYPE_BOOLEAN, NULL));
        return;
    }
    g_variant_get(reply, "(b)", &has);
    add_boolean(facts, "managed-save", _("Managed save:"), text_yes(has), has);
}

/* A daemon that has no security driver says so by not knowing the call; libvirt's word for that is "none". */
static void
add_security(Facts *facts, Connection *connection)
{
    const char *model = "none", *doi = "0";
    g_autoptr(GVariant) reply =
        connection_call(connection, connection_root(connection), CONNECT_INTERFACE,
                        "NodeGetSecurityModel", NULL, "((ss))", NULL);
    if (reply)
        g_variant_get(reply, "((&s&s))", &model, &doi);
    if (*model == '\0')
        return;
    facts_add(facts, "security-model", _("Security model:"), model, NULL);
    facts_add(facts, "security-doi", _("Security DOI:"), doi, NULL);
}

static gboolean
run_dominfo(Session *session, const Args *args, GError **error)
{
    int state, reason;
    gboolean autostart;
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GVariantDict) properties = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !domain_state(domain, &state, &reason, error))
        return FALSE;
    properties = connection_get_all(domain->connection, domain->path, DOMAIN_INTERFACE, error);
    if (!properties)
        return FALSE;
    autostart = is_true(properties, "Autostart");
    add_id(facts, properties);
    facts_add(facts, "name", _("Name:"), domain->name, NULL);
    facts_add_property(facts, "uuid", _("UUID:"), properties, "UUID");
    facts_add_property(facts, "os-type", _("OS Type:"), properties, "OSType");
    facts_add(facts, "state", _("State:"), domain_state_name(state), NULL);
    add_figures(facts, domain);
    facts_add_property(facts, "persistent", _("Persistent:"), properties, "Persistent");
    add_boolean(facts, "autostart", _("Autostart:"), autostart ? _("enable") : _("disable"),
                autostart);
    add_managed_save(facts, domain);
    add_security(facts, domain->connection);
    facts_print(facts, 15);
    return TRUE;
}

static const Option dominfo_options[] = { OPTION_DOMAIN_ANY, { NULL } };

const Command command_dominfo = {
    "dominfo", N_("print a domain's basic facts"), NULL, dominfo_options, run_dominfo, COMMAND_JSON,
};
