/* What guests are told of what KVM supports. */
#include "qemu-kvm-backend/x86/cpuid-offer.h"
#include "qemu-kvm-backend/x86/cpuid-table.h"

#include <glib.h>
#include <string.h>

#define ROOM 32

#define ARCH_CAPABILITIES (1u << 29) /* of leaf 7, EDX */

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
    { .function = 7, .index = 0, .flags = 1, .ebx = 0xf1bf07ab, .edx = 0x20000010 },
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
    g_assert_cmphex(find(on_intel, 7, 0)->edx, ==, 0x10 | ARCH_CAPABILITIES);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cpuid-offer/hypervisor", test_hypervisor);
    g_test_add_func("/cpuid-offer/arch-capabilities", test_arch_capabilities);
    return g_test_run();
}
