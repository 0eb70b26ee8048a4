/* vcpu: a guest's vCPUs, one thread each.
 *
 * A thread is either parked or runs its guest. vcpus_run() lets all of them go, vcpus_stop() calls
 * all of them back and vcpus_wait() waits until the last has parked; they start parked.
 */
#pragma once

#include "qemu-kvm-backend/bus.h"
#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/vcpu-exit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Vcpus Vcpus;

typedef struct VcpuOwner {
    Bus *pio;
    Bus *mmio;
    const Memory *memory;
    /* A vCPU cannot or must not go on; it parks after this, and the others have been called back.
     * In the vCPU's thread. */
    void (*ended)(void *data, VcpuVerdict verdict, const char *text);
    void *data;
} VcpuOwner;

Vcpus *vcpus_new(unsigned n_max, const VcpuOwner *owner);
/* Ends the threads. NULL is allowed. */
void vcpus_free(Vcpus *vcpus);

/* Takes over the descriptor @fd of a KVM vCPU, whose struct kvm_run has @run_size bytes. */
bool vcpus_add(Vcpus *vcpus, int fd, size_t run_size, VmmError *err);
/* The descriptors, to read or set their state while parked. */
const int *vcpus_fds(const Vcpus *vcpus, unsigned *ret_n);

/* The main thread's; vcpus_stop() is any thread's and does not wait. A vCPU that calls it, or that
 * makes another call it, executes no further guest instruction. */
void vcpus_run(Vcpus *vcpus);
void vcpus_stop(Vcpus *vcpus);
void vcpus_wait(Vcpus *vcpus);

/* Ends the string instructions that a stop has interrupted, to the loss of what they had yet to
 * transfer: before the state of parked vCPUs is replaced. */
bool vcpus_abandon(Vcpus *vcpus, VmmError *err);

/* Ends them properly, before the state of parked vCPUs is read; false where one is so long that its guest has to
 * go on first. */
bool vcpus_finish(Vcpus *vcpus, VmmError *err);

/* CPU time of vCPU @i's thread, nanoseconds. */
uint64_t vcpus_cpu_time_ns(const Vcpus *vcpus, unsigned i);
