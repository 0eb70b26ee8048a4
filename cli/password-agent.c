#include "cli/password-agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PROGRAM   "pkttyagent"
#define COMPLAINT "no polkit agent available to authenticate action" /* libvirt's words */
#define NOTIFY_FD 3

/* Whatever ends vmctl ends the agent, which has the terminal's echo off while it asks. */
static void
end_with_parent(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* The agent closes its end when polkit knows of it, or when it ends because that did not work out; on a busy host that
 * takes a while. */
static void
wait_for_end_of(int fd)
{
    struct pollfd end = { .fd = fd };

    while (poll(&end, 1, -1) < 0 && errno == EINTR)
        ;
}

static gboolean
start(void)
{
    g_autofree char *program = g_find_program_in_path(PROGRAM);
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    /* A desktop's own agent goes before, and there is one in a session alone; outside of one polkitd (seen in 122) does
     * not find an agent that steps back. */
    const char *fallback = g_getenv("XDG_SESSION_ID") ? "--fallback" : NULL;
    const char *const argv[] = {
        program, "--process", pid, "--notify-fd", G_STRINGIFY(NOTIFY_FD), fallback, NULL,
    };
    int notify[2], target = NOTIFY_FD;
    gboolean started;

    if (!program || pipe2(notify, O_CLOEXEC) < 0)
        return FALSE;
    /* Our own child, not that of one that ends at once, for which it would end, too. */
    started = g_spawn_async_with_pipes_and_fds(
        NULL, argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN | G_SPAWN_DO_NOT_REAP_CHILD, end_with_parent,
        NULL, -1, -1, -1, &notify[1], &target, 1, NULL, NULL, NULL, NULL, NULL);
    close(notify[1]);
    if (started)
        wait_for_end_of(notify[0]);
    close(notify[0]);
    return started;
}

static gboolean tried, runs;

gboolean
password_agent_helps(const GError *error)
{
    if (tried || !strstr(error->message, COMPLAINT) || !isatty(STDIN_FILENO))
        return FALSE;
    tried = TRUE;
    runs = start();
    return runs;
}

gboolean
password_agent_runs(void)
{
    return runs;
}
