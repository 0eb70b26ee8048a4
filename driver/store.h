/* store: the files of the definitions.
 *
 * CONFIG_DIR/domains/UUID.xml is a definition, CONFIG_DIR/autostart/UUID.xml a link to it where the
 * domain starts with the daemon. A change that was acknowledged survives a power cut: temporary file,
 * fsync, rename, fsync of the directory. One that failed at any of these leaves everything as it was, and no
 * file of its own. Where CONFIG_DIR is NULL nothing is kept, and all of this succeeds.
 */
#pragma once

#include <glib.h>

typedef enum StoreDurability {
    STORE_VOLATILE, /* under /run, which does not outlive the machine: atomic, not synced */
    STORE_DURABLE,
} StoreDurability;

/* What a write that a crash cut short leaves beside its file has this added to the name. */
#define STORE_TEMPORARY ".new"
/* And what is being removed, until the disk knows. */
#define STORE_LEAVING ".old"

/* Replaces @path with @text. */
gboolean store_write_file(const char *path, const char *text, StoreDurability durability,
                          GError **error);
/* Makes what was done to the entry @path last; FALSE leaves errno. */
gboolean store_sync_directory_of(const char *path);

/* A file that no definition could be made of, which STORE_ASIDE is added to for the next one with its @uuid to have room.
 * Goes on where there is none; it keeps its old name, too, until store_save(). */
#define STORE_ASIDE ".aside"
gboolean store_keep_aside(const char *config_dir, const char *uuid, GError **error);
gboolean store_save(const char *config_dir, const char *uuid, const char *xml, GError **error);
/* Goes on where there is none. The link of its autostart goes, too. */
gboolean store_remove(const char *config_dir, const char *uuid, GError **error);
gboolean store_set_autostart(const char *config_dir, const char *uuid, gboolean autostart,
                             GError **error);
gboolean store_autostart(const char *config_dir, const char *uuid);

/* The name of its file, for a message. */
char *store_path(const char *config_dir, const char *uuid);
gboolean store_exists(const char *config_dir, const char *uuid);
char *store_read(const char *config_dir, const char *uuid, GError **error);

/* Tells one state of a file from every other one: a write of ours makes a new file. */
typedef struct StoreStamp {
    guint64 inode, size;
    gint64 changed_ns; /* since 1970 */
} StoreStamp;
/* FALSE where there is no such definition. */
gboolean store_stamp(const char *config_dir, const char *uuid, StoreStamp *ret);

/* Calls @each with the uuid of every definition, unread. Files that are not ours are reported and left alone; what a
 * change that a crash cut short left is removed. */
typedef void (*StoreEach)(gpointer data, const char *uuid, const StoreStamp *stamp);
gboolean store_load(const char *config_dir, StoreEach each, gpointer data, GError **error);
/* The uuids of those that start with the daemon: a set of strings. */
GHashTable *store_load_autostart(const char *config_dir);
