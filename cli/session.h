/* session: one run of vmctl: which daemon it talks to, and how it was asked to behave. */
#pragma once

#include "cli/command.h"
#include "cli/connection.h"

struct Session {
    char *uri;              /* NULL: the user's default */
    Connection *connection; /* NULL until a command needs it */
    gboolean readonly;
    gboolean timing;
    int debug; /* a LogLevel; -1: not given */
    gboolean interactive; /* commands come from the shell */
    gboolean leaving;     /* the shell ends after this command */
    const char *form;     /* --output: "text", "json"; NULL: not given */
    char escape;          /* the byte that leaves a console */
};

#define ESCAPE_DEFAULT ('\x1d') /* Ctrl-] */

/* Connects unless that is done; FALSE after saying "failed to connect to the hypervisor". */
gboolean session_connect(Session *session, GError **error);
/* Another URI (NULL: the default) from now on. */
void session_set_uri(Session *session, const char *uri);
void session_clear(Session *session);

/* Reads "^]", "^A" or one plain character into *@ret_escape. FALSE: it is neither. */
gboolean escape_parse(const char *text, char *ret_escape);
/* How a person presses @escape: "^]". */
char *escape_name(char escape);

/* Runs what @line says (several commands, parted by ';'). The last command's result counts, as in virsh;
 * a line that cannot be read runs nothing. */
gboolean session_run_line(Session *session, const char *line);
/* Runs one command that came as @n words. */
gboolean session_run_words(Session *session, const char *const *words, gsize n);
