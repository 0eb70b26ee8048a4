#include "cli/job-watch.h"

#include "cli/connection.h"
#include "cli/output.h"
#include "cli/password-agent.h"

#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <stdio.h>

#define POLL_MS    500
#define PATIENT_US G_USEC_PER_SEC /* what is over by then shows nothing unasked */

typedef struct Watch {
    Domain *domain;
    const char *method;
    GVariant *parameters;
    const char *label;
    gint64 from_us; /* nothing is shown before */
    gboolean shown;
    GMainLoop *loop;
    GVariant *reply;
    GError *error;
} Watch;

/* As virsh has it: 100 is for what is over. */
static void
show(Watch *watch, guint64 left, guint64 total)
{
    int percent;

    if (!total)
        return;
    watch->shown = TRUE;
    percent = left ? MIN(99, (int)(100.0 - (double)left * 100.0 / (double)total)) : 100;
    fflush(stdout);
    fprintf(stderr, "\r%s: [%3d %%]", watch->label, percent);
    fflush(stderr);
}

static void
call(const Watch *watch, const char *method, GVariant *parameters, GAsyncReadyCallback done,
     gpointer data)
{
    g_dbus_connection_call(connection_bus(watch->domain->connection), BUS_NAME, watch->domain->path,
                           DOMAIN_INTERFACE, method, parameters, NULL,
                           G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT, NULL, done,
                           data);
}

static void
over(GObject *bus, GAsyncResult *result, gpointer data)
{
    Watch *watch = data;

    watch->reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &watch->error);
    if (watch->reply || !password_agent_helps(watch->error)) {
        g_main_loop_quit(watch->loop);
        return;
    }
    g_clear_error(&watch->error);
    call(watch, watch->method, watch->parameters, over, watch);
}

/* Comes before over(), because the daemon answers in order; where it is late, nobody cares. */
static gboolean
poll_progress(gpointer data)
{
    Watch *watch = data;
    g_autoptr(GVariant) reply =
        domain_call(watch->domain, "GetJobInfo", NULL, "((ittttttttttt))", NULL);
    guint64 total, left;
    int type;

    if (reply && g_get_monotonic_time() >= watch->from_us) {
        g_variant_get(reply, "((ittttttttttt))", &type, NULL, NULL, &total, NULL, &left, NULL, NULL,
                      NULL, NULL, NULL, NULL);
        if (type == VIR_DOMAIN_JOB_BOUNDED || type == VIR_DOMAIN_JOB_UNBOUNDED)
            show(watch, left, total);
    }
    return G_SOURCE_CONTINUE;
}

/* What comes of it, the job's own call tells. */
static gboolean
interrupted(gpointer data)
{
    const Watch *watch = data;

    call(watch, "AbortJob", NULL, NULL, NULL);
    return G_SOURCE_CONTINUE;
}

gboolean
job_watch(Domain *domain, const char *method, GVariant *parameters, const char *label,
          gboolean verbose, GError **error)
{
    g_autoptr(GVariant) held = parameters ? g_variant_ref_sink(parameters) : NULL;
    Watch watch = { .domain = domain,
                    .method = method,
                    .parameters = held,
                    .label = label,
                    .from_us = verbose ? 0 : g_get_monotonic_time() + PATIENT_US };
    gboolean shows = verbose || output_advises();
    guint timer = shows ? g_timeout_add(POLL_MS, poll_progress, &watch) : 0;
    guint interrupt = g_unix_signal_add(SIGINT, interrupted, &watch);
    gboolean good;

    watch.loop = g_main_loop_new(NULL, FALSE);
    call(&watch, method, held, over, &watch);
    g_main_loop_run(watch.loop);
    g_main_loop_unref(watch.loop);
    g_source_remove(interrupt);
    if (timer)
        g_source_remove(timer);
    good = watch.reply != NULL;
    if (good && (verbose || watch.shown))
        show(&watch, 0, 1);
    else if (watch.shown && !verbose)
        fputc('\n', stderr); /* the complaint has a line of its own */
    if (good)
        g_variant_unref(watch.reply);
    else
        g_propagate_error(error, watch.error);
    return good;
}
