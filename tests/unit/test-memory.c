#include "qemu-kvm-backend/memory.h"

#include "qemu-kvm-backend/memory-map.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/* A file becomes RAM: what is written shows in it, or does not, as its owner wants it. */
static void
check_file(gboolean shared)
{
    int fd = memfd_create("ram", MFD_CLOEXEC);
    MemoryBacking backing = { .fd = fd, .shared = shared };
    g_autoptr(Memory) memory = NULL;
    char byte = 0;

    g_assert_no_errno(ftruncate(fd, 4 * MIB));
    g_assert_cmpint(pwrite(fd, "\7", 1, MIB), ==, 1);
    memory = memory_new_from(4 * MIB, &backing, NULL);
    g_assert_true(memory_read(memory, MIB, &byte, 1));
    g_assert_cmpint(byte, ==, 7);
    g_assert_true(memory_write(memory, MIB, "\5", 1));
    g_assert_cmpint(pread(fd, &byte, 1, MIB), ==, 1);
    g_assert_cmpint(byte, ==, shared ? 5 : 7);
    close(fd);
}

static void
test_file(void)
{
    check_file(TRUE);
    check_file(FALSE);
}

/* What a guest gives back of a file is a hole there. */
static void
test_discard_shared(void)
{
    int fd = memfd_create("ram", MFD_CLOEXEC);
    MemoryBacking backing = { .fd = fd, .shared = TRUE };
    g_autoptr(Memory) memory = NULL;
    struct stat before, after;
    char byte = 1;

    g_assert_no_errno(ftruncate(fd, 4 * MIB));
    memory = memory_new_from(4 * MIB, &backing, NULL);
    g_assert_true(memory_zero(memory, 0, 4 * MIB));
    g_assert_no_errno(fstat(fd, &before));
    memory_discard(memory, memory_at(memory, MIB, MIB), MIB);
    g_assert_no_errno(fstat(fd, &after));
    g_assert_cmpint(before.st_blocks - after.st_blocks, ==, MIB / 512);
    g_assert_true(memory_read(memory, MIB, &byte, 1));
    g_assert_cmpint(byte, ==, 0);
    close(fd);
}

static guint64
blocks_of(int fd)
{
    struct stat file;

    g_assert_no_errno(fstat(fd, &file));
    return file.st_blocks;
}

/* What there is of it becomes zeros, what is not there stays so: the host need not have the memory yet. */
static void
check_clear(gboolean shared)
{
    int fd = memfd_create("ram", MFD_CLOEXEC);
    MemoryBacking backing = { .fd = fd, .shared = shared };
    g_autoptr(Memory) memory = NULL;
    guint64 before;

    g_assert_no_errno(ftruncate(fd, 16 * MIB));
    g_assert_cmpint(pwrite(fd, "file", 4, 5 * MIB), ==, 4);
    memory = memory_new_from(16 * MIB, &backing, NULL);
    g_assert_true(memory_write(memory, 3 * MIB, "guest", 5));
    before = blocks_of(fd);
    memory_clear(memory);
    g_assert_cmpuint(blocks_of(fd), <=, before);
    for (guint i = 3; i <= 5; i += 2) {
        guint8 bytes[4];

        g_assert_true(memory_read(memory, i * MIB, bytes, 4));
        g_assert_cmpmem(bytes, 4, "\0\0\0", 4);
    }
    close(fd);
}

static void
test_clear(void)
{
    check_clear(TRUE);
    check_clear(FALSE);
}

/* The parts that have data, as "GPA+PAGES" each, where pages are not huge. */
static char *
data_of(const Memory *memory)
{
    GString *parts = g_string_new(NULL);
    MemoryRegion region, data;

    for (guint i = 0; memory_region(memory, i, &region); i++) {
        for (guint64 at = 0; at < region.size; at = data.gpa - region.gpa + data.size) {
            data = memory_next_data(memory, i, at);
            g_assert_true(data.size == 0 || data.host == memory_at(memory, data.gpa, data.size));
            if (data.size > 0)
                g_string_append_printf(parts, "%" PRIx64 "+%" PRIu64 " ", data.gpa, data.size / 4096);
        }
    }
    return g_string_free(parts, FALSE);
}

