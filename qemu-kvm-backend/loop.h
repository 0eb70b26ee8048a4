/* loop: a thread's event loop over epoll: the main thread's, or an iothread's. It belongs to the thread
 * that made it; all calls but loop_run_in() are that thread's, and loop_free() anybody's once it has ended. */
#pragma once

#include "qemu-kvm-backend/busy-poll.h"

#include <stdint.h>

/* The clock of its timers, which does not go back. */
uint64_t loop_now_ns(void);

typedef struct Loop Loop;
typedef struct LoopSource LoopSource;
typedef void (*LoopFn)(void *data, uint32_t events);

Loop *loop_new(void);
void loop_free(Loop *loop);

/* Calls @fn in the loop's thread whenever @fd has one of @events (EPOLLIN, EPOLLOUT, EPOLLET, ...;
 * EPOLLHUP and EPOLLERR always come). The descriptor stays the caller's, who frees the source
 * before closing it. NULL with errno where it cannot be watched: EPERM for a regular file. */
LoopSource *loop_add_fd(Loop *loop, int fd, uint32_t events, LoopFn fn, void *data);
void loop_source_set_events(LoopSource *source, uint32_t events);
/* What comes of it may be followed by more within microseconds, and should be served at once: where that is so the loop looks
 * for it before it sleeps (busy-poll.h). */
void loop_source_set_quick(LoopSource *source);
/* How it does that; VMM_POLL_MAX_NS at first. */
void loop_set_poll(Loop *loop, const BusyPollRule *rule);
BusyPollRule loop_poll(const Loop *loop);
/* A timer, not running yet; loop_timer_set() starts it for one shot, 0 stops it. @fn gets events 0.
 */
LoopSource *loop_add_timer(Loop *loop, LoopFn fn, void *data);
void loop_timer_set(LoopSource *source, uint64_t delay_ms);
/* Ends a source, also from within its own or another's function: it is not called again. NULL is
 * allowed. */
void loop_source_free(LoopSource *source);

/* Serves sources until loop_quit(); may be called again. */
void loop_run(Loop *loop);
void loop_quit(Loop *loop);

/* Calls @fn in the loop's thread and returns when it has returned: at once where that is this
 * thread. Any thread that holds no lock which the loop's thread may want; an iothread does not wait for the
 * main thread in this way, for that one waits for iothreads. */
void loop_run_in(Loop *loop, void (*fn)(void *data), void *data);
