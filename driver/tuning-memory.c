/* tuning-memory: how much of the host's memory a guest's process may use. */
#include "driver/error.h"
#include "driver/tuning-private.h"

static const TypedParam params[] = {
    { VIR_DOMAIN_MEMORY_HARD_LIMIT, G_VARIANT_TYPE_UINT64 },
    { VIR_DOMAIN_MEMORY_SOFT_LIMIT, G_VARIANT_TYPE_UINT64 },
    { VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, G_VARIANT_TYPE_UINT64 },
    { NULL },
};

/* By row of @params. */
static const CgroupValue values_of[] = { CGROUP_MEMORY_HARD, CGROUP_MEMORY_SOFT,
                                         CGROUP_MEMORY_SWAP };

static guint64 *
field_of(DomainTune *tune, gsize row)
{
    guint64 *fields[] = { &tune->hard_limit_kib, &tune->soft_limit_kib,
                          &tune->swap_hard_limit_kib };

    return fields[row];
}

/* libvirt's number for no limit, and everything beyond; in a definition that is 0. */
static guint64
to_def(guint64 kib)
{
    return kib >= VIR_DOMAIN_MEMORY_PARAM_UNLIMITED ? 0 : kib;
}

static gboolean
check_order(guint64 hard_kib, guint64 swap_kib, GError **error)
{
    return !hard_kib || !swap_kib || hard_kib <= swap_kib ||
           driver_error(error, VIR_ERR_INVALID_ARG,
                        "memory hard_limit tunable value must be lower than or equal to "
                        "swap_hard_limit");
}

static gboolean
fits(const DomainTune *tune, GVariant *values, GError **error)
{
    guint64 hard = tune->hard_limit_kib, swap = tune->swap_hard_limit_kib;

    typed_params_get_uint64(values, VIR_DOMAIN_MEMORY_HARD_LIMIT, &hard);
    typed_params_get_uint64(values, VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, &swap);
    return check_order(to_def(hard), to_def(swap), error);
}

static gboolean
set_one(const Cgroup *room, gsize row, guint64 kib, GError **error)
{
    return cgroup_set(room, values_of[row], to_def(kib) ? kib * 1024 : CGROUP_UNLIMITED, error);
}

/* Version 2 of cgroups counts swap without memory, so what stands for both follows the hard limit. */
static gboolean
set_live(const Domain *domain, GVariant *values, GError **error)
{
    const Cgroup *room = guest_room(domain->guest);
    guint64 hard = domain->live->tune.hard_limit_kib, swap = domain->live->tune.swap_hard_limit_kib;
    gboolean new_hard = typed_params_get_uint64(values, VIR_DOMAIN_MEMORY_HARD_LIMIT, &hard);
    gboolean new_swap = typed_params_get_uint64(values, VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT, &swap);
    guint64 soft;

    if (new_hard && !set_one(room, 0, hard, error))
        return FALSE;
    if ((new_swap || (new_hard && to_def(swap))) && !set_one(room, 2, swap, error))
        return FALSE;
    return !typed_params_get_uint64(values, VIR_DOMAIN_MEMORY_SOFT_LIMIT, &soft) ||
           set_one(room, 1, soft, error);
}

static void
set_def(DomainTune *tune, GVariant *values)
{
    for (gsize i = 0; i < G_N_ELEMENTS(values_of); i++) {
        guint64 kib;

        if (typed_params_get_uint64(values, params[i].name, &kib))
            *field_of(tune, i) = to_def(kib);
    }
}

static void
add(GVariantBuilder *out, gsize row, guint64 kib)
{
    g_variant_builder_add(out, "{sv}", params[row].name, g_variant_new_uint64(kib));
}

static gboolean
get_live(const Domain *domain, GVariantBuilder *out, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(values_of); i++) {
        guint64 bytes;

        if (!cgroup_get(guest_room(domain->guest), values_of[i], &bytes, error))
            return FALSE;
        add(out, i, bytes == CGROUP_UNLIMITED ? VIR_DOMAIN_MEMORY_PARAM_UNLIMITED : bytes / 1024);
    }
    return TRUE;
}

static void
get_def(const DomainTune *tune, GVariantBuilder *out)
{
    const guint64 limits[] = { tune->hard_limit_kib, tune->soft_limit_kib,
                               tune->swap_hard_limit_kib };

    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++)
        add(out, i, limits[i] ? limits[i] : VIR_DOMAIN_MEMORY_PARAM_UNLIMITED);
}

const Tuning tuning_memory = {
    .job = "set-memory-limits",
    .get_name = "virDomainGetMemoryParameters",
    .set_name = "virDomainSetMemoryParameters",
    .session = "Memory tuning is not available in session mode",
    .absent = "cgroup memory controller is not mounted",
    .controller = CGROUP_MEMORY,
    .params = params,
    .fits = fits,
    .set_live = set_live,
    .set_def = set_def,
    .get_live = get_live,
    .get_def = get_def,
};
