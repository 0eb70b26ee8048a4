/* What guests are told of what KVM supports. */
#include "qemu-kvm-backend/x86/cpuid-offer.h"
#include "qemu-kvm-backend/x86/cpuid-table.h"

#include <glib.h>
#include <string.h>

#define ROOM 32

#define TILES             (3u << 17) /* of leaf 0xd, EAX */
#define AMX               (1u << 22 | 1u << 24 | 1u << 25) /* of leaf 7, EDX */
#define SHADOW_STACKS     (1u << 7)  /* of leaf 7, ECX */
#define BRANCH_TRACKING   (1u << 20) /* of EDX */
#define ARCH_CAPABILITIES (1u << 29)

typedef struct Table {
    struct kvm_cpuid2 head; /* its entries are the array that follows */
    struct kvm_cpuid_entry2 entries[ROOM];
} Table;

static const struct kvm_cpuid_entry2 amd[] = {
    { .function = 0, .eax = 0x10, .ebx = 0x68747541, .ecx = 0x444d4163, .edx = 0x69746e65 },
    { .function = 1, .eax = 0xa20f10, .ecx = 0x76fa3203 },
    { .function = 7, .index = 0, .flags = 1, .ebx = 0x219c97a9, .edx = 0x20000010 },
};

static const struct kvm_cpuid_entry2 intel[] = {
    { .function = 0, .eax = 0x20, .ebx = 0x756e6547, .ecx = 0x6c65746e, .edx = 0x49656e69 },
    { .function = 1, .eax = 0x806f8, .ecx = 0x77fa3203 },
    { .function = 7, .index = 0, .flags = 1, .ebx = 0xf1bf07ab, .ecx = 0x88, .edx = 0x23500010 },
    { .function = 7, .index = 1, .flags = 1, .eax = 0x00200030, .edx = 0x110 },
    { .function = 0xd, .index = 0, .flags = 1, .eax = 0x2e7, .ebx = 0xa88, .ecx = 0xa88 },
    { .function = 0xd, .index = 1, .flags = 1, .eax = 0xf, .ecx = 0x1800 },
    { .function = 0xd, .index = 2, .flags = 1, .eax = 256, .ebx = 576 },
    { .function = 0xd, .index = 5, .flags = 1, .eax = 64, .ebx = 1088 },
    { .function = 0xd, .index = 6, .flags = 1, .eax = 512, .ebx = 1152 },
    { .function = 0xd, .index = 7, .flags = 1, .eax = 1024, .ebx = 1664 },
    { .function = 0xd, .index = 9, .flags = 1, .eax = 8, .ebx = 2688 },
    { .function = 0xd, .index = 11, .flags = 1, .eax = 16, .ecx = 1 },
    { .function = 0xd, .index = 12, .flags = 1, .eax = 24, .ecx = 1 },
    { .function = 0x1d, .index = 0, .flags = 1, .eax = 1 },
    { .function = 0x1d, .index = 1, .flags = 1, .eax = 0x04002000 },
    { .function = 0x1e, .index = 0, .flags = 1, .ebx = 0x4010 },
    { .function = 0x20, .index = 0, .flags = 1, .ebx = 1 },
};

static Table *
offer(const struct kvm_cpuid_entry2 *host, unsigned n, gboolean tsc_deadline)
{
    Table *table = g_new0(Table, 1);

    table->head.nent = n;
    memcpy(table->head.entries, host, n * sizeof(*host));
    cpuid_offer(&table->head, tsc_deadline);
    return table;
}

#define OFFER(host) offer(host, G_N_ELEMENTS(host), TRUE)

static struct kvm_cpuid_entry2 *
find(Table *table, uint32_t function, uint32_t index)
{
    return cpuid_table_find(&table->head, function, index);
}

static void
test_hypervisor(void)
{
    g_autofree Table *with = offer(intel, G_N_ELEMENTS(intel), TRUE);
    g_autofree Table *without = offer(intel, G_N_ELEMENTS(intel), FALSE);

    g_assert_cmphex(find(with, 1, 0)->ecx, ==, 0xf7fa3203);
    g_assert_cmphex(find(without, 1, 0)->ecx, ==, 0xf6fa3203);
}

static void
test_arch_capabilities(void)
{
    g_autofree Table *on_amd = OFFER(amd), *on_intel = OFFER(intel);

    g_assert_cmphex(find(on_amd, 7, 0)->edx, ==, 0x10);
    g_assert_cmphex(find(on_intel, 7, 0)->edx & ARCH_CAPABILITIES, ==, ARCH_CAPABILITIES);
}

/* Nor of what XSAVES would keep of it; else XSAVE stays as it is. */
static void
test_cet(void)
{
    g_autofree Table *table = OFFER(intel);

    g_assert_cmphex(find(table, 7, 0)->ecx & SHADOW_STACKS, ==, 0);
    g_assert_cmphex(find(table, 7, 0)->edx & BRANCH_TRACKING, ==, 0);
    g_assert_cmphex(find(table, 0xd, 1)->ecx, ==, 0);
    g_assert_null(find(table, 0xd, 11));
    g_assert_null(find(table, 0xd, 12));
    g_assert_cmphex(find(table, 0xd, 0)->eax, ==, 0x2e7);
    g_assert_cmpuint(find(table, 0xd, 0)->ecx, ==, 0xa88);
}

/* KVM says that there are tiles to a process that has not asked for their state, too. */
static void
test_no_tiles(void)
{
    g_autofree Table *table = OFFER(intel);

    g_assert_cmphex(find(table, 7, 0)->edx, ==, 0x10 | ARCH_CAPABILITIES);
    g_assert_cmphex(find(table, 7, 1)->eax, ==, 0x30);
    g_assert_cmphex(find(table, 7, 1)->edx, ==, 0x10);
    g_assert_null(find(table, 0x1d, 0));
    g_assert_null(find(table, 0x1d, 1));
    g_assert_null(find(table, 0x1e, 0));
    g_assert_nonnull(find(table, 0x20, 0));
}

static void
test_tiles(void)
{
    struct kvm_cpuid_entry2 host[G_N_ELEMENTS(intel)];
    g_autofree Table *table = NULL;

    memcpy(host, intel, sizeof(host));
    for (gsize i = 0; i < G_N_ELEMENTS(host); i++) {
        if (host[i].function == 0xd && host[i].index == 0)
            host[i].eax |= TILES;
    }
    table = OFFER(host);
    g_assert_cmphex(find(table, 7, 0)->edx, ==, 0x10 | ARCH_CAPABILITIES | AMX);
    g_assert_cmphex(find(table, 7, 1)->eax, ==, 0x00200030);
    g_assert_cmphex(find(table, 7, 1)->edx, ==, 0x110);
    g_assert_nonnull(find(table, 0x1d, 1));
    g_assert_nonnull(find(table, 0x1e, 0));
    g_assert_cmphex(find(table, 0xd, 0)->eax, ==, 0x2e7 | TILES);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpuid-offer/hypervisor", test_hypervisor);
    g_test_add_func("/cpuid-offer/arch-capabilities", test_arch_capabilities);
    g_test_add_func("/cpuid-offer/cet", test_cet);
    g_test_add_func("/cpuid-offer/no-tiles", test_no_tiles);
    g_test_add_func("/cpuid-offer/tiles", test_tiles);
    return g_test_run();
}
