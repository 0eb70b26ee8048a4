#include "daemon/columns.h"

#include <string.h>

void
text_column_add(TextColumn *column, const char *text)
{
    g_byte_array_append(column, (const guint8 *)text, strlen(text) + 1);
}

static GVariant *
array_of(const GVariantType *type, GBytes *bytes)
{
    GVariant *array = g_variant_new_from_bytes(type, bytes, TRUE);

    g_bytes_unref(bytes);
    return array;
}

GVariant *
text_column_end(TextColumn *column)
{
    return array_of(G_VARIANT_TYPE_BYTESTRING, g_byte_array_free_to_bytes(column));
}

GVariant *
column_end(const char *type, GArray *column)
{
    g_autoptr(GVariantType) array = g_variant_type_new_array(G_VARIANT_TYPE(type));
    gsize size = column->len * g_array_get_element_size(column);

    return array_of(array, g_bytes_new_take(g_array_free(column, FALSE), size));
}