/* What lies on both sides of the gap below 4 GiB is one piece of the file, and two of the guest's. */
static void
check_data(gboolean shared, const char *before, const char *after)
{
    const guint64 size = LAYOUT_LOW_RAM_END + 5 * MIB;
    int fd = memfd_create("ram", MFD_CLOEXEC);
    MemoryBacking backing = { .fd = fd, .shared = shared };
    g_autoptr(Memory) memory = NULL;
    g_autofree char *first = NULL, *second = NULL;

    g_assert_no_errno(ftruncate(fd, size));
    memory = memory_new_from(size, &backing, NULL);
    madvise(memory_at(memory, 0, 1), size, MADV_NOHUGEPAGE);
    first = data_of(memory);
    g_assert_cmpstr(first, ==, before);
    g_assert_true(memory_write(memory, 0x3000, "a", 1));
    g_assert_true(memory_write(memory, 0x5fff, "bc", 2));
    g_assert_true(memory_write(memory, LAYOUT_LOW_RAM_END - 1, "d", 1));
    g_assert_true(memory_write(memory, LAYOUT_HIGH_RAM, "e", 1));
    second = data_of(memory);
    g_assert_cmpstr(second, ==, after);
    close(fd);
}

static void
test_data(void)
{
    g_autofree char *all = g_strdup_printf("0+%llu %llx+1280 ", LAYOUT_LOW_RAM_END / 4096, LAYOUT_HIGH_RAM);
    g_autofree char *some =
        g_strdup_printf("3000+1 5000+2 %llx+1 %llx+1 ", LAYOUT_LOW_RAM_END - 4096, LAYOUT_HIGH_RAM);

    check_data(TRUE, "", some);
    check_data(FALSE, all, all);
}

static gsize
count_resident(const Memory *memory)
{
    static unsigned char there[16 * MIB / 4096];
    gsize n = 0;

    g_assert_no_errno(mincore(memory_at(memory, 0, 16 * MIB), 16 * MIB, there));
    for (gsize i = 0; i < G_N_ELEMENTS(there); i++)
        n += there[i] & 1;
    return n;
}

/* All of it is there at the start where that is asked for, whoever fetches it. */
static void
test_populate(void)
{
    static const guint threads[] = { 1, 3, 64 };

    for (gsize i = 0; i < G_N_ELEMENTS(threads); i++) {
        MemoryBacking backing = { .fd = -1, .threads = threads[i] };
        g_autoptr(Memory) memory = memory_new_from(16 * MIB, &backing, NULL);

        g_assert_nonnull(memory);
        g_assert_cmpuint(count_resident(memory), ==, 16 * MIB / 4096);
    }
}

static void
test_locked(void)
{
    MemoryBacking backing = { .fd = -1, .locked = TRUE };
    struct rlimit limit, none;
    Memory *memory;
    VmmError err;

    memory = memory_new_from(2 * MIB, &backing, &err);
    g_assert_nonnull(memory);                               /* every user may lock that much */
    memory_discard(memory, memory_at(memory, 0, MIB), MIB); /* it stays, without a word */
    memory_free(memory);
    g_assert_no_errno(getrlimit(RLIMIT_MEMLOCK, &limit));
    none = (struct rlimit){ 0, limit.rlim_max };
    if (geteuid() == 0) /* who has CAP_IPC_LOCK is not bound by it */
        return;
    g_assert_no_errno(setrlimit(RLIMIT_MEMLOCK, &none));
    g_assert_null(memory_new_from(2 * MIB, &backing, &err));
    g_assert_nonnull(strstr(err.text, "RLIMIT_MEMLOCK"));
    g_assert_no_errno(setrlimit(RLIMIT_MEMLOCK, &limit));
}

