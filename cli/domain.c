#include "cli/domain.h"

#include "cli/log.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <string.h>

#define UUID_LENGTH 36

char *
domain_path_uuid(const char *path)
{
    const char *last = strrchr(path, '/');

    if (!last || last[1] != '_' || strlen(last + 2) != UUID_LENGTH)
        return NULL;
    return g_strdelimit(g_strdup(last + 2), "_", '-');
}

/* Calls one of the DomainLookupBy methods; the object's path or NULL. */
static char *
look_up(Connection *connection, const char *method, GVariant *parameters, GError **error)
{
    char *path = NULL;
    g_autoptr(GVariant) reply =
        connection_call(connection, connection_root(connection), CONNECT_INTERFACE, method,
                        parameters, "(o)", error);
    if (reply)
        g_variant_get(reply, "(o)", &path);
    return path;
}

static char *
find_path(Connection *connection, const char *text, DomainBy by, GError **error)
{
    gint64 id;
    char *path = NULL;

    if ((by & DOMAIN_BY_ID) && g_ascii_string_to_signed(text, 10, 0, G_MAXINT, &id, NULL)) {
        log_say(LOG_LEVEL_DEBUG, "<domain> trying as domain ID");
        path = look_up(connection, "DomainLookupByID", g_variant_new("(i)", (int)id), NULL);
    }
    if (!path && (by & DOMAIN_BY_UUID) && strlen(text) == UUID_LENGTH) {
        log_say(LOG_LEVEL_DEBUG, "<domain> trying as domain UUID");
        path = look_up(connection, "DomainLookupByUUID", g_variant_new("(s)", text), NULL);
    }
    if (!path && (by & DOMAIN_BY_NAME)) {
        log_say(LOG_LEVEL_DEBUG, "<domain> trying as domain NAME");
        return look_up(connection, "DomainLookupByName", g_variant_new("(s)", text), error);
    }
    if (!path)
        cli_fail(error, _("Domain not found: no domain with matching id or uuid '%s'"), text);
    return path;
}

char *
domain_path(Connection *connection, const char *name)
{
    if (!g_utf8_validate(name, -1, NULL))
        return NULL;
    return look_up(connection, "DomainLookupByName", g_variant_new("(s)", name), NULL);
}

Domain *
domain_from_path(Session *session, const char *path, GError **error)
{
    Domain *domain;
    g_autoptr(GVariant) name =
        connection_get(session->connection, path, DOMAIN_INTERFACE, "Name", "s", error);

    if (!name)
        return NULL;
    domain = g_new0(Domain, 1);
    domain->connection = session->connection;
    domain->path = g_strdup(path);
    domain->name = g_variant_dup_string(name, NULL);
    return domain;
}

Domain *
domain_find(Session *session, const char *text, DomainBy by, GError **error)
{
    g_autofree char *path = NULL;
    Domain *domain = NULL;

    log_say(LOG_LEVEL_INFO, "found option <domain>: %s", text);
    if (g_utf8_validate(text, -1, NULL))
        path = find_path(session->connection, text, by, error);
    else
        cli_fail(error, "%s", _("Domain not found: the name is not UTF-8"));
    if (path)
        domain = domain_from_path(session, path, error);
    if (!domain)
        output_error(_("failed to get domain '%s'"), text);
    return domain;
}

Domain *
domain_from_args(Session *session, const Args *args, GError **error)
{
    return domain_find(session, args_string(args, "domain"), DOMAIN_BY_ANY, error);
}

/* libvirt-dbus has no word for the flags, which are our daemon's then. */
Domain *
domain_define(Session *session, const char *xml, guint flags, GError **error)
{
    const char *path;
    g_autoptr(GVariant) reply = connection_call(
        session->connection, connection_root(session->connection),
        flags ? VMCTL_CONNECT_INTERFACE : CONNECT_INTERFACE,
        flags ? "DomainDefineXMLFlags" : "DomainDefineXML",
        flags ? g_variant_new("(su)", xml, flags) : g_variant_new("(s)", xml), "(o)", error);

    if (!reply)
        return NULL;
    g_variant_get(reply, "(&o)", &path);
    return domain_from_path(session, path, error);
}

void
domain_free(Domain *domain)
{
    if (!domain)
        return;
    g_free(domain->path);
    g_free(domain->name);
    g_free(domain);
}

GVariant *
domain_call(Domain *domain, const char *method, GVariant *parameters, const char *reply_type,
            GError **error)
{
    return connection_call(domain->connection, domain->path, DOMAIN_INTERFACE, method, parameters,
                           reply_type, error);
}

gboolean
domain_do(Domain *domain, const char *method, GVariant *parameters, GError **error)
{
    g_autoptr(GVariant) reply = domain_call(domain, method, parameters, "()", error);

    return reply != NULL;
}

gboolean
domain_is_active(Domain *domain, gboolean *ret_active, GError **error)
{
    g_autoptr(GVariant) active =
        connection_get(domain->connection, domain->path, DOMAIN_INTERFACE, "Active", "b", error);
    if (!active)
        return FALSE;
    *ret_active = g_variant_get_boolean(active);
    return TRUE;
}

gboolean
domain_state(Domain *domain, int *ret_state, int *ret_reason, GError **error)
{
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetState", g_variant_new("(u)", 0), "((ii))", error);

    if (!reply)
        return FALSE;
    g_variant_get(reply, "((ii))", ret_state, ret_reason);
    return TRUE;
}

char *
domain_xml(Domain *domain, guint flags, GError **error)
{
    char *xml = NULL;
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetXMLDesc", g_variant_new("(u)", flags), "(s)", error);

    if (reply)
        g_variant_get(reply, "(s)", &xml);
    return xml;
}

GVariantDict *
domain_stats(Domain *domain, guint groups, GError **error)
{
    g_autoptr(GVariant) stats = NULL;
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetStats", g_variant_new("(uu)", groups, 0), "(a{sv})", error);

    if (!reply)
        return NULL;
    stats = g_variant_get_child_value(reply, 0);
    return g_variant_dict_new(stats);
}
