#include "daemon/log.h"

#include <glib.h>
#include <stdio.h>
#include <unistd.h>

static GLogLevelFlags least = G_LOG_LEVEL_MESSAGE;

typedef struct Level {
    GLogLevelFlags level;
    const char *word;
} Level;

static const Level levels[] = {
    { G_LOG_LEVEL_ERROR, "fatal: " },     { G_LOG_LEVEL_CRITICAL, "error: " },
    { G_LOG_LEVEL_WARNING, "warning: " }, { G_LOG_LEVEL_MESSAGE, "" },
    { G_LOG_LEVEL_INFO, "info: " },       { G_LOG_LEVEL_DEBUG, "debug: " },
};

static const char *
level_word(GLogLevelFlags level)
{
    for (gsize i = 0; i < G_N_ELEMENTS(levels); i++) {
        if (level & levels[i].level)
            return levels[i].word;
    }
    return "";
}

static const char *
field(const GLogField *fields, gsize n_fields, const char *key)
{
    for (gsize i = 0; i < n_fields; i++) {
        if (g_str_equal(fields[i].key, key) && fields[i].length < 0)
            return fields[i].value;
    }
    return NULL;
}

/* GLib's levels are bits, the gravest first. */
static gboolean
is_wanted(GLogLevelFlags level, const char *domain)
{
    const GLogLevelFlags chatter = G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG;

    return (level & G_LOG_LEVEL_MASK) <= least ||
           ((level & chatter) && !g_log_writer_default_would_drop(level, domain));
}

static GLogWriterOutput
write_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer program)
{
    const char *text = field(fields, n_fields, "MESSAGE");
    const char *domain = field(fields, n_fields, "GLIB_DOMAIN");

    if (!is_wanted(level, domain))
        return G_LOG_WRITER_HANDLED;
    if (g_log_writer_is_journald(STDERR_FILENO) &&
        g_log_writer_journald(level, fields, n_fields, NULL) == G_LOG_WRITER_HANDLED)
        return G_LOG_WRITER_HANDLED;
    fprintf(stderr, "%s: %s%s\n", (const char *)program, level_word(level), text ? text : "");
    return G_LOG_WRITER_HANDLED;
}

void
log_open(const char *program)
{
    g_log_set_writer_func(write_line, (gpointer)program, NULL);
}

void
log_set_level(GLogLevelFlags level)
{
    least = level;
}
