/* json: a text of RFC 8259 as a GVariant: objects are a{sv}, arrays av, strings s, true and false b, null is ().
 * Numbers without a fraction are x, beyond that t, others d. What is wrong with it is VIR_ERR_INTERNAL_ERROR with
 * the byte's place.
 */
#pragma once

#include <glib.h>

/* Not floating. Nested at most 32 deep, at most 200,000 values in all; no key may come twice. The order of keys
 * stays. */
GVariant *json_parse(const char *text, GError **error);
/* The text of such a value, or of an array of strings, in one line; a floating one is taken over. */
char *json_format(GVariant *value);

/* An object of pairs, each a key and a GVariant * that is taken over where floating; NULL ends them. Floating. */
GVariant *json_object(const char *key, ...) G_GNUC_NULL_TERMINATED;

/* What @object, any value, has as @key where it has the type @type; NULL: nothing of it. */
GVariant *json_member(GVariant *object, const char *key, const char *type);
/* The same of a simple type; FALSE with @ret as it was. A text lives as long as @object. */
gboolean json_get_text(GVariant *object, const char *key, const char **ret);
gboolean json_get_bool(GVariant *object, const char *key, gboolean *ret);
gboolean json_get_int(GVariant *object, const char *key, gint64 min, gint64 max, gint64 *ret);
