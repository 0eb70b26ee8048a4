/* object-list: all objects of a kind, with what each says of itself. */
#pragma once

#include "cli/object.h"

typedef struct ObjectEntry {
    char *path;
    char *name;
    GVariantDict *properties;
} ObjectEntry;

/* Those that pass the filter @flags of the kind's function of libvirt, by name. ObjectEntry *, freed with the array;
 * NULL with the daemon's error. As many round trips as are under way at once: no call waits for the one before. */
GPtrArray *object_list(Connection *connection, const ObjectKind *kind, guint flags, GError **error);
/* The same for those at @paths, which NULL ends. */
GPtrArray *object_list_paths(Connection *connection, const ObjectKind *kind,
                             const char *const *paths);
/* A method of each of @entries, in their order: as connection_call_each(). */
GVariant **object_entries_call(Connection *connection, const ObjectKind *kind,
                               const GPtrArray *entries, const char *method, GVariant *parameters,
                               const char *reply_type);

/* Properties; what is not there is FALSE or "". The text is the entry's. */
gboolean object_entry_is(const ObjectEntry *entry, const char *property);
const char *object_entry_text(const ObjectEntry *entry, const char *property);

/* That text of each, on a line of its own. */
void object_entries_print(const GPtrArray *entries, const char *property);

/* The names of all of the ObjectKind @kind by their paths: for a WatchSubject. */
gboolean object_learn_names(Connection *connection, gconstpointer kind, GHashTable *names,
                            GError **error);

/* How libvirt's lists filter by what is active: without an option those that are. The numbers are the same for all
 * kinds. */
guint object_list_states(const Args *args);

/* "active" or "inactive". */
const char *text_active(gboolean active);
