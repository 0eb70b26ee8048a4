/* A guest in whose hands a disk changes: how fast it may be, and its size; and the threads that serve disks. */
#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB     (1ull << 20)
#define SECTOR  512
#define DEPTH   16
#define PATTERN 0xa5 /* the guest's own, ring3/blk-live.c */

/* A guest that plays @scene on a disk that is still to come. */
static Vmm *
build(const char *scene)
{
    g_autofree char *kernel = vmm_built("tests/guest/ring3/ring3.elf");
    Vmm *vmm = vmm_spawn();

    vmm_accept(vmm_call(vmm, vmm_create_kernel_request(vmm, kernel, NULL, 32 * MIB, 1, scene)));
    vmm_add_serial(vmm);
    return vmm;
}

static VmmMsg *
disk_request(Vmm *vmm, int fd)
{
    VmmMsg *msg = vmm_request(vmm, VMM_ADD_DEVICE);

    vmm_msg_put_string(msg, "class", VMM_CLASS_VIRTIO_PCI);
    vmm_msg_put_string(msg, "id", "disk");
    vmm_msg_put_string(msg, "device", "blk");
    vmm_msg_put_fd(msg, "fd", fd);
    return msg;
}

static VmmMsg *
tell_request(Vmm *vmm)
{
    VmmMsg *msg = vmm_request(vmm, VMM_TELL_DEVICE);

    vmm_msg_put_string(msg, "id", "disk");
    return msg;
}

static guint64
tell(Vmm *vmm, VmmMsg *request, const char *key)
{
    VmmMsg *reply = vmm_call(vmm, request);
    guint64 number = 0;

    g_assert_true(vmm_msg_get_u64(reply, key, &number));
    vmm_accept(reply);
    return number;
}

/* Limits */

/* Where nothing but one limit is in force, a block takes longer than a test waits for anything. */
typedef struct Way {
    const char *path;
    const char *limit;
    gboolean by_parts; /* each byte of a block is an operation */
    gboolean thread;
} Way;

static const Way ways[] = {
    { "/disk/limits/iops", "total-iops-sec", TRUE, FALSE },
    { "/disk/limits/bytes", "read-bytes-sec", FALSE, FALSE },
    { "/disk/limits/thread", "read-iops-sec", TRUE, TRUE },
};

static void
put_limit(VmmMsg *msg, const Way *way)
{
    vmm_msg_put_bool(msg, "limits", TRUE);
    vmm_msg_put_u64(msg, way->limit, 1);
    if (way->by_parts)
        vmm_msg_put_u64(msg, "size-iops-sec", 1);
}

