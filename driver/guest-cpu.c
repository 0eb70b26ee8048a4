#include "driver/guest-cpu.h"

#include "driver/cpuid-edits.h"
#include "driver/error.h"
#include "driver/guest-hyperv.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <string.h>

/* Bits of KVM's leaf 0x40000001, EAX (Linux, Documentation/virt/kvm/x86/cpuid.rst), which is behind Hyper-V's where those
 * are. */
#define KVM_LEAF        0x40000001u
#define KVM_LEAF_BEHIND 0x40000101u
#define KVM_CLOCK       (1u << 0 | 1u << 3 | 1u << 24)
#define KVM_PV_EOI      (1u << 6)
#define KVM_PV_UNHALT   (1u << 7)
#define KVM_PV_SEND_IPI (1u << 11)
#define KVM_POLL        (1u << 12)
#define KVM_HINT_REAL   (1u << 0) /* of EDX: vCPUs are never preempted */

/* In AMD's extended leaf these bits repeat those of leaf 1, EDX (APM volume 3, Fn8000_0001). */
#define AMD_REPEATED 0x0183f3ffu

#define MSR_ARCH_CAPABILITIES 0x10au

#define LEAF_XEXTENDED 0x80000000u
#define LEAF_XFEATURES 0x80000001u
#define LEAF_BRAND     0x80000002u
#define LEAF_SIZES     0x80000008u

/* What the features of a document add to, take from and ask of a model. */
typedef struct Wish {
    CpuBits model;
    CpuBits wanted; /* the model's and the document's */
    CpuBits needed; /* those of it that a check is about */
    CpuBits forced; /* the guest is told of them in any case */
    CpuBits forbidden;
    CpuBits named; /* the document says something about them */
} Wish;

gboolean
guest_cpu_needs_host(const DomainDef *def)
{
    const DomainCpu *cpu = &def->cpu;

    return domain_cpu_is_model(cpu) || cpu->features->len > 0 || cpu->address_mode == 0;
}

void
guest_cpu_defaults(CpuBits *ret_added, CpuBits *ret_left_out)
{
    memset(ret_added, 0, sizeof(*ret_added));
    memset(ret_left_out, 0, sizeof(*ret_left_out));
    cpu_bits_add_name(ret_added, "x2apic");
    cpu_bits_add_name(ret_added, "hypervisor");
    cpu_bits_add_name(ret_left_out, "monitor");
    cpu_bits_add_name(ret_left_out, "svm");
}

/* The state of a running system rather than features, and what a guest could not take along. */
static void
remove_states(CpuBits *bits)
{
    static const char *const states[] = { "osxsave", "ospke", "ht", "cmp_legacy" };
    CpuBits some = { { 0 } };

    for (gsize i = 0; i < G_N_ELEMENTS(states); i++)
        cpu_bits_add_name(&some, states[i]);
    cpu_bits_remove(bits, &some);
}

static gboolean
is_amd(const char *vendor_id)
{
    const char *vendor = host_cpu_vendor(vendor_id);

    return vendor && strcmp(vendor, "Intel") != 0;
}

/* AMD's processors have no such register, and Windows does not start on one that tells of it. KVM emulates it all the
 * same, for a document that requires it. */
static void
remove_arch_capabilities(CpuBits *bits)
{
    CpuBits one = { { 0 } };

    cpu_bits_add_name(&one, "arch-capabilities");
    cpu_bits_remove(bits, &one);
    bits->words[cpu_word_find(MSR_ARCH_CAPABILITIES, 0, CPU_MSR)] = 0;
}

void
guest_cpu_offer(const HostCpu *host, CpuBits *ret)
{
    *ret = host->kvm;
    remove_states(ret);
    if (is_amd(host->vendor_id))
        remove_arch_capabilities(ret);
}

/* Host-model */

