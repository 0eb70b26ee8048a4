#include "cli/connection.h"

#include "cli/log.h"
#include "cli/output.h"
#include "cli/password-agent.h"
#include "cli/patience.h"
#include "cli/private-daemon.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* Starting or stopping a guest takes what it takes; a daemon that dies ends the wait at once. */
#define NO_TIMEOUT G_MAXINT

typedef struct Place {
    const char *uri;
    GBusType bus;
    const char *root;
    const char *driver;
    const char *advice; /* N_(): what to try when nothing answers */
    gboolean own;       /* a daemon of this process alone will do */
} Place;

static const Place places[] = {
    { "qemu:///system", G_BUS_TYPE_SYSTEM, "/org/libvirt/QEMU", "QEMU",
      N_("is the daemon running? Try: systemctl status vmctld; for guests of your own: "
         "vmctl -c qemu:///session list") },
    { "qemu:///session", G_BUS_TYPE_SESSION, "/org/libvirt/QEMU", "QEMU",
      N_("is the daemon running in your session? Try: vmctld --session, or as root: "
         "vmctl -c qemu:///system list") },
    { "test:///default", G_BUS_TYPE_SESSION, "/org/libvirt/Test", "TEST",
      N_("is vmctld installed, or beside vmctl?"), TRUE },
};

struct Connection {
    const Place *place;
    GDBusConnection *bus;
    const char *name; /* NULL: the daemon is on no bus */
};

const char *
connection_default_uri(void)
{
    static const char *const variables[] = { "VMCTL_DEFAULT_CONNECT_URI",
                                             "VIRSH_DEFAULT_CONNECT_URI", "LIBVIRT_DEFAULT_URI" };

    for (gsize i = 0; i < G_N_ELEMENTS(variables); i++) {
        const char *uri = g_getenv(variables[i]);
        if (uri && *uri)
            return uri;
    }
    return geteuid() == 0 ? "qemu:///system" : "qemu:///session";
}

static const Place *
find_place(const char *uri, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++)
        if (strcmp(places[i].uri, uri) == 0)
            return &places[i];
    g_set_error(error, CLI_ERROR, CLI_ERROR_CONNECTION,
                _("no connection driver available for %s: vmctl knows qemu:///system, "
                  "qemu:///session and test:///default"),
                uri);
    return NULL;
}

/* Says what went wrong and, where it helps, what to do: the daemon itself answers with org.libvirt.Error,
 * everything else comes from the bus. */
static void
explain_failure(const Place *place, GError *cause, GError **error)
{
    g_autofree char *remote = g_dbus_error_get_remote_error(cause);
    gboolean from_daemon = g_strcmp0(remote, "org.libvirt.Error") == 0;

    g_dbus_error_strip_remote_error(cause);
    if (from_daemon)
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_CONNECTION, cause->message);
    else if (g_error_matches(cause, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED))
        g_set_error(error, CLI_ERROR, CLI_ERROR_CONNECTION,
                    _("you may not use %s: %s; try it as root, or: vmctl -c qemu:///session list"),
                    place->uri, cause->message);
    else
        g_set_error(error, CLI_ERROR, CLI_ERROR_CONNECTION, _("no daemon answers at %s: %s; %s"),
                    place->uri, cause->message, _(place->advice));
    g_error_free(cause);
}

/* Reading one property starts the daemon where the bus can, and shows that the object is there. */
static gboolean
check_answer(Connection *connection, GError **error)
{
    g_autoptr(GVariant) version = connection_get(connection, connection->place->root,
                                                 CONNECT_INTERFACE, "LibVersion", "t", error);
    return version != NULL;
}

/* What is there already; starting something for this is private_daemon_start()'s. */
static gboolean
has_owner(GDBusConnection *bus)
{
    gboolean has = FALSE;
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
        "NameHasOwner", g_variant_new("(s)", BUS_NAME), G_VARIANT_TYPE("(b)"),
        G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);

    if (reply)
        g_variant_get(reply, "(b)", &has);
    return has;
}

static gboolean
connect(Connection *connection, GError **error)
{
    const Place *place = connection->place;

    connection->bus = g_bus_get_sync(place->bus, NULL, place->own ? NULL : error);
    connection->name = BUS_NAME;
    if (place->own && (!connection->bus || !has_owner(connection->bus))) {
        g_clear_object(&connection->bus);
        connection->bus = private_daemon_start(error);
        connection->name = NULL;
    }
    return connection->bus && check_answer(connection, error);
}

Connection *
connection_open(const char *uri, GError **error)
{
    g_autoptr(Connection) connection = NULL;
    GError *cause = NULL;
    const Place *place = find_place(uri, error);

    if (!place)
        return NULL;
    connection = g_new0(Connection, 1);
    connection->place = place;
    if (!connect(connection, &cause)) {
        explain_failure(place, cause, error);
        return NULL;
    }
    /* Losing the bus is told by the call that meets it, not by ending the process. */
    g_dbus_connection_set_exit_on_close(connection->bus, FALSE);
    return g_steal_pointer(&connection);
}

