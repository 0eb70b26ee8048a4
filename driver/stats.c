#include "driver/stats.h"

#include "driver/device-figures.h"
#include "driver/device-stats.h"
#include "driver/domain-private.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/guest-threads.h"
#include "driver/memory-stats.h"

/* Without a format string, which takes twice as long. */
static void
add(GVariantBuilder *out, const char *name, GVariant *value)
{
    g_variant_builder_add_value(out, g_variant_new_dict_entry(g_variant_new_string(name),
                                                              g_variant_new_variant(value)));
}

static void
add_state(Domain *domain, GVariantBuilder *out)
{
    int state, reason;

    domain_state(domain, &state, &reason);
    add(out, "state.state", g_variant_new_int32(state));
    add(out, "state.reason", g_variant_new_int32(reason));
}

/* Times come from /proc: the kernel knows them, and no VMM is asked. */
static void
add_cpu_total(Domain *domain, GVariantBuilder *out)
{
    guint64 user_ns, system_ns;

    if (!domain->guest || !guest_cpu_times(domain->guest, &user_ns, &system_ns))
        return;
    add(out, "cpu.time", g_variant_new_uint64(user_ns + system_ns));
    add(out, "cpu.user", g_variant_new_uint64(user_ns));
    add(out, "cpu.system", g_variant_new_uint64(system_ns));
}

static void
add_memory_stat(gpointer out, int tag, const char *name, guint64 value)
{
    g_autofree char *key = g_strconcat("balloon.", name, NULL);

    add(out, key, g_variant_new_uint64(value));
}

static void
add_balloon(Domain *domain, GVariantBuilder *out)
{
    DomainFigures figures = domain_figures(domain);

    add(out, "balloon.current", g_variant_new_uint64(figures.current_memory_kib));
    add(out, "balloon.maximum", g_variant_new_uint64(figures.memory_kib));
    if (domain_is_active(domain))
        memory_stats_each(domain, add_memory_stat, out);
}

static void
add_vcpu_field(GVariantBuilder *out, int vcpu, const char *field, GVariant *value)
{
    g_autofree char *key = g_strdup_printf("vcpu.%d.%s", vcpu, field);

    add(out, key, value);
}

static void
add_vcpu_times(Domain *domain, GVariantBuilder *out)
{
    g_autoptr(GArray) threads = guest_threads_list(guest_pid(domain->guest));

    for (guint i = 0; i < threads->len; i++) {
        const GuestThread *thread = &g_array_index(threads, GuestThread, i);
        const guint64 time = thread->user_ns + thread->system_ns;

        if (thread->vcpu < 0)
            continue;
        add_vcpu_field(out, thread->vcpu, "state", g_variant_new_int32(VIR_VCPU_RUNNING));
        add_vcpu_field(out, thread->vcpu, "time", g_variant_new_uint64(time));
        add_vcpu_field(out, thread->vcpu, "wait", g_variant_new_uint64(thread->wait_ns));
        add_vcpu_field(out, thread->vcpu, "delay", g_variant_new_uint64(thread->wait_ns));
    }
}

static void
add_vcpu(Domain *domain, GVariantBuilder *out)
{
    DomainFigures figures = domain_figures(domain);

    add(out, "vcpu.current", g_variant_new_uint32(figures.current_vcpus));
    add(out, "vcpu.maximum", g_variant_new_uint32(figures.vcpus));
    if (domain->guest)
        add_vcpu_times(domain, out);
}

static void
add_iothread_field(GVariantBuilder *out, guint id, const char *field, GVariant *value)
{
    g_autofree char *key = g_strdup_printf("iothread.%u.%s", id, field);

    add(out, key, value);
}

/* Of a guest that runs, if it has any. */
static void
add_iothreads(Domain *domain, GVariantBuilder *out)
{
    const GPtrArray *list = domain->live ? domain->live->iothreads.list : NULL;

    if (!list || !list->len)
        return;
    add(out, "iothread.count", g_variant_new_uint32(list->len));
    for (guint i = 0; i < list->len; i++) {
        const DomainIoThread *thread = domain_iothreads_get(&domain->live->iothreads, i);
        const IoThreadPoll *poll = &thread->poll;

        add_iothread_field(out, thread->id, "poll-max-ns", g_variant_new_uint64(poll->max_ns));
        add_iothread_field(out, thread->id, "poll-grow", g_variant_new_uint32(poll->grow));
        add_iothread_field(out, thread->id, "poll-shrink", g_variant_new_uint32(poll->shrink));
    }
}

