#include "driver/store.h"

#include "driver/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

gboolean
store_sync_directory_of(const char *path)
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
    g_autofree char *temporary = g_strconcat(path, STORE_TEMPORARY, NULL);

    if (!write_temporary(temporary, text, durability) || rename(temporary, path) < 0) {
        int saved = errno;

        unlink(temporary);
        return driver_error_errno(error, saved, "cannot write '%s'", path);
    }
    if (durability == STORE_DURABLE && !store_sync_directory_of(path))
        return driver_error_errno(error, errno, "cannot sync the directory of '%s'", path);
    return TRUE;
}

static char *
file_of(const char *config_dir, const char *room, const char *uuid)
{
    g_autofree char *name = g_strconcat(uuid, ".xml", NULL);

    return config_dir ? g_build_filename(config_dir, room, name, NULL) : NULL;
}

/* A directory that was just made is no good until the one above it is known to have it. */
static gboolean
make_room(const char *config_dir, const char *room, GError **error)
{
    g_autofree char *dir = g_build_filename(config_dir, room, NULL);

    if (g_file_test(dir, G_FILE_TEST_IS_DIR))
        return TRUE;
    if (g_mkdir_with_parents(dir, 0700) < 0)
        return driver_error_errno(error, errno, "cannot make the directory '%s'", dir);
    if (!store_sync_directory_of(dir))
        return driver_error_errno(error, errno, "cannot sync the directory of '%s'", dir);
    return TRUE;
}

/* The name of what a change replaces or removes is free: a crash may have left it, or a disk that failed. As another name
 * for the file that is to go it would keep that from going, for to rename a file to itself does nothing, rename(2). */
static gboolean
is_gone(const char *old)
{
    return unlink(old) == 0 || errno == ENOENT;
}

/* Another name for the file at @path, by which it comes back where it is replaced in vain. TRUE where there is no file,
 * too, with *@ret NULL. */
static gboolean
keep_old(const char *path, char **ret, GError **error)
{
    g_autofree char *old = g_strconcat(path, STORE_LEAVING, NULL);
    int result = link(path, old);

    if (result < 0 && errno == EEXIST && is_gone(old))
        result = link(path, old);
    if (result == 0)
        *ret = g_steal_pointer(&old);
    else if (errno != ENOENT)
        return driver_error_errno(error, errno, "cannot replace '%s'", path);
    return TRUE;
}

gboolean
store_keep_aside(const char *config_dir, const char *uuid, GError **error)
{
    g_autofree char *path = file_of(config_dir, "domains", uuid);
    int result;
    int n = 0;

    if (!path)
        return TRUE;
    do {
        g_autofree char *aside = n ? g_strdup_printf("%s" STORE_ASIDE "%d", path, n)
                                   : g_strconcat(path, STORE_ASIDE, NULL);

        result = link(path, aside);
        if (result == 0)
            g_message("'%s', which was no definition, is kept as '%s'", path, aside);
    } while (result < 0 && errno == EEXIST && ++n < 100);
    return result == 0 || errno == ENOENT ||
           driver_error_errno(error, errno, "cannot put '%s' aside", path);
}

gboolean
store_save(const char *config_dir, const char *uuid, const char *xml, GError **error)
{
    g_autofree char *path = file_of(config_dir, "domains", uuid);
    g_autofree char *old = NULL;

    if (!path)
        return TRUE;
    if (!make_room(config_dir, "domains", error) || !keep_old(path, &old, error))
        return FALSE;
    if (store_write_file(path, xml, STORE_DURABLE, error)) {
        if (old)
            unlink(old);
        return TRUE;
    }
    /* The rename may have happened and only the directory's fsync failed: what we refused must not be
     * what the next start finds. */
    if (!old)
        unlink(path);
    else if (rename(old, path) < 0)
        g_warning("Cannot bring back '%s': %s", path, g_strerror(errno));
    else
        unlink(old); /* there still where they are two names of one file */
    return FALSE;
}

/* Makes the file at @path go: under another name until the directory is on the disk, so that it can come back. */
static gboolean
take_away(const char *path, GError **error)
{
    g_autofree char *leaving = g_strconcat(path, STORE_LEAVING, NULL);
    int saved;

    if (!is_gone(leaving) || rename(path, leaving) < 0)
        return errno == ENOENT || driver_error_errno(error, errno, "cannot remove '%s'", path);
    if (store_sync_directory_of(path)) {
        unlink(leaving);
        return TRUE;
    }
    saved = errno;
    if (rename(leaving, path) < 0)
        g_warning("Cannot bring back '%s': %s", path, g_strerror(errno));
    return driver_error_errno(error, saved, "cannot sync the directory of '%s'", path);
}

