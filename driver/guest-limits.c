#include "driver/guest-limits.h"

#include "driver/error.h"
#include "driver/guest-threads.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define PARTITION  "machine" /* as libvirt has it */
#define UNIT_GROUP "guest"   /* where vmctl-guest goes in a unit's group */

/* What a definition asks for by which controller, and libvirt's words where that is missing. */
static gboolean
needs_cpu(const DomainTune *tune)
{
    for (gsize i = 0; i < TUNE_N_PARTS; i++) {
        if (tune->bandwidth[i].period_us || tune->bandwidth[i].quota_us)
            return TRUE;
    }
    return tune->shares != 0;
}

static gboolean
needs_memory(const DomainTune *tune)
{
    return tune->hard_limit_kib || tune->soft_limit_kib || tune->swap_hard_limit_kib;
}

static gboolean
needs_io(const DomainTune *tune)
{
    return tune->weight || tune->devices->len;
}

static const struct {
    CgroupController controller;
    gboolean (*needed)(const DomainTune *tune);
    const char *what;
} needs[] = {
    { CGROUP_CPU, needs_cpu, "CPU tuning" },
    { CGROUP_MEMORY, needs_memory, "Memory cgroup" },
    { CGROUP_IO, needs_io, "Block I/O tuning" },
};

static gboolean
check_needs(const DriverEnv *env, const DomainTune *tune, const Cgroup *room, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(needs); i++) {
        if (needs[i].needed(tune) && !(room && cgroup_has(room, needs[i].controller)))
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s is not available %s",
                                needs[i].what,
                                env->privileged ? "on this host" : "in session mode");
    }
    return TRUE;
}

/* Making the room. A partition of the administrator's has to be there already. */

static char *
room_path(const DomainDef *def)
{
    const char *partition = def->tune.partition ? def->tune.partition + 1 : PARTITION;
    g_autofree char *name = g_strconcat("vmctl-", def->name, NULL);

    return g_build_filename(partition, name, NULL);
}

/* A unit's group is there, with the process in it. */
static gboolean
is_of_unit(const Cgroup *room)
{
    return g_str_has_suffix(cgroup_path(room), "/" UNIT_GROUP);
}

Cgroup *
guest_limits_room(const DriverEnv *env, const DomainDef *def, pid_t pid)
{
    g_autofree char *path = room_path(def);
    Cgroup *of_unit;

    if (!env->cgroup_root)
        return NULL;
    of_unit = def->tune.partition ? NULL : cgroup_of_process(env->cgroup_root, pid, UNIT_GROUP);
    return of_unit ? of_unit : cgroup_open(env->cgroup_root, path);
}

gboolean
guest_limits_enter(const Cgroup *room, pid_t pid, GError **error)
{
    g_autoptr(Cgroup) made = NULL;

    if (is_of_unit(room))
        return TRUE;
    made = cgroup_make(cgroup_root(room), cgroup_path(room), error);
    if (made && cgroup_add_process(made, pid, error))
        return TRUE;
    cgroup_remove(room);
    return FALSE;
}

/* Limits */

static gboolean
set_memory_limit(const Cgroup *room, CgroupValue value, guint64 kib, GError **error)
{
    return !kib || cgroup_set(room, value, kib * 1024, error);
}

static gboolean
set_memory(const Cgroup *room, const DomainTune *tune, GError **error)
{
    return set_memory_limit(room, CGROUP_MEMORY_HARD, tune->hard_limit_kib, error) &&
           set_memory_limit(room, CGROUP_MEMORY_SOFT, tune->soft_limit_kib, error) &&
           set_memory_limit(room, CGROUP_MEMORY_SWAP, tune->swap_hard_limit_kib, error);
}

gboolean
guest_limits_disk(const char *path, dev_t *ret, GError **error)
{
    struct stat info;

    if (stat(path, &info) < 0)
        return driver_error_errno(error, errno, "Path '%s' is not accessible", path);
    if (!S_ISBLK(info.st_mode))
        return driver_error_errno(error, EINVAL, "Path '%s' must be a block device", path);
    *ret = info.st_rdev;
    return TRUE;
}

