#include "driver/launch-machine.h"

#include "driver/domain-firmware.h"
#include "driver/domain-list.h"
#include "driver/error.h"
#include "driver/guest-cpu.h"
#include "driver/iothreads.h"

#include <errno.h>
#include <fcntl.h>

/* The machine */

static int
open_file(const char *path, int flags, const char *what, GError **error)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        driver_error_errno(error, errno, "cannot open the %s '%s'", what, path);
    return fd;
}

static gboolean
put_file(VmmMsg *msg, const char *key, const char *path, int flags, const char *what,
         GError **error)
{
    int fd;

    if (!path)
        return TRUE;
    fd = open_file(path, flags, what, error);
    if (fd >= 0)
        vmm_msg_put_fd(msg, key, fd);
    return fd >= 0;
}

const char *
launch_machine_action(DomainAction action)
{
    static const char *const actions[] = {
        [DOMAIN_ACTION_DESTROY] = VMM_ACTION_STOP,
        [DOMAIN_ACTION_RESTART] = VMM_ACTION_RESET,
        [DOMAIN_ACTION_RESTART_RENAME] = VMM_ACTION_RESET,
        [DOMAIN_ACTION_PRESERVE] = VMM_ACTION_PAUSE,
    };

    return actions[action];
}

static void
put_topology(VmmMsg *msg, const DomainCpu *cpu)
{
    if (!cpu->sockets)
        return;
    vmm_msg_put_u64(msg, "sockets", cpu->sockets);
    vmm_msg_put_u64(msg, "dies", cpu->dies);
    vmm_msg_put_u64(msg, "cores", cpu->cores);
    vmm_msg_put_u64(msg, "threads", cpu->threads);
}

static gboolean
put_cpu(const LaunchMachine *machine, VmmMsg *msg, GError **error)
{
    gboolean ask = guest_cpu_needs_host(machine->live);
    HostCpu host;

    if (ask && !host_cpu_probe(machine->domain->host->env->kvm, &host, error))
        return FALSE;
    put_topology(msg, &machine->live->cpu);
    return guest_cpu_lower(machine->live, ask ? &host : NULL, msg, error);
}

static gboolean
put_memory(const LaunchMachine *machine, VmmMsg *msg, GError **error)
{
    const DriverEnv *env = machine->domain->host->env;
    g_autofree char *dir = g_build_filename(env->state_dir, "ram", NULL);

    return domain_numatune_lower(&machine->live->numatune, msg, error) &&
           domain_memory_lower(&machine->live->backing, machine->live->memory_kib, dir, msg, error);
}

static gboolean
put_kernel(VmmMsg *msg, const DomainOs *os, GError **error)
{
    if (os->cmdline)
        vmm_msg_put_string(msg, "cmdline", os->cmdline);
    return put_file(msg, "kernel", os->kernel, O_RDONLY, "kernel", error) &&
           put_file(msg, "initrd", os->initrd, O_RDONLY, "initial RAM disk", error);
}

/* What is opened on the host. */
static gboolean
put_host(const LaunchMachine *machine, VmmMsg *msg, GError **error)
{
    const DriverEnv *env = machine->domain->host->env;
    int record = guest_open_record(machine->guest, error);
    const char *rom = NULL;

    if (record < 0)
        return FALSE;
    vmm_msg_put_fd(msg, "record", record);
    return put_memory(machine, msg, error) && put_cpu(machine, msg, error) &&
           put_file(msg, "kvm", env->kvm, O_RDWR, "KVM device", error) &&
           put_kernel(msg, &machine->live->os, error) &&
           domain_firmware_put(msg, machine->live, env, machine->reset_nvram, error) &&
           domain_firmware_network_rom(msg, machine->live, machine->boots, &rom, error) &&
           put_file(msg, "network-rom", rom, O_RDONLY, "network cards' ROM", error);
}

