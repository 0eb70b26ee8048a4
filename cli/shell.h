/* shell: commands from the user's keyboard, or from a file on stdin. */
#pragma once

#include "cli/session.h"

/* Runs what is typed until quit or the end of the input. Only a terminal is greeted and prompted. */
void shell_run(Session *session);
