#include "cli/args.h"

#include "cli/output.h"

#include <glib/gi18n.h>
#include <string.h>

struct Args {
    const Command *command;
    gsize n_options;
    GPtrArray **
        values; /* by the option's row: NULL not given, else its texts (none for a flag), NULL-ended */
    gboolean wants_help;
    char *form; /* of --output, where no option of the command has that name; NULL: not given */
    gboolean only_data; /* "--" was seen */
    GString *told; /* what was given, for the log */
};

static gsize
count_options(const Option *options)
{
    gsize n = 0;

    while (options && options[n].name)
        n++;
    return n;
}

static Args *
args_new(const Command *command)
{
    Args *args = g_new0(Args, 1);

    args->command = command;
    args->n_options = count_options(command->options);
    args->values = g_new0(GPtrArray *, args->n_options);
    args->told = g_string_new(NULL);
    return args;
}

void
args_free(Args *args)
{
    if (!args)
        return;
    for (gsize i = 0; i < args->n_options; i++)
        g_clear_pointer(&args->values[i], g_ptr_array_unref);
    g_free(args->values);
    g_free(args->form);
    g_string_free(args->told, TRUE);
    g_free(args);
}

const Command *
args_command(const Args *args)
{
    return args->command;
}

const char *
args_told(const Args *args)
{
    return args->told->str;
}

gboolean
args_wants_help(const Args *args)
{
    return args->wants_help;
}

/* Keeps @text (NULL for a flag) as a value of option @i; the array stays NULL-ended. */
static void
add_value(Args *args, gsize i, const char *text)
{
    const Option *option = &args->command->options[i];
    GPtrArray *values = args->values[i];

    g_string_append_printf(args->told, "%s: %s(%s): %s\n", args->command->name, option->name,
                           text ? "optdata" : "bool", text ? text : "(none)");
    if (!values) {
        values = args->values[i] = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(values, NULL);
    }
    if (text)
        g_ptr_array_insert(values, values->len - 1, g_strdup(text));
}

/* "help" takes any option, as in virsh: "help list --all" shows the help of list. */
static gboolean
takes_any_option(const Command *command)
{
    return strcmp(command->name, "help") == 0;
}

static gssize
option_index(const Args *args, const char *name)
{
    for (gsize i = 0; i < args->n_options; i++)
        if (strcmp(args->command->options[i].name, name) == 0)
            return (gssize)i;
    return -1;
}

/* The next option that a word without "--" fills. */
static gssize
next_positional(const Args *args)
{
    for (gsize i = 0; i < args->n_options; i++) {
        const Option *option = &args->command->options[i];
        if (option->kind == OPTION_BOOL || (option->flags & OPTION_NAMED_ONLY))
            continue;
        if (!args->values[i] || option->kind == OPTION_ARGV)
            return (gssize)i;
    }
    return -1;
}

static gboolean
take_data(Args *args, const char *word, GError **error)
{
    gssize i = next_positional(args);

    if (i >= 0)
        add_value(args, (gsize)i, word);
    else if (!takes_any_option(args->command))
        return cli_fail(error, _("unexpected data '%s'"), word);
    return TRUE;
}

/* The value of @option: after '=' or the next word, which *@ret_used then counts. */
static gboolean
take_value(Args *args, gsize i, const char *inline_value, const char *next, gsize *ret_used,
           GError **error)
{
    const Option *option = &args->command->options[i];
    const char *value = inline_value ? inline_value : next;

    if (option->kind == OPTION_BOOL) {
        if (inline_value)
            return cli_fail(error, _("invalid '=' after option --%s"), option->name);
        add_value(args, i, NULL);
        return TRUE;
    }
    if (!value)
        return cli_fail(error, _("expected syntax: --%s <%s>"), option->name,
                        option_is_number(option) ? _("number") : _("string"));
    add_value(args, i, value);
    *ret_used += inline_value ? 0 : 1;
    return TRUE;
}

/* "--output FORM", which every command knows. */
static gboolean
take_form(Args *args, const char *inline_value, const char *next, gsize *ret_used, GError **error)
{
    g_free(args->form);
    args->form = g_strdup(inline_value ? inline_value : next);
    if (!args->form)
        return cli_fail(error, _("expected syntax: --%s <%s>"), "output", _("string"));
    *ret_used += inline_value ? 0 : 1;
    return TRUE;
}

