/* machine-config: what "create", "set-action" and "set-memory-nodes" ask for, checked. */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/memory-map.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/x86/cpu-config.h"
#include "qemu-kvm-backend/x86/sleep.h"
#include "qemu-kvm-backend/x86/cpuid.h"
#include "qemu-kvm-backend/x86/firmware.h"

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_VCPUS_MAX 255 /* APIC ids 0 to 254 are those that an I/O APIC can address */

/* VMM_ACTION_* for what a guest does to itself. */
typedef struct MachinePolicy {
    const char *on_poweroff;
    const char *on_reboot;
    const char *on_crash;
} MachinePolicy;

typedef struct MachineConfig {
    int kvm_fd; /* descriptors are -1 where there is none, or after somebody took them over */
    int kernel_fd;
    int initrd_fd;
    int record_fd;
    uint64_t memory; /* bytes */
    MemoryBacking ram;
    CpuTopology topology;
    CpuConfig cpu;
    bool
        pit_reinject; /* the interval timer's late ticks come one after the other; else they are lost */
    char *cmdline;
    bool has_firmware; /* which is what boots, and may boot the kernel; the flash has it */
    FirmwareSettings firmware;
    bool pc; /* it has a PCI host whether or not a device needs it, an LPC bridge, and a keyboard */
    bool acpi;
    SleepStates sleep; /* what is offered; with ACPI */
    bool pae;
    MachinePolicy policy;
} MachineConfig;

/* Without descriptors, memory or vCPUs. */
void machine_config_init(MachineConfig *config);
/* Reads a "create" message, descriptors included; the board's devices read the rest. */
bool machine_config_read(MachineConfig *config, VmmMsg *msg, VmmError *err);
/* Closes the descriptors that are still there. Also after a failed read, and more than once. */
void machine_config_clear(MachineConfig *config);

/* The VMM_ACTION_* that @msg names under @key; @action stays where it names none. False for one that
 * does not exist. */
bool machine_action_read(const char *key, VmmMsg *msg, const char **action, VmmError *err);
/* The keys "ram-policy" and "ram-nodes"; @ret stays where they are missing. */
bool machine_nodes_read(MemoryNodes *ret, VmmMsg *msg, VmmError *err);
/* Changes @policy by the actions that @msg names; all or nothing. */
bool machine_policy_read(MachinePolicy *policy, VmmMsg *msg, VmmError *err);
