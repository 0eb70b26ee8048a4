/* table: columns of text for a terminal, laid out as virsh does. */
#pragma once

#include <glib.h>

typedef struct Table Table;

/* A table with these column titles, ending with NULL; NULL instead: a table without a header. The number
 * of columns is that of the titles, or of the first row. */
Table *table_new(const char *const *titles);
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

/* A cell with nothing in it: "-" for who reads it, null in JSON, where a text "-" is one. */
extern const char table_absent[];
/* @text, or that where it is NULL or "". */
const char *table_cell(const char *text);

/* One row, as many cells as there are columns, ending with NULL; UTF-8. Control characters are shown as
 * \xNN, so that a name cannot move the cursor. */
void table_add(Table *table, const char *const *cells);
/* The text: each cell with one space before and, but for the last, two behind it. For g_free(). */
char *table_format(const Table *table);

/* What a column is in JSON: the member's name, which never changes, and its kind. A cell "" is null there, too. */
typedef struct TableKey {
    const char *key;
    /* A list's items are parted by commas; a boolean is text_yes(). */
    enum { TABLE_TEXT, TABLE_NUMBER, TABLE_LIST, TABLE_BOOLEAN } kind;
} TableKey;
/* Prints the table, or the rows as JSON: an array of objects. One key per column. */
void table_print(const Table *table, const TableKey *keys);

/* How many cells of a terminal @text takes. */
gsize text_width(const char *text);
/* The two arguments of "%-*s" that put @text into @width of those cells, however many bytes its characters have. */
#define text_in(width, text) text_field(width, text), (text)
int text_field(int width, const char *text);