/* Each sector begins with its number. */
static int
numbered_disk(void)
{
    int fd = memfd_create("disk", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(ftruncate(fd, MIB));
    for (guint64 i = 0; i < MIB / SECTOR; i++)
        g_assert_cmpint(pwrite(fd, &i, sizeof(i), i * SECTOR), ==, sizeof(i));
    return fd;
}

static guint
count(Vmm *vmm, const char *text)
{
    g_autofree char *said = vmm_serial(vmm);
    g_auto(GStrv) parts = g_strsplit(said, text, -1);

    g_assert_null(strstr(said, "failed"));
    return g_strv_length(parts) - 1;
}

/* Until it has read another @n waves of blocks. */
static void
wait_waves(Vmm *vmm, guint n)
{
    guint before = count(vmm, "all\n");
    gint64 limit = g_get_monotonic_time() + 600 * G_USEC_PER_SEC;

    while (count(vmm, "all\n") < before + n) {
        g_assert_cmpint(g_get_monotonic_time(), <, limit);
        g_usleep(2000);
    }
}

static guint64
reads(Vmm *vmm)
{
    return tell(vmm, tell_request(vmm), "rd-requests");
}

static void
lift(Vmm *vmm)
{
    VmmMsg *msg = tell_request(vmm);

    vmm_msg_put_bool(msg, "limits", TRUE);
    vmm_accept(vmm_call(vmm, msg));
}

/* One of the first wave gets through, the others of it would have to wait for hours; no longer, when the limit is
 * lifted. It is set anew while the guest goes on reading, and lifted again. */
static void
test_limits(gconstpointer data)
{
    const Way *way = data;
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;
    guint64 before;

    if (!vmm_have_kvm())
        return;
    vmm = build("blk-waves " G_STRINGIFY(DEPTH));
    msg = disk_request(vmm, numbered_disk());
    if (way->thread)
        vmm_msg_put_u64(msg, "iothread", 1);
    put_limit(msg, way);
    vmm_accept(vmm_call(vmm, msg));
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "first\n");
    g_usleep(200000);
    g_assert_cmpuint(count(vmm, "all\n"), ==, 0);
    g_assert_cmpuint(reads(vmm), ==, 1);

    lift(vmm);
    wait_waves(vmm, 20);
    msg = tell_request(vmm);
    put_limit(msg, way);
    before = tell(vmm, msg, "rd-requests");
    g_usleep(200000);
    g_assert_cmpuint(reads(vmm), <=, before + 2 * DEPTH);

    lift(vmm);
    wait_waves(vmm, 20);
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

/* What a guest has read in some time is not more than what it may, a busy machine or not: what is let through at once,
 * and what was under way before. */
static void
test_rate(void)
{
    const guint rate = 40;
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;
    gint64 begin;
    guint64 before, n;

    if (!vmm_have_kvm())
        return;
    vmm = build("blk-waves " G_STRINGIFY(DEPTH));
    vmm_accept(vmm_call(vmm, disk_request(vmm, numbered_disk())));
    vmm_do(vmm, VMM_RUN);
    wait_waves(vmm, 5);
    begin = g_get_monotonic_time();
    msg = tell_request(vmm);
    vmm_msg_put_bool(msg, "limits", TRUE);
    vmm_msg_put_u64(msg, "read-iops-sec", rate);
    before = tell(vmm, msg, "rd-requests");
    wait_waves(vmm, 6);
    n = reads(vmm) - before;
    g_assert_cmpfloat(n, <=,
                      DEPTH + rate / 10 + 1 +
                          (double)(g_get_monotonic_time() - begin) / G_USEC_PER_SEC * rate);
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

/* Sizes */

static const guint64 sizes[] = { 1024 * MIB, 3 * MIB, 1024 * MIB, 1500 * MIB };

static gboolean
try_tool(const char *line, char **ret_said)
{
    g_autofree char *output = NULL, *errors = NULL;
    g_autoptr(GError) error = NULL;
    int status;

    g_spawn_command_line_sync(line, &output, &errors, &status, &error);
    g_assert_no_error(error);
    *ret_said = g_strconcat(output, errors, NULL);
    return g_spawn_check_wait_status(status, NULL);
}

static void
run_tool(const char *format, ...)
{
    g_autofree char *line = NULL, *said = NULL;
    va_list args;

    va_start(args, format);
    line = g_strdup_vprintf(format, args);
    va_end(args);
    if (!try_tool(line, &said))
        g_error("%s: %s", line, said);
}

static int
open_image(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* The host has another file size, and says so. */
static void
resize_raw(Vmm *vmm, const char *path, guint64 size)
{
    VmmMsg *msg = tell_request(vmm);

    g_assert_no_errno(truncate(path, size));
    vmm_msg_put_bool(msg, "resize", TRUE);
    g_assert_cmpuint(tell(vmm, msg, "size"), ==, size);
}

static void
assert_resized(Vmm *vmm, guint64 size)
{
    vmm_msg_auto event = vmm_wait_event(vmm, VMM_EVENT_RESIZED);
    const char *text = "";
    guint64 got = 0;

    vmm_msg_get_string(event, "text", &text);
    g_assert_cmpstr(text, ==, "");
    g_assert_true(vmm_msg_get_u64(event, "size", &got));
    g_assert_cmpuint(got, ==, size);
}

static void
resize_qcow2(Vmm *vmm, guint64 size)
{
    VmmMsg *msg = tell_request(vmm);

    vmm_msg_put_u64(msg, "new-size", size);
    vmm_accept(vmm_call(vmm, msg));
    assert_resized(vmm, size);
}

/* The guest is told by an interrupt, sees the new size, and that what has come is empty, and writes to the last sector:
 * also to what was there once, and was cut off. */
static void
resize_all(Vmm *vmm, const char *path, gboolean qcow2)
{
    g_autoptr(GString) said = g_string_new("2048 sectors\n");

    vmm_wait_serial(vmm, said->str);
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        if (qcow2)
            resize_qcow2(vmm, sizes[i]);
        else
            resize_raw(vmm, path, sizes[i]);
        g_string_append_printf(said, "%" G_GUINT64_FORMAT " sectors\n", sizes[i] / SECTOR);
        vmm_wait_serial(vmm, said->str);
    }
}

/* What is there instead, and where QEMU finds it, is told: this was seen to fail once. */
static void
assert_written(const char *path, const char *format, guint64 offset)
{
    g_autofree char *find = g_strdup_printf("qemu-io -r -f %s -c 'read -P %u %" G_GUINT64_FORMAT " %u' %s",
                                            format, PATTERN, offset, SECTOR, path);
    g_autofree char *look = g_strdup_printf("qemu-io -r -f %s -c 'read -v %" G_GUINT64_FORMAT " %u' %s",
                                            format, offset, SECTOR, path);
    g_autofree char *map = g_strdup_printf("qemu-img map --output=json -f %s %s", format, path);
    g_autofree char *found = NULL, *seen = NULL, *mapped = NULL;

    if (try_tool(find, &found))
        return;
    try_tool(look, &seen);
    try_tool(map, &mapped);
    g_error("%s%s%s", found, seen, mapped);
}

/* What the guest has written to the last sector is there, and what it wrote to the last one before that. */
static void
assert_image(const char *path, const char *format)
{
    const guint64 last = sizes[G_N_ELEMENTS(sizes) - 1], old = sizes[G_N_ELEMENTS(sizes) - 2];

    if (strcmp(format, "qcow2") == 0)
        run_tool("qemu-img check -q -f qcow2 %s", path);
    assert_written(path, format, last - SECTOR);
    assert_written(path, format, old - SECTOR);
}

static void
test_resize(gconstpointer format)
{
    g_autofree char *dir = NULL, *path = NULL;
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;

    if (!vmm_have_kvm())
        return;
    dir = g_dir_make_tmp("disk-XXXXXX", NULL);
    path = g_build_filename(dir, "image", NULL);
    run_tool("qemu-img create -q -f %s %s 1M", (const char *)format, path);
    vmm = build("blk-sizes");
    msg = disk_request(vmm, open_image(path));
    vmm_msg_put_string(msg, "format", format);
    vmm_accept(vmm_call(vmm, msg));
    vmm_do(vmm, VMM_RUN);
    resize_all(vmm, path, strcmp(format, "qcow2") == 0);
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
    assert_image(path, format);
    g_unlink(path);
    g_rmdir(dir);
}

/* Saves */

/* A copy of the image @path in memory, which can be sealed. */
static int
copy_image(const char *path)
{
    g_autofree char *contents = NULL;
    int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    gsize size;

    g_assert_cmpint(fd, >=, 0);
    g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
    g_assert_cmpint(write(fd, contents, size), ==, size);
    return fd;
}

static int
new_qcow2(void)
{
    g_autofree char *dir = g_dir_make_tmp("disk-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "image", NULL);
    int fd;

    run_tool("qemu-img create -q -f qcow2 %s 1M", path);
    fd = copy_image(path);
    g_unlink(path);
    g_rmdir(dir);
    return fd;
}

/* Into what takes any number of bytes. */
static void
assert_save(Vmm *vmm, const char *outcome, const char *text)
{
    vmm_msg_auto event = NULL;
    VmmMsg *msg = vmm_request(vmm, VMM_SAVE);
    const char *got_outcome = NULL, *got_text = "";

    vmm_msg_put_fd(msg, "fd", open("/dev/null", O_WRONLY | O_CLOEXEC));
    vmm_accept(vmm_call(vmm, msg));
    event = vmm_wait_event(vmm, VMM_EVENT_JOB_ENDED);
    vmm_msg_get_string(event, "outcome", &got_outcome);
    vmm_msg_get_string(event, "text", &got_text);
    g_assert_cmpstr(got_outcome, ==, outcome);
    g_assert_cmpstr(got_text, ==, text);
}

/* A guest is not saved while some of what it has written to its disk is in its process alone, here for an image that
 * nobody can write any more. It stays as it is. */
static void
test_save(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;
    int image;

    if (!vmm_have_kvm())
        return;
    image = new_qcow2();
    vmm = build("blk-sizes");
    msg = disk_request(vmm, fcntl(image, F_DUPFD_CLOEXEC, 0));
    vmm_msg_put_string(msg, "format", "qcow2");
    vmm_accept(vmm_call(vmm, msg));
    vmm_do(vmm, VMM_RUN);
    vmm_wait_serial(vmm, "2048 sectors\n");
    vmm_do(vmm, VMM_PAUSE);
    assert_save(vmm, VMM_OUTCOME_COMPLETED, "");
    vmm_do(vmm, VMM_RUN);
    resize_qcow2(vmm, 2 * MIB);
    vmm_wait_serial(vmm, "2048 sectors\n4096 sectors\n");
    g_assert_no_errno(fcntl(image, F_ADD_SEALS, F_SEAL_WRITE));
    vmm_do(vmm, VMM_PAUSE);
    for (guint i = 0; i < 2; i++)
        assert_save(vmm, VMM_OUTCOME_FAILED,
                    "What the guest has written to disk 'disk' cannot be brought to its image: "
                    "Operation not permitted");
    vmm_assert_state(vmm, VMM_STATE_PAUSED, VMM_REASON_USER);
    vmm_do(vmm, VMM_RUN);
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
    close(image);
}

/* Threads */

static VmmMsg *
thread_request(Vmm *vmm, const char *verb, guint id)
{
    VmmMsg *msg = vmm_request(vmm, verb);

    vmm_msg_put_u64(msg, "id", id);
    return msg;
}

static char *
task_file(Vmm *vmm, const char *tid, const char *file)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task/%s/%s", (int)vmm_pid(vmm), tid, file);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text ? text : g_strdup("");
}

/* The number of the process's thread that is called @name; NULL: there is none. */
static char *
find_thread(Vmm *vmm, const char *name)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int)vmm_pid(vmm));
    g_autoptr(GDir) dir = g_dir_open(tasks, 0, NULL);
    const char *tid;

    while (dir && (tid = g_dir_read_name(dir))) {
        g_autofree char *comm = task_file(vmm, tid, "comm");

        if (strcmp(g_strchomp(comm), name) == 0)
            return g_strdup(tid);
    }
    return NULL;
}