/* What the document says of a feature stays. */
static void
add_difference(DomainCpu *cpu, const CpuBits *some, const CpuBits *but, DomainCpuPolicy policy)
{
    g_autoptr(GPtrArray) names = NULL;
    CpuBits bits = *some;

    cpu_bits_remove(&bits, but);
    names = cpu_bits_sorted(&bits);
    for (guint i = 0; i < names->len; i++) {
        if (!domain_cpu_has_feature(cpu, names->pdata[i]))
            domain_cpu_set_feature(cpu, names->pdata[i], policy);
    }
}

gboolean
guest_cpu_expand(DomainCpu *cpu, const HostCpu *host, GError **error)
{
    CpuBits bits, of_model, fixed = { { 0 } };
    const CpuModel *model;

    guest_cpu_offer(host, &bits);
    cpu_bits_add_name(&fixed, "invtsc"); /* a guest with it stays where it is */
    cpu_bits_remove(&bits, &fixed);
    model = host_cpu_decode(host, &bits, TRUE);
    if (!model)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "Cannot find suitable CPU model for given data");
    cpu_model_bits(model, &of_model);
    cpu->mode = DOMAIN_CPU_CUSTOM;
    cpu->match = DOMAIN_CPU_EXACT;
    cpu->may_differ = FALSE;
    g_free(cpu->model);
    cpu->model = g_strdup(model->name);
    g_free(cpu->vendor);
    cpu->vendor = g_strdup(host_cpu_vendor(host->vendor_id));
    add_difference(cpu, &bits, &of_model, DOMAIN_CPU_REQUIRE);
    add_difference(cpu, &of_model, &bits, DOMAIN_CPU_DISABLE);
    return TRUE;
}

/* Definitions */

/* What is the host's model, or has that and more. */
static gboolean
is_of_host(const DomainCpu *cpu)
{
    return domain_cpu_is_model(cpu) && (cpu->mode == DOMAIN_CPU_HOST_MODEL || cpu->match == DOMAIN_CPU_MINIMUM);
}

gboolean
guest_cpu_is_relative(const DomainCpu *cpu)
{
    gboolean relative = is_of_host(cpu);

    for (guint i = 0; i < cpu->features->len && domain_cpu_is_model(cpu); i++)
        relative |= ((const DomainCpuFeature *)cpu->features->pdata[i])->policy == DOMAIN_CPU_OPTIONAL;
    return relative;
}

/* What is optional is there or not. */
static void
settle_features(DomainCpu *cpu, const CpuBits *offer)
{
    for (guint i = 0; i < cpu->features->len; i++) {
        DomainCpuFeature *feature = cpu->features->pdata[i];

        if (feature->policy == DOMAIN_CPU_OPTIONAL)
            feature->policy = cpu_bits_have(offer, feature->name) ? DOMAIN_CPU_REQUIRE : DOMAIN_CPU_DISABLE;
    }
}

/* A model that is the least goes on asking for the vendor that it asked for. */
gboolean
guest_cpu_update(DomainCpu *cpu, const HostCpu *host, GError **error)
{
    gboolean keeps_vendor = cpu->mode == DOMAIN_CPU_CUSTOM;
    g_autofree char *vendor = NULL;
    CpuBits offer;

    if (!host->has_kvm)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown host CPU model");
    guest_cpu_offer(host, &offer);
    settle_features(cpu, &offer);
    if (!is_of_host(cpu))
        return TRUE;
    vendor = g_strdup(cpu->vendor);
    if (!guest_cpu_expand(cpu, host, error))
        return FALSE;
    if (keeps_vendor) {
        g_free(cpu->vendor);
        cpu->vendor = g_steal_pointer(&vendor);
    }
    return TRUE;
}

/* What is wished for */

