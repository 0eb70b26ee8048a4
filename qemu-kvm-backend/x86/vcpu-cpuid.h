/* vcpu-cpuid: what a vCPU tells its guest of the CPU, read, and given to the vCPU of a restored guest, which goes on
 * seeing the CPU that it was saved on.
 */
#pragma once

#include "qemu-kvm-backend/error.h"

#include <linux/kvm.h>
#include <stdint.h>

#define VCPU_CPUID_MAX 512u /* entries, far beyond what vCPUs have */

/* A table of @n entries of zeros; free(). */
struct kvm_cpuid2 *vcpu_cpuid_new(uint32_t n);

/* free(); NULL with @err. */
struct kvm_cpuid2 *vcpu_cpuid_get(int fd, VmmError *err);

/* The vCPU @fd, which has never run, becomes to its guest what @saved says. False, with @err about it, where a feature
 * of it is neither the vCPU's nor in @supported, what KVM has, or where it is another vCPU of the machine. Before the
 * registers: KVM goes by it in what it takes. */
bool vcpu_cpuid_restore(struct kvm_cpuid2 *saved, struct kvm_cpuid2 *supported, int fd, VmmError *err);
