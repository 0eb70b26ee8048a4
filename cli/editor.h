/* editor: a document that the user changes in the editor of choice ($VISUAL, $EDITOR, or vi). */
#pragma once

#include <glib.h>

/* A document that lies somewhere. */
typedef struct Editable {
    char *(*get)(gpointer data, GError **error); /* for g_free() */
    gboolean (*set)(gpointer data, const char *xml, GError **error);
    gpointer data;
    /* From here on it is set without being checked against its schema; NULL: there is no such choice. */
    void (*relax)(gpointer data);
} Editable;

/* Gets it, lets the user edit it, and sets it where that changed anything. Where it cannot be set, or somebody else has
 * changed it meanwhile, a user at a terminal may go on editing, or have it set as it is. FALSE with an error;
 * @ret_changed only on success. */
gboolean editor_edit(const Editable *document, gboolean *ret_changed, GError **error);
