#include "cli/columns.h"

#include <string.h>

Texts
texts_of(GVariant *column)
{
    gsize size;
    const char *data = g_variant_get_fixed_array(column, &size, 1);

    return (Texts){ data, size };
}

const char *
texts_next(Texts *texts)
{
    const char *text = texts->next;
    const char *end = texts->left ? memchr(text, '\0', texts->left) : NULL;

    if (!end || !g_utf8_validate_len(text, end - text, NULL))
        return NULL;
    texts->left -= end + 1 - text;
    texts->next = end + 1;
    return text;
}

gboolean
texts_end(const Texts *texts)
{
    return texts->left == 0;
}

gconstpointer
column_of(GVariant *column, gsize size, gsize n)
{
    gsize there;
    gconstpointer data = g_variant_get_fixed_array(column, &there, size);

    return there == n ? data : NULL;
}
