#include "cli/table.h"

#include "cli/output.h"

#include <string.h>

const char table_absent[] = "-";

struct Table {
    gboolean has_titles;
    GPtrArray *rows; /* of GStrv, the titles first */
};

const char *
table_cell(const char *text)
{
    return text && *text ? text : table_absent;
}

/* A cell that is absent is known by its place, so it is no copy. */
static void
row_free(gpointer data)
{
    char **row = data;

    for (gsize i = 0; row[i]; i++)
        if (row[i] != table_absent)
            g_free(row[i]);
    g_free(row);
}

Table *
table_new(const char *const *titles)
{
    Table *table = g_new0(Table, 1);

    table->rows = g_ptr_array_new_with_free_func(row_free);
    table->has_titles = titles != NULL;
    if (titles)
        table_add(table, titles);
    return table;
}

void
table_free(Table *table)
{
    if (!table)
        return;
    g_ptr_array_unref(table->rows);
    g_free(table);
}

/* @text as a terminal may safely get it. */
static char *
printable(const char *text)
{
    GString *shown = g_string_new(NULL);

    for (const char *p = text; *p; p = g_utf8_next_char(p)) {
        gsize length = (gsize)(g_utf8_next_char(p) - p);
        if (g_unichar_isprint(g_utf8_get_char(p)) || g_unichar_iszerowidth(g_utf8_get_char(p)))
            g_string_append_len(shown, p, (gssize)length);
        else
            for (gsize i = 0; i < length; i++)
                g_string_append_printf(shown, "\\x%02x", (guchar)p[i]);
    }
    return g_string_free(shown, FALSE);
}

static char *
keep_cell(const char *cell)
{
    if (cell == table_absent)
        return (char *)table_absent;
    return output_is_json() ? g_strdup(cell) : printable(cell); /* a program gets it as it is */
}

void
table_add(Table *table, const char *const *cells)
{
    guint n = g_strv_length((GStrv)cells);
    GStrv row = g_new0(char *, n + 1);

    g_assert(table->rows->len == 0 || g_strv_length(table->rows->pdata[0]) == n);
    for (guint i = 0; i < n; i++)
        row[i] = keep_cell(cells[i]);
    g_ptr_array_add(table->rows, row);
}

gsize
text_width(const char *text)
{
    gsize width = 0;

    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        if (!g_unichar_iszerowidth(c))
            width += g_unichar_iswide(c) ? 2 : 1;
    }
    return width;
}

int
text_field(int width, const char *text)
{
    return width + (int)strlen(text) - (int)text_width(text);
}

/* The widest cell of each column. */
static gsize *
measure(const Table *table, guint n_columns)
{
    gsize *widths = g_new0(gsize, n_columns);

    for (guint i = 0; i < table->rows->len; i++) {
        const GStrv row = table->rows->pdata[i];
        for (guint j = 0; j < n_columns; j++)
            widths[j] = MAX(widths[j], text_width(row[j]));
    }
    return widths;
}

static void
append_spaces(GString *text, gsize n)
{
    for (gsize i = 0; i < n; i++)
        g_string_append_c(text, ' ');
}

static void
append_row(GString *text, const GStrv row, const gsize *widths, guint n_columns)
{
    for (guint j = 0; j < n_columns; j++) {
        g_string_append_printf(text, " %s", row[j]);
        if (j + 1 < n_columns)
            append_spaces(text, widths[j] - text_width(row[j]) + 2);
    }
    g_string_append_c(text, '\n');
}

static void
append_ruler(GString *text, const gsize *widths, guint n_columns)
{
    for (guint j = 0; j < n_columns; j++)
        for (gsize i = 0; i < widths[j] + 3; i++)
            g_string_append_c(text, '-');
    g_string_append_c(text, '\n');
}

char *
table_format(const Table *table)
{
    GString *text = g_string_new(NULL);
    guint n_columns = table->rows->len ? g_strv_length(table->rows->pdata[0]) : 0;
    g_autofree gsize *widths = measure(table, n_columns);

    for (guint i = 0; i < table->rows->len; i++) {
        append_row(text, table->rows->pdata[i], widths, n_columns);
        if (i == 0 && table->has_titles)
            append_ruler(text, widths, n_columns);
    }
    return g_string_free(text, FALSE);
}

static GVariant *
cell_value(const char *cell, const TableKey *key)
{
    if (*cell == '\0' || cell == table_absent)
        return g_variant_new_maybe(G_VARIANT_TYPE_STRING, NULL);
    switch (key->kind) {
    case TABLE_NUMBER:
        return g_variant_new_int64(g_ascii_strtoll(cell, NULL, 10));
    case TABLE_BOOLEAN:
        return g_variant_new_boolean(strcmp(cell, text_yes(TRUE)) == 0);
    case TABLE_LIST: {
        g_auto(GStrv) items = g_strsplit(cell, ",", -1);
        return g_variant_new_strv((const char *const *)items, -1);
    }
    default:
        return g_variant_new_string(cell);
    }
}

static GVariant *
row_value(const GStrv row, const TableKey *keys)
{
    GVariantBuilder object;

    g_variant_builder_init(&object, G_VARIANT_TYPE_VARDICT);
    for (guint j = 0; row[j]; j++)
        g_variant_builder_add(&object, "{sv}", keys[j].key, cell_value(row[j], &keys[j]));
    return g_variant_builder_end(&object);
}

void
table_print(const Table *table, const TableKey *keys)
{
    g_autofree char *text = NULL;
    GVariantBuilder rows;

    if (!output_is_json()) {
        text = table_format(table);
        output("%s", text);
        return;
    }
    g_variant_builder_init(&rows, G_VARIANT_TYPE("aa{sv}"));
    for (guint i = table->has_titles ? 1 : 0; i < table->rows->len; i++)
        g_variant_builder_add_value(&rows, row_value(table->rows->pdata[i], keys));
    output_json(g_variant_builder_end(&rows));
}
