/* log: what vmctl tells of its own work: in the file of --log, and what --debug asks for on the standard output too. Its
 * form is virsh's, and its words, which are for those who look for a mistake, are never translated. */
#pragma once

#include <glib.h>

/* virsh's levels, the numbers of --debug. */
typedef enum {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_NOTICE,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_ERROR, /* the default */
} LogLevel;

/* Appends to that file from now on. FALSE where it cannot be opened: errno says why. */
gboolean log_open(const char *path);
gboolean log_is_open(void);
/* What is below @level is not told. */
void log_set_level(LogLevel level);
/* The standard output has a document: what else there is goes to the standard error. */
void log_set_aside(gboolean aside);
/* What is told from now on is about this command; NULL: about none. */
void log_set_command(const char *name);
const char *log_command(void);

/* An error, as the user has read it: for the file alone. */
void log_error(const char *text);
/* Whether log_say() of that level would say something. */
gboolean log_heeds(LogLevel level);
/* One line, behind the name of the command. */
void log_say(LogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The lines of @text, as they are. */
void log_lines(LogLevel level, const char *text);
