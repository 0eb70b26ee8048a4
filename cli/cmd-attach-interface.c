/* attach-interface: a network interface that options describe. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/device-address.h"
#include "cli/device-make.h"
#include "cli/markup.h"
#include "cli/output.h"
#include "cli/rate.h"

#include <glib/gi18n.h>
#include <string.h>

static void
add_rate(GString *xml, const char *element, const guint64 rate[RATE_N_FIELDS])
{
    g_string_append_printf(xml, "    <%s", element);
    for (int i = 0; i < RATE_N_FIELDS; i++) {
        if (rate[i])
            g_string_append_printf(xml, " %s='%" G_GUINT64_FORMAT "'", rate_fields[i], rate[i]);
    }
    g_string_append(xml, "/>\n");
}

static gboolean
add_bandwidth(GString *xml, const Args *args, GError **error)
{
    guint64 inbound[RATE_N_FIELDS] = { 0 }, outbound[RATE_N_FIELDS] = { 0 };
    gboolean in = args_has(args, "inbound"), out = args_has(args, "outbound");

    if (!in && !out)
        return TRUE;
    if ((in && (!rate_parse(args_string(args, "inbound"), inbound, error) ||
                !rate_check_inbound(inbound, error))) ||
        (out && (!rate_parse(args_string(args, "outbound"), outbound, error) ||
                 !rate_check_outbound(outbound, error))))
        return FALSE;
    g_string_append(xml, "  <bandwidth>\n");
    if (in)
        add_rate(xml, "inbound", inbound);
    if (out)
        add_rate(xml, "outbound", outbound);
    g_string_append(xml, "  </bandwidth>\n");
    return TRUE;
}

/* A kind of interface, and the attribute of its source that --source names. */
typedef struct InterfaceType {
    const char *name, *attribute;
    /* Instead: writes the source itself; FALSE where the options do not tell enough. */
    gboolean (*add_source)(GString *xml, const Args *args, GError **error);
} InterfaceType;

static gboolean
add_host_device(GString *xml, const Args *args, GError **error)
{
    const char *source = args_string(args, "source") ? args_string(args, "source") : "";
    g_autofree char *address = device_address_of_host(source);

    if (!address)
        return cli_fail(error, _("cannot parse pci address '%s' for network interface"), source);
    g_string_append_printf(xml, "  <source>\n%s  </source>\n", address);
    return TRUE;
}

static gboolean
add_socket(GString *xml, const Args *args, GError **error)
{
    if (!args_has(args, "source-mode"))
        return cli_fail(error, "%s", _("source-mode is mandatory"));
    g_string_append(xml, "  <source type='unix'");
    markup_attribute(xml, "path", args_string(args, "source"));
    markup_attribute(xml, "mode", args_string(args, "source-mode"));
    g_string_append(xml, "/>\n");
    return TRUE;
}

static const InterfaceType interface_types[] = {
    { "network", "network" },
    { "bridge", "bridge" },
    { "direct", "dev" },
    { "hostdev", NULL, add_host_device },
    { "vhostuser", NULL, add_socket },
    { "ethernet" },
    { "user" },
};

static const InterfaceType *
find_type(const char *name, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(interface_types); i++) {
        if (strcmp(interface_types[i].name, name) == 0)
            return &interface_types[i];
    }
    cli_fail(error, _("No support for %s in command 'attach-interface'"), name);
    return NULL;
}

static gboolean
check_mode(const char *mode, GError **error)
{
    return !mode || strcmp(mode, "server") == 0 || strcmp(mode, "client") == 0 ||
           cli_fail(error, _("Invalid source mode: %s"), mode);
}

static gboolean
add_source(GString *xml, const InterfaceType *type, const Args *args, GError **error)
{
    if (type->add_source)
        return type->add_source(xml, args, error);
    if (type->attribute)
        markup_element(xml, "source", type->attribute, args_string(args, "source"));
    return TRUE;
}

/* NULL where the options say nothing that a card could have. */
static char *
interface_document(const Args *args, GError **error)
{
    const InterfaceType *type = NULL;
    g_autoptr(GString) xml = g_string_new("<interface");

    if (!check_mode(args_string(args, "source-mode"), error) ||
        !(type = find_type(args_string(args, "type"), error)))
        return NULL;
    markup_attribute(xml, "type", type->name);
    markup_attribute(xml, "managed", args_has(args, "managed") ? "yes" : NULL);
    g_string_append(xml, ">\n");
    if (!add_source(xml, type, args, error))
        return NULL;
    markup_element(xml, "target", "dev", args_string(args, "target"));
    markup_element(xml, "mac", "address", args_string(args, "mac"));
    markup_element(xml, "script", "path", args_string(args, "script"));
    markup_element(xml, "model", "type", args_string(args, "model"));
    markup_element(xml, "alias", "name", args_string(args, "alias"));
    if (!add_bandwidth(xml, args, error))
        return NULL;
    g_string_append(xml, "</interface>\n");
    return g_strdup(xml->str);
}

static const Option attach_options[] = {
    OPTION_DOMAIN_ANY,
    { "type", OPTION_DATA, OPTION_REQUIRED, N_("bridge, ethernet, user or another type") },
    { "source", OPTION_DATA, OPTION_EMPTY_OK, N_("the bridge; anything for other types") },
    { "target", OPTION_STRING, 0, N_("the tap's name on the host") },
    { "mac", OPTION_STRING, 0, N_("the card's address") },
    { "script", OPTION_STRING, 0, N_("what the host runs for its tap") },
    { "model", OPTION_STRING, 0, N_("the card's model: virtio") },
    { "alias", OPTION_STRING, 0, N_("a name for it, which begins with \"ua-\"") },
    { "inbound", OPTION_STRING, 0, N_("to the guest: AVERAGE,PEAK,BURST,FLOOR") },
    { "outbound", OPTION_STRING, 0, N_("from the guest: AVERAGE,PEAK,BURST") },
    OPTION_PERSISTENT,
    OPTIONS_AFFECTS,
    { "print-xml", OPTION_BOOL, 0, N_("print the device's document, and do nothing") },
    { "managed", OPTION_BOOL, 0, N_("a device of the host's is taken from it, and given back") },
    { "source-mode", OPTION_STRING, 0, N_("server or client: of a vhostuser interface") },
    { NULL },
};

const Command command_attach_interface = {
    "attach-interface",
    N_("add a network interface to a domain"),
    N_("Without an option: to the guest that runs."),
    attach_options,
    device_make_run,
    COMMAND_CHANGES,
    &(const DeviceMake){ interface_document, N_("Interface attached successfully"),
                         N_("Failed to attach interface") },
};
