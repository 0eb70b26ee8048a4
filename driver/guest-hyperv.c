#include "driver/guest-hyperv.h"

#include "driver/cpuid-edits.h"
#include "driver/error.h"

#define LEAF_VENDOR    0x40000000u
#define LEAF_INTERFACE 0x40000001u
#define LEAF_VERSION   0x40000002u
#define LEAF_FEATURES  0x40000003u
#define LEAF_ADVICE    0x40000004u
#define LEAF_LIMITS    0x40000005u

#define VENDOR    "Microsoft Hv"
#define INTERFACE 0x31237648u /* "Hv#1": it keeps to Microsoft's interface */
/* Windows Server 2016, which is who QEMU says it is. */
#define BUILD   14393u
#define RELEASE (10u << 16)

/* Of LEAF_FEATURES, EAX: registers that the guest has. */
#define HAS_RUNTIME     (1u << 0)
#define HAS_TIME        (1u << 1)
#define HAS_SYNIC       (1u << 2)
#define HAS_TIMERS      (1u << 3)
#define HAS_APIC        (1u << 4)
#define HAS_HYPERCALL   (1u << 5)
#define HAS_INDEX       (1u << 6)
#define HAS_RESET       (1u << 7)
#define HAS_TSC_PAGE    (1u << 9)
#define HAS_FREQUENCIES (1u << 11)
#define TELLS_OF_MOVES  (1u << 13) /* to a host with another TSC */
/* Of the same, EDX. */
#define CAN_PARTITION      (1u << 3) /* processors come and go */
#define TELLS_OF_FREQUENCY (1u << 8)
#define HAS_DIRECT_TIMERS  (1u << 19)

/* Of LEAF_ADVICE, EAX. */
#define ADVISES_FLUSHES     (1u << 2) /* hypercalls, of other vCPUs' TLBs */
#define ADVISES_APIC        (1u << 3) /* registers rather than the APIC's page */
#define ADVISES_RELAXED     (1u << 5)
#define ADVISES_NO_AUTO_EOI (1u << 9)
#define ADVISES_IPIS        (1u << 10) /* hypercalls */
#define ADVISES_SPARSE_SETS (1u << 11) /* of vCPUs, in a hypercall: also beyond the first 64 */

#define NEVER 0xffffffffu
#define PARTS                                                                                      \
    0x40u /* what QEMU says of logical processors, where a partition has any number of virtual ones */
#define NO_MOST 0xffffffffu

static gboolean
has_clock(const DomainDef *def)
{
    const DomainTimer *clock = domain_clock_timer(&def->clock, "hypervclock");

    return clock && clock->present == 1;
}

gboolean
guest_hyperv_is_on(const DomainDef *def)
{
    return domain_hyperv_is_on(&def->features.hyperv) || has_clock(def);
}

static gboolean
is_on(const DomainDef *def, DomainHypervFeature feature)
{
    return def->features.hyperv.states[feature] == 1;
}

/* As QEMU has it, which says so when such a guest is started. */
gboolean
guest_hyperv_check(const DomainDef *def, GError **error)
{
    static const struct {
        DomainHypervFeature feature, needs;
    } rows[] = {
        { DOMAIN_HYPERV_SYNIC, DOMAIN_HYPERV_VPINDEX },
        { DOMAIN_HYPERV_STIMER, DOMAIN_HYPERV_SYNIC },
        { DOMAIN_HYPERV_TLBFLUSH, DOMAIN_HYPERV_VPINDEX },
        { DOMAIN_HYPERV_IPI, DOMAIN_HYPERV_VPINDEX },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (is_on(def, rows[i].feature) && !is_on(def, rows[i].needs))
            return driver_error(
                error, VIR_ERR_CONFIG_UNSUPPORTED, "Hyper-V enlightenment '%s' requires '%s'",
                domain_hyperv_name(rows[i].feature), domain_hyperv_name(rows[i].needs));
    }
    return !is_on(def, DOMAIN_HYPERV_STIMER) || has_clock(def) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "Hyper-V enlightenment 'stimer' requires the timer 'hypervclock'");
}

gboolean
guest_hyperv_has_synic(const DomainDef *def)
{
    return is_on(def, DOMAIN_HYPERV_SYNIC);
}

