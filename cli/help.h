/* help: the pages that the tables of commands make. */
#pragma once

#include "cli/command.h"

void help_all(void);
void help_group(const CommandGroup *group);
void help_command(const Command *command);
/* Only the lists of commands, as "vmctl --help" ends with. */
void help_groups(void);
/* How the option is typed, as the synopsis shows it: "<domain>", "[--mode <string>]". For free(). */
char *help_option_synopsis(const Option *option);