static gboolean
has_thread(Vmm *vmm, const char *name)
{
    g_autofree char *tid = find_thread(vmm, name);

    return tid != NULL;
}

/* A thread that has been joined has yet to leave the kernel's list. */
static void
wait_no_thread(Vmm *vmm, const char *name)
{
    gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

    while (has_thread(vmm, name)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(1000);
    }
}

/* How often it has gone to sleep. */
static guint64
sleeps_of(Vmm *vmm, const char *name)
{
    g_autofree char *tid = find_thread(vmm, name);
    g_autofree char *status = NULL;
    const char *line;

    g_assert_nonnull(tid);
    status = task_file(vmm, tid, "status");
    line = strstr(status, "\nvoluntary_ctxt_switches:");
    g_assert_nonnull(line);
    return g_ascii_strtoull(strchr(line, ':') + 1, NULL, 10);
}

static void
add_port(Vmm *vmm, const char *id)
{
    VmmMsg *msg = vmm_request(vmm, VMM_ADD_DEVICE);

    vmm_msg_put_string(msg, "class", VMM_CLASS_ROOT_PORT);
    vmm_msg_put_string(msg, "id", id);
    vmm_accept(vmm_call(vmm, msg));
}

static guint64
poll_max(Vmm *vmm, guint id)
{
    VmmMsg *reply = vmm_call(vmm, thread_request(vmm, VMM_TELL_IOTHREAD, id));
    guint64 ns = 0;

    g_assert_true(vmm_msg_get_u64(reply, "poll-max-ns", &ns));
    vmm_accept(reply);
    return ns;
}

