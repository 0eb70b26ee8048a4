#include "tests/unit/slow-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME      "image"
#define NODE      2 /* its number; the directory's is FUSE_ROOT_ID */
#define WRITE_MAX 131072
#define HELD_MAX  64
#define VALID_S   3600 /* how long the kernel may keep what it was told */

enum { HOLD = 'h', LET_GO = 'g', COUNT = 'c' };

struct SlowFile {
    char *dir, *path;
    int control;
    pid_t server;
};

/* The server, a process of its own */

typedef struct Server {
    int fuse, control;
    char *data;
    gsize size;
    gboolean holds;
    struct fuse_in_header *held[HELD_MAX]; /* requests as they came */
    guint8 n_held;
} Server;

static void
answer(Server *s, const struct fuse_in_header *in, int error, const void *data, gsize size)
{
    struct fuse_out_header out = { .len = sizeof(out) + size,
                                   .error = -error,
                                   .unique = in->unique };
    struct iovec parts[] = { { &out, sizeof(out) }, { (void *)data, size } };

    if (writev(s->fuse, parts, size > 0 ? 2 : 1) < 0 && errno != ENOENT)
        _exit(1);
}

static struct fuse_attr
attributes(const Server *s, guint64 node)
{
    return (struct fuse_attr){
        .ino = node,
        .size = node == NODE ? s->size : 0,
        .blocks = node == NODE ? s->size / 512 : 0,
        .mode = node == NODE ? S_IFREG | 0600 : S_IFDIR | 0700,
        .nlink = 1,
        .blksize = 4096,
    };
}

static void
greet(Server *s, const struct fuse_in_header *in, const void *args)
{
    const struct fuse_init_in *init = args;
    const struct fuse_init_out out = {
        .major = FUSE_KERNEL_VERSION,
        .minor = MIN(init->minor, FUSE_KERNEL_MINOR_VERSION),
        .flags = FUSE_BIG_WRITES | FUSE_ASYNC_READ | FUSE_ASYNC_DIO,
        .max_background = HELD_MAX,
        .congestion_threshold = HELD_MAX,
        .max_write = WRITE_MAX,
    };

    answer(s, in, 0, &out, sizeof(out));
}

static void
look_up(Server *s, const struct fuse_in_header *in, const void *name)
{
    const struct fuse_entry_out out = {
        .nodeid = NODE,
        .entry_valid = VALID_S,
        .attr_valid = VALID_S,
        .attr = attributes(s, NODE),
    };

    if (strcmp(name, NAME) == 0)
        answer(s, in, 0, &out, sizeof(out));
    else
        answer(s, in, ENOENT, NULL, 0);
}

static void
tell_attributes(Server *s, const struct fuse_in_header *in, const void *args)
{
    const struct fuse_attr_out out = { .attr_valid = VALID_S, .attr = attributes(s, in->nodeid) };

    answer(s, in, 0, &out, sizeof(out));
}

static void
open_it(Server *s, const struct fuse_in_header *in, const void *args)
{
    const struct fuse_open_out out = { .fh = in->nodeid };

    answer(s, in, 0, &out, sizeof(out));
}

static void
read_it(Server *s, const struct fuse_in_header *in, const void *args)
{
    const struct fuse_read_in *read = args;
    gsize offset = MIN(read->offset, s->size);

    answer(s, in, 0, s->data + offset, MIN(read->size, s->size - offset));
}

static void
write_it(Server *s, const struct fuse_in_header *in, const void *args)
{
    const struct fuse_write_in *write = args;
    const struct fuse_write_out out = { .size = write->size };

    if (write->offset + write->size > s->size) {
        answer(s, in, EFBIG, NULL, 0);
        return;
    }
    memcpy(s->data + write->offset, write + 1, write->size);
    answer(s, in, 0, &out, sizeof(out));
}

static void
write_or_hold(Server *s, const struct fuse_in_header *in, const void *args)
{
    if (!s->holds || s->n_held == HELD_MAX)
        write_it(s, in, args);
    else
        s->held[s->n_held++] = g_memdup2(in, in->len);
}

static void
be_content(Server *s, const struct fuse_in_header *in, const void *args)
{
    answer(s, in, 0, NULL, 0);
}

static void
be_silent(Server *s, const struct fuse_in_header *in, const void *args)
{
}

