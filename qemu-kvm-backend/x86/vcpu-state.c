#include "qemu-kvm-backend/x86/vcpu-state.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/vcpu-cpuid.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSR_TSC 0x10

/* What there is. */

bool
vcpu_layout_init(VcpuLayout *layout, const Kvm *kvm, bool synic, VmmError *err)
{
    int xsave = kvm_has(kvm, KVM_CAP_XSAVE2), nested = kvm_has(kvm, KVM_CAP_NESTED_STATE);

    *layout = (VcpuLayout){
        .xsave_size = xsave > (int)sizeof(struct kvm_xsave) ? xsave : (int)sizeof(struct kvm_xsave),
        .nested_size = nested >= (int)sizeof(struct kvm_nested_state) ? nested : 0,
        .has_sregs2 = kvm_has(kvm, KVM_CAP_SREGS2) > 0,
        .msrs = vcpu_msrs_list(kvm, synic, err),
    };
    return layout->msrs != NULL;
}

void
vcpu_layout_clear(VcpuLayout *layout)
{
    free(layout->msrs);
    layout->msrs = NULL;
}

void
vcpu_state_init(VcpuState *state, const VcpuLayout *layout)
{
    *state = (VcpuState){ .layout = layout };
    state->xsave = vmm_must(calloc(1, layout->xsave_size));
    if (layout->nested_size)
        state->nested = vmm_must(calloc(1, layout->nested_size));
}

void
vcpu_state_clear(VcpuState *state)
{
    free(state->nested);
    free(state->xsave);
    vcpu_msrs_clear(&state->msrs);
    free(state->cpuid);
    *state = (VcpuState){ .layout = NULL };
}

/* Reading. */

static bool
get_nested(int fd, VcpuState *state)
{
    if (!state->nested)
        return true;
    state->nested->size = state->layout->nested_size;
    return ioctl(fd, KVM_GET_NESTED_STATE, state->nested) == 0;
}

static bool
get_sregs(int fd, VcpuState *state)
{
    state->has_sregs2 = state->layout->has_sregs2 && ioctl(fd, KVM_GET_SREGS2, &state->sregs2) == 0;
    return ioctl(fd, KVM_GET_SREGS, &state->sregs) == 0;
}

/* The multiprocessor state first, because reading it settles pending INITs and start-up IPIs, which
 * changes other registers; then the events, whose reading may change CR2 and DR6. */
bool
vcpu_state_get(VcpuState *state, int fd, VmmError *err)
{
    unsigned long get_xsave = KVM_GET_XSAVE;

    if (state->layout->xsave_size > sizeof(struct kvm_xsave))
        get_xsave = KVM_GET_XSAVE2; /* the older call refuses such vCPUs */
    if (ioctl(fd, KVM_GET_MP_STATE, &state->mp_state) < 0 ||
        ioctl(fd, KVM_GET_VCPU_EVENTS, &state->events) < 0 ||
        ioctl(fd, KVM_GET_REGS, &state->regs) < 0 || !get_sregs(fd, state) ||
        ioctl(fd, KVM_GET_DEBUGREGS, &state->debugregs) < 0 ||
        ioctl(fd, get_xsave, state->xsave) < 0 || ioctl(fd, KVM_GET_LAPIC, &state->lapic) < 0 ||
        !get_nested(fd, state))
        return vmm_error_errno(err, "Cannot read a vCPU's state");
    state->has_xcrs = ioctl(fd, KVM_GET_XCRS, &state->xcrs) == 0;
    vcpu_msrs_get(&state->msrs, fd, state->layout->msrs);
    return true;
}

/* Writing. */

static int
set_sregs(const VcpuState *state, int fd)
{
    if (state->has_sregs2 && state->layout->has_sregs2)
        return ioctl(fd, KVM_SET_SREGS2, &state->sregs2);
    return ioctl(fd, KVM_SET_SREGS, &state->sregs);
}

static bool
set_nested(const VcpuState *state, int fd)
{
    return !state->nested || state->nested->size < sizeof(struct kvm_nested_state) ||
           ioctl(fd, KVM_SET_NESTED_STATE, state->nested) == 0;
}

bool
vcpu_state_leave_nested(const VcpuState *power_on, int fd, VmmError *err)
{
    return set_nested(power_on, fd) || vmm_error_errno(err, "Cannot end a vCPU's VMX or SVM operation");
}

/* Registers before events, because setting them drops a pending exception; the local APIC after the
 * system registers, which hold its base; the multiprocessor state last, because KVM checks it
 * against the events. Reading it first settles INITs and start-up IPIs that were on their way. */
bool
vcpu_state_set(const VcpuState *state, int fd, bool strict, VmmError *err)
{
    struct kvm_mp_state settled;

    if (ioctl(fd, KVM_GET_MP_STATE, &settled) < 0 || ioctl(fd, KVM_SET_REGS, &state->regs) < 0 ||
        set_sregs(state, fd) < 0 || !set_nested(state, fd) ||
        ioctl(fd, KVM_SET_XSAVE, state->xsave) < 0 ||
        (state->has_xcrs && ioctl(fd, KVM_SET_XCRS, &state->xcrs) < 0) ||
        ioctl(fd, KVM_SET_DEBUGREGS, &state->debugregs) < 0 ||
        ioctl(fd, KVM_SET_LAPIC, &state->lapic) < 0)
        return vmm_error_errno(err, "Cannot set a vCPU's registers");
    if (!vcpu_msrs_set(&state->msrs, fd, strict, err))
        return false;
    if (ioctl(fd, KVM_SET_VCPU_EVENTS, &state->events) < 0 ||
        ioctl(fd, KVM_SET_MP_STATE, &state->mp_state) < 0)
        return vmm_error_errno(err, "Cannot set a vCPU's events");
    return true;
}

