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
    assert_value("0", "0.0");
    assert_value("0.25", "0.25");
    assert_value("0e2", "0.0");
    assert_value("\"\"", "''");
    assert_value("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "'a\"\\\\/\\b\\f\\n\\r\\t'");
    assert_value("\"\\u00e9\\ud83d\\ude00\"", "'\u00e9\U0001f600'");
    assert_value("[]", "[]");
    assert_value("[1, [ ], \"x\"]", "[<1.0>, <@av []>, <'x'>]");
    assert_value("{}", "{}");
    assert_value("{\"a\": {\"b\": [true]}}", "{'a': <{'b': <[<true>]>}>}");
    assert_value("{\"a\": 1, \"a\": 2}", "{'a': <2.0>}");
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/values", test_values);
    g_test_add_func("/json/bad", test_bad);
    g_test_add_func("/json/depth", test_depth);
    return g_test_run();
}