static const struct Operation {
    guint32 code;
    void (*serve)(Server *s, const struct fuse_in_header *in, const void *args);
} operations[] = {
    { FUSE_INIT, greet },
    { FUSE_LOOKUP, look_up },
    { FUSE_GETATTR, tell_attributes },
    { FUSE_SETATTR, tell_attributes },
    { FUSE_OPEN, open_it },
    { FUSE_READ, read_it },
    { FUSE_WRITE, write_or_hold },
    { FUSE_FLUSH, be_content },
    { FUSE_RELEASE, be_content },
    { FUSE_FSYNC, be_content },
    { FUSE_FORGET, be_silent },
    { FUSE_BATCH_FORGET, be_silent },
    { FUSE_INTERRUPT, be_silent }, /* storage that hangs heeds nobody */
};

static void
serve(Server *s)
{
    static char buffer[WRITE_MAX + FUSE_MIN_READ_BUFFER] __attribute__((aligned(8)));
    const struct fuse_in_header *in = (const void *)buffer;

    if (read(s->fuse, buffer, sizeof(buffer)) < (gssize)sizeof(*in))
        _exit(0); /* unmounted */
    for (guint i = 0; i < G_N_ELEMENTS(operations); i++) {
        if (operations[i].code == in->opcode) {
            operations[i].serve(s, in, in + 1);
            return;
        }
    }
    answer(s, in, ENOSYS, NULL, 0);
}

static void
let_go(Server *s)
{
    for (guint i = 0; i < s->n_held; i++) {
        write_it(s, s->held[i], s->held[i] + 1);
        g_free(s->held[i]);
    }
    s->n_held = 0;
}

static void
obey(Server *s)
{
    char order;

    if (read(s->control, &order, 1) != 1)
        _exit(0);
    if (order != COUNT)
        s->holds = order == HOLD;
    if (order == LET_GO)
        let_go(s);
    if (write(s->control, &s->n_held, 1) != 1)
        _exit(0);
}

static void
run_server(Server s)
{
    struct pollfd fds[] = { { .fd = s.fuse, .events = POLLIN },
                            { .fd = s.control, .events = POLLIN } };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (poll(fds, G_N_ELEMENTS(fds), -1) > 0) {
        if (fds[0].revents)
            serve(&s);
        if (fds[1].revents)
            obey(&s);
    }
    _exit(1);
}

/* The test's side */

static guint
order(SlowFile *slow, char what)
{
    guint8 n_held;

    g_assert_cmpint(write(slow->control, &what, 1), ==, 1);
    g_assert_cmpint(read(slow->control, &n_held, 1), ==, 1);
    return n_held;
}

void
slow_file_hold(SlowFile *slow)
{
    order(slow, HOLD);
}

void
slow_file_let_go(SlowFile *slow)
{
    order(slow, LET_GO);
}

guint
slow_file_held(SlowFile *slow)
{
    return order(slow, COUNT);
}

const char *
slow_file_path(const SlowFile *slow)
{
    return slow->path;
}

static gboolean
mount_at(const char *dir, int fuse)
{
    g_autofree char *options =
        g_strdup_printf("fd=%d,rootmode=40700,user_id=%u,group_id=%u,allow_other", fuse,
                        (guint)getuid(), (guint)getgid());

    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("slow", dir, "fuse", MS_NOSUID | MS_NODEV, options) == 0;
}

static void
start_server(SlowFile *slow, int fuse, const void *data, gsize size)
{
    int ends[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
    slow->control = ends[0];
    slow->server = fork();
    g_assert_cmpint(slow->server, >=, 0);
    if (slow->server == 0) {
        close(ends[0]);
        run_server((Server){
            .fuse = fuse, .control = ends[1], .data = g_memdup2(data, size), .size = size });
    }
    close(ends[1]);
}

SlowFile *
slow_file_new(const void *data, gsize size)
{
    g_autofree char *dir = g_dir_make_tmp("slow-XXXXXX", NULL);
    int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    SlowFile *slow = NULL;

    if (fuse >= 0 && mount_at(dir, fuse)) {
        slow = g_new0(SlowFile, 1);
        start_server(slow, fuse, data, size);
        slow->path = g_build_filename(dir, NAME, NULL);
        slow->dir = g_steal_pointer(&dir);
    } else {
        g_rmdir(dir);
    }
    if (fuse >= 0)
        close(fuse);
    return slow;
}

void
slow_file_free(SlowFile *slow)
{
    if (!slow)
        return;
    kill(slow->server, SIGKILL); /* which ends whatever still waits for it */
    waitpid(slow->server, NULL, 0);
    umount2(slow->dir, MNT_DETACH);
    g_rmdir(slow->dir);
    close(slow->control);
    g_free(slow->dir);
    g_free(slow->path);
    g_free(slow);
}