static const struct {
    guint group;
    void (*add)(Domain *domain, GVariantBuilder *out);
} groups[] = {
    { VIR_DOMAIN_STATS_STATE, add_state },
    { VIR_DOMAIN_STATS_CPU_TOTAL, add_cpu_total },
    { VIR_DOMAIN_STATS_BALLOON, add_balloon },
    { VIR_DOMAIN_STATS_VCPU, add_vcpu },
    { VIR_DOMAIN_STATS_IOTHREAD, add_iothreads },
};

/* Those that a guest's process is asked for. */
#define ASKED (VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK)

static gboolean
is_wanted(guint wanted, guint group)
{
    return wanted == 0 || wanted & group;
}

void
stats_refresh(const GPtrArray *domains, guint wanted, GDestroyNotify done, gpointer data)
{
    if (is_wanted(wanted, ASKED))
        device_figures_refresh(domains, done, data);
    else
        done(data);
}

static gboolean
check_wanted(guint wanted, guint flags, GError **error)
{
    const guint known =
        VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT |
        VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING | 0xffff; /* the list's own filter */
    const guint odd = wanted & ~(guint)STATS_SUPPORTED;

    if (!driver_check_flags(flags, known, "virConnectGetAllDomainStats", error))
        return FALSE;
    return !(flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS && odd) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "Stats types bits 0x%x are not supported by this daemon", odd);
}

static GVariant *
record_of(Domain *domain, guint wanted, guint flags)
{
    GVariantBuilder out;

    g_variant_builder_init(&out, G_VARIANT_TYPE_VARDICT);
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (is_wanted(wanted, groups[i].group))
            groups[i].add(domain, &out);
    }
    if (is_wanted(wanted, VIR_DOMAIN_STATS_INTERFACE))
        device_stats_add_net(domain, &out);
    if (is_wanted(wanted, VIR_DOMAIN_STATS_BLOCK))
        device_stats_add_block(domain, flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING, &out);
    if (is_wanted(wanted, ASKED) && device_figures_stale(domain))
        add(&out, "vmctl.stale", g_variant_new_boolean(TRUE));
    return g_variant_builder_end(&out);
}

GVariant *
domain_stats(Domain *domain, guint wanted, guint flags, GError **error)
{
    return check_wanted(wanted, flags, error) ? record_of(domain, wanted, flags) : NULL;
}

/* All domains at once */

/* A domain that does not run, and its record: most that do not run have the same one, and only one is made. */
typedef struct Rest {
    const Domain *domain; /* NULL: there was none yet */
    GVariant *record;     /* held */
} Rest;

/* The image of each disk is looked at. */
static gboolean
tells_of_disks(const Domain *domain, guint wanted)
{
    return is_wanted(wanted, VIR_DOMAIN_STATS_BLOCK) &&
           !(domain->brief && domain_brief_count_disks(domain->brief) == 0);
}

/* Whether nothing but state and figures is told of @domain, and that it has no disks. */
static gboolean
is_plain(const Domain *domain, guint wanted)
{
    return !domain->live && !domain->guest && !tells_of_disks(domain, wanted);
}

static gboolean
is_alike(const Domain *a, const Domain *b)
{
    DomainFigures of_a = domain_figures(a), of_b = domain_figures(b);

    return a->state == b->state && a->reason == b->reason && of_a.vcpus == of_b.vcpus &&
           of_a.current_vcpus == of_b.current_vcpus && of_a.memory_kib == of_b.memory_kib &&
           of_a.current_memory_kib == of_b.current_memory_kib;
}

/* The record, floating or not. */
static GVariant *
record_in_list(Domain *domain, guint wanted, guint flags, Rest *rest)
{
    if (!is_plain(domain, wanted))
        return record_of(domain, wanted, flags);
    if (!rest->domain || !is_alike(rest->domain, domain)) {
        g_clear_pointer(&rest->record, g_variant_unref);
        rest->domain = domain;
        rest->record = g_variant_ref_sink(record_of(domain, wanted, flags));
    }
    return rest->record;
}

gboolean
stats_each(const GPtrArray *domains, guint wanted, guint flags, StatsEach each, gpointer data,
           GError **error)
{
    Rest rest = { 0 };

    if (!check_wanted(wanted, flags, error))
        return FALSE;
    for (guint i = 0; i < domains->len; i++) {
        Domain *domain = domains->pdata[i];

        each(data, domain, record_in_list(domain, wanted, flags, &rest));
    }
    g_clear_pointer(&rest.record, g_variant_unref);
    return TRUE;
}
