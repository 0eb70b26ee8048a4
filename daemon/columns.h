/* columns: an answer about very many domains as a few long arrays, the nth element of each about the nth domain.
 *
 * Elements have a fixed size, which GDBus copies as a whole at both ends; of a(sa{sv}) each value of each record is an
 * object of its own that is made, measured and copied, again and again: for thousands of domains that takes longer than
 * finding out what it tells. Texts are one array of bytes, each text with a NUL behind it.
 */
#pragma once

#include <glib.h>

typedef GByteArray TextColumn;

void text_column_add(TextColumn *column, const char *text);
/* Both take @column over; the result is floating: ay, and an array of elements of @type, such as "u". */
GVariant *text_column_end(TextColumn *column);
GVariant *column_end(const char *type, GArray *column);
