#include "qemu-kvm-backend/x86/power-on.h"

#include "qemu-kvm-backend/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSRS_AT_ONCE 256 /* KVM's MAX_IO_MSRS */

#define MSR_TSC          0x10
#define MSR_MISC_ENABLE  0x1a0
#define MSR_MTRR_DEFAULT 0x2ff
#define MSR_TSC_DEADLINE 0x6e0

#define MISC_FAST_STRINGS (1ull << 0)
#define MTRR_ENABLED      (1ull << 11)
#define MTRR_WRITE_BACK   6ull

#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_MODE_NMI  0x400u
#define APIC_MODE_EXT  0x700u

typedef struct VcpuState {
    struct kvm_mp_state mp_state;
    struct kvm_vcpu_events events;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_nested_state *nested; /* NULL where KVM does not nest */
    struct kvm_debugregs debugregs;
    struct kvm_xsave *xsave;
    struct kvm_xcrs xcrs;
    bool has_xcrs;
    struct kvm_lapic_state lapic;
    struct kvm_msr_entry *msrs;
    unsigned n_msrs;
} VcpuState;

struct PowerOn {
    VcpuState *vcpus;
    unsigned n_vcpus;
    int xsave_size;              /* bytes, at least those of struct kvm_xsave */
    int nested_size;             /* bytes of kvm_nested_state; 0: KVM does not nest */
    struct kvm_irqchip chips[3]; /* by KVM_IRQCHIP_* */
    struct kvm_pit_state2 pit;
};

