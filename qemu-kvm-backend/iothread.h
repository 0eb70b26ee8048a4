/* iothread: a thread with an event loop of its own, for devices whose work must not wait for others.
 *
 * Loop calls are those of the loop's own thread; loop_run_in() hands a function over from any other.
 */
#pragma once

#include "qemu-kvm-backend/loop.h"

typedef struct IoThread IoThread;

/* @name appears as the thread's name ("io 0"). NULL with errno. */
IoThread *iothread_new(const char *name);
/* Ends the thread, after what it is doing now. NULL is allowed. */
void iothread_free(IoThread *thread);
Loop *iothread_loop(IoThread *thread);
