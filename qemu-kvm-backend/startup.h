/* startup: what a machine that is turned on starts with: a kernel in RAM with the tables that it looks for, or firmware
 * that is told all about the machine.
 */
#pragma once

#include "qemu-kvm-backend/device-list.h"
#include "qemu-kvm-backend/machine-config.h"
#include "qemu-kvm-backend/vcpu-build.h"

#include <stdbool.h>

/* What it looks at; firmware may ask again as long as the machine exists. */
typedef struct Startup {
    const MachineConfig *config;
    const Board *board;
    const VcpuSet *vcpus;
    DeviceList *devices;
} Startup;

/* Loads the kernel and makes the first vCPU enter it, or tells firmware. The devices have been reset. */
bool startup_load(const Startup *startup, VmmError *err);
/* The machine wakes from S3. Firmware sees that and does the rest; without one the first vCPU enters the waking vector
 * that the guest has left, or the kernel anew where it has left none. */
bool startup_wake(const Startup *startup, VmmError *err);
/* Before a saved guest comes back: its kernel and that kernel's tables are in its RAM; what firmware is told is not. */
bool startup_describe(const Startup *startup, VmmError *err);