static void
add_feature(Wish *wish, const DomainCpuFeature *feature, const CpuBits *provided)
{
    CpuBits one = { { 0 } }, here;

    cpu_bits_add_name(&one, feature->name);
    here = one;
    cpu_bits_keep(&here, provided);
    cpu_bits_add(&wish->named, &one);
    cpu_bits_remove(&wish->needed, &one);
    cpu_bits_remove(&wish->wanted, &one);
    switch (feature->policy) {
    case DOMAIN_CPU_FORCE:
        cpu_bits_add(&wish->forced, &one);
        cpu_bits_add(&wish->wanted, &one);
        break;
    case DOMAIN_CPU_REQUIRE:
        cpu_bits_add(&wish->needed, &one);
        cpu_bits_add(&wish->wanted, &one);
        break;
    case DOMAIN_CPU_OPTIONAL:
        cpu_bits_add(&wish->wanted, &here);
        break;
    case DOMAIN_CPU_FORBID:
        cpu_bits_add(&wish->forbidden, &one);
        break;
    case DOMAIN_CPU_DISABLE:
        break;
    }
}

/* @provided is what an optional feature is measured by. */
static void
make_wish(const DomainCpu *cpu, const CpuBits *model, const CpuBits *provided, Wish *ret)
{
    *ret = (Wish){ .model = *model, .wanted = *model, .needed = *model };
    for (guint i = 0; i < cpu->features->len; i++)
        add_feature(ret, cpu->features->pdata[i], provided);
}

/* What a check goes by: "full" by what KVM gives, the others by what the processor has, for some
 * features that models have KVM never gives. */
static CpuBits
provided_by(const HostCpu *host, int check)
{
    CpuBits bits = host->kvm, left_out, added;

    if (check != DOMAIN_CPU_CHECK_FULL)
        cpu_bits_add(&bits, &host->own);
    guest_cpu_defaults(&added, &left_out);
    left_out.words[cpu_word_find(LEAF_XFEATURES, 0, CPU_ECX)] = 0; /* svm counts */
    if (check != DOMAIN_CPU_CHECK_FULL)
        cpu_bits_add(&bits, &left_out);
    return bits;
}

static gboolean
incompatible(GError **error, const char *what, const CpuBits *bits)
{
    g_autofree char *names = cpu_bits_names(bits, ", ");

    return driver_error(error, VIR_ERR_CPU_INCOMPATIBLE, "%s: %s", what, names);
}

static gboolean
check_wish(const DomainCpu *cpu, const Wish *wish, const HostCpu *host, GError **error)
{
    CpuBits provided = provided_by(host, cpu->check), missing = wish->needed;
    CpuBits forbidden = wish->forbidden, extra;

    if (cpu->vendor && g_strcmp0(cpu->vendor, host_cpu_vendor(host->vendor_id)) != 0)
        return driver_error(error, VIR_ERR_CPU_INCOMPATIBLE,
                            "host CPU vendor does not match required CPU vendor %s", cpu->vendor);
    cpu_bits_keep(&forbidden, &provided);
    if (!cpu_bits_empty(&forbidden))
        return incompatible(error, "Host CPU provides forbidden features", &forbidden);
    cpu_bits_remove(&missing, &provided);
    if (!cpu_bits_empty(&missing))
        return incompatible(error, "Host CPU does not provide required features", &missing);
    guest_cpu_offer(host, &extra);
    cpu_bits_remove(&extra, &wish->wanted);
    cpu_bits_remove(&extra, &wish->named);
    if (cpu->match == DOMAIN_CPU_STRICT && !cpu_bits_empty(&extra))
        return incompatible(error, "Host CPU does not strictly match guest CPU: Extra features",
                            &extra);
    return TRUE;
}

/* The features that the guest gets. */
static CpuBits
grant(const DomainCpu *cpu, const Wish *wish, const HostCpu *host)
{
    CpuBits bits = wish->wanted, offer, added, left_out;

    guest_cpu_offer(host, &offer);
    if (domain_cpu_is_model(cpu)) {
        guest_cpu_defaults(&added, &left_out);
        if (cpu->match == DOMAIN_CPU_MINIMUM)
            cpu_bits_add(&added, &offer);
        cpu_bits_remove(&added, &wish->named);
        cpu_bits_add(&bits, &added);
    }
    cpu_bits_keep(&bits, &host->kvm);
    cpu_bits_add(&bits, &wish->forced);
    return bits;
}

