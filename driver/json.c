#include "driver/json.h"

#include "driver/error.h"

#include <string.h>

#define DEPTH_MAX  32
#define VALUES_MAX 200000 /* a short text can be very many */

typedef struct Reader {
    const char *text;
    const char *at;
    int depth;
    guint n_values;
} Reader;

static GVariant *read_value(Reader *in);

static void
skip_space(Reader *in)
{
    in->at += strspn(in->at, " \t\r\n");
}

static gboolean
take(Reader *in, char c)
{
    skip_space(in);
    if (*in->at != c)
        return FALSE;
    in->at++;
    return TRUE;
}

static gboolean
take_word(Reader *in, const char *word)
{
    if (!g_str_has_prefix(in->at, word))
        return FALSE;
    in->at += strlen(word);
    return TRUE;
}

static gboolean
read_hex(Reader *in, gunichar *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++, in->at++) {
        if (!g_ascii_isxdigit(*in->at))
            return FALSE;
        *ret = *ret << 4 | g_ascii_xdigit_value(*in->at);
    }
    return TRUE;
}

/* A character beyond 16 bits is a pair of surrogates (section 7). */
static gboolean
read_unicode(Reader *in, GString *out)
{
    gunichar c, low;

    if (!read_hex(in, &c))
        return FALSE;
    if (c >= 0xd800 && c < 0xdc00) {
        if (!take_word(in, "\\u") || !read_hex(in, &low) || low < 0xdc00 || low > 0xdfff)
            return FALSE;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    if (c == 0 || !g_unichar_validate(c))
        return FALSE;
    g_string_append_unichar(out, c);
    return TRUE;
}

static gboolean
read_escape(Reader *in, GString *out)
{
    static const char codes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *code = *in->at ? strchr(codes, *in->at) : NULL;

    if (*in->at == 'u') {
        in->at++;
        return read_unicode(in, out);
    }
    if (!code)
        return FALSE;
    in->at++;
    g_string_append_c(out, meanings[code - codes]);
    return TRUE;
}

/* After the opening quote; NULL where it does not end. */
static char *
read_string(Reader *in)
{
    GString *out = g_string_new(NULL);

    while (*in->at != '"') {
        gboolean good = (guchar)*in->at >= 0x20;

        if (*in->at == '\\') {
            in->at++;
            good = read_escape(in, out);
        } else if (good) {
            g_string_append_c(out, *in->at++);
        }
        if (!good) {
            g_string_free(out, TRUE);
            return NULL;
        }
    }
    in->at++;
    return g_string_free(out, FALSE);
}

static GVariant *
read_text(Reader *in)
{
    char *text = read_string(in);

    return text ? g_variant_new_take_string(text) : NULL;
}

static GVariant *
read_array(Reader *in)
{
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("av"));
    if (take(in, ']'))
        return g_variant_builder_end(&builder);
    do {
        GVariant *value = read_value(in);

        if (!value)
            break;
        g_variant_builder_add(&builder, "v", value);
        if (take(in, ']'))
            return g_variant_builder_end(&builder);
    } while (take(in, ','));
    g_variant_builder_clear(&builder);
    return NULL;
}

/* A key that comes twice is refused: two readers could disagree about what it means. */
static gboolean
read_member(Reader *in, GVariantBuilder *members, GHashTable *keys)
{
    char *key = take(in, '"') ? read_string(in) : NULL;
    GVariant *value;

    if (!key || !g_hash_table_add(keys, key))
        return FALSE;
    value = take(in, ':') ? read_value(in) : NULL;
    if (value)
        g_variant_builder_add(members, "{sv}", key, value);
    return value != NULL;
}

static GVariant *
read_object(Reader *in)
{
    g_autoptr(GHashTable) keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GVariantBuilder members;

    g_variant_builder_init(&members, G_VARIANT_TYPE_VARDICT);
    if (take(in, '}'))
        return g_variant_builder_end(&members);
    while (read_member(in, &members, keys)) {
        if (take(in, '}'))
            return g_variant_builder_end(&members);
        if (!take(in, ','))
            break;
    }
    g_variant_builder_clear(&members);
    return NULL;
}

/* One without a fraction that an integer can hold; NULL: it is another. */
static GVariant *
read_integer(Reader *in)
{
    const char *digits = *in->at == '-' ? in->at + 1 : in->at;
    const char *end = digits + strspn(digits, G_CSET_DIGITS);
    g_autofree char *text = g_strndup(in->at, end - in->at);
    guint64 big;
    gint64 number;

    if (*end == '.' || g_ascii_tolower(*end) == 'e')
        return NULL;
    if (g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL)) {
        in->at = end;
        return g_variant_new_int64(number);
    }
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &big, NULL))
        return NULL;
    in->at = end;
    return g_variant_new_uint64(big);
}

/* strtod() knows more notations than JSON. */
static GVariant *
read_number(Reader *in)
{
    GVariant *integer;
    const char *digits = *in->at == '-' ? in->at + 1 : in->at;
    gboolean octal =
        digits[0] == '0' && g_ascii_isalnum(digits[1]) && g_ascii_tolower(digits[1]) != 'e';
    char *end;
    double number;

    if (!g_ascii_isdigit(*digits) || octal)
        return NULL;
    integer = read_integer(in);
    if (integer)
        return integer;
    number = g_ascii_strtod(in->at, &end);
    in->at = end;
    return g_variant_new_double(number);
}

