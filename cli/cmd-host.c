/* The commands about the daemon and its host. */
#include "cli/commands.h"

#include "cli/args.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/session.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static gboolean
run_uri(Session *session, const Args *args, GError **error)
{
    return facts_tell("uri", connection_uri(session->connection), NULL);
}

const Command command_uri = {
    "uri", N_("print the URI of the daemon that is used"), NULL, NULL, run_uri, COMMAND_JSON,
};

static gboolean
run_hostname(Session *session, const Args *args, GError **error)
{
    g_autoptr(GVariant) name =
        connection_get(session->connection, connection_root(session->connection), CONNECT_INTERFACE,
                       "Hostname", "s", error);
    if (!name)
        return FALSE;
    return facts_tell("hostname", g_variant_get_string(name, NULL), NULL);
}

const Command command_hostname = {
    "hostname", N_("print the name of the daemon's host"), NULL, NULL, run_hostname, COMMAND_JSON,
};

static gboolean
run_capabilities(Session *session, const Args *args, GError **error)
{
    const char *xml;
    g_autoptr(GVariant) reply =
        connection_call(session->connection, connection_root(session->connection),
                        CONNECT_INTERFACE, "GetCapabilities", NULL, "(s)", error);

    if (!reply) {
        output_error("%s", _("failed to get capabilities"));
        return FALSE;
    }
    g_variant_get(reply, "(&s)", &xml);
    output("%s\n", xml);
    return TRUE;
}

const Command command_capabilities = {
    "capabilities",
    N_("print what the daemon and its host can do, as XML"),
    NULL,
    NULL,
    run_capabilities,
    0,
};

static gboolean
run_sysinfo(Session *session, const Args *args, GError **error)
{
    const char *xml;
    g_autoptr(GVariant) reply = connection_call(
        session->connection, connection_root(session->connection), CONNECT_INTERFACE, "GetSysinfo",
        g_variant_new("(u)", 0), "(s)", error);

    if (!reply) {
        output_error("%s", _("failed to get sysinfo"));
        return FALSE;
    }
    g_variant_get(reply, "(&s)", &xml);
    output("%s", xml);
    return TRUE;
}

const Command command_sysinfo = {
    "sysinfo", N_("print what the host's firmware says of it, as XML"), NULL, NULL, run_sysinfo, 0,
};

/* libvirt's numbers are major * 1000000 + minor * 1000 + release. */
static char *
version_text(guint64 version)
{
    return g_strdup_printf("%u.%u.%u", (guint)(version / 1000000), (guint)(version / 1000 % 1000),
                           (guint)(version % 1000));
}

static char *
get_version(Connection *connection, const char *property, GError **error)
{
    g_autoptr(GVariant) version = connection_get(connection, connection_root(connection),
                                                 CONNECT_INTERFACE, property, "t", error);
    return version ? version_text(g_variant_get_uint64(version)) : NULL;
}

/* vmctld's own version; of another daemon, that of its library. */
static char *
get_daemon_version(Connection *connection, const char *library)
{
    g_autoptr(GVariant) version =
        connection_get(connection, connection_root(connection), VMCTL_CONNECT_INTERFACE,
                       "DaemonVersion", "s", NULL);
    return g_strdup(version ? g_variant_get_string(version, NULL) : library);
}

static void
add_version(Facts *facts, const char *key, const char *title, const char *of, const char *version)
{
    g_autofree char *text = g_strdup_printf("%s %s", of, version);

    facts_add(facts, key, title, text, NULL);
}

static gboolean
run_version(Session *session, const Args *args, GError **error)
{
    Connection *connection = session->connection;
    const char *driver = connection_driver(connection);
    g_autofree char *headers = version_text(LIBVIR_VERSION_NUMBER);
    g_autofree char *library = get_version(connection, "LibVersion", error);
    g_autofree char *hypervisor = NULL;
    g_autoptr(Facts) facts = facts_new();

    if (!library)
        return FALSE;
    hypervisor = get_version(connection, "Version", error);
    if (!hypervisor)
        return FALSE;
    add_version(facts, "compiled-against", _("Compiled against library:"), "libvirt", headers);
    add_version(facts, "library", _("Using library:"), "libvirt", library);
    add_version(facts, "api", _("Using API:"), driver, library);
    add_version(facts, "hypervisor", _("Running hypervisor:"), driver, hypervisor);
    if (args_has(args, "daemon")) {
        g_autofree char *daemon = get_daemon_version(connection, library);
        facts_add(facts, "daemon", _("Running against daemon:"), daemon, NULL);
    }
    facts_print(facts, 1);
    return TRUE;
}

static const Option version_options[] = {
    { "daemon", OPTION_BOOL, 0, N_("the daemon's version as well") },
    { NULL },
};

const Command command_version = {
    "version",    N_("print the versions of what is at work"), NULL, version_options, run_version,
    COMMAND_JSON,
};