gboolean
store_remove(const char *config_dir, const char *uuid, GError **error)
{
    g_autofree char *path = file_of(config_dir, "domains", uuid);
    gboolean autostart = store_autostart(config_dir, uuid);

    if (!path)
        return TRUE;
    if (!store_set_autostart(config_dir, uuid, FALSE, error))
        return FALSE;
    if (take_away(path, error))
        return TRUE;
    store_set_autostart(config_dir, uuid, autostart, NULL);
    return FALSE;
}

static gboolean
make_link(const char *link, const char *uuid, GError **error)
{
    g_autofree char *target = g_strdup_printf("../domains/%s.xml", uuid);
    int saved;

    if (symlink(target, link) < 0)
        return driver_error_errno(error, errno, "cannot make the link '%s'", link);
    if (store_sync_directory_of(link))
        return TRUE;
    saved = errno;
    unlink(link);
    return driver_error_errno(error, saved, "cannot sync the directory of '%s'", link);
}

gboolean
store_set_autostart(const char *config_dir, const char *uuid, gboolean autostart, GError **error)
{
    g_autofree char *link = file_of(config_dir, "autostart", uuid);

    if (!link || autostart == store_autostart(config_dir, uuid))
        return TRUE;
    if (!make_room(config_dir, "autostart", error))
        return FALSE;
    return autostart ? make_link(link, uuid, error) : take_away(link, error);
}

gboolean
store_autostart(const char *config_dir, const char *uuid)
{
    g_autofree char *link = file_of(config_dir, "autostart", uuid);
    struct stat st;

    return link && lstat(link, &st) == 0;
}

/* Removes what a change that a crash cut short left. */
static void
tidy(const char *config_dir, const char *room)
{
    g_autofree char *dir = g_build_filename(config_dir, room, NULL);
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        if (g_str_has_suffix(name, ".xml" STORE_TEMPORARY) ||
            g_str_has_suffix(name, ".xml" STORE_LEAVING))
            g_unlink(path);
    }
}

char *
store_path(const char *config_dir, const char *uuid)
{
    return file_of(config_dir, "domains", uuid);
}

gboolean
store_exists(const char *config_dir, const char *uuid)
{
    g_autofree char *path = file_of(config_dir, "domains", uuid);
    struct stat st;

    return path && (lstat(path, &st) == 0 || errno != ENOENT);
}

char *
store_read(const char *config_dir, const char *uuid, GError **error)
{
    g_autofree char *path = file_of(config_dir, "domains", uuid);
    g_autoptr(GError) reason = NULL;
    char *xml = NULL;

    if (!g_file_get_contents(path, &xml, NULL, &reason))
        driver_error(error, VIR_ERR_SYSTEM_ERROR, "%s", reason->message);
    return xml;
}

static gboolean
stamp_of(const char *path, StoreStamp *ret)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return FALSE;
    *ret = (StoreStamp){ st.st_ino, st.st_size,
                         st.st_ctim.tv_sec * (gint64)1000000000 + st.st_ctim.tv_nsec };
    return TRUE;
}

gboolean
store_stamp(const char *config_dir, const char *uuid, StoreStamp *ret)
{
    g_autofree char *path = file_of(config_dir, "domains", uuid);

    return path && stamp_of(path, ret);
}

static void
load_one(const char *dir, const char *name, StoreEach each, gpointer data)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    g_autofree char *uuid = NULL;
    StoreStamp stamp;

    if (!g_str_has_suffix(name, ".xml")) {
        g_warning("'%s' is no definition: left alone", path);
        return;
    }
    uuid = g_strndup(name, strlen(name) - strlen(".xml"));
    if (!g_uuid_string_is_valid(uuid))
        g_warning("'%s' is not named by a uuid: left alone", path);
    else if (!stamp_of(path, &stamp))
        g_warning("Cannot look at '%s': %s", path, g_strerror(errno));
    else
        each(data, uuid, &stamp);
}

gboolean
store_load(const char *config_dir, StoreEach each, gpointer data, GError **error)
{
    g_autofree char *dir = config_dir ? g_build_filename(config_dir, "domains", NULL) : NULL;
    g_autoptr(GDir) entries = NULL;
    const char *name;

    if (!dir)
        return TRUE;
    if (!make_room(config_dir, "domains", error))
        return FALSE;
    tidy(config_dir, "domains");
    tidy(config_dir, "autostart");
    entries = g_dir_open(dir, 0, error);
    if (!entries)
        return FALSE;
    while ((name = g_dir_read_name(entries)))
        load_one(dir, name, each, data);
    return TRUE;
}

GHashTable *
store_load_autostart(const char *config_dir)
{
    GHashTable *uuids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *dir = g_build_filename(config_dir, "autostart", NULL);
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        if (g_str_has_suffix(name, ".xml"))
            g_hash_table_add(uuids, g_strndup(name, strlen(name) - strlen(".xml")));
    }
    return uuids;
}
