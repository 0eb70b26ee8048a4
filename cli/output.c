#include "cli/output.h"

#include "cli/json.h"
#include "cli/log.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static gboolean quiet_mode, json_mode;
static GString *complaints;

G_DEFINE_QUARK(vmctl - cli - error - quark, cli_error)

gboolean
cli_fail(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error)
        *error = g_error_new_valist(CLI_ERROR, CLI_ERROR_FAILED, format, args);
    va_end(args);
    return FALSE;
}

void
output_set_quiet(gboolean quiet)
{
    quiet_mode = quiet;
}

gboolean
output_quiet(void)
{
    return quiet_mode;
}

gboolean
output_set_log(const char *path, GError **error)
{
    return log_open(path) ||
           cli_fail(error, _("Failed to open file '%s': %s"), path, g_strerror(errno));
}

/* The words in JSON, such as a state's, are for programs: they are never translated. */
gboolean
output_set_form(const char *form)
{
    json_mode = strcmp(form, "json") == 0;
    setlocale(LC_MESSAGES, json_mode ? "C" : "");
    log_set_aside(json_mode);
    return json_mode || strcmp(form, "text") == 0;
}

gboolean
output_is_json(void)
{
    return json_mode;
}

void
output_json(GVariant *value)
{
    g_autoptr(GVariant) result = g_variant_ref_sink(value);
    g_autofree char *text = json_text(result);

    fputs(text, stdout);
}

void
output_json_line(GVariant *value)
{
    g_autoptr(GVariant) result = g_variant_ref_sink(value);
    g_autofree char *text = json_line(result);

    fputs(text, stdout);
}

void
output(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stdout, format, args);
    va_end(args);
}

void
output_extra(const char *format, ...)
{
    va_list args;

    if (quiet_mode || json_mode)
        return;
    va_start(args, format);
    vfprintf(stdout, format, args);
    va_end(args);
}

static void
complain(const char *text)
{
    fflush(stdout);
    fprintf(stderr, "%s%s\n", _("error: "), text);
    log_error(text);
    if (!complaints)
        complaints = g_string_new(NULL);
    g_string_append_printf(complaints, "%s\n", text);
}

char *
output_take_complaints(void)
{
    GString *taken = g_steal_pointer(&complaints);

    return taken ? g_string_free(taken, FALSE) : g_strdup("");
}

gboolean
output_advises(void)
{
    return isatty(STDERR_FILENO) && !quiet_mode && !json_mode;
}

void
output_hint(const char *text)
{
    if (output_advises())
        fprintf(stderr, "%s\n", text);
}

/* msgfmt --check holds translations to the format of the original. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
char *
text_about(const char *format, const char *name, const char *other)
{
    return g_strdup_printf(_(format), name, other);
}
#pragma GCC diagnostic pop

const char *
text_yes(gboolean yes)
{
    return yes ? _("yes") : _("no");
}

void
output_error(const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    complain(text);
}

void
output_gerror(const GError *error)
{
    g_autoptr(GError) copy = g_error_copy(error);

    if (g_dbus_error_is_remote_error(copy))
        g_dbus_error_strip_remote_error(copy);
    complain(copy->message);
}
