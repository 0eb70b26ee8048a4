#include "tests/unit/fake-kvm.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* No descriptors that a process has. */
#define KVM_FD  1000000
#define VM_FD   1000001
#define VCPU_FD 1000002

#define CR4_VMXE            (1u << 13)
#define MSR_FEATURE_CONTROL 0x3au
#define MSR_MTRR_DEFAULT    0x2ffu
#define NOWHERE             UINT64_MAX /* a guest physical address that is none */

FakeKvm fake_kvm;

static int
refuse(int error)
{
    errno = error;
    return -1;
}

static int
has(unsigned long capability)
{
    switch (capability) {
    case KVM_CAP_XSAVE2:
        return sizeof(struct kvm_xsave);
    case KVM_CAP_NESTED_STATE:
        return sizeof(struct kvm_nested_state);
    case KVM_CAP_SREGS2:
        return 0;
    default:
        return 1;
    }
}

static int
set_sregs(const struct kvm_sregs *sregs)
{
    if (fake_kvm.vmxon && !(sregs->cr4 & CR4_VMXE))
        return refuse(EINVAL);
    fake_kvm.sregs = *sregs;
    return 0;
}

static int
get_nested(struct kvm_nested_state *state)
{
    *state = (struct kvm_nested_state){ .size = sizeof(*state) };
    state->hdr.vmx.vmxon_pa = fake_kvm.vmxon ? 0x1000 : NOWHERE;
    state->hdr.vmx.vmcs12_pa = NOWHERE;
    return 0;
}

/* vmx_set_nested_state() leaves VMX operation before it enters it. */
static int
set_nested(const struct kvm_nested_state *state)
{
    fake_kvm.vmxon = state->hdr.vmx.vmxon_pa != NOWHERE;
    return 0;
}

static int
set_msrs(const struct kvm_msrs *msrs)
{
    for (unsigned i = 0; i < msrs->nmsrs; i++) {
        if (fake_kvm.first_unknown_msr && msrs->entries[i].index >= fake_kvm.first_unknown_msr)
            return i;
        if (msrs->entries[i].index == MSR_FEATURE_CONTROL && msrs->entries[i].data == 0)
            fake_kvm.vmxon = false;
        if (msrs->entries[i].index == MSR_MTRR_DEFAULT)
            fake_kvm.memory_types = msrs->entries[i].data;
    }
    return msrs->nmsrs;
}

static int
list_msrs(struct kvm_msr_list *list)
{
    list->nmsrs = 1;
    list->indices[0] = MSR_FEATURE_CONTROL;
    return 0;
}

static int
set_cpuid(const struct kvm_cpuid2 *cpuid)
{
    if (cpuid->nent > FAKE_CPUID_MAX)
        return refuse(E2BIG);
    fake_kvm.n_cpuid = cpuid->nent;
    memcpy(fake_kvm.cpuid, cpuid->entries, cpuid->nent * sizeof(cpuid->entries[0]));
    return 0;
}

static int
put_cpuid(struct kvm_cpuid2 *to, const struct kvm_cpuid_entry2 *entries, unsigned n)
{
    g_assert_cmpuint(n, <=, to->nent);
    to->nent = n;
    memcpy(to->entries, entries, n * sizeof(entries[0]));
    return 0;
}

static int
read_zeros(unsigned long request, void *to)
{
    if (_IOC_DIR(request) == _IOC_READ)
        memset(to, 0, _IOC_SIZE(request));
    return 0;
}

static int
answer(unsigned long request, void *arg)
{
    switch (request) {
    case KVM_GET_API_VERSION:
        return KVM_API_VERSION;
    case KVM_CHECK_EXTENSION:
        return has((uintptr_t)arg);
    case KVM_GET_VCPU_MMAP_SIZE:
        return sizeof(struct kvm_run);
    case KVM_CREATE_VM:
        return VM_FD;
    case KVM_CREATE_VCPU:
        return VCPU_FD;
    case KVM_GET_SREGS:
        *(struct kvm_sregs *)arg = fake_kvm.sregs;
        return 0;
    case KVM_SET_SREGS:
        return set_sregs(arg);
    case KVM_GET_NESTED_STATE:
        return get_nested(arg);
    case KVM_SET_NESTED_STATE:
        return set_nested(arg);
    case KVM_GET_MSR_INDEX_LIST:
        return list_msrs(arg);
    case KVM_GET_MSRS:
        return ((struct kvm_msrs *)arg)->nmsrs;
    case KVM_SET_MSRS:
        return set_msrs(arg);
    case KVM_GET_SUPPORTED_CPUID:
        return put_cpuid(arg, fake_kvm.supported, fake_kvm.n_supported);
    case KVM_GET_CPUID2:
        return put_cpuid(arg, fake_kvm.cpuid, fake_kvm.n_cpuid);
    case KVM_SET_CPUID2:
        return set_cpuid(arg);
    default:
        return read_zeros(request, arg);
    }
}

int
ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    void *arg;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    if (fd < KVM_FD || fd > VCPU_FD)
        return syscall(SYS_ioctl, fd, request, arg);
    return answer(request, arg);
}

Kvm *
fake_kvm_new(void)
{
    VmmError err;
    Kvm *kvm;

    fake_kvm = (FakeKvm){ .vmxon = false };
    kvm = kvm_new(KVM_FD, &err);
    g_assert_nonnull(kvm);
    return kvm;
}

int
fake_kvm_vcpu(Kvm *kvm)
{
    static const struct kvm_cpuid2 none;
    VmmError err;
    int fd = kvm_create_vcpu(kvm, 0, &none, &err);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}
