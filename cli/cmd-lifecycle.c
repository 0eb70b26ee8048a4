/* The commands that move a domain between its states. */
#include "cli/commands.h"

#include "cli/domain.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* A command that is one call: what is called, and what is said when it worked or did not. Both texts
 * have one %s, the domain's name. */
typedef struct Verb {
    const char *method;
    const char *done;   /* N_() */
    const char *failed; /* N_() */
} Verb;

/* @parameters may be floating. */
static gboolean
run_verb(Session *session, const Args *args, const Verb *verb, GVariant *parameters, GError **error)
{
    g_autoptr(GVariant) owned = parameters ? g_variant_ref_sink(parameters) : NULL;
    g_autofree char *text = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (!domain_do(domain, verb->method, owned, error)) {
        text = text_about(verb->failed, domain->name, NULL);
        output_error("%s", text);
        return FALSE;
    }
    text = text_about(verb->done, domain->name, NULL);
    output_extra("%s", text);
    return TRUE;
}

static const Option only_domain[] = { OPTION_DOMAIN_ANY, { NULL } };

static gboolean
run_suspend(Session *session, const Args *args, GError **error)
{
    static const Verb verb = { "Suspend", N_("Domain '%s' suspended\n"),
                               N_("Failed to suspend domain '%s'") };
    return run_verb(session, args, &verb, NULL, error);
}

const Command command_suspend = {
    "suspend",
    N_("halt the CPUs of a running domain"),
    N_("The domain keeps its memory and devices until it is resumed."),
    only_domain,
    run_suspend,
    COMMAND_CHANGES,
};

static gboolean
run_resume(Session *session, const Args *args, GError **error)
{
    static const Verb verb = { "Resume", N_("Domain '%s' resumed\n"),
                               N_("Failed to resume domain '%s'") };
    return run_verb(session, args, &verb, NULL, error);
}

const Command command_resume = {
    "resume", N_("let a suspended domain go on"), NULL, only_domain, run_resume, COMMAND_CHANGES,
};

static gboolean
run_reset(Session *session, const Args *args, GError **error)
{
    static const Verb verb = { "Reset", N_("Domain '%s' was reset\n"),
                               N_("Failed to reset domain '%s'") };
    return run_verb(session, args, &verb, g_variant_new("(u)", 0), error);
}

const Command command_reset = {
    "reset",
    N_("reset a domain"),
    N_("Works like the reset button of a machine: the guest is not asked, and may lose data."),
    only_domain,
    run_reset,
    COMMAND_CHANGES,
};

static gboolean
run_inject_nmi(Session *session, const Args *args, GError **error)
{
    g_autoptr(GVariant) flags = g_variant_ref_sink(g_variant_new("(u)", 0));
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    return domain && domain_do(domain, "InjectNMI", flags, error);
}

const Command command_inject_nmi = {
    "inject-nmi",
    N_("give a domain a non-maskable interrupt"),
    N_("Works like the NMI button of a machine: what a kernel makes of it, a crash dump for "
       "example,\n"
       "    is up to how it is set up."),
    only_domain,
    run_inject_nmi,
    COMMAND_CHANGES,
};

static gboolean
run_destroy(Session *session, const Args *args, GError **error)
{
    static const Verb verb = { "Destroy", N_("Domain '%s' destroyed\n"),
                               N_("Failed to destroy domain '%s'") };
    static const ArgsFlag flags[] = { { "graceful", VIR_DOMAIN_DESTROY_GRACEFUL },
                                      { "remove-logs", VIR_DOMAIN_DESTROY_REMOVE_LOGS },
                                      { NULL, 0 } };
    return run_verb(session, args, &verb, g_variant_new("(u)", args_flags(args, flags)), error);
}

static const Option destroy_options[] = {
    OPTION_DOMAIN_ANY,
    { "graceful", OPTION_BOOL, 0, N_("only if the domain ends without being killed") },
    { "remove-logs", OPTION_BOOL, 0, N_("remove the domain's logs as well") },
    { NULL },
};

const Command command_destroy = {
    "destroy",
    N_("stop a domain at once"),
    N_("Works like pulling the plug: the guest is not asked, and may lose data.\n"
       "    The definition of a persistent domain stays."),
    destroy_options,
    run_destroy,
    COMMAND_CHANGES,
};

/* The ways to ask a guest; the numbers are the same for shutdown and reboot. */
static const ArgsFlag modes[] = {
    { "acpi", VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN }, { "agent", VIR_DOMAIN_SHUTDOWN_GUEST_AGENT },
    { "initctl", VIR_DOMAIN_SHUTDOWN_INITCTL },     { "signal", VIR_DOMAIN_SHUTDOWN_SIGNAL },
    { "paravirt", VIR_DOMAIN_SHUTDOWN_PARAVIRT },   { NULL, 0 },
};

/* "acpi,agent": each is tried until one works. */
static gboolean
read_modes(const Args *args, guint *ret_flags, GError **error)
{
    const char *text = args_string(args, "mode");
    g_auto(GStrv) names = g_strsplit(text ? text : "", ",", -1);
    guint flags = 0;

    for (gsize i = 0; names[i]; i++) {
        guint mode = args_flag_of(modes, names[i]);
        if (!mode)
            return cli_fail(error,
                            _("Unknown mode %s value, expecting 'acpi', 'agent', 'initctl', "
                              "'signal', or 'paravirt'"),
                            names[i]);
        flags |= mode;
    }
    *ret_flags = flags;
    return TRUE;
}

static const Option mode_options[] = {
    OPTION_DOMAIN_ANY,
    { "mode", OPTION_STRING, 0, N_("how to ask the guest: acpi|agent|initctl|signal|paravirt") },
    { NULL },
};

static gboolean
run_shutdown(Session *session, const Args *args, GError **error)
{
    static const Verb verb = { "Shutdown", N_("Domain '%s' is being shutdown\n"),
                               N_("Failed to shutdown domain '%s'") };
    guint flags;

    return read_modes(args, &flags, error) &&
           run_verb(session, args, &verb, g_variant_new("(u)", flags), error);
}

const Command command_shutdown = {
    "shutdown",
    N_("ask a domain to shut down"),
    N_("The guest decides when it powers off, and whether it does. Without --mode its agent is\n"
       "    asked, and where that does not work its power button pressed."),
    mode_options,
    run_shutdown,
    COMMAND_CHANGES,
};

static gboolean
run_reboot(Session *session, const Args *args, GError **error)
{
    static const Verb verb = { "Reboot", N_("Domain '%s' is being rebooted\n"),
                               N_("Failed to reboot domain '%s'") };
    guint flags;

    return read_modes(args, &flags, error) &&
           run_verb(session, args, &verb, g_variant_new("(u)", flags), error);
}

const Command command_reboot = {
    "reboot",
    N_("ask a domain to reboot"),
    N_("Without --mode the guest's agent is asked, and where that does not work its power button\n"
       "    pressed, and it is started again when it has powered off."),
    mode_options,
    run_reboot,
    COMMAND_CHANGES,
};
