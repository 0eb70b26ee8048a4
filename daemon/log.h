/* log: where the daemon's messages go: the journal with their priority where standard error leads
 * there, otherwise standard error as plain lines. Messages are those of g_warning() and friends. */
#pragma once

void log_open(const char *program);
