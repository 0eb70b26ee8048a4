#include "qemu-kvm-backend/machine-config.h"

#include "qemu-kvm-backend/firmware-settings.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIN_MEMORY (2ull << 20) /* a kernel goes to 1 MiB */
#define MAX_MEMORY (1ull << 46) /* what five-level tables and KVM's slots bear on any host */

typedef struct FdKey {
    const char *key;
    size_t offset; /* in MachineConfig */
    bool needed;
} FdKey;

static const FdKey fd_keys[] = {
    { "kvm", offsetof(MachineConfig, kvm_fd), true },
    { "kernel", offsetof(MachineConfig, kernel_fd), false },
    { "initrd", offsetof(MachineConfig, initrd_fd), false },
    { "record", offsetof(MachineConfig, record_fd), false },
    { "ram", offsetof(MachineConfig, ram.fd), false },
};

#define N_FD_KEYS (sizeof(fd_keys) / sizeof(fd_keys[0]))

static int *
fd_of(MachineConfig *config, const FdKey *row)
{
    return (int *)((char *)config + row->offset);
}

static bool
read_fds(MachineConfig *config, VmmMsg *msg, VmmError *err)
{
    for (size_t i = 0; i < N_FD_KEYS; i++) {
        const FdKey *row = &fd_keys[i];

        if (!vmm_msg_take_fd(msg, row->key, fd_of(config, row)) && row->needed)
            return vmm_error(err, VMM_ERROR_INVALID, "create: the descriptor '%s' is missing",
                             row->key);
    }
    return true;
}

static bool
read_firmware(MachineConfig *config, VmmMsg *msg, VmmError *err)
{
    config->has_firmware = vmm_msg_has(msg, "firmware");
    if (!config->has_firmware && config->kernel_fd < 0)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "create: the descriptor 'kernel' or 'firmware' is missing");
    if (config->has_firmware && !config->pc)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "This machine has no firmware");
    return firmware_settings_read(&config->firmware, config->has_firmware, msg, err);
}

static bool
read_memory(MachineConfig *config, VmmMsg *msg, VmmError *err)
{
    if (!vmm_msg_get_u64(msg, "memory", &config->memory))
        return vmm_error(err, VMM_ERROR_INVALID, "create: the number 'memory' is missing");
    if (config->memory % 4096 || config->memory < MIN_MEMORY || config->memory > MAX_MEMORY)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Guest memory of %" PRIu64
                         " bytes is not a multiple of 4096 between %llu and %llu",
                         config->memory, MIN_MEMORY, MAX_MEMORY);
    return true;
}

bool
machine_nodes_read(MemoryNodes *ret, VmmMsg *msg, VmmError *err)
{
    const char *policy;
    const void *bits;
    size_t size;
    bool has_policy = vmm_msg_get_string(msg, "ram-policy", &policy);
    bool has_bits = vmm_msg_get_bytes(msg, "ram-nodes", &bits, &size);

    if (has_policy != has_bits)
        return vmm_error(err, VMM_ERROR_INVALID, "ram-policy and ram-nodes go together");
    return !has_bits || memory_nodes_parse(ret, policy, bits, size, err);
}

static bool
read_backing(MachineConfig *config, VmmMsg *msg, VmmError *err)
{
    MemoryBacking *ram = &config->ram;

    vmm_msg_get_bool(msg, "ram-shared", &ram->shared);
    vmm_msg_get_bool(msg, "ram-locked", &ram->locked);
    vmm_msg_get_u64(msg, "ram-threads", &ram->threads);
    if (ram->threads > MEMORY_THREADS_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "ram-threads: %" PRIu64 " are more than %d",
                         ram->threads, MEMORY_THREADS_MAX);
    return machine_nodes_read(&ram->nodes, msg, err);
}

