/* RAM on its way through a descriptor: what of it the guest has never touched costs the host nothing on the way out and in. */
#include "qemu-kvm-backend/memory-map.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state-job.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB  (1ull << 20)
#define SIZE (LAYOUT_LOW_RAM_END + 5 * MIB) /* two regions */

/* Where something is, and what. */
static const struct {
    guint64 gpa;
    const char *text;
} touched[] = {
    { 0, "first" },
    { 7 * MIB + 4090, "over the end of a page" },
    { LAYOUT_LOW_RAM_END - 16, "last of the low" },
    { LAYOUT_HIGH_RAM, "first of the high" },
    { LAYOUT_HIGH_RAM + 5 * MIB - 8, "last" },
};

#define N_PAGES 6u

typedef struct Ram {
    int fd;
    Memory *memory;
} Ram;

static Ram
ram_new(void)
{
    Ram ram = { .fd = memfd_create("ram", MFD_CLOEXEC) };
    MemoryBacking backing = { .fd = ram.fd, .shared = true };

    g_assert_no_errno(ftruncate(ram.fd, SIZE));
    ram.memory = memory_new_from(SIZE, &backing, NULL);
    g_assert_nonnull(ram.memory);
    madvise(memory_at(ram.memory, 0, 1), SIZE, MADV_NOHUGEPAGE); /* pages are counted */
    return ram;
}

static void
ram_free(const Ram *ram)
{
    memory_free(ram->memory);
    close(ram->fd);
}

static guint64
pages_of(const Ram *ram)
{
    struct stat file;

    g_assert_no_errno(fstat(ram->fd, &file));
    return file.st_blocks * 512ull / MEMORY_PAGE;
}

static bool
check(void *data, const StateSection *first, VmmError *err)
{
    return true;
}

static void
ended(void *loop)
{
    loop_quit(loop);
}

/* Its end, which has to be a good one. */
static StateProgress
wait_job(Loop *loop, StateJob *job)
{
    StateProgress progress;
    bool cancelled;
    VmmError err = { .text = "" };

    g_assert_nonnull(job);
    loop_run(loop);
    if (!state_job_result(job, &cancelled, &err))
        g_error("%s", err.text);
    progress = state_job_progress(job);
    state_job_free(job);
    return progress;
}

/* The smallest stream: a header and a section, RAM, the end. */
static void
save(Loop *loop, const Ram *ram, int fd)
{
    const StateJobOwner owner = { .ended = ended, .data = loop };
    StateOut *before = state_out_new(), *after = state_out_new();
    StateProgress progress;
    VmmError err;

    state_put_header(before);
    state_put_head(before, "machine", "", 1, 0);
    state_put_head(after, STATE_SECTION_END, "", 1, 0);
    progress = wait_job(loop, state_job_save(loop, dup(fd), ram->memory, before, after, &owner, &err));
    g_assert_cmpuint(progress.done, ==, SIZE);
    g_assert_cmpuint(progress.total, ==, SIZE);
    g_assert_cmpuint(progress.transferred, <, (N_PAGES + 1) * MEMORY_PAGE);
}

static void
restore(Loop *loop, const Ram *ram, int fd)
{
    const StateJobOwner owner = { .check = check, .ended = ended, .data = loop };
    VmmError err;

    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    wait_job(loop, state_job_restore(loop, dup(fd), ram->memory, &owner, &err));
}

static void
assert_touched(const Ram *ram)
{
    for (gsize i = 0; i < G_N_ELEMENTS(touched); i++) {
        gsize size = strlen(touched[i].text);
        char text[64];

        g_assert_true(memory_read(ram->memory, touched[i].gpa, text, size));
        g_assert_cmpmem(text, size, touched[i].text, size);
    }
}

static void
test_holes(void)
{
    Loop *loop = loop_new();
    Ram from = ram_new(), to = ram_new();
    int fd = memfd_create("state", MFD_CLOEXEC);

    for (gsize i = 0; i < G_N_ELEMENTS(touched); i++)
        g_assert_true(memory_write(from.memory, touched[i].gpa, touched[i].text, strlen(touched[i].text)));
    g_assert_cmpuint(pages_of(&from), ==, N_PAGES);
    save(loop, &from, fd);
    g_assert_cmpuint(pages_of(&from), ==, N_PAGES);
    memory_clear(to.memory);
    g_assert_cmpuint(pages_of(&to), ==, 0);
    restore(loop, &to, fd);
    g_assert_cmpuint(pages_of(&to), ==, N_PAGES);
    assert_touched(&to);
    ram_free(&from);
    ram_free(&to);
    close(fd);
    loop_free(loop);
}

typedef struct Outside {
    Loop *loop;
    GMutex cancels; /* held by who is about to cancel the job */
    size_t n_flushed;
    size_t full; /* so many can be flushed */
} Outside;

#define N_OUTSIDE 3

static bool
flush(void *data, size_t i, VmmError *err)
{
    Outside *outside = data;

    g_assert_cmpuint(i, ==, outside->n_flushed++);
    g_mutex_lock(&outside->cancels);
    g_mutex_unlock(&outside->cancels);
    return i < outside->full || vmm_error(err, VMM_ERROR_FAILED, "%zu is full", i);
}

static void
outside_ended(void *data)
{
    loop_quit(((Outside *)data)->loop);
}

/* A save of a guest with disks, which are flushed first; bytes that it has written, or why it failed. */
static guint64
save_outside(Outside *outside, bool cancel, VmmError *ret_err)
{
    const StateJobOwner owner = {
        .n_outside = N_OUTSIDE,
        .flush = flush,
        .ended = outside_ended,
        .data = outside,
    };
    int fd = memfd_create("state", MFD_CLOEXEC);
    Memory *memory = memory_new(MIB, NULL);
    StateOut *before = state_out_new(), *after = state_out_new();
    bool cancelled;
    guint64 bytes;
    StateJob *job;

    outside->n_flushed = 0;
    state_put_header(before);
    g_mutex_lock(&outside->cancels);
    job = state_job_save(outside->loop, fd, memory, before, after, &owner, ret_err);
    if (cancel)
        state_job_cancel(job);
    g_mutex_unlock(&outside->cancels);
    loop_run(outside->loop);
    *ret_err = (VmmError){ .kind = NULL };
    state_job_result(job, &cancelled, ret_err);
    g_assert_cmpint(cancelled, ==, cancel);
    bytes = state_job_progress(job).transferred;
    state_job_free(job);
    memory_free(memory);
    return bytes;
}

/* What is outside of the machine is flushed before the first byte is written, until one place cannot be, and no more of it
 * than somebody wants. */
static void
test_outside(void)
{
    Outside outside = { .loop = loop_new(), .full = N_OUTSIDE };
    VmmError err;

    g_mutex_init(&outside.cancels);
    g_assert_cmpuint(save_outside(&outside, false, &err), >, 0);
    g_assert_null(err.kind);
    g_assert_cmpuint(outside.n_flushed, ==, N_OUTSIDE);
    g_assert_cmpuint(save_outside(&outside, true, &err), ==, 0);
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_STATE);
    g_assert_cmpuint(outside.n_flushed, <=, 1); /* that was under way */
    outside.full = 1;
    g_assert_cmpuint(save_outside(&outside, false, &err), ==, 0);
    g_assert_cmpstr(err.text, ==, "1 is full");
    g_assert_cmpuint(outside.n_flushed, ==, 2);
    g_mutex_clear(&outside.cancels);
    loop_free(outside.loop);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/state-job/holes", test_holes);
    g_test_add_func("/state-job/outside", test_outside);
    return g_test_run();
}
