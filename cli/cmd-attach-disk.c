/* attach-disk: a disk that options describe. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/device-address.h"
#include "cli/device-make.h"
#include "cli/markup.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>

/* What its source can be, and the attribute that names it. */
static const char *const source_types[][2] = {
    { "file", "file" },
    { "block", "dev" },
    { "network", "name" },
};

/* Where nothing is said: the network's with a protocol, "block" for a block device of this host. */
static const char *
source_type(const Args *args)
{
    const char *given = args_string(args, "sourcetype");
    struct stat st;

    if (given)
        return given;
    if (args_has(args, "source-protocol"))
        return "network";
    return stat(args_string(args, "source"), &st) == 0 && S_ISBLK(st.st_mode) ? "block" : "file";
}

/* NULL: there is no such type. */
static const char *
source_attribute(const char *type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(source_types); i++) {
        if (strcmp(source_types[i][0], type) == 0)
            return source_types[i][1];
    }
    return NULL;
}

static gboolean
require(const Args *args, const char *name, const char *required, GError **error)
{
    return !args_has(args, name) || args_has(args, required) ||
           cli_fail(error, _("Option --%s is required by option --%s"), required, name);
}

/* A world wide name: 16 hexadecimal digits, behind "0x" or not. */
static gboolean
check_wwn(const char *wwn, GError **error)
{
    const char *digits = g_str_has_prefix(wwn, "0x") ? wwn + 2 : wwn;

    return (strlen(digits) == 16 && strspn(digits, "0123456789abcdefABCDEF") == 16) ||
           cli_fail(error, _("internal error: Malformed wwn: %s"), wwn);
}

static gboolean
check_options(const Args *args, GError **error)
{
    const char *type = source_type(args), *mode = args_string(args, "mode");
    gboolean network = strcmp(type, "network") == 0;

    if (!require(args, "source-host-name", "source-protocol", error) ||
        !require(args, "source-host-transport", "source-protocol", error) ||
        !require(args, "source-host-socket", "source-protocol", error) ||
        !require(args, "source-host-socket", "source-host-transport", error))
        return FALSE;
    if (!source_attribute(type))
        return cli_fail(error, _("Unknown source type: '%s'"), type);
    if (network != args_has(args, "source-protocol"))
        return cli_fail(error, "%s", _("--source-protocol option requires --sourcetype network"));
    if (mode && strcmp(mode, "readonly") != 0 && strcmp(mode, "shareable") != 0)
        return cli_fail(error, _("No support for %s in command 'attach-disk'"), mode);
    return !args_has(args, "wwn") || check_wwn(args_string(args, "wwn"), error);
}

static void
add_driver(GString *xml, const Args *args)
{
    static const char *const attributes[][2] = { { "name", "driver" },
                                                 { "type", "subdriver" },
                                                 { "iothread", "iothread" },
                                                 { "cache", "cache" },
                                                 { "io", "io" } };
    g_autoptr(GString) all = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(attributes); i++)
        markup_attribute(all, attributes[i][0], args_string(args, attributes[i][1]));
    if (all->len > 0)
        g_string_append_printf(xml, "  <driver%s/>\n", all->str);
}

/* "NAME:PORT". */
static void
add_host(GString *xml, const Args *args)
{
    const char *whole = args_string(args, "source-host-name");
    const char *colon = whole ? strchr(whole, ':') : NULL;
    g_autofree char *name = colon ? g_strndup(whole, colon - whole) : g_strdup(whole);

    g_string_append(xml, "    <host");
    markup_attribute(xml, "transport", args_string(args, "source-host-transport"));
    markup_attribute(xml, "name", name);
    markup_attribute(xml, "port", colon ? colon + 1 : NULL);
    markup_attribute(xml, "socket", args_string(args, "source-host-socket"));
    g_string_append(xml, "/>\n");
}

static void
add_source(GString *xml, const Args *args)
{
    g_string_append(xml, "  <source");
    markup_attribute(xml, "protocol", args_string(args, "source-protocol"));
    markup_attribute(xml, source_attribute(source_type(args)), args_string(args, "source"));
    if (!args_has(args, "source-host-name") && !args_has(args, "source-host-transport")) {
        g_string_append(xml, "/>\n");
        return;
    }
    g_string_append(xml, ">\n");
    add_host(xml, args);
    g_string_append(xml, "  </source>\n");
}

