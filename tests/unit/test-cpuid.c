/* cpuid: topologies on what Intel and AMD hosts offer. */
#include "qemu-kvm-backend/x86/cpuid-offer.h"
#include "qemu-kvm-backend/x86/cpuid.h"

#include <glib.h>
#include <string.h>

#define ROOM 64

typedef struct Table {
    struct kvm_cpuid2 head; /* its entries are the array that follows */
    struct kvm_cpuid_entry2 entries[ROOM];
} Table;

static const struct kvm_cpuid_entry2 intel[] = {
    { .function = 0, .eax = 0xd, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69 },
    { .function = 1, .eax = 0x806c1, .ebx = 0x07100800, .ecx = 1u << 21 | 1, .edx = 0x1f8bfbff },
    { .function = 4, .index = 0, .flags = 1, .eax = 0x1c004121, .ebx = 0x2c0003f },
    { .function = 4, .index = 1, .flags = 1, .eax = 0x1c004122, .ebx = 0x1c0003f },
    { .function = 4, .index = 2, .flags = 1, .eax = 0x1c004143, .ebx = 0x4c0003f },
    { .function = 4, .index = 3, .flags = 1, .eax = 0x1c03c163, .ebx = 0x2c0003f },
    { .function = 4, .index = 4, .flags = 1 },
    { .function = 7, .index = 0, .flags = 1, .ebx = 0xf2bf27eb },
    { .function = 0xb, .index = 0, .flags = 1, .eax = 1, .ebx = 2, .ecx = 0x100, .edx = 7 },
    { .function = 0xb, .index = 1, .flags = 1, .eax = 4, .ebx = 8, .ecx = 0x201, .edx = 7 },
    { .function = 0x40000001, .eax = 0x01007afb },
    { .function = 0x80000000, .eax = 0x80000008 },
    { .function = 0x80000001, .ecx = 0x121, .edx = 0x2c100800 },
    { .function = 0x80000002, .eax = 0x68743131 },
    { .function = 0x80000008, .eax = 0x3027 },
};

static const struct kvm_cpuid_entry2 amd[] = {
    { .function = 0, .eax = 7, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65 },
    { .function = 1, .eax = 0x830f10, .ebx = 0x20800, .ecx = 1u << 21, .edx = 0x178bfbff },
    { .function = 0x80000000, .eax = 0x8000001d },
    { .function = 0x80000001, .ecx = 0x4003f3, .edx = 0x2fd3fbff },
    { .function = 0x80000008, .eax = 0x3030, .ebx = 0x1007, .ecx = 0x707f },
    { .function = 0x8000001d, .index = 0, .flags = 1, .eax = 0x4121 },
    { .function = 0x8000001d, .index = 1, .flags = 1, .eax = 0x4122 },
    { .function = 0x8000001d, .index = 2, .flags = 1, .eax = 0x4143 },
    { .function = 0x8000001d, .index = 3, .flags = 1, .eax = 0x1c163 },
    { .function = 0x80000026, .index = 0, .flags = 1, .eax = 5 },
};

static void
fill(Table *table, const struct kvm_cpuid_entry2 *host, unsigned n)
{
    memset(table, 0, sizeof(*table));
    table->head.nent = n;
    memcpy(table->head.entries, host, n * sizeof(*host));
}

static Table *
build(const struct kvm_cpuid_entry2 *host, unsigned n, CpuTopology topology, unsigned index)
{
    Table *table = g_new(Table, 1);
    VmmError err;

    fill(table, host, n);
    cpuid_offer(&table->head, true);
    g_assert_true(cpuid_build(&table->head, ROOM, &topology, index, true, &err));
    return table;
}

#define BUILD(host, topology, index) build(host, G_N_ELEMENTS(host), topology, index)

static const struct kvm_cpuid_entry2 *
find(const Table *table, uint32_t function, uint32_t index)
{
    for (unsigned i = 0; i < table->head.nent; i++) {
        const struct kvm_cpuid_entry2 *entry = &table->head.entries[i];

        if (entry->function == function && entry->index == index)
            return entry;
    }
    return NULL;
}

