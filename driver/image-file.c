#include "driver/image-file.h"

#include "driver/error.h"
#include "driver/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BESIDE ".XXXXXX"

static int
open_beside(const char *path, char **ret_temporary)
{
    g_autofree char *temporary = g_strconcat(path, BESIDE, NULL);
    int fd = g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0)
        *ret_temporary = g_steal_pointer(&temporary);
    return fd;
}

/* What is no file must not be replaced by one: somebody needs his /dev/null. */
int
image_file_create(const char *path, char **ret_temporary)
{
    struct stat st;
    int fd;

    if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
        return open_beside(path, ret_temporary);
    if (!S_ISBLK(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : ENOTSUP;
        return -1;
    }
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        *ret_temporary = NULL;
    return fd;
}

gboolean
image_file_publish(const char *temporary, const char *path, GError **error)
{
    if (!temporary)
        return TRUE;
    if (rename(temporary, path) < 0)
        return driver_error_errno(error, errno, "Failed to create file '%s'", path);
    if (store_sync_directory_of(path))
        return TRUE;
    /* Nobody is told of an image that a power cut may take back. */
    driver_error_errno(error, errno, "cannot sync the directory of '%s'", path);
    g_unlink(path);
    return FALSE;
}

/* A file system that is gone has neither of them. */
gboolean
image_file_was_published(const char *temporary)
{
    gsize size = strlen(temporary);
    g_autofree char *path =
        size > strlen(BESIDE) ? g_strndup(temporary, size - strlen(BESIDE)) : NULL;

    return path && access(path, F_OK) == 0 && access(temporary, F_OK) < 0 && errno == ENOENT;
}

/* A pipe or a terminal would keep the daemon waiting. */
int
image_file_open(const char *path, int flags, const char *what, GError **error)
{
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0) {
        driver_error_errno(error, errno, "%s '%s'", what, path);
        return -1;
    }
    if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
        return fd;
    driver_error(error, VIR_ERR_OPERATION_FAILED, "'%s' is neither a file nor a block device",
                 path);
    close(fd);
    return -1;
}

gboolean
image_file_write(int fd, const void *bytes, gsize size, guint64 at)
{
    const char *from = bytes;

    while (size > 0) {
        ssize_t n = pwrite(fd, from, size, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return FALSE;
        }
        from += n;
        size -= n;
        at += n;
    }
    return TRUE;
}

gboolean
image_file_read(int fd, void *bytes, gsize size, guint64 at)
{
    char *to = bytes;

    while (size > 0) {
        ssize_t n = pread(fd, to, size, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? 0 : errno;
            return FALSE;
        }
        to += n;
        size -= n;
        at += n;
    }
    return TRUE;
}
