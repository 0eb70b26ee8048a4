/* Records of statistics go into columns and come out of them as they were; columns that make no sense are refused. */
#include "cli/columns.h"
#include "cli/stats-reader.h"
#include "daemon/stats-columns.h"

#include <string.h>

static const struct {
    const char *name, *record;
} cases[] = {
    { "first", "{'state.state': <5>, 'balloon.current': <uint64 18446744073709551615>}" },
    { "alike", "{'state.state': <1>, 'balloon.current': <uint64 7>}" },
    { "empty", "@a{sv} {}" },
    { "w\u00e4hlerisch", "{'all': <-1>, 'u': <uint32 4294967295>, 'x': <int64 -5>, 'd': <-0.5>, "
                         "'s': <'/a'>, 'empty': <''>, 'b': <true>, 'more': <false>}" },
    /* The same names with other types are another shape. */
    { "other", "{'state.state': <uint32 5>, 'balloon.current': <'text'>}" },
    { "last", "{'state.state': <3>, 'balloon.current': <uint64 0>}" },
};

static GVariant *
record_of(gsize i)
{
    g_autoptr(GError) error = NULL;
    GVariant *record =
        g_variant_parse(G_VARIANT_TYPE_VARDICT, cases[i].record, NULL, NULL, &error);

    g_assert_no_error(error);
    return record;
}

/* Every record twice, the second time as the one of the domain before. */
static GVariant *
answer_new(void)
{
    StatsColumns *columns = stats_columns_new();

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GVariant) record = record_of(i);

        stats_columns_add(columns, cases[i].name, record);
        stats_columns_add(columns, "again", record);
    }
    return g_variant_ref_sink(stats_columns_end(columns));
}

static void
test_round_trip(void)
{
    g_autoptr(GVariant) answer = answer_new();
    g_autoptr(StatsReader) reader = stats_reader_new(answer);

    g_assert_nonnull(reader);
    for (gsize i = 0; i < 2 * G_N_ELEMENTS(cases); i++) {
        g_autoptr(GVariant) expected = record_of(i / 2), record = NULL;

        g_assert_true(stats_reader_next(reader));
        g_assert_cmpstr(stats_reader_name(reader), ==, i % 2 ? "again" : cases[i / 2].name);
        record = stats_reader_record(reader);
        g_assert_cmpvariant(record, expected);
    }
    g_assert_false(stats_reader_next(reader));
}

/* What thousands have in common is there once. */
static void
test_shapes(void)
{
    g_autoptr(GVariant) answer = answer_new();
    g_autoptr(GVariant) shapes = g_variant_get_child_value(answer, 1);
    g_autoptr(GVariant) kinds = g_variant_get_child_value(answer, 2);
    g_autofree char *text = g_variant_print(shapes, FALSE);

    g_assert_cmpstr(text, ==, "[0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 0, 0]");
    g_assert_cmpuint(g_variant_n_children(kinds), ==, 4);
}

static void
test_nothing(void)
{
    StatsColumns *columns = stats_columns_new();
    g_autoptr(GVariant) answer = g_variant_ref_sink(stats_columns_end(columns));
    g_autoptr(StatsReader) reader = stats_reader_new(answer);

    g_assert_nonnull(reader);
    g_assert_false(stats_reader_next(reader));
    stats_columns_free(stats_columns_new());
    stats_columns_free(NULL);
}

static void
test_nonsense(void)
{
    static const char *const answers[] = {
        "(b'a', [uint32 1], [[('k', signature 'i')]], [uint64 1], @ay [])", /* no such shape */
        "(b'a', [uint32 0], [[('k', signature 'i')]], @at [], @ay [])",     /* a value is missing */
        "(b'a', [uint32 0], [[('k', signature 'i')]], [uint64 1, 2], @ay [])", /* one too many */
        "(b'a', @au [], @aa(sg) [], @at [], @ay [])",                       /* a name too many */
        "(@ay [], [uint32 0], [@a(sg) []], @at [], @ay [])",                /* no name */
        "(@ay [0x61], [uint32 0], [@a(sg) []], @at [], @ay [])",            /* that does not end */
        "(@ay [0xff, 0], [uint32 0], [@a(sg) []], @at [], @ay [])",         /* that is no text */
        "(b'a', [uint32 0], [[('k', signature 'v')]], [uint64 1], @ay [])", /* a type that is no number */
        "(b'a', [uint32 0], [[('k', signature '')]], [uint64 1], @ay [])",
        "(b'a', [uint32 0], [[('k', signature 's')]], [uint64 2], b'x')",   /* a text that is not there */
        "(b'a', [uint32 0], [[('k', signature 's')]], @at [], @ay [])",
        "(b'a', [uint32 0], [[('k', signature 's')]], [uint64 0], @ay [])",
        "(b'a', [uint32 0], [[('k', signature 's')]], [uint64 0], @ay [0x78])",
        "(b'a', [uint32 0], [[('k', signature 's')]], [uint64 0], @ay [0xff, 0])",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(answers); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) answer =
            g_variant_parse(G_VARIANT_TYPE(STATS_COLUMNS), answers[i], NULL, NULL, &error);
        g_autoptr(StatsReader) reader = NULL;

        g_assert_no_error(error);
        reader = stats_reader_new(answer);
        if (reader)
            g_error("%s is taken", answers[i]);
    }
}

static void
test_texts(void)
{
    g_autoptr(GVariant) none = g_variant_ref_sink(g_variant_new_parsed("@ay []"));
    g_autoptr(GVariant) two = g_variant_ref_sink(g_variant_new_parsed("[byte 0x61, 0, 0, 0x62]"));
    Texts texts = texts_of(none);

    g_assert_null(texts_next(&texts));
    g_assert_true(texts_end(&texts));
    texts = texts_of(two);
    g_assert_cmpstr(texts_next(&texts), ==, "a");
    g_assert_cmpstr(texts_next(&texts), ==, "");
    g_assert_null(texts_next(&texts));
    g_assert_false(texts_end(&texts));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/columns/round-trip", test_round_trip);
    g_test_add_func("/columns/shapes", test_shapes);
    g_test_add_func("/columns/nothing", test_nothing);
    g_test_add_func("/columns/nonsense", test_nonsense);
    g_test_add_func("/columns/texts", test_texts);
    return g_test_run();
}
