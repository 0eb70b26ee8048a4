#include "cli/watch.h"

#include "cli/domain.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

typedef enum {
    END_NONE,
    END_ENOUGH,
    END_TIMEOUT,
    END_INTERRUPT,
    END_LOST, /* the daemon went away */
} End;

/* One wait. */
typedef struct Watch {
    Session *session;
    const WatchSubject *subject;
    GMainLoop *loop;
    const char *only_path; /* NULL: every object */
    gboolean repeat, timestamp;
    /* object path -> name, of all objects ever seen: the last event comes after the end */
    GHashTable *names;
    guint n_received;
    End end;
} Watch;

/* What one subscription is for. */
typedef struct Subscription {
    Watch *watch;
    const EventKind *kind;
} Subscription;

static gboolean
end_watch(Watch *watch, End end)
{
    if (watch->end == END_NONE)
        watch->end = end;
    g_main_loop_quit(watch->loop);
    return G_SOURCE_REMOVE;
}

static gboolean
on_timeout(gpointer data)
{
    return end_watch(data, END_TIMEOUT);
}

static gboolean
on_interrupt(gpointer data)
{
    return end_watch(data, END_INTERRUPT);
}

static void
on_daemon_lost(GDBusConnection *bus, const char *name, gpointer data)
{
    end_watch(data, END_LOST);
}

/* The name behind @path: asked once, kept for the time when the object is gone. */
static const char *
name_of(Watch *watch, const char *path)
{
    const char *known = g_hash_table_lookup(watch->names, path);
    g_autoptr(GVariant) name = NULL;
    char *text;

    if (known)
        return known;
    name = connection_get(watch->session->connection, path, watch->subject->interface, "Name", "s",
                          NULL);
    text = name ? g_variant_dup_string(name, NULL) : domain_path_uuid(path);
    if (!text)
        text = g_strdup(path);
    g_hash_table_insert(watch->names, g_strdup(path), text);
    return text;
}

static void
print_stamp(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *text = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");

    output("%s.%03d+0000: ", text, g_date_time_get_microsecond(now) / 1000);
}

/* An object for each event, on a line of its own. Details of many lines are among the parameters, with their names. */
static void
print_object(const EventKind *kind, const char *name, const char *details, GVariant *parameters)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format_iso8601(now);

    if (details && *details == '\n')
        details = NULL;
    else if (details && *details == ' ')
        details++;
    output_json_line(g_variant_new_parsed(
        "{'time': <%s>, 'event': <%s>, 'name': <%s>, 'details': <%ms>, 'parameters': <%v>}", time,
        kind->name, name, details, parameters));
    fflush(stdout);
}

static void
print_event(Watch *watch, const EventKind *kind, const char *path, GVariant *parameters)
{
    const char *name = name_of(watch, path);
    g_autofree char *details = kind->details ? kind->details(parameters) : NULL;
    g_autofree char *about = text_about(watch->subject->said, kind->name, name);

    if (output_is_json()) {
        print_object(kind, name, details, parameters);
        return;
    }
    if (watch->timestamp)
        print_stamp();
    output("%s", about);
    if (details) /* on the same line, or lines of their own */
        output(*details == '\n' ? ":%s" : *details == ' ' ? "%s" : ": %s", details);
    output("\n");
    fflush(stdout);
}

static void
on_signal(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
          const char *member, GVariant *parameters, gpointer data)
{
    const Subscription *subscription = data;
    Watch *watch = subscription->watch;
    const EventKind *kind = subscription->kind;

    if (watch->end != END_NONE || !g_variant_is_of_type(parameters, G_VARIANT_TYPE(kind->type)))
        return;
    if (kind->of_connect) /* the object that it is about comes first */
        g_variant_get_child(parameters, 0, "&o", &path);
    if (watch->only_path && strcmp(path, watch->only_path) != 0)
        return;
    print_event(watch, kind, path, parameters);
    watch->n_received++;
    if (!watch->repeat)
        end_watch(watch, END_ENOUGH);
}

static guint
subscribe(Watch *watch, const EventKind *kind)
{
    Subscription *subscription = g_new0(Subscription, 1);
    Connection *connection = watch->session->connection;

    subscription->watch = watch;
    subscription->kind = kind;
    return g_dbus_connection_signal_subscribe(
        connection_bus(connection), connection_name(connection),
        kind->of_connect ? CONNECT_INTERFACE : watch->subject->interface, kind->member,
        kind->of_connect ? connection_root(connection) : NULL, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
        on_signal, subscription, g_free);
}

