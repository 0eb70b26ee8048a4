#include "driver/disk-chain.h"

#include "driver/error.h"
#include "driver/image-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The walk: what is open so far. */
typedef struct Walk {
    Disk *disk;
    int direct;            /* O_DIRECT or 0 */
    GArray *files;         /* DiskFile */
    int last;              /* of those that are open, the last */
    const char *last_path; /* the disk's, or its backing's */
    ImageFormat last_format;
} Walk;

DiskBacking *
disk_backing_new(DiskType type, ImageFormat format, const char *path, gboolean detected)
{
    DiskBacking *backing = g_new0(DiskBacking, 1);

    backing->type = type;
    backing->format = format;
    backing->path = g_strdup(path);
    backing->detected = detected;
    return backing;
}

void
disk_backing_free(DiskBacking *backing)
{
    g_free(backing->path);
    g_free(backing);
}

GPtrArray *
disk_backing_copy(const GPtrArray *backing)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func((GDestroyNotify)disk_backing_free);

    for (guint i = 0; i < backing->len; i++) {
        const DiskBacking *old = g_ptr_array_index(backing, i);

        g_ptr_array_add(copy, disk_backing_new(old->type, old->format, old->path, old->detected));
    }
    return copy;
}

void
disk_chain_close(GArray *files)
{
    if (!files)
        return;
    for (guint i = 0; i < files->len; i++) {
        close(g_array_index(files, DiskFile, i).fd);
        close(g_array_index(files, DiskFile, i).lock);
    }
    g_array_unref(files);
}

static int
opened(const Walk *walk, guint i)
{
    return g_array_index(walk->files, DiskFile, i).fd;
}

/* Paths */

/* QEMU's rule: a colon before any slash ends a protocol's name. */
static gboolean
names_a_protocol(const char *name)
{
    return name[strcspn(name, ":/")] == ':';
}

/* As QEMU sees it: from the directory of the image that names it. */
static char *
resolve(const char *from, const char *name)
{
    g_autofree char *dir = g_path_get_dirname(from);

    return g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(dir, name, NULL);
}

/* Opening */

static gboolean
fail_access(const Walk *walk, const char *path, GError **error)
{
    return driver_error_errno(
        error, errno, "Cannot access backing file '%s' of storage file '%s' (as uid:%u, gid:%u)",
        path, walk->last_path, (guint)geteuid(), (guint)getegid());
}

static gboolean
is_same(int a, int b)
{
    struct stat one, other;

    return fstat(a, &one) == 0 && fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* A chain that comes back to where it was would never end. */
static gboolean
check_new(const Walk *walk, int top, int fd, const char *path, GError **error)
{
    gboolean seen = is_same(top, fd);

    for (guint i = 0; i < walk->files->len && !seen; i++)
        seen = is_same(opened(walk, i), fd);
    return !seen ||
           driver_error(error, VIR_ERR_INTERNAL_ERROR,
                        "backing store for %s (%s) is self-referential", walk->disk->source, path);
}

static gboolean
check_kind(int fd, const char *path, DiskType *ret_type, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return driver_error_errno(error, errno, "Cannot look at '%s'", path);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "backing file '%s' is neither a regular file nor a block device", path);
    *ret_type = S_ISBLK(st.st_mode) ? DISK_BLOCK : DISK_FILE;
    return TRUE;
}

/* Appends the descriptor of @path; headers are read through it before O_DIRECT is set. */
static gboolean
open_next(Walk *walk, int top, const char *path, DiskType *ret_type, GError **error)
{
    DiskFile file = { open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), -1 };

    if (file.fd < 0)
        return fail_access(walk, path, error);
    if (check_kind(file.fd, path, ret_type, error) && check_new(walk, top, file.fd, path, error))
        file.lock = image_lock_apart(file.fd, TRUE, FALSE, path, error);
    if (file.lock < 0) {
        close(file.fd);
        return FALSE;
    }
    fcntl(file.fd, F_SETFL, O_RDONLY);
    g_array_append_val(walk->files, file);
    return TRUE;
}

/* Following headers */

