#include "qemu-kvm-backend/x86/cpuid.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>

/* SDM: Intel SDM volume 2, CPUID. APM: AMD APM volume 3, appendix E. */

#define LEAF_MAX_BASIC      0x0u
#define LEAF_FEATURES       0x1u
#define LEAF_CACHES         0x4u
#define LEAF_TOPOLOGY       0xbu
#define LEAF_TOPOLOGY_V2    0x1fu
#define LEAF_MAX_EXTENDED   0x80000000u
#define LEAF_FEATURES_AMD   0x80000001u
#define LEAF_SIZES          0x80000008u
#define LEAF_CACHES_AMD     0x8000001du
#define LEAF_TOPOLOGY_AMD   0x8000001eu
#define LEAF_TOPOLOGY_AMD_2 0x80000026u

#define ECX_X2APIC       (1u << 21) /* of LEAF_FEATURES */
#define EDX_PAE          (1u << 6) /* here and in LEAF_FEATURES_AMD */
#define EDX_HTT          (1u << 28)
#define ECX_CMP_LEGACY   (1u << 1) /* of LEAF_FEATURES_AMD */
#define ECX_TOPOLOGY_EXT (1u << 22)

#define LEVEL_THREAD 1u /* types of LEAF_TOPOLOGY and _V2 */
#define LEVEL_CORE   2u
#define LEVEL_DIE    5u

typedef struct Place {
    unsigned thread, core, die, socket;
} Place;

/* How far an APIC id is shifted right to number cores, dies and packages. */
typedef struct Shifts {
    unsigned core, die, package;
} Shifts;

typedef struct Builder {
    struct kvm_cpuid2 *cpuid;
    unsigned room;
    const CpuTopology *topology;
    Shifts shifts;
    Place place;
    uint32_t apic_id;
    unsigned n_per_package; /* logical processors */
    bool amd;
    bool full; /* an entry found no room */
} Builder;

/* Bits that hold the numbers 0 to @n - 1. */
static unsigned
width(unsigned n)
{
    unsigned bits = 0;

    while (1ull << bits < n)
        bits++;
    return bits;
}

static Shifts
shifts_of(const CpuTopology *topology)
{
    Shifts shifts = { .core = width(topology->threads) };

    shifts.die = shifts.core + width(topology->cores);
    shifts.package = shifts.die + width(topology->dies);
    return shifts;
}

static Place
place_of(const CpuTopology *topology, unsigned index)
{
    Place place = { .thread = index % topology->threads };

    index /= topology->threads;
    place.core = index % topology->cores;
    index /= topology->cores;
    place.die = index % topology->dies;
    place.socket = index / topology->dies;
    return place;
}

uint32_t
cpuid_apic_id(const CpuTopology *topology, unsigned index)
{
    Shifts shifts = shifts_of(topology);
    Place place = place_of(topology, index);

    return place.socket << shifts.package | place.die << shifts.die | place.core << shifts.core |
           place.thread;
}

static struct kvm_cpuid_entry2 *
find(Builder *b, uint32_t function)
{
    for (unsigned i = 0; i < b->cpuid->nent; i++) {
        if (b->cpuid->entries[i].function == function)
            return &b->cpuid->entries[i];
    }
    return NULL;
}

static void
drop(Builder *b, uint32_t function)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < b->cpuid->nent; i++) {
        if (b->cpuid->entries[i].function != function)
            b->cpuid->entries[kept++] = b->cpuid->entries[i];
    }
    b->cpuid->nent = kept;
}

static void
add(Builder *b, struct kvm_cpuid_entry2 entry)
{
    if (b->cpuid->nent < b->room)
        b->cpuid->entries[b->cpuid->nent++] = entry;
    else
        b->full = true;
}

/* A leaf above the highest one is answered as if it were that one, so the limit goes up with it. */
static void
raise_limit(Builder *b, uint32_t limit_leaf, uint32_t to)
{
    struct kvm_cpuid_entry2 *entry = find(b, limit_leaf);

    if (entry && entry->eax < to)
        entry->eax = to;
}

static uint32_t
min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static void
set(uint32_t *reg, uint32_t bits, bool on)
{
    *reg = on ? *reg | bits : *reg & ~bits;
}