typedef struct MsrBatch {
    struct kvm_msrs head;
    struct kvm_msr_entry entries[MSRS_AT_ONCE];
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
power_on_prepare(int vcpu_fd, unsigned index, VmmError *err)
{
    uint64_t misc;

    /* A CPU without these registers has nothing to turn on. */
    if (get_msr(vcpu_fd, MSR_MISC_ENABLE, &misc))
        set_msr(vcpu_fd, MSR_MISC_ENABLE, misc | MISC_FAST_STRINGS);
    set_msr(vcpu_fd, MSR_MTRR_DEFAULT, MTRR_ENABLED | MTRR_WRITE_BACK);
    return index > 0 || connect_pic(vcpu_fd, err);
}

/* Memory types, by number: SDM volume 3, 12.11.2, and the PAT. No more than there are, because each
 * register that KVM refuses costs a call. */
static const struct {
    uint32_t first, n;
} type_msrs[] = {
    { 0x200, 16 }, /* base and mask of each variable range */
    { 0x250, 1 },  /* the fixed ranges: 64 KiB, 16 KiB, 4 KiB */
    { 0x258, 2 },
    { 0x268, 8 },
    { 0x277, 1 }, /* PAT */
    { MSR_MTRR_DEFAULT, 1 },
};
#define N_TYPE_MSRS 29

/* KVM's list and the memory types, which older kernels leave out of it. A register that comes twice
 * does no harm. */
static struct kvm_msr_list *
list_msrs(const Kvm *kvm, VmmError *err)
{
    struct kvm_msr_list *list = kvm_msr_list(kvm, err);

    if (!list)
        return NULL;
    list = vmm_must(realloc(list, sizeof(*list) + (list->nmsrs + N_TYPE_MSRS) * sizeof(uint32_t)));
    for (size_t i = 0; i < sizeof(type_msrs) / sizeof(type_msrs[0]); i++) {
        for (uint32_t j = 0; j < type_msrs[i].n; j++)
            list->indices[list->nmsrs++] = type_msrs[i].first + j;
    }
    return list;
}

/* KVM_GET_MSRS says how many it read before the first that it refuses: that one is left out. */
static void
get_msrs(int fd, const struct kvm_msr_list *list, VcpuState *state)
{
    MsrBatch *batch = vmm_must(malloc(sizeof(*batch)));
    unsigned next = 0;

    state->msrs = vmm_must(calloc(list->nmsrs + 1, sizeof(struct kvm_msr_entry)));
    while (next < list->nmsrs) {
        unsigned n = list->nmsrs - next < MSRS_AT_ONCE ? list->nmsrs - next : MSRS_AT_ONCE;
        int got;

        memset(batch, 0, sizeof(*batch));
        batch->head.nmsrs = n;
        for (unsigned i = 0; i < n; i++)
            batch->entries[i].index = list->indices[next + i];
        got = ioctl(fd, KVM_GET_MSRS, batch);
        if (got < 0)
            got = 0;
        memcpy(state->msrs + state->n_msrs, batch->entries, got * sizeof(struct kvm_msr_entry));
        state->n_msrs += got;
        next += (unsigned)got < n ? got + 1 : got;
    }
    free(batch);
}

/* The TSC goes first, for its deadline is compared with it when it is set; and it starts from 0 on
 * every vCPU, which KVM takes for "in step with the others". The deadline goes last. */
static void
order_msrs(VcpuState *state)
{
    for (unsigned i = 0; i < state->n_msrs; i++) {
        struct kvm_msr_entry entry = state->msrs[i];

        if (entry.index == MSR_TSC) {
            entry.data = 0;
            state->msrs[i] = state->msrs[0];
            state->msrs[0] = entry;
        }
    }
    for (unsigned i = 0; i + 1 < state->n_msrs; i++) {
        struct kvm_msr_entry entry = state->msrs[i];

        if (entry.index == MSR_TSC_DEADLINE) {
            state->msrs[i] = state->msrs[state->n_msrs - 1];
            state->msrs[state->n_msrs - 1] = entry;
        }
    }
}

static void
set_msrs(int fd, const VcpuState *state)
{
    MsrBatch *batch = vmm_must(calloc(1, sizeof(*batch)));
    unsigned next = 0;

    while (next < state->n_msrs) {
        unsigned left = state->n_msrs - next, n = left < MSRS_AT_ONCE ? left : MSRS_AT_ONCE;
        int set;

        batch->head.nmsrs = n;
        memcpy(batch->entries, state->msrs + next, n * sizeof(struct kvm_msr_entry));
        set = ioctl(fd, KVM_SET_MSRS, batch);
        if (set < 0)
            set = 0;
        next += (unsigned)set < n ? set + 1 : set; /* some can be read and not set */
    }
    free(batch);
}

static bool
get_nested(int fd, const PowerOn *all, VcpuState *state)
{
    if (all->nested_size < (int)sizeof(struct kvm_nested_state))
        return true;
    state->nested = vmm_must(calloc(1, all->nested_size));
    state->nested->size = all->nested_size;
    return ioctl(fd, KVM_GET_NESTED_STATE, state->nested) == 0;
}

/* The multiprocessor state first, because reading it settles pending INITs and start-up IPIs, which
 * changes other registers; then the events, whose reading may change CR2 and DR6. */
static bool
get_vcpu(int fd, const struct kvm_msr_list *list, const PowerOn *all, VcpuState *state,
         VmmError *err)
{
    unsigned long get_xsave = KVM_GET_XSAVE;

    if (all->xsave_size > (int)sizeof(struct kvm_xsave))
        get_xsave = KVM_GET_XSAVE2; /* the older call refuses such vCPUs */
    state->xsave = vmm_must(calloc(1, all->xsave_size));
    if (ioctl(fd, KVM_GET_MP_STATE, &state->mp_state) < 0 ||
        ioctl(fd, KVM_GET_VCPU_EVENTS, &state->events) < 0 ||
        ioctl(fd, KVM_GET_REGS, &state->regs) < 0 || ioctl(fd, KVM_GET_SREGS, &state->sregs) < 0 ||
        ioctl(fd, KVM_GET_DEBUGREGS, &state->debugregs) < 0 ||
        ioctl(fd, get_xsave, state->xsave) < 0 || ioctl(fd, KVM_GET_LAPIC, &state->lapic) < 0 ||
        !get_nested(fd, all, state))
        return vmm_error_errno(err, "Cannot read a vCPU's power-on state");
    state->has_xcrs = ioctl(fd, KVM_GET_XCRS, &state->xcrs) == 0;
    get_msrs(fd, list, state);
    order_msrs(state);
    /* These two are set only where asked for, and a reset clears them. */
    state->events.flags |= KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SIPI_VECTOR;
    return true;
}

/* Registers before events, because setting them drops a pending exception; the local APIC after the
 * system registers, which hold its base; the multiprocessor state last, because KVM checks it
 * against the events. Reading it first settles INITs and start-up IPIs that were on their way. */
static bool
set_vcpu(int fd, const VcpuState *state, VmmError *err)
{
    struct kvm_mp_state settled;

    if (ioctl(fd, KVM_GET_MP_STATE, &settled) < 0 || ioctl(fd, KVM_SET_REGS, &state->regs) < 0 ||
        ioctl(fd, KVM_SET_SREGS, &state->sregs) < 0 ||
        (state->nested && ioctl(fd, KVM_SET_NESTED_STATE, state->nested) < 0) ||
        ioctl(fd, KVM_SET_XSAVE, state->xsave) < 0 ||
        (state->has_xcrs && ioctl(fd, KVM_SET_XCRS, &state->xcrs) < 0) ||
        ioctl(fd, KVM_SET_DEBUGREGS, &state->debugregs) < 0 ||
        ioctl(fd, KVM_SET_LAPIC, &state->lapic) < 0)
        return vmm_error_errno(err, "Cannot put a vCPU back to its power-on state");
    set_msrs(fd, state);
    if (ioctl(fd, KVM_SET_VCPU_EVENTS, &state->events) < 0 ||
        ioctl(fd, KVM_SET_MP_STATE, &state->mp_state) < 0)
        return vmm_error_errno(err, "Cannot put a vCPU's events back to their power-on state");
    return true;
}

static bool
get_chips(int vm_fd, PowerOn *state, VmmError *err)
{
    for (unsigned i = 0; i < 3; i++) {
        state->chips[i].chip_id = i;
        if (ioctl(vm_fd, KVM_GET_IRQCHIP, &state->chips[i]) < 0)
            return vmm_error_errno(err, "Cannot read the power-on state of interrupt chip %u", i);
    }
    if (ioctl(vm_fd, KVM_GET_PIT2, &state->pit) < 0)
        return vmm_error_errno(err, "Cannot read the interval timer's power-on state");
    return true;
}

/* The I/O APIC comes after all local APICs, because it delivers lines that are up when it is set.
 */
static bool
set_chips(int vm_fd, const PowerOn *state, VmmError *err)
{
    static const unsigned order[] = { KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE,
                                      KVM_IRQCHIP_IOAPIC };

    if (ioctl(vm_fd, KVM_SET_PIT2, &state->pit) < 0)
        return vmm_error_errno(err, "Cannot put the interval timer back to its power-on state");
    for (unsigned i = 0; i < 3; i++) {
        if (ioctl(vm_fd, KVM_SET_IRQCHIP, &state->chips[order[i]]) < 0)
            return vmm_error_errno(err, "Cannot put interrupt chip %u back to its power-on state",
                                   order[i]);
    }
    return true;
}

PowerOn *
power_on_capture(const Kvm *kvm, const int *vcpu_fds, unsigned n_vcpus, VmmError *err)
{
    PowerOn *state = vmm_must(calloc(1, sizeof(*state)));
    struct kvm_msr_list *list = list_msrs(kvm, err);
    bool good = list != NULL;

    state->vcpus = vmm_must(calloc(n_vcpus, sizeof(VcpuState)));
    state->n_vcpus = n_vcpus;
    state->xsave_size = kvm_has(kvm, KVM_CAP_XSAVE2);
    if (state->xsave_size < (int)sizeof(struct kvm_xsave))
        state->xsave_size = sizeof(struct kvm_xsave);
    state->nested_size = kvm_has(kvm, KVM_CAP_NESTED_STATE);
    for (unsigned i = 0; good && i < n_vcpus; i++)
        good = get_vcpu(vcpu_fds[i], list, state, &state->vcpus[i], err);
    good = good && get_chips(kvm_vm_fd(kvm), state, err);
    free(list);
    if (good)
        return state;
    power_on_free(state);
    return NULL;
}

bool
power_on_restore(const PowerOn *state, const Kvm *kvm, const int *vcpu_fds, VmmError *err)
{
    for (unsigned i = 0; i < state->n_vcpus; i++) {
        if (!set_vcpu(vcpu_fds[i], &state->vcpus[i], err))
            return false;
    }
    return set_chips(kvm_vm_fd(kvm), state, err);
}

void
power_on_free(PowerOn *state)
{
    if (!state)
        return;
    for (unsigned i = 0; i < state->n_vcpus; i++) {
        free(state->vcpus[i].nested);
        free(state->vcpus[i].xsave);
        free(state->vcpus[i].msrs);
    }
    free(state->vcpus);
    free(state);
}