/* What a running guest's document shows: the model, and every feature by which the guest's CPU differs. */
static void
show(DomainCpu *cpu, const CpuBits *granted, const CpuBits *model)
{
    g_ptr_array_set_size(cpu->features, 0);
    add_difference(cpu, granted, model, DOMAIN_CPU_REQUIRE);
    add_difference(cpu, model, granted, DOMAIN_CPU_DISABLE);
    cpu->match = DOMAIN_CPU_EXACT;
    cpu->check = DOMAIN_CPU_CHECK_FULL;
}

/* Registers */

static void
put_vendor(GString *edits, const char *vendor_id)
{
    static const CpuRegister order[] = { CPU_EBX, CPU_EDX, CPU_ECX };

    cpuid_edits_put_text(edits, 0, order, vendor_id, 3);
    cpuid_edits_put_text(edits, LEAF_XEXTENDED, order, vendor_id, 3);
}

/* 48 bytes in three leaves, with zeros at the end. */
static void
put_brand(GString *edits, const CpuModel *model)
{
    static const CpuRegister order[] = { CPU_EAX, CPU_EBX, CPU_ECX, CPU_EDX };
    char brand[48] = { 0 };

    g_snprintf(brand, sizeof(brand), "%s%s%s Processor", model->vendor ? model->vendor : "",
               model->vendor ? " " : "", model->name);
    for (guint32 i = 0; i < 3; i++)
        cpuid_edits_put_text(edits, LEAF_BRAND + i, order, brand + 16 * i, 4);
}

/* The highest basic leaf: the model's, or the highest that has a feature in it. */
static guint32
level_for(const CpuModel *model, const CpuBits *bits)
{
    guint32 level = model->level;

    for (int i = 0; i < CPU_N_WORDS; i++) {
        const CpuWord *word = &cpu_words[i];

        if (bits->words[i] && word->reg != CPU_MSR && word->leaf < LEAF_XEXTENDED)
            level = MAX(level, word->leaf);
    }
    return level;
}

static guint32
xlevel_for(const CpuModel *model, const CpuBits *bits)
{
    guint32 xlevel = model->xlevel;

    for (int i = 0; i < CPU_N_WORDS; i++) {
        if (bits->words[i] && cpu_words[i].leaf >= LEAF_XEXTENDED)
            xlevel = MAX(xlevel, cpu_words[i].leaf);
    }
    return xlevel;
}

static void
put_identity(GString *edits, const DomainCpu *cpu, const CpuModel *model, const HostCpu *host,
             const CpuBits *bits)
{
    const char *vendor_id = cpu->vendor_id ? cpu->vendor_id : host->vendor_id;
    guint32 signature = cpu_signature_write(&model->signature);

    cpuid_edits_put(edits, 0, 0, CPU_EAX, level_for(model, bits), ~0u);
    cpuid_edits_put(edits, LEAF_XEXTENDED, 0, CPU_EAX, xlevel_for(model, bits), ~0u);
    put_vendor(edits, vendor_id);
    cpuid_edits_put(edits, 1, 0, CPU_EAX, signature, ~0u);
    cpuid_edits_put(edits, LEAF_XFEATURES, 0, CPU_EAX, is_amd(vendor_id) ? signature : 0, ~0u);
    put_brand(edits, model);
}

/* The bits under @mask of each word become those of @bits. */
static void
put_features(GString *edits, const CpuBits *bits, const CpuBits *mask)
{
    for (int i = 0; i < CPU_N_WORDS; i++) {
        if (cpu_words[i].reg != CPU_MSR)
            cpuid_edits_put(edits, cpu_words[i].leaf, cpu_words[i].index, cpu_words[i].reg, bits->words[i],
                            mask->words[i]);
    }
}

