#include "cli/terminal.h"

#include "cli/output.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

/* What ends a process by default: a fault of our own must not leave the terminal raw either. */
static const int fatal_signals[] = { SIGHUP,  SIGINT, SIGQUIT, SIGTERM, SIGABRT,
                                     SIGSEGV, SIGBUS, SIGFPE,  SIGILL };

/* Read in signal handlers: written only while those are not installed. */
static volatile sig_atomic_t raw_fd = -1;
static struct termios saved_mode, raw_mode;
static struct sigaction saved_actions[G_N_ELEMENTS(fatal_signals)];
static struct sigaction saved_stop, saved_continue;

/* tcsetattr() is safe in a signal handler (POSIX, 2.4.3). */
static void
end_by_signal(int signal_number)
{
    tcsetattr(raw_fd, TCSANOW, &saved_mode);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void
stop_by_signal(int signal_number)
{
    int saved_errno = errno;

    tcsetattr(raw_fd, TCSANOW, &saved_mode);
    raise(SIGSTOP);
    errno = saved_errno;
}

static void
continue_by_signal(int signal_number)
{
    int saved_errno = errno;

    tcsetattr(raw_fd, TCSANOW, &raw_mode);
    errno = saved_errno;
}

static void
catch_signals(void)
{
    struct sigaction end = { .sa_handler = end_by_signal };
    struct sigaction stop = { .sa_handler = stop_by_signal, .sa_flags = SA_RESTART };
    struct sigaction resume = { .sa_handler = continue_by_signal, .sa_flags = SA_RESTART };

    for (gsize i = 0; i < G_N_ELEMENTS(fatal_signals); i++)
        sigaction(fatal_signals[i], &end, &saved_actions[i]);
    sigaction(SIGTSTP, &stop, &saved_stop);
    sigaction(SIGCONT, &resume, &saved_continue);
}

static void
release_signals(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(fatal_signals); i++)
        sigaction(fatal_signals[i], &saved_actions[i], NULL);
    sigaction(SIGTSTP, &saved_stop, NULL);
    sigaction(SIGCONT, &saved_continue, NULL);
}

gboolean
terminal_make_raw(int fd, GError **error)
{
    static gsize registered;

    g_assert(raw_fd == -1);
    if (tcgetattr(fd, &saved_mode) < 0)
        return cli_fail(error, _("unable to get tty attributes: %s"), g_strerror(errno));
    raw_mode = saved_mode;
    cfmakeraw(&raw_mode);
    if (g_once_init_enter(&registered)) {
        atexit(terminal_restore);
        g_once_init_leave(&registered, 1);
    }
    raw_fd = fd;
    catch_signals();
    /* Not TCSAFLUSH: what the user typed already is for the guest. */
    if (tcsetattr(fd, TCSADRAIN, &raw_mode) < 0) {
        cli_fail(error, _("unable to set tty attributes: %s"), g_strerror(errno));
        terminal_restore();
        return FALSE;
    }
    return TRUE;
}

void
terminal_restore(void)
{
    if (raw_fd == -1)
        return;
    tcsetattr(raw_fd, TCSAFLUSH, &saved_mode);
    release_signals();
    raw_fd = -1;
}
