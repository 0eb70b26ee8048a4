#include "cli/json.h"

#include <math.h>

static void append(GString *text, GVariant *value, guint depth);

/* RFC 8259, section 7. */
static void
append_string(GString *text, const char *string)
{
    g_string_append_c(text, '"');
    for (const char *p = string; *p; p++) {
        if (*p == '"' || *p == '\\')
            g_string_append_printf(text, "\\%c", *p);
        else if ((guchar)*p < ' ' || *p == 0x7f)
            g_string_append_printf(text, "\\u%04x", (guint)*p);
        else
            g_string_append_c(text, *p);
    }
    g_string_append_c(text, '"');
}

/* JSON has no word for a number that is none, and no locale. */
static void
append_double(GString *text, double number)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(text,
                    isfinite(number) ? g_ascii_dtostr(digits, sizeof digits, number) : "null");
}

/* An integer of any width: GVariant's text of it has no type before it. */
static void
append_integer(GString *text, GVariant *value)
{
    g_autofree char *digits = NULL;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BYTE))
        digits = g_strdup_printf("%u", g_variant_get_byte(value));
    else
        digits = g_variant_print(value, FALSE);
    g_string_append(text, digits);
}

/* A depth at which nothing begins a line. */
#define FLAT 1000

static void
new_line(GString *text, guint depth)
{
    if (depth >= FLAT)
        return;
    g_string_append_c(text, '\n');
    for (guint i = 0; i < depth; i++)
        g_string_append(text, "  ");
}

static void
append_member(GString *text, GVariant *entry, guint depth)
{
    g_autoptr(GVariant) key = g_variant_get_child_value(entry, 0);
    g_autoptr(GVariant) value = g_variant_get_child_value(entry, 1);

    append_string(text, g_variant_get_string(key, NULL));
    g_string_append(text, ": ");
    append(text, value, depth);
}

static void
append_container(GString *text, GVariant *value, guint depth)
{
    gboolean is_object = g_variant_is_of_type(value, G_VARIANT_TYPE("a{s*}"));
    gsize n = g_variant_n_children(value);

    g_string_append_c(text, is_object ? '{' : '[');
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(value, i);

        new_line(text, depth + 1);
        if (is_object)
            append_member(text, child, depth + 1);
        else
            append(text, child, depth + 1);
        if (i + 1 < n)
            g_string_append(text, depth >= FLAT ? ", " : ",");
    }
    if (n)
        new_line(text, depth);
    g_string_append_c(text, is_object ? '}' : ']');
}

/* What is in a variant or a maybe. */
static void
append_inner(GString *text, GVariant *value, guint depth)
{
    g_autoptr(GVariant) inner =
        g_variant_n_children(value) ? g_variant_get_child_value(value, 0) : NULL;

    if (inner)
        append(text, inner, depth);
    else
        g_string_append(text, "null");
}

static void
append(GString *text, GVariant *value, guint depth)
{
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_STRING:
    case G_VARIANT_CLASS_OBJECT_PATH:
    case G_VARIANT_CLASS_SIGNATURE:
        append_string(text, g_variant_get_string(value, NULL));
        break;
    case G_VARIANT_CLASS_BOOLEAN:
        g_string_append(text, g_variant_get_boolean(value) ? "true" : "false");
        break;
    case G_VARIANT_CLASS_DOUBLE:
        append_double(text, g_variant_get_double(value));
        break;
    case G_VARIANT_CLASS_VARIANT:
    case G_VARIANT_CLASS_MAYBE:
        append_inner(text, value, depth);
        break;
    case G_VARIANT_CLASS_ARRAY:
    case G_VARIANT_CLASS_TUPLE:
    case G_VARIANT_CLASS_DICT_ENTRY:
        append_container(text, value, depth);
        break;
    default:
        append_integer(text, value);
        break;
    }
}

char *
json_line(GVariant *value)
{
    GString *text = g_string_new(NULL);

    append(text, value, FLAT);
    g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}

char *
json_text(GVariant *value)
{
    GString *text = g_string_new(NULL);

    append(text, value, 0);
    g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}