static gboolean
describe(const LaunchMachine *machine, GError **error)
{
    DomainDef *def = machine->live;
    VmmMsg *msg = vmm_link_request(guest_link(machine->guest), VMM_CREATE);
    gint64 now = g_get_real_time() / G_USEC_PER_SEC;

    g_ptr_array_add(machine->requests, msg);
    vmm_msg_put_u64(msg, "vcpus", def->current_vcpus);
    if (def->os.machine)
        vmm_msg_put_string(msg, "machine", def->os.machine);
    vmm_msg_put_bool(msg, "acpi", def->features.states[DOMAIN_FEATURE_ACPI] == 1);
    domain_clock_settle(&def->clock, now);
    if (!domain_clock_lower(&def->clock, now, msg, error))
        return FALSE;
    domain_pm_lower(&def->pm, msg);
    vmm_msg_put_string(msg, "on-poweroff", launch_machine_action(def->on_poweroff));
    vmm_msg_put_string(msg, "on-reboot", launch_machine_action(def->on_reboot));
    vmm_msg_put_string(msg, "on-crash", launch_machine_action(def->on_crash));
    return machine->domain->host->env->simulated || put_host(machine, msg, error);
}

/* Its I/O threads, before the devices that they serve. */

static void
describe_iothreads(const LaunchMachine *machine)
{
    const DomainIoThreads *threads = &machine->live->iothreads;

    for (guint i = 0; i < threads->list->len; i++) {
        DomainIoThread *thread = domain_iothreads_get(threads, i);

        thread->poll = iothread_first_poll();
        g_ptr_array_add(machine->requests,
                        iothread_request(guest_link(machine->guest), VMM_ADD_IOTHREAD, thread->id));
    }
}

/* Its devices */

static VmmMsg *
add_device_message(gpointer data, const char *class, const char *id)
{
    const LaunchMachine *machine = data;
    VmmMsg *msg = vmm_link_request(guest_link(machine->guest), VMM_ADD_DEVICE);

    vmm_msg_put_string(msg, "class", class);
    vmm_msg_put_string(msg, "id", id);
    g_ptr_array_add(machine->requests, msg);
    return msg;
}

static gboolean
cid_taken(gpointer data, guint cid)
{
    const LaunchMachine *machine = data;

    return domain_list_has_cid(machine->domain->host->list, machine->domain, cid);
}

static void
missing_free(gpointer data)
{
    DeviceMissing *missing = data;

    g_free(missing->source);
    g_free(missing);
}

/* What was found to be missing is told now, and the live definition has it no more. */
static void
settle_missing(const LaunchMachine *machine, const GPtrArray *all)
{
    for (guint i = 0; i < all->len; i++) {
        const DeviceMissing *missing = all->pdata[i];

        g_message("Domain '%s' starts without '%s': it is missing", machine->live->name, missing->source);
        domain_tell(machine->domain, disk_change, missing->source, NULL, missing->dev->alias,
                    missing->dropped ? VIR_DOMAIN_EVENT_DISK_DROP_MISSING_ON_START
                                     : VIR_DOMAIN_EVENT_DISK_CHANGE_MISSING_ON_START);
        if (missing->dropped)
            g_ptr_array_remove(machine->live->devices, missing->dev);
    }
}

/* The guest begins with all of its RAM, and gives back what it should not have as soon as it can. */
static gboolean
lower_devices(const LaunchMachine *machine, GError **error)
{
    DomainDef *live = machine->live;
    g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(missing_free);
    DeviceLowering to = {
        .simulated = machine->domain->host->env->simulated,
        .domain_name = live->name,
        .iothreads = &live->iothreads,
        .run_dir = guest_dir(machine->guest),
        .vsock_dir = guest_vsock_dir(machine->guest),
        .vsock_broker = machine->domain->host->env->vsock,
        .cid_taken = cid_taken,
        .add = add_device_message,
        .data = (gpointer)machine,
        .balloon_kib = live->memory_kib - live->current_memory_kib,
        .boots = machine->boots,
        .missing = missing,
        .images = machine->images,
        .connect_broker = machine->domain->host->env->connect,
    };

    if (!to.simulated)
        live->current_memory_kib = live->memory_kib;
    if (!device_list_lower(live->devices, &to, error))
        return FALSE;
    settle_missing(machine, missing);
    return TRUE;
}

gboolean
launch_machine_describe(const LaunchMachine *machine, GError **error)
{
    if (!describe(machine, error))
        return FALSE;
    describe_iothreads(machine);
    return lower_devices(machine, error);
}
