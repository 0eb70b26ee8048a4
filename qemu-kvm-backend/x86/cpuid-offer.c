#include "qemu-kvm-backend/x86/cpuid-offer.h"

#include "qemu-kvm-backend/proto/amx.h"
#include "qemu-kvm-backend/x86/cpuid-table.h"

#include <stddef.h>

#define TILE_SHAPES         0x1du /* of AMX, SDM volume 1, chapter 18 */
#define TILE_MULTIPLICATION 0x1eu

#define ECX_TSC_DEADLINE (1u << 24) /* of CPUID_FEATURES */
#define ECX_HYPERVISOR   (1u << 31)

static bool
always(struct kvm_cpuid2 *cpuid)
{
    return true;
}

static bool
lacks_tiles(struct kvm_cpuid2 *cpuid)
{
    const struct kvm_cpuid_entry2 *entry = cpuid_table_find(cpuid, CPUID_XSAVE, 0);

    return !entry || (entry->eax & AMX_COMPONENTS) != AMX_COMPONENTS;
}

/* What KVM supports and guests are not told of where @hidden says so; driver/host-cpu.c and guest-cpu.c have the same
 * rules. */
static const struct {
    bool (*hidden)(struct kvm_cpuid2 *cpuid);
    uint32_t function, index;
    unsigned reg;
    uint32_t bits;
} rows[] = {
    /* ARCH_CAPABILITIES: AMD's processors have no such register, and Windows does not start on one that tells of it.
     * KVM emulates it; QEMU 10.1 hides it, too. */
    { cpuid_table_is_amd, CPUID_FEATURES_7, 0, CPUID_EDX, 1u << 29 },
    /* Shadow stacks and indirect branch tracking (SDM volume 1, chapter 17), which KVM has since Linux 6.18. A part of
     * their state, the shadow stack's pointer, is no MSR: it would be lost at a save (kvm-interface.md). */
    { always, CPUID_FEATURES_7, 0, CPUID_ECX, 1u << 7 },
    { always, CPUID_FEATURES_7, 0, CPUID_EDX, 1u << 20 },
    /* AMX: KVM tells of the instructions whether or not the process may have the state for its guests (kvm.c). */
    { lacks_tiles, CPUID_FEATURES_7, 0, CPUID_EDX, 1u << 22 | 1u << 24 | 1u << 25 },
    { lacks_tiles, CPUID_FEATURES_7, 1, CPUID_EAX, 1u << 21 },
    { lacks_tiles, CPUID_FEATURES_7, 1, CPUID_EDX, 1u << 8 },
};

static void
hide(struct kvm_cpuid2 *cpuid)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct kvm_cpuid_entry2 *entry = cpuid_table_find(cpuid, rows[i].function, rows[i].index);

        if (entry && rows[i].hidden(cpuid))
            *cpuid_table_reg(entry, rows[i].reg) &= ~rows[i].bits;
    }
}

void
cpuid_offer(struct kvm_cpuid2 *cpuid, bool tsc_deadline)
{
    struct kvm_cpuid_entry2 *entry = cpuid_table_find(cpuid, CPUID_FEATURES, 0);

    if (entry)
        entry->ecx = (entry->ecx & ~ECX_TSC_DEADLINE) | ECX_HYPERVISOR |
                     (tsc_deadline ? ECX_TSC_DEADLINE : 0);
    hide(cpuid);
    if (lacks_tiles(cpuid))
        cpuid_table_drop(cpuid, TILE_SHAPES, TILE_MULTIPLICATION);
    cpuid_table_trim_xsave(cpuid);
}
