#include "cli/stats-reader.h"

#include "cli/columns.h"

#include <string.h>

#define TYPES "ixutbds"

typedef struct Shape {
    StatsField *fields;
    gsize n;
} Shape;

struct StatsReader {
    GVariant *names, *shape_numbers, *kinds, *values, *texts; /* the answer's members, which the rest points into */
    Texts left;            /* names of records to come */
    const guint32 *numbers; /* the shape of each record */
    gsize n, at;           /* records, and which one is next */
    GArray *shapes;        /* Shape */
    const guint64 *first, *next; /* values: of the record at hand, and of the next one */
    gsize n_values;
    const char *text;
    gsize text_size;
    const char *name;
    const Shape *shape;
};

static void
clear_shape(gpointer shape)
{
    g_free(((Shape *)shape)->fields);
}

void
stats_reader_free(StatsReader *reader)
{
    if (!reader)
        return;
    g_clear_pointer(&reader->shapes, g_array_unref);
    g_clear_pointer(&reader->names, g_variant_unref);
    g_clear_pointer(&reader->shape_numbers, g_variant_unref);
    g_clear_pointer(&reader->kinds, g_variant_unref);
    g_clear_pointer(&reader->values, g_variant_unref);
    g_clear_pointer(&reader->texts, g_variant_unref);
    g_free(reader);
}

static gboolean
read_shape(GVariant *kind, Shape *ret)
{
    gsize n = g_variant_n_children(kind);

    *ret = (Shape){ g_new0(StatsField, n), n };
    for (gsize i = 0; i < n; i++) {
        const char *type;

        g_variant_get_child(kind, i, "(&s&g)", &ret->fields[i].key, &type);
        if (strlen(type) != 1 || !strchr(TYPES, *type))
            return FALSE;
        ret->fields[i].type = *type;
    }
    return TRUE;
}

static gboolean
read_shapes(StatsReader *reader)
{
    gsize n = g_variant_n_children(reader->kinds);

    reader->shapes = g_array_new(FALSE, TRUE, sizeof(Shape));
    g_array_set_clear_func(reader->shapes, clear_shape);
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) kind = g_variant_get_child_value(reader->kinds, i);

        g_array_set_size(reader->shapes, i + 1);
        if (!read_shape(kind, &g_array_index(reader->shapes, Shape, i)))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_text(const StatsReader *reader, guint64 at)
{
    const char *end;

    if (at >= reader->text_size)
        return FALSE;
    end = memchr(reader->text + at, '\0', reader->text_size - at);
    return end && g_utf8_validate_len(reader->text + at, end - (reader->text + at), NULL);
}

static gboolean
check_values(const StatsReader *reader, const Shape *shape, const guint64 *values)
{
    for (gsize i = 0; i < shape->n; i++) {
        if (shape->fields[i].type == 's' && !is_text(reader, values[i]))
            return FALSE;
    }
    return TRUE;
}

/* Each record has a name and a shape that there is, and no value is missing or left. */
static gboolean
check_records(const StatsReader *reader)
{
    Texts names = reader->left;
    gsize at = 0;

    for (gsize i = 0; i < reader->n; i++) {
        const Shape *shape;

        if (!texts_next(&names) || reader->numbers[i] >= reader->shapes->len)
            return FALSE;
        shape = &g_array_index(reader->shapes, Shape, reader->numbers[i]);
        if (shape->n > reader->n_values - at || !check_values(reader, shape, reader->first + at))
            return FALSE;
        at += shape->n;
    }
    return texts_end(&names) && at == reader->n_values;
}

StatsReader *
stats_reader_new(GVariant *answer)
{
    g_autoptr(StatsReader) reader = g_new0(StatsReader, 1);

    g_variant_get(answer, "(@ay@au@aa(sg)@at@ay)", &reader->names, &reader->shape_numbers,
                  &reader->kinds, &reader->values, &reader->texts);
    reader->left = texts_of(reader->names);
    reader->numbers = g_variant_get_fixed_array(reader->shape_numbers, &reader->n, sizeof(guint32));
    reader->first = g_variant_get_fixed_array(reader->values, &reader->n_values, sizeof(guint64));
    reader->next = reader->first;
    reader->text = g_variant_get_fixed_array(reader->texts, &reader->text_size, 1);
    return read_shapes(reader) && check_records(reader) ? g_steal_pointer(&reader) : NULL;
}

gboolean
stats_reader_next(StatsReader *reader)
{
    if (reader->at == reader->n)
        return FALSE;
    reader->name = texts_next(&reader->left);
    reader->shape = &g_array_index(reader->shapes, Shape, reader->numbers[reader->at]);
    reader->first = reader->next;
    reader->next += reader->shape->n;
    reader->at++;
    return TRUE;
}

const char *
stats_reader_name(const StatsReader *reader)
{
    return reader->name;
}

const StatsField *
stats_reader_fields(const StatsReader *reader, gsize *ret_n)
{
    *ret_n = reader->shape->n;
    return reader->shape->fields;
}

guint64
stats_reader_bits(const StatsReader *reader, gsize n)
{
    return reader->first[n];
}

const char *
stats_reader_text(const StatsReader *reader, gsize n)
{
    return reader->text + reader->first[n];
}

GVariant *
stats_reader_value(const StatsReader *reader, gsize n)
{
    guint64 bits = reader->first[n];
    double number;

    switch (reader->shape->fields[n].type) {
    case 'b':
        return g_variant_new_boolean(bits != 0);
    case 'i':
        return g_variant_new_int32((gint32)bits);
    case 'u':
        return g_variant_new_uint32((guint32)bits);
    case 'x':
        return g_variant_new_int64((gint64)bits);
    case 't':
        return g_variant_new_uint64(bits);
    case 'd':
        memcpy(&number, &bits, sizeof(number));
        return g_variant_new_double(number);
    case 's':
        return g_variant_new_string(stats_reader_text(reader, n));
    default:
        g_assert_not_reached();
    }
}

GVariant *
stats_reader_record(const StatsReader *reader)
{
    GVariantBuilder record;

    g_variant_builder_init(&record, G_VARIANT_TYPE_VARDICT);
    for (gsize i = 0; i < reader->shape->n; i++)
        g_variant_builder_add_value(
            &record, g_variant_new_dict_entry(g_variant_new_string(reader->shape->fields[i].key),
                                              g_variant_new_variant(stats_reader_value(reader, i))));
    return g_variant_ref_sink(g_variant_builder_end(&record));
}