gboolean
connection_is_served(const char *uri)
{
    const Place *place = find_place(uri, NULL);
    gboolean served = FALSE;
    g_autoptr(GDBusConnection) bus = place ? g_bus_get_sync(place->bus, NULL, NULL) : NULL;
    g_autoptr(GVariant) reply =
        bus ? g_dbus_connection_call_sync(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                          "org.freedesktop.DBus", "NameHasOwner",
                                          g_variant_new("(s)", BUS_NAME), G_VARIANT_TYPE("(b)"),
                                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL)
            : NULL;

    if (reply)
        g_variant_get(reply, "(b)", &served);
    return served;
}

void
connection_free(Connection *connection)
{
    if (!connection)
        return;
    g_clear_object(&connection->bus);
    g_free(connection);
}

const char *
connection_uri(const Connection *connection)
{
    return connection->place->uri;
}

const char *
connection_driver(const Connection *connection)
{
    return connection->place->driver;
}

const char *
connection_root(const Connection *connection)
{
    return connection->place->root;
}

const char *
connection_name(const Connection *connection)
{
    return connection->name;
}

GDBusConnection *
connection_bus(const Connection *connection)
{
    return connection->bus;
}

/* Tells the log of calls that are done; what went with them may be a password. */
static void
log_calls(const char *what, const char *where, gboolean answered, gint64 start_us)
{
    log_say(LOG_LEVEL_DEBUG, "%s at %s: %s, %.3f ms", what, where, answered ? "answered" : "failed",
            (double)(g_get_monotonic_time() - start_us) / 1000);
}

/* The call has failed because nobody could be asked for a password, and now somebody can. */
static gboolean
is_worth_another_try(const GVariant *reply, GError **cause)
{
    if (reply || !password_agent_helps(*cause))
        return FALSE;
    g_clear_error(cause);
    return TRUE;
}

static void
give_cause(GError *cause, GError **error)
{
    if (cause)
        g_propagate_error(error, cause);
}

/* Where a password may be asked for nothing is counted, which would be in its way. */
GVariant *
connection_call(Connection *connection, const char *path, const char *interface, const char *method,
                GVariant *parameters, const char *reply_type, GError **error)
{
    g_autofree char *what = g_strdup_printf("%s.%s", interface, method);
    g_autoptr(GVariant) held = parameters ? g_variant_ref_sink(parameters) : NULL;
    gint64 start_us = g_get_monotonic_time();
    GError *cause = NULL;
    GVariant *reply;

    do {
        reply = patience_call(connection->bus, password_agent_runs() ? NULL : log_command(),
                              connection->name, path, interface, method, held,
                              G_VARIANT_TYPE(reply_type), &cause);
    } while (is_worth_another_try(reply, &cause));
    log_calls(what, path, reply != NULL, start_us);
    give_cause(cause, error);
    return reply;
}

int
connection_call_for_fd(Connection *connection, const char *path, const char *interface,
                       const char *method, GVariant *parameters, GError **error)
{
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autofree char *what = g_strdup_printf("%s.%s", interface, method);
    g_autoptr(GVariant) held = parameters ? g_variant_ref_sink(parameters) : NULL;
    gint64 start_us = g_get_monotonic_time();
    GError *cause = NULL;
    int handle;

    do {
        reply = g_dbus_connection_call_with_unix_fd_list_sync(
            connection->bus, connection->name, path, interface, method, held, G_VARIANT_TYPE("(h)"),
            G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, NO_TIMEOUT, NULL, &fds, NULL,
            &cause);
    } while (is_worth_another_try(reply, &cause));
    log_calls(what, path, reply != NULL, start_us);
    give_cause(cause, error);
    if (!reply)
        return -1;
    g_variant_get(reply, "(h)", &handle);
    if (!fds || handle < 0 || handle >= g_unix_fd_list_get_length(fds)) {
        cli_fail(error, _("%s.%s came without its file descriptor"), interface, method);
        return -1;
    }
    return g_unix_fd_list_get(fds, handle, error);
}

GVariant *
variant_unwrap(GVariant *value)
{
    GVariant *inner = g_variant_ref(value);

    while (g_variant_is_of_type(inner, G_VARIANT_TYPE_VARIANT)) {
        GVariant *outer = inner;
        inner = g_variant_get_variant(outer);
        g_variant_unref(outer);
    }
    return inner;
}

