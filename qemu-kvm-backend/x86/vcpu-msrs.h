/* vcpu-msrs: the model-specific registers that are a vCPU's state, read, written back and in a stream. */
#pragma once

#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/state.h"

#include <linux/kvm.h>

/* In the order in which they are set: the TSC first, its deadline last. */
typedef struct VcpuMsrs {
    struct kvm_msr_entry *entries;
    uint32_t n;
} VcpuMsrs;

/* KVM's list, and what it leaves out. @synic: vCPUs have the one of Hyper-V. free(); NULL with @err. */
struct kvm_msr_list *vcpu_msrs_list(const Kvm *kvm, bool synic, VmmError *err);
void vcpu_msrs_clear(VcpuMsrs *msrs);

/* Those of @list that KVM lets be read. What @msrs had is gone. */
void vcpu_msrs_get(VcpuMsrs *msrs, int fd, const struct kvm_msr_list *list);
/* @strict: one that cannot be set and is not what it was is an error. */
bool vcpu_msrs_set(const VcpuMsrs *msrs, int fd, bool strict, VmmError *err);
/* One register as it is now. */
bool vcpu_msr_get(int fd, uint32_t index, uint64_t *ret);

/* The time stamp counter among them; 0 where it is not there, and nothing to set. */
uint64_t vcpu_msrs_tsc(const VcpuMsrs *msrs);
void vcpu_msrs_set_tsc(VcpuMsrs *msrs, uint64_t tsc);

void vcpu_msrs_save(const VcpuMsrs *msrs, StateOut *out);
bool vcpu_msrs_load(VcpuMsrs *msrs, const void *data, size_t size, VmmError *err);
