/* vol-create-as: a volume that options describe. */
#include "cli/commands.h"

#include "cli/args.h"
#include "cli/markup.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/size.h"
#include "cli/volume.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static gboolean
read_size(const char *text, guint64 *ret_bytes, GError **error)
{
    return size_parse_bytes(text, 1, ret_bytes) || cli_fail(error, _("Malformed size %s"), text);
}

static void
add_size(GString *xml, const char *element, guint64 bytes)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, bytes);

    markup_text(xml, element, text);
}

/* What is written behind "  " stands two blanks further in. */
static void
add_inner(GString *xml, const char *element, const char *name, const char *value)
{
    if (!value)
        return;
    g_string_append(xml, "  ");
    if (name)
        markup_element(xml, element, name, value);
    else
        markup_text(xml, element, value);
}

/* The volume behind it, in the same pool by its name or anywhere by its key or path; FALSE with @error. */
static gboolean
add_backing(GString *xml, Session *session, const Object *pool, const Args *args, GError **error)
{
    const char *called = args_string(args, "backing-vol");
    g_autoptr(Object) volume = NULL;
    g_autofree char *path = NULL;

    if (!called)
        return TRUE;
    volume = volume_find(session, pool, called, error);
    if (!volume)
        output_error(_("failed to get vol '%s'"), called);
    path = volume ? object_text(volume, "Path", error) : NULL;
    if (!path)
        return FALSE;
    g_string_append(xml, "  <backingStore>\n");
    add_inner(xml, "path", NULL, path);
    add_inner(xml, "format", "type", args_string(args, "backing-vol-format"));
    g_string_append(xml, "  </backingStore>\n");
    return TRUE;
}

static char *
document_of(Session *session, const Object *pool, const Args *args, GError **error)
{
    const char *format = args_string(args, "format");
    guint64 capacity, allocation = 0;
    g_autoptr(GString) xml = g_string_new("<volume>\n");

    if (!read_size(args_string(args, "capacity"), &capacity, error) ||
        (args_has(args, "allocation") &&
         !read_size(args_string(args, "allocation"), &allocation, error)))
        return NULL;
    markup_text(xml, "name", args_string(args, "name"));
    add_size(xml, "capacity", capacity);
    if (args_has(args, "allocation"))
        add_size(xml, "allocation", allocation);
    if (format) {
        g_string_append(xml, "  <target>\n");
        add_inner(xml, "format", "type", format);
        g_string_append(xml, "  </target>\n");
    }
    if (!add_backing(xml, session, pool, args, error))
        return NULL;
    g_string_append(xml, "</volume>\n");
    return g_strdup(xml->str);
}

static gboolean
run_create_as(Session *session, const Args *args, GError **error)
{
    const char *name = args_string(args, "name");
    guint flags = args_has(args, "prealloc-metadata") ? VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA : 0;
    g_autoptr(Object) pool = object_from_args(session, &object_pool, args, error);
    g_autofree char *xml = pool ? document_of(session, pool, args, error) : NULL;
    g_autoptr(GVariant) reply = NULL;

    if (!xml)
        return FALSE;
    if (args_has(args, "print-xml")) {
        output("%s", xml);
        return TRUE;
    }
    reply = object_call(pool, "StorageVolCreateXML", g_variant_new("(su)", xml, flags), "(o)", error);
    if (reply)
        output_extra(_("Vol %s created\n"), name);
    else
        output_error(_("Failed to create vol %s"), name);
    return reply != NULL;
}

static const Option create_as_options[] = {
    { "pool", OPTION_DATA, OPTION_REQUIRED, N_("the pool's name or UUID") },
    { "name", OPTION_DATA, OPTION_REQUIRED, N_("the volume's name") },
    { "capacity", OPTION_DATA, OPTION_REQUIRED, N_("its size, in bytes or with a unit") },
    { "allocation", OPTION_STRING, 0, N_("how much of it is there from the start") },
    { "format", OPTION_STRING, 0, N_("its format, such as qcow2") },
    { "backing-vol", OPTION_STRING, 0, N_("the volume behind it: name, key or path") },
    { "backing-vol-format", OPTION_STRING, 0, N_("the format of that") },
    { "prealloc-metadata", OPTION_BOOL, 0,
      N_("allocate the metadata of a qcow2 volume, without its data") },
    { "print-xml", OPTION_BOOL, 0, N_("print the document, and do nothing") },
    { NULL },
};

const Command command_vol_create_as = {
    "vol-create-as",
    N_("make a volume that options describe"),
    NULL,
    create_as_options,
    run_create_as,
    COMMAND_CHANGES,
};
