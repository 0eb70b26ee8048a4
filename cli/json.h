/* json: a value of the bus' types as JSON text. */
#pragma once

#include <glib.h>

/* @value may be a dictionary with texts as keys (an object), any other array or a tuple (an array), a maybe (null or
 * what is in it), a variant (what is in it), a text, a boolean or a number. For g_free(); ends with a newline. */
char *json_text(GVariant *value);
/* The same on a single line: one of a stream of values. */
char *json_line(GVariant *value);