/* What an option of that name is called now, and what it is where the name says that, too. */
static OptionAlias
resolve(const Args *args, const char *name)
{
    const OptionAlias *alias = command_option_alias(args->command, name);

    return alias ? *alias : (OptionAlias){ name, name, NULL };
}

/* "--name" or "--name=value". */
static gboolean
take_option(Args *args, const char *word, const char *next, gsize *ret_used, GError **error)
{
    const char *equals = strchr(word, '=');
    g_autofree char *typed = equals ? g_strndup(word + 2, equals - word - 2) : g_strdup(word + 2);
    const OptionAlias meant = resolve(args, typed);
    const char *name = meant.option;
    const char *value = equals ? equals + 1 : meant.value;
    gssize i = option_index(args, name);

    if (equals && meant.value)
        return cli_fail(error, _("invalid '=' after option --%s"), typed);
    if (i < 0 && strcmp(name, "help") == 0 && !equals) {
        args->wants_help = TRUE;
        return TRUE;
    }
    if (i < 0 && takes_any_option(args->command))
        return TRUE;
    if (i < 0 && strcmp(name, "output") == 0)
        return take_form(args, value, next, ret_used, error);
    if (i < 0)
        return cli_fail(error, _("command '%s' doesn't support option --%s"), args->command->name,
                        name);
    if (args->values[i] && args->command->options[i].kind != OPTION_ARGV)
        return cli_fail(error, _("option --%s already seen"), name);
    return take_value(args, (gsize)i, value, next, ret_used, error);
}

const char *
args_form(const Args *args)
{
    return args->form;
}

static gboolean
is_option(const char *word)
{
    return g_str_has_prefix(word, "--") && g_ascii_isalnum(word[2]);
}

/* The option of a word like "-n", -1 for none. */
static gssize
letter_index(const Args *args, const char *word)
{
    if (word[0] != '-' || word[1] == '\0' || word[2] != '\0')
        return -1;
    for (gsize i = 0; i < args->n_options; i++)
        if (args->command->options[i].letter == word[1])
            return (gssize)i;
    return -1;
}

static gboolean
take_word(Args *args, const char *word, const char *next, gsize *ret_used, GError **error)
{
    if (!args->only_data && strcmp(word, "--") == 0) {
        args->only_data = TRUE;
        return TRUE;
    }
    if (!args->only_data && letter_index(args, word) >= 0) {
        const Option *option = &args->command->options[letter_index(args, word)];
        g_autofree char *name = g_strconcat("--", option->name, NULL);

        return take_option(args, name, next, ret_used, error);
    }
    if (!args->only_data && is_option(word))
        return take_option(args, word, next, ret_used, error);
    return take_data(args, word, error);
}

static gboolean
check_required(const Args *args, GError **error)
{
    for (gsize i = 0; i < args->n_options; i++) {
        const Option *option = &args->command->options[i];
        if (!(option->flags & OPTION_REQUIRED) || args->values[i])
            continue;
        if (option->kind == OPTION_DATA || option->kind == OPTION_ARGV)
            return cli_fail(error, _("command '%s' requires <%s> option"), args->command->name,
                            option->name);
        return cli_fail(error, _("command '%s' requires --%s option"), args->command->name,
                        option->name);
    }
    return TRUE;
}

Args *
args_parse(const char *const *words, gsize n, GError **error)
{
    const Command *command = command_find(words[0]);
    g_autoptr(Args) args = NULL;

    if (!command) {
        cli_fail(error, _("unknown command: '%s'"), words[0]);
        return NULL;
    }
    args = args_new(command);
    for (gsize i = 1; i < n; i++)
        if (!take_word(args, words[i], i + 1 < n ? words[i + 1] : NULL, &i, error))
            return NULL;
    if (!args->wants_help && !check_required(args, error))
        return NULL;
    return g_steal_pointer(&args);
}

/* The option that stands in @word and waits for its value, NULL for none. */
static const Option *
option_waiting(const Args *args, const char *word)
{
    const OptionAlias meant = is_option(word) ? resolve(args, word + 2) : (OptionAlias){ 0 };
    gssize i = meant.option ? option_index(args, meant.option) : letter_index(args, word);
    const Option *option = i < 0 || args->only_data ? NULL : &args->command->options[i];

    return option && option->kind != OPTION_BOOL && !meant.value ? option : NULL;
}

