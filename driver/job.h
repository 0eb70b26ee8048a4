/* job: one modifying job per domain at a time, first come first served; readers need none.
 *
 * Whoever waits longer than it has time is told so with libvirt's error and leaves the queue.
 */
#pragma once

#include <glib.h>

/* How long libvirt lets a call wait, and who has a limit elsewhere. */
#define JOB_WAIT_MS      30000
#define JOB_WAIT_FOREVER 0

/* @error is NULL when the job may run: then job_end() must follow some time. */
typedef void (*JobRun)(gpointer data, const GError *error);

typedef struct JobQueue {
    const char *active; /* the name of the job that runs, or NULL */
    gint64 since_us;    /* monotonic: when it began */
    GQueue waiting;
} JobQueue;

/* Runs now where nothing else does, else later, within @wait_ms. @name is a literal: "start", "suspend", ... */
void job_begin(JobQueue *queue, const char *name, guint wait_ms, JobRun run, gpointer data);
void job_end(JobQueue *queue);
/* Fails whoever waits. */
void job_clear(JobQueue *queue);
