#include "driver/guest-files.h"

#include "driver/error.h"
#include "driver/store.h"
#include "driver/vsock-host.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define STATUS_VERSION 1
#define STATUS_GROUP   "guest"

char *
guest_files_dir(const char *run_dir, const char *uuid)
{
    return g_build_filename(run_dir, "guests", uuid, NULL);
}

char *
guest_file(const char *run_dir, const char *uuid, const char *name)
{
    return run_dir ? g_build_filename(run_dir, "guests", uuid, name, NULL) : NULL;
}

Cgroup *
guest_files_room(const char *run_dir, const char *uuid)
{
    g_autofree char *path = guest_file(run_dir, uuid, "cgroup");
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    lines = g_strsplit(text, "\n", 3);
    return g_strv_length(lines) == 3 ? cgroup_open(lines[0], lines[1]) : NULL;
}

gboolean
guest_write_status(const char *run_dir, const char *uuid, const GuestStatus *status, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *path = guest_file(run_dir, uuid, "status");
    g_autofree char *text = NULL;

    if (!path)
        return TRUE;
    g_key_file_set_integer(file, STATUS_GROUP, "version", STATUS_VERSION);
    g_key_file_set_integer(file, STATUS_GROUP, "id", status->id);
    g_key_file_set_integer(file, STATUS_GROUP, "pid", status->pid);
    g_key_file_set_uint64(file, STATUS_GROUP, "start-time", status->start_time);
    g_key_file_set_integer(file, STATUS_GROUP, "state", status->state);
    g_key_file_set_integer(file, STATUS_GROUP, "reason", status->reason);
    g_key_file_set_boolean(file, STATUS_GROUP, "updated", status->updated);
    g_key_file_set_boolean(file, STATUS_GROUP, "from-image", status->from_image);
    text = g_key_file_to_data(file, NULL, NULL);
    return store_write_file(path, text, STORE_VOLATILE, error);
}

gboolean
guest_parse_status(const char *text, gsize size, GuestStatus *ret, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    GuestStatus status;
    int version;

    if (!g_key_file_load_from_data(file, text, size, G_KEY_FILE_NONE, error))
        return FALSE;
    /* Later versions add keys: what an older one lacks is 0. */
    version = g_key_file_get_integer(file, STATUS_GROUP, "version", NULL);
    if (version < 1 || version > STATUS_VERSION)
        return driver_error(error, VIR_ERR_OPERATION_FAILED,
                            "version %d of a guest's status is not known here", version);
    status.id = g_key_file_get_integer(file, STATUS_GROUP, "id", NULL);
    status.pid = g_key_file_get_integer(file, STATUS_GROUP, "pid", NULL);
    status.start_time = g_key_file_get_uint64(file, STATUS_GROUP, "start-time", NULL);
    status.state = g_key_file_get_integer(file, STATUS_GROUP, "state", NULL);
    status.reason = g_key_file_get_integer(file, STATUS_GROUP, "reason", NULL);
    status.updated = g_key_file_get_boolean(file, STATUS_GROUP, "updated", NULL);
    status.from_image = g_key_file_get_boolean(file, STATUS_GROUP, "from-image", NULL);
    if (status.id <= 0 || status.pid <= 1 || status.start_time == 0 || status.state < 0 ||
        status.state > VIR_DOMAIN_PMSUSPENDED)
        return driver_error(error, VIR_ERR_OPERATION_FAILED, "a guest's status is damaged");
    *ret = status;
    return TRUE;
}

gboolean
guest_read_status(const char *run_dir, const char *uuid, GuestStatus *ret, GError **error)
{
    g_autofree char *path = guest_file(run_dir, uuid, "status");
    g_autofree char *text = NULL;
    gsize size;

    return g_file_get_contents(path, &text, &size, error) &&
           guest_parse_status(text, size, ret, error);
}

gboolean
guest_write_live(const char *run_dir, const char *uuid, const char *xml, GError **error)
{
    g_autofree char *path = guest_file(run_dir, uuid, "live.xml");

    return !path || store_write_file(path, xml, STORE_VOLATILE, error);
}

char *
guest_read_live(const char *run_dir, const char *uuid, GError **error)
{
    g_autofree char *path = guest_file(run_dir, uuid, "live.xml");
    char *xml = NULL;

    g_file_get_contents(path, &xml, NULL, error);
    return xml;
}

