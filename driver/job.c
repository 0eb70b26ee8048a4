#include "driver/job.h"

#include "driver/error.h"

typedef struct Waiting {
    JobQueue *queue;
    const char *name;
    JobRun run;
    gpointer data;
    guint timer;
} Waiting;

static void
waiting_free(Waiting *w)
{
    g_clear_handle_id(&w->timer, g_source_remove);
    g_free(w);
}

static void
give_up(Waiting *w, virErrorNumber code, const char *text)
{
    g_autoptr(GError) error = NULL;

    driver_error(&error, code, "%s", text);
    w->run(w->data, error);
    waiting_free(w);
}

static gboolean
timed_out(gpointer data)
{
    Waiting *w = data;
    g_autofree char *text = g_strdup_printf("cannot acquire state change lock (held by %s)",
                                            w->queue->active ? w->queue->active : "nobody");

    w->timer = 0;
    g_queue_remove(&w->queue->waiting, w);
    give_up(w, VIR_ERR_OPERATION_TIMEOUT, text);
    return G_SOURCE_REMOVE;
}

static void
set_active(JobQueue *queue, const char *name)
{
    queue->active = name;
    queue->since_us = g_get_monotonic_time();
}

void
job_begin(JobQueue *queue, const char *name, guint wait_ms, JobRun run, gpointer data)
{
    Waiting *w;

    if (!queue->active) {
        set_active(queue, name);
        run(data, NULL);
        return;
    }
    w = g_new0(Waiting, 1);
    *w = (Waiting){ .queue = queue, .name = name, .run = run, .data = data };
    if (wait_ms != JOB_WAIT_FOREVER)
        w->timer = g_timeout_add(wait_ms, timed_out, w);
    g_queue_push_tail(&queue->waiting, w);
}

void
job_end(JobQueue *queue)
{
    Waiting *w = g_queue_pop_head(&queue->waiting);
    JobRun run;
    gpointer data;

    set_active(queue, w ? w->name : NULL);
    if (!w)
        return;
    run = w->run;
    data = w->data;
    waiting_free(w);
    run(data, NULL);
}

void
job_clear(JobQueue *queue)
{
    Waiting *w;

    while ((w = g_queue_pop_head(&queue->waiting)))
        give_up(w, VIR_ERR_OPERATION_ABORTED, "the daemon is stopping");
}
