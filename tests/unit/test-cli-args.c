/* How the words of a command are matched with its options. */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/words.h"

#include <string.h>

static Args *
parse(const char *line, GError **error)
{
    g_autoptr(GPtrArray) commands = words_split(line, NULL);
    const GPtrArray *words = commands->pdata[0];

    return args_parse((const char *const *)words->pdata, words->len, error);
}

static Args *
parse_well(const char *line)
{
    g_autoptr(GError) error = NULL;
    Args *args = parse(line, &error);

    g_assert_no_error(error);
    g_assert_true(args_check(args, &error));
    return args;
}

typedef struct Failure {
    const char *line, *message;
} Failure;

/* In the words of virsh. */
static const Failure shape_failures[] = {
    { "frob", "unknown command: 'frob'" },
    { "list --frob", "command 'list' doesn't support option --frob" },
    { "list --fr=x", "command 'list' doesn't support option --fr" },
    { "list --all --all", "option --all already seen" },
    { "list --all=yes", "invalid '=' after option --all" },
    { "list x", "unexpected data 'x'" },
    { "list -- --all", "unexpected data '--all'" },
    { "list -a", "unexpected data '-a'" },
    { "start", "command 'start' requires <domain> option" },
    { "start --paused", "command 'start' requires <domain> option" },
    { "dominfo --domain", "expected syntax: --domain <string>" },
    { "event --timeout", "expected syntax: --timeout <number>" },
    { "dominfo a b", "unexpected data 'b'" },
    { "dominfo a --domain b", "option --domain already seen" },
    { "dominfo --domain a b", "unexpected data 'b'" },
    { "setmem a --kilobytes", "expected syntax: --size <number>" },
    { "setmem a 5 --kilobytes 6", "option --size already seen" },
    { "attach-disk a b c --shareable=yes", "invalid '=' after option --shareable" },
    { "attach-disk a b c --shareable --mode readonly", "option --mode already seen" },
    { "nodedev-dettach", "command 'nodedev-detach' requires <device> option" },
};

static void
test_shape(gconstpointer data)
{
    const Failure *failure = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Args) args = parse(failure->line, &error);

    g_assert_null(args);
    g_assert_error(error, CLI_ERROR, CLI_ERROR_FAILED);
    g_assert_cmpstr(error->message, ==, failure->message);
}

static const Failure value_failures[] = {
    { "dominfo ''", "Failed to get option 'domain': Option argument is empty" },
    { "dominfo --domain=", "Failed to get option 'domain': Option argument is empty" },
    { "event --timeout x", "Numeric value 'x' for <timeout> option is malformed or out of range" },
    { "event --timeout ''", "Numeric value '' for <timeout> option is malformed or out of range" },
    { "event --timeout 1s",
      "Numeric value '1s' for <timeout> option is malformed or out of range" },
    { "event --timeout 99999999999",
      "Numeric value '99999999999' for <timeout> option is malformed or out of range" },
};

static void
test_value(gconstpointer data)
{
    const Failure *failure = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Args) args = parse(failure->line, NULL);

    g_assert_nonnull(args);
    g_assert_false(args_check(args, &error));
    g_assert_cmpstr(error->message, ==, failure->message);
}

static void
test_forms(void)
{
    static const char *const lines[] = { "shutdown web --mode acpi",
                                         "shutdown --mode acpi web",
                                         "shutdown --mode=acpi --domain=web",
                                         "shutdown --domain web acpi",
                                         "shutdown web acpi",
                                         "shutdown --mode acpi -- web" };

    for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(Args) args = parse_well(lines[i]);
        g_assert_true(args_command(args) == &command_shutdown);
        g_assert_cmpstr(args_string(args, "domain"), ==, "web");
        g_assert_cmpstr(args_string(args, "mode"), ==, "acpi");
    }
}

static void
test_flags(void)
{
    static const ArgsFlag flags[] = { { "all", 1 }, { "inactive", 2 }, { "name", 4 }, { NULL, 0 } };
    g_autoptr(Args) args = parse_well("list --all --name");
    g_autoptr(GError) error = NULL;

    g_assert_true(args_has(args, "all"));
    g_assert_false(args_has(args, "inactive"));
    g_assert_cmpuint(args_flags(args, flags), ==, 5);
    g_assert_true(args_exclusive(args, "all", "table", &error));
    g_assert_no_error(error);
    g_assert_false(args_exclusive(args, "all", "name", &error));
    g_assert_cmpstr(error->message, ==, "Options --all and --name are mutually exclusive");
}

static void
test_numbers(void)
{
    g_autoptr(Args) given = parse_well("event --all --timeout -7");
    g_autoptr(Args) missing = parse_well("event --all");

    g_assert_cmpint(args_int(given, "timeout", 3), ==, -7);
    g_assert_cmpint(args_int(missing, "timeout", 3), ==, 3);
    g_assert_null(args_string(missing, "timeout"));
}

static void
test_list(void)
{
    g_autoptr(Args) args = parse_well("echo a --err --string b -- --c ''");
    g_autoptr(Args) none = parse_well("echo");
    g_autofree char *joined = g_strjoinv("|", (GStrv)args_list(args, "string"));

    g_assert_cmpstr(joined, ==, "a|b|--c|");
    g_assert_true(args_has(args, "err"));
    g_assert_null(args_list(none, "string")[0]);
}

