/* The commands that make a snapshot: snapshot-create, snapshot-create-as. */
#include "cli/commands.h"

#include "cli/file.h"
#include "cli/output.h"
#include "cli/snapshot.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

static const ArgsFlag common_flags[] = {
    { "no-metadata", VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA },
    { "halt", VIR_DOMAIN_SNAPSHOT_CREATE_HALT },
    { "disk-only", VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY },
    { "reuse-external", VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT },
    { "quiesce", VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE },
    { "atomic", VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC },
    { "live", VIR_DOMAIN_SNAPSHOT_CREATE_LIVE },
    { "validate", VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE },
    { NULL, 0 },
};

#define COMMON_OPTIONS                                                                             \
    { "no-metadata", OPTION_BOOL, 0, N_("keep nothing of it") },                                   \
        { "halt", OPTION_BOOL, 0, N_("shut the domain off when it is made") },                     \
        { "disk-only", OPTION_BOOL, 0, N_("of the disks, without the memory") },                   \
        { "reuse-external", OPTION_BOOL, 0, N_("into files that are there already") },             \
        { "quiesce", OPTION_BOOL, 0, N_("freeze the guest's file systems meanwhile") },            \
        { "atomic", OPTION_BOOL, 0, N_("all of it or nothing") },                                  \
        { "live", OPTION_BOOL, 0, N_("while the guest runs on") },                                 \
    {                                                                                              \
        "validate", OPTION_BOOL, 0, N_("check the document against the schema first")              \
    }

/* @from: the file that it is told by; NULL: none. */
static gboolean
create(Domain *domain, const char *xml, guint flags, const char *from, GError **error)
{
    g_autoptr(Snapshot) snapshot = snapshot_create(domain, xml, flags, error);

    if (!snapshot)
        return FALSE;
    if (from)
        output_extra(_("Domain snapshot %s created from '%s'"), snapshot->name, from);
    else
        output_extra(_("Domain snapshot %s created"), snapshot->name);
    return TRUE;
}

/* create */

static const ArgsFlag create_flags[] = {
    { "redefine", VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE },
    { "current", VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT },
    { NULL, 0 },
};

static gboolean
run_create(Session *session, const Args *args, GError **error)
{
    guint flags = args_flags(args, common_flags) | args_flags(args, create_flags);
    const char *file = args_string(args, "xmlfile");
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autofree char *xml = NULL;

    if (!domain)
        return FALSE;
    xml = file ? file_read_text(file, error) : g_strdup("<domainsnapshot/>");
    return xml && create(domain, xml, flags, file, error);
}

static const Option create_options[] = {
    OPTION_DOMAIN_ANY,
    { "xmlfile", OPTION_STRING, 0, N_("file with the snapshot's XML document") },
    { "redefine", OPTION_BOOL, 0, N_("tell again of one that there is, or was") },
    { "current", OPTION_BOOL, 0, N_("with --redefine: it is the current one") },
    COMMON_OPTIONS,
    { NULL },
};

const Command command_snapshot_create = {
    "snapshot-create",
    N_("make a snapshot of a domain"),
    N_("Without a file it is called by the time. It grows from the domain's current snapshot, and "
       "is\n"
       "    the current one then."),
    create_options,
    run_create,
    COMMAND_CHANGES,
};

/* create-as */

/* What commas part, where two are one that is meant. */
static char **
split_commas(const char *text)
{
    GPtrArray *parts = g_ptr_array_new();
    g_autoptr(GString) part = g_string_new(NULL);

    for (const char *at = text;; at++) {
        if (*at == ',' && at[1] == ',') {
            g_string_append_c(part, ',');
            at++;
        } else if (*at == ',' || !*at) {
            g_ptr_array_add(parts, g_strdup(part->str));
            g_string_truncate(part, 0);
        } else {
            g_string_append_c(part, *at);
        }
        if (!*at)
            break;
    }
    g_ptr_array_add(parts, NULL);
    return (char **)g_ptr_array_free(parts, FALSE);
}

/* Takes "KEY=VALUE" of @part, where @ret has none yet. */
static gboolean
take(const char *part, const char *key, const char **ret)
{
    gsize length = strlen(key);

    if (*ret || strncmp(part, key, length) != 0 || part[length] != '=')
        return FALSE;
    *ret = part + length + 1;
    return TRUE;
}

static void
put_attr(GString *xml, const char *name, const char *value)
{
    g_autofree char *escaped = value ? g_markup_escape_text(value, -1) : NULL;

    if (escaped)
        g_string_append_printf(xml, " %s='%s'", name, escaped);
}

static void
put_element(GString *xml, const char *name, const char *text)
{
    g_autofree char *escaped = text ? g_markup_escape_text(text, -1) : NULL;

    if (escaped)
        g_string_append_printf(xml, "  <%s>%s</%s>\n", name, escaped, name);
}

