/* guest-end: how a process of ours ended, and what it said last, in words for people. */
#pragma once

#include <glib.h>
#include <signal.h>

/* What waitid() said of a process, to follow "the guest's process": "was killed by signal 9 (Killed)".
 * For one that made a system call that it has no right to, the number of the call is looked up in the
 * kernel's log, where it can be read. NULL where the process ended as it should. */
char *guest_end_words(const siginfo_t *info);

/* The number of the system call in a line of the kernel's log, where that is the audit record of @pid's
 * end by seccomp; -1 where not. */
int guest_end_syscall(const char *line, pid_t pid);

/* The last line of what a process has written to the file @fd, made valid; "" where there is nothing. For g_free(). */
char *guest_end_last_line(int fd);
