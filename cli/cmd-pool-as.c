/* pool-define-as and pool-create-as: a storage pool that options describe; find-storage-pool-sources, what one could be
 * of. */
#include "cli/commands.h"

#include "cli/file.h"
#include "cli/object-commands.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* The element @format has, where the option @option was given; its value is the only argument. */
static void
add_element(GString *xml, const Args *args, const char *option, const char *before,
            const char *after)
{
    const char *value = args_string(args, option);
    g_autofree char *text = value ? g_markup_escape_text(value, -1) : NULL;

    if (text)
        g_string_append_printf(xml, "%s%s%s", before, text, after);
}

/* An adapter of the host, or one that is made of the names in the fabric. */
static void
add_adapter(GString *xml, const Args *args)
{
    if (!args_has(args, "adapter-wwnn") || !args_has(args, "adapter-wwpn")) {
        add_element(xml, args, "adapter-name", "    <adapter type='scsi_host' name='", "'/>\n");
        return;
    }
    g_string_append(xml, "    <adapter type='fc_host'");
    if (args_has(args, "adapter-parent")) {
        add_element(xml, args, "adapter-parent", " parent='", "'");
    } else if (args_has(args, "adapter-parent-wwnn") && args_has(args, "adapter-parent-wwpn")) {
        add_element(xml, args, "adapter-parent-wwnn", " parent_wwnn='", "'");
        add_element(xml, args, "adapter-parent-wwpn", " parent_wwpn='", "'");
    } else {
        add_element(xml, args, "adapter-parent-fabric-wwn", " parent_fabric_wwn='", "'");
    }
    add_element(xml, args, "adapter-wwnn", " wwnn='", "'");
    add_element(xml, args, "adapter-wwpn", " wwpn='", "'/>\n");
}

static void
add_auth(GString *xml, const Args *args)
{
    if (!args_has(args, "auth-type") || !args_has(args, "auth-username") ||
        (!args_has(args, "secret-usage") && !args_has(args, "secret-uuid")))
        return;
    add_element(xml, args, "auth-type", "    <auth type='", "'");
    add_element(xml, args, "auth-username", " username='", "'>\n");
    add_element(xml, args, "secret-uuid", "      <secret uuid='", "'/>\n");
    add_element(xml, args, "secret-usage", "      <secret usage='", "'/>\n");
    g_string_append(xml, "    </auth>\n");
}

static void
add_source(GString *xml, const Args *args)
{
    g_autoptr(GString) source = g_string_new(NULL);

    add_element(source, args, "source-host", "    <host name='", "'/>\n");
    add_element(source, args, "source-path", "    <dir path='", "'/>\n");
    add_element(source, args, "source-dev", "    <device path='", "'/>\n");
    add_element(source, args, "source-initiator", "    <initiator>\n      <iqn name='",
                "'/>\n    </initiator>\n");
    add_adapter(source, args);
    add_auth(source, args);
    add_element(source, args, "source-format", "    <format type='", "'/>\n");
    add_element(source, args, "source-name", "    <name>", "</name>\n");
    if (!source->len) /* of nothing there is no version */
        return;
    add_element(source, args, "source-protocol-ver", "    <protocol ver='", "'/>\n");
    g_string_append_printf(xml, "  <source>\n%s  </source>\n", source->str);
}

static char *
document_of(const Args *args)
{
    GString *xml = g_string_new(NULL);

    add_element(xml, args, "type", "<pool type='", "'>\n");
    add_element(xml, args, "name", "  <name>", "</name>\n");
    add_source(xml, args);
    add_element(xml, args, "target", "  <target>\n    <path>", "</path>\n  </target>\n");
    g_string_append(xml, "</pool>\n");
    return g_string_free(xml, FALSE);
}

/* Both have their ObjectMake. */
static gboolean
run_as(Session *session, const Args *args, GError **error)
{
    const ObjectMake *make = args_command(args)->about;
    g_autofree char *xml = document_of(args);
    g_autofree char *text = NULL;
    g_autoptr(Object) pool = NULL;

    if (!args_exclusive(args, "secret-usage", "secret-uuid", error) ||
        (make->exclusive[0] &&
         !args_exclusive(args, make->exclusive[0], make->exclusive[1], error)))
        return FALSE;
    if (args_has(args, "print-xml")) {
        output("%s", xml);
        return TRUE;
    }
    pool = object_make(session, make->kind, make->method,
                       g_variant_new("(su)", xml, args_flags(args, make->flags)), error);
    text = text_about(pool ? make->done : make->failed, args_string(args, "name"), NULL);
    if (pool)
        output_extra("%s", text);
    else
        output_error("%s", text);
    return pool != NULL;
}

