/* The commands about the document in a saved domain's image, wherever that is: save-image-* and managedsave-*. */
#include "cli/commands.h"

#include "cli/domain.h"
#include "cli/editor.h"
#include "cli/file.h"
#include "cli/output.h"
#include "cli/xpath.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* An image: a file, or the one that a domain starts from. */
typedef struct Image {
    Connection *connection;
    char *path;     /* NULL: the domain's */
    Domain *domain; /* NULL: the file's */
    guint flags;    /* VIR_DOMAIN_SAVE_RUNNING and _PAUSED, for a new document */
    guint xml_flags;
} Image;

static GVariant *
call(const Image *image, const char *of_file, const char *of_domain, GVariant *parameters,
     const char *reply_type, GError **error)
{
    return image->path
               ? connection_call(image->connection, connection_root(image->connection),
                                 CONNECT_INTERFACE, of_file, parameters, reply_type, error)
               : connection_call(image->connection, image->domain->path, VMCTL_DOMAIN_INTERFACE,
                                 of_domain, parameters, reply_type, error);
}

static char *
get(gpointer data, GError **error)
{
    const Image *image = data;
    GVariant *parameters = image->path ? g_variant_new("(su)", image->path, image->xml_flags)
                                       : g_variant_new("(u)", image->xml_flags);
    g_autoptr(GVariant) reply =
        call(image, "DomainSaveImageGetXMLDesc", "ManagedSaveGetXMLDesc", parameters, "(s)", error);
    char *xml = NULL;

    if (reply)
        g_variant_get(reply, "(s)", &xml);
    return xml;
}

static gboolean
set(gpointer data, const char *xml, GError **error)
{
    const Image *image = data;
    GVariant *parameters = image->path ? g_variant_new("(ssu)", image->path, xml, image->flags)
                                       : g_variant_new("(su)", xml, image->flags);
    g_autoptr(GVariant) reply =
        call(image, "DomainSaveImageDefineXML", "ManagedSaveDefineXML", parameters, "()", error);

    return reply != NULL;
}

static const ArgsFlag state_flags[] = {
    { "running", VIR_DOMAIN_SAVE_RUNNING },
    { "paused", VIR_DOMAIN_SAVE_PAUSED },
    { NULL, 0 },
};

static const ArgsFlag xml_flags[] = {
    { "security-info", VIR_DOMAIN_SAVE_IMAGE_XML_SECURE },
    { NULL, 0 },
};

static void
image_clear(Image *image)
{
    g_free(image->path);
    domain_free(image->domain);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Image, image_clear)

static Image
image_of_file(Session *session, const Args *args)
{
    return (Image){
        .connection = session->connection,
        .path = g_canonicalize_filename(args_string(args, "file"), NULL),
    };
}

/* Without a domain: FALSE with @error. */
static gboolean
image_of_domain(Session *session, const Args *args, Image *ret, GError **error)
{
    ret->connection = session->connection;
    ret->domain = domain_from_args(session, args, error);
    return ret->domain != NULL;
}

/* dumpxml */

static gboolean
dump(Image *image, const Args *args, GError **error)
{
    g_autofree char *xml = NULL;

    image->xml_flags = args_flags(args, xml_flags);
    xml = get(image, error);
    return xml && xpath_print(xml, args, error);
}

static gboolean
run_save_image_dumpxml(Session *session, const Args *args, GError **error)
{
    g_auto(Image) image = image_of_file(session, args);

    return dump(&image, args, error);
}

static const Option image_dumpxml_options[] = {
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("the image that was saved") },
    { "security-info", OPTION_BOOL, OPTION_SECRET, N_("with passwords and other secrets") },
    OPTIONS_XPATH,
    { NULL },
};

const Command command_save_image_dumpxml = {
    "save-image-dumpxml",
    N_("print the XML document in a saved domain's image"),
    NULL,
    image_dumpxml_options,
    run_save_image_dumpxml,
    COMMAND_CHANGES, /* nothing, but a path of the host is not for who may only look */
};

static gboolean
run_managedsave_dumpxml(Session *session, const Args *args, GError **error)
{
    g_auto(Image) image = { 0 };

    return image_of_domain(session, args, &image, error) && dump(&image, args, error);
}

static const Option managed_dumpxml_options[] = {
    OPTION_DOMAIN_ANY,
    { "security-info", OPTION_BOOL, OPTION_SECRET, N_("with passwords and other secrets") },
    OPTIONS_XPATH,
    { NULL },
};

const Command command_managedsave_dumpxml = {
    "managedsave-dumpxml",
    N_("print the XML document in a domain's managed save"),
    NULL,
    managed_dumpxml_options,
    run_managedsave_dumpxml,
    0,
};

/* define */

