#include "driver/pinning.h"

#include "driver/alter.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/guest-threads.h"
#include "driver/test-default.h"

#define AFFECTS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

/* The definition that @flags mean; NULL with @error. */
static const DomainDef *
meant_def(const Domain *domain, guint flags, const char *function, GError **error)
{
    if (!driver_check_flags(flags, AFFECTS, function, error))
        return NULL;
    return domain_affected_def(domain, flags, error);
}

CpuSet
domain_host_cpus(const Domain *domain)
{
    return domain_is_simulated(domain) ? cpuset_first(test_default_node.cpus) : cpuset_host();
}

guint
domain_mapped_cpus(const Domain *domain)
{
    return domain_is_simulated(domain) ? TEST_DEFAULT_CPUS : cpuset_host_count();
}

/* Pinning */

typedef struct Wish {
    Alteration alteration;
    int vcpu; /* -1: the emulator */
    CpuSet cpus;
} Wish;

static void
pin_def(DomainDef *def, const Wish *wish)
{
    if (wish->vcpu < 0)
        def->tune.emulator = wish->cpus;
    else
        domain_tune_pin(&def->tune, wish->vcpu, &wish->cpus);
}

static gboolean
check_vcpu(const DomainDef *def, const Wish *wish, const char *which, GError **error)
{
    return wish->vcpu < (int)def->vcpus ||
           driver_error(error, VIR_ERR_INVALID_ARG, "vcpu %d is out of range of %s cpu count %u",
                        wish->vcpu, which, def->vcpus);
}

static gboolean
pin_threads(const Domain *domain, const Wish *wish, GError **error)
{
    pid_t pid = guest_pid(domain->guest);
    GuestThread thread;

    if (domain_is_simulated(domain))
        return TRUE;
    if (wish->vcpu < 0)
        return guest_threads_pin_emulator(pid, &wish->cpus, error);
    if (!guest_threads_find(pid, wish->vcpu, &thread))
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "setting cpu pinning for inactive vcpu %d is not supported",
                            wish->vcpu);
    return guest_thread_pin(thread.tid, &wish->cpus, error);
}

void
domain_tell_pinned(Domain *domain, const char *name, const CpuSet *cpus)
{
    g_autofree char *text = cpuset_format(cpus);
    g_autoptr(GVariant) all = NULL;
    GVariantBuilder builder;

    if (domain_is_simulated(domain))
        return;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", name, g_variant_new_string(text));
    all = g_variant_ref_sink(g_variant_builder_end(&builder));
    domain_tell(domain, tunable, all);
}

static char *
tunable_name(const Wish *wish)
{
    return wish->vcpu < 0 ? g_strdup(VIR_DOMAIN_TUNABLE_CPU_EMULATORPIN)
                          : g_strdup_printf(VIR_DOMAIN_TUNABLE_CPU_VCPUPIN, wish->vcpu);
}

static gboolean
pin_live(const Alteration *alteration, Domain *domain, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    g_autofree char *name = NULL;

    if (!check_vcpu(domain->live, wish, "live", error) || !pin_threads(domain, wish, error))
        return FALSE;
    pin_def(domain->live, wish);
    name = tunable_name(wish);
    domain_tell_pinned(domain, name, &wish->cpus);
    return TRUE;
}

static gboolean
pin_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    const Wish *wish = (const Wish *)alteration;

    if (!check_vcpu(def, wish, "persistent", error))
        return FALSE;
    pin_def(def, wish);
    return TRUE;
}

static const AlterationKind pin_vcpu = {
    .job = "pin",
    .function = "virDomainPinVcpuFlags",
    .config = pin_config,
    .live = pin_live,
    .free = g_free,
};

static const AlterationKind pin_emulator = {
    .job = "pin",
    .function = "virDomainPinEmulator",
    .config = pin_config,
    .live = pin_live,
    .free = g_free,
};

static void
pin(Domain *domain, const AlterationKind *kind, int vcpu, GVariant *map, guint flags,
    DomainDone done, gpointer data)
{
    const CpuSet cpus = cpuset_from_variant(map, domain_mapped_cpus(domain));
    g_autoptr(GError) error = NULL;
    Wish *wish;

    if (cpuset_is_empty(&cpus)) {
        driver_error(&error, VIR_ERR_INVALID_ARG, "Empty cpu list for pinning");
        done(data, error);
        return;
    }
    wish = g_new0(Wish, 1);
    *wish = (Wish){ { kind }, vcpu, cpus };
    alter(domain, &wish->alteration, flags, done, data);
}

void
domain_pin_vcpu(Domain *domain, guint vcpu, GVariant *map, guint flags, DomainDone done,
                gpointer data)
{
    pin(domain, &pin_vcpu, MIN(vcpu, G_MAXINT), map, flags, done, data);
}

void
domain_pin_emulator(Domain *domain, GVariant *map, guint flags, DomainDone done, gpointer data)
{
    pin(domain, &pin_emulator, -1, map, flags, done, data);
}

/* Asking */

/* Without a word about it, a thread may run anywhere. */
static CpuSet
or_host(const Domain *domain, CpuSet cpus)
{
    return cpuset_is_empty(&cpus) ? domain_host_cpus(domain) : cpus;
}