static gboolean
read_format(const Walk *walk, const ImageHeader *from, const char *path, int fd, ImageFormat *ret,
            GError **error)
{
    ImageHeader header;
    gboolean leads_on;

    if (from->backing_format) {
        *ret = image_format_from_word(from->backing_format);
        return *ret != IMAGE_OTHER ||
               driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "format '%s' of backing file '%s' is not supported yet by this machine",
                            from->backing_format, path);
    }
    if (!image_header_read(fd, path, &header, error))
        return FALSE;
    leads_on = header.backing != NULL;
    *ret = header.format;
    image_header_clear(&header);
    return !leads_on ||
           driver_error(error, VIR_ERR_OPERATION_INVALID,
                        "format of backing image '%s' of image '%s' was not specified in the image "
                        "metadata (See https://libvirt.org/kbase/backing_chains.html for "
                        "troubleshooting)",
                        path, walk->last_path);
}

static gboolean
check_length(const Walk *walk, GError **error)
{
    return walk->files->len < DISK_CHAIN_MAX ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "disk '%s' has more than %d images behind it, which this machine does not "
                        "support",
                        walk->disk->target, DISK_CHAIN_MAX);
}

static void
step_to(Walk *walk, const DiskBacking *backing)
{
    walk->last = opened(walk, walk->files->len - 1);
    walk->last_path = backing->path;
    walk->last_format = backing->format;
}

static gboolean
follow_header(Walk *walk, int top, const ImageHeader *header, GError **error)
{
    g_autofree char *path = resolve(walk->last_path, header->backing);
    DiskType type;
    ImageFormat format;
    DiskBacking *backing;

    if (names_a_protocol(header->backing))
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "backing file '%s' of image '%s' is no path, which is not supported yet "
            "by this machine",
            header->backing, walk->last_path);
    if (!check_length(walk, error) || !open_next(walk, top, path, &type, error))
        return FALSE;
    if (!read_format(walk, header, path, opened(walk, walk->files->len - 1), &format, error))
        return FALSE;
    backing = disk_backing_new(type, format, path, TRUE);
    g_ptr_array_add(walk->disk->backing, backing);
    step_to(walk, backing);
    return TRUE;
}

/* Until an image names nothing; raw ones never do. */
static gboolean
follow_headers(Walk *walk, int top, GError **error)
{
    while (walk->last_format == IMAGE_QCOW2) {
        ImageHeader header;
        gboolean good;

        if (!image_header_read(walk->last, walk->last_path, &header, error))
            return FALSE;
        if (!header.backing) {
            image_header_clear(&header);
            break;
        }
        good = follow_header(walk, top, &header, error);
        image_header_clear(&header);
        if (!good)
            return FALSE;
    }
    return TRUE;
}

/* What the document names. */
static gboolean
follow_document(Walk *walk, int top, GError **error)
{
    for (guint i = 0; i < walk->disk->backing->len; i++) {
        const DiskBacking *backing = g_ptr_array_index(walk->disk->backing, i);
        DiskType type;

        if (!check_length(walk, error) || !open_next(walk, top, backing->path, &type, error))
            return FALSE;
        if (type != backing->type)
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "'%s', a backing file of disk '%s', is no %s", backing->path,
                                walk->disk->target,
                                backing->type == DISK_BLOCK ? "block device" : "regular file");
        step_to(walk, backing);
    }
    return TRUE;
}

static gboolean
set_direct(const Walk *walk, GError **error)
{
    for (guint i = 0; walk->direct && i < walk->files->len; i++) {
        const DiskBacking *backing = g_ptr_array_index(walk->disk->backing, i);

        if (fcntl(opened(walk, i), F_SETFL, O_RDONLY | walk->direct) < 0)
            return driver_error_errno(error, errno, "Cannot open '%s' without cache",
                                      backing->path);
    }
    return TRUE;
}

gboolean
disk_chain_open(Disk *disk, int top, int direct, GArray **ret_files, GError **error)
{
    Walk walk = {
        .disk = disk,
        .direct = direct,
        .files = g_array_new(FALSE, FALSE, sizeof(DiskFile)),
        .last = top,
        .last_path = disk->source,
        .last_format = disk->format,
    };

    if (follow_document(&walk, top, error) &&
        (disk->backing_ends || follow_headers(&walk, top, error)) && set_direct(&walk, error)) {
        if (!disk->backing_ends)
            disk->backing_end_detected = TRUE;
        *ret_files = walk.files;
        return TRUE;
    }
    disk_chain_close(walk.files);
    return FALSE;
}