static gboolean
put_memory(GString *xml, const char *spec, GError **error)
{
    g_auto(GStrv) parts = split_commas(spec);
    const char *snapshot = NULL, *file = NULL;

    for (char **part = parts; *part; part++) {
        if (take(*part, "snapshot", &snapshot) || take(*part, "file", &file))
            continue;
        if (file || **part != '/')
            return cli_fail(error, _("unable to parse memspec: %s"), spec);
        file = *part;
    }
    g_string_append(xml, "  <memory");
    put_attr(xml, "snapshot", snapshot);
    put_attr(xml, "file", file);
    g_string_append(xml, "/>\n");
    return TRUE;
}

typedef struct DiskSpec {
    const char *name, *snapshot, *driver, *type, *file;
} DiskSpec;

static gboolean
parse_disk(char **parts, DiskSpec *ret)
{
    ret->name = parts[0];
    for (char **part = parts + 1; *part; part++) {
        if (!take(*part, "snapshot", &ret->snapshot) && !take(*part, "driver", &ret->driver) &&
            !take(*part, "stype", &ret->type) && !take(*part, "file", &ret->file))
            return FALSE;
    }
    if (!ret->type || strcmp(ret->type, "file") == 0 || strcmp(ret->type, "block") == 0)
        return TRUE;
    output_error(_("Unknown storage type: '%s'"), ret->type);
    return FALSE;
}

static gboolean
put_disk(GString *xml, const char *text, GError **error)
{
    g_auto(GStrv) parts = split_commas(text);
    DiskSpec disk = { NULL };

    if (!parse_disk(parts, &disk))
        return cli_fail(error, _("unable to parse diskspec: %s"), text);
    g_string_append(xml, "    <disk");
    put_attr(xml, "name", disk.name);
    put_attr(xml, "snapshot", disk.snapshot);
    put_attr(xml, "type", disk.type);
    if (!disk.driver && !disk.file) {
        g_string_append(xml, "/>\n");
        return TRUE;
    }
    g_string_append(xml, ">\n");
    if (disk.driver) {
        g_string_append(xml, "      <driver");
        put_attr(xml, "type", disk.driver);
        g_string_append(xml, "/>\n");
    }
    if (disk.file) {
        g_string_append(xml, "      <source");
        put_attr(xml, g_strcmp0(disk.type, "block") == 0 ? "dev" : "file", disk.file);
        g_string_append(xml, "/>\n");
    }
    g_string_append(xml, "    </disk>\n");
    return TRUE;
}

static gboolean
put_disks(GString *xml, const char *const *specs, GError **error)
{
    if (!*specs)
        return TRUE;
    g_string_append(xml, "  <disks>\n");
    for (; *specs; specs++) {
        if (!put_disk(xml, *specs, error))
            return FALSE;
    }
    g_string_append(xml, "  </disks>\n");
    return TRUE;
}

static gboolean
put_document(GString *xml, const Args *args, GError **error)
{
    const char *memory = args_string(args, "memspec");

    g_string_append(xml, "<domainsnapshot>\n");
    put_element(xml, "name", args_string(args, "name"));
    put_element(xml, "description", args_string(args, "description"));
    if ((memory && !put_memory(xml, memory, error)) ||
        !put_disks(xml, args_list(args, "diskspec"), error))
        return FALSE;
    g_string_append(xml, "</domainsnapshot>\n");
    return TRUE;
}

static gboolean
run_create_as(Session *session, const Args *args, GError **error)
{
    g_autoptr(GString) xml = g_string_new(NULL);
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !put_document(xml, args, error))
        return FALSE;
    if (!args_has(args, "print-xml"))
        return create(domain, xml->str, args_flags(args, common_flags), NULL, error);
    output("%s\n", xml->str);
    return TRUE;
}

static const Option create_as_options[] = {
    OPTION_DOMAIN_ANY,
    { "name", OPTION_STRING, 0, N_("its name") },
    { "description", OPTION_STRING, 0, N_("what is to be remembered of it") },
    { "print-xml", OPTION_BOOL, 0, N_("print its document instead of making it") },
    COMMON_OPTIONS,
    { "memspec", OPTION_STRING, OPTION_NAMED_ONLY,
      N_("where the memory goes: [file=]PATH[,snapshot=WHERE]") },
    { "diskspec", OPTION_ARGV, 0,
      N_("where a disk goes: DISK[,snapshot=WHERE][,driver=FORMAT][,stype=TYPE][,file=PATH]") },
    { NULL },
};

const Command command_snapshot_create_as = {
    "snapshot-create-as",
    N_("make a snapshot of a domain, told by options"),
    N_("The document for it is made of the options. A comma that is meant is written twice."),
    create_as_options,
    run_create_as,
    COMMAND_CHANGES,
};
