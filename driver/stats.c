#include "driver/stats.h"

#include "driver/domain-private.h"
#include "driver/error.h"
#include "driver/flags.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Times come from /proc: the kernel knows them, and no VMM is asked. */
typedef struct CpuTimes {
    guint64 user_ns, system_ns;
} CpuTimes;

static guint64
ticks_to_ns(const char *ticks)
{
    return g_ascii_strtoull(ticks, NULL, 10) * (1000000000 / sysconf(_SC_CLK_TCK));
}

/* @ret_name has room for the 15 bytes of a thread's name (proc(5), "comm"). */
static gboolean
read_times(const char *stat_path, char ret_name[16], CpuTimes *ret)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) fields = NULL;
    char *open, *close;

    if (!g_file_get_contents(stat_path, &text, NULL, NULL) || !(open = strchr(text, '(')) ||
        !(close = strrchr(text, ')')))
        return FALSE;
    fields = g_strsplit(close + 2, " ", 0); /* from field 3: utime is 14, stime 15 */
    if (g_strv_length(fields) < 13)
        return FALSE;
    *close = '\0';
    g_strlcpy(ret_name, open + 1, 16);
    ret->user_ns = ticks_to_ns(fields[11]);
    ret->system_ns = ticks_to_ns(fields[12]);
    return TRUE;
}

static void
add(GVariantBuilder *out, const char *name, GVariant *value)
{
    g_variant_builder_add(out, "{sv}", name, value);
}

static void
add_state(Domain *domain, GVariantBuilder *out)
{
    int state, reason;

    domain_state(domain, &state, &reason);
    add(out, "state.state", g_variant_new_int32(state));
    add(out, "state.reason", g_variant_new_int32(reason));
}

static void
add_cpu_total(Domain *domain, GVariantBuilder *out)
{
    g_autofree char *path = NULL;
    char name[16];
    CpuTimes times;

    if (!domain->guest)
        return;
    path = g_strdup_printf("/proc/%d/stat", (int)guest_pid(domain->guest));
    if (!read_times(path, name, &times))
        return;
    add(out, "cpu.time", g_variant_new_uint64(times.user_ns + times.system_ns));
    add(out, "cpu.user", g_variant_new_uint64(times.user_ns));
    add(out, "cpu.system", g_variant_new_uint64(times.system_ns));
}

static void
add_balloon(Domain *domain, GVariantBuilder *out)
{
    DomainFigures figures = domain_figures(domain);

    add(out, "balloon.current", g_variant_new_uint64(figures.current_memory_kib));
    add(out, "balloon.maximum", g_variant_new_uint64(figures.memory_kib));
}

static void
add_vcpu_times(Domain *domain, GVariantBuilder *out)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int)guest_pid(domain->guest));
    g_autoptr(GDir) dir = g_dir_open(tasks, 0, NULL);
    const char *tid;

    while (dir && (tid = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(tasks, tid, "stat", NULL);
        g_autofree char *key = NULL;
        char name[16];
        CpuTimes times;
        unsigned i;

        if (!read_times(path, name, &times) || sscanf(name, "vcpu %u", &i) != 1)
            continue;
        key = g_strdup_printf("vcpu.%u.state", i);
        add(out, key, g_variant_new_int32(VIR_VCPU_RUNNING));
        g_free(g_steal_pointer(&key));
        key = g_strdup_printf("vcpu.%u.time", i);
        add(out, key, g_variant_new_uint64(times.user_ns + times.system_ns));
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

static const struct {
    guint group;
    void (*add)(Domain *domain, GVariantBuilder *out);
} groups[] = {
    { VIR_DOMAIN_STATS_STATE, add_state },
    { VIR_DOMAIN_STATS_CPU_TOTAL, add_cpu_total },
    { VIR_DOMAIN_STATS_BALLOON, add_balloon },
    { VIR_DOMAIN_STATS_VCPU, add_vcpu },
};

GVariant *
domain_stats(Domain *domain, guint wanted, guint flags, GError **error)
{
    const guint known =
        VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT |
        VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING | 0xffff; /* the list's own filter */
    GVariantBuilder out;

    if (!driver_check_flags(flags, known, "virConnectGetAllDomainStats", error))
        return NULL;
    if (flags & VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS &&
        wanted & ~(guint)STATS_SUPPORTED) {
        driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                     "Stats types bits 0x%x are not supported by this daemon",
                     wanted & ~(guint)STATS_SUPPORTED);
        return NULL;
    }
    g_variant_builder_init(&out, G_VARIANT_TYPE_VARDICT);
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        if (wanted == 0 || wanted & groups[i].group)
            groups[i].add(domain, &out);
    }
    return g_variant_builder_end(&out);
}
