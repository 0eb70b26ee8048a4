#include "qemu-kvm-backend/memory.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB (1ull << 20)

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Memory, memory_free)

static void
test_small(void)
{
    g_autoptr(Memory) memory = memory_new(3 * MIB, NULL);
    MemoryRegion region;

    g_assert_nonnull(memory);
    g_assert_cmpuint(memory_size(memory), ==, 3 * MIB);
    g_assert_cmpuint(memory_low_end(memory), ==, 3 * MIB);
    g_assert_true(memory_region(memory, 0, &region));
    g_assert_cmpuint(region.gpa, ==, 0);
    g_assert_cmpuint(region.size, ==, 3 * MIB);
    g_assert_cmpuint((guintptr)region.host % (2 * MIB), ==, 0);
    g_assert_false(memory_region(memory, 1, &region));
}

/* What is above the hole goes on at 4 GiB. Nothing of it is touched, so it costs nothing. */
static void
test_hole(void)
{
    g_autoptr(Memory) memory = memory_new(LAYOUT_LOW_RAM_END + 5 * MIB, NULL);
    MemoryRegion low, high;

    g_assert_nonnull(memory);
    g_assert_true(memory_region(memory, 0, &low));
    g_assert_true(memory_region(memory, 1, &high));
    g_assert_false(memory_region(memory, 2, &high));
    g_assert_cmpuint(low.size, ==, LAYOUT_LOW_RAM_END);
    g_assert_cmpuint(memory_low_end(memory), ==, LAYOUT_LOW_RAM_END);
    g_assert_cmpuint(high.gpa, ==, LAYOUT_HIGH_RAM);
    g_assert_cmpuint(high.size, ==, 5 * MIB);
    g_assert_true((char *)high.host == (char *)low.host + low.size);
    g_assert_null(memory_at(memory, LAYOUT_LOW_RAM_END, 1));
    g_assert_null(memory_at(memory, LAYOUT_LOW_RAM_END - 1, 2));
    g_assert_null(memory_at(memory, LAYOUT_HIGH_RAM - 1, 1));
    g_assert_true(memory_at(memory, LAYOUT_HIGH_RAM, 5 * MIB) == high.host);
    g_assert_null(memory_at(memory, LAYOUT_HIGH_RAM, 5 * MIB + 1));
}

static void
test_exactly_low(void)
{
    g_autoptr(Memory) memory = memory_new(LAYOUT_LOW_RAM_END, NULL);
    MemoryRegion region;

    g_assert_nonnull(memory);
    g_assert_false(memory_region(memory, 1, &region));
}

static void
test_bounds(void)
{
    static const struct {
        guint64 gpa, len;
        gboolean good;
    } cases[] = {
        { 0, 0, TRUE },
        { 0, 2 * MIB, TRUE },
        { 0, 2 * MIB + 1, FALSE },
        { 2 * MIB - 1, 1, TRUE },
        { 2 * MIB - 1, 2, FALSE },
        { 2 * MIB, 1, FALSE },
        { 1, G_MAXUINT64, FALSE },
        { G_MAXUINT64, 1, FALSE },
        { G_MAXUINT64, 2, FALSE },
        { G_MAXUINT64 - 1, G_MAXUINT64, FALSE },
    };
    g_autoptr(Memory) memory = memory_new(2 * MIB, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(memory_at(memory, cases[i].gpa, cases[i].len) != NULL, ==, cases[i].good);
}

static void
test_copies(void)
{
    g_autoptr(Memory) memory = memory_new(2 * MIB, NULL);
    char text[6] = "";

    g_assert_true(memory_write(memory, 0x1234, "hello", 6));
    g_assert_true(memory_read(memory, 0x1234, text, 6));
    g_assert_cmpstr(text, ==, "hello");
    g_assert_true(memory_zero(memory, 0x1235, 2));
    g_assert_true(memory_read(memory, 0x1234, text, 6));
    g_assert_cmpmem(text, 6, "h\0\0lo", 6);
    g_assert_false(memory_write(memory, 2 * MIB - 3, "hello", 6));
    g_assert_false(memory_zero(memory, 2 * MIB - 3, 6));
    strcpy(text, "kept");
    g_assert_false(memory_read(memory, 2 * MIB - 3, text, 6));
    g_assert_cmpstr(text, ==, "kept");
}

static void
test_load(void)
{
    g_autoptr(Memory) memory = memory_new(2 * MIB, NULL);
    int fd = memfd_create("kernel", MFD_CLOEXEC);
    char text[6] = "";
    VmmError err;

    g_assert_cmpint(write(fd, "say hello", 9), ==, 9);
    g_assert_true(memory_load(memory, 0x1000, fd, 4, 5, &err));
    g_assert_true(memory_read(memory, 0x1000, text, 6));
    g_assert_cmpstr(text, ==, "hello");
    g_assert_false(memory_load(memory, 0x1000, fd, 4, 8, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_INVALID);
    g_assert_cmpstr(err.text, ==, "The file ends 3 bytes early");
    g_assert_false(memory_load(memory, 2 * MIB - 1, fd, 0, 2, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_INVALID);
    close(fd);
    g_assert_false(memory_load(memory, 0, -1, 0, 1, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_FAILED);
    g_assert_cmpstr(err.text, ==, "Cannot read the file: Bad file descriptor");
}

static void
test_refused(void)
{
    static const guint64 sizes[] = { 0, 1, 4095, 4097, G_MAXUINT64, G_MAXUINT64 - 4095 };
    VmmError err;

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_assert_null(memory_new(sizes[i], &err));
        g_assert_cmpstr(err.kind, ==, VMM_ERROR_INVALID);
    }
    g_assert_null(memory_new(1ull << 60, &err)); /* more than a process can map */
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_FAILED);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory/small", test_small);
    g_test_add_func("/memory/hole", test_hole);
    g_test_add_func("/memory/exactly-low", test_exactly_low);
    g_test_add_func("/memory/bounds", test_bounds);
    g_test_add_func("/memory/copies", test_copies);
    g_test_add_func("/memory/load", test_load);
    g_test_add_func("/memory/refused", test_refused);
    return g_test_run();
}