/* All kinds that come, or the one called @name. */
static GArray *
subscribe_all(Watch *watch, const char *name)
{
    GArray *ids = g_array_new(FALSE, FALSE, sizeof(guint));

    for (const EventKind *kind = watch->subject->kinds; kind->name; kind++) {
        if (!kind->member || (name && strcmp(name, kind->name) != 0))
            continue;
        guint id = subscribe(watch, kind);
        g_array_append_val(ids, id);
    }
    return ids;
}

static void
unsubscribe_all(Watch *watch, GArray *ids)
{
    GDBusConnection *bus = connection_bus(watch->session->connection);

    for (guint i = 0; i < ids->len; i++)
        g_dbus_connection_signal_unsubscribe(bus, g_array_index(ids, guint, i));
    g_array_unref(ids);
}

static void
remove_source(guint id)
{
    GSource *source = g_main_context_find_source_by_id(NULL, id);

    if (source)
        g_source_destroy(source);
}

static void
wait_for_events(Watch *watch, int timeout_s)
{
    GDBusConnection *bus = connection_bus(watch->session->connection);
    guint timeout = timeout_s ? g_timeout_add_seconds((guint)timeout_s, on_timeout, watch) : 0;
    guint interrupt = g_unix_signal_add(SIGINT, on_interrupt, watch);
    guint terminate = g_unix_signal_add(SIGTERM, on_interrupt, watch);
    /* A daemon of this process alone has no name to lose, and is not lost. */
    const char *name = connection_name(watch->session->connection);
    guint lost = name ? g_bus_watch_name_on_connection(bus, name, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                       NULL, on_daemon_lost, watch, NULL)
                      : 0;

    g_main_loop_run(watch->loop);
    if (lost)
        g_bus_unwatch_name(lost);
    remove_source(terminate);
    remove_source(interrupt);
    if (timeout)
        remove_source(timeout);
}

static void
say_end(const Watch *watch)
{
    if (watch->end == END_LOST)
        output_error(_("Disconnected from %s due to end of file"),
                     connection_uri(watch->session->connection));
    if (output_is_json())
        return;
    if (watch->end == END_TIMEOUT)
        output("%s", _("event loop timed out\n"));
    else if (watch->end == END_INTERRUPT)
        output("%s", _("event loop interrupted\n"));
    output(_("events received: %u\n"), watch->n_received);
}

/* The answer about the names also shows that the bus has taken the subscriptions before it. Success is having seen an
 * event, as with virsh. */
static gboolean
watch_events(Watch *watch, const char *name, int timeout_s, GError **error)
{
    GArray *ids;
    gboolean ready;

    watch->loop = g_main_loop_new(NULL, FALSE);
    watch->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    ids = subscribe_all(watch, name);
    ready = watch->subject->learn(watch->session->connection, watch->subject->data, watch->names,
                                  error);
    if (ready) {
        wait_for_events(watch, timeout_s);
        say_end(watch);
    }
    unsubscribe_all(watch, ids);
    g_hash_table_unref(watch->names);
    g_main_loop_unref(watch->loop);
    return ready && watch->n_received > 0 && watch->end != END_LOST;
}

gboolean
watch_check_args(const WatchSubject *subject, const Args *args, GError **error)
{
    const char *name = args_string(args, "event");

    if (name && !event_kind_find(subject->kinds, name))
        return cli_fail(error, _("unknown event type %s"), name);
    if (args_has(args, "timeout") && args_int(args, "timeout", 0) < 1)
        return cli_fail(error, _("Numeric value '%s' for <%s> option is malformed or out of range"),
                        args_string(args, "timeout"), "timeout");
    return TRUE;
}

void
watch_list_kinds(const WatchSubject *subject)
{
    static const TableKey column = { "event", TABLE_TEXT };
    g_autoptr(Table) table = table_new(NULL);

    for (const EventKind *kind = subject->kinds; kind->name; kind++) {
        if (output_is_json())
            table_add(table, (const char *const[]){ kind->name, NULL });
        else
            output("%s\n", kind->name);
    }
    if (output_is_json())
        table_print(table, &column);
}

gboolean
watch_run(Session *session, const WatchSubject *subject, const Args *args, const char *only_path,
          GError **error)
{
    Watch watch = { .session = session,
                    .subject = subject,
                    .only_path = only_path,
                    .repeat = args_has(args, "loop"),
                    .timestamp = args_has(args, "timestamp") };

    return watch_events(&watch, args_string(args, "event"), args_int(args, "timeout", 0), error);
}