static bool
is_amd(Builder *b)
{
    const struct kvm_cpuid_entry2 *entry = find(b, LEAF_MAX_BASIC);

    return entry && (entry->ebx == 0x68747541 /* AuthenticAMD */ ||
                     entry->ebx == 0x6f677948 /* HygonGenuine */);
}

static void
edit_features(Builder *b, bool pae)
{
    struct kvm_cpuid_entry2 *entry = find(b, LEAF_FEATURES);
    struct kvm_cpuid_entry2 *amd = find(b, LEAF_FEATURES_AMD);

    if (entry) {
        entry->ebx = (entry->ebx & 0xffff) | min32(b->n_per_package, 255) << 16 | b->apic_id << 24;
        set(&entry->edx, EDX_HTT, b->n_per_package > 1);
        if (!pae)
            set(&entry->edx, EDX_PAE, false);
    }
    if (amd && b->amd) {
        set(&amd->ecx, ECX_CMP_LEGACY, b->n_per_package > 1);
        if (!pae)
            set(&amd->edx, EDX_PAE, false); /* the same bit once more */
    }
}

/* Bits 14 to 25: how many logical processors share the cache; a core has its own level 1 and 2, a
 * die has a level 3. Intel means room in the APIC id, AMD processors (SDM leaf 4, APM Fn8000_001D).
 */
static uint32_t
sharing(const Builder *b, uint32_t eax)
{
    bool last_level = (eax >> 5 & 7) >= 3;
    uint32_t n;

    if (b->amd)
        n = b->topology->threads * (last_level ? b->topology->cores : 1);
    else
        n = 1u << (last_level ? b->shifts.die : b->shifts.core);
    return min32(n - 1, 0xfff) << 14;
}

static void
edit_caches(Builder *b, uint32_t function)
{
    uint32_t n_cores = 1u << (b->shifts.package - b->shifts.core);

    for (unsigned i = 0; i < b->cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &b->cpuid->entries[i];

        if (entry->function != function || (entry->eax & 0x1f) == 0)
            continue;
        entry->eax = (entry->eax & 0x3fff) | sharing(b, entry->eax);
        if (function == LEAF_CACHES)
            entry->eax |= min32(n_cores - 1, 0x3f) << 26;
    }
}

static void
add_level(Builder *b, uint32_t function, unsigned i, unsigned type, unsigned shift, unsigned n)
{
    add(b, (struct kvm_cpuid_entry2){
               .function = function,
               .index = i,
               .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
               .eax = shift,
               .ebx = n,
               .ecx = type << 8 | i,
               .edx = b->apic_id,
           });
}

/* The topology by levels (SDM leaf 0BH, APM Fn0000_000B). What KVM offers here is either the host's
 * own or empty. Every CPU with an x2APIC has it, as this is where the whole APIC id is. */
static void
write_levels(Builder *b)
{
    const struct kvm_cpuid_entry2 *features = find(b, LEAF_FEATURES);

    drop(b, LEAF_TOPOLOGY);
    if (!features || !(features->ecx & ECX_X2APIC))
        return;
    raise_limit(b, LEAF_MAX_BASIC, LEAF_TOPOLOGY);
    add_level(b, LEAF_TOPOLOGY, 0, LEVEL_THREAD, b->shifts.core, b->topology->threads);
    add_level(b, LEAF_TOPOLOGY, 1, LEVEL_CORE, b->shifts.package, b->n_per_package);
    add_level(b, LEAF_TOPOLOGY, 2, 0, 0, 0);
}

/* The same with dies (SDM leaf 1FH): on Intel where there are several, or where the host's highest
 * leaf makes a guest look here first. */
static void
write_levels_v2(Builder *b)
{
    const CpuTopology *t = b->topology;
    const struct kvm_cpuid_entry2 *limit = find(b, LEAF_MAX_BASIC);
    unsigned i = 0;

    drop(b, LEAF_TOPOLOGY_V2);
    if (b->amd || !find(b, LEAF_TOPOLOGY) || !limit ||
        (t->dies == 1 && limit->eax < LEAF_TOPOLOGY_V2))
        return;
    raise_limit(b, LEAF_MAX_BASIC, LEAF_TOPOLOGY_V2);
    add_level(b, LEAF_TOPOLOGY_V2, i++, LEVEL_THREAD, b->shifts.core, t->threads);
    add_level(b, LEAF_TOPOLOGY_V2, i++, LEVEL_CORE, b->shifts.die, t->cores * t->threads);
    if (t->dies > 1)
        add_level(b, LEAF_TOPOLOGY_V2, i++, LEVEL_DIE, b->shifts.package, b->n_per_package);
    add_level(b, LEAF_TOPOLOGY_V2, i, 0, 0, 0);
}

