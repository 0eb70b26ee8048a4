/* tuning-scheduler: shares and quotas of CPU time. */
#include "driver/error.h"
#include "driver/guest-limits.h"
#include "driver/test-default.h"
#include "driver/tuning-private.h"

/* In libvirt's order. */
static const struct {
    const char *period, *quota;
    TunePart part;
    const char *group; /* of the room, but for an I/O thread's; NULL: the room itself */
} rows[] = {
    { VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, TUNE_VCPU,
      GUEST_PART_VCPU0 },
    { VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD, VIR_DOMAIN_SCHEDULER_EMULATOR_QUOTA, TUNE_EMULATOR,
      GUEST_PART_EMULATOR },
    { VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, TUNE_GLOBAL, NULL },
    { VIR_DOMAIN_SCHEDULER_IOTHREAD_PERIOD, VIR_DOMAIN_SCHEDULER_IOTHREAD_QUOTA, TUNE_IOTHREAD,
      NULL },
};

static const TypedParam params[] = {
    { VIR_DOMAIN_SCHEDULER_CPU_SHARES, G_VARIANT_TYPE_UINT64 },
    { VIR_DOMAIN_SCHEDULER_VCPU_PERIOD, G_VARIANT_TYPE_UINT64 },
    { VIR_DOMAIN_SCHEDULER_VCPU_QUOTA, G_VARIANT_TYPE_INT64 },
    { VIR_DOMAIN_SCHEDULER_EMULATOR_PERIOD, G_VARIANT_TYPE_UINT64 },
    { VIR_DOMAIN_SCHEDULER_EMULATOR_QUOTA, G_VARIANT_TYPE_INT64 },
    { VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD, G_VARIANT_TYPE_UINT64 },
    { VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA, G_VARIANT_TYPE_INT64 },
    { VIR_DOMAIN_SCHEDULER_IOTHREAD_PERIOD, G_VARIANT_TYPE_UINT64 },
    { VIR_DOMAIN_SCHEDULER_IOTHREAD_QUOTA, G_VARIANT_TYPE_INT64 },
    { NULL },
};

static gboolean
in_range(const char *name, gint64 value, gint64 min, gint64 max, GError **error)
{
    if ((value <= 0 || value >= min) && value <= max)
        return TRUE;
    return driver_error(error, VIR_ERR_INVALID_ARG,
                        "value of '%s' is out of range [%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT
                        "]",
                        name, min, max);
}

static gboolean
check(GVariant *values, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint64 period;
        gint64 quota;

        if (typed_params_get_uint64(values, rows[i].period, &period) &&
            !in_range(rows[i].period, MIN(period, G_MAXINT64), TUNE_PERIOD_MIN, TUNE_PERIOD_MAX,
                      error))
            return FALSE;
        if (typed_params_get_int64(values, rows[i].quota, &quota) &&
            !in_range(rows[i].quota, quota, TUNE_QUOTA_MIN, TUNE_QUOTA_MAX, error))
            return FALSE;
    }
    return TRUE;
}

static TuneBandwidth
wanted(GVariant *values, gsize row)
{
    TuneBandwidth bandwidth = { 0 };

    typed_params_get_uint64(values, rows[row].period, &bandwidth.period_us);
    typed_params_get_int64(values, rows[row].quota, &bandwidth.quota_us);
    return bandwidth;
}

static gboolean
set_live(const Domain *domain, GVariant *values, GError **error)
{
    const Cgroup *room = guest_room(domain->guest);
    guint64 shares;

    if (typed_params_get_uint64(values, VIR_DOMAIN_SCHEDULER_CPU_SHARES, &shares) &&
        !cgroup_set(room, CGROUP_CPU_SHARES, shares, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        TuneBandwidth bandwidth = wanted(values, i);

        if (!guest_limits_bandwidth(room, rows[i].part, &bandwidth, guest_pid(domain->guest),
                                    error))
            return FALSE;
    }
    return TRUE;
}

static void
set_def(DomainTune *tune, GVariant *values)
{
    typed_params_get_uint64(values, VIR_DOMAIN_SCHEDULER_CPU_SHARES, &tune->shares);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        TuneBandwidth *bandwidth = &tune->bandwidth[rows[i].part];

        typed_params_get_uint64(values, rows[i].period, &bandwidth->period_us);
        typed_params_get_int64(values, rows[i].quota, &bandwidth->quota_us);
    }
}