/* How it looks for requests changes under a guest that makes some. */
static void
change_polling(Vmm *vmm, guint id)
{
    VmmMsg *msg = thread_request(vmm, VMM_TELL_IOTHREAD, id);

    g_assert_cmpuint(poll_max(vmm, id), ==, VMM_POLL_MAX_NS);
    vmm_msg_put_u64(msg, "poll-max-ns", 0);
    vmm_accept(vmm_call(vmm, msg));
    g_assert_cmpuint(poll_max(vmm, id), ==, 0);
    wait_waves(vmm, 5);
    msg = thread_request(vmm, VMM_TELL_IOTHREAD, id);
    vmm_msg_put_u64(msg, "poll-max-ns", 1ull << 31);
    vmm_reject(vmm_call(vmm, msg), VMM_ERROR_INVALID, "is more than");
}

/* The thread comes while the guest runs, then a disk for it, which is asked for its figures in that thread. */
static void
plug_disk(Vmm *vmm, guint id)
{
    VmmMsg *msg = vmm_request(vmm, VMM_ADD_DEVICE);

    vmm_accept(vmm_call(vmm, thread_request(vmm, VMM_ADD_IOTHREAD, id)));
    vmm_msg_put_string(msg, "class", VMM_CLASS_VIRTIO_PCI);
    vmm_msg_put_string(msg, "id", "more");
    vmm_msg_put_string(msg, "device", "blk");
    vmm_msg_put_string(msg, "bus", "port");
    vmm_msg_put_u64(msg, "iothread", id);
    vmm_msg_put_fd(msg, "fd", numbered_disk());
    vmm_accept(vmm_call(vmm, msg));
    msg = vmm_request(vmm, VMM_TELL_DEVICE);
    vmm_msg_put_string(msg, "id", "more");
    g_assert_cmpuint(tell(vmm, msg, "size"), ==, MIB);
}

