/* log: where the daemon's messages go: the journal with their priority where standard error leads
 * there, otherwise standard error as plain lines. Messages are those of g_warning() and friends. */
#pragma once

#include <glib.h>

void log_open(const char *program);
/* Messages up to this level (G_LOG_LEVEL_MESSAGE at first) are written, others dropped; G_MESSAGES_DEBUG adds to them. */
void log_set_level(GLogLevelFlags level);
