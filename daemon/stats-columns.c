#include "daemon/stats-columns.h"

#include "daemon/columns.h"

#include <string.h>

struct StatsColumns {
    TextColumn *names, *texts;
    GArray *shapes;         /* guint32: of each record */
    GArray *values;         /* guint64 */
    GVariantBuilder kinds;  /* aa(sg): what shapes there are */
    GHashTable *numbers;    /* GBytes, "iname\0tname\0" -> number of the shape that has these fields */
    GByteArray *fields;     /* the same of the record at hand */
    GVariant *last;         /* record, held; NULL: there was none yet */
    guint32 last_shape;
    guint last_values, n_last_values; /* where its values are, and how many */
};

StatsColumns *
stats_columns_new(void)
{
    StatsColumns *columns = g_new0(StatsColumns, 1);

    columns->names = g_byte_array_new();
    columns->texts = g_byte_array_new();
    columns->shapes = g_array_new(FALSE, FALSE, sizeof(guint32));
    columns->values = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_variant_builder_init(&columns->kinds, G_VARIANT_TYPE("aa(sg)"));
    columns->numbers = g_hash_table_new_full(g_bytes_hash, g_bytes_equal,
                                             (GDestroyNotify)g_bytes_unref, NULL);
    columns->fields = g_byte_array_new();
    return columns;
}

/* The shape of those fields as a(sg). */
static GVariant *
kind_of(const GByteArray *fields)
{
    const char *at = (const char *)fields->data, *end = at + fields->len;
    GVariantBuilder kind;

    g_variant_builder_init(&kind, G_VARIANT_TYPE("a(sg)"));
    for (; at < end; at += strlen(at) + 1) {
        const char type[] = { *at, '\0' };

        g_variant_builder_add(&kind, "(sg)", at + 1, type);
    }
    return g_variant_builder_end(&kind);
}

static guint32
shape_number(StatsColumns *columns)
{
    g_autoptr(GBytes) fields = g_bytes_new_static(columns->fields->data, columns->fields->len);
    guint32 n = g_hash_table_size(columns->numbers);
    gpointer number;

    if (g_hash_table_lookup_extended(columns->numbers, fields, NULL, &number))
        return GPOINTER_TO_UINT(number);
    g_variant_builder_add_value(&columns->kinds, kind_of(columns->fields));
    g_hash_table_insert(columns->numbers,
                        g_bytes_new(columns->fields->data, columns->fields->len),
                        GUINT_TO_POINTER(n));
    return n;
}

static guint64
text_value(StatsColumns *columns, GVariant *value)
{
    guint64 at = columns->texts->len;

    text_column_add(columns->texts, g_variant_get_string(value, NULL));
    return at;
}

/* 64 bits for each: numbers with their sign, the bits of a double, of a text where it begins. */
static guint64
value_of(StatsColumns *columns, GVariant *value)
{
    double number;
    guint64 bits;

    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_BOOLEAN:
        return g_variant_get_boolean(value);
    case G_VARIANT_CLASS_INT32:
        return (gint64)g_variant_get_int32(value);
    case G_VARIANT_CLASS_UINT32:
        return g_variant_get_uint32(value);
    case G_VARIANT_CLASS_INT64:
        return g_variant_get_int64(value);
    case G_VARIANT_CLASS_UINT64:
        return g_variant_get_uint64(value);
    case G_VARIANT_CLASS_DOUBLE:
        number = g_variant_get_double(value);
        memcpy(&bits, &number, sizeof(bits));
        return bits;
    case G_VARIANT_CLASS_STRING:
        return text_value(columns, value);
    default:
        g_assert_not_reached();
    }
}

/* Member by member: g_variant_get() with a '&' would serialise what is still in pieces. */
static void
add_field(StatsColumns *columns, GVariant *field)
{
    g_autoptr(GVariant) key = g_variant_get_child_value(field, 0);
    g_autoptr(GVariant) wrapped = g_variant_get_child_value(field, 1);
    g_autoptr(GVariant) value = g_variant_get_variant(wrapped);
    const guint8 type = g_variant_classify(value);
    guint64 bits = value_of(columns, value);

    g_byte_array_append(columns->fields, &type, 1);
    text_column_add(columns->fields, g_variant_get_string(key, NULL));
    g_array_append_val(columns->values, bits);
}

static void
add_new_record(StatsColumns *columns, GVariant *record)
{
    gsize n = g_variant_n_children(record);

    columns->last_values = columns->values->len;
    g_byte_array_set_size(columns->fields, 0);
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) field = g_variant_get_child_value(record, i);

        add_field(columns, field);
    }
    columns->n_last_values = columns->values->len - columns->last_values;
    columns->last_shape = shape_number(columns);
}

/* Texts of the last record's are the same texts. */
static void
add_last_record_again(StatsColumns *columns)
{
    guint at = columns->values->len;

    g_array_set_size(columns->values, at + columns->n_last_values);
    memcpy(&g_array_index(columns->values, guint64, at),
           &g_array_index(columns->values, guint64, columns->last_values),
           columns->n_last_values * sizeof(guint64));
}

void
stats_columns_add(StatsColumns *columns, const char *name, GVariant *record)
{
    GVariant *own = g_variant_ref_sink(record);

    if (own == columns->last)
        add_last_record_again(columns);
    else
        add_new_record(columns, own);
    g_clear_pointer(&columns->last, g_variant_unref);
    columns->last = own;
    text_column_add(columns->names, name);
    g_array_append_val(columns->shapes, columns->last_shape);
}

static void
free_rest(StatsColumns *columns)
{
    g_clear_pointer(&columns->last, g_variant_unref);
    g_hash_table_unref(columns->numbers);
    g_byte_array_unref(columns->fields);
    g_free(columns);
}

GVariant *
stats_columns_end(StatsColumns *columns)
{
    GVariant *answer =
        g_variant_new("(*****)", text_column_end(columns->names), column_end("u", columns->shapes),
                      g_variant_builder_end(&columns->kinds), column_end("t", columns->values),
                      text_column_end(columns->texts));

    free_rest(columns);
    return answer;
}

void
stats_columns_free(StatsColumns *columns)
{
    if (!columns)
        return;
    g_byte_array_unref(columns->names);
    g_byte_array_unref(columns->texts);
    g_array_unref(columns->shapes);
    g_array_unref(columns->values);
    g_variant_builder_clear(&columns->kinds);
    free_rest(columns);
}
