/* Fuzz target: a line that somebody types, or that a script has, as the words of its commands. Words that were cut out of
 * it are cut out of a line again that quotes them. */
#include "cli/words.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A backslash before the end of a line would join the lines: that is quoted, and a quote has a backslash. */
static void
quote(GString *line, const char *word)
{
    g_string_append(line, "''");
    for (; *word; word++) {
        if (*word == '\'')
            g_string_append(line, "\\'");
        else
            g_string_append_printf(line, "'%c'", *word);
    }
    g_string_append_c(line, ' ');
}

static char *
line_of(const GPtrArray *commands)
{
    GString *line = g_string_new(NULL);

    for (guint i = 0; i < commands->len; i++) {
        const GPtrArray *words = commands->pdata[i];

        g_assert_cmpuint(words->len, >, 0);
        for (guint j = 0; j < words->len; j++)
            quote(line, words->pdata[j]);
        g_string_append_c(line, i % 2 ? ';' : '\n');
    }
    return g_string_free(line, FALSE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) commands = words_split(text, &error), again = NULL;
    g_autofree char *first = NULL, *second = NULL;

    g_assert_true((commands == NULL) == (error != NULL));
    if (!commands)
        return 0;
    first = line_of(commands);
    again = words_split(first, &error);
    g_assert_no_error(error);
    second = line_of(again);
    g_assert_cmpstr(first, ==, second);
    return 0;
}
