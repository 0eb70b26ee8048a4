/* kvm: a virtual machine as the kernel keeps it, without its vCPUs: memory slots, interrupt
 * controllers, timer (Documentation/virt/kvm/api.rst of Linux).
 *
 * A VM works only in the process that made it, so the descriptor of /dev/kvm is all that is handed
 * in.
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/memory.h"

#include <linux/kvm.h>
#include <stdbool.h>

typedef struct Kvm Kvm;

/* Whether a KVM can run our guests: @has says what KVM_CHECK_EXTENSION says of a capability. Each
 * missing one gets a line in the log, the first one is the error. */
bool kvm_check_capabilities(int (*has)(void *data, int capability), void *data, VmmError *err);

/* A VM that has nothing yet. Takes @kvm_fd (/dev/kvm) over, also on failure. NULL with @err. */
Kvm *kvm_new(int kvm_fd, VmmError *err);
void kvm_free(Kvm *kvm);

int kvm_vm_fd(const Kvm *kvm);
/* What KVM_CHECK_EXTENSION says: 0 where KVM lacks it. */
int kvm_has(const Kvm *kvm, int capability);
unsigned kvm_max_vcpus(const Kvm *kvm);

/* Makes every region of @memory a slot. */
bool kvm_add_memory(Kvm *kvm, const Memory *memory, VmmError *err);

/* Has KVM note which pages of @memory, already its slots, the guest writes, from now on or no longer. */
bool kvm_track_memory(Kvm *kvm, const Memory *memory, bool on, VmmError *err);
/* Adds the pages of region @i that were written since the last call to @bitmap (memory_dirty_words()). */
bool kvm_take_dirty(Kvm *kvm, const Memory *memory, unsigned i, uint64_t *bitmap, VmmError *err);

/* PIC, I/O APIC, local APICs and PIT, in the kernel: before the first vCPU. */
bool kvm_create_chips(Kvm *kvm, VmmError *err);
/* Ticks of the PIT that come too late for the guest are lost; as they are, KVM catches up with them. */
bool kvm_lose_ticks(Kvm *kvm, VmmError *err);

/* Lets the guest read @size bytes at @host where it reads at @gpa; its writes there are MMIO exits. Both
 * are of whole pages. False with errno. Any thread, also while vCPUs run. */
bool kvm_map_rom(Kvm *kvm, uint64_t gpa, const void *host, uint64_t size);
void kvm_unmap_rom(Kvm *kvm, uint64_t gpa);

/* KVM_GET_SUPPORTED_CPUID's answer with room for @spare more entries, and KVM_GET_MSR_INDEX_LIST's.
 * Free with free(). */
struct kvm_cpuid2 *kvm_supported_cpuid(const Kvm *kvm, unsigned spare, unsigned *ret_room,
                                       VmmError *err);
struct kvm_msr_list *kvm_msr_list(const Kvm *kvm, VmmError *err);
/* KVM_GET_SUPPORTED_HV_CPUID's answer, in the room for @ret->nent entries. */
bool kvm_hyperv_cpuid(const Kvm *kvm, struct kvm_cpuid2 *ret, VmmError *err);

/* A vCPU's descriptor, and how many bytes of it are its struct kvm_run; -1 with @err. */
int kvm_create_vcpu(Kvm *kvm, uint32_t apic_id, const struct kvm_cpuid2 *cpuid, VmmError *err);
size_t kvm_run_size(const Kvm *kvm);

/* Any thread. */
void kvm_set_irq(Kvm *kvm, unsigned gsi, bool level);
