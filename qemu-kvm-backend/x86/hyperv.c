#include "qemu-kvm-backend/x86/hyperv.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/cpuid-table.h"

#include <inttypes.h>
#include <sys/ioctl.h>

#define LEAVES_MAX 32 /* KVM has about ten */

#define LEAF_FEATURES 0x40000003u
#define LEAF_ADVICE   0x40000004u

/* Of LEAF_FEATURES, EDX, what registers of KVM's are behind; other bits promise something of the machine. */
#define TELLS_OF_FREQUENCY (1u << 8)
#define HAS_DIRECT_TIMERS  (1u << 19)

#define STATUS_INVALID_CONNECTION_ID 0x12 /* 14.4.1 */

typedef struct Leaves {
    struct kvm_cpuid2 head;
    struct kvm_cpuid_entry2 entries[LEAVES_MAX];
} Leaves;

static bool
has_all(uint32_t wanted, uint32_t has, const char *reg, uint32_t leaf, VmmError *err)
{
    return !(wanted & ~has) ||
           vmm_error(err, VMM_ERROR_UNSUPPORTED,
                     "Hyper-V enlightenments are not supported by the host's KVM: bits 0x%" PRIx32
                     " of CPUID 0x%" PRIx32 ", %s",
                     wanted & ~has, leaf, reg);
}

/* Zeros where there is no such leaf. */
static struct kvm_cpuid_entry2
leaf_of(struct kvm_cpuid2 *cpuid, uint32_t leaf)
{
    const struct kvm_cpuid_entry2 *found = cpuid_table_find(cpuid, leaf, 0);

    return found ? *found : (struct kvm_cpuid_entry2){ 0 };
}

bool
hyperv_covers(struct kvm_cpuid2 *host, struct kvm_cpuid2 *guest, VmmError *err)
{
    const uint32_t backed = TELLS_OF_FREQUENCY | HAS_DIRECT_TIMERS;
    struct kvm_cpuid_entry2 wanted = leaf_of(guest, LEAF_FEATURES),
                            has = leaf_of(host, LEAF_FEATURES);

    if (!has_all(wanted.eax, has.eax, "EAX", LEAF_FEATURES, err) ||
        !has_all(wanted.edx & backed, has.edx, "EDX", LEAF_FEATURES, err))
        return false;
    wanted = leaf_of(guest, LEAF_ADVICE);
    has = leaf_of(host, LEAF_ADVICE);
    return has_all(wanted.eax, has.eax, "EAX", LEAF_ADVICE, err);
}

bool
hyperv_check(const Kvm *kvm, struct kvm_cpuid2 *cpuid, VmmError *err)
{
    Leaves host = { .head.nent = LEAVES_MAX };

    if (kvm_has(kvm, KVM_CAP_HYPERV) <= 0)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "Hyper-V enlightenments are not supported by the host's KVM");
    if (kvm_has(kvm, KVM_CAP_SYS_HYPERV_CPUID) <= 0)
        return true;
    return kvm_hyperv_cpuid(kvm, &host.head, err) && hyperv_covers(&host.head, cpuid, err);
}

bool
hyperv_enable_synic(int vcpu_fd, VmmError *err)
{
    struct kvm_enable_cap synic = { .cap = KVM_CAP_HYPERV_SYNIC };

    return ioctl(vcpu_fd, KVM_ENABLE_CAP, &synic) == 0 ||
           vmm_error_errno(err, "Cannot give a vCPU the synthetic interrupt controller of Hyper-V");
}

bool
hyperv_exit(struct kvm_run *run)
{
    switch (run->hyperv.type) {
    case KVM_EXIT_HYPERV_SYNIC: /* its pages are where the guest says, and KVM knows */
        return true;
    case KVM_EXIT_HYPERV_HCALL: /* messages and events to whom KVM does not know: nobody */
        run->hyperv.u.hcall.result = STATUS_INVALID_CONNECTION_ID;
        return true;
    default:
        return false;
    }
}