/* The time stamp counter. */

static bool
access_tsc_offset(int fd, unsigned long request, uint64_t *offset)
{
    struct kvm_device_attr attr = {
        .group = KVM_VCPU_TSC_CTRL,
        .attr = KVM_VCPU_TSC_OFFSET,
        .addr = (uintptr_t)offset,
    };

    return ioctl(fd, request, &attr) == 0;
}

/* All by the same distance, so that they stay in step. */
void
vcpu_state_catch_up_tsc(const VcpuState *states, const int *fds, unsigned n)
{
    uint64_t behind = 0;

    for (unsigned i = 0; i < n; i++) {
        uint64_t saved = vcpu_msrs_tsc(&states[i].msrs), now;

        if (vcpu_msr_get(fds[i], MSR_TSC, &now) && now < saved && saved - now > behind)
            behind = saved - now;
    }
    for (unsigned i = 0; i < n && behind > 0; i++) {
        uint64_t offset;

        if (!access_tsc_offset(fds[i], KVM_GET_DEVICE_ATTR, &offset))
            return; /* before Linux 5.16 */
        offset += behind;
        access_tsc_offset(fds[i], KVM_SET_DEVICE_ATTR, &offset);
    }
}

/* What the guest sees of its CPU. */

bool
vcpu_state_get_cpuid(VcpuState *state, int fd, VmmError *err)
{
    state->cpuid = vcpu_cpuid_get(fd, err);
    return state->cpuid != NULL;
}

bool
vcpu_state_set_cpuid(const VcpuState *state, struct kvm_cpuid2 *supported, int fd, VmmError *err)
{
    return vcpu_cpuid_restore(state->cpuid, supported, fd, err);
}

/* In a stream. */

static void
save_xsave(const void *object, StateOut *out)
{
    const VcpuState *state = object;

    state_put_bytes(out, state->xsave, state->layout->xsave_size);
}

static bool
is_zero(const uint8_t *bytes, size_t n)
{
    return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

/* What is beyond this host's size is of components that this host has not, and that the guest did not use. */
static bool
load_xsave(void *object, const void *data, size_t size, VmmError *err)
{
    VcpuState *state = object;

    size_t room = state->layout->xsave_size, n = size < room ? size : room;

    if (size < sizeof(struct kvm_xsave) || !is_zero((const uint8_t *)data + n, size - n))
        return vmm_error(
            err, VMM_ERROR_UNSUPPORTED,
            "The vector registers of the saved vCPU have %zu bytes, those of this host %zu", size,
            room);
    memcpy(state->xsave, data, n);
    return true;
}

static void
save_nested(const void *object, StateOut *out)
{
    const VcpuState *state = object;

    if (state->nested)
        state_put_bytes(out, state->nested, state->nested->size);
}

/* One that is not in use is no loss to a host without it. */
static bool
load_nested(void *object, const void *data, size_t size, VmmError *err)
{
    VcpuState *state = object;
    struct kvm_nested_state head = { 0 };

    if (size == 0)
        return true;
    if (size < sizeof(head))
        return vmm_error(err, VMM_ERROR_INVALID, "The saved vCPU's nested state is cut short");
    memcpy(&head, data, sizeof(head));
    if (!state->nested && head.flags == 0)
        return true;
    if (size > state->layout->nested_size || head.size != size)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "The saved vCPU ran a guest of its own, which this host cannot restore");
    memcpy(state->nested, data, size);
    return true;
}

static void
save_msrs(const void *object, StateOut *out)
{
    vcpu_msrs_save(&((const VcpuState *)object)->msrs, out);
}

static bool
load_msrs(void *object, const void *data, size_t size, VmmError *err)
{
    return vcpu_msrs_load(&((VcpuState *)object)->msrs, data, size, err);
}

static void
save_cpuid(const void *object, StateOut *out)
{
    const VcpuState *state = object;

    state_put_bytes(out, state->cpuid->entries, state->cpuid->nent * sizeof(state->cpuid->entries[0]));
}

static bool
load_cpuid(void *object, const void *data, size_t size, VmmError *err)
{
    VcpuState *state = object;
    const size_t entry = sizeof(state->cpuid->entries[0]);

    if (size % entry || size / entry > VCPU_CPUID_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "The saved vCPU's CPUID is damaged");
    free(state->cpuid);
    state->cpuid = vcpu_cpuid_new(size / entry);
    memcpy(state->cpuid->entries, data, size);
    return true;
}

static const StateField vcpu_fields[] = {
    STATE_BLOB("cpuid", save_cpuid, load_cpuid),
    STATE_BYTES(VcpuState, mp_state),
    STATE_BYTES(VcpuState, events),
    STATE_BYTES(VcpuState, regs),
    STATE_BYTES(VcpuState, sregs),
    STATE_BYTES(VcpuState, sregs2),
    STATE_NUMBER(VcpuState, has_sregs2),
    STATE_BLOB("nested", save_nested, load_nested),
    STATE_BYTES(VcpuState, debugregs),
    STATE_BLOB("xsave", save_xsave, load_xsave),
    STATE_BYTES(VcpuState, xcrs),
    STATE_NUMBER(VcpuState, has_xcrs),
    STATE_BYTES(VcpuState, lapic),
    STATE_BLOB("msrs", save_msrs, load_msrs),
    STATE_END,
};

const StateTable vcpu_state_table = { .version = 1, .fields = vcpu_fields };
