#include "cli/words.h"

#include "cli/output.h"

#include <glib/gi18n.h>

typedef enum {
    STOP_WORD,    /* a word was read */
    STOP_COMMAND, /* the command ended before another word */
    STOP_LINE,    /* nothing is left */
    STOP_ERROR,
} Stop;

static gboolean
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static gboolean
ends_command(char c)
{
    return c == ';' || c == '\n';
}

static const char *
skip_blanks(const char *at)
{
    while (is_blank(*at) || (at[0] == '\\' && at[1] == '\n'))
        at += *at == '\\' ? 2 : 1;
    return at;
}

static const char *
skip_comment(const char *at)
{
    while (*at && *at != '\n')
        at++;
    return at;
}

/* Reads one word from *@at into @word; what a quote or a backslash protects goes in as it is. */
static gboolean
read_word(const char **at, GString *word, GError **error)
{
    const char *p = *at;
    char quote = '\0';

    for (; *p && (quote || !(is_blank(*p) || ends_command(*p))); p++) {
        if ((*p == '\'' || *p == '"') && (quote == '\0' || quote == *p)) {
            quote = quote ? '\0' : *p;
            continue;
        }
        if (*p == '\\' && quote != '\'') {
            p++;
            if (*p == '\n')
                continue;
            if (*p == '\0')
                return cli_fail(error, "%s", _("dangling \\"));
        }
        g_string_append_c(word, *p);
    }
    /* virsh lets a single quote stay open, so this does too. */
    if (quote == '"')
        return cli_fail(error, "%s", _("missing \""));
    *at = p;
    return TRUE;
}

static Stop
next_word(const char **at, char **ret_word, GError **error)
{
    g_autoptr(GString) word = g_string_new(NULL);

    *at = skip_blanks(*at);
    if (**at == '#')
        *at = skip_comment(*at);
    if (**at == '\0')
        return STOP_LINE;
    if (ends_command(**at)) {
        (*at)++;
        return STOP_COMMAND;
    }
    if (!read_word(at, word, error))
        return STOP_ERROR;
    *ret_word = g_string_free(g_steal_pointer(&word), FALSE);
    return STOP_WORD;
}

static GPtrArray *
new_words(void)
{
    return g_ptr_array_new_with_free_func(g_free);
}

/* Moves the words of a finished command into @commands, unless there were none. */
static void
end_command(GPtrArray *commands, GPtrArray **words)
{
    if ((*words)->len == 0)
        return;
    g_ptr_array_add(commands, *words);
    *words = new_words();
}

GPtrArray *
words_split(const char *line, GError **error)
{
    g_autoptr(GPtrArray) commands =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    g_autoptr(GPtrArray) words = new_words();

    for (;;) {
        char *word = NULL;
        switch (next_word(&line, &word, error)) {
        case STOP_WORD:
            g_ptr_array_add(words, word);
            break;
        case STOP_COMMAND:
            end_command(commands, &words);
            break;
        case STOP_LINE:
            end_command(commands, &words);
            return g_steal_pointer(&commands);
        case STOP_ERROR:
            return NULL;
        }
    }
}