/* A CPU by name is the same on every host: no bit of KVM's is left as it is. */
static void
put_model(GString *edits, const DomainCpu *cpu, const HostCpu *host, const CpuBits *granted)
{
    const CpuModel *model = cpu_model_find(cpu->model);
    const char *vendor_id = cpu->vendor_id ? cpu->vendor_id : host->vendor_id;
    int x = cpu_word_find(LEAF_XFEATURES, 0, CPU_EDX), plain = cpu_word_find(1, 0, CPU_EDX);
    CpuBits bits = *granted, all;

    memset(&all, 0xff, sizeof(all));
    put_identity(edits, cpu, model, host, &bits);
    bits.words[x] &= ~AMD_REPEATED;
    if (is_amd(vendor_id))
        bits.words[x] |= bits.words[plain] & AMD_REPEATED;
    put_features(edits, &bits, &all);
}

/* The feature register of a named CPU that has it. KVM would give all the bits that it has. */
static void
put_msrs(VmmMsg *msg, const CpuBits *granted)
{
    guint32 value = granted->words[cpu_word_find(MSR_ARCH_CAPABILITIES, 0, CPU_MSR)];
    g_autofree char *text = g_strdup_printf("%x=%x", MSR_ARCH_CAPABILITIES, value);

    if (cpu_bits_have(granted, "arch-capabilities"))
        vmm_msg_put_string(msg, "msrs", text);
}

static gboolean
lower_model(DomainDef *def, const HostCpu *host, VmmMsg *msg, GString *edits, GError **error)
{
    DomainCpu *cpu = &def->cpu;
    gboolean checked = cpu->check != DOMAIN_CPU_CHECK_NONE;
    CpuBits model, granted;
    Wish wish;

    if (cpu->mode == DOMAIN_CPU_HOST_MODEL && !guest_cpu_expand(cpu, host, error))
        return FALSE;
    cpu_model_bits(cpu_model_find(cpu->model), &model);
    make_wish(cpu, &model, &host->kvm, &wish);
    if (checked && !check_wish(cpu, &wish, host, error))
        return FALSE;
    granted = grant(cpu, &wish, host);
    put_model(edits, cpu, host, &granted);
    put_msrs(msg, &granted);
    if (checked)
        show(cpu, &granted, &model);
    return TRUE;
}

/* Only what the document names is another than KVM's. */
static gboolean
lower_host(DomainDef *def, const HostCpu *host, GString *edits, GError **error)
{
    const CpuBits nothing = { { 0 } };
    const DomainCpu *cpu = &def->cpu;
    CpuBits granted;
    Wish wish;

    if (!cpu->features->len)
        return TRUE;
    make_wish(cpu, &nothing, &host->kvm, &wish);
    if (cpu->check != DOMAIN_CPU_CHECK_NONE && !check_wish(cpu, &wish, host, error))
        return FALSE;
    granted = grant(cpu, &wish, host);
    put_features(edits, &granted, &wish.named);
    return TRUE;
}

/* QEMU's "migratable": the guest can have a TSC of the same pace elsewhere. */
static void
put_migratable(GString *edits, const DomainCpu *cpu)
{
    if (cpu->mode >= DOMAIN_CPU_HOST_PASSTHROUGH && cpu->migratable == 1 &&
        !domain_cpu_has_feature(cpu, "invtsc"))
        cpuid_edits_put(edits, 0x80000007u, 0, CPU_EDX, 0, 1u << 8);
}

