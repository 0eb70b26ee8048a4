#include "driver/hugepages.h"

#include "driver/error.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define POOLS "/sys/kernel/mm/hugepages"

#ifndef MFD_HUGE_SHIFT
#define MFD_HUGE_SHIFT 26
#endif

/* A number of the pool, 0 where there is no such pool. */
static guint64
read_pool(guint64 kib, const char *name)
{
    g_autofree char *path =
        g_strdup_printf(POOLS "/hugepages-%" G_GUINT64_FORMAT "kB/%s", kib, name);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? g_ascii_strtoull(text, NULL, 10) : 0;
}

static gboolean
has_pool(guint64 kib)
{
    g_autofree char *path = g_strdup_printf(POOLS "/hugepages-%" G_GUINT64_FORMAT "kB", kib);

    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

/* What a file of huge pages has if it does not say: "Hugepagesize: 2048 kB". */
static guint64
usual_kib(void)
{
    g_autofree char *text = NULL;
    const char *line = NULL;

    if (g_file_get_contents("/proc/meminfo", &text, NULL, NULL))
        line = strstr(text, "Hugepagesize:");
    return line ? g_ascii_strtoull(line + strlen("Hugepagesize:"), NULL, 10) : 0;
}

/* Pages that somebody has reserved and not touched yet are free and taken at once. */
static gboolean
check_free(guint64 kib, guint64 bytes, GError **error)
{
    guint64 needed = (bytes / 1024 + kib - 1) / kib;
    guint64 unused = read_pool(kib, "free_hugepages") - read_pool(kib, "resv_hugepages");
    guint64 more = read_pool(kib, "nr_overcommit_hugepages") - read_pool(kib, "surplus_hugepages");

    if (needed <= unused + more)
        return TRUE;
    return driver_error(error, VIR_ERR_OPERATION_FAILED,
                        "the guest needs %" G_GUINT64_FORMAT " huge pages of %" G_GUINT64_FORMAT
                        " KiB, the host has %" G_GUINT64_FORMAT " free",
                        needed, kib, unused + more);
}

int
hugepages_open(guint64 kib, guint64 bytes, GError **error)
{
    int fd;

    if (!kib)
        kib = usual_kib();
    if (!kib || !has_pool(kib)) {
        driver_error(error, VIR_ERR_INTERNAL_ERROR,
                     "Unable to find any usable hugetlbfs mount for %" G_GUINT64_FORMAT " KiB",
                     kib);
        return -1;
    }
    if (!check_free(kib, bytes, error))
        return -1;
    fd = memfd_create("guest-ram", MFD_CLOEXEC | MFD_HUGETLB |
                                       (guint)g_bit_nth_msf(kib * 1024, -1) << MFD_HUGE_SHIFT);
    if (fd < 0)
        driver_error_errno(error, errno,
                           "cannot make a file of huge pages of %" G_GUINT64_FORMAT " KiB", kib);
    return fd;
}
