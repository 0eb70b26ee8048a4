#include "qemu-kvm-backend/x86/vcpu-cpuid.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/cpuid-table.h"
#include "qemu-kvm-backend/x86/cpuid.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

typedef struct CpuidBits {
    uint32_t function, index;
    unsigned reg;
    uint32_t bits;
} CpuidBits;

/* Features, each of which a guest may use that was told of it: the words of driver/cpu-features.c, and those in which
 * hypervisors tell of theirs. Not the bits that follow what the guest does with its CPU (Linux,
 * kvm_update_cpuid_runtime()): OSXSAVE, MONITOR, OSPKE, PV_UNHALT. */
static const CpuidBits features[] = {
    { 0x1, 0, CPUID_EDX, UINT32_MAX },
    { 0x1, 0, CPUID_ECX, ~(1u << 27 | 1u << 3) },
    { 0x6, 0, CPUID_EAX, UINT32_MAX },
    { 0x7, 0, CPUID_EBX, UINT32_MAX },
    { 0x7, 0, CPUID_ECX, ~(1u << 4) },
    { 0x7, 0, CPUID_EDX, UINT32_MAX },
    { 0x7, 1, CPUID_EAX, UINT32_MAX },
    { 0x7, 1, CPUID_ECX, UINT32_MAX },
    { 0x7, 1, CPUID_EDX, UINT32_MAX },
    { 0x7, 2, CPUID_EDX, UINT32_MAX },
    { 0xd, 0, CPUID_EAX, UINT32_MAX }, /* what XCR0 can enable ... */
    { 0xd, 0, CPUID_EDX, UINT32_MAX },
    { 0xd, 1, CPUID_EAX, UINT32_MAX },
    { 0xd, 1, CPUID_ECX, UINT32_MAX }, /* ... and IA32_XSS */
    { 0xd, 1, CPUID_EDX, UINT32_MAX },
    { 0xf, 1, CPUID_EDX, UINT32_MAX },
    { 0x12, 0, CPUID_EAX, UINT32_MAX },
    { 0x12, 0, CPUID_EBX, UINT32_MAX },
    { 0x12, 1, CPUID_EAX, UINT32_MAX },
    { 0x14, 0, CPUID_EBX, UINT32_MAX },
    { 0x14, 0, CPUID_ECX, UINT32_MAX },
    { 0x40000001, 0, CPUID_EAX, ~(1u << 7) }, /* KVM's, or which interface Hyper-V's is */
    { 0x40000003, 0, CPUID_EAX, UINT32_MAX }, /* Hyper-V's */
    { 0x40000003, 0, CPUID_EBX, UINT32_MAX },
    { 0x40000003, 0, CPUID_EDX, UINT32_MAX },
    { 0x40000004, 0, CPUID_EAX, UINT32_MAX },
    { 0x40000101, 0, CPUID_EAX, ~(1u << 7) }, /* KVM's behind them */
    { 0x80000001, 0, CPUID_EDX, UINT32_MAX },
    { 0x80000001, 0, CPUID_ECX, UINT32_MAX },
    { 0x80000007, 0, CPUID_EDX, UINT32_MAX },
    { 0x80000008, 0, CPUID_EBX, UINT32_MAX },
    { 0x8000000a, 0, CPUID_EDX, UINT32_MAX },
    { 0x80000021, 0, CPUID_EAX, UINT32_MAX },
    { 0x80000022, 0, CPUID_EAX, UINT32_MAX },
};

/* Which vCPU of what vendor it is: the ids are those that its local APIC has here. */
static const CpuidBits identity[] = {
    { 0x0, 0, CPUID_EBX, UINT32_MAX },
    { 0x0, 0, CPUID_ECX, UINT32_MAX },
    { 0x0, 0, CPUID_EDX, UINT32_MAX },
    { 0x1, 0, CPUID_EBX, 0xff000000 },
    { 0xb, 0, CPUID_EDX, UINT32_MAX },
    { 0xb, 1, CPUID_EDX, UINT32_MAX },
    { 0x1f, 0, CPUID_EDX, UINT32_MAX },
    { 0x1f, 1, CPUID_EDX, UINT32_MAX },
    { 0x8000001e, 0, CPUID_EAX, UINT32_MAX },
};

struct kvm_cpuid2 *
vcpu_cpuid_new(uint32_t n)
{
    struct kvm_cpuid2 *table = vmm_must(calloc(1, sizeof(*table) + n * sizeof(table->entries[0])));

    table->nent = n;
    return table;
}

