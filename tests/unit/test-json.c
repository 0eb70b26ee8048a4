/* JSON texts, good and bad. */
#include "driver/error.h"
#include "driver/json.h"

#include <string.h>

static void
assert_value(const char *text, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = json_parse(text, &error);
    g_autofree char *printed = value ? g_variant_print(value, FALSE) : NULL;

    g_assert_no_error(error);
    g_assert_cmpstr(printed, ==, wanted);
}

static void
test_values(void)
{
    assert_value(" \t\r\n true ", "true");
    assert_value("false", "false");
    assert_value("null", "()");
    assert_value("-12.5e1", "-125.0");
    assert_value("0", "0");
    assert_value("-9223372036854775808", "-9223372036854775808");
    assert_value("9223372036854775808", "9223372036854775808");
    assert_value("18446744073709551616", "1.8446744073709552e+19");
    assert_value("0.25", "0.25");
    assert_value("0e2", "0.0");
    assert_value("\"\"", "''");
    assert_value("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "'a\"\\\\/\\b\\f\\n\\r\\t'");
    assert_value("\"\\u00e9\\ud83d\\ude00\"", "'\u00e9\U0001f600'");
    assert_value("[]", "[]");
    assert_value("[1, [ ], \"x\"]", "[<int64 1>, <@av []>, <'x'>]");
    assert_value("{}", "{}");
    assert_value("{\"a\": {\"b\": [true]}}", "{'a': <{'b': <[<true>]>}>}");
    assert_value("{\"b\": 1, \"a\": 2}", "{'b': <int64 1>, 'a': <int64 2>}");
}

static void
assert_bad(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) value = json_parse(text, &error);

    g_assert_null(value);
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_INTERNAL_ERROR);
}

static void
test_bad(void)
{
    static const char *const texts[] = {
        "",
        " ",
        "nul",
        "truefalse",
        "1 2",
        "[1",
        "[1,",
        "[1,]",
        "[,]",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{1:2}",
        "{\"a\":1,}",
        "{\"a\": 1, \"a\": 2}",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800\"",
        "\"\n\"",
        "\"\\udc00\"",
        "\"\\u0000\"",
        "01",
        "-",
        "+1",
        ".5",
        "0x10",
        "NaN",
        "Infinity",
        "'a'",
        "\xff",
        "[\"\xc3\"]",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_bad(texts[i]);
}

static char *
nested(int depth)
{
    GString *text = g_string_new(NULL);

    for (int i = 0; i < depth; i++)
        g_string_append_c(text, '[');
    for (int i = 0; i < depth; i++)
        g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static void
test_depth(void)
{
    g_autofree char *good = nested(32), *bad = nested(33), *deep = nested(1000000);
    g_autoptr(GVariant) value = json_parse(good, NULL);

    g_assert_nonnull(value);
    assert_bad(bad);
    assert_bad(deep);
}

/* A short text that would be very much in memory. */
static void
test_many(void)
{
    g_autoptr(GString) text = g_string_new("[0");

    for (int i = 0; i < 199998; i++)
        g_string_append(text, ",0");
    g_string_append_c(text, ']');
    g_variant_unref(json_parse(text->str, NULL));
    g_string_insert(text, 1, "0,");
    assert_bad(text->str);
}

/* What is written is what was read. */
static void
test_format(void)
{
    static const char *const texts[] = {
        "null",
        "true",
        "-9223372036854775808",
        "18446744073709551615",
        "0.25",
        "\"a\\\"\\\\\\u0001\u00e9\"",
        "[]",
        "{}",
        "{\"z\":[1,[null,false]],\"a\":{\"b\":\"c\"}}",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GVariant) value = json_parse(texts[i], NULL);
        g_autofree char *text = json_format(value);

        g_assert_cmpstr(text, ==, texts[i]);
    }
}

static void
test_members(void)
{
    g_autoptr(GVariant) value =
        json_parse("{\"s\":\"x\",\"b\":true,\"n\":-7,\"d\":1.5,\"a\":[1]}", NULL);
    g_autoptr(GVariant) array = json_member(value, "a", "av");
    g_autoptr(GVariant) none = json_member(array, "s", "s");
    const char *text = "";
    gboolean flag = FALSE;
    gint64 number = 0;

    g_assert_nonnull(array);
    g_assert_null(none);
    g_assert_true(json_get_text(value, "s", &text));
    g_assert_cmpstr(text, ==, "x");
    g_assert_true(json_get_bool(value, "b", &flag) && flag);
    g_assert_true(json_get_int(value, "n", -7, 0, &number));
    g_assert_cmpint(number, ==, -7);
    g_assert_false(json_get_int(value, "n", 0, 9, &number));
    g_assert_false(json_get_int(value, "d", 0, 9, &number));
    g_assert_false(json_get_text(value, "n", &text));
    g_assert_false(json_get_bool(array, "b", &flag));
    g_assert_cmpint(number, ==, -7);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/values", test_values);
    g_test_add_func("/json/bad", test_bad);
    g_test_add_func("/json/depth", test_depth);
    g_test_add_func("/json/many", test_many);
    g_test_add_func("/json/format", test_format);
    g_test_add_func("/json/members", test_members);
    return g_test_run();
}
