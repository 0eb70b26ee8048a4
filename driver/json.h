/* json: a text of RFC 8259 as a GVariant: objects are a{sv}, arrays av, strings s, numbers d, true and false
 * b, null is (). What is wrong with it is VIR_ERR_INTERNAL_ERROR with the byte's place. */
#pragma once

#include <glib.h>

/* Not floating. Nested at most 32 deep; of keys that come twice the last one counts. */
GVariant *json_parse(const char *text, GError **error);
