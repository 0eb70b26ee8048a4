/* Payload guests that are saved in one process and restored in another. */
#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB       (1ull << 20)
#define VCPUS_MAX 255

static int
memory_file(void)
{
    int fd = memfd_create("state", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* Sends @verb, "save" or "restore", with a copy of @fd. */
static VmmMsg *
call_with(Vmm *vmm, const char *verb, int fd)
{
    VmmMsg *msg = vmm_request(vmm, verb);

    vmm_msg_put_fd(msg, "fd", fcntl(fd, F_DUPFD_CLOEXEC, 0));
    return vmm_call(vmm, msg);
}

/* The end of the job that runs; its bytes. */
static guint64
wait_job(Vmm *vmm, const char *job, const char *outcome, const char *part)
{
    vmm_msg_auto event = vmm_wait_event(vmm, VMM_EVENT_JOB_ENDED);
    const char *got_job = NULL, *got_outcome = NULL, *text = "";
    guint64 bytes = 0;

    vmm_msg_get_string(event, "text", &text);
    g_assert_true(vmm_msg_get_string(event, "job", &got_job));
    g_assert_true(vmm_msg_get_string(event, "outcome", &got_outcome));
    g_assert_true(vmm_msg_get_u64(event, "bytes", &bytes));
    if (strcmp(got_outcome, outcome) != 0 || !strstr(text, part))
        g_error("%s: %s (%s), not %s (%s)", got_job, got_outcome, text, outcome, part);
    g_assert_cmpstr(got_job, ==, job);
    return bytes;
}

static guint64
save(Vmm *vmm, int fd)
{
    vmm_accept(call_with(vmm, VMM_SAVE, fd));
    return wait_job(vmm, "save", "completed", "");
}

static void
restore(Vmm *vmm, int fd)
{
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    vmm_accept(call_with(vmm, VMM_RESTORE, fd));
    wait_job(vmm, "restore", "completed", "");
}

/* A machine for @cmdline that goes on with @like's console. */
static Vmm *
build_like(Vmm *like, guint vcpus, const char *cmdline)
{
    Vmm *vmm = vmm_spawn();
    int serial = vmm_serial_fd(like);

    vmm_set_serial(vmm, serial);
    close(serial);
    vmm_build(vmm, vcpus, cmdline);
    return vmm;
}

/* The guest goes on in a second process, is saved there again, and ends in a third. */
static void
test_goes_on(void)
{
    g_autoptr(Vmm) first = NULL, second = NULL, third = NULL;
    g_autofree char *said = NULL;
    g_autoptr(GString) expected = g_string_new(NULL);
    int fd;
    struct stat file;

    if (!vmm_have_kvm())
        return;
    fd = memory_file();
    first = vmm_start(1, "ticks 12");
    vmm_wait_serial(first, "tick 20\n");
    vmm_do(first, VMM_PAUSE);
    save(first, fd);
    /* Of the pattern's 4 MiB each second page is zero, and so is the rest. */
    g_assert_no_errno(fstat(fd, &file));
    g_assert_cmpint(file.st_size, >, 2 * MIB);
    g_assert_cmpint(file.st_size, <, 4 * MIB);
    second = build_like(first, 1, "ticks 12");
    vmm_do(first, VMM_QUIT);
    restore(second, fd);
    vmm_assert_state(second, VMM_STATE_PAUSED, VMM_REASON_USER);
    vmm_do(second, VMM_RUN);
    vmm_wait_serial(second, "tick 60\n");
    vmm_do(second, VMM_PAUSE);
    g_assert_no_errno(ftruncate(fd, 0));
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    save(second, fd);
    third = build_like(second, 1, "ticks 12");
    vmm_do(second, VMM_QUIT);
    restore(third, fd);
    vmm_do(third, VMM_RUN);
    vmm_wait_stopped(third, VMM_REASON_EXIT, "0");
    for (guint i = 1; i <= 12; i++)
        g_string_append_printf(expected, "tick %u\n", 10 * i);
    g_string_append(expected, "all is well\n");
    said = vmm_serial(third);
    g_assert_cmpstr(said, ==, expected->str);
    close(fd);
}

static guint64
blocks_of(int fd)
{
    struct stat file;

    g_assert_no_errno(fstat(fd, &file));
    return file.st_blocks;
}

/* A machine whose RAM is the file @ram, which shows what the guest does there. */
static void
build_in_file(Vmm *vmm, int ram)
{
    VmmMsg *create = vmm_create_request(vmm, 16 * MIB, 1, "ticks 4");

    g_assert_no_errno(ftruncate(ram, 16 * MIB));
    vmm_msg_put_fd(create, "ram", fcntl(ram, F_DUPFD_CLOEXEC, 0));
    vmm_msg_put_bool(create, "ram-shared", TRUE);
    vmm_accept(vmm_call(vmm, create));
    vmm_add_devices(vmm);
}

/* What a guest has never touched of a file that is its RAM is not there after a save or a restore either. */
static void
test_file(void)
{
    g_autoptr(Vmm) first = NULL, second = NULL;
    int fd, ram, other;
    guint64 before;

    if (!vmm_have_kvm())
        return;
    fd = memory_file();
    ram = memory_file();
    other = memory_file();
    first = vmm_spawn();
    build_in_file(first, ram);
    vmm_do(first, VMM_RUN);
    vmm_wait_serial(first, "tick 10\n");
    vmm_do(first, VMM_PAUSE);
    before = blocks_of(ram);
    g_assert_cmpuint(before, <, 16 * MIB / 512);
    save(first, fd);
    g_assert_cmpuint(blocks_of(ram), ==, before);
    second = vmm_spawn();
    build_in_file(second, other);
    restore(second, fd);
    g_assert_cmpuint(blocks_of(other), <=, before);
    vmm_do(second, VMM_RUN);
    vmm_wait_stopped(second, VMM_REASON_EXIT, "0");
    close(fd);
    close(ram);
    close(other);
}

/* A saved guest may as well run on where it is. */
static void
test_stays(void)
{
    g_autoptr(Vmm) vmm = NULL;
    int fd;

    if (!vmm_have_kvm())
        return;
    fd = memory_file();
    vmm = vmm_start(1, "ticks 4");
    vmm_wait_serial(vmm, "tick 10\n");
    vmm_do(vmm, VMM_PAUSE);
    g_assert_cmpuint(save(vmm, fd), ==, lseek(fd, 0, SEEK_END));
    vmm_do(vmm, VMM_RUN);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    close(fd);
}

/* One that has not run is saved before its first instruction, with which it begins wherever it is. */
static void
test_before_run(void)
{
    g_autoptr(Vmm) first = NULL, second = NULL;
    g_autofree char *said = NULL;
    int fd;

    if (!vmm_have_kvm())
        return;
    fd = memory_file();
    first = vmm_spawn();
    vmm_build(first, 2, "ticks 2");
    save(first, fd);
    vmm_assert_state(first, VMM_STATE_PAUSED, VMM_REASON_USER);
    second = build_like(first, 2, "ticks 2");
    restore(second, fd);
    vmm_do(second, VMM_RUN);
    vmm_wait_stopped(second, VMM_REASON_EXIT, "0");
    vmm_do(first, VMM_RUN);
    vmm_wait_stopped(first, VMM_REASON_EXIT, "0");
    said = vmm_serial(second); /* both write there */
    g_assert_cmpstr(said, ==, "tick 10\ntick 20\nall is well\ntick 10\ntick 20\nall is well\n");
    close(fd);
}

/* Both ends of a pipe, of which neither process sees the whole. */
static void
test_pipe(void)
{
    g_autoptr(Vmm) from = NULL, to = NULL;
    int fds[2];

    if (!vmm_have_kvm())
        return;
    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    from = vmm_start(2, "ticks 4");
    vmm_wait_serial(from, "tick 10\n");
    vmm_do(from, VMM_PAUSE);
    to = build_like(from, 2, "ticks 4");
    vmm_accept(call_with(from, VMM_SAVE, fds[1]));
    vmm_accept(call_with(to, VMM_RESTORE, fds[0]));
    wait_job(from, "save", "completed", "");
    wait_job(to, "restore", "completed", "");
    vmm_do(from, VMM_QUIT);
    vmm_do(to, VMM_RUN);
    vmm_wait_stopped(to, VMM_REASON_EXIT, "0");
    close(fds[0]);
    close(fds[1]);
}

/* Nobody reads the pipe: the VMM answers, says how far it is, refuses what would change the guest, and gives up
 * when it is told to. The guest is none the worse. */
static void
test_cancel(void)
{
    g_autoptr(Vmm) vmm = NULL;
    const char *job = NULL;
    guint64 done = 0, total = 0;
    int fds[2];

    if (!vmm_have_kvm())
        return;
    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    vmm = vmm_start(1, "ticks 4");
    vmm_wait_serial(vmm, "tick 10\n");
    vmm_do(vmm, VMM_CANCEL_JOB);
    vmm_do(vmm, VMM_PAUSE);
    vmm_accept(call_with(vmm, VMM_SAVE, fds[1]));
    {
        vmm_msg_auto stats = vmm_call(vmm, vmm_request(vmm, VMM_STATS));

        g_assert_true(vmm_msg_get_string(stats, "job", &job));
        g_assert_cmpstr(job, ==, "save");
        g_assert_true(vmm_msg_get_u64(stats, "job-done", &done));
        g_assert_true(vmm_msg_get_u64(stats, "job-total", &total));
        g_assert_cmpuint(total, ==, 16 * MIB);
        g_assert_cmpuint(done, <=, total);
    }
    vmm_refuses(vmm, VMM_RUN, VMM_ERROR_STATE);
    vmm_refuses(vmm, VMM_RESET, VMM_ERROR_STATE);
    vmm_reject(call_with(vmm, VMM_SAVE, fds[1]), VMM_ERROR_STATE, "'save' is under way");
    vmm_do(vmm, VMM_CANCEL_JOB);
    wait_job(vmm, "save", "cancelled", "cancelled");
    vmm_do(vmm, VMM_RUN);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
    close(fds[0]);
    close(fds[1]);
}

/* All times of as many vCPUs as there may be, and how far the job is, are one answer. */
static void
test_progress_of_many(void)
{
    g_autoptr(Vmm) vmm = NULL;
    vmm_msg_auto stats = NULL;
    const void *times = NULL;
    guint64 first = 0;
    gsize size = 0;
    int fds[2];

    if (!vmm_have_kvm())
        return;
    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    vmm = vmm_spawn();
    vmm_build(vmm, VCPUS_MAX, "ticks 4");
    vmm_accept(call_with(vmm, VMM_SAVE, fds[1]));
    stats = vmm_call(vmm, vmm_request(vmm, VMM_STATS));
    g_assert_true(vmm_msg_has(stats, "job"));
    g_assert_true(vmm_msg_get_bytes(stats, "vcpu-times", &times, &size));
    g_assert_cmpuint(size, ==, VCPUS_MAX * sizeof(guint64));
    memcpy(&first, times, sizeof(first)); /* a message aligns nothing */
    g_assert_cmpuint(first, >, 0);
    vmm_do(vmm, VMM_CANCEL_JOB);
    wait_job(vmm, "save", "cancelled", "cancelled");
    close(fds[0]);
    close(fds[1]);
}

/* The reader goes away in the middle, or the process is told to end. */
static void
test_interrupted(void)
{
    g_autoptr(Vmm) vmm = NULL;
    int fds[2];

    if (!vmm_have_kvm())
        return;
    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    vmm = vmm_start(1, "ticks 4");
    vmm_wait_serial(vmm, "tick 10\n");
    vmm_do(vmm, VMM_PAUSE);
    vmm_accept(call_with(vmm, VMM_SAVE, fds[1]));
    close(fds[1]);
    close(fds[0]);
    wait_job(vmm, "save", "failed", "Broken pipe");
    g_assert_no_errno(pipe2(fds, O_CLOEXEC));
    vmm_accept(call_with(vmm, VMM_SAVE, fds[1]));
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
    close(fds[0]);
    close(fds[1]);
}

/* A stream of a guest with @vcpus in 16 MiB. */
static int
saved_guest(guint vcpus)
{
    g_autoptr(Vmm) vmm = vmm_spawn();
    int fd = memory_file();

    vmm_build(vmm, vcpus, "ticks 4");
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "tick 10\n");
    vmm_do(vmm, VMM_PAUSE);
    save(vmm, fd);
    return fd;
}

/* What a machine lacks, or has too much, is said by name, before anything of it is restored. */
static void
test_mismatch(void)
{
    static const struct {
        guint64 memory;
        guint vcpus;
        gboolean acpi, exit;
        const char *text;
    } cases[] = {
        { 32 * MIB, 1, TRUE, TRUE, "has 16777216 bytes of memory, this machine has 33554432" },
        { 16 * MIB, 2, TRUE, TRUE, "has 1 vCPUs, this machine has 2" },
        { 16 * MIB, 1, FALSE, TRUE, "has 1 sets of ACPI tables, this machine has 0" },
        { 16 * MIB, 1, TRUE, FALSE, "has a device 'debug-exit exit', which this machine has not" },
    };
    int fd;

    if (!vmm_have_kvm())
        return;
    fd = saved_guest(1);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Vmm) vmm = vmm_spawn();
        VmmMsg *create = vmm_create_request(vmm, cases[i].memory, cases[i].vcpus, "ticks 4");

        vmm_msg_put_bool(create, "acpi", cases[i].acpi);
        vmm_accept(vmm_call(vmm, create));
        if (cases[i].exit)
            vmm_add_devices(vmm);
        else
            vmm_add_serial(vmm);
        lseek(fd, 0, SEEK_SET);
        vmm_accept(call_with(vmm, VMM_RESTORE, fd));
        wait_job(vmm, "restore", "failed", cases[i].text);
        vmm_refuses(vmm, VMM_RUN, VMM_ERROR_STATE);
        vmm_do(vmm, VMM_QUIT);
        vmm_wait_exit(vmm);
    }
    close(fd);
}

