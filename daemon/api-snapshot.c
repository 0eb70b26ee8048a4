#include "daemon/api-snapshot.h"

#include "daemon/api.h"
#include "driver/flags.h"

#include <libvirt/libvirt.h>

static void
reply_snapshot(Call *call, const Snapshot *snapshot, GError *error)
{
    if (snapshot)
        call_reply(call, g_variant_new("(*)", call_snapshot_name(call, snapshot)));
    else
        call_fail(call, error);
}

/* All of the domain's, or those that grew from the snapshot that the call is about. */
static void
list(Call *call)
{
    const ApiObject *object = call_object(call);
    g_autoptr(GPtrArray) snapshots = NULL;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    snapshots = domain_list_snapshots(object->domain, object->snapshot, flags, &error);
    if (snapshots)
        call_reply(call, g_variant_new("(*)", call_snapshot_names(call, snapshots)));
    else
        call_fail(call, error);
}

/* Of a domain */

void
api_list_snapshots(Call *call)
{
    list(call);
}

static void
created(gpointer call, const Snapshot *snapshot, const GError *error)
{
    reply_snapshot(call, snapshot, error ? g_error_copy(error) : NULL);
}

void
api_snapshot_create(Call *call)
{
    const char *xml;
    guint flags;

    call_get(call, "(&su)", &xml, &flags);
    domain_snapshot_create(call_object(call)->domain, xml, flags, created, call);
}

void
api_snapshot_current(Call *call)
{
    const Snapshot *current;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    current = domain_current_snapshot(call_object(call)->domain, flags, &error);
    reply_snapshot(call, current, error);
}

void
api_snapshot_lookup(Call *call)
{
    const Snapshot *snapshot = NULL;
    GError *error = NULL;
    const char *name;
    guint flags;

    call_get(call, "(&su)", &name, &flags);
    if (driver_check_flags(flags, 0, call_libvirt_name(call), &error))
        snapshot = domain_find_snapshot(call_object(call)->domain, name, &error);
    reply_snapshot(call, snapshot, error);
}

/* Of a snapshot */

static void
get_parent(Call *call)
{
    const Snapshot *parent;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    parent = snapshot_parent(call_object(call)->snapshot, flags, &error);
    reply_snapshot(call, parent, error);
}

static void
get_xml(Call *call)
{
    g_autofree char *xml = NULL;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    xml = snapshot_xml(call_object(call)->snapshot, flags, &error);
    call_reply_text(call, xml, error);
}

static void
is_current(Call *call)
{
    const ApiObject *object = call_object(call);
    GError *error = NULL;
    gboolean current;
    guint flags;

    call_get(call, "(u)", &flags);
    if (domain_snapshot_is_current(object->domain, object->snapshot, flags, &current, &error))
        call_reply(call, g_variant_new("(b)", current));
    else
        call_fail(call, error);
}

static void
do_verb(Call *call,
        void (*verb)(Domain *domain, const char *name, guint flags, DomainDone done, gpointer data))
{
    const ApiObject *object = call_object(call);
    guint flags;

    call_get(call, "(u)", &flags);
    verb(object->domain, snapshot_name(object->snapshot), flags, call_done, call);
}

static void
delete_snapshot(Call *call)
{
    do_verb(call, domain_snapshot_delete);
}

static void
revert(Call *call)
{
    do_verb(call, domain_snapshot_revert);
}

static const Method methods[] = {
    { "Delete", "virDomainSnapshotDelete", "domain.snapshot", delete_snapshot },
    { "GetParent", "virDomainSnapshotGetParent", "domain.read", get_parent },
    { "GetXMLDesc", "virDomainSnapshotGetXMLDesc", "domain.read", get_xml,
      VIR_DOMAIN_SNAPSHOT_XML_SECURE, "domain.read-secure" },
    { "IsCurrent", "virDomainSnapshotIsCurrent", "domain.read", is_current },
    { "ListChildren", "virDomainSnapshotListAllChildren", "domain.read", list },
    { "Revert", "virDomainRevertToSnapshot", "domain.snapshot", revert },
    { NULL },
};

const Interface api_domain_snapshot = { "org.libvirt.DomainSnapshot", methods, NULL };
