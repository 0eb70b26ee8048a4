#include "cli/job-watch.h"

#include "cli/connection.h"

#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <stdio.h>

#define POLL_MS 500

typedef struct Watch {
    Domain *domain;
    const char *label;
    GMainLoop *loop;
    GVariant *reply;
    GError *error;
} Watch;

/* As virsh has it: 100 is for what is over. */
static void
show(const Watch *watch, guint64 left, guint64 total)
{
    int percent;

    if (!total)
        return;
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
                           DOMAIN_INTERFACE, method, parameters, NULL, G_DBUS_CALL_FLAGS_NONE,
                           G_MAXINT, NULL, done, data);
}

static void
over(GObject *bus, GAsyncResult *result, gpointer data)
{
    Watch *watch = data;

    watch->reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &watch->error);
    g_main_loop_quit(watch->loop);
}

/* Comes before over(), because the daemon answers in order; where it is late, nobody cares. */
static gboolean
poll_progress(gpointer data)
{
    const Watch *watch = data;
    g_autoptr(GVariant) reply =
        domain_call(watch->domain, "GetJobInfo", NULL, "((ittttttttttt))", NULL);
    guint64 total, left;
    int type;

    if (reply) {
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
          GError **error)
{
    Watch watch = { .domain = domain, .label = label };
    guint timer = label ? g_timeout_add(POLL_MS, poll_progress, &watch) : 0;
    guint interrupt = g_unix_signal_add(SIGINT, interrupted, &watch);
    gboolean good;

    watch.loop = g_main_loop_new(NULL, FALSE);
    call(&watch, method, parameters, over, &watch);
    g_main_loop_run(watch.loop);
    g_main_loop_unref(watch.loop);
    g_source_remove(interrupt);
    if (timer)
        g_source_remove(timer);
    good = watch.reply != NULL;
    if (good && label)
        show(&watch, 0, 1);
    if (good)
        g_variant_unref(watch.reply);
    else
        g_propagate_error(error, watch.error);
    return good;
}