static void
test_threads(void)
{
    g_autoptr(Vmm) vmm = NULL;
    VmmMsg *msg;
    guint64 before;

    if (!vmm_have_kvm())
        return;
    vmm = build("blk-waves " G_STRINGIFY(DEPTH));
    add_port(vmm, "port");
    vmm_accept(vmm_call(vmm, thread_request(vmm, VMM_ADD_IOTHREAD, 5)));
    msg = disk_request(vmm, numbered_disk());
    vmm_msg_put_u64(msg, "iothread", 5);
    vmm_accept(vmm_call(vmm, msg));
    vmm_do(vmm, VMM_RUN);
    wait_waves(vmm, 5);
    before = sleeps_of(vmm, "io 5");
    change_polling(vmm, 5);
    g_assert_cmpuint(sleeps_of(vmm, "io 5"), >, before);
    vmm_reject(vmm_call(vmm, thread_request(vmm, VMM_REMOVE_IOTHREAD, 5)), VMM_ERROR_STATE,
               "serves devices");

    plug_disk(vmm, 7);
    g_assert_true(has_thread(vmm, "io 7"));
    vmm_reject(vmm_call(vmm, thread_request(vmm, VMM_REMOVE_IOTHREAD, 7)), VMM_ERROR_STATE,
               "serves devices");
    vmm_accept(vmm_call(vmm, thread_request(vmm, VMM_ADD_IOTHREAD, 8)));
    g_assert_true(has_thread(vmm, "io 8"));
    for (guint i = 0; i < 2; i++) /* who asks twice did not hear the first answer */
        vmm_accept(vmm_call(vmm, thread_request(vmm, VMM_REMOVE_IOTHREAD, 8)));
    wait_no_thread(vmm, "io 8");
    wait_waves(vmm, 5);
    vmm_do(vmm, VMM_QUIT);
    vmm_wait_exit(vmm);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++)
        g_test_add_data_func(ways[i].path, &ways[i], test_limits);
    g_test_add_func("/disk/limits/rate", test_rate);
    g_test_add_func("/disk/threads", test_threads);
    g_test_add_data_func("/disk/resize/raw", "raw", test_resize);
    g_test_add_data_func("/disk/resize/qcow2", "qcow2", test_resize);
    g_test_add_func("/disk/save", test_save);
    return g_test_run();
}