/* Cut short anywhere, it is an error; so is something else altogether. */
static void
test_damaged(void)
{
    struct stat file;
    int fd;

    if (!vmm_have_kvm())
        return;
    fd = saved_guest(1);
    g_assert_no_errno(fstat(fd, &file));
    for (guint i = 0; i <= 8; i++) {
        g_autoptr(Vmm) vmm = vmm_spawn();

        if (i < 8)
            g_assert_no_errno(ftruncate(fd, file.st_size * (7 - i) / 8 + 3));
        else
            g_assert_cmpint(pwrite(fd, "not a guest's state", 19, 0), ==, 19);
        vmm_build(vmm, 1, "ticks 4");
        lseek(fd, 0, SEEK_SET);
        vmm_accept(call_with(vmm, VMM_RESTORE, fd));
        wait_job(vmm, "restore", "failed",
                 i < 8 ? "cut short" : "This is not the saved state of a guest");
        vmm_do(vmm, VMM_QUIT);
        vmm_wait_exit(vmm);
    }
    close(fd);
}

/* At the wrong time, or without a file. */
static void
test_states(void)
{
    g_autoptr(Vmm) vmm = NULL;
    int fd;

    if (!vmm_have_kvm())
        return;
    fd = memory_file();
    vmm = vmm_spawn();
    vmm_reject(call_with(vmm, VMM_RESTORE, fd), VMM_ERROR_STATE, "empty");
    vmm_build(vmm, 1, "idle");
    vmm_refuses(vmm, VMM_RESTORE, VMM_ERROR_INVALID);
    vmm_do(vmm, VMM_RUN);
    vmm_reject(call_with(vmm, VMM_SAVE, fd), VMM_ERROR_STATE, "not paused");
    vmm_reject(call_with(vmm, VMM_RESTORE, fd), VMM_ERROR_STATE, "running");
    vmm_do(vmm, VMM_PAUSE);
    vmm_refuses(vmm, VMM_SAVE, VMM_ERROR_INVALID);
    close(fd);
}

