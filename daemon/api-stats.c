#include "daemon/api-stats.h"

#include "daemon/stats-columns.h"
#include "driver/stats.h"

/* The flags of virConnectGetAllDomainStats: which domains, with the bits of
 * virConnectListAllDomains, and how to look at them. */
#define STATS_FILTER                                                                               \
    (VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE |       \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT | VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT |  \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING | VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED |        \
     VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF | VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER)

/* The result, floating, or NULL with @error. */
typedef GVariant *(*MakeRecords)(const GPtrArray *domains, guint groups, guint flags,
                                 GError **error);

typedef struct AllStats {
    Call *call;
    GPtrArray *domains;
    MakeRecords make;
} AllStats;

static void
ready(gpointer data)
{
    AllStats *all = data;
    GVariant *result;
    GError *error = NULL;
    guint groups, flags;

    call_get(all->call, "(uu)", &groups, &flags);
    result = all->make(all->domains, groups, flags & ~STATS_FILTER, &error);
    if (result)
        call_reply(all->call, result);
    else
        call_fail(all->call, error);
    g_ptr_array_unref(all->domains);
    g_free(all);
}

static void
begin(Call *call, MakeRecords make)
{
    GPtrArray *domains;
    GError *error = NULL;
    guint groups, flags;
    AllStats *all;

    call_get(call, "(uu)", &groups, &flags);
    domains = call_list(call, flags & STATS_FILTER, &error);
    if (!domains) {
        call_fail(call, error);
        return;
    }
    all = g_new(AllStats, 1);
    *all = (AllStats){ call, domains, make };
    stats_refresh(domains, groups, ready, all);
}

/* As libvirt-dbus */

static void
add_record(gpointer records, const Domain *domain, GVariant *record)
{
    GVariant *row[] = { g_variant_new_string(domain_name(domain)), record };

    g_variant_builder_add_value(records, g_variant_new_tuple(row, G_N_ELEMENTS(row)));
}

static GVariant *
make_records(const GPtrArray *domains, guint groups, guint flags, GError **error)
{
    GVariantBuilder records;

    g_variant_builder_init(&records, G_VARIANT_TYPE("a(sa{sv})"));
    if (stats_each(domains, groups, flags, add_record, &records, error))
        return g_variant_new("(a(sa{sv}))", &records);
    g_variant_builder_clear(&records);
    return NULL;
}

void
api_stats_all(Call *call)
{
    begin(call, make_records);
}

/* In columns */

static void
add_to_columns(gpointer columns, const Domain *domain, GVariant *record)
{
    stats_columns_add(columns, domain_name(domain), record);
}

static GVariant *
make_columns(const GPtrArray *domains, guint groups, guint flags, GError **error)
{
    StatsColumns *columns = stats_columns_new();

    if (stats_each(domains, groups, flags, add_to_columns, columns, error))
        return stats_columns_end(columns);
    stats_columns_free(columns);
    return NULL;
}

void
api_stats_columns(Call *call)
{
    begin(call, make_columns);
}