static void
add_row(GVariantBuilder *out, gsize row, guint64 period_us, gint64 quota_us)
{
    g_variant_builder_add(out, "{sv}", rows[row].period, g_variant_new_uint64(period_us));
    g_variant_builder_add(out, "{sv}", rows[row].quota, g_variant_new_int64(quota_us));
}

static void
add_shares(GVariantBuilder *out, guint64 shares)
{
    g_variant_builder_add(out, "{sv}", VIR_DOMAIN_SCHEDULER_CPU_SHARES,
                          g_variant_new_uint64(shares));
}

/* Those of threads of one kind are all alike, and the first one's are told; without one there is no limit. */
static gboolean
get_bandwidth(const Domain *domain, gsize row, guint64 *ret_period_us, gint64 *ret_quota_us,
              GError **error)
{
    const DomainIoThreads *iothreads = &domain->live->iothreads;
    gboolean none = !iothreads->list->len;
    g_autofree char *part = NULL;

    if (rows[row].part != TUNE_IOTHREAD)
        part = g_strdup(rows[row].group);
    else
        part = guest_limits_iothread_part(none ? 0 : domain_iothreads_get(iothreads, 0)->id);
    return cgroup_get_bandwidth(guest_room(domain->guest), part, ret_period_us, ret_quota_us,
                                error);
}

static gboolean
get_live(const Domain *domain, GVariantBuilder *out, GError **error)
{
    const Cgroup *room = guest_room(domain->guest);
    guint64 shares;

    if (!cgroup_get(room, CGROUP_CPU_SHARES, &shares, error))
        return FALSE;
    add_shares(out, shares);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint64 period_us;
        gint64 quota_us;

        if (!get_bandwidth(domain, i, &period_us, &quota_us, error))
            return FALSE;
        add_row(out, i, period_us, quota_us);
    }
    return TRUE;
}

static void
get_def(const DomainTune *tune, GVariantBuilder *out)
{
    add_shares(out, tune->shares);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const TuneBandwidth *bandwidth = &tune->bandwidth[rows[i].part];

        add_row(out, i, bandwidth->period_us, bandwidth->quota_us);
    }
}

static const Tuning posix = {
    .job = "set-scheduler",
    .get_name = "virDomainGetSchedulerParametersFlags",
    .set_name = "virDomainSetSchedulerParametersFlags",
    .session = "CPU tuning is not available in session mode",
    .absent = "cgroup CPU controller is not mounted",
    .tunable = "cputune.",
    .controller = CGROUP_CPU,
    .params = params,
    .check = check,
    .set_live = set_live,
    .set_def = set_def,
    .get_live = get_live,
    .get_def = get_def,
};

/* libvirt's test driver has a scheduler of its own, for which it takes a weight that it then forgets. */
static const TypedParam test_params[] = {
    { VIR_DOMAIN_SCHEDULER_WEIGHT, G_VARIANT_TYPE_UINT32 },
    { NULL },
};

static void
forget(DomainTune *tune, GVariant *values)
{
}

static void
get_test(const DomainTune *tune, GVariantBuilder *out)
{
    g_variant_builder_add(out, "{sv}", VIR_DOMAIN_SCHEDULER_WEIGHT,
                          g_variant_new_uint32(TEST_DEFAULT_WEIGHT));
}

static const Tuning fair = {
    .job = "set-scheduler",
    .get_name = "virDomainGetSchedulerParametersFlags",
    .set_name = "virDomainSetSchedulerParametersFlags",
    .params = test_params,
    .set_def = forget,
    .get_def = get_test,
};

const Tuning *
domain_scheduler(const Domain *domain)
{
    return domain_is_simulated(domain) ? &fair : &posix;
}

const char *
domain_scheduler_type(const Domain *domain)
{
    return domain_is_simulated(domain) ? "fair" : "posix";
}

int
domain_scheduler_parameter_count(const Domain *domain)
{
    const Cgroup *room = domain->guest ? guest_room(domain->guest) : NULL;

    if (domain_is_simulated(domain))
        return G_N_ELEMENTS(test_params) - 1;
    if (domain->guest && !(room && cgroup_has(room, CGROUP_CPU)))
        return 0;
    return G_N_ELEMENTS(params) - 1;
}
