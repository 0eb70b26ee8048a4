/* output: what the user reads: results on stdout, complaints on stderr, in virsh's form. */
#pragma once

#include <gio/gio.h>

#define CLI_ERROR (cli_error_quark())
GQuark cli_error_quark(void);

typedef enum {
    CLI_ERROR_FAILED,     /* said in full by the message */
    CLI_ERROR_CONNECTION, /* there is no daemon to talk to */
} CliError;

/* Sets @error (CLI_ERROR_FAILED) and returns FALSE, so that a step can end with it. */
gboolean cli_fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* No line that a program would have to skip: -q. */
void output_set_quiet(gboolean quiet);
gboolean output_quiet(void);
/* What is logged, and a copy of every complaint, goes to the end of this file (-l). FALSE where it cannot be opened. */
gboolean output_set_log(const char *path, GError **error);

/* How results are printed: for people, or as JSON (--output json). FALSE: there is no form of that name. */
gboolean output_set_form(const char *form);
gboolean output_is_json(void);
/* A result as JSON; @value (floating) is consumed. */
void output_json(GVariant *value);
/* One of many that come one after the other: a line. */
void output_json_line(GVariant *value);

/* A result. */
void output(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* A remark for a person: left out when quiet, and beside JSON. */
void output_extra(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* "error: ..." on stderr, after everything that stdout has so far. */
void output_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* The same for @error, without GDBus' remarks about where it came from. */
void output_gerror(const GError *error);
/* What was complained of since the last call, or "". For g_free(). */
char *output_take_complaints(void);
/* @format (N_(), translated here) with @name in the place of its first %s, and @other in that of the second, where it has
 * them. For g_free(). */
char *text_about(const char *format, const char *name, const char *other);
/* "yes" or "no", translated. */
const char *text_yes(gboolean yes);
/* Whether a person reads along: standard error is a terminal, and nobody wants quiet or JSON. */
gboolean output_advises(void);
/* A line of advice behind complaints, for that person. */
void output_hint(const char *text);