static gboolean
set_device(const Cgroup *room, const TuneDevice *device, GError **error)
{
    const struct {
        CgroupRate rate;
        guint64 number;
    } rates[] = {
        { CGROUP_READ_BYTES, device->read_bps },
        { CGROUP_WRITE_BYTES, device->write_bps },
        { CGROUP_READ_OPERATIONS, device->read_iops },
        { CGROUP_WRITE_OPERATIONS, device->write_iops },
    };
    dev_t disk;

    if (!guest_limits_disk(device->path, &disk, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(rates); i++) {
        if (rates[i].number && !cgroup_set_rate(room, disk, rates[i].rate, rates[i].number, error))
            return FALSE;
    }
    return !device->weight || cgroup_set_disk_weight(room, disk, device->weight, error);
}

static gboolean
set_io(const Cgroup *room, const DomainTune *tune, GError **error)
{
    if (tune->weight && !cgroup_set(room, CGROUP_IO_WEIGHT, tune->weight, error))
        return FALSE;
    for (guint i = 0; i < tune->devices->len; i++) {
        if (!set_device(room, g_ptr_array_index(tune->devices, i), error))
            return FALSE;
    }
    return TRUE;
}

/* Threads */

char *
guest_limits_iothread_part(guint id)
{
    return g_strdup_printf("iothread%u", id);
}

static TunePart
part_of(const GuestThread *thread)
{
    return thread->vcpu >= 0 ? TUNE_VCPU : thread->iothread ? TUNE_IOTHREAD : TUNE_EMULATOR;
}

static gboolean
bound_thread(const Cgroup *room, const GuestThread *thread, const TuneBandwidth *bandwidth,
             GError **error)
{
    g_autofree char *part = thread->vcpu >= 0 ? g_strdup_printf("vcpu%d", thread->vcpu)
                            : thread->iothread ? guest_limits_iothread_part(thread->iothread)
                                               : g_strdup(GUEST_PART_EMULATOR);

    return cgroup_add_thread(room, part, thread->tid, error) &&
           cgroup_set_bandwidth(room, part, bandwidth->period_us, bandwidth->quota_us, error);
}

static gboolean
has_bandwidth(const TuneBandwidth *bandwidth)
{
    return bandwidth->period_us || bandwidth->quota_us;
}

gboolean
guest_limits_bandwidth(const Cgroup *room, TunePart part, const TuneBandwidth *bandwidth, pid_t pid,
                       GError **error)
{
    g_autoptr(GArray) threads = NULL;

    if (!has_bandwidth(bandwidth))
        return TRUE;
    if (part == TUNE_GLOBAL)
        return cgroup_set_bandwidth(room, NULL, bandwidth->period_us, bandwidth->quota_us, error);
    threads = guest_threads_list(pid);
    for (guint i = 0; i < threads->len; i++) {
        const GuestThread *thread = &g_array_index(threads, GuestThread, i);

        if (part_of(thread) == part && !bound_thread(room, thread, bandwidth, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
guest_limits_has_threads(const DomainDef *def)
{
    const DomainTune *tune = &def->tune;

    return tune->pins->len || !cpuset_is_empty(&tune->emulator) ||
           has_bandwidth(&tune->bandwidth[TUNE_VCPU]) ||
           has_bandwidth(&tune->bandwidth[TUNE_EMULATOR]) ||
           has_bandwidth(&tune->bandwidth[TUNE_IOTHREAD]) ||
           domain_iothreads_are_tuned(&def->iothreads);
}

/* Where the process was told to keep to some CPUs, so were its threads when they began. */
static gboolean
place_iothread(const DomainDef *def, const GuestThread *thread, GError **error)
{
    const DomainIoThread *iothread = domain_iothreads_find(&def->iothreads, thread->iothread);
    const CpuSet *cpus =
        !iothread || cpuset_is_empty(&iothread->cpus) ? &def->tune.cpuset : &iothread->cpus;

    return guest_thread_pin(thread->tid, cpus, error) &&
           (!iothread || guest_thread_schedule(thread->tid, &iothread->schedule, error));
}

static gboolean
place_thread(const DomainDef *def, const GuestThread *thread, GError **error)
{
    CpuSet cpus;

    if (thread->iothread)
        return place_iothread(def, thread, error);
    cpus = thread->vcpu < 0 ? domain_tune_emulator_set(&def->tune)
                            : domain_tune_vcpu_set(&def->tune, thread->vcpu);
    return guest_thread_pin(thread->tid, &cpus, error);
}

gboolean
guest_limits_threads(const DomainDef *def, const Cgroup *room, pid_t pid, GError **error)
{
    const DomainTune *tune = &def->tune;
    g_autoptr(GArray) threads = guest_threads_list(pid);

    for (guint i = 0; i < threads->len; i++) {
        if (!place_thread(def, &g_array_index(threads, GuestThread, i), error))
            return FALSE;
    }
    return guest_limits_bandwidth(room, TUNE_VCPU, &tune->bandwidth[TUNE_VCPU], pid, error) &&
           guest_limits_bandwidth(room, TUNE_EMULATOR, &tune->bandwidth[TUNE_EMULATOR], pid,
                                  error) &&
           guest_limits_bandwidth(room, TUNE_IOTHREAD, &tune->bandwidth[TUNE_IOTHREAD], pid, error);
}

gboolean
guest_limits_iothread(const DomainDef *def, const Cgroup *room, pid_t pid, guint id, GError **error)
{
    const TuneBandwidth *bandwidth = &def->tune.bandwidth[TUNE_IOTHREAD];
    GuestThread thread;

    if (!guest_threads_find_iothread(pid, id, &thread))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "iothread %u not found", id);
    return place_iothread(def, &thread, error) &&
           (!has_bandwidth(bandwidth) || bound_thread(room, &thread, bandwidth, error));
}

void
guest_limits_drop_iothread(const Cgroup *room, guint id)
{
    g_autofree char *part = guest_limits_iothread_part(id);

    if (room)
        cgroup_remove_part(room, part);
}

/* Its threads begin with the affinity of the process. */
static gboolean
set_all(const Cgroup *room, const DomainTune *tune, pid_t pid, GError **error)
{
    if (!cpuset_is_empty(&tune->cpuset) && !guest_thread_pin(pid, &tune->cpuset, error))
        return FALSE;
    return (!tune->shares || cgroup_set(room, CGROUP_CPU_SHARES, tune->shares, error)) &&
           guest_limits_bandwidth(room, TUNE_GLOBAL, &tune->bandwidth[TUNE_GLOBAL], pid, error) &&
           set_memory(room, tune, error) && set_io(room, tune, error);
}

gboolean
guest_limits_begin(const DriverEnv *env, const DomainDef *def, const Cgroup *room, pid_t pid,
                   GError **error)
{
    return check_needs(env, &def->tune, room, error) && set_all(room, &def->tune, pid, error);
}
