/* domdisplay and vncdisplay: where a guest's screen can be seen. A guest of vmctl's own monitor has none, so these
 * mostly have to say so; the element may stand in a definition, and other daemons answer here, too. */
#include "cli/commands.h"

#include "cli/document.h"
#include "cli/domain.h"
#include "cli/facts.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

#define VNC_FIRST_PORT 5900

/* The document of a guest that runs; NULL with an error. */
static char *
running_xml(Session *session, const Args *args, GError **error)
{
    gboolean active;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !domain_is_active(domain, &active, error))
        return NULL;
    if (!active) {
        cli_fail(error, "%s", _("Domain is not running"));
        return NULL;
    }
    return domain_xml(domain, 0, error);
}

static char *
find_port(const char *xml, gint64 *ret_port)
{
    g_autofree char *port = document_find(xml, "domain/devices/graphics", "port");
    char *listen = document_find(xml, "domain/devices/graphics", "listen");

    *ret_port = port ? g_ascii_strtoll(port, NULL, 10) : -1;
    return listen;
}

static gboolean
run_domdisplay(Session *session, const Args *args, GError **error)
{
    const char *wanted = args_string(args, "type");
    gint64 port;
    g_autofree char *uri = NULL;
    g_autoptr(Facts) facts = facts_new();
    g_autofree char *type = NULL;
    g_autofree char *listen = NULL;
    g_autofree char *xml = running_xml(session, args, error);

    if (!xml)
        return FALSE;
    type = document_find(xml, "domain/devices/graphics", "type");
    listen = find_port(xml, &port);
    if (!type || port < 0 || (wanted && !g_str_equal(wanted, type)))
        return wanted ? cli_fail(error, _("No graphical display with type '%s' found"), wanted)
                      : cli_fail(error, "%s", _("No graphical display found"));
    if (g_str_equal(type, "vnc"))
        port -= VNC_FIRST_PORT;
    uri = g_strdup_printf("%s://%s:%" G_GINT64_FORMAT, type, listen ? listen : "localhost", port);
    facts_add(facts, "uri", "", uri, NULL);
    facts_print(facts, 0);
    return TRUE;
}

static const Option domdisplay_options[] = {
    OPTION_DOMAIN_ANY,
    { "include-password", OPTION_BOOL, 0, N_("with the password (never told)") },
    { "type", OPTION_STRING, 0, N_("only a display of this type, such as vnc") },
    { "all", OPTION_BOOL, 0, N_("all displays (vmctl shows the first)") },
    { NULL },
};

const Command command_domdisplay = {
    "domdisplay",   N_("print where a guest's screen can be seen"),
    NULL,           domdisplay_options,
    run_domdisplay, COMMAND_JSON,
};

static gboolean
run_vncdisplay(Session *session, const Args *args, GError **error)
{
    gint64 port;
    g_autofree char *display = NULL;
    g_autoptr(Facts) facts = facts_new();
    g_autofree char *type = NULL;
    g_autofree char *listen = NULL;
    g_autofree char *xml = running_xml(session, args, error);

    if (!xml)
        return FALSE;
    type = document_find(xml, "domain/devices/graphics", "type");
    listen = find_port(xml, &port);
    if (g_strcmp0(type, "vnc") != 0 || port < 0)
        return cli_fail(error, "%s", _("Failed to get VNC port. Is this domain using VNC?"));
    display = g_strdup_printf("%s:%" G_GINT64_FORMAT, listen ? listen : "", port - VNC_FIRST_PORT);
    facts_add(facts, "display", "", display, NULL);
    facts_print(facts, 0);
    return TRUE;
}

static const Option vncdisplay_options[] = { OPTION_DOMAIN_ANY, { NULL } };

const Command command_vncdisplay = {
    "vncdisplay", N_("print the VNC display of a guest"), NULL, vncdisplay_options, run_vncdisplay,
    COMMAND_JSON,
};