#define OPTIONS_AS                                                                                 \
    { "name", OPTION_DATA, OPTION_REQUIRED, N_("the pool's name") },                               \
        { "type", OPTION_DATA, OPTION_REQUIRED, N_("the pool's type: dir, fs, logical and so on") },\
        { "print-xml", OPTION_BOOL, 0, N_("print the document, and do nothing") },                 \
        { "source-host", OPTION_STRING, 0, N_("the host that has the storage") },                  \
        { "source-path", OPTION_STRING, 0, N_("the storage's path on that host") },                \
        { "source-dev", OPTION_STRING, 0, N_("the storage's device") },                            \
        { "source-name", OPTION_STRING, 0, N_("the storage's name") },                             \
        { "target", OPTION_STRING, 0, N_("the pool's path on this host") },                        \
        { "source-format", OPTION_STRING, 0, N_("the storage's format") },                         \
        { "auth-type", OPTION_STRING, 0, N_("the kind of authentication: chap or ceph") },         \
        { "auth-username", OPTION_STRING, 0, N_("the user's name for authentication") },           \
        { "secret-usage", OPTION_STRING, 0, N_("the secret for authentication, by its usage") },   \
        { "secret-uuid", OPTION_STRING, 0, N_("the secret for authentication, by its UUID") },     \
        { "adapter-name", OPTION_STRING, 0, N_("the name of a SCSI adapter") },                    \
        { "adapter-wwnn", OPTION_STRING, 0, N_("the WWNN of a virtual adapter") },                 \
        { "adapter-wwpn", OPTION_STRING, 0, N_("the WWPN of a virtual adapter") },                 \
        { "adapter-parent", OPTION_STRING, 0, N_("the virtual adapter's parent, by its name") },   \
        { "adapter-parent-wwnn", OPTION_STRING, 0, N_("the parent, by its WWNN and WWPN") },       \
        { "adapter-parent-wwpn", OPTION_STRING, 0, N_("the parent's WWPN") },                      \
        { "adapter-parent-fabric-wwn", OPTION_STRING, 0, N_("the parent, by the WWN of its fabric") },\
        { "source-protocol-ver", OPTION_STRING, 0, N_("the version of the NFS protocol") },        \
    {                                                                                              \
        "source-initiator", OPTION_STRING, 0, N_("the IQN of the initiator")                       \
    }

static const Option define_as_options[] = { OPTIONS_AS, { NULL } };

const Command command_pool_define_as = {
    "pool-define-as",
    N_("define a pool that options describe"),
    NULL,
    define_as_options,
    run_as,
    COMMAND_CHANGES,
    &(const ObjectMake){ &object_pool, "StoragePoolDefineXML", object_no_flags,
                         N_("Pool %s defined\n"), N_("Failed to define pool %s") },
};

static const ArgsFlag create_flags[] = {
    { "build", VIR_STORAGE_POOL_CREATE_WITH_BUILD },
    { "no-overwrite", VIR_STORAGE_POOL_CREATE_WITH_BUILD_NO_OVERWRITE },
    { "overwrite", VIR_STORAGE_POOL_CREATE_WITH_BUILD_OVERWRITE },
    { NULL, 0 },
};

static const Option create_as_options[] = {
    OPTIONS_AS,
    { "build", OPTION_BOOL, 0, N_("build the pool first") },
    { "no-overwrite", OPTION_BOOL, 0, N_("build it only where there is nothing yet") },
    { "overwrite", OPTION_BOOL, 0, N_("build it over what is there") },
    { NULL },
};

const Command command_pool_create_as = {
    "pool-create-as",
    N_("start a transient pool that options describe"),
    NULL,
    create_as_options,
    run_as,
    COMMAND_CHANGES,
    &(const ObjectMake){ &object_pool,
                         "StoragePoolCreateXML",
                         create_flags,
                         N_("Pool %s created\n"),
                         N_("Failed to create pool %s"),
                         { "overwrite", "no-overwrite" } },
};

/* find-storage-pool-sources */

static gboolean
find_sources(Session *session, const Args *args, const char *source, GError **error)
{
    const char *type = args_string(args, "type");
    const char *found;
    g_autoptr(GVariant) reply = connection_call(
        session->connection, connection_root(session->connection), CONNECT_INTERFACE,
        "FindStoragePoolSources", g_variant_new("(ssu)", type, source, 0), "(s)", error);

    if (!reply) {
        output_error(_("Failed to find any %s pool sources"), type);
        return FALSE;
    }
    g_variant_get(reply, "(&s)", &found);
    output("%s", found);
    return TRUE;
}

static gboolean
run_find(Session *session, const Args *args, GError **error)
{
    const char *file = args_string(args, "srcSpec");
    g_autofree char *source = file ? file_read_text(file, error) : g_strdup("");

    return source && find_sources(session, args, source, error);
}

static const Option find_options[] = {
    { "type", OPTION_DATA, OPTION_REQUIRED, N_("the type of the pool") },
    { "srcSpec", OPTION_STRING, 0, N_("file with the <source> element that says where to look") },
    { NULL },
};

const Command command_find_storage_pool_sources = {
    "find-storage-pool-sources",
    N_("print what could be the source of a pool"),
    NULL,
    find_options,
    run_find,
    0,
};

static gboolean
run_find_as(Session *session, const Args *args, GError **error)
{
    g_autoptr(GString) source = g_string_new(NULL);

    if (args_has(args, "host")) {
        add_element(source, args, "host", "<source>\n  <host name='", "'");
        add_element(source, args, "port", " port='", "'");
        g_string_append(source, "/>\n");
        add_element(source, args, "initiator", "  <initiator>\n    <iqn name='",
                    "'/>\n  </initiator>\n");
        g_string_append(source, "</source>\n");
    }
    return find_sources(session, args, source->str, error);
}

static const Option find_as_options[] = {
    { "type", OPTION_DATA, OPTION_REQUIRED, N_("the type of the pool") },
    { "host", OPTION_STRING, 0, N_("the host to look at") },
    { "port", OPTION_STRING, 0, N_("its port") },
    { "initiator", OPTION_STRING, 0, N_("the IQN of the initiator") },
    { NULL },
};

const Command command_find_storage_pool_sources_as = {
    "find-storage-pool-sources-as",
    N_("print what could be the source of a pool, on a host that options name"),
    NULL,
    find_as_options,
    run_find_as,
    0,
};