static gboolean
define(Image *image, const Args *args, GError **error)
{
    g_autofree char *xml = file_read_text(args_string(args, "xml"), error);

    image->flags = args_flags(args, state_flags);
    return xml && set(image, xml, error);
}

static gboolean
run_save_image_define(Session *session, const Args *args, GError **error)
{
    const char *file = args_string(args, "file");
    g_auto(Image) image = image_of_file(session, args);

    if (!define(&image, args, error)) {
        output_error(_("Failed to update %s"), file);
        return FALSE;
    }
    output_extra(_("State file %s updated.\n"), file);
    return TRUE;
}

static const Option image_define_options[] = {
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("the image that was saved") },
    { "xml", OPTION_DATA, OPTION_REQUIRED, N_("file with the new document") },
    { "running", OPTION_BOOL, 0, N_("it runs when it is restored") },
    { "paused", OPTION_BOOL, 0, N_("it is paused when it is restored") },
    { NULL },
};

const Command command_save_image_define = {
    "save-image-define",
    N_("put another XML document into a saved domain's image"),
    N_("It must describe the same machine; names, texts and what is on the host may differ."),
    image_define_options,
    run_save_image_define,
    COMMAND_CHANGES,
};

static gboolean
run_managedsave_define(Session *session, const Args *args, GError **error)
{
    g_auto(Image) image = { 0 };

    if (!image_of_domain(session, args, &image, error))
        return FALSE;
    if (!define(&image, args, error)) {
        output_error(_("Failed to update %s XML configuration"), image.domain->name);
        return FALSE;
    }
    output_extra(_("Managed save state file of domain '%s' updated.\n"), image.domain->name);
    return TRUE;
}

static const Option managed_define_options[] = {
    OPTION_DOMAIN_ANY,
    { "xml", OPTION_DATA, OPTION_REQUIRED, N_("file with the new document") },
    { "running", OPTION_BOOL, 0, N_("it runs when it is started") },
    { "paused", OPTION_BOOL, 0, N_("it is paused when it is started") },
    { NULL },
};

const Command command_managedsave_define = {
    "managedsave-define",
    N_("put another XML document into a domain's managed save"),
    N_("It must describe the same machine; names, texts and what is on the host may differ."),
    managed_define_options,
    run_managedsave_define,
    COMMAND_CHANGES,
};

/* edit: flags that the daemon would always refuse are refused before the user has edited anything. */

static gboolean
edit(Image *image, const Args *args, gboolean *ret_changed, GError **error)
{
    const Editable document = { get, set, image };

    image->flags = args_flags(args, state_flags);
    image->xml_flags = VIR_DOMAIN_SAVE_IMAGE_XML_SECURE;
    return editor_edit(&document, ret_changed, error);
}

static gboolean
run_save_image_edit(Session *session, const Args *args, GError **error)
{
    const char *file = args_string(args, "file");
    g_auto(Image) image = image_of_file(session, args);
    gboolean changed;

    if (!args_exclusive(args, "running", "paused", error) || !edit(&image, args, &changed, error))
        return FALSE;
    if (changed)
        output_extra(_("State file %s edited.\n"), file);
    else
        output_extra(_("Saved image %s XML configuration not changed.\n"), file);
    return TRUE;
}

static const Option image_edit_options[] = {
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("the image that was saved") },
    { "running", OPTION_BOOL, 0, N_("it runs when it is restored") },
    { "paused", OPTION_BOOL, 0, N_("it is paused when it is restored") },
    { NULL },
};

const Command command_save_image_edit = {
    "save-image-edit",
    N_("edit the XML document in a saved domain's image"),
    NULL,
    image_edit_options,
    run_save_image_edit,
    COMMAND_CHANGES,
};

static gboolean
run_managedsave_edit(Session *session, const Args *args, GError **error)
{
    g_auto(Image) image = { 0 };
    gboolean changed;

    if (!args_exclusive(args, "running", "paused", error) ||
        !image_of_domain(session, args, &image, error) || !edit(&image, args, &changed, error))
        return FALSE;
    if (changed)
        output_extra(_("Managed save image of Domain '%s' XML configuration edited.\n"),
                     image.domain->name);
    else
        output_extra(_("Managed save image of domain '%s' XML configuration not changed.\n"),
                     image.domain->name);
    return TRUE;
}

static const Option managed_edit_options[] = {
    OPTION_DOMAIN_ANY,
    { "running", OPTION_BOOL, 0, N_("it runs when it is started") },
    { "paused", OPTION_BOOL, 0, N_("it is paused when it is started") },
    { NULL },
};

const Command command_managedsave_edit = {
    "managedsave-edit",
    N_("edit the XML document in a domain's managed save"),
    NULL,
    managed_edit_options,
    run_managedsave_edit,
    COMMAND_CHANGES,
};
