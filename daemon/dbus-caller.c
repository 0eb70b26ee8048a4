#include "daemon/dbus-caller.h"

#include <grp.h>

#define DBUS_NAME "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"

/* Unique names are never used again, so an entry is never wrong, only of no use when its client is gone. */
#define KNOWN_MAX 1024

struct Callers {
    GDBusConnection *bus;
    GCancellable *cancellable;
    GHashTable *known;  /* name -> Caller */
    GHashTable *asking; /* name -> GQueue of Question, in order */
};

typedef struct Question {
    CallerDone done;
    gpointer data;
} Question;

typedef struct Request {
    Callers *callers;
    char *sender;
} Request;

static void
free_queue(gpointer queue)
{
    g_queue_free_full(queue, g_free);
}

Callers *
callers_new(GDBusConnection *bus)
{
    Callers *callers = g_new0(Callers, 1);

    callers->bus = g_object_ref(bus);
    callers->cancellable = g_cancellable_new();
    callers->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    callers->asking = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_queue);
    return callers;
}

void
callers_free(Callers *callers)
{
    if (!callers)
        return;
    g_cancellable_cancel(callers->cancellable);
    g_object_unref(callers->cancellable);
    g_hash_table_unref(callers->asking);
    g_hash_table_unref(callers->known);
    g_object_unref(callers->bus);
    g_free(callers);
}

static Caller *
callers_known(Callers *callers, const char *sender)
{
    return g_hash_table_lookup(callers->known, sender);
}

/* The group's, as the bus saw them when the client connected. */
static gboolean
is_in_group(GVariant *credentials)
{
    const struct group *group = getgrnam(CALLER_GROUP);
    g_autoptr(GVariant) list =
        g_variant_lookup_value(credentials, "UnixGroupIDs", G_VARIANT_TYPE("au"));
    const guint32 *ids;
    gsize n = 0;

    if (!group || !list)
        return FALSE;
    ids = g_variant_get_fixed_array(list, &n, sizeof(guint32));
    for (gsize i = 0; i < n; i++) {
        if (ids[i] == group->gr_gid)
            return TRUE;
    }
    return FALSE;
}

static gboolean
is_idle(gpointer name, gpointer caller, gpointer data)
{
    const Caller *each = caller;

    return each->waiting.length == 0 && !each->busy;
}

static Caller *
learn(Callers *callers, const char *sender, GVariant *credentials, GError **error)
{
    Caller *caller;
    guint uid;

    if (!g_variant_lookup(credentials, "UnixUserID", "u", &uid)) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "the bus does not know whose '%s' is",
                    sender);
        return NULL;
    }
    if (g_hash_table_size(callers->known) >= KNOWN_MAX)
        g_hash_table_foreach_remove(callers->known, is_idle, NULL);
    caller = g_new0(Caller, 1);
    caller->uid = uid;
    caller->manager = is_in_group(credentials);
    g_hash_table_insert(callers->known, g_strdup(sender), caller);
    return caller;
}

Caller *
callers_ask_now(Callers *callers, const char *sender)
{
    Caller *caller = callers_known(callers, sender);
    g_autoptr(GVariant) reply = NULL, credentials = NULL;

    if (caller || g_hash_table_contains(callers->asking, sender))
        return caller;
    reply = g_dbus_connection_call_sync(callers->bus, DBUS_NAME, DBUS_PATH, DBUS_NAME,
                                        "GetConnectionCredentials", g_variant_new("(s)", sender),
                                        G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE, -1, NULL,
                                        NULL);
    if (!reply)
        return NULL;
    g_variant_get(reply, "(@a{sv})", &credentials);
    return learn(callers, sender, credentials, NULL);
}

/* All who asked for @sender, one after the other; each may ask for more. */
static void
tell(Callers *callers, const char *sender, Caller *caller, const GError *error)
{
    g_autofree gpointer name = NULL;
    gpointer queue = NULL;
    Question *question;

    g_hash_table_steal_extended(callers->asking, sender, &name, &queue);
    if (caller)
        caller->busy = TRUE; /* stays known until the last one is told */
    while ((question = g_queue_pop_head(queue))) {
        question->done(caller, error, question->data);
        g_free(question);
    }
    if (caller)
        caller->busy = FALSE;
    free_queue(queue);
}

static void
have_credentials(GObject *bus, GAsyncResult *result, gpointer data)
{
    Request *request = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    g_autoptr(GVariant) credentials = NULL;
    Caller *caller = NULL;

    if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        if (reply) {
            g_variant_get(reply, "(@a{sv})", &credentials);
            caller = learn(request->callers, request->sender, credentials, &error);
        }
        tell(request->callers, request->sender, caller, error);
    }
    g_free(request->sender);
    g_free(request);
}

static void
ask_bus(Callers *callers, const char *sender)
{
    Request *request = g_new0(Request, 1);

    *request = (Request){ callers, g_strdup(sender) };
    g_dbus_connection_call(callers->bus, DBUS_NAME, DBUS_PATH, DBUS_NAME,
                           "GetConnectionCredentials", g_variant_new("(s)", sender),
                           G_VARIANT_TYPE("(a{sv})"), G_DBUS_CALL_FLAGS_NONE, -1,
                           callers->cancellable, have_credentials, request);
}

void
callers_ask(Callers *callers, const char *sender, CallerDone done, gpointer data)
{
    Caller *caller = callers_known(callers, sender);
    GQueue *queue = g_hash_table_lookup(callers->asking, sender);
    Question *question;

    if (caller) {
        done(caller, NULL, data);
        return;
    }
    if (!queue) {
        queue = g_queue_new();
        g_hash_table_insert(callers->asking, g_strdup(sender), queue);
        ask_bus(callers, sender);
    }
    question = g_new0(Question, 1);
    *question = (Question){ done, data };
    g_queue_push_tail(queue, question);
}
