/* A disk that is read by a guest which polls and does nothing else, so that it is the monitor's and the
 * host's time: requests of 4 KiB at random places, and of 128 KiB one after the other, so many at once.
 * QEMU serves a disk on PCI alike whatever its machine; q35 is the one that has it always. */
#include "tests/bench/figures.h"
#include "tests/guest/vmm-harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define IMAGE_MIB 256
#define LONG_SIZE (128 * 1024.0)

/* Written, not sparse, on the host's disk; removed when the bench ends. */
static char *image;

static void
remove_image(void)
{
    unlink(image);
}

const char *
figure_disk(void)
{
    g_autofree char *chunk = g_malloc(1 << 20);
    int fd;

    if (image)
        return image;
    image = g_strdup("/var/tmp/vmctl-bench-XXXXXX");
    fd = g_mkstemp(image);
    if (fd < 0)
        g_error("%s: %s", image, g_strerror(errno));
    atexit(remove_image);
    for (gsize mib = 0; mib < IMAGE_MIB; mib++) {
        for (gsize i = 0; i < 1 << 20; i++)
            chunk[i] = i * 2654435761u >> 13 ^ mib;
        if (write(fd, chunk, 1 << 20) != 1 << 20)
            g_error("%s: %s", image, g_strerror(errno));
    }
    fsync(fd);
    close(fd);
    return image;
}

typedef struct Load {
    const char *scene;
    guint requests, depth;
    gboolean direct;
    double unit; /* of what the figure tells, in requests */
} Load;

static void
measure(const Contender *contender, const void *what, double values[QUANTITIES_MAX])
{
    const Load *load = what;
    g_autofree char *kernel = vmm_built("tests/guest/ring3/ring3.elf");
    g_autofree char *cmdline =
        g_strdup_printf("%s %u %u", load->scene, load->requests, load->depth);
    const GuestSpec spec = { .kernel = kernel,
                             .cmdline = cmdline,
                             .memory_mib = 128,
                             .disk = figure_disk(),
                             .direct = load->direct };
    g_autoptr(Guest) guest = guest_start(contender, &spec);
    gint64 begin = guest_wait_text(guest, "begin\n");
    gint64 end = guest_wait_text(guest, "end\n");

    values[0] = load->requests / load->unit / ((double)(end - begin) / G_USEC_PER_SEC);
}

#define LOAD(figure, figure_unit, ...)                                                             \
    {                                                                                              \
        .quantities = { { figure, figure_unit, TRUE } },                                           \
        .contenders = { &contender_vmctl, &contender_qemu_q35 }, .run = measure,                   \
        .what = &(const Load){ __VA_ARGS__ },                                                      \
    }
#define RANDOM(figure, ...)   LOAD(figure, "IOPS", "blk-random", __VA_ARGS__, 1)
#define SEQUENCE(figure, ...) LOAD(figure, "MB/s", "blk-sequence", __VA_ARGS__, 1e6 / LONG_SIZE)

/* From the host's page cache. */
const Experiment blk_random_1 = RANDOM("blk-random-qd1", 40000, 1, FALSE);
const Experiment blk_random_32 = RANDOM("blk-random-qd32", 200000, 32, FALSE);
const Experiment blk_sequence_1 = SEQUENCE("blk-sequence-qd1", 8000, 1, FALSE);
const Experiment blk_sequence_32 = SEQUENCE("blk-sequence-qd32", 8000, 32, FALSE);
/* Past it. */
const Experiment blk_direct_random_1 = RANDOM("blk-direct-random-qd1", 10000, 1, TRUE);
const Experiment blk_direct_random_32 = RANDOM("blk-direct-random-qd32", 50000, 32, TRUE);
const Experiment blk_direct_sequence_1 = SEQUENCE("blk-direct-sequence-qd1", 4000, 1, TRUE);
const Experiment blk_direct_sequence_32 = SEQUENCE("blk-direct-sequence-qd32", 4000, 32, TRUE);
