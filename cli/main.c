/* vmctl: the command line of vmctld, after the manner of virsh. */
#include "cli/help.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/shell.h"

#include <getopt.h>
#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What main() does next. */
typedef enum {
    NEXT_RUN,
    NEXT_HELP,
    NEXT_SUCCESS,
    NEXT_FAILURE,
} Next;

/* A global option: how it is spelt and what it does. @apply complains itself. */
typedef struct GlobalOption {
    char letter;       /* '\0': it has only a long name */
    const char *name;  /* NULL: it has only a letter */
    int argument;      /* as in struct option */
    const char *usage; /* the left column of the help */
    const char *help;  /* N_() */
    Next (*apply)(Session *session, const char *value);
} GlobalOption;

static Next
apply_connect(Session *session, const char *value)
{
    session_set_uri(session, *value ? value : NULL);
    return NEXT_RUN;
}

static gboolean
read_number(const char *value, gint64 min, gint64 *ret_number)
{
    return g_ascii_string_to_signed(value, 10, min, G_MAXINT, ret_number, NULL);
}

static Next
apply_debug(Session *session, const char *value)
{
    gint64 level;

    if (!read_number(value, G_MININT, &level)) {
        output_error(_("option %s takes a numeric argument"), "-d");
        return NEXT_FAILURE;
    }
    if (level < 0 || level > 4)
        output_error(_("ignoring debug level %d out of range [%d-%d]"), (int)level, LOG_LEVEL_DEBUG,
                     LOG_LEVEL_ERROR);
    else
        session->debug = (int)level;
    return NEXT_RUN;
}

static Next
apply_escape(Session *session, const char *value)
{
    if (escape_parse(value, &session->escape))
        return NEXT_RUN;
    output_error(_("Invalid string '%s' for escape sequence"), value);
    return NEXT_FAILURE;
}

static Next
apply_help(Session *session, const char *value)
{
    return NEXT_HELP;
}

/* The bus watches over its connections itself; -k and -K are taken for virsh's sake. */
static Next
check_keepalive(const char *option, const char *value)
{
    gint64 number;

    if (read_number(value, 0, &number))
        return NEXT_RUN;
    output_error(_("Invalid value for option %s"), option);
    return NEXT_FAILURE;
}

static Next
apply_keepalive_interval(Session *session, const char *value)
{
    return check_keepalive("-k", value);
}

static Next
apply_keepalive_count(Session *session, const char *value)
{
    return check_keepalive("-K", value);
}

static Next
apply_log(Session *session, const char *value)
{
    g_autoptr(GError) error = NULL;

    if (output_set_log(value, &error))
        return NEXT_RUN;
    output_gerror(error);
    return NEXT_FAILURE;
}

static Next
apply_output(Session *session, const char *value)
{
    session->form = value;
    return NEXT_RUN;
}

static Next
apply_quiet(Session *session, const char *value)
{
    output_set_quiet(TRUE);
    return NEXT_RUN;
}

static Next
apply_readonly(Session *session, const char *value)
{
    session->readonly = TRUE;
    return NEXT_RUN;
}

static Next
apply_timing(Session *session, const char *value)
{
    session->timing = TRUE;
    return NEXT_RUN;
}

static Next
show_version(Session *session, const char *value)
{
    output("%s\n", PACKAGE_VERSION);
    return NEXT_SUCCESS;
}

static Next
show_long_version(Session *session, const char *value)
{
    output(_("vmctl %s, the command line of vmctld\n"), PACKAGE_VERSION);
    output(_("Built with libvirt's numbers of %d.%d.%d and GLib %d.%d.%d\n"),
           LIBVIR_VERSION_NUMBER / 1000000, LIBVIR_VERSION_NUMBER / 1000 % 1000,
           LIBVIR_VERSION_NUMBER % 1000, GLIB_MAJOR_VERSION, GLIB_MINOR_VERSION,
           GLIB_MICRO_VERSION);
    return NEXT_SUCCESS;
}

static Next
apply_version(Session *session, const char *value)
{
    return value && strcmp(value, "long") == 0 ? show_long_version(session, value)
                                               : show_version(session, value);
}

static const GlobalOption global_options[] = {
    { 'c', "connect", required_argument, "-c | --connect=URI",
      N_("the daemon: qemu:///system or qemu:///session"), apply_connect },
    { 'd', "debug", required_argument, "-d | --debug=NUM",
      N_("tell what vmctl does: from everything to errors alone [0-4]"), apply_debug },
    { 'e', "escape", required_argument, "-e | --escape <char>",
      N_("the character that leaves a console"), apply_escape },
    { 'h', "help", no_argument, "-h | --help", N_("this help"), apply_help },
    { 'k', "keepalive-interval", required_argument, "-k | --keepalive-interval=NUM",
      N_("accepted for virsh's sake"), apply_keepalive_interval },
    { 'K', "keepalive-count", required_argument, "-K | --keepalive-count=NUM",
      N_("accepted for virsh's sake"), apply_keepalive_count },
    { 'l', "log", required_argument, "-l | --log=FILE", N_("write that and errors to a file"),
      apply_log },
    { 'o', "output", required_argument, "-o | --output=FORM",
      N_("print results as text (the default) or json"), apply_output },
    { 'q', "quiet", no_argument, "-q | --quiet", N_("print results only"), apply_quiet },
    { 'r', "readonly", no_argument, "-r | --readonly", N_("refuse commands that change something"),
      apply_readonly },
    { 't', "timing", no_argument, "-t | --timing", N_("print how long each command took"),
      apply_timing },
    { 'v', NULL, no_argument, "-v", N_("the version, short"), show_version },
    { 'V', NULL, no_argument, "-V", N_("the version, long"), show_long_version },
    { '\0', "version", optional_argument, "     --version[=TYPE]",
      N_("the version; TYPE is short (default) or long"), apply_version },
    { '\0', NULL, 0, NULL, NULL, NULL },
};