/* Huge pages: whole ones only, and no more than the host has: an error, not a guest that dies later. */
static void
test_huge(void)
{
    int fd = memfd_create("ram", MFD_CLOEXEC | MFD_HUGETLB | 21u << 26);
    MemoryBacking backing = { .fd = fd, .shared = TRUE };
    VmmError err;

    if (fd < 0) {
        g_test_skip("this host has no huge pages of 2 MiB");
        return;
    }
    g_assert_null(memory_new_from(3 * MIB, &backing, &err));
    g_assert_nonnull(strstr(err.text, "not a multiple of huge pages of 2048 KiB"));
    g_assert_null(memory_new_from(1ull << 45, &backing, &err));
    g_assert_nonnull(strstr(err.text, "in huge pages of 2048 KiB"));
    close(fd);
}

static gboolean
mount_huge_tmpfs(const char *dir)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("ram", dir, "tmpfs", 0, "huge=always") == 0;
}

static void
check_huge_tmpfs(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "ram", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    MemoryBacking backing = { .fd = fd, .shared = TRUE };
    g_autoptr(Memory) memory = NULL;
    VmmError err = { .text = "" };

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(ftruncate(fd, 129 * MIB));
    memory = memory_new_from(129 * MIB, &backing, &err);
    g_assert_cmpstr(err.text, ==, "");
    g_assert_nonnull(memory);
    close(fd);
}

/* Its files tell of huge blocks, which they have where they can: any size will do. */
static void
test_huge_tmpfs(void)
{
    g_autofree char *dir = g_dir_make_tmp("memory-XXXXXX", NULL);

    if (mount_huge_tmpfs(dir)) {
        check_huge_tmpfs(dir);
        umount2(dir, MNT_DETACH);
    } else {
        g_test_skip("no tmpfs of huge pages can be mounted here");
    }
    g_rmdir(dir);
}

static guint
take_dirty(Memory *memory, unsigned region, uint64_t *ret_first)
{
    size_t words = memory_dirty_words(memory, region);
    g_autofree uint64_t *bitmap = g_new0(uint64_t, words);
    guint n = 0;

    *ret_first = G_MAXUINT64;
    memory_take_dirty(memory, region, bitmap);
    for (uint64_t page = 0; page < words * 64; page++) {
        if (!(bitmap[page / 64] >> page % 64 & 1))
            continue;
        n++;
        *ret_first = MIN(*ret_first, page);
    }
    return n;
}

/* Pages count from the beginning of their region, whatever lies before it. */
static void
test_dirty(void)
{
    g_autoptr(Memory) memory = memory_new(LAYOUT_LOW_RAM_END + 5 * MIB, NULL);
    MemoryRegion high;
    uint64_t first;

    g_assert_true(memory_region(memory, 1, &high));
    g_assert_true(memory_zero(memory, 0, 4096));
    g_assert_cmpuint(take_dirty(memory, 0, &first), ==, 0); /* nobody tracks yet */
    memory_track(memory, true);
    g_assert_cmpuint(take_dirty(memory, 0, &first), ==, 0);
    g_assert_true(memory_write(memory, 0x5fff, "ab", 2));
    g_assert_true(memory_zero(memory, high.gpa + 0x3000, 1));
    memory_mark(memory, (guint8 *)high.host + 5 * MIB - 1, 1);
    g_assert_cmpuint(take_dirty(memory, 0, &first), ==, 2);
    g_assert_cmpuint(first, ==, 5);
    g_assert_cmpuint(take_dirty(memory, 1, &first), ==, 2);
    g_assert_cmpuint(first, ==, 3);
    g_assert_cmpuint(take_dirty(memory, 0, &first), ==, 0);
    g_assert_cmpuint(take_dirty(memory, 1, &first), ==, 0);
    memory_mark(memory, memory_at(memory, 63 * 4096, 1), 130 * 4096); /* across words */
    g_assert_cmpuint(take_dirty(memory, 0, &first), ==, 130);
    g_assert_cmpuint(first, ==, 63);
    memory_discard(memory, memory_at(memory, 0x8000, 1), 8192);
    g_assert_cmpuint(take_dirty(memory, 0, &first), ==, 2);
    memory_track(memory, false);
    g_assert_true(memory_write(memory, 0, "ab", 2));
    g_assert_cmpuint(take_dirty(memory, 0, &first), ==, 0);
}

