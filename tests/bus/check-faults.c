/* The same storm on a disk that fails: what is refused has changed nothing, with a message that says why, and what is
 * acknowledged is there when the daemon is killed and its disk is good again.
 *
 * Environment: FAULT_ROUNDS (8), SEED. Part of "make check-kill".
 */
#include "tests/bus/faulty-disk.h"
#include "tests/bus/storm-check.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#define ROUNDS   8
#define STORM_US 300000

static guint
number_from(const char *name, guint usual)
{
    const char *text = g_getenv(name);

    return text && *text ? strtoul(text, NULL, 10) : usual;
}

static FaultyDisk *
faulty_disk_new(Fixture *fixture)
{
    g_autofree char *path = g_build_filename(fixture->dir, "faulty-disk", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    FaultyDisk *disk;

    g_assert_no_errno(ftruncate(fd, sizeof(*disk)));
    disk = mmap(NULL, sizeof(*disk), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    g_assert_true(disk != MAP_FAILED);
    close(fd);
    g_setenv("FAULTY_DISK", path, TRUE);
    g_setenv("FAULTY_DIR", fixture->dir, TRUE);
    return disk;
}

static void
start_daemon(Fixture *fixture)
{
    g_autofree char *shim = fixture_built("tests/bus/faulty-disk.so");

    g_setenv("LD_PRELOAD", shim, TRUE);
    fixture_start_daemon(fixture);
    g_unsetenv("LD_PRELOAD");
}

static void
check(Fixture *fixture, Storm *storm)
{
    storm_check_wait(fixture);
    storm_check_slots(fixture, storm);
}

/* Before and after a restart: what is in memory and what is on the disk. */
static void
check_twice(Fixture *fixture, Storm *storm, void (*start)(Fixture *fixture))
{
    check(fixture, storm);
    fixture_end_daemon(fixture, SIGKILL);
    start(fixture);
    check(fixture, storm);
    storm_check_litter(fixture, storm, FALSE, NULL);
}

static void
rage_for_a_while(Storm *storm)
{
    storm_begin(storm);
    g_usleep(STORM_US);
    storm_end(storm);
}

static Storm *
storm_on(Fixture *fixture)
{
    g_autofree char *kernel = g_build_filename(fixture->dir, "kernel", NULL);
    guint seed = number_from("SEED", (guint32)g_get_real_time());
    Storm *storm = storm_new(fixture, kernel, "", seed);

    g_test_message("SEED=%u", seed);
    storm_expect_faults(storm);
    return storm;
}

static void
report(Storm *storm)
{
    g_test_message("%u changes acknowledged, %u refused", storm_count(storm),
                   storm_count_refused(storm));
    g_assert_cmpuint(storm_count(storm), >, 0);
    g_assert_cmpuint(storm_count_refused(storm), >, 0);
}

static void
report_calls(const FaultyDisk *disk)
{
    static const char *const names[FAULTY_CALLS] = {
        [FAULTY_WRITE] = "write",   [FAULTY_FSYNC] = "fsync",
        [FAULTY_RENAME] = "rename", [FAULTY_LINK] = "link",
        [FAULTY_UNLINK] = "unlink", [FAULTY_FSYNC_DIR] = "fsync of a directory",
    };

    for (guint i = 0; i < FAULTY_CALLS; i++)
        g_test_message("%s failed %u times", names[i], disk->failed[i]);
}

typedef struct Faults {
    const char *path;
    int error;
    guint one_in, only; /* as FaultyDisk's */
} Faults;

/* The calls whose failure is often none, for they make room or bring something back, fail the most where no other does. */
static const Faults all_faults[] = {
    { "/faults/io-error", EIO, 25, 0 },
    { "/faults/no-space", ENOSPC, 25, 0 },
    { "/faults/unlink", EIO, 3, 1 << FAULTY_UNLINK },
    { "/faults/rename", EIO, 3, 1 << FAULTY_RENAME },
};

static void
test_faults(gconstpointer data)
{
    const Faults *faults = data;
    g_autoptr(Fixture) fixture = fixture_new_bare();
    FaultyDisk *disk = faulty_disk_new(fixture);
    g_autoptr(Storm) storm = NULL;

    disk->error = faults->error;
    disk->only = faults->only;
    start_daemon(fixture);
    storm = storm_on(fixture);
    for (guint i = 0; i < number_from("FAULT_ROUNDS", ROUNDS); i++) {
        __atomic_store_n(&disk->one_in, faults->one_in, __ATOMIC_RELAXED);
        rage_for_a_while(storm);
        __atomic_store_n(&disk->one_in, 0, __ATOMIC_RELAXED);
        check_twice(fixture, storm, start_daemon);
    }
    report(storm);
    report_calls(disk);
    munmap(disk, sizeof(*disk));
}

/* A file system that is too small for what the clients want to have there. */
static void
test_full(void)
{
    g_autoptr(Fixture) fixture = NULL;
    g_autoptr(Storm) storm = NULL;
    g_autofree char *dir = NULL;

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        g_test_skip("no file system can be mounted here");
        return;
    }
    fixture = fixture_new_bare();
    dir = g_build_filename(fixture->dir, "config", NULL);
    g_assert_no_errno(mount("tmpfs", dir, "tmpfs", 0, "size=64k"));
    fixture_start_daemon(fixture);
    storm = storm_on(fixture);
    for (guint i = 0; i < number_from("FAULT_ROUNDS", ROUNDS); i++) {
        rage_for_a_while(storm);
        check_twice(fixture, storm, fixture_start_daemon);
    }
    report(storm);
    umount2(dir, MNT_DETACH);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(all_faults); i++)
        g_test_add_data_func(all_faults[i].path, &all_faults[i], test_faults);
    g_test_add_func("/faults/small-disk", test_full);
    return g_test_run();
}
