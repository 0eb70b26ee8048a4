#include "cli/snapshot.h"

#include "cli/document.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

#define UUID_LENGTH 36

/* The name in the last part of a path, "_UUID_NAME", where a byte that is no letter and no digit is _ and two digits. */
static char *
name_of(const char *path)
{
    const char *node = strrchr(path, '/') + 1;
    GString *name = g_string_new(NULL);

    for (const char *at = strlen(node) > UUID_LENGTH + 2 ? node + UUID_LENGTH + 2 : ""; *at; at++) {
        if (*at == '_' && g_ascii_isxdigit(at[1]) && g_ascii_isxdigit(at[2])) {
            g_string_append_c(
                name, (char)(g_ascii_xdigit_value(at[1]) * 16 + g_ascii_xdigit_value(at[2])));
            at += 2;
        } else {
            g_string_append_c(name, *at);
        }
    }
    return g_string_free(name, FALSE);
}

Snapshot *
snapshot_from_path(Domain *domain, const char *path)
{
    Snapshot *snapshot = g_new0(Snapshot, 1);

    snapshot->domain = domain;
    snapshot->path = g_strdup(path);
    snapshot->name = name_of(path);
    return snapshot;
}

void
snapshot_free(Snapshot *snapshot)
{
    if (!snapshot)
        return;
    g_free(snapshot->path);
    g_free(snapshot->name);
    g_free(snapshot);
}

/* A method of the domain that answers one. */
static Snapshot *
ask(Domain *domain, const char *method, GVariant *parameters, GError **error)
{
    g_autoptr(GVariant) reply = domain_call(domain, method, parameters, "(o)", error);
    const char *path;

    if (!reply)
        return NULL;
    g_variant_get(reply, "(&o)", &path);
    return snapshot_from_path(domain, path);
}

Snapshot *
snapshot_find(Domain *domain, const char *name, GError **error)
{
    if (g_utf8_validate(name, -1, NULL))
        return ask(domain, "SnapshotLookupByName", g_variant_new("(su)", name, 0), error);
    cli_fail(error, "%s", _("Domain snapshot not found: the name is not UTF-8"));
    return NULL;
}

Snapshot *
snapshot_current(Domain *domain, GError **error)
{
    return ask(domain, "SnapshotCurrent", g_variant_new("(u)", 0), error);
}

gboolean
snapshot_error_is_no_current(const GError *error)
{
    return strstr(error->message, "does not have a current snapshot") != NULL;
}

Snapshot *
snapshot_from_args(Domain *domain, const Args *args, const char *option, gboolean exclusive,
                   GError **error)
{
    const char *name = args_string(args, option);
    gboolean current = args_has(args, "current");

    if (exclusive && name && current)
        cli_fail(error, _("--%s and --current are mutually exclusive"), option);
    else if (name)
        return snapshot_find(domain, name, error);
    else if (current)
        return snapshot_current(domain, error);
    else
        cli_fail(error, _("--%s or --current is required"), option);
    return NULL;
}

Snapshot *
snapshot_create(Domain *domain, const char *xml, guint flags, GError **error)
{
    return ask(domain, "SnapshotCreateXML", g_variant_new("(su)", xml, flags), error);
}

static GVariant *
call(const Snapshot *snapshot, const char *method, guint flags, const char *reply_type,
     GError **error)
{
    return connection_call(snapshot->domain->connection, snapshot->path, SNAPSHOT_INTERFACE, method,
                           g_variant_new("(u)", flags), reply_type, error);
}

static void
free_snapshot(gpointer snapshot)
{
    snapshot_free(snapshot);
}

GPtrArray *
snapshot_list(Domain *domain, const Snapshot *from, guint flags, GError **error)
{
    g_autoptr(GVariant) reply = from ? call(from, "ListChildren", flags, "(ao)", error)
                                     : domain_call(domain, "ListDomainSnapshots",
                                                   g_variant_new("(u)", flags), "(ao)", error);
    g_autoptr(GVariantIter) paths = NULL;
    GPtrArray *snapshots;
    const char *path;

    if (!reply)
        return NULL;
    snapshots = g_ptr_array_new_with_free_func(free_snapshot);
    g_variant_get(reply, "(ao)", &paths);
    while (g_variant_iter_next(paths, "&o", &path))
        g_ptr_array_add(snapshots, snapshot_from_path(domain, path));
    return snapshots;
}

char *
snapshot_xml(const Snapshot *snapshot, guint flags, GError **error)
{
    g_autoptr(GVariant) reply = call(snapshot, "GetXMLDesc", flags, "(s)", error);
    char *xml = NULL;

    if (reply)
        g_variant_get(reply, "(s)", &xml);
    return xml;
}

char *
snapshot_redefinition(const Snapshot *snapshot, guint *flags, GError **error)
{
    char *xml = snapshot_xml(snapshot, VIR_DOMAIN_SNAPSHOT_XML_SECURE, error);
    g_autofree char *state = xml ? document_find(xml, "domainsnapshot/state", NULL) : NULL;

    if (g_strcmp0(state, "disk-snapshot") == 0)
        *flags |= VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY;
    return xml;
}

gboolean
snapshot_is_current(const Snapshot *snapshot, gboolean *ret, GError **error)
{
    g_autoptr(GVariant) reply = call(snapshot, "IsCurrent", 0, "(b)", error);

    if (reply)
        g_variant_get(reply, "(b)", ret);
    return reply != NULL;
}

gboolean
snapshot_do(const Snapshot *snapshot, const char *method, guint flags, GError **error)
{
    g_autoptr(GVariant) reply = call(snapshot, method, flags, "()", error);

    return reply != NULL;
}
