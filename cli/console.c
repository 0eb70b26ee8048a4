#include "cli/console.h"

#include "cli/output.h"
#include "cli/terminal.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Bytes on their way to the guest: while it reads slowly, no more are taken from the user. */
typedef struct Console {
    int fd;
    char escape;
    gboolean has_terminal;
    gboolean input_open;
    gboolean leaving; /* the escape character was typed */
    gsize n_pending;
    char pending[4096];
} Console;

int
console_open(Domain *domain, const char *device, guint flags, GError **error)
{
    GError *failure = NULL;
    int fd = connection_call_for_fd(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE,
                                    "OpenConsole",
                                    g_variant_new("(su)", device ? device : "", flags), &failure);

    if (fd < 0 && error_is_unknown_method(failure)) {
        g_clear_error(&failure);
        cli_fail(
            error, "%s",
            _("this daemon cannot open consoles: it has no method org.vmctl.Domain.OpenConsole"));
    } else if (fd < 0) {
        g_propagate_error(error, failure);
    }
    return fd;
}

/* Takes what the user typed: up to the escape character it is for the guest. */
static gboolean
read_input(Console *console, GError **error)
{
    char *escape;
    ssize_t n = read(STDIN_FILENO, console->pending + console->n_pending,
                     sizeof console->pending - console->n_pending);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return TRUE;
    if (n <= 0) {
        console->input_open = FALSE;
        console->leaving = console->has_terminal; /* the terminal is gone: nobody is there */
        return n == 0 || console->has_terminal ||
               cli_fail(error, _("cannot read the input: %s"), g_strerror(errno));
    }
    escape = memchr(console->pending + console->n_pending, console->escape, (gsize)n);
    if (escape) {
        console->leaving = TRUE;
        console->input_open = FALSE;
        console->n_pending = (gsize)(escape - console->pending);
    } else {
        console->n_pending += (gsize)n;
    }
    return TRUE;
}

static gboolean
send_pending(Console *console, GError **error)
{
    ssize_t n = write(console->fd, console->pending, console->n_pending);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return TRUE;
    if (n < 0 && errno == EPIPE) { /* the guest has gone: reading will say so */
        console->n_pending = 0;
        console->input_open = FALSE;
        return TRUE;
    }
    if (n < 0)
        return cli_fail(error, _("cannot send to the console: %s"), g_strerror(errno));
    memmove(console->pending, console->pending + n, console->n_pending - (gsize)n);
    console->n_pending -= (gsize)n;
    return TRUE;
}

static gboolean
write_all(const char *bytes, gsize n, GError **error)
{
    while (n > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN) { /* a terminal that somebody else made non-blocking */
            poll(&(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1, -1);
            continue;
        }
        if (written < 0)
            return cli_fail(error, _("cannot write the console's output: %s"), g_strerror(errno));
        bytes += written;
        n -= (gsize)written;
    }
    return TRUE;
}

/* Shows what the guest sent; *@ret_ended when it will send no more. */
static gboolean
show_output(Console *console, gboolean *ret_ended, GError **error)
{
    char bytes[4096];
    ssize_t n = read(console->fd, bytes, sizeof bytes);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return TRUE;
    /* A pty whose other side is closed says EIO, a socket with unread bytes on that side ECONNRESET. */
    if (n == 0 || (n < 0 && (errno == EIO || errno == ECONNRESET))) {
        *ret_ended = TRUE;
        return TRUE;
    }
    if (n < 0)
        return cli_fail(error, _("cannot read from the console: %s"), g_strerror(errno));
    return write_all(bytes, (gsize)n, error);
}

/* One round: wait, then move what can move. */
static gboolean
carry_once(Console *console, gboolean *ret_ended, GError **error)
{
    gboolean may_read = console->input_open && console->n_pending < sizeof console->pending;
    struct pollfd fds[] = {
        { .fd = console->fd, .events = (short)(POLLIN | (console->n_pending ? POLLOUT : 0)) },
        { .fd = may_read ? STDIN_FILENO : -1, .events = POLLIN },
    };

    if (poll(fds, G_N_ELEMENTS(fds), -1) < 0)
        return errno == EINTR || cli_fail(error, _("cannot wait: %s"), g_strerror(errno));
    if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) && !read_input(console, error))
        return FALSE;
    if (console->n_pending && (fds[0].revents & POLLOUT) && !send_pending(console, error))
        return FALSE;
    if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
        return show_output(console, ret_ended, error);
    return TRUE;
}

/* Whoever leaves from a terminal leaves at once, even where the guest does not read; a script's last bytes
 * are sent first. */
static gboolean
has_left(const Console *console)
{
    return console->leaving && (console->has_terminal || console->n_pending == 0);
}

static gboolean
carry(Console *console, GError **error)
{
    gboolean ended = FALSE;

    while (!ended && !has_left(console))
        if (!carry_once(console, &ended, error))
            return FALSE;
    return TRUE;
}

static void
greet(const Session *session, const Domain *domain)
{
    g_autofree char *key = escape_name(session->escape);

    output_extra(_("Connected to domain '%s'\n"), domain->name);
    output_extra(_("Escape character is %s"), key);
    if ((guchar)session->escape < ' ')
        output_extra(" (Ctrl + %c)", session->escape ^ '@');
    output_extra("\n");
    fflush(stdout);
}

gboolean
console_run(Session *session, Domain *domain, int fd, GError **error)
{
    Console console = { .fd = fd, .escape = session->escape, .input_open = TRUE };
    void (*saved_sigpipe)(int) =
        signal(SIGPIPE, SIG_IGN); /* a closed end is an error, not our end */
    gboolean done = FALSE;

    console.has_terminal = isatty(STDIN_FILENO);
    greet(session, domain);
    if (g_unix_set_fd_nonblocking(fd, TRUE, error) &&
        (!console.has_terminal || terminal_make_raw(STDIN_FILENO, error)))
        done = carry(&console, error);
    terminal_restore();
    signal(SIGPIPE, saved_sigpipe);
    close(fd);
    return done;
}
