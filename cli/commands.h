/* commands: the rows that commands.c puts into groups; each is defined beside its function. */
#pragma once

#include "cli/command.h"

extern const Command command_autostart, command_console, command_create, command_define,
    command_destroy, command_domid, command_domname, command_domuuid, command_dumpxml,
    command_inject_nmi, command_reboot, command_reset, command_resume, command_shutdown,
    command_start, command_suspend, command_ttyconsole, command_undefine;
extern const Command command_dominfo, command_domstate, command_domstats, command_list;
extern const Command command_event;
extern const Command command_capabilities, command_hostname, command_uri, command_version;
extern const Command command_cd, command_connect, command_echo, command_exit, command_help,
    command_pwd, command_quit;
