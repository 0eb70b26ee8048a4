/* guest-state: the sections of a guest's state, but for its RAM: what the machine is, its clock, its vCPUs and chips,
 * its devices. Restoring takes a machine that has been built as the saved one was.
 *
 * Every call is the main thread's but for guest_state_check(); vCPUs are parked and devices quiet.
 */
#pragma once

#include "qemu-kvm-backend/device.h"
#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/machine-config.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/vcpu-state.h"

typedef struct GuestParts {
    const MachineConfig *config;
    Kvm *kvm;
    const int *vcpu_fds;
    unsigned n_vcpus;
    const VcpuLayout *layout;
    Device *const *devices;
    size_t n_devices;
    bool *asleep; /* whether the guest sleeps (S3); set when it is loaded */
} GuestParts;

/* Header and machine go to @before, which is written before RAM, the rest to @after. */
bool guest_state_save(const GuestParts *parts, StateOut *before, StateOut *after, VmmError *err);

/* Whether @first, the first section of a stream, says that it is of a machine like this one: else @err names what
 * differs. Any thread, while nobody changes the machine. */
bool guest_state_check(const GuestParts *parts, const StateSection *first, VmmError *err);

/* Brings all others to life; @section gives them by their number, NULL past the last. The devices have been
 * reset, and RAM is in place. On false nothing is left that could run. */
bool guest_state_load(const GuestParts *parts, const StateSection *(*section)(void *data, size_t i),
                      void *data, VmmError *err);