static bool
read_topology(MachineConfig *config, VmmMsg *msg, VmmError *err)
{
    static const char *const keys[] = { "sockets", "dies", "cores", "threads" };
    unsigned *levels[] = { &config->topology.sockets, &config->topology.dies,
                           &config->topology.cores, &config->topology.threads };
    uint64_t n, product = 1;
    bool given = false;

    if (!vmm_msg_get_u64(msg, "vcpus", &n))
        return vmm_error(err, VMM_ERROR_INVALID, "create: the number 'vcpus' is missing");
    if (n < 1 || n > MACHINE_VCPUS_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "%" PRIu64 " vCPUs are not between 1 and %d", n,
                         MACHINE_VCPUS_MAX);
    config->topology.n_vcpus = n;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t level = 1;

        given |= vmm_msg_get_u64(msg, keys[i], &level);
        if (level < 1 || level > MACHINE_VCPUS_MAX)
            return vmm_error(err, VMM_ERROR_INVALID, "%" PRIu64 " %s are not between 1 and %d",
                             level, keys[i], MACHINE_VCPUS_MAX);
        product *= level;
        *levels[i] = level;
    }
    if (!given)
        product = config->topology.sockets = n;
    if (product < n)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The CPU topology has %" PRIu64 " threads for %" PRIu64 " vCPUs", product,
                         n);
    return true;
}

static void
read_options(MachineConfig *config, VmmMsg *msg)
{
    const char *cmdline = "";

    vmm_msg_get_string(msg, "cmdline", &cmdline);
    config->cmdline = vmm_must(strdup(cmdline));
    config->acpi = config->pae = config->pit_reinject = true;
    vmm_msg_get_bool(msg, "acpi", &config->acpi);
    vmm_msg_get_bool(msg, "pae", &config->pae);
    vmm_msg_get_bool(msg, "pit-reinject", &config->pit_reinject);
    config->sleep = (SleepStates){ true, true };
    vmm_msg_get_bool(msg, "pm-suspend-to-mem", &config->sleep.to_mem);
    vmm_msg_get_bool(msg, "pm-suspend-to-disk", &config->sleep.to_disk);
}

/* The kinds of board. */
static bool
read_machine(MachineConfig *config, VmmMsg *msg, VmmError *err)
{
    const char *name = VMM_MACHINE_Q35;

    vmm_msg_get_string(msg, "machine", &name);
    config->pc = strcmp(name, VMM_MACHINE_Q35) == 0;
    return config->pc || strcmp(name, VMM_MACHINE_MICROVM) == 0 ||
           vmm_error(err, VMM_ERROR_UNSUPPORTED, "There is no machine '%s'", name);
}

void
machine_config_init(MachineConfig *config)
{
    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < N_FD_KEYS; i++)
        *fd_of(config, &fd_keys[i]) = -1;
}

bool
machine_config_read(MachineConfig *config, VmmMsg *msg, VmmError *err)
{
    machine_config_init(config);
    config->policy = (MachinePolicy){ VMM_ACTION_STOP, VMM_ACTION_RESET, VMM_ACTION_STOP };
    read_options(config, msg);
    return read_machine(config, msg, err) && read_fds(config, msg, err) &&
           read_firmware(config, msg, err) && read_memory(config, msg, err) &&
           read_backing(config, msg, err) && read_topology(config, msg, err) &&
           cpu_config_read(&config->cpu, msg, err) &&
           machine_policy_read(&config->policy, msg, err);
}

void
machine_config_clear(MachineConfig *config)
{
    for (size_t i = 0; i < N_FD_KEYS; i++) {
        int *fd = fd_of(config, &fd_keys[i]);

        if (*fd >= 0)
            close(*fd);
        *fd = -1;
    }
    cpu_config_clear(&config->cpu);
    free(config->cmdline);
    config->cmdline = NULL;
    firmware_settings_clear(&config->firmware);
}

bool
machine_action_read(const char *key, VmmMsg *msg, const char **action, VmmError *err)
{
    static const char *const known[] = { VMM_ACTION_STOP, VMM_ACTION_RESET, VMM_ACTION_PAUSE };
    const char *name;

    if (!vmm_msg_get_string(msg, key, &name))
        return true;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i], name) == 0) {
            *action = known[i];
            return true;
        }
    }
    return vmm_error(err, VMM_ERROR_INVALID, "%s: there is no action '%s'", key, name);
}

bool
machine_policy_read(MachinePolicy *policy, VmmMsg *msg, VmmError *err)
{
    MachinePolicy changed = *policy;

    if (!machine_action_read("on-poweroff", msg, &changed.on_poweroff, err) ||
        !machine_action_read("on-reboot", msg, &changed.on_reboot, err) ||
        !machine_action_read("on-crash", msg, &changed.on_crash, err))
        return false;
    *policy = changed;
    return true;
}
