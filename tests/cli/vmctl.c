#include "tests/cli/vmctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#define WAIT_MS 10000

void
said_free(Said *said)
{
    g_free(said->out);
    g_free(said->err);
    g_free(said);
}

/* The whole command line; its texts are owned by the array. */
static GPtrArray *
command_line(va_list words)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    const char *word;

    g_ptr_array_add(argv, fixture_built("vmctl"));
    g_ptr_array_add(argv, g_strdup("-c"));
    g_ptr_array_add(argv, g_strdup("qemu:///session"));
    while ((word = va_arg(words, const char *)))
        g_ptr_array_add(argv, g_strdup(word));
    g_ptr_array_add(argv, NULL);
    return argv;
}

Said *
vmctl(Fixture *fixture, const char *input, ...)
{
    Said *said = g_new0(Said, 1);
    g_autoptr(GPtrArray) argv = NULL;
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GError) error = NULL;
    va_list words;

    va_start(words, input);
    argv = command_line(words);
    va_end(words);
    process = fixture_spawn(fixture,
                            G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                G_SUBPROCESS_FLAGS_STDERR_PIPE,
                            (const char *const *)argv->pdata);
    g_subprocess_communicate_utf8(process, input, NULL, &said->out, &said->err, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_get_if_exited(process));
    said->status = g_subprocess_get_exit_status(process);
    return said;
}

char *
document_file(Fixture *fixture, const char *name, const char *cmdline)
{
    char *path = g_strdup_printf("%s/%s.xml", fixture->dir, name);
    g_autofree char *xml = fixture_xml(fixture, name, NULL, cmdline);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, xml, -1, &error);
    g_assert_no_error(error);
    return path;
}

/* Becomes vmctl with @slave as the terminal that controls it. */
G_GNUC_NORETURN static void
become(Fixture *fixture, int slave, char **argv)
{
    setenv("DBUS_SESSION_BUS_ADDRESS", fixture->address, 1);
    setenv("XDG_CACHE_HOME", fixture->dir, 1);
    setenv("TERM", "dumb", 1);
    login_tty(slave);
    execv(argv[0], argv);
    _exit(127);
}

Terminal *
terminal_new(Fixture *fixture, ...)
{
    Terminal *terminal = g_new0(Terminal, 1);
    g_autoptr(GPtrArray) argv = NULL;
    va_list words;

    va_start(words, fixture);
    argv = command_line(words);
    va_end(words);
    terminal->screen = g_string_new(NULL);
    g_assert_cmpint(openpty(&terminal->master, &terminal->slave, NULL, NULL, NULL), ==, 0);
    fcntl(terminal->master, F_SETFD, FD_CLOEXEC);
    terminal->pid = fork();
    g_assert_cmpint(terminal->pid, >=, 0);
    if (terminal->pid == 0)
        become(fixture, dup(terminal->slave), (char **)argv->pdata);
    fcntl(terminal->slave, F_SETFD, FD_CLOEXEC);
    return terminal;
}

void
terminal_free(Terminal *terminal)
{
    if (terminal->pid) {
        kill(terminal->pid, SIGKILL);
        waitpid(terminal->pid, NULL, 0);
    }
    close(terminal->master);
    close(terminal->slave);
    g_string_free(terminal->screen, TRUE);
    g_free(terminal);
}

void
terminal_type(Terminal *terminal, const char *text)
{
    g_assert_cmpint(write(terminal->master, text, strlen(text)), ==, strlen(text));
}

/* One look at the screen; FALSE when nothing came in time. */
static gboolean
look(Terminal *terminal, int wait_ms)
{
    struct pollfd ready = { terminal->master, POLLIN, 0 };
    char bytes[1024];
    ssize_t n;

    if (poll(&ready, 1, wait_ms) <= 0)
        return FALSE;
    n = read(terminal->master, bytes, sizeof bytes);
    if (n > 0)
        g_string_append_len(terminal->screen, bytes, n);
    return n > 0;
}

void
terminal_expect(Terminal *terminal, const char *text)
{
    const char *found;

    while (!(found = strstr(terminal->screen->str + terminal->read_to, text)))
        if (!look(terminal, WAIT_MS))
            g_error("the screen shows '%s', but not '%s'", terminal->screen->str, text);
    terminal->read_to = (gsize)(found - terminal->screen->str) + strlen(text);
}

gboolean
terminal_is_raw(Terminal *terminal)
{
    const tcflag_t cooked = ICANON | ECHO | ISIG;
    struct termios mode;

    g_assert_cmpint(tcgetattr(terminal->slave, &mode), ==, 0);
    g_assert_true((mode.c_lflag & cooked) == 0 || (mode.c_lflag & cooked) == cooked);
    return (mode.c_lflag & cooked) == 0;
}

int
terminal_wait(Terminal *terminal)
{
    int status;

    /* What it still has to say must not keep it from ending. */
    for (int tries = 0; tries < WAIT_MS / 20; tries++) {
        GPid ended = waitpid(terminal->pid, &status, WNOHANG | WUNTRACED);
        if (ended == terminal->pid) {
            if (!WIFSTOPPED(status))
                terminal->pid = 0;
            return status;
        }
        look(terminal, 20);
    }
    g_error("vmctl does not end; the screen shows '%s'", terminal->screen->str);
}