static gboolean
put_addresses(GString *edits, const DomainCpu *cpu, const HostCpu *host, GError **error)
{
    if (cpu->address_mode != 0)
        return TRUE;
    if (cpu->address_bits > host->physical_bits)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "the host's physical addresses have %u bits, %u are not supported",
                            host->physical_bits, cpu->address_bits);
    cpuid_edits_put(edits, LEAF_SIZES, 0, CPU_EAX, cpu->address_bits, 0xff);
    return TRUE;
}

/* What a guest is told of KVM can only be less than KVM has to offer, but for the hint. */
static void
put_kvm(GString *edits, const DomainDef *def)
{
    static const struct {
        DomainFeature feature;
        guint32 bits;
    } rows[] = {
        { DOMAIN_FEATURE_APIC_EOI, KVM_PV_EOI },
        { DOMAIN_FEATURE_KVM_POLL_CONTROL, KVM_POLL },
        { DOMAIN_FEATURE_KVM_PV_IPI, KVM_PV_SEND_IPI },
        { DOMAIN_FEATURE_PVSPINLOCK, KVM_PV_UNHALT },
    };
    const DomainTimer *clock = domain_clock_timer(&def->clock, "kvmclock");
    guint32 leaf = guest_hyperv_is_on(def) ? KVM_LEAF_BEHIND : KVM_LEAF;
    guint32 off = clock && clock->present == 0 ? KVM_CLOCK : 0;

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (def->features.states[rows[i].feature] == 0)
            off |= rows[i].bits;
    }
    cpuid_edits_put(edits, leaf, 0, CPU_EAX, 0, off);
    if (def->features.states[DOMAIN_FEATURE_KVM_HINT_DEDICATED] == 1)
        cpuid_edits_put(edits, leaf, 0, CPU_EDX, KVM_HINT_REAL, KVM_HINT_REAL);
}

static void
put_hyperv(GString *edits, const DomainDef *def, VmmMsg *msg)
{
    if (!guest_hyperv_is_on(def))
        return;
    vmm_msg_put_bool(msg, "hyperv-leaves", TRUE);
    if (guest_hyperv_has_synic(def))
        vmm_msg_put_bool(msg, "hyperv-synic", TRUE);
    guest_hyperv_put(def, edits);
}

static void
put_cache(VmmMsg *msg, const DomainCpu *cpu)
{
    if (cpu->cache == DOMAIN_CPU_CACHE_DISABLE)
        vmm_msg_put_string(msg, "cpu-cache", "none");
    else if (cpu->cache == DOMAIN_CPU_CACHE_EMULATE || (domain_cpu_is_model(cpu) && cpu->cache < 0))
        vmm_msg_put_string(msg, "cpu-cache", "emulated");
}

/* A model by name has performance counters where they are asked for: they are the host's. */
static void
put_pmu(VmmMsg *msg, const DomainDef *def)
{
    int state = def->features.states[DOMAIN_FEATURE_PMU];

    if (state == 0 || (state < 0 && domain_cpu_is_model(&def->cpu)))
        vmm_msg_put_bool(msg, "pmu", FALSE);
}

gboolean
guest_cpu_lower(DomainDef *def, const HostCpu *host, VmmMsg *msg, GError **error)
{
    g_autoptr(GString) edits = g_string_new(NULL);
    gboolean model = domain_cpu_is_model(&def->cpu);

    if (!guest_hyperv_check(def, error))
        return FALSE;
    if (!(model ? lower_model(def, host, msg, edits, error)
                : lower_host(def, host, edits, error)) ||
        !put_addresses(edits, &def->cpu, host, error))
        return FALSE;
    put_migratable(edits, &def->cpu);
    put_kvm(edits, def);
    put_hyperv(edits, def, msg);
    if (edits->len)
        vmm_msg_put_string(msg, "cpuid", edits->str);
    put_cache(msg, &def->cpu);
    put_pmu(msg, def);
    if (def->features.states[DOMAIN_FEATURE_KVM_HIDDEN] == 1)
        vmm_msg_put_bool(msg, "kvm-leaves", FALSE);
    return TRUE;
}