#define N_GLOBAL_OPTIONS (G_N_ELEMENTS(global_options) - 1)
/* What getopt_long() returns for row 0; the others follow. */
#define FIRST_LONG 256

/* The table in getopt's two forms. '+': options end where the command begins; ':': we complain. */
static void
build_getopt(struct option *longs, GString *letters)
{
    g_string_assign(letters, "+:");
    for (gsize i = 0; i < N_GLOBAL_OPTIONS; i++) {
        const GlobalOption *option = &global_options[i];
        if (option->letter) {
            g_string_append_c(letters, option->letter);
            if (option->argument == required_argument)
                g_string_append_c(letters, ':');
        }
        if (option->name)
            *longs++ = (struct option){ option->name, option->argument, NULL, FIRST_LONG + (int)i };
    }
    *longs = (struct option){ 0 };
}

static const GlobalOption *
find_option(int found)
{
    for (gsize i = 0; i < N_GLOBAL_OPTIONS; i++)
        if (found == FIRST_LONG + (int)i ||
            (found < FIRST_LONG && found == global_options[i].letter))
            return &global_options[i];
    return NULL;
}

/* getopt said '?' or ':'. */
static Next
complain(int found, const char *word)
{
    const GlobalOption *option = optopt ? find_option(optopt) : NULL;

    if (found == ':' && option && option->letter)
        output_error(_("option '-%c'/'--%s' requires an argument"), option->letter, option->name);
    else if (found == '?' && optopt && optopt < FIRST_LONG)
        output_error(_("unsupported option '-%c'. See --help."), optopt);
    else
        output_error(_("unsupported option '%s'. See --help."), word);
    return NEXT_FAILURE;
}

static Next
parse_options(Session *session, int argc, char **argv)
{
    struct option longs[N_GLOBAL_OPTIONS + 1];
    g_autoptr(GString) letters = g_string_new(NULL);
    Next next = NEXT_RUN;
    int found;

    build_getopt(longs, letters);
    opterr = 0;
    while (next == NEXT_RUN && (found = getopt_long(argc, argv, letters->str, longs, NULL)) != -1) {
        const GlobalOption *option = found == '?' || found == ':' ? NULL : find_option(found);
        next = option ? option->apply(session, optarg) : complain(found, argv[optind - 1]);
    }
    return next;
}

static void
print_usage(void)
{
    output("%s", _("\nvmctl [options]... [<command_string>]\n"
                   "vmctl [options]... <command> [args...]\n\n  options:\n"));
    for (const GlobalOption *option = global_options; option->usage; option++)
        output("    %-23s %s\n", option->usage, _(option->help));
    output("%s", _("  commands (non interactive mode):\n\n"));
    help_groups();
    output("%s", _("\n  (specify help <group> for details about the commands in the group)\n\n"
                   "  (specify help <command> for details about the command)\n\n"));
}

/* What the options leave open, the environment says. FALSE after a complaint that ends vmctl. */
static gboolean
apply_environment(Session *session)
{
    const char *debug = g_getenv("VMCTL_DEBUG");
    const char *path = g_getenv("VMCTL_LOG_FILE");
    gint64 level;

    if (!log_is_open() && path && *path && apply_log(session, path) != NEXT_RUN)
        return FALSE;
    if (session->debug >= 0 || !debug)
        return TRUE;
    if (read_number(debug, LOG_LEVEL_DEBUG, &level) && level <= LOG_LEVEL_ERROR)
        session->debug = (int)level;
    else
        output_error(_("%s not set with a valid numeric value"), "VMCTL_DEBUG");
    return TRUE;
}

static gboolean
run(Session *session, int n, char **words)
{
    if (!apply_environment(session))
        return FALSE;
    log_set_level(session->debug >= 0 ? (LogLevel)session->debug : LOG_LEVEL_ERROR);
    if (n == 1) {
        log_set_aside(g_strcmp0(session->form, "json") == 0);
        log_say(LOG_LEVEL_INFO, "commands: \"%s\"", words[0]);
        return session_run_line(session, words[0]);
    }
    if (n > 1)
        return session_run_words(session, (const char *const *)words, (gsize)n);
    shell_run(session);
    return TRUE;
}

/* Texts are UTF-8, as names are, whatever the terminal's characters. */
static void
choose_language(void)
{
    const char *catalogs = g_getenv("VMCTL_LOCALES");

    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, catalogs ? catalogs : VMCTL_LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    textdomain(PACKAGE);
}

int
main(int argc, char **argv)
{
    Session session = { .escape = ESCAPE_DEFAULT, .debug = -1 };
    gboolean done;
    Next next;

    choose_language();
    next = parse_options(&session, argc, argv);
    if (next == NEXT_HELP)
        print_usage();
    done = next == NEXT_RUN ? run(&session, argc - optind, argv + optind) : next != NEXT_FAILURE;
    session_clear(&session);
    return done && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
