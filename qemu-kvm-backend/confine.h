/* confine: gives up everything that a guest's process does not need, so that a guest that breaks out of
 * its machine finds nothing to reach: at worst it ends its own process.
 *
 * The process starts with its descriptors: the driver's socket, the log, and what comes over the socket.
 * confine_start() comes first, in the main thread before there are others. Its steps, in order:
 *
 *     oom            out of memory, the kernel ends guests before daemons
 *     user-ns        in session mode only: rights over namespaces of our own, and over nothing else
 *     net ipc uts cgroup    namespaces of our own, empty: no interface, no abstract socket
 *     root           a mount namespace whose only file system is empty and read-only
 *     rlimits        no core dumps, a bound on descriptors and message queues
 *     bounding       no capability can be had any more: the bounding set is empty, securebits are locked
 *     groups uid     no supplementary groups; an own user, 0x70000000 (--with-guest-uid-base) + our process id: no other guest,
 *                    user or file has it. No more than 2^22 process ids are possible, hence nothing has
 *                    to be handed out or remembered; the range is below 2^31 and above those of
 *                    systemd's containers and of subuid(5). And a bound on threads, which is per user
 *     capabilities   none
 *     dumpable       no core, no ptrace(2) from this user, /proc/PID is root's
 *     no-new-privs
 *     mdwe           no memory that is executable and was writable (Linux 6.3)
 *     landlock       no file, TCP port, abstract socket or signal out of here (Linux 5.13, 6.7, 6.12)
 *     seccomp        system calls by role: confine-rules
 *
 * A step that this host or mode does not allow is left out and named once in the log. There is no
 * process-id namespace: it would need one more process for each guest, to keep from us ids of processes
 * that seccomp, the own user and landlock keep us from signalling.
 *
 * What of it is decided when: machines are built under the filter CONFINE_START. Each thread takes that
 * of its role, confine_thread(), before it does anything else; the main thread at the first "run", before
 * the guest's kernel is read. Thread roles can only be narrower than CONFINE_START.
 *
 * A filter is finished at build time: see confine-compile.c for what the alternative costs.
 *
 * Sanitizers read /proc and use ptrace(2) and signals in ways of their own: in such builds the steps
 * that keep them from it are left out (root, groups, uid, dumpable, landlock, seccomp).
 */
#pragma once

#include "qemu-kvm-backend/confine-role.h"

/* Once, with no other thread. Descriptors above VMM_LISTEN_FD are closed. */
void confine_start(void);

/* The calling thread is in @role from now on. */
void confine_thread(ConfineRole role);

/* The names above of the steps in force, with spaces between. */
const char *confine_summary(void);