GVariant *
domain_vcpu_pins(const Domain *domain, guint flags, GError **error)
{
    const DomainDef *def = meant_def(domain, flags, "virDomainGetVcpuPinInfo", error);
    GVariantBuilder maps;

    if (!def)
        return NULL;
    g_variant_builder_init(&maps, G_VARIANT_TYPE("aab"));
    for (guint i = 0; i < def->vcpus; i++) {
        const CpuSet cpus = or_host(domain, domain_tune_vcpu_set(&def->tune, i));

        g_variant_builder_add_value(&maps, cpuset_to_variant(&cpus, domain_mapped_cpus(domain)));
    }
    return g_variant_builder_end(&maps);
}

GVariant *
domain_emulator_pin(const Domain *domain, guint flags, GError **error)
{
    const DomainDef *def = meant_def(domain, flags, "virDomainGetEmulatorPinInfo", error);
    CpuSet cpus;

    if (!def)
        return NULL;
    cpus = or_host(domain, domain_tune_emulator_set(&def->tune));
    return cpuset_to_variant(&cpus, domain_mapped_cpus(domain));
}

static gint
compare_vcpus(gconstpointer one, gconstpointer other)
{
    const GuestThread *a = one, *b = other;

    return a->vcpu - b->vcpu;
}

/* As libvirt's test driver has it: each runs, on the last CPU that it may run on. */
static void
add_simulated(GVariantBuilder *rows, const Domain *domain)
{
    guint64 user_ns = 0, system_ns = 0;

    guest_cpu_times(domain->guest, &user_ns, &system_ns);
    for (guint i = 0; i < domain->live->current_vcpus; i++) {
        const CpuSet cpus = or_host(domain, domain_tune_vcpu_set(&domain->live->tune, i));
        int last = CPUSET_MAX - 1;

        while (last > 0 && !CPU_ISSET(last, &cpus.cpus))
            last--;
        g_variant_builder_add(rows, "(uiti@ab)", i, VIR_VCPU_RUNNING, user_ns + system_ns, last,
                              cpuset_to_variant(&cpus, domain_mapped_cpus(domain)));
    }
}

static void
add_threads(GVariantBuilder *rows, const Domain *domain)
{
    g_autoptr(GArray) threads = guest_threads_list(guest_pid(domain->guest));

    g_array_sort(threads, compare_vcpus);
    for (guint i = 0; i < threads->len; i++) {
        const GuestThread *thread = &g_array_index(threads, GuestThread, i);
        const CpuSet cpus = guest_thread_affinity(thread->tid);

        if (thread->vcpu >= 0)
            g_variant_builder_add(rows, "(uiti@ab)", thread->vcpu, VIR_VCPU_RUNNING,
                                  thread->user_ns + thread->system_ns, thread->cpu,
                                  cpuset_to_variant(&cpus, domain_mapped_cpus(domain)));
    }
}

GVariant *
domain_vcpu_info(const Domain *domain, GError **error)
{
    GVariantBuilder rows;

    if (!domain_is_active(domain)) {
        driver_error(error, VIR_ERR_OPERATION_INVALID,
                     "cannot retrieve vcpu information for inactive domain");
        return NULL;
    }
    g_variant_builder_init(&rows, G_VARIANT_TYPE("a(uitiab)"));
    if (domain_is_simulated(domain))
        add_simulated(&rows, domain);
    else
        add_threads(&rows, domain);
    return g_variant_builder_end(&rows);
}

/* The room knows to the microsecond, the process to the tick. */
static gboolean
cpu_times(const Domain *domain, guint64 *ret_total, guint64 *ret_user, guint64 *ret_system)
{
    const Cgroup *room = guest_room(domain->guest);

    if (room && cgroup_cpu_time(room, ret_total, ret_user, ret_system, NULL))
        return TRUE;
    if (!guest_cpu_times(domain->guest, ret_user, ret_system))
        return FALSE;
    *ret_total = *ret_user + *ret_system;
    return TRUE;
}

GVariant *
domain_cpu_stats(const Domain *domain, guint flags, GError **error)
{
    guint64 total, user, system;
    GVariantBuilder out;

    if (!driver_check_flags(flags, VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetCPUStats", error))
        return NULL;
    if (domain_is_active(domain) && domain_is_simulated(domain)) {
        total = TEST_DEFAULT_CPU_NS;
        user = TEST_DEFAULT_USER_NS;
        system = TEST_DEFAULT_SYSTEM_NS;
    } else if (!domain_is_active(domain) || !cpu_times(domain, &total, &user, &system)) {
        driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
        return NULL;
    }
    g_variant_builder_init(&out, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&out, "{sv}", VIR_DOMAIN_CPU_STATS_CPUTIME, g_variant_new_uint64(total));
    g_variant_builder_add(&out, "{sv}", VIR_DOMAIN_CPU_STATS_USERTIME, g_variant_new_uint64(user));
    g_variant_builder_add(&out, "{sv}", VIR_DOMAIN_CPU_STATS_SYSTEMTIME,
                          g_variant_new_uint64(system));
    return g_variant_builder_end(&out);
}