/* Before Linux 6.4 KVM does not say how many entries there are. */
static void
drop_empty(struct kvm_cpuid2 *table)
{
    static const struct kvm_cpuid_entry2 empty;

    while (table->nent > 0 &&
           memcmp(&table->entries[table->nent - 1], &empty, sizeof(empty)) == 0)
        table->nent--;
}

struct kvm_cpuid2 *
vcpu_cpuid_get(int fd, VmmError *err)
{
    struct kvm_cpuid2 *table = vcpu_cpuid_new(VCPU_CPUID_MAX);

    if (ioctl(fd, KVM_GET_CPUID2, table) == 0) {
        drop_empty(table);
        return table;
    }
    vmm_error_errno(err, "Cannot read a vCPU's CPUID");
    free(table);
    return NULL;
}

/* Zeroes where there is no such leaf, which is how a CPU answers. */
static uint32_t
read_bits(struct kvm_cpuid2 *table, const CpuidBits *row)
{
    struct kvm_cpuid_entry2 *entry = cpuid_table_find(table, row->function, row->index);

    return entry ? *cpuid_table_reg(entry, row->reg) & row->bits : 0;
}

/* The vCPU may have what KVM does not name, because a document forces it, and KVM what new guests are not told of
 * (cpuid-offer.c), but those were that are older. */
static bool
check_features(struct kvm_cpuid2 *saved, struct kvm_cpuid2 *here, struct kvm_cpuid2 *supported, VmmError *err)
{
    for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
        const CpuidBits *row = &features[i];
        uint32_t missing = read_bits(saved, row) & ~(read_bits(here, row) | read_bits(supported, row));

        if (missing)
            return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                             "The saved guest's CPU has features that this host's has not: CPUID 0x%" PRIx32
                             ".%" PRIu32 ":%s, bits 0x%" PRIx32,
                             row->function, row->index, cpuid_reg_names[row->reg], missing);
    }
    return true;
}

static bool
check_same(struct kvm_cpuid2 *saved, struct kvm_cpuid2 *here, const CpuidBits *row, VmmError *err)
{
    uint32_t was = read_bits(saved, row), is = read_bits(here, row);

    return was == is || !cpuid_table_find(saved, row->function, row->index) ||
           vmm_error(err, VMM_ERROR_UNSUPPORTED,
                     "The saved guest saw another CPU than this machine has: CPUID 0x%" PRIx32 ".%" PRIu32
                     ":%s was 0x%" PRIx32 ", not 0x%" PRIx32,
                     row->function, row->index, cpuid_reg_names[row->reg], was, is);
}

static bool
check_identity(struct kvm_cpuid2 *saved, struct kvm_cpuid2 *here, VmmError *err)
{
    for (size_t i = 0; i < sizeof(identity) / sizeof(identity[0]); i++) {
        if (!check_same(saved, here, &identity[i], err))
            return false;
    }
    return true;
}

/* KVM keeps each component of the extended state where the host's XSAVE has it (SDM volume 1, 13.4.2). */
static bool
check_components(struct kvm_cpuid2 *saved, struct kvm_cpuid2 *supported, VmmError *err)
{
    for (uint32_t i = 2; i < 64; i++) {
        const CpuidBits size = { CPUID_XSAVE, i, CPUID_EAX, UINT32_MAX };
        const CpuidBits place = { CPUID_XSAVE, i, CPUID_EBX, UINT32_MAX };

        if (!check_same(saved, supported, &size, err) || !check_same(saved, supported, &place, err))
            return false;
    }
    return true;
}

static bool
check_addresses(struct kvm_cpuid2 *saved, struct kvm_cpuid2 *supported, VmmError *err)
{
    unsigned was = cpuid_physical_bits(saved), is = cpuid_physical_bits(supported);

    return was <= is || vmm_error(err, VMM_ERROR_UNSUPPORTED,
                                  "The saved guest's CPU has %u address bits, this host's %u", was, is);
}

/* Which other leaves there are, and what they say of caches, clocks and models, may differ: a kernel or a microcode
 * that is new tells of more, and so may the next core of a hybrid processor. */
bool
vcpu_cpuid_restore(struct kvm_cpuid2 *saved, struct kvm_cpuid2 *supported, int fd, VmmError *err)
{
    struct kvm_cpuid2 *here = vcpu_cpuid_get(fd, err);
    bool good = here && check_identity(saved, here, err) && check_features(saved, here, supported, err) &&
                check_components(saved, supported, err) && check_addresses(saved, supported, err);

    free(here);
    return good && (ioctl(fd, KVM_SET_CPUID2, saved) == 0 ||
                    vmm_error_errno(err, "Cannot give a vCPU the CPUID that it was saved with"));
}
