#include "qemu-kvm-backend/x86/cpuid-table.h"

#include <stddef.h>

#define DESCRIPTORS   0x2u /* caches, on Intel */
#define CACHES        0x4u
#define CACHES_L1_AMD 0x80000005u
#define CACHES_L2_AMD 0x80000006u
#define CACHES_AMD    0x8000001du

#define XSAVE_LEGACY 576u /* bytes of the x87 and SSE state with the header */

const char *const cpuid_reg_names[] = { "eax", "ebx", "ecx", "edx" };

struct kvm_cpuid_entry2 *
cpuid_table_find(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index)
{
    for (unsigned i = 0; i < cpuid->nent; i++) {
        if (cpuid->entries[i].function == function && cpuid->entries[i].index == index)
            return &cpuid->entries[i];
    }
    return NULL;
}

uint32_t *
cpuid_table_reg(struct kvm_cpuid_entry2 *entry, unsigned reg)
{
    uint32_t *regs[] = { &entry->eax, &entry->ebx, &entry->ecx, &entry->edx };

    return regs[reg];
}

/* Leaves whose answer depends on ECX. */
static bool
is_indexed(uint32_t function)
{
    static const uint32_t leaves[] = { 0x4,  0x7,  0xb,  0xd,  0xf,  0x10, 0x12,       0x14,
                                       0x17, 0x18, 0x1b, 0x1d, 0x1f, 0x24, 0x8000001d, 0x80000026 };

    for (unsigned i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        if (leaves[i] == function)
            return true;
    }
    return false;
}

struct kvm_cpuid_entry2 *
cpuid_table_add(struct kvm_cpuid2 *cpuid, unsigned room, uint32_t function, uint32_t index)
{
    struct kvm_cpuid_entry2 *entry = &cpuid->entries[cpuid->nent];

    if (cpuid->nent >= room)
        return NULL;
    cpuid->nent++;
    *entry = (struct kvm_cpuid_entry2){
        .function = function,
        .index = index,
        .flags = is_indexed(function) ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
    };
    return entry;
}

typedef bool (*Drop)(const struct kvm_cpuid_entry2 *entry, const void *data);

static void
drop_if(struct kvm_cpuid2 *cpuid, Drop drop, const void *data)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < cpuid->nent; i++) {
        if (!drop(&cpuid->entries[i], data))
            cpuid->entries[kept++] = cpuid->entries[i];
    }
    cpuid->nent = kept;
}

static bool
is_between(const struct kvm_cpuid_entry2 *entry, const void *data)
{
    const uint32_t *range = data;

    return entry->function >= range[0] && entry->function <= range[1];
}

void
cpuid_table_drop(struct kvm_cpuid2 *cpuid, uint32_t first, uint32_t last)
{
    const uint32_t range[] = { first, last };

    drop_if(cpuid, is_between, range);
}

bool
cpuid_table_is_amd(struct kvm_cpuid2 *cpuid)
{
    const struct kvm_cpuid_entry2 *entry = cpuid_table_find(cpuid, CPUID_VENDOR, 0);

    return entry && (entry->ebx == 0x68747541 /* AuthenticAMD */ ||
                     entry->ebx == 0x6f677948 /* HygonGenuine */);
}

void
cpuid_table_trim(struct kvm_cpuid2 *cpuid)
{
    const struct kvm_cpuid_entry2 *basic = cpuid_table_find(cpuid, CPUID_VENDOR, 0);
    const struct kvm_cpuid_entry2 *extended = cpuid_table_find(cpuid, CPUID_EXTENDED, 0);
    uint32_t last_basic = basic ? basic->eax : 0;
    uint32_t last_extended = extended ? extended->eax : 0;

    cpuid_table_drop(cpuid, last_basic + 1, CPUID_KVM - 1);
    if (last_extended < CPUID_EXTENDED)
        cpuid_table_drop(cpuid, CPUID_EXTENDED, 0x8fffffff);
    else
        cpuid_table_drop(cpuid, last_extended + 1, 0x8fffffff);
}

/* What XSAVE keeps beyond x87 and SSE: the bit in XCR0 (or, of the supervisor, in IA32_XSS), and the feature
 * that it belongs to (SDM volume 1, 13.1). */
static const struct {
    unsigned component;
    uint32_t function;
    unsigned reg, bit;
} components[] = {
    { 2, CPUID_FEATURES, 2, 28 },    /* AVX */
    { 3, CPUID_FEATURES_7, 1, 14 },  /* MPX */
    { 4, CPUID_FEATURES_7, 1, 14 },  /* MPX */
    { 5, CPUID_FEATURES_7, 1, 16 },  /* AVX-512 */
    { 6, CPUID_FEATURES_7, 1, 16 },  /* AVX-512 */
    { 7, CPUID_FEATURES_7, 1, 16 },  /* AVX-512 */
    { 8, CPUID_FEATURES_7, 1, 25 },  /* processor trace */
    { 9, CPUID_FEATURES_7, 2, 3 },   /* protection keys */
    { 11, CPUID_FEATURES_7, 2, 7 },  /* shadow stacks, of users */
    { 12, CPUID_FEATURES_7, 2, 7 },  /* shadow stacks, of supervisors */
    { 15, CPUID_FEATURES_7, 3, 19 }, /* last branch records */
    { 17, CPUID_FEATURES_7, 3, 24 }, /* AMX */
    { 18, CPUID_FEATURES_7, 3, 24 }, /* AMX */
};

static bool
has_bit(struct kvm_cpuid2 *cpuid, uint32_t function, unsigned reg, unsigned bit)
{
    struct kvm_cpuid_entry2 *entry = cpuid_table_find(cpuid, function, 0);

    return entry && *cpuid_table_reg(entry, reg) >> bit & 1;
}

