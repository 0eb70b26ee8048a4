#include "driver/chardev-open.h"

#include "driver/chardev-socket.h"
#include "driver/error.h"
#include "driver/unix-socket.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* A terminal that passes every byte as it is, whoever opens it. */
static gboolean
make_raw(const char *slave)
{
    struct termios modes;
    int fd = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
    gboolean ok;

    if (fd < 0)
        return FALSE;
    ok = tcgetattr(fd, &modes) == 0;
    if (ok) {
        cfmakeraw(&modes);
        ok = tcsetattr(fd, TCSANOW, &modes) == 0;
    }
    close(fd);
    return ok;
}

/* Readable when somebody opens the slave: a master cannot tell by itself. */
static int
watch_opens(const char *slave)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (fd >= 0 && inotify_add_watch(fd, slave, IN_OPEN) < 0) {
        int errnum = errno;

        close(fd);
        errno = errnum;
        return -1;
    }
    return fd;
}

/* The order matters: the slave is watched once this function itself has closed it. */
static gboolean
prepare_pty(int master, char *slave, gsize size, int *ret_watch)
{
    return grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, slave, size) == 0 &&
           make_raw(slave) && (*ret_watch = watch_opens(slave)) >= 0;
}

static gboolean
open_pty(char **ret_slave, int *ret_master, int *ret_watch, GError **error)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    char slave[64];

    if (master < 0)
        return driver_error_errno(error, errno, "Unable to open a pseudo-terminal");
    if (!prepare_pty(master, slave, sizeof(slave), ret_watch)) {
        int errnum = errno;

        close(master);
        return driver_error_errno(error, errnum, "Unable to prepare a pseudo-terminal");
    }
    g_free(*ret_slave);
    *ret_slave = g_strdup(slave);
    *ret_master = master;
    return TRUE;
}

/* O_NONBLOCK: a path that turns out to be a FIFO without a reader must not hold up the daemon. */
static int
open_file(const char *path, int append, GError **error)
{
    int mode = append == 0 ? O_APPEND : O_TRUNC;
    int fd = open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | mode, 0600);

    if (fd < 0)
        driver_error_errno(error, errno, "Unable to open file '%s'", path);
    return fd;
}

/* What is not there is not made: O_NONBLOCK because a modem's line may be down. */
static int
open_there(const char *path, mode_t kind, const char *what, GError **error)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0) {
        driver_error_errno(error, errno, "Unable to open %s '%s'", what, path);
        return -1;
    }
    if (fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind)
        return fd;
    close(fd);
    driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "'%s' is no %s", path, what);
    return -1;
}

/* A terminal is a line with eight bits and nothing in between, at the speed that the host's consoles usually have. */
static gboolean
open_device(const char *path, int *ret_fd, GError **error)
{
    struct termios modes;

    *ret_fd = open_there(path, S_IFCHR, "character device", error);
    if (*ret_fd < 0)
        return FALSE;
    if (tcgetattr(*ret_fd, &modes) == 0) {
        cfmakeraw(&modes);
        cfsetspeed(&modes, B115200);
        modes.c_cflag |= CLOCAL | CREAD;
        tcsetattr(*ret_fd, TCSANOW, &modes);
    }
    return TRUE;
}

/* Both ends of each are open here, so that nobody on the host has to be there yet, or to stay. */
static gboolean
open_pipe(const char *path, ChardevOpened *opened, GError **error)
{
    g_autofree char *in = g_strconcat(path, ".in", NULL);
    g_autofree char *out = g_strconcat(path, ".out", NULL);
    gboolean two = g_file_test(in, G_FILE_TEST_EXISTS) && g_file_test(out, G_FILE_TEST_EXISTS);

    opened->fd = open_there(two ? in : path, S_IFIFO, "FIFO", error);
    if (opened->fd >= 0 && two)
        opened->out = open_there(out, S_IFIFO, "FIFO", error);
    return opened->fd >= 0 && (!two || opened->out >= 0);
}

