/* domiftune: how much of the network an interface may use. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/params.h"
#include "cli/rate.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

static gboolean
is_too_large(const guint64 rate[RATE_N_FIELDS])
{
    for (int i = 0; i < RATE_N_FIELDS; i++) {
        if (rate[i] > G_MAXUINT)
            return TRUE;
    }
    return FALSE;
}

/* Nothing at all is no limit. */
static gboolean
is_zero(const guint64 rate[RATE_N_FIELDS])
{
    return !rate[RATE_AVERAGE] && !rate[RATE_PEAK] && !rate[RATE_BURST] && !rate[RATE_FLOOR];
}

static gboolean
check_inbound(const guint64 rate[RATE_N_FIELDS], GError **error)
{
    if (is_too_large(rate))
        return cli_fail(error, _("inbound rate larger than maximum %u"), G_MAXUINT);
    return is_zero(rate) || rate_check_inbound(rate, error);
}

static gboolean
check_outbound(const guint64 rate[RATE_N_FIELDS], GError **error)
{
    if (is_too_large(rate))
        return cli_fail(error, _("outbound rate larger than maximum %u"), G_MAXUINT);
    return is_zero(rate) || rate_check_outbound(rate, error);
}

/* Takes @option, which is also what the parameters begin with. */
static gboolean
take_rate(const Args *args, const char *option,
          gboolean (*check)(const guint64 rate[RATE_N_FIELDS], GError **error), GVariantDict *wanted,
          GError **error)
{
    guint64 rate[RATE_N_FIELDS] = { 0 };

    if (!args_has(args, option))
        return TRUE;
    if (!rate_parse(args_string(args, option), rate, error) || !check(rate, error))
        return FALSE;
    for (int i = 0; i < RATE_N_FIELDS; i++) {
        g_autofree char *name = g_strconcat(option, ".", rate_fields[i], NULL);

        if (rate[i] || i == RATE_AVERAGE)
            g_variant_dict_insert(wanted, name, "u", (guint)rate[i]);
    }
    return TRUE;
}

static gboolean
show(Domain *domain, const char *interface, guint flags, GError **error)
{
    g_autoptr(GVariant) reply = domain_call(domain, "GetInterfaceParameters",
                                            g_variant_new("(su)", interface, flags), "(a{sv})", error);
    g_autoptr(GVariant) params = reply ? g_variant_get_child_value(reply, 0) : NULL;

    if (params)
        params_print(params, params_text);
    else
        output_error("%s", _("Unable to get interface parameters"));
    return params != NULL;
}

static gboolean
run_domiftune(Session *session, const Args *args, GError **error)
{
    g_auto(GVariantDict) wanted = G_VARIANT_DICT_INIT(NULL);
    const char *interface = args_string(args, "interface");
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error) ||
        !take_rate(args, "inbound", check_inbound, &wanted, error) ||
        !take_rate(args, "outbound", check_outbound, &wanted, error))
        return FALSE;
    if (!args_has(args, "inbound") && !args_has(args, "outbound"))
        return show(domain, interface, flags, error);
    if (domain_do(domain, "SetInterfaceParameters",
                  g_variant_new("(s@a{sv}u)", interface, g_variant_dict_end(&wanted), flags),
                  error))
        return TRUE;
    output_error("%s", _("Unable to set interface parameters"));
    return FALSE;
}

static const Option options[] = {
    OPTION_DOMAIN_ANY,
    { "interface", OPTION_DATA, OPTION_REQUIRED, N_("the card's MAC address, or the tap that it is on") },
    { "inbound", OPTION_STRING, OPTION_CHANGES, N_("to the guest: AVERAGE,PEAK,BURST,FLOOR") },
    { "outbound", OPTION_STRING, OPTION_CHANGES, N_("from the guest: AVERAGE,PEAK,BURST") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_domiftune = {
    "domiftune",
    N_("print or change how much of the network an interface may use"),
    N_("Average and peak are KiB a second, a burst is KiB. What is left out is 0, and an average of 0 is\n"
       "    no limit."),
    options,
    run_domiftune,
    COMMAND_JSON,
};
