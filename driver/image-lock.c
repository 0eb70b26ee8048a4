#include "driver/image-lock.h"

#include "driver/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A holder has, for each right, a read lock on a byte that says that it uses the right, and on another one that
 * says that nobody else may. Whoever comes locks first and looks then, so that of two at least one sees the
 * other. (QEMU's docs/system/images, "Disk image file locking"; the bytes as seen in /proc/locks.) */
#define BYTES_USED   100
#define BYTES_DENIED 200
#define N_RIGHTS     4
/* Ours alone: whose data may be on its way (see image_claim_writes()). */
#define BYTES_WRITES 300

enum {
    RIGHT_READ = 1 << 0, /* of contents that somebody keeps consistent */
    RIGHT_WRITE = 1 << 1,
};

enum {
    WRITES_ALONE = 1 << 0,
    WRITES_SHARED = 1 << 1,
};

static const char *const right_names[N_RIGHTS] = { "consistent read", "write", "write unchanged",
                                                   "resize" };

static gboolean
apply(int fd, short type, off_t start, off_t len)
{
    struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len };

    return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static gboolean
lock_bytes(int fd, off_t start, guint rights)
{
    for (int i = 0; i < N_RIGHTS; i++) {
        if ((rights & 1u << i) && !apply(fd, F_RDLCK, start + i, 1))
            return FALSE;
    }
    return TRUE;
}

/* The first of @rights whose byte somebody else has locked, or -1. */
static int
find_locked(int fd, off_t start, guint rights)
{
    for (int i = 0; i < N_RIGHTS; i++) {
        struct flock lock = {
            .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start + i, .l_len = 1
        };

        if ((rights & 1u << i) && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
            return i;
    }
    return -1;
}

static gboolean
check_others(int fd, guint used, guint denied, const char *path, GError **error)
{
    int right = find_locked(fd, BYTES_DENIED, used);
    const char *shared = "";

    if (right < 0) {
        right = find_locked(fd, BYTES_USED, denied);
        shared = "shared ";
    }
    if (right < 0)
        return TRUE;
    return driver_error(error, VIR_ERR_RESOURCE_BUSY,
                        "Failed to get %s\"%s\" lock: is another process using the image '%s'?",
                        shared, right_names[right], path);
}

gboolean
image_lock(int fd, gboolean readonly, gboolean shareable, const char *path, GError **error)
{
    guint used = RIGHT_READ | (readonly ? 0 : RIGHT_WRITE);
    guint denied = shareable ? 0 : RIGHT_WRITE;
    gboolean good = lock_bytes(fd, BYTES_USED, used) && lock_bytes(fd, BYTES_DENIED, denied);

    if (!good)
        driver_error_errno(error, errno, "Cannot lock the image '%s'", path);
    else if (check_others(fd, used, denied, path, error))
        return TRUE;
    apply(fd, F_UNLCK, BYTES_USED, BYTES_DENIED + N_RIGHTS - BYTES_USED);
    return FALSE;
}

/* By its descriptor: what the path leads to may be another file by now. */
static int
open_anew(int fd)
{
    char link[32];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int
image_lock_apart(int fd, gboolean readonly, gboolean shareable, const char *path, GError **error)
{
    int lock = open_anew(fd);

    if (lock < 0)
        driver_error_errno(error, errno, "Cannot lock the image '%s'", path);
    else if (image_lock(lock, readonly, shareable, path, error))
        return lock;
    if (lock >= 0)
        close(lock);
    return -1;
}

gboolean
image_claim_writes(int fd, gboolean shareable, const char *path, GError **error)
{
    return lock_bytes(fd, BYTES_WRITES, shareable ? WRITES_SHARED : WRITES_ALONE) ||
           driver_error_errno(error, errno, "Cannot lock the image '%s'", path);
}

gboolean
image_has_late_writes(int fd, gboolean readonly, gboolean shareable)
{
    guint others = !shareable ? WRITES_ALONE | WRITES_SHARED : !readonly ? WRITES_ALONE : 0;

    return find_locked(fd, BYTES_WRITES, others) >= 0;
}
