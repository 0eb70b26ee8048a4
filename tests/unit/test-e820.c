/* e820: the memory map for guests of all sizes. */
#include "qemu-kvm-backend/x86/e820.h"

#include "qemu-kvm-backend/x86/layout.h"

#include <glib.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static void
check(uint64_t size, const E820Entry *expected, unsigned n)
{
    Memory *memory = memory_new(size, NULL);
    E820Entry map[E820_MAX];
    unsigned n_map = e820_build(memory, map);

    g_assert_cmpuint(n_map, ==, n);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(map[i].addr, ==, expected[i].addr);
        g_assert_cmphex(map[i].size, ==, expected[i].size);
        g_assert_cmpuint(map[i].type, ==, expected[i].type);
    }
    memory_free(memory);
}

static void
test_small(void)
{
    const E820Entry expected[] = {
        { 0, 0x9fc00, E820_RAM },
        { 0x9fc00, 0x60400, E820_RESERVED },
        { MIB, 127 * MIB, E820_RAM },
        { 0xe0000000, 256 * MIB, E820_RESERVED },
    };

    check(128 * MIB, expected, G_N_ELEMENTS(expected));
}

static void
test_exactly_low(void)
{
    const E820Entry expected[] = {
        { 0, 0x9fc00, E820_RAM },
        { 0x9fc00, 0x60400, E820_RESERVED },
        { MIB, 2 * GIB - MIB, E820_RAM },
        { 0xe0000000, 256 * MIB, E820_RESERVED },
    };

    check(2 * GIB, expected, G_N_ELEMENTS(expected));
}

static void
test_large(void)
{
    const E820Entry expected[] = {
        { 0, 0x9fc00, E820_RAM },         { 0x9fc00, 0x60400, E820_RESERVED },
        { MIB, 2 * GIB - MIB, E820_RAM }, { 0xe0000000, 256 * MIB, E820_RESERVED },
        { 4 * GIB, 3 * GIB, E820_RAM },
    };

    check(5 * GIB, expected, G_N_ELEMENTS(expected));
}

static void
test_tiny(void)
{
    const E820Entry expected[] = {
        { 0, 0x80000, E820_RAM },
        { 0x9fc00, 0x60400, E820_RESERVED },
        { 0xe0000000, 256 * MIB, E820_RESERVED },
    };

    check(0x80000, expected, G_N_ELEMENTS(expected));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/e820/small", test_small);
    g_test_add_func("/e820/exactly-low", test_exactly_low);
    g_test_add_func("/e820/large", test_large);
    g_test_add_func("/e820/tiny", test_tiny);
    return g_test_run();
}
