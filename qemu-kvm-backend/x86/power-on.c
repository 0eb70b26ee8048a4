#include "qemu-kvm-backend/x86/power-on.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/x86/chips-state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSR_MISC_ENABLE  0x1a0
#define MSR_MTRR_DEFAULT 0x2ff

#define MISC_FAST_STRINGS (1ull << 0)
#define MTRR_ENABLED      (1ull << 11)
#define MTRR_WRITE_BACK   6ull

#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_MODE_NMI  0x400u
#define APIC_MODE_EXT  0x700u

struct PowerOn {
    VcpuLayout layout;
    VcpuState *vcpus;
    unsigned n_vcpus;
    ChipsState chips;
};

typedef struct MsrBatch {
    struct kvm_msrs head;
    struct kvm_msr_entry entries[1];
} MsrBatch;

static bool
set_msr(int fd, uint32_t index, uint64_t value)
{
    MsrBatch one = { .head.nmsrs = 1, .entries[0] = { .index = index, .data = value } };

    return ioctl(fd, KVM_SET_MSRS, &one) == 1;
}

static bool
get_msr(int fd, uint32_t index, uint64_t *ret)
{
    MsrBatch one = { .head.nmsrs = 1, .entries[0].index = index };

    if (ioctl(fd, KVM_GET_MSRS, &one) != 1)
        return false;
    *ret = one.entries[0].data;
    return true;
}

static bool
connect_pic(int fd, VmmError *err)
{
    struct kvm_lapic_state lapic;
    uint32_t lint0 = APIC_MODE_EXT, lint1 = APIC_MODE_NMI;

    if (ioctl(fd, KVM_GET_LAPIC, &lapic) < 0)
        return vmm_error_errno(err, "Cannot read the boot vCPU's local APIC");
    memcpy(lapic.regs + APIC_LVT_LINT0, &lint0, sizeof(lint0));
    memcpy(lapic.regs + APIC_LVT_LINT1, &lint1, sizeof(lint1));
    if (ioctl(fd, KVM_SET_LAPIC, &lapic) < 0)
        return vmm_error_errno(err, "Cannot set the boot vCPU's local APIC");
    return true;
}

bool
power_on_prepare(int vcpu_fd, unsigned index, bool firmware, VmmError *err)
{
    uint64_t misc;

    /* A CPU without these registers has nothing to turn on. */
    if (get_msr(vcpu_fd, MSR_MISC_ENABLE, &misc))
        set_msr(vcpu_fd, MSR_MISC_ENABLE, misc | MISC_FAST_STRINGS);
    if (!firmware)
        set_msr(vcpu_fd, MSR_MTRR_DEFAULT, MTRR_ENABLED | MTRR_WRITE_BACK);
    return index > 0 || connect_pic(vcpu_fd, err);
}

/* The TSC starts from 0 on every vCPU, which KVM takes for "in step with the others"; it is the first that is
 * set. These two events are set only where asked for, and a reset clears them. */
static void
make_initial(VcpuState *state)
{
    vcpu_msrs_set_tsc(&state->msrs, 0);
    state->events.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR;
}

PowerOn *
power_on_capture(const Kvm *kvm, const int *vcpu_fds, unsigned n_vcpus, bool synic, VmmError *err)
{
    PowerOn *state = vmm_must(calloc(1, sizeof(*state)));
    bool good = vcpu_layout_init(&state->layout, kvm, synic, err);

    state->vcpus = vmm_must(calloc(n_vcpus, sizeof(VcpuState)));
    state->n_vcpus = n_vcpus;
    for (unsigned i = 0; good && i < n_vcpus; i++) {
        vcpu_state_init(&state->vcpus[i], &state->layout);
        good = vcpu_state_get(&state->vcpus[i], vcpu_fds[i], err);
        make_initial(&state->vcpus[i]);
    }
    if (good && chips_state_get(&state->chips, kvm, err))
        return state;
    power_on_free(state);
    return NULL;
}

bool
power_on_restore(const PowerOn *state, const Kvm *kvm, const int *vcpu_fds, VmmError *err)
{
    for (unsigned i = 0; i < state->n_vcpus; i++) {
        if (!vcpu_state_leave_nested(&state->vcpus[i], vcpu_fds[i], err) ||
            !vcpu_state_set(&state->vcpus[i], vcpu_fds[i], false, err))
            return false;
    }
    return chips_state_set(&state->chips, kvm, err);
}

const VcpuLayout *
power_on_layout(const PowerOn *state)
{
    return &state->layout;
}

void
power_on_free(PowerOn *state)
{
    if (!state)
        return;
    for (unsigned i = 0; i < state->n_vcpus; i++)
        vcpu_state_clear(&state->vcpus[i]);
    vcpu_layout_clear(&state->layout);
    free(state->vcpus);
    free(state);
}