GVariant *
variant_dict_unwrap(GVariantDict *dict, const char *key, const char *type)
{
    g_autoptr(GVariant) wrapped = g_variant_dict_lookup_value(dict, key, NULL);
    g_autoptr(GVariant) value = wrapped ? variant_unwrap(wrapped) : NULL;

    if (!value || !g_variant_is_of_type(value, G_VARIANT_TYPE(type)))
        return NULL;
    return g_steal_pointer(&value);
}

GVariant *
connection_get(Connection *connection, const char *path, const char *interface,
               const char *property, const char *type, GError **error)
{
    g_autoptr(GVariant) wrapped = NULL;
    g_autoptr(GVariant) value = NULL;
    g_autoptr(GVariant) reply =
        connection_call(connection, path, "org.freedesktop.DBus.Properties", "Get",
                        g_variant_new("(ss)", interface, property), "(v)", error);

    if (!reply)
        return NULL;
    wrapped = g_variant_get_child_value(reply, 0);
    value = variant_unwrap(wrapped);
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE(type))) {
        cli_fail(error, _("the property %s.%s has the type '%s' instead of '%s'"), interface,
                 property, g_variant_get_type_string(value), type);
        return NULL;
    }
    return g_steal_pointer(&value);
}

gboolean
connection_set(Connection *connection, const char *path, const char *interface,
               const char *property, GVariant *value, GError **error)
{
    g_autoptr(GVariant) reply =
        connection_call(connection, path, "org.freedesktop.DBus.Properties", "Set",
                        g_variant_new("(ssv)", interface, property, value), "()", error);
    return reply != NULL;
}

GVariantDict *
connection_get_all(Connection *connection, const char *path, const char *interface, GError **error)
{
    g_autoptr(GVariant) properties = NULL;
    g_autoptr(GVariant) reply =
        connection_call(connection, path, "org.freedesktop.DBus.Properties", "GetAll",
                        g_variant_new("(s)", interface), "(a{sv})", error);

    if (!reply)
        return NULL;
    properties = g_variant_get_child_value(reply, 0);
    return g_variant_dict_new(properties);
}

/* The calls of connection_call_each(). */
typedef struct Batch {
    Connection *connection;
    const char *const *paths;
    const char *interface, *method;
    GVariant *parameters;
    const GVariantType *reply_type;
    GVariant **replies;
    gsize next; /* that is not asked yet */
    guint running;
} Batch;

typedef struct Question {
    Batch *batch;
    gsize number;
} Question;

/* The bus takes no more of one connection's than 128 calls without an answer. */
#define MOST_CALLS 64

static void ask_next(Batch *batch);

static void
on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autofree Question *question = data;
    Batch *batch = question->batch;

    batch->running--;
    batch->replies[question->number] =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);
    ask_next(batch);
}

static void
ask_next(Batch *batch)
{
    Connection *connection = batch->connection;
    Question *question;

    if (!batch->paths[batch->next])
        return;
    question = g_new0(Question, 1);
    question->batch = batch;
    question->number = batch->next++;
    batch->running++;
    g_dbus_connection_call(connection->bus, connection->name, batch->paths[question->number],
                           batch->interface, batch->method, batch->parameters, batch->reply_type,
                           G_DBUS_CALL_FLAGS_NONE, NO_TIMEOUT, NULL, on_answer, question);
}

/* In a context of its own, so that nothing else happens meanwhile. */
GVariant **
connection_call_each(Connection *connection, const char *const *paths, const char *interface,
                     const char *method, GVariant *parameters, const char *reply_type)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GVariant) owned = parameters ? g_variant_ref_sink(parameters) : NULL;
    Batch batch = { .connection = connection,
                    .paths = paths,
                    .interface = interface,
                    .method = method,
                    .parameters = owned,
                    .reply_type = G_VARIANT_TYPE(reply_type) };
    guint n = g_strv_length((char **)paths);
    g_autofree char *what = g_strdup_printf("%s.%s", interface, method);
    g_autofree char *where = g_strdup_printf("%u objects", n);
    gint64 start_us = g_get_monotonic_time();

    batch.replies = g_new0(GVariant *, n + 1);
    g_main_context_push_thread_default(context);
    for (guint i = 0; i < MOST_CALLS; i++)
        ask_next(&batch);
    while (batch.running)
        g_main_context_iteration(context, TRUE);
    g_main_context_pop_thread_default(context);
    log_calls(what, where, TRUE, start_us);
    return batch.replies;
}

GVariant **
connection_get_all_of(Connection *connection, const char *const *paths, const char *interface)
{
    return connection_call_each(connection, paths, "org.freedesktop.DBus.Properties", "GetAll",
                                g_variant_new("(s)", interface), "(a{sv})");
}

void
replies_free(GVariant **replies, gsize n)
{
    for (gsize i = 0; i < n; i++)
        g_clear_pointer(&replies[i], g_variant_unref);
    g_free(replies);
}

gboolean
error_is_unknown_method(const GError *error)
{
    return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_PROPERTY);
}