static guint64
take_dirty(Vmm *vmm)
{
    vmm_msg_auto reply = vmm_call(vmm, vmm_request(vmm, VMM_TAKE_DIRTY));
    guint64 pages = 0;

    g_assert_true(vmm_msg_get_u64(reply, "pages", &pages));
    return pages;
}

static void
track_dirty(Vmm *vmm, gboolean on)
{
    VmmMsg *msg = vmm_request(vmm, VMM_TRACK_DIRTY);

    vmm_msg_put_bool(msg, "on", on);
    vmm_accept(vmm_call(vmm, msg));
}

/* A guest that counts writes a few pages, over and over; a paused one none. */
static void
test_dirty(void)
{
    g_autoptr(Vmm) vmm = NULL;
    guint64 pages;

    if (!vmm_have_kvm())
        return;
    vmm = vmm_spawn();
    vmm_refuses(vmm, VMM_TAKE_DIRTY, VMM_ERROR_STATE);
    vmm_build(vmm, 1, "ticks 8");
    vmm_refuses(vmm, VMM_TAKE_DIRTY, VMM_ERROR_STATE);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "tick 10\n");
    track_dirty(vmm, TRUE);
    take_dirty(vmm);
    vmm_wait_serial(vmm, "tick 30\n");
    vmm_do(vmm, VMM_PAUSE);
    pages = take_dirty(vmm);
    g_assert_cmpuint(pages, >=, 1);
    g_assert_cmpuint(pages, <, 64); /* of 4096 */
    g_assert_cmpuint(take_dirty(vmm), ==, 0);
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "tick 50\n");
    g_assert_cmpuint(take_dirty(vmm), >=, 1);
    track_dirty(vmm, FALSE);
    vmm_refuses(vmm, VMM_TAKE_DIRTY, VMM_ERROR_STATE);
    vmm_wait_stopped(vmm, VMM_REASON_EXIT, "0");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/save/goes-on", test_goes_on);
    g_test_add_func("/save/file", test_file);
    g_test_add_func("/save/stays", test_stays);
    g_test_add_func("/save/before-run", test_before_run);
    g_test_add_func("/save/pipe", test_pipe);
    g_test_add_func("/save/cancel", test_cancel);
    g_test_add_func("/save/progress-of-many", test_progress_of_many);
    g_test_add_func("/save/interrupted", test_interrupted);
    g_test_add_func("/save/mismatch", test_mismatch);
    g_test_add_func("/save/damaged", test_damaged);
    g_test_add_func("/save/states", test_states);
    g_test_add_func("/save/dirty", test_dirty);
    return g_test_run();
}