/* A page of what the VMM has itself, with what numa_maps says of it. */
static void
assert_policy(const Memory *memory, const char *policy)
{
    g_autofree char *maps = NULL;
    g_autofree char *line = g_strdup_printf("\n%lx %s", (gulong)memory_at(memory, 0, 1), policy);
    g_autoptr(GError) error = NULL;

    g_file_get_contents("/proc/self/numa_maps", &maps, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(maps, line));
}

/* Every host has node 0. */
static void
test_nodes(void)
{
    static const guint8 first = 1,
                        last[MEMORY_NODES_MAX / 8] = { [MEMORY_NODES_MAX / 8 - 1] = 0x80 };
    MemoryBacking backing = { .fd = -1 };
    g_autoptr(Memory) memory = NULL;
    MemoryNodes nodes;
    VmmError err;

    g_assert_true(memory_nodes_parse(&backing.nodes, VMM_NODES_BIND, &first, 1, &err));
    memory = memory_new_from(4 * MIB, &backing, &err);
    if (!memory && (strstr(err.text, g_strerror(ENOSYS)) || strstr(err.text, g_strerror(EPERM)))) {
        g_test_skip("this kernel has no nodes, or its container may not say so");
        return;
    }
    g_assert_nonnull(memory);
    g_assert_true(memory_zero(memory, 0, 4 * MIB));
    assert_policy(memory, "bind:0");
    g_assert_true(memory_nodes_parse(&nodes, VMM_NODES_PREFERRED, &first, 1, &err));
    g_assert_true(memory_bind(memory, &nodes, &err));
    assert_policy(memory, "prefer:0");
    g_assert_true(memory_move(memory, &nodes, 2 * MIB, 16 * MIB, &err));
    g_assert_true(memory_move(memory, &nodes, 4 * MIB, 16 * MIB, &err)); /* past its end */
    g_assert_true(memory_nodes_parse(&nodes, VMM_NODES_BIND, last, sizeof(last), &err));
    g_assert_false(memory_bind(memory, &nodes, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_FAILED);
    assert_policy(memory, "prefer:0");
}

static void
test_nodes_refused(void)
{
    static const guint8 none[MEMORY_NODES_MAX / 8 + 1] = { 0 };
    MemoryNodes nodes;
    VmmError err;

    g_assert_false(memory_nodes_parse(&nodes, VMM_NODES_BIND, none, 1, &err));
    g_assert_false(memory_nodes_parse(&nodes, VMM_NODES_BIND, none, 0, &err));
    g_assert_false(memory_nodes_parse(&nodes, VMM_NODES_BIND, none, sizeof(none), &err));
    g_assert_false(memory_nodes_parse(&nodes, "strict", "\1", 1, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_INVALID);
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
    g_test_add_func("/memory/file", test_file);
    g_test_add_func("/memory/discard-shared", test_discard_shared);
    g_test_add_func("/memory/clear", test_clear);
    g_test_add_func("/memory/data", test_data);
    g_test_add_func("/memory/populate", test_populate);
    g_test_add_func("/memory/locked", test_locked);
    g_test_add_func("/memory/huge", test_huge);
    g_test_add_func("/memory/huge-tmpfs", test_huge_tmpfs);
    g_test_add_func("/memory/dirty", test_dirty);
    g_test_add_func("/memory/nodes", test_nodes);
    g_test_add_func("/memory/nodes-refused", test_nodes_refused);
    return g_test_run();
}