/* The bits of a register that are there for what is on. */
static guint32
bits_of(const DomainHyperv *hyperv, guint32 leaf, CpuRegister reg)
{
    static const struct {
        DomainHypervFeature feature;
        guint32 leaf;
        CpuRegister reg;
        guint32 bits;
    } rows[] = {
        { DOMAIN_HYPERV_RELAXED, LEAF_ADVICE, CPU_EAX, ADVISES_RELAXED },
        { DOMAIN_HYPERV_VAPIC, LEAF_FEATURES, CPU_EAX, HAS_APIC },
        { DOMAIN_HYPERV_VAPIC, LEAF_ADVICE, CPU_EAX, ADVISES_APIC },
        { DOMAIN_HYPERV_VPINDEX, LEAF_FEATURES, CPU_EAX, HAS_INDEX },
        { DOMAIN_HYPERV_RUNTIME, LEAF_FEATURES, CPU_EAX, HAS_RUNTIME },
        { DOMAIN_HYPERV_SYNIC, LEAF_FEATURES, CPU_EAX, HAS_SYNIC },
        { DOMAIN_HYPERV_STIMER, LEAF_FEATURES, CPU_EAX, HAS_TIMERS },
        { DOMAIN_HYPERV_RESET, LEAF_FEATURES, CPU_EAX, HAS_RESET },
        { DOMAIN_HYPERV_FREQUENCIES, LEAF_FEATURES, CPU_EAX, HAS_FREQUENCIES },
        { DOMAIN_HYPERV_FREQUENCIES, LEAF_FEATURES, CPU_EDX, TELLS_OF_FREQUENCY },
        { DOMAIN_HYPERV_REENLIGHTENMENT, LEAF_FEATURES, CPU_EAX, TELLS_OF_MOVES },
        { DOMAIN_HYPERV_TLBFLUSH, LEAF_ADVICE, CPU_EAX, ADVISES_FLUSHES | ADVISES_SPARSE_SETS },
        { DOMAIN_HYPERV_IPI, LEAF_ADVICE, CPU_EAX, ADVISES_IPIS | ADVISES_SPARSE_SETS },
        { DOMAIN_HYPERV_AVIC, LEAF_ADVICE, CPU_EAX, ADVISES_NO_AUTO_EOI },
    };
    guint32 bits = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].leaf == leaf && rows[i].reg == reg && hyperv->states[rows[i].feature] == 1)
            bits |= rows[i].bits;
    }
    return bits;
}

static void
put_vendor(const DomainHyperv *hyperv, GString *edits)
{
    static const CpuRegister order[] = { CPU_EBX, CPU_ECX, CPU_EDX };
    gboolean own = hyperv->states[DOMAIN_HYPERV_VENDOR_ID] == 1;

    cpuid_edits_put(edits, LEAF_VENDOR, 0, CPU_EAX, LEAF_LIMITS, ~0u);
    cpuid_edits_put_text(edits, LEAF_VENDOR, order, own ? hyperv->vendor_id : VENDOR, 3);
}

void
guest_hyperv_put(const DomainDef *def, GString *edits)
{
    const DomainHyperv *hyperv = &def->features.hyperv;
    gboolean spins = hyperv->states[DOMAIN_HYPERV_SPINLOCKS] == 1;
    guint32 clock = has_clock(def) ? HAS_TIME | HAS_TSC_PAGE : 0;
    guint32 direct =
        is_on(def, DOMAIN_HYPERV_STIMER) && hyperv->direct_timers ? HAS_DIRECT_TIMERS : 0;
    const struct {
        guint32 leaf;
        CpuRegister reg;
        guint32 value;
    } rows[] = {
        { LEAF_INTERFACE, CPU_EAX, INTERFACE },
        { LEAF_VERSION, CPU_EAX, BUILD },
        { LEAF_VERSION, CPU_EBX, RELEASE },
        { LEAF_FEATURES, CPU_EAX, HAS_HYPERCALL | clock | bits_of(hyperv, LEAF_FEATURES, CPU_EAX) },
        { LEAF_FEATURES, CPU_EDX,
          CAN_PARTITION | direct | bits_of(hyperv, LEAF_FEATURES, CPU_EDX) },
        { LEAF_ADVICE, CPU_EAX, bits_of(hyperv, LEAF_ADVICE, CPU_EAX) },
        { LEAF_ADVICE, CPU_EBX, spins ? hyperv->retries : NEVER },
        { LEAF_LIMITS, CPU_EAX, NO_MOST },
        { LEAF_LIMITS, CPU_EBX, PARTS },
    };

    put_vendor(hyperv, edits);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        cpuid_edits_put(edits, rows[i].leaf, 0, rows[i].reg, rows[i].value, ~0u);
}