static void
assert_level(const Table *table, uint32_t function, uint32_t i, unsigned type, unsigned shift,
             unsigned n, uint32_t apic_id)
{
    const struct kvm_cpuid_entry2 *entry = find(table, function, i);

    g_assert_nonnull(entry);
    g_assert_cmpuint(entry->flags, ==, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
    g_assert_cmpuint(entry->eax, ==, shift);
    g_assert_cmpuint(entry->ebx, ==, n);
    g_assert_cmphex(entry->ecx, ==, type << 8 | i);
    g_assert_cmpuint(entry->edx, ==, apic_id);
}

static void
test_apic_ids(void)
{
    static const CpuTopology flat = { 4, 1, 1, 4, 1 };
    static const CpuTopology odd = { 24, 2, 2, 3, 2 }; /* bits: die 1, core 2, thread 1 */
    static const CpuTopology sockets = { 3, 3, 1, 1, 1 };

    for (unsigned i = 0; i < 4; i++)
        g_assert_cmpuint(cpuid_apic_id(&flat, i), ==, i);
    g_assert_cmpuint(cpuid_apic_id(&odd, 1), ==, 1);
    g_assert_cmpuint(cpuid_apic_id(&odd, 5), ==, 5);
    g_assert_cmpuint(cpuid_apic_id(&odd, 6), ==, 8);
    g_assert_cmpuint(cpuid_apic_id(&odd, 12), ==, 16);
    g_assert_cmpuint(cpuid_apic_id(&odd, 23), ==, 16 + 8 + 4 + 1);
    g_assert_cmpuint(cpuid_apic_id(&sockets, 2), ==, 2);
}

static void
test_single(void)
{
    Table *table = BUILD(intel, ((CpuTopology){ 1, 1, 1, 1, 1 }), 0);

    g_assert_cmphex(find(table, 1, 0)->ebx, ==, 0x00010800);
    g_assert_cmphex(find(table, 1, 0)->edx & 1u << 28, ==, 0);
    g_assert_cmphex(find(table, 4, 3)->eax, ==, 0x163 & 0x3fff);
    assert_level(table, 0xb, 0, 1, 0, 1, 0);
    assert_level(table, 0xb, 1, 2, 0, 1, 0);
    assert_level(table, 0xb, 2, 0, 0, 0, 0);
    g_free(table);
}

static void
test_intel(void)
{
    Table *table = BUILD(intel, ((CpuTopology){ 12, 1, 1, 6, 2 }), 11);
    const struct kvm_cpuid_entry2 *features = find(table, 1, 0);

    g_assert_cmphex(features->ebx, ==, 11u << 24 | 12 << 16 | 0x0800);
    g_assert_cmphex(features->ecx, ==, 1u << 31 | 1u << 24 | 1u << 21 | 1);
    g_assert_cmphex(features->edx, ==, 0x1f8bfbff);
    /* Level 1: two threads; level 3: 16 ids; 8 core ids in the package. */
    g_assert_cmphex(find(table, 4, 0)->eax, ==, 7u << 26 | 1 << 14 | 0x121);
    g_assert_cmphex(find(table, 4, 2)->eax, ==, 7u << 26 | 1 << 14 | 0x143);
    g_assert_cmphex(find(table, 4, 3)->eax, ==, 7u << 26 | 15 << 14 | 0x163);
    g_assert_cmphex(find(table, 4, 4)->eax, ==, 0);
    assert_level(table, 0xb, 0, 1, 1, 2, 11);
    assert_level(table, 0xb, 1, 2, 4, 12, 11);
    assert_level(table, 0xb, 2, 0, 0, 0, 11);
    g_assert_null(find(table, 0x1f, 0));
    g_assert_cmphex(find(table, 0, 0)->eax, ==, 0xd);
    g_assert_cmphex(find(table, 0x80000008, 0)->ecx, ==, 0);
    g_assert_null(find(table, 0x8000001e, 0));
    g_free(table);
}

static void
test_intel_dies(void)
{
    Table *table = BUILD(intel, ((CpuTopology){ 16, 2, 2, 2, 2 }), 13);

    assert_level(table, 0x1f, 0, 1, 1, 2, 13);
    assert_level(table, 0x1f, 1, 2, 2, 4, 13);
    assert_level(table, 0x1f, 2, 5, 3, 8, 13);
    assert_level(table, 0x1f, 3, 0, 0, 0, 13);
    assert_level(table, 0xb, 1, 2, 3, 8, 13);
    g_assert_cmphex(find(table, 0, 0)->eax, ==, 0x1f);
    g_assert_cmphex(find(table, 4, 3)->eax, ==, 3u << 26 | 3 << 14 | 0x163);
    g_free(table);
}

/* A guest of a host whose highest leaf is above 1FH looks there first, dies or not. */
static void
test_intel_v2_host(void)
{
    struct kvm_cpuid_entry2 host[G_N_ELEMENTS(intel)];
    Table *table;

    memcpy(host, intel, sizeof(host));
    host[0].eax = 0x20;
    table = BUILD(host, ((CpuTopology){ 2, 1, 1, 2, 1 }), 1);
    assert_level(table, 0x1f, 0, 1, 0, 1, 1);
    assert_level(table, 0x1f, 1, 2, 1, 2, 1);
    assert_level(table, 0x1f, 2, 0, 0, 0, 1);
    g_assert_cmphex(find(table, 0, 0)->eax, ==, 0x20);
    g_free(table);
}

static void
test_amd(void)
{
    Table *table = BUILD(amd, ((CpuTopology){ 24, 2, 2, 3, 2 }), 23);

    /* Socket 1, die 1, core 2, thread 1: APIC id 1 1 10 1. */
    g_assert_cmphex(find(table, 1, 0)->ebx, ==, 29u << 24 | 12 << 16 | 0x0800);
    g_assert_cmphex(find(table, 0x80000001, 0)->ecx, ==, 0x4003f3);
    g_assert_cmphex(find(table, 0x80000008, 0)->ecx, ==, 4 << 12 | 11);
    g_assert_cmphex(find(table, 0x80000008, 0)->eax, ==, 0x3030);
    g_assert_cmphex(find(table, 0x8000001d, 0)->eax, ==, 1 << 14 | 0x121);
    g_assert_cmphex(find(table, 0x8000001d, 3)->eax, ==, 5 << 14 | 0x163);
    g_assert_cmphex(find(table, 0x8000001e, 0)->eax, ==, 29);
    g_assert_cmphex(find(table, 0x8000001e, 0)->ebx, ==, 1 << 8 | 5);
    g_assert_cmphex(find(table, 0x8000001e, 0)->ecx, ==, 1 << 8 | 3);
    g_assert_cmphex(find(table, 0x80000000, 0)->eax, ==, 0x8000001e);
    g_assert_null(find(table, 0x80000026, 0));
    /* KVM on AMD offers no leaf 0BH and may end below it. */
    g_assert_cmphex(find(table, 0, 0)->eax, ==, 0xb);
    assert_level(table, 0xb, 0, 1, 1, 2, 29);
    assert_level(table, 0xb, 1, 2, 4, 12, 29);
    g_assert_null(find(table, 0x1f, 0));
    g_free(table);
}

static void
test_amd_single(void)
{
    Table *table = BUILD(amd, ((CpuTopology){ 1, 1, 1, 1, 1 }), 0);

    g_assert_cmphex(find(table, 0x80000001, 0)->ecx, ==, 0x4003f1); /* no CmpLegacy */
    g_assert_cmphex(find(table, 0x80000008, 0)->ecx, ==, 0);
    g_free(table);
}

static void
test_untouched(void)
{
    Table *table = BUILD(intel, ((CpuTopology){ 2, 2, 1, 1, 1 }), 1);

    g_assert_cmphex(find(table, 0x40000001, 0)->eax, ==, 0x01007afb);
    g_assert_cmphex(find(table, 7, 0)->ebx, ==, 0xf2bf27eb);
    g_assert_cmphex(find(table, 0x80000002, 0)->eax, ==, 0x68743131);
    g_free(table);
}

static void
test_features_off(void)
{
    static const CpuTopology one = { 1, 1, 1, 1, 1 };
    Table *table = g_new(Table, 1);

    fill(table, amd, G_N_ELEMENTS(amd));
    g_assert_true(cpuid_build(&table->head, ROOM, &one, 0, false, NULL));
    g_assert_cmphex(find(table, 1, 0)->ecx & 1u << 24, ==, 0);
    g_assert_cmphex(find(table, 1, 0)->edx & 1u << 6, ==, 0);
    g_assert_cmphex(find(table, 0x80000001, 0)->edx & 1u << 6, ==, 0);
    g_free(table);
}

static void
assert_refused(CpuTopology topology, unsigned index, unsigned room, const char *part)
{
    Table *table = g_new(Table, 1);
    VmmError err;

    fill(table, intel, G_N_ELEMENTS(intel));
    g_assert_false(cpuid_build(&table->head, room, &topology, index, true, &err));
    g_assert_nonnull(strstr(err.text, part));
    g_assert_cmpuint(table->head.nent, <=, room);
    g_free(table);
}

static void
test_refused(void)
{
    assert_refused((CpuTopology){ 1, 0, 1, 1, 1 }, 0, ROOM, "level of 0");
    assert_refused((CpuTopology){ 5, 1, 1, 2, 2 }, 0, ROOM, "no place for vCPU 0 of 5");
    assert_refused((CpuTopology){ 4, 1, 1, 2, 2 }, 4, ROOM, "no place for vCPU 4 of 4");
    assert_refused((CpuTopology){ 4, 1u << 20, 1u << 20, 1, 1 }, 0, ROOM, "more than 31 bits");
    assert_refused((CpuTopology){ 4, UINT_MAX, UINT_MAX, UINT_MAX, UINT_MAX }, 0, ROOM, "31 bits");
    assert_refused((CpuTopology){ 1, 1, 1, 1, 1 }, 0, G_N_ELEMENTS(intel), "full at 15 leaves");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpuid/apic-ids", test_apic_ids);
    g_test_add_func("/cpuid/single", test_single);
    g_test_add_func("/cpuid/intel", test_intel);
    g_test_add_func("/cpuid/intel-dies", test_intel_dies);
    g_test_add_func("/cpuid/intel-v2-host", test_intel_v2_host);
    g_test_add_func("/cpuid/amd", test_amd);
    g_test_add_func("/cpuid/amd-single", test_amd_single);
    g_test_add_func("/cpuid/untouched", test_untouched);
    g_test_add_func("/cpuid/features-off", test_features_off);
    g_test_add_func("/cpuid/refused", test_refused);
    return g_test_run();
}
