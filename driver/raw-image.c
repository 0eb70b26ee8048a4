#include "driver/raw-image.h"

#include "driver/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a device somebody else says how long it is. */
static gboolean
check_device(int fd, const char *path, guint64 size, GError **error)
{
    guint64 length;

    if (ioctl(fd, BLKGETSIZE64, &length) < 0)
        return driver_error_errno(error, errno, "failed to seek to end of %s", path);
    return size <= length ||
           driver_error(error, VIR_ERR_OPERATION_FAILED, "Cannot grow device files");
}

static gboolean
resize_open(int fd, const char *path, const char *target, guint64 size, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return driver_error_errno(error, errno, "cannot stat file '%s'", path);
    if (S_ISBLK(st.st_mode))
        return check_device(fd, path, size, error);
    if (!S_ISREG(st.st_mode))
        return driver_error(error, VIR_ERR_OPERATION_FAILED, "Resizing this file is not supported");
    return ftruncate(fd, size) == 0 ||
           driver_error_errno(error, errno, "cannot resize '%s', the source of disk '%s'", path,
                              target);
}

/* Whatever the path is, opening it does not wait. */
gboolean
raw_image_resize(const char *path, const char *target, guint64 size, GError **error)
{
    int fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    gboolean good;

    if (fd < 0)
        return driver_error_errno(error, errno, "Failed to open file '%s'", path);
    good = resize_open(fd, path, target, size, error);
    close(fd);
    return good;
}