Args *
args_parse_start(const char *const *words, gsize n, const Option **ret_next)
{
    const Command *command = command_find(words[0]);
    Args *args = command ? args_new(command) : NULL;
    const Option *waiting = NULL;
    gssize positional;

    if (!args)
        return NULL;
    for (gsize i = 1; i < n; i++) {
        const char *following = i + 1 < n ? words[i + 1] : NULL;

        waiting = following ? NULL : option_waiting(args, words[i]);
        take_word(args, words[i], following, &i, NULL);
    }
    positional = next_positional(args);
    *ret_next = waiting || positional < 0 ? waiting : &command->options[positional];
    return args;
}

static gboolean
check_value(const Option *option, const char *text, GError **error)
{
    gboolean wide = (option->flags & OPTION_WIDE) != 0;
    gint64 number;

    if (option->kind == OPTION_INT &&
        !g_ascii_string_to_signed(text, 10, wide ? G_MININT64 : G_MININT,
                                  wide ? G_MAXINT64 : G_MAXINT, &number, NULL))
        return cli_fail(error, _("Numeric value '%s' for <%s> option is malformed or out of range"),
                        text, option->name);
    if (!option_is_number(option) && *text == '\0' && !(option->flags & OPTION_EMPTY_OK))
        return cli_fail(error, _("Failed to get option '%s': Option argument is empty"),
                        option->name);
    return TRUE;
}

/* The bus takes no other text. What a command is about, its first option, is looked up, or a file that is read here:
 * who does that has better words. */
static gboolean
check_encoding(const Args *args, gsize i, const char *text, GError **error)
{
    return i == 0 || g_utf8_validate(text, -1, NULL) ||
           cli_fail(error, _("Failed to get option '%s': it is not UTF-8"),
                    args->command->options[i].name);
}

gboolean
args_check(const Args *args, GError **error)
{
    for (gsize i = 0; i < args->n_options; i++)
        for (gsize j = 0; args->values[i] && args->values[i]->pdata[j]; j++)
            if (!check_value(&args->command->options[i], args->values[i]->pdata[j], error) ||
                !check_encoding(args, i, args->values[i]->pdata[j], error))
                return FALSE;
    return TRUE;
}

gboolean
args_have_flag(const Args *args, guint flag)
{
    for (gsize i = 0; i < args->n_options; i++)
        if (args->command->options[i].flags & flag && args->values[i])
            return TRUE;
    return FALSE;
}

static GPtrArray *
values_of(const Args *args, const char *name)
{
    gssize i = option_index(args, name);

    g_assert(i >= 0); /* a misspelt name is our own mistake */
    return args->values[i];
}

gboolean
args_has(const Args *args, const char *name)
{
    return values_of(args, name) != NULL;
}

const char *
args_string(const Args *args, const char *name)
{
    GPtrArray *values = values_of(args, name);

    return values ? values->pdata[0] : NULL;
}

int
args_int(const Args *args, const char *name, int fallback)
{
    const char *text = args_string(args, name);

    return text ? (int)g_ascii_strtoll(text, NULL, 10) : fallback;
}

gint64
args_int64(const Args *args, const char *name, gint64 fallback)
{
    const char *text = args_string(args, name);

    return text ? g_ascii_strtoll(text, NULL, 10) : fallback;
}

const char *const *
args_list(const Args *args, const char *name)
{
    static const char *const none[] = { NULL };
    GPtrArray *values = values_of(args, name);

    return values ? (const char *const *)values->pdata : none;
}

gboolean
args_exclusive(const Args *args, const char *one, const char *other, GError **error)
{
    if (args_has(args, one) && args_has(args, other))
        return cli_fail(error, _("Options --%s and --%s are mutually exclusive"), one, other);
    return TRUE;
}

guint
args_flags(const Args *args, const ArgsFlag *flags)
{
    guint all = 0;

    for (; flags->name; flags++)
        if (args_has(args, flags->name))
            all |= flags->flag;
    return all;
}

guint
args_flag_of(const ArgsFlag *flags, const char *name)
{
    for (; flags->name; flags++)
        if (strcmp(flags->name, name) == 0)
            return flags->flag;
    return 0;
}
