/* How a line is cut into commands and words. */
#include "cli/output.h"
#include "cli/words.h"

/* The words of @line with '|' between them and ';' between commands; the message where it fails. */
static char *
cut(const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) commands = words_split(line, &error);
    GString *text = g_string_new(NULL);

    if (!commands) {
        g_assert_error(error, CLI_ERROR, CLI_ERROR_FAILED);
        return g_string_free(g_string_append(text, error->message), FALSE);
    }
    for (guint i = 0; i < commands->len; i++) {
        const GPtrArray *words = commands->pdata[i];
        for (guint j = 0; j < words->len; j++)
            g_string_append_printf(text, "%s%s", j ? "|" : i ? ";" : "", (char *)words->pdata[j]);
    }
    return g_string_free(text, FALSE);
}

typedef struct Case {
    const char *line, *words;
} Case;

static const Case cases[] = {
    { "", "" },
    { " \t ", "" },
    { "list", "list" },
    { "  list\t--all ", "list|--all" },
    { "list;uri", "list;uri" },
    { ";; list ; ; uri;", "list;uri" },
    { "list\nuri\n", "list;uri" },
    { "echo 'a b' \"c d\" e\\ f", "echo|a b|c d|e f" },
    { "echo a'b'\"c\"d", "echo|abcd" },
    { "echo '' x", "echo||x" },
    { "echo \"\"", "echo|" },
    { "echo 'a\\b' \"a\\\"b\" a\\\\b", "echo|a\\b|a\"b|a\\b" },
    { "echo \"it's\" 'say \"hi\"'", "echo|it's|say \"hi\"" },
    { "echo 'a;b' \"c;d\" e\\;f", "echo|a;b|c;d|e;f" },
    { "echo one \\\n two", "echo|one|two" },
    { "echo on\\\ne", "echo|one" },
    { "uri # list; echo", "uri" },
    { "# nothing\nuri", "uri" },
    { "echo a#b", "echo|a#b" },
    { "echo 'open", "echo|open" },
    { "echo \"open", "missing \"" },
    { "uri; echo \"open", "missing \"" },
    { "echo \\", "dangling \\" },
};

static void
test_case(gconstpointer data)
{
    const Case *c = data;
    g_autofree char *words = cut(c->line);

    g_assert_cmpstr(words, ==, c->words);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("/cli/words/%02" G_GSIZE_FORMAT, i);
        g_test_add_data_func(name, &cases[i], test_case);
    }
    return g_test_run();
}