/* NULL where the options say nothing that a disk could be. */
static char *
disk_document(const Args *args, GError **error)
{
    const char *mode = args_string(args, "mode"), *place = args_string(args, "address");
    g_autofree char *address = NULL;
    GString *xml;

    if (!check_options(args, error))
        return NULL;
    if (place && !(address = device_address_of_disk(place, args_string(args, "target"),
                                                    args_has(args, "multifunction"), error)))
        return NULL;
    xml = g_string_new("<disk");
    markup_attribute(xml, "type", source_type(args));
    markup_attribute(xml, "device", args_string(args, "type"));
    markup_attribute(xml, "rawio", args_has(args, "rawio") ? "yes" : NULL);
    g_string_append(xml, ">\n");
    add_driver(xml, args);
    add_source(xml, args);
    g_string_append(xml, "  <target");
    markup_attribute(xml, "dev", args_string(args, "target"));
    markup_attribute(xml, "bus", args_string(args, "targetbus"));
    g_string_append(xml, "/>\n");
    if (mode)
        g_string_append_printf(xml, "  <%s/>\n", mode);
    markup_text(xml, "serial", args_string(args, "serial"));
    markup_element(xml, "alias", "name", args_string(args, "alias"));
    markup_text(xml, "wwn", args_string(args, "wwn"));
    g_string_append(xml, address ? address : "");
    g_string_append(xml, "</disk>\n");
    return g_string_free(xml, FALSE);
}

static const Option attach_options[] = {
    OPTION_DOMAIN_ANY,
    { "source", OPTION_DATA, OPTION_REQUIRED | OPTION_EMPTY_OK, N_("the image, or '' for none") },
    { "target", OPTION_DATA, OPTION_REQUIRED, N_("its name in the domain, such as vdb") },
    { "targetbus", OPTION_STRING, 0, N_("the bus: virtio") },
    { "driver", OPTION_STRING, 0, N_("the driver: qemu") },
    { "subdriver", OPTION_STRING, 0, N_("the image's format, such as raw") },
    { "iothread", OPTION_STRING, 0, N_("the number of the I/O thread that serves it") },
    { "cache", OPTION_STRING, 0, N_("the caching, such as none") },
    { "io", OPTION_STRING, 0, N_("how it is read and written, such as io_uring") },
    { "type", OPTION_STRING, 0, N_("disk or cdrom") },
    { "mode", OPTION_STRING, 0, N_("readonly or shareable") },
    { "sourcetype", OPTION_STRING, 0, N_("file, block or network") },
    { "serial", OPTION_STRING, 0, N_("its serial number") },
    { "wwn", OPTION_STRING, 0, N_("its world wide name, 16 hexadecimal digits") },
    { "alias", OPTION_STRING, 0, N_("a name for it, which begins with \"ua-\"") },
    { "rawio", OPTION_BOOL, 0, N_("the guest may send it SCSI commands of its own") },
    { "address", OPTION_STRING, 0, N_("where on its bus, such as pci:0000.00.05.0") },
    { "multifunction", OPTION_BOOL, 0, N_("other functions share its PCI slot") },
    { "print-xml", OPTION_BOOL, 0, N_("print the device's document, and do nothing") },
    { "source-protocol", OPTION_STRING, 0,
      N_("the protocol of a source in the network, such as nbd") },
    { "source-host-name", OPTION_STRING, 0, N_("the host that has it: NAME or NAME:PORT") },
    { "source-host-transport", OPTION_STRING, 0, N_("how that is reached: tcp, rdma or unix") },
    { "source-host-socket", OPTION_STRING, 0, N_("the path of its socket, with transport unix") },
    OPTION_PERSISTENT,
    OPTIONS_AFFECTS,
    { NULL },
};

static const OptionAlias attach_aliases[] = {
    { "shareable", "mode", "shareable" },
    { NULL },
};

const Command command_attach_disk = {
    "attach-disk",
    N_("add a disk to a domain"),
    N_("Without an option: to the guest that runs."),
    attach_options,
    device_make_run,
    COMMAND_CHANGES,
    &(const DeviceMake){ disk_document, N_("Disk attached successfully"),
                         N_("Failed to attach disk") },
    .aliases = attach_aliases,
};