static void
opened_close(ChardevOpened *opened)
{
    const int fds[] = { opened->fd, opened->out, opened->watch, opened->log };

    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

static gboolean
open_front(ChardevSource *source, const ChardevPlaces *places, ChardevOpened *opened, GError **error)
{
    switch (source->type) {
    case CHARDEV_PTY:
        return open_pty(&source->path, &opened->fd, &opened->watch, error);
    case CHARDEV_FILE:
        opened->fd = open_file(source->path, source->append, error);
        return opened->fd >= 0;
    case CHARDEV_DEV:
        return open_device(source->path, &opened->fd, error);
    case CHARDEV_PIPE:
        return open_pipe(source->path, opened, error);
    case CHARDEV_NULL:
        return TRUE;
    default:
        opened->fd = chardev_socket_open(source, places, error);
        return opened->fd >= 0;
    }
}

gboolean
chardev_open(ChardevSource *source, const ChardevPlaces *places, ChardevOpened *ret, GError **error)
{
    ChardevOpened opened = { -1, -1, -1, -1 };
    gboolean ok = open_front(source, places, &opened, error);

    if (ok && source->log) {
        opened.log = open_file(source->log, source->log_append, error);
        ok = opened.log >= 0;
    }
    if (ok)
        *ret = opened;
    else
        opened_close(&opened);
    chardev_source_set_watch(source, ok && opened.watch >= 0 ? fcntl(opened.watch, F_DUPFD_CLOEXEC, 0) : -1);
    return ok;
}

guint
chardev_count_fds(const ChardevSource *source)
{
    static const guint front[] = { [CHARDEV_PTY] = 2,  [CHARDEV_FILE] = 1, [CHARDEV_DEV] = 1, [CHARDEV_PIPE] = 2,
                                   [CHARDEV_UNIX] = 1, [CHARDEV_TCP] = 1,  [CHARDEV_UDP] = 1, [CHARDEV_NULL] = 0 };

    return front[source->type] + (source->log ? 1 : 0);
}

/* What the VMM calls it. */
static const char *
kind_of(const ChardevSource *source)
{
    static const char *const kinds[] = { [CHARDEV_PTY] = "pty",     [CHARDEV_FILE] = "file",
                                         [CHARDEV_DEV] = "stream",  [CHARDEV_PIPE] = "stream",
                                         [CHARDEV_UNIX] = "socket", [CHARDEV_TCP] = "socket",
                                         [CHARDEV_UDP] = "datagram", [CHARDEV_NULL] = "null" };
    gboolean socket = source->type == CHARDEV_UNIX || source->type == CHARDEV_TCP;

    if (socket && source->mode == CHARDEV_CONNECT)
        return chardev_source_reconnects(source) ? "broker" : "connection";
    return kinds[source->type];
}

static void
put_fd(VmmMsg *msg, const char *prefix, const char *key, int fd)
{
    g_autofree char *name = g_strconcat(prefix, key, NULL);

    if (fd >= 0)
        vmm_msg_put_fd(msg, name, fd);
}

void
chardev_describe(const ChardevSource *source, const ChardevOpened *opened, VmmMsg *msg,
                 const char *prefix)
{
    g_autofree char *kind = g_strconcat(prefix, "kind", NULL);
    g_autofree char *append = g_strconcat(prefix, "append", NULL);
    g_autofree char *telnet = g_strconcat(prefix, "telnet", NULL);

    vmm_msg_put_string(msg, kind, kind_of(source));
    put_fd(msg, prefix, "fd", opened->fd);
    put_fd(msg, prefix, "out", opened->out);
    if (source->type == CHARDEV_FILE)
        vmm_msg_put_bool(msg, append, source->append == 0);
    if (source->type == CHARDEV_TCP && source->protocol == CHARDEV_TELNET)
        vmm_msg_put_bool(msg, telnet, true);
    put_fd(msg, prefix, "watch", opened->watch);
    put_fd(msg, prefix, "log", opened->log);
}

void
chardev_close(ChardevSource *source)
{
    chardev_source_set_watch(source, -1);
    if (source->listens)
        unix_socket_remove(source->path);
    source->listens = FALSE;
}
