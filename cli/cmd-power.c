/* The commands that put a guest to sleep by its own power management, and wake it: dompmsuspend, dompmwakeup. */
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

static const char *const targets[] = {
    [VIR_NODE_SUSPEND_TARGET_MEM] = "mem",
    [VIR_NODE_SUSPEND_TARGET_DISK] = "disk",
    [VIR_NODE_SUSPEND_TARGET_HYBRID] = "hybrid",
};

static gboolean
read_target(const Args *args, guint *ret, GError **error)
{
    for (guint i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (strcmp(targets[i], args_string(args, "target")) == 0) {
            *ret = i;
            return TRUE;
        }
    }
    return cli_fail(error, "%s", _("Invalid target"));
}

static gboolean
read_duration(const Args *args, guint64 *ret, GError **error)
{
    gint64 duration = args_int64(args, "duration", 0);

    *ret = duration;
    return duration >= 0 ||
           cli_fail(error, _("Numeric value '%s' for <%s> option is malformed or out of range"),
                    args_string(args, "duration"), "duration");
}

static gboolean
run_suspend(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL;
    guint64 duration;
    guint target = 0;

    if (!domain || !read_target(args, &target, error) || !read_duration(args, &duration, error))
        return FALSE;
    reply = connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE,
                            "PMSuspendForDuration", g_variant_new("(utu)", target, duration, 0),
                            "()", error);
    if (!reply) {
        output_error(_("Domain '%s' could not be suspended"), domain->name);
        return FALSE;
    }
    output(_("Domain '%s' successfully suspended"), domain->name);
    return TRUE;
}

static const Option suspend_options[] = {
    OPTION_DOMAIN_ANY,
    { "target", OPTION_DATA, OPTION_REQUIRED,
      N_("mem: to its memory; disk: to its disk; hybrid: both") },
    { "duration", OPTION_INT, OPTION_WIDE, N_("seconds; there is none but 0 yet") },
    { NULL },
};

const Command command_dompmsuspend = {
    "dompmsuspend",
    N_("have a domain's guest suspend itself"),
    N_("The agent in the guest is asked to use its power management."),
    suspend_options,
    run_suspend,
    COMMAND_CHANGES,
};

static gboolean
run_wakeup(Session *session, const Args *args, GError **error)
{
    g_autoptr(GVariant) flags = g_variant_ref_sink(g_variant_new("(u)", 0));
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (!domain_do(domain, "PMWakeup", flags, error)) {
        output_error(_("Domain '%s' could not be woken up"), domain->name);
        return FALSE;
    }
    output(_("Domain '%s' successfully woken up"), domain->name);
    return TRUE;
}

static const Option only_domain[] = { OPTION_DOMAIN_ANY, { NULL } };

const Command command_dompmwakeup = {
    "dompmwakeup",
    N_("wake a domain's guest that has suspended itself to its memory"),
    NULL,
    only_domain,
    run_wakeup,
    COMMAND_CHANGES,
};