static GVariant *
read_plain(Reader *in)
{
    if (take(in, '{'))
        return read_object(in);
    if (take(in, '['))
        return read_array(in);
    if (take(in, '"'))
        return read_text(in);
    if (take_word(in, "true"))
        return g_variant_new_boolean(TRUE);
    if (take_word(in, "false"))
        return g_variant_new_boolean(FALSE);
    if (take_word(in, "null"))
        return g_variant_new_tuple(NULL, 0);
    return read_number(in);
}

static GVariant *
read_value(Reader *in)
{
    GVariant *value = NULL;

    if (++in->depth <= DEPTH_MAX && ++in->n_values <= VALUES_MAX)
        value = read_plain(in);
    in->depth--;
    return value;
}

GVariant *
json_parse(const char *text, GError **error)
{
    Reader in = { text, text, 0, 0 };
    g_autoptr(GVariant) value = NULL;

    if (!g_utf8_validate(text, -1, NULL)) {
        driver_error(error, VIR_ERR_INTERNAL_ERROR, "the JSON text is not UTF-8");
        return NULL;
    }
    value = read_value(&in);
    if (value)
        g_variant_ref_sink(value);
    skip_space(&in);
    if (value && !*in.at)
        return g_steal_pointer(&value);
    driver_error(error, VIR_ERR_INTERNAL_ERROR, "the JSON text is wrong at byte %zu",
                 (gsize)(in.at - text));
    return NULL;
}

/* Writing */

static void
write_text(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        if ((guchar)*text < 0x20)
            g_string_append_printf(out, "\\u%04x", (guint)*text);
        else
            g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

static void write_value(GString *out, GVariant *value);

static void
write_array(GString *out, GVariant *array)
{
    GVariantIter iter;
    GVariant *value;
    gboolean first = TRUE;

    g_string_append_c(out, '[');
    g_variant_iter_init(&iter, array);
    while ((value = g_variant_iter_next_value(&iter))) {
        if (!first)
            g_string_append_c(out, ',');
        first = FALSE;
        write_value(out, value);
        g_variant_unref(value);
    }
    g_string_append_c(out, ']');
}

static void
write_object(GString *out, GVariant *object)
{
    GVariantIter iter;
    GVariant *value;
    const char *key;
    gboolean first = TRUE;

    g_string_append_c(out, '{');
    g_variant_iter_init(&iter, object);
    while (g_variant_iter_next(&iter, "{&sv}", &key, &value)) {
        if (!first)
            g_string_append_c(out, ',');
        first = FALSE;
        write_text(out, key);
        g_string_append_c(out, ':');
        write_value(out, value);
        g_variant_unref(value);
    }
    g_string_append_c(out, '}');
}

static void
write_double(GString *out, double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(out, g_ascii_dtostr(text, sizeof(text), number));
}

static void
write_variant(GString *out, GVariant *value)
{
    g_autoptr(GVariant) inner = g_variant_get_variant(value);

    write_value(out, inner);
}

static void
write_value(GString *out, GVariant *value)
{
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_VARIANT:
        write_variant(out, value);
        break;
    case G_VARIANT_CLASS_STRING:
        write_text(out, g_variant_get_string(value, NULL));
        break;
    case G_VARIANT_CLASS_BOOLEAN:
        g_string_append(out, g_variant_get_boolean(value) ? "true" : "false");
        break;
    case G_VARIANT_CLASS_INT64:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, g_variant_get_int64(value));
        break;
    case G_VARIANT_CLASS_UINT64:
        g_string_append_printf(out, "%" G_GUINT64_FORMAT, g_variant_get_uint64(value));
        break;
    case G_VARIANT_CLASS_DOUBLE:
        write_double(out, g_variant_get_double(value));
        break;
    case G_VARIANT_CLASS_ARRAY:
        if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT))
            write_object(out, value);
        else
            write_array(out, value);
        break;
    default: /* () is all that is left */
        g_string_append(out, "null");
    }
}

char *
json_format(GVariant *value)
{
    g_autoptr(GVariant) own = g_variant_ref_sink(value);
    GString *out = g_string_new(NULL);

    write_value(out, own);
    return g_string_free(out, FALSE);
}

GVariant *
json_object(const char *key, ...)
{
    GVariantBuilder members;
    va_list rest;

    g_variant_builder_init(&members, G_VARIANT_TYPE_VARDICT);
    va_start(rest, key);
    for (; key; key = va_arg(rest, const char *))
        g_variant_builder_add(&members, "{sv}", key, va_arg(rest, GVariant *));
    va_end(rest);
    return g_variant_builder_end(&members);
}

/* Reading what was read */

static gboolean
is_object(GVariant *value)
{
    return g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT);
}

GVariant *
json_member(GVariant *object, const char *key, const char *type)
{
    return is_object(object) ? g_variant_lookup_value(object, key, G_VARIANT_TYPE(type)) : NULL;
}

gboolean
json_get_text(GVariant *object, const char *key, const char **ret)
{
    return is_object(object) && g_variant_lookup(object, key, "&s", ret);
}

gboolean
json_get_bool(GVariant *object, const char *key, gboolean *ret)
{
    return is_object(object) && g_variant_lookup(object, key, "b", ret);
}

gboolean
json_get_int(GVariant *object, const char *key, gint64 min, gint64 max, gint64 *ret)
{
    gint64 number;

    if (!is_object(object) || !g_variant_lookup(object, key, "x", &number) || number < min ||
        number > max)
        return FALSE;
    *ret = number;
    return TRUE;
}
