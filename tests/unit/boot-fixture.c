#include "tests/unit/boot-fixture.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int
boot_fixture_file(const void *bytes, size_t size)
{
    int fd = memfd_create("kernel", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, bytes, size), ==, (ssize_t)size);
    return fd;
}

static bool
boot(Boot *boot, const void *kernel, size_t size, const GBytes *initrd, const char *cmdline,
     uint64_t memory_size)
{
    BootSource source = { .initrd_fd = -1, .cmdline = cmdline, .rsdp = 0xe0000 };
    bool ok;

    memset(boot, 0, sizeof(*boot));
    boot->memory = memory_new(memory_size, NULL);
    g_assert_nonnull(boot->memory);
    source.kernel_fd = boot_fixture_file(kernel, size);
    if (initrd) {
        gsize n;
        const void *bytes = g_bytes_get_data((GBytes *)initrd, &n);

        source.initrd_fd = boot_fixture_file(bytes, n);
    }
    ok = boot_load(&source, boot->memory, &boot->entry, &boot->err);
    close(source.kernel_fd);
    if (source.initrd_fd >= 0)
        close(source.initrd_fd);
    return ok;
}

Boot
boot_fixture_load(const void *kernel, size_t size, const GBytes *initrd, const char *cmdline,
                  uint64_t memory_size)
{
    Boot b;

    if (!boot(&b, kernel, size, initrd, cmdline, memory_size))
        g_error("%s", b.err.text);
    return b;
}

void
boot_fixture_refuse(const void *kernel, size_t size, uint64_t memory_size, const char *text)
{
    static const BootEntry untouched;
    Boot b;

    g_assert_false(boot(&b, kernel, size, NULL, NULL, memory_size));
    g_assert_cmpstr(b.err.text, ==, text);
    g_assert_cmpmem(&b.entry, sizeof(b.entry), &untouched, sizeof(untouched));
    boot_fixture_clear(&b);
}

void
boot_fixture_clear(Boot *b)
{
    memory_free(b->memory);
    b->memory = NULL;
}

const void *
boot_fixture_at(const Boot *b, uint64_t gpa, size_t size)
{
    const void *at = memory_at(b->memory, gpa, size);

    g_assert_nonnull(at);
    return at;
}

uint64_t
boot_fixture_get(const Boot *b, uint64_t gpa, size_t size)
{
    uint64_t value = 0;

    memcpy(&value, boot_fixture_at(b, gpa, size), size);
    return value;
}

char *
boot_fixture_stock_kernel(void)
{
    g_autofree char *finder = g_test_build_filename(G_TEST_DIST, "lab", "kernel", NULL);
    const char *argv[] = { finder, "find", "guest", NULL };
    g_autofree char *output = NULL;
    g_auto(GStrv) words = NULL; /* release, path, root */

    if (g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, NULL,
                     NULL))
        words = g_strsplit(output, " ", -1);
    if (words && g_strv_length(words) == 3)
        return g_strdup(words[1]);
    g_test_skip("no stock kernel is installed");
    return NULL;
}
