/* console and ttyconsole: a guest's serial line. */
#include "cli/commands.h"

#include "cli/console.h"
#include "cli/document.h"
#include "cli/domain.h"
#include "cli/facts.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static gboolean
run_console(Session *session, const Args *args, GError **error)
{
    static const ArgsFlag flags[] = { { "force", VIR_DOMAIN_CONSOLE_FORCE },
                                      { "safe", VIR_DOMAIN_CONSOLE_SAFE },
                                      { NULL, 0 } };
    gboolean active;
    int fd;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !domain_is_active(domain, &active, error))
        return FALSE;
    if (!active)
        return cli_fail(error, "%s", _("The domain is not running"));
    fd = console_open(domain, args_string(args, "devname"), args_flags(args, flags), error);
    return fd >= 0 && console_run(session, domain, fd, error);
}

static const Option console_options[] = {
    OPTION_DOMAIN_ANY,
    { "devname", OPTION_STRING, 0,
      N_("the console's alias, such as serial0 (default: the first)") },
    { "force", OPTION_BOOL, 0, N_("end another session that has it open") },
    { "safe", OPTION_BOOL, 0, N_("only where two sessions cannot meet") },
    { NULL },
};

const Command command_console = {
    "console",
    N_("talk to a guest over its serial console"),
    N_("The escape character (Ctrl + ] unless -e names another) leaves the console. Without a\n"
       "    terminal, the end of the input ends the sending; what the guest says is shown until "
       "it\n"
       "    stops."),
    console_options,
    run_console,
    COMMAND_CHANGES,
};

static gboolean
run_ttyconsole(Session *session, const Args *args, GError **error)
{
    g_autofree char *xml = NULL;
    g_autofree char *tty = NULL;
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    xml = domain_xml(domain, 0, error);
    if (!xml)
        return FALSE;
    tty = document_find(xml, "domain/devices/console", "tty");
    if (!tty) /* virsh fails without a word */
        return cli_fail(error, _("domain '%s' has no pseudo terminal for a console now"),
                        domain->name);
    facts_add(facts, "tty", "", tty, NULL);
    facts_print(facts, 0);
    return TRUE;
}

static const Option ttyconsole_options[] = { OPTION_DOMAIN_ANY, { NULL } };

const Command command_ttyconsole = {
    "ttyconsole",   N_("print the device of a domain's console"),
    NULL,           ttyconsole_options,
    run_ttyconsole, COMMAND_JSON,
};