void
guest_saving_clear(GuestSaving *saving)
{
    g_clear_pointer(&saving->temporary, g_free);
}

/* No absolute path begins like this. */
#define UNDONE "undone "

gboolean
guest_write_saving(const char *run_dir, const char *uuid, const GuestSaving *saving, GError **error)
{
    g_autofree char *path = guest_file(run_dir, uuid, "saving");
    g_autofree char *text = g_strconcat(saving->undone ? UNDONE : "", saving->temporary, NULL);

    return store_write_file(path, text, STORE_VOLATILE, error);
}

gboolean
guest_read_saving(const char *run_dir, const char *uuid, GuestSaving *ret)
{
    g_autofree char *path = guest_file(run_dir, uuid, "saving");
    g_autofree char *text = NULL;

    if (!path || !g_file_get_contents(path, &text, NULL, NULL))
        return FALSE;
    ret->undone = g_str_has_prefix(text, UNDONE);
    ret->temporary = g_strdup(text + (ret->undone ? strlen(UNDONE) : 0));
    return TRUE;
}

void
guest_remove_saving(const char *run_dir, const char *uuid)
{
    g_autofree char *path = guest_file(run_dir, uuid, "saving");

    if (path)
        g_unlink(path);
}

void
guest_record_clear(GuestRecord *record)
{
    g_clear_pointer(&record->state, g_free);
    g_clear_pointer(&record->reason, g_free);
    g_clear_pointer(&record->text, g_free);
}

gboolean
guest_parse_record(const char *text, GuestRecord *ret)
{
    g_autofree char *line = g_strchomp(g_strdup(text));
    g_auto(GStrv) words = NULL;

    if (!g_utf8_validate(line, -1, NULL))
        return FALSE;
    words = g_strsplit(line, " ", 3);
    if (g_strv_length(words) < 2)
        return FALSE;
    ret->state = g_strdup(words[0]);
    ret->reason = g_strdup(words[1]);
    ret->text = g_strdup(words[2] ? words[2] : "");
    return TRUE;
}

gboolean
guest_read_record(const char *run_dir, const char *uuid, GuestRecord *ret)
{
    g_autofree char *path = guest_file(run_dir, uuid, "record");
    g_autofree char *text = NULL;

    return path && g_file_get_contents(path, &text, NULL, NULL) && guest_parse_record(text, ret);
}

/* Sockets that nobody was there to remove. */
static void
discard_channels(const char *dir)
{
    g_autofree char *channels = g_build_filename(dir, "channel", NULL);
    g_autoptr(GDir) entries = g_dir_open(channels, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(channels, name, NULL);

        g_unlink(path);
    }
    g_rmdir(channels);
}

/* Without the status the next daemon clears up whatever else is still there, so that goes first; while it cannot, the rest
 * stays with it, for the next daemon to know what that was. */
static gboolean
discard_status(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "status", NULL);

    if (g_unlink(path) == 0 || errno == ENOENT)
        return TRUE;
    g_warning("Cannot remove '%s': %s", path, g_strerror(errno));
    return FALSE;
}

void
guest_files_settle(const char *run_dir, const char *uuid)
{
    static const char *const names[] = { "status" STORE_TEMPORARY, "live.xml" STORE_TEMPORARY,
                                         "saving" STORE_TEMPORARY, "cgroup" STORE_TEMPORARY };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = guest_file(run_dir, uuid, names[i]);

        g_unlink(path);
    }
}

void
guest_discard(const char *run_dir, const char *uuid)
{
    static const char *const names[] = { "control", "live.xml", "record", "cgroup", "saving" };
    g_autofree char *dir = NULL, *vsock = NULL;
    g_autoptr(Cgroup) room = NULL;

    if (!run_dir)
        return;
    dir = guest_files_dir(run_dir, uuid);
    vsock = vsock_host_dir(run_dir, uuid);
    room = guest_files_room(run_dir, uuid);
    if (room)
        cgroup_remove(room);
    vsock_host_discard(vsock);
    if (!discard_status(dir))
        return;
    guest_files_settle(run_dir, uuid);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);

        g_unlink(path);
    }
    discard_channels(dir);
    if (g_rmdir(dir) < 0 && errno != ENOENT)
        g_warning("Cannot remove '%s': %s", dir, g_strerror(errno));
}
