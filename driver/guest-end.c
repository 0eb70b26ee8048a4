#include "driver/guest-end.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNEL_LOG "/dev/kmsg"
#define RECORD_SIZE                                                                                \
    8192 /* Documentation/ABI/testing/dev-kmsg: one record a read, longer ones are EINVAL */
#define AUDIT_SECCOMP "type=1326 " /* linux/audit.h, AUDIT_SECCOMP */

int
guest_end_syscall(const char *line, pid_t pid)
{
    g_autofree char *who = g_strdup_printf(" pid=%d ", (int)pid);
    const char *number = strstr(line, " syscall=");

    if (!strstr(line, AUDIT_SECCOMP) || !strstr(line, who) || !number)
        return -1;
    return (int)g_ascii_strtoll(number + strlen(" syscall="), NULL, 10);
}

/* The last one, for process ids come again. */
static int
find_syscall(pid_t pid)
{
    int fd = open(KERNEL_LOG, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char record[RECORD_SIZE];
    int found = -1;
    ssize_t n;

    if (fd < 0)
        return -1;
    /* EPIPE: the record was overwritten before it was read; the next one comes. */
    while ((n = read(fd, record, sizeof(record) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
        int number;

        record[MAX(n, 0)] = '\0';
        number = guest_end_syscall(record, pid);
        if (number >= 0)
            found = number;
    }
    close(fd);
    return found;
}

static char *
sandbox_words(pid_t pid)
{
    int number = find_syscall(pid);

    if (number < 0)
        return g_strdup(
            "was stopped by its sandbox: it made a system call that it has no right to");
    return g_strdup_printf("was stopped by its sandbox (system call %d)", number);
}

char *
guest_end_words(const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED)
        return info->si_status == 0 ? NULL
                                    : g_strdup_printf("exited with status %d", info->si_status);
    if (info->si_status == SIGSYS)
        return sandbox_words(info->si_pid);
    return g_strdup_printf("was killed by signal %d (%s)", info->si_status,
                           g_strsignal(info->si_status));
}

char *
guest_end_last_line(int fd)
{
    char tail[512];
    off_t end = lseek(fd, 0, SEEK_END);
    off_t from = MAX(0, end - (off_t)sizeof(tail) + 1);
    ssize_t n = pread(fd, tail, sizeof(tail) - 1, from);
    const char *line;

    if (n <= 0)
        return g_strdup("");
    tail[n] = '\0';
    g_strchomp(tail);
    line = strrchr(tail, '\n');
    return g_utf8_make_valid(line ? line + 1 : tail, -1);
}