/* What virsh once called them, with a value that goes without saying or of their own. */
static void
test_older_names(void)
{
    g_autoptr(Args) disk = parse_well("attach-disk a b --shareable c");
    g_autoptr(Args) memory = parse_well("setmem a --kilobytes=5");
    g_autoptr(Args) words = parse_well("echo --str a --hi b");
    g_autoptr(Args) command = parse_well("nodedev-dettach a");
    g_autoptr(Args) link = parse_well("domif-setlink a b up --persistent");
    g_autofree char *joined = g_strjoinv("|", (GStrv)args_list(words, "string"));

    g_assert_cmpstr(args_string(disk, "mode"), ==, "shareable");
    g_assert_cmpstr(args_string(disk, "target"), ==, "c");
    g_assert_cmpstr(args_string(memory, "size"), ==, "5");
    g_assert_cmpstr(joined, ==, "a|hello|b");
    g_assert_true(args_command(command) == &command_nodedev_detach);
    g_assert_true(args_has(link, "config"));
}

/* A domain may be called like an option; the word after a name is always its value. */
static void
test_odd_names(void)
{
    g_autoptr(Args) after_dashes = parse_well("dominfo -- --all");
    g_autoptr(Args) as_value = parse_well("dominfo --domain --all");
    g_autoptr(Args) single = parse_well("dominfo -x");

    g_assert_cmpstr(args_string(after_dashes, "domain"), ==, "--all");
    g_assert_cmpstr(args_string(as_value, "domain"), ==, "--all");
    g_assert_cmpstr(args_string(single, "domain"), ==, "-x");
}

static void
test_help(void)
{
    g_autoptr(Args) of_start = parse_well("start --help");
    g_autoptr(Args) of_help = parse_well("help list --all extra");

    g_assert_true(args_wants_help(of_start));
    g_assert_false(args_wants_help(of_help));
    g_assert_cmpstr(args_string(of_help, "command"), ==, "list");
}

/* The rules that the parser and the help rely on, for every row of every table. */
static void
check_command(const Command *command)
{
    gboolean optional_seen = FALSE;

    g_assert_true(command_find(command->name) == command);
    g_assert_nonnull(command->run);
    g_assert_cmpstr(command->summary, !=, "");
    for (const Option *option = command->options; option && option->name; option++) {
        g_assert_true(command_option(command, option->name) == option);
        g_assert_nonnull(option->help);
        if (option->kind == OPTION_ARGV) /* takes all that is left, so nothing may follow */
            g_assert_null(option[1].name);
        if (option->flags & OPTION_REQUIRED)
            g_assert_false(optional_seen);
        else if (option->kind != OPTION_BOOL && !(option->flags & OPTION_NAMED_ONLY))
            optional_seen = TRUE; /* takes a word by its place */
    }
}

static void
check_aliases(const Command *command)
{
    for (const OptionAlias *alias = command->aliases; alias && alias->name; alias++) {
        const Option *option = command_option(command, alias->option);

        g_assert_true(command_option_alias(command, alias->name) == alias);
        g_assert_null(command_option(command, alias->name));
        g_assert_nonnull(option);
        if (option->kind == OPTION_BOOL)
            g_assert_null(alias->value);
    }
}

static void
test_tables(void)
{
    for (const CommandGroup *group = command_groups; group->title; group++) {
        g_assert_true(command_group_find(group->keyword) == group);
        for (const Command *const *command = group->commands; *command; command++) {
            check_command(*command);
            check_aliases(*command);
        }
    }
}

static void
test_escape(void)
{
    static const struct {
        const char *text;
        char escape;
        const char *name;
    } good[] = { { "^]", '\x1d', "^]" },
                 { "^a", '\x01', "^A" },
                 { "^A", '\x01', "^A" },
                 { "x", 'x', "x" },
                 { "^@", '\0', "^@" } };
    static const char *const bad[] = { "", "^", "^^^", "ab", "^1" };
    char escape;

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *name = NULL;
        g_assert_true(escape_parse(good[i].text, &escape));
        g_assert_cmpint(escape, ==, good[i].escape);
        name = escape_name(escape);
        g_assert_cmpstr(name, ==, good[i].name);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(escape_parse(bad[i], &escape));
}

static void
add_failures(const char *path, const Failure *failures, gsize n, GTestDataFunc function)
{
    for (gsize i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("%s/%02" G_GSIZE_FORMAT, path, i);
        g_test_add_data_func(name, &failures[i], function);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_failures("/cli/args/shape", shape_failures, G_N_ELEMENTS(shape_failures), test_shape);
    add_failures("/cli/args/value", value_failures, G_N_ELEMENTS(value_failures), test_value);
    g_test_add_func("/cli/args/forms", test_forms);
    g_test_add_func("/cli/args/flags", test_flags);
    g_test_add_func("/cli/args/numbers", test_numbers);
    g_test_add_func("/cli/args/list", test_list);
    g_test_add_func("/cli/args/older-names", test_older_names);
    g_test_add_func("/cli/args/odd-names", test_odd_names);
    g_test_add_func("/cli/args/help", test_help);
    g_test_add_func("/cli/args/tables", test_tables);
    g_test_add_func("/cli/args/escape", test_escape);
    return g_test_run();
}
