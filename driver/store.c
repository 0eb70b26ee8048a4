#include "driver/store.h"

#include "driver/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPORARY ".new"

static gboolean
write_all(int fd, const char *text)
{
    gsize left = strlen(text);

    while (left > 0) {
        ssize_t n = write(fd, text, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FALSE;
        text += n;
        left -= n;
    }
    return TRUE;
}

/* Failing leaves errno. */
static gboolean
write_temporary(const char *path, const char *text, StoreDurability durability)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    gboolean done;
    int saved;

    if (fd < 0)
        return FALSE;
    done = write_all(fd, text) && (durability == STORE_VOLATILE || fsync(fd) == 0);
    saved = errno;
    if (close(fd) < 0 && done) {
        done = FALSE;
        saved = errno;
    }
    errno = saved;
    return done;
}

static gboolean
sync_directory_of(const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean done = fd >= 0 && fsync(fd) == 0;
    int saved = errno;

    if (fd >= 0)
        close(fd);
    errno = saved;
    return done;
}

gboolean
store_write_file(const char *path, const char *text, StoreDurability durability, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, TEMPORARY, NULL);

    if (!write_temporary(temporary, text, durability) || rename(temporary, path) < 0) {
        int saved = errno;

        unlink(temporary);
        return driver_error_errno(error, saved, "cannot write '%s'", path);
    }
    if (durability == STORE_DURABLE && !sync_directory_of(path))
        return driver_error_errno(error, errno, "cannot sync the directory of '%s'", path);
    return TRUE;
}

static char *
file_of(const char *config_dir, const char *room, const char *uuid)
{
    g_autofree char *name = g_strconcat(uuid, ".xml", NULL);

    return g_build_filename(config_dir, room, name, NULL);
}

static gboolean
make_room(const char *config_dir, const char *room, GError **error)
{
    g_autofree char *dir = g_build_filename(config_dir, room, NULL);

    if (g_mkdir_with_parents(dir, 0700) < 0)
        return driver_error_errno(error, errno, "cannot make the directory '%s'", dir);
    return TRUE;
}

/* The file as it was before a write that may fail half-way; NULL where there was none. */
static char *
old_text(const char *path)
{
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

gboolean
store_save(const char *config_dir, const char *uuid, const char *xml, GError **error)
{
    g_autofree char *path = file_of(config_dir, "domains", uuid);
    g_autofree char *before = old_text(path);

    if (!make_room(config_dir, "domains", error))
        return FALSE;
    if (store_write_file(path, xml, STORE_DURABLE, error))
        return TRUE;
    /* The rename may have happened and only the directory's fsync failed: what we refused must not be
     * what the next start finds. */
    if (before)
        store_write_file(path, before, STORE_VOLATILE, NULL);
    else
        unlink(path);
    return FALSE;
}

gboolean
store_remove(const char *config_dir, const char *uuid, GError **error)
{
    g_autofree char *path = file_of(config_dir, "domains", uuid);

    if (!store_set_autostart(config_dir, uuid, FALSE, error))
        return FALSE;
    if (unlink(path) < 0 && errno != ENOENT)
        return driver_error_errno(error, errno, "cannot remove '%s'", path);
    if (!sync_directory_of(path))
        return driver_error_errno(error, errno, "cannot sync the directory of '%s'", path);
    return TRUE;
}

gboolean
store_set_autostart(const char *config_dir, const char *uuid, gboolean autostart, GError **error)
{
    g_autofree char *link = file_of(config_dir, "autostart", uuid);
    g_autofree char *target = g_strdup_printf("../domains/%s.xml", uuid);

    if (autostart == store_autostart(config_dir, uuid))
        return TRUE;
    if (!make_room(config_dir, "autostart", error))
        return FALSE;
    if (autostart ? symlink(target, link) < 0 : unlink(link) < 0)
        return driver_error_errno(error, errno, "cannot %s '%s'",
                                  autostart ? "make the link" : "remove", link);
    if (!sync_directory_of(link))
        return driver_error_errno(error, errno, "cannot sync the directory of '%s'", link);
    return TRUE;
}

gboolean
store_autostart(const char *config_dir, const char *uuid)
{
    g_autofree char *link = file_of(config_dir, "autostart", uuid);
    struct stat st;

    return lstat(link, &st) == 0;
}

static void
load_one(const char *dir, const char *name, StoreEach each, gpointer data)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *uuid = NULL, *xml = NULL;
    g_autoptr(GError) error = NULL;

    if (g_str_has_suffix(name, ".xml" TEMPORARY)) {
        g_unlink(path);
        return;
    }
    if (!g_str_has_suffix(name, ".xml")) {
        g_warning("'%s' is no definition: left alone", path);
        return;
    }
    uuid = g_strndup(name, strlen(name) - strlen(".xml"));
    if (!g_uuid_string_is_valid(uuid))
        g_warning("'%s' is not named by a uuid: left alone", path);
    else if (!g_file_get_contents(path, &xml, NULL, &error))
        g_warning("%s", error->message);
    else
        each(data, uuid, xml);
}

gboolean
store_load(const char *config_dir, StoreEach each, gpointer data, GError **error)
{
    g_autofree char *dir = g_build_filename(config_dir, "domains", NULL);
    g_autoptr(GDir) entries = NULL;
    const char *name;

    if (!make_room(config_dir, "domains", error))
        return FALSE;
    entries = g_dir_open(dir, 0, error);
    if (!entries)
        return FALSE;
    while ((name = g_dir_read_name(entries)))
        load_one(dir, name, each, data);
    return TRUE;
}
