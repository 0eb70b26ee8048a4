/* args: the options of one command line, matched with the command's table. */
#pragma once

#include "cli/command.h"

/* Matches @words (n of them, the first is the command's name). NULL with CLI_ERROR, in virsh's words. */
Args *args_parse(const char *const *words, gsize n, GError **error);
/* What the @words of a line that is being typed say so far; what makes no sense is passed over. *@ret_next is the
 * option that the next word is a value of, NULL where it can be none's. NULL: there is no such command. */
Args *args_parse_start(const char *const *words, gsize n, const Option **ret_next);
void args_free(Args *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Args, args_free)

/* Values that the shape of a line does not settle: numbers, and texts that must not be empty. */
gboolean args_check(const Args *args, GError **error);
/* Whether an option with @flag, one of OptionFlags, was given. */
gboolean args_have_flag(const Args *args, guint flag);

const Command *args_command(const Args *args);
/* "--help" stood among the words: show the command's help instead of running it. */
gboolean args_wants_help(const Args *args);

/* What was given, a line for each value in the order of the words, as virsh logs it. */
const char *args_told(const Args *args);

/* What "--output" among the words said, "json"; NULL: nothing. */
const char *args_form(const Args *args);

/* What was given; @name must be in the command's table. */
gboolean args_has(const Args *args, const char *name);
/* NULL: not given. */
const char *args_string(const Args *args, const char *name);
/* @fallback: not given. args_check() has passed before. */
int args_int(const Args *args, const char *name, int fallback);
/* The same for an OPTION_WIDE one. */
gint64 args_int64(const Args *args, const char *name, gint64 fallback);
/* All values of an OPTION_ARGV, in order, ending with NULL. */
const char *const *args_list(const Args *args, const char *name);

/* FALSE with an error when both options were given. */
gboolean args_exclusive(const Args *args, const char *one, const char *other, GError **error);
/* The union of the flags whose options were given; @flags ends with a NULL name. */
typedef struct ArgsFlag {
    const char *name;
    guint flag;
} ArgsFlag;
guint args_flags(const Args *args, const ArgsFlag *flags);
/* The flag of that name, 0 for none: where a list's words are no options but an option's value. */
guint args_flag_of(const ArgsFlag *flags, const char *name);
