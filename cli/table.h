/* table: columns of text for a terminal, laid out as virsh does. */
#pragma once

#include <glib.h>

typedef struct Table Table;

/* A table with these column titles, ending with NULL; NULL instead: a table without a header. The number
 * of columns is that of the titles, or of the first row. */
Table *table_new(const char *const *titles);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* One row, as many cells as there are columns, ending with NULL; UTF-8. Control characters are shown as
 * \xNN, so that a name cannot move the cursor. */
void table_add(Table *table, const char *const *cells);
/* The text: each cell with one space before and, but for the last, two behind it. For g_free(). */
char *table_format(const Table *table);

/* How many cells of a terminal @text takes. */
gsize text_width(const char *text);
