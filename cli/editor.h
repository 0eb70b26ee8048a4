/* editor: a document that the user changes in the editor of choice ($VISUAL, $EDITOR, or vi). */
#pragma once

#include <glib.h>

/* A document that lies somewhere. */
typedef struct Editable {
    char *(*get)(gpointer data, GError **error); /* for g_free() */
    gboolean (*set)(gpointer data, const char *xml, GError **error);
    gpointer data;
} Editable;

/* Gets it, lets the user edit it, and sets it where that changed anything. Where it cannot be set, a user at a
 * terminal may go on editing. FALSE with an error; @ret_changed only on success. */
gboolean editor_edit(const Editable *document, gboolean *ret_changed, GError **error);
