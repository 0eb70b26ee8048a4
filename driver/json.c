#include "driver/json.h"

#include "driver/error.h"

#include <string.h>

#define DEPTH_MAX 32

typedef struct Reader {
    const char *text;
    const char *at;
    int depth;
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

static gboolean
read_member(Reader *in, GVariantDict *dict)
{
    g_autofree char *key = take(in, '"') ? read_string(in) : NULL;
    GVariant *value = key && take(in, ':') ? read_value(in) : NULL;

    if (value)
        g_variant_dict_insert_value(dict, key, value);
    return value != NULL;
}

static GVariant *
read_object(Reader *in)
{
    GVariantDict dict;

    g_variant_dict_init(&dict, NULL);
    if (take(in, '}'))
        return g_variant_dict_end(&dict);
    while (read_member(in, &dict)) {
        if (take(in, '}'))
            return g_variant_dict_end(&dict);
        if (!take(in, ','))
            break;
    }
    g_variant_dict_clear(&dict);
    return NULL;
}

/* strtod() knows more notations than JSON. */
static GVariant *
read_number(Reader *in)
{
    const char *digits = *in->at == '-' ? in->at + 1 : in->at;
    gboolean octal =
        digits[0] == '0' && g_ascii_isalnum(digits[1]) && g_ascii_tolower(digits[1]) != 'e';
    char *end;
    double number;

    if (!g_ascii_isdigit(*digits) || octal)
        return NULL;
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

    if (++in->depth <= DEPTH_MAX)
        value = read_plain(in);
    in->depth--;
    return value;
}

GVariant *
json_parse(const char *text, GError **error)
{
    Reader in = { text, text, 0 };
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
