#include "cli/patience.h"

#include "cli/output.h"

#include <stdio.h>
#include <string.h>

/* Starting or stopping a guest takes what it takes; a daemon that dies ends the wait at once. */
#define NO_TIMEOUT G_MAXINT
/* Where polkit wants a password there is somebody to be asked. */
#define FLAGS G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION

typedef struct Wait {
    const char *label;
    guint seconds;
    gboolean over;
    GVariant *reply;
    GError *error;
} Wait;

static gboolean
count(gpointer data)
{
    Wait *wait = data;

    fflush(stdout);
    fprintf(stderr, "\r%s: %u s", wait->label, ++wait->seconds);
    fflush(stderr);
    return G_SOURCE_CONTINUE;
}

/* What was said of the wait makes room for what comes of it. */
static void
wipe(const Wait *wait)
{
    g_autofree char *said = g_strdup_printf("%s: %u s", wait->label, wait->seconds);

    if (wait->seconds > 0)
        fprintf(stderr, "\r%*s\r", (int)strlen(said), "");
    fflush(stderr);
}

static void
on_reply(GObject *bus, GAsyncResult *result, gpointer data)
{
    Wait *wait = data;

    wait->reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &wait->error);
    wait->over = TRUE;
}

/* In a context of its own, so that nothing else happens meanwhile. */
static GVariant *
wait_and_count(Wait *wait, GDBusConnection *bus, const char *name, const char *path,
               const char *interface, const char *method, GVariant *parameters,
               const GVariantType *reply_type, GError **error)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) timer = g_timeout_source_new_seconds(1);

    g_main_context_push_thread_default(context);
    g_source_set_callback(timer, count, wait, NULL);
    g_source_attach(timer, context);
    g_dbus_connection_call(bus, name, path, interface, method, parameters, reply_type, FLAGS,
                           NO_TIMEOUT, NULL, on_reply, wait);
    while (!wait->over)
        g_main_context_iteration(context, TRUE);
    g_source_destroy(timer);
    g_main_context_pop_thread_default(context);
    wipe(wait);
    if (wait->error)
        g_propagate_error(error, wait->error);
    return wait->reply;
}

GVariant *
patience_call(GDBusConnection *bus, const char *label, const char *name, const char *path,
              const char *interface, const char *method, GVariant *parameters,
              const GVariantType *reply_type, GError **error)
{
    Wait wait = { .label = label };

    if (label && output_advises())
        return wait_and_count(&wait, bus, name, path, interface, method, parameters, reply_type,
                              error);
    return g_dbus_connection_call_sync(bus, name, path, interface, method, parameters, reply_type,
                                       FLAGS, NO_TIMEOUT, NULL, error);
}
