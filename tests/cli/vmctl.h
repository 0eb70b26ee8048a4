/* vmctl: the program, run by a test as a user runs it, with the daemon of a fixture. */
#pragma once

#include "tests/bus/fixture.h"

/* What a finished command said. */
typedef struct Said {
    char *out, *err;
    int status; /* as the shell has it */
} Said;

void said_free(Said *said);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Said, said_free)

/* "vmctl -c qemu:///session WORD...", the words ending with NULL, with @input on its stdin. */
Said *vmctl(Fixture *fixture, const char *input, ...) G_GNUC_NULL_TERMINATED;
/* It has to end well with exactly @out and nothing on stderr. */
#define vmctl_says(fixture, expected, ...)                                                         \
    do {                                                                                           \
        g_autoptr(Said) said_ = vmctl(fixture, "", __VA_ARGS__, NULL);                             \
        g_assert_cmpstr(said_->err, ==, "");                                                       \
        g_assert_cmpstr(said_->out, ==, expected);                                                 \
        g_assert_cmpint(said_->status, ==, 0);                                                     \
    } while (0)
/* It has to fail with exactly @err. */
#define vmctl_fails(fixture, expected, ...)                                                        \
    do {                                                                                           \
        g_autoptr(Said) said_ = vmctl(fixture, "", __VA_ARGS__, NULL);                             \
        g_assert_cmpstr(said_->err, ==, expected);                                                 \
        g_assert_cmpint(said_->status, ==, 1);                                                     \
    } while (0)

/* The path of a file with the document of a domain, whose fake guest is told @cmdline. For g_free(). */
char *document_file(Fixture *fixture, const char *name, const char *cmdline);

/* vmctl on a terminal of its own. */
typedef struct Terminal {
    GPid pid;
    int master, slave;
    GString *screen; /* everything shown so far */
    gsize read_to;   /* how much of it terminal_expect() has passed */
} Terminal;

Terminal *terminal_new(Fixture *fixture, ...) G_GNUC_NULL_TERMINATED;
void terminal_free(Terminal *terminal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Terminal, terminal_free)

void terminal_type(Terminal *terminal, const char *text);
/* Waits until @text is shown, behind what was waited for before. */
void terminal_expect(Terminal *terminal, const char *text);
/* Every byte goes through: no echo, no lines, no signals. */
gboolean terminal_is_raw(Terminal *terminal);
/* Waits for its end: the wait status. */
int terminal_wait(Terminal *terminal);
