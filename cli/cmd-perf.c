/* perf: which events of the processor's the host counts for a domain. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/output.h"
#include "cli/params.h"

#include <glib/gi18n.h>

static char *
status_text(const char *event, GVariant *value)
{
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return params_text(event, value);
    if (output_is_json())
        return g_variant_print(value, FALSE);
    return g_strdup(g_variant_get_boolean(value) ? _("enabled") : _("disabled"));
}

/* The events that @option names, parted by commas. */
static void
take_events(const Args *args, const char *option, gboolean enable, GVariantBuilder *wanted)
{
    const char *text = args_string(args, option);
    g_auto(GStrv) events = g_strsplit(text ? text : "", ",", -1);

    for (gsize i = 0; events[i]; i++)
        g_variant_builder_add(wanted, "{sv}", events[i], g_variant_new_boolean(enable));
}

static gboolean
show(Domain *domain, guint flags, GError **error)
{
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetPerfEvents", g_variant_new("(u)", flags), "(a{sv})", error);
    g_autoptr(GVariant) events = reply ? g_variant_get_child_value(reply, 0) : NULL;

    if (events)
        params_print(events, status_text);
    else
        output_error("%s", _("Unable to get perf events"));
    return events != NULL;
}

static gboolean
change(Domain *domain, GVariant *wanted, guint flags, GError **error)
{
    g_autoptr(GVariant) events = g_variant_ref_sink(wanted);

    if (!domain_do(domain, "SetPerfEvents", g_variant_new("(@a{sv}u)", events, flags), error)) {
        output_error("%s", _("Unable to enable/disable perf events"));
        return FALSE;
    }
    params_print(events, status_text);
    return TRUE;
}

static gboolean
run_perf(Session *session, const Args *args, GError **error)
{
    g_auto(GVariantBuilder) wanted = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE_VARDICT);
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    if (!args_has(args, "enable") && !args_has(args, "disable"))
        return show(domain, flags, error);
    take_events(args, "enable", TRUE, &wanted);
    take_events(args, "disable", FALSE, &wanted);
    return change(domain, g_variant_builder_end(&wanted), flags, error);
}

static const Option perf_options[] = {
    OPTION_DOMAIN_ANY,
    { "enable", OPTION_STRING, OPTION_CHANGES, N_("events to count, parted by commas") },
    { "disable", OPTION_STRING, OPTION_CHANGES, N_("events to count no longer") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_perf = {
    "perf",
    N_("print or change which events of the processor's are counted for a domain"),
    N_("domstats --perf has what was counted."),
    perf_options,
    run_perf,
    COMMAND_JSON,
};
