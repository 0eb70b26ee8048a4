/* document: single facts of a domain's XML document, where the bus has no other word for them. */
#pragma once

#include <glib.h>

/* The text of the first element at @path, such as "domain/title"; or, with @attribute, its attribute of
 * that name. NULL: there is none. For g_free(). */
char *document_find(const char *xml, const char *path, const char *attribute);
/* Whether any element at @path has @attribute with that value. */
gboolean document_has(const char *xml, const char *path, const char *attribute, const char *value);