/* ECX: processors in the package, and the width of their number (APM Fn8000_0008); reserved on
 * Intel. */
static void
edit_sizes(Builder *b)
{
    struct kvm_cpuid_entry2 *entry = find(b, LEAF_SIZES);

    if (entry)
        entry->ecx = (entry->ecx & ~0xf0ffu) | min32(b->n_per_package - 1, 0xff) |
                     min32(b->shifts.package, 0xf) << 12;
}

/* APIC, core and node ids (APM Fn8000_001E); a die is a node, numbered through the machine. */
static void
write_ids_amd(Builder *b)
{
    const struct kvm_cpuid_entry2 *features = find(b, LEAF_FEATURES_AMD);
    const CpuTopology *t = b->topology;
    uint32_t core = b->place.die * t->cores + b->place.core;
    uint32_t node = b->place.socket * t->dies + b->place.die;

    drop(b, LEAF_TOPOLOGY_AMD);
    drop(b, LEAF_TOPOLOGY_AMD_2); /* the host's levels */
    if (!features || !(features->ecx & ECX_TOPOLOGY_EXT))
        return;
    raise_limit(b, LEAF_MAX_EXTENDED, LEAF_TOPOLOGY_AMD);
    add(b, (struct kvm_cpuid_entry2){
               .function = LEAF_TOPOLOGY_AMD,
               .eax = b->apic_id,
               .ebx = (core & 0xff) | min32(t->threads - 1, 0xff) << 8,
               .ecx = (node & 0xff) | min32(t->dies - 1, 7) << 8,
           });
}

static bool
check(const CpuTopology *t, unsigned index, VmmError *err)
{
    Shifts shifts;

    if (t->sockets == 0 || t->dies == 0 || t->cores == 0 || t->threads == 0)
        return vmm_error(
            err, VMM_ERROR_INVALID,
            "The CPU topology has a level of 0: %u sockets, %u dies, %u cores, %u threads",
            t->sockets, t->dies, t->cores, t->threads);
    shifts = shifts_of(t);
    if (shifts.package + width(t->sockets) > 31)
        return vmm_error(
            err, VMM_ERROR_INVALID,
            "The CPU topology needs APIC ids of more than 31 bits: %u sockets, %u dies, "
            "%u cores, %u threads",
            t->sockets, t->dies, t->cores, t->threads);
    if (index >= t->n_vcpus || (uint64_t)t->sockets * t->dies * t->cores * t->threads < t->n_vcpus)
        return vmm_error(
            err, VMM_ERROR_INVALID,
            "The CPU topology of %u sockets, %u dies, %u cores and %u threads has no place "
            "for vCPU %u of %u",
            t->sockets, t->dies, t->cores, t->threads, index, t->n_vcpus);
    return true;
}

unsigned
cpuid_physical_bits(const struct kvm_cpuid2 *cpuid)
{
    for (unsigned i = 0; i < cpuid->nent; i++) {
        if (cpuid->entries[i].function == LEAF_SIZES)
            return cpuid->entries[i].eax & 0xff;
    }
    return 36;
}

bool
cpuid_build(struct kvm_cpuid2 *cpuid, unsigned room, const CpuTopology *topology, unsigned index,
            bool pae, VmmError *err)
{
    Builder b = { .cpuid = cpuid, .room = room, .topology = topology };

    if (!check(topology, index, err))
        return false;
    b.shifts = shifts_of(topology);
    b.place = place_of(topology, index);
    b.apic_id = cpuid_apic_id(topology, index);
    b.n_per_package = topology->dies * topology->cores * topology->threads;
    b.amd = is_amd(&b);

    edit_features(&b, pae);
    edit_caches(&b, b.amd ? LEAF_CACHES_AMD : LEAF_CACHES);
    write_levels(&b);
    write_levels_v2(&b);
    if (b.amd) {
        edit_sizes(&b);
        write_ids_amd(&b);
    }
    if (b.full)
        return vmm_error(err, VMM_ERROR_FAILED, "The CPUID table is full at %u leaves", room);
    return true;
}
