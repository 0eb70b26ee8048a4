#include "driver/domain-list.h"

#include "driver/device-vsock.h"
#include "driver/domain-private.h"
#include "driver/snapshot-tree.h"

#include <string.h>

struct DomainList {
    GHashTable *by_uuid; /* owns a reference; the keys of all three are the domains' own */
    GHashTable *by_name;
    GHashTable *by_id;
    GPtrArray *sorted; /* of all, by name; borrowed; NULL: not since the last change */
};

DomainList *
domain_list_new(void)
{
    DomainList *list = g_new0(DomainList, 1);

    list->by_uuid =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)domain_unref);
    list->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    list->by_id = g_hash_table_new(NULL, NULL);
    return list;
}

static void
forget_order(DomainList *list)
{
    g_clear_pointer(&list->sorted, g_ptr_array_unref);
}

void
domain_list_free(DomainList *list)
{
    if (!list)
        return;
    forget_order(list);
    g_hash_table_unref(list->by_id);
    g_hash_table_unref(list->by_name);
    g_hash_table_unref(list->by_uuid);
    g_free(list);
}

void
domain_list_add(DomainList *list, Domain *domain)
{
    forget_order(list);
    g_hash_table_insert(list->by_uuid, g_strdup(domain_uuid(domain)), domain_ref(domain));
    g_hash_table_insert(list->by_name, g_strdup(domain_name(domain)), domain);
    domain_list_set_id(list, domain, -1, domain_id(domain));
}

void
domain_list_remove(DomainList *list, Domain *domain)
{
    if (domain->removed) /* another may have its name by now */
        return;
    domain->removed = TRUE;
    forget_order(list);
    domain_list_set_id(list, domain, domain_id(domain), -1);
    g_hash_table_remove(list->by_name, domain_name(domain));
    g_hash_table_remove(list->by_uuid, domain_uuid(domain));
}

void
domain_list_renamed(DomainList *list, Domain *domain, const char *old_name)
{
    forget_order(list);
    g_hash_table_remove(list->by_name, old_name);
    g_hash_table_insert(list->by_name, g_strdup(domain_name(domain)), domain);
}

void
domain_list_set_id(DomainList *list, Domain *domain, int old_id, int id)
{
    if (old_id >= 0)
        g_hash_table_remove(list->by_id, GINT_TO_POINTER(old_id));
    if (id >= 0)
        g_hash_table_insert(list->by_id, GINT_TO_POINTER(id), domain);
}

Domain *
domain_list_find_uuid(DomainList *list, const char *uuid)
{
    return g_hash_table_lookup(list->by_uuid, uuid);
}

Domain *
domain_list_find_name(DomainList *list, const char *name)
{
    return g_hash_table_lookup(list->by_name, name);
}

Domain *
domain_list_find_id(DomainList *list, int id)
{
    return g_hash_table_lookup(list->by_id, GINT_TO_POINTER(id));
}

/* virConnectListAllDomains' groups of flags: within a group either will do, every group must pass. */
typedef struct Group {
    guint yes, no; /* one flag each; 0 where there is none */
    gboolean (*has)(const Domain *domain);
} Group;

static gboolean
never(const Domain *domain)
{
    return FALSE;
}

static gboolean
has_snapshots(const Domain *domain)
{
    return snapshot_tree_size(domain->snapshots) > 0;
}

static const Group groups[] = {
    { VIR_CONNECT_LIST_DOMAINS_ACTIVE, VIR_CONNECT_LIST_DOMAINS_INACTIVE, domain_is_active },
    { VIR_CONNECT_LIST_DOMAINS_PERSISTENT, VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
      domain_is_persistent },
    { VIR_CONNECT_LIST_DOMAINS_AUTOSTART, VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, domain_autostart },
    { VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE,
      domain_has_managed_save },
    { VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, has_snapshots },
    { VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT, never },
};

static gboolean
passes_state(const Domain *domain, guint flags)
{
    const guint all = VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED |
                      VIR_CONNECT_LIST_DOMAINS_SHUTOFF | VIR_CONNECT_LIST_DOMAINS_OTHER;
    guint flag;
    int state, reason;

    if (!(flags & all))
        return TRUE;
    domain_state(domain, &state, &reason);
    flag = state == VIR_DOMAIN_RUNNING   ? VIR_CONNECT_LIST_DOMAINS_RUNNING
           : state == VIR_DOMAIN_PAUSED  ? VIR_CONNECT_LIST_DOMAINS_PAUSED
           : state == VIR_DOMAIN_SHUTOFF ? VIR_CONNECT_LIST_DOMAINS_SHUTOFF
                                         : VIR_CONNECT_LIST_DOMAINS_OTHER;
    return (flags & flag) != 0;
}

static gboolean
passes(const Domain *domain, guint flags)
{
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        const Group *group = &groups[i];

        if (flags & (group->yes | group->no) &&
            !(flags & (group->has(domain) ? group->yes : group->no)))
            return FALSE;
    }
    return passes_state(domain, flags);
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(domain_name(*(Domain *const *)a), domain_name(*(Domain *const *)b));
}

static GPtrArray *
in_order(DomainList *list)
{
    GHashTableIter iter;
    gpointer domain;

    if (list->sorted)
        return list->sorted;
    list->sorted = g_ptr_array_sized_new(g_hash_table_size(list->by_uuid));
    g_hash_table_iter_init(&iter, list->by_uuid);
    while (g_hash_table_iter_next(&iter, NULL, &domain))
        g_ptr_array_add(list->sorted, domain);
    g_ptr_array_sort(list->sorted, by_name);
    return list->sorted;
}

GPtrArray *
domain_list_filter(DomainList *list, guint flags)
{
    GPtrArray *all = in_order(list);
    GPtrArray *found = g_ptr_array_new_full(all->len, (GDestroyNotify)domain_unref);

    for (guint i = 0; i < all->len; i++) {
        if (flags == 0 || passes(all->pdata[i], flags))
            g_ptr_array_add(found, domain_ref(all->pdata[i]));
    }
    return found;
}

static gboolean
has_cid(const DomainDef *def, guint cid)
{
    return def && device_vsock_cid(def->devices) == cid;
}

gboolean
domain_list_has_cid(DomainList *list, const Domain *but, guint cid)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, list->by_uuid);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const Domain *domain = value;

        if (domain != but && (has_cid(domain->live, cid) || has_cid(domain->coming, cid)))
            return TRUE;
    }
    return FALSE;
}
