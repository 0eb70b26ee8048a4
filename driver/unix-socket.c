#include "driver/unix-socket.h"

#include "driver/error.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

gboolean
unix_socket_remove(const char *path)
{
    struct stat st;

    return lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode) || unlink(path) == 0 || errno == ENOENT;
}

/* What bind() and connect() have in common. */
typedef int (*AddressCall)(int fd, const struct sockaddr *address, socklen_t size);

/* The address, of a path that is too long by way of @dir_fd, of its directory. */
static gboolean
fill(struct sockaddr_un *address, const char *path, int *dir_fd)
{
    g_autofree char *dir = g_path_get_dirname(path);
    g_autofree char *name = g_path_get_basename(path);
    const gsize room = sizeof(address->sun_path);

    address->sun_family = AF_UNIX;
    if (g_strlcpy(address->sun_path, path, room) < room)
        return TRUE;
    *dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*dir_fd < 0)
        return FALSE;
    if (g_snprintf(address->sun_path, room, "/proc/self/fd/%d/%s", *dir_fd, name) < (int)room)
        return TRUE;
    errno = ENAMETOOLONG;
    return FALSE;
}

static int
call_with(int fd, const char *path, AddressCall call)
{
    struct sockaddr_un address;
    int dir_fd = -1, result = -1, errnum;

    if (fill(&address, path, &dir_fd))
        result = call(fd, (struct sockaddr *)&address, sizeof(address));
    errnum = errno;
    if (dir_fd >= 0)
        close(dir_fd);
    errno = errnum;
    return result;
}

static int
fail(int fd, const char *what, const char *path, GError **error)
{
    driver_error_errno(error, errno, "%s '%s'", what, path);
    if (fd >= 0)
        close(fd);
    return -1;
}

int
unix_socket_listen(const char *path, int type, int backlog, GError **error)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && unix_socket_remove(path) && call_with(fd, path, bind) == 0 && listen(fd, backlog) == 0)
        return fd;
    return fail(fd, "Unable to listen at", path, error);
}

int
unix_socket_connect(const char *path, int type, GError **error)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && call_with(fd, path, connect) == 0)
        return fd;
    return fail(fd, "Unable to connect to", path, error);
}