static uint32_t
absent_components(struct kvm_cpuid2 *cpuid)
{
    uint32_t absent = 0;

    for (unsigned i = 0; i < sizeof(components) / sizeof(components[0]); i++) {
        if (!has_bit(cpuid, components[i].function, components[i].reg, components[i].bit))
            absent |= 1u << components[i].component;
    }
    return absent;
}

static bool
is_absent_component(const struct kvm_cpuid_entry2 *entry, const void *data)
{
    const uint32_t *absent = data;

    return entry->function == CPUID_XSAVE && entry->index >= 2 && entry->index < 32 &&
           *absent >> entry->index & 1;
}

/* The area of all components that XCR0 can turn on, where each has its fixed place. */
static uint32_t
xsave_size(const struct kvm_cpuid2 *cpuid, uint32_t xcr0)
{
    uint32_t size = XSAVE_LEGACY;

    for (unsigned i = 0; i < cpuid->nent; i++) {
        const struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

        if (entry->function == CPUID_XSAVE && entry->index >= 2 && entry->index < 32 &&
            xcr0 >> entry->index & 1 && entry->ebx + entry->eax > size)
            size = entry->ebx + entry->eax;
    }
    return size;
}

void
cpuid_table_trim_xsave(struct kvm_cpuid2 *cpuid)
{
    struct kvm_cpuid_entry2 *user, *supervisor;
    uint32_t absent = absent_components(cpuid);

    if (!has_bit(cpuid, CPUID_FEATURES, 2, 26)) {
        cpuid_table_drop(cpuid, CPUID_XSAVE, CPUID_XSAVE);
        return;
    }
    drop_if(cpuid, is_absent_component, &absent);
    user = cpuid_table_find(cpuid, CPUID_XSAVE, 0);
    supervisor = cpuid_table_find(cpuid, CPUID_XSAVE, 1);
    if (user) {
        user->eax &= ~absent;
        user->ebx = user->ecx = xsave_size(cpuid, user->eax); /* KVM follows XCR0 with EBX */
    }
    if (supervisor)
        supervisor->ecx &= ~absent;
}

/* Caches such as many processors of the last ten years have. */
static const struct Cache {
    unsigned type, level; /* 1: data, 2: instructions, 3: both (SDM leaf 4) */
    uint32_t kib, ways;
} caches[] = {
    { 1, 1, 32, 8 },
    { 2, 1, 32, 8 },
    { 3, 2, 1024, 16 },
    { 3, 3, 16384, 16 },
};

#define LINE     64u
#define N_CACHES (sizeof(caches) / sizeof(caches[0]))

/* Both vendors' form of it; who shares the cache comes with the topology. */
static bool
add_caches(struct kvm_cpuid2 *cpuid, unsigned room, uint32_t function)
{
    for (unsigned i = 0; i < N_CACHES; i++) {
        const struct Cache *cache = &caches[i];
        struct kvm_cpuid_entry2 *entry = cpuid_table_add(cpuid, room, function, i);

        if (!entry)
            return false;
        entry->eax = cache->type | cache->level << 5 | 1u << 8; /* needs no set-up by software */
        entry->ebx = (LINE - 1) | (cache->ways - 1) << 22;
        entry->ecx = cache->kib * 1024 / LINE / cache->ways - 1;
    }
    return cpuid_table_add(cpuid, room, function, N_CACHES) != NULL; /* type 0 ends them */
}

/* AMD's older form: Fn8000_0005 and _0006. 8 in the associativity's code means 16 ways. */
static void
write_sizes_amd(struct kvm_cpuid2 *cpuid, bool some)
{
    struct kvm_cpuid_entry2 *l1 = cpuid_table_find(cpuid, CACHES_L1_AMD, 0);
    struct kvm_cpuid_entry2 *l2 = cpuid_table_find(cpuid, CACHES_L2_AMD, 0);

    if (l1) {
        l1->ecx = some ? caches[0].kib << 24 | caches[0].ways << 16 | 1u << 8 | LINE : 0;
        l1->edx = some ? caches[1].kib << 24 | caches[1].ways << 16 | 1u << 8 | LINE : 0;
    }
    if (l2) {
        l2->ecx = some ? caches[2].kib << 16 | 8u << 12 | 1u << 8 | LINE : 0;
        l2->edx = some ? caches[3].kib / 512 << 18 | 8u << 12 | 1u << 8 | LINE : 0;
    }
}

bool
cpuid_table_caches(struct kvm_cpuid2 *cpuid, unsigned room, bool some)
{
    bool amd = cpuid_table_is_amd(cpuid);
    struct kvm_cpuid_entry2 *descriptors = cpuid_table_find(cpuid, DESCRIPTORS, 0);
    const struct kvm_cpuid_entry2 *limit = cpuid_table_find(cpuid, CPUID_VENDOR, 0);
    bool leaf_4 = some && !amd && limit && limit->eax >= CACHES;
    bool leaf_1d = some && amd && has_bit(cpuid, CPUID_FEATURES_AMD, 2, 22);

    if (descriptors) {
        descriptors->eax = leaf_4 ? 0x0000ff01 : 0x00000001; /* 0xff: see leaf 4 */
        descriptors->ebx = descriptors->ecx = descriptors->edx = 0;
    }
    cpuid_table_drop(cpuid, CACHES, CACHES);
    cpuid_table_drop(cpuid, CACHES_AMD, CACHES_AMD);
    write_sizes_amd(cpuid, some && amd);
    return (!leaf_4 || add_caches(cpuid, room, CACHES)) &&
           (!leaf_1d || add_caches(cpuid, room, CACHES_AMD));
}
