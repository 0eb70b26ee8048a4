#include "cli/log.h"

#include <stdio.h>
#include <unistd.h>

static const char *const level_names[] = { "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR" };

static FILE *log_file;
static LogLevel lowest = LOG_LEVEL_ERROR;
static gboolean stands_aside;
static const char *command;

gboolean
log_open(const char *path)
{
    FILE *file = fopen(path, "ae");

    if (!file)
        return FALSE;
    setvbuf(file, NULL, _IOLBF, 0);
    if (log_file)
        fclose(log_file);
    log_file = file;
    return TRUE;
}

gboolean
log_is_open(void)
{
    return log_file != NULL;
}

void
log_set_level(LogLevel level)
{
    lowest = level;
}

void
log_set_aside(gboolean aside)
{
    stands_aside = aside;
}

void
log_set_command(const char *name)
{
    command = name;
}

const char *
log_command(void)
{
    return command;
}

/* virsh's line: "[2026.01.31 23:59:59 vmctl 4711] INFO list: all(bool): (none)". */
static void
write_line(LogLevel level, const char *line)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%Y.%m.%d %H:%M:%S");

    if (log_file)
        fprintf(log_file, "[%s vmctl %d] %s %s\n", time, (int)getpid(), level_names[level], line);
}

void
log_error(const char *text)
{
    write_line(LOG_LEVEL_ERROR, text);
}

gboolean
log_heeds(LogLevel level)
{
    return level >= lowest;
}

static void
say(LogLevel level, const char *line)
{
    write_line(level, line);
    fprintf(stands_aside ? stderr : stdout, "%s\n", line);
}

void
log_say(LogLevel level, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *line = NULL;
    va_list args;

    if (!log_heeds(level))
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    line = command ? g_strdup_printf("%s: %s", command, text) : g_strdup(text);
    say(level, line);
}

void
log_lines(LogLevel level, const char *text)
{
    g_auto(GStrv) lines = log_heeds(level) ? g_strsplit(text, "\n", -1) : NULL;

    for (gsize i = 0; lines && lines[i]; i++)
        if (*lines[i])
            say(level, lines[i]);
}
