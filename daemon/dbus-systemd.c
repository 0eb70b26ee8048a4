#include "daemon/dbus-systemd.h"

#define SYSTEMD_NAME  "org.freedesktop.systemd1"
#define SYSTEMD_PATH  "/org/freedesktop/systemd1"
#define MANAGER       "org.freedesktop.systemd1.Manager"
#define MACHINED_NAME "org.freedesktop.machine1"
#define MACHINED_PATH "/org/freedesktop/machine1"
#define MACHINES      "org.freedesktop.machine1.Manager"

struct Systemd {
    GDBusConnection *bus;
    GCancellable *cancel;
    Driver *driver;
    GHashTable *starts; /* of units, to the path of the job that starts it */
    guint subscription;
};

/* A call under way. */
typedef struct Request {
    Systemd *systemd;
    char *what;
} Request;

static void
request_free(Request *request)
{
    g_free(request->what);
    g_free(request);
}

static void
report(Systemd *systemd, const char *unit, const char *text)
{
    if (systemd->driver)
        driver_unit_failed(systemd->driver, unit, text);
}

static void
start_answered(GObject *bus, GAsyncResult *result, gpointer data)
{
    Request *request = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

    if (reply) {
        char *job;

        g_variant_get(reply, "(o)", &job);
        g_hash_table_replace(request->systemd->starts, g_strdup(request->what), job);
    } else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        g_dbus_error_strip_remote_error(error);
        report(request->systemd, request->what, error->message);
    }
    request_free(request);
}

static void
call(Systemd *systemd, const char *name, const char *path, const char *interface,
     const char *method, GVariant *args, const char *answer, GAsyncReadyCallback answered,
     const char *what)
{
    Request *request = g_new(Request, 1);

    *request = (Request){ systemd, g_strdup(what) };
    g_dbus_connection_call(systemd->bus, name, path, interface, method, args,
                           G_VARIANT_TYPE(answer), G_DBUS_CALL_FLAGS_NONE, -1, systemd->cancel,
                           answered, request);
}

static void
start(gpointer data, const char *unit)
{
    call(data, SYSTEMD_NAME, SYSTEMD_PATH, MANAGER, "StartUnit",
         g_variant_new("(ss)", unit, "replace"), "(o)", start_answered, unit);
}

/* Not to be registered is no reason for a guest not to run. */
static void
registered(GObject *bus, GAsyncResult *result, gpointer data)
{
    Request *request = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

    if (!reply && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) &&
        !g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN))
        g_warning("Domain '%s' is not registered with machined: %s", request->what, error->message);
    request_free(request);
}

/* A machine's name is a host name; a domain's may be anything. */
static char *
machine_name(const char *domain, int id)
{
    g_autoptr(GString) name = g_string_new(NULL);

    g_string_printf(name, "vmctl-%d-", id);
    for (const char *at = domain; *at && name->len < 63; at++) {
        if (g_ascii_isalnum(*at))
            g_string_append_c(name, *at);
        else if (name->str[name->len - 1] != '-')
            g_string_append_c(name, '-');
    }
    while (name->str[name->len - 1] == '-')
        g_string_truncate(name, name->len - 1);
    return g_strdup(name->str);
}

static GVariant *
uuid_bytes(const char *uuid)
{
    GVariantBuilder bytes;

    g_variant_builder_init(&bytes, G_VARIANT_TYPE("ay"));
    for (const char *at = uuid; at[0] && at[1]; at += 2) {
        if (*at == '-')
            at++;
        g_variant_builder_add(&bytes, "y",
                              g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]));
    }
    return g_variant_builder_end(&bytes);
}

static void
running(gpointer data, const char *name, const char *uuid, int id, pid_t pid)
{
    g_autofree char *machine = machine_name(name, id);

    call(data, MACHINED_NAME, MACHINED_PATH, MACHINES, "RegisterMachine",
         g_variant_new("(s@ayssus)", machine, uuid_bytes(uuid), "vmctl", "vm", (guint)pid, ""),
         "(o)", registered, name);
}

/* A start whose process never came. Other jobs of the unit's, such as a stop that the start has replaced, say nothing
 * of it. */
static void
job_removed(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
            const char *signal, GVariant *args, gpointer data)
{
    Systemd *systemd = data;
    const char *job, *unit, *result;

    if (!g_variant_is_of_type(args, G_VARIANT_TYPE("(uoss)")))
        return;
    g_variant_get(args, "(u&o&s&s)", NULL, &job, &unit, &result);
    if (g_strcmp0(g_hash_table_lookup(systemd->starts, unit), job) != 0)
        return;
    g_hash_table_remove(systemd->starts, unit);
    if (!g_str_equal(result, "done"))
        report(systemd, unit, result);
}

static gboolean
is_on(GDBusConnection *bus)
{
    g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
        bus, "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner",
        g_variant_new("(s)", SYSTEMD_NAME), G_VARIANT_TYPE("(b)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL,
        NULL);
    gboolean owned = FALSE;

    if (reply)
        g_variant_get(reply, "(b)", &owned);
    return owned;
}

Systemd *
systemd_new(GDBusConnection *bus)
{
    Systemd *systemd;

    if (!is_on(bus))
        return NULL;
    systemd = g_new0(Systemd, 1);
    systemd->bus = g_object_ref(bus);
    systemd->cancel = g_cancellable_new();
    systemd->starts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    systemd->subscription = g_dbus_connection_signal_subscribe(
        bus, SYSTEMD_NAME, MANAGER, "JobRemoved", SYSTEMD_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
        job_removed, systemd, NULL);
    g_dbus_connection_call(bus, SYSTEMD_NAME, SYSTEMD_PATH, MANAGER, "Subscribe", NULL, NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
    return systemd;
}

void
systemd_free(Systemd *systemd)
{
    if (!systemd)
        return;
    g_dbus_connection_signal_unsubscribe(systemd->bus, systemd->subscription);
    g_cancellable_cancel(systemd->cancel);
    g_hash_table_unref(systemd->starts);
    g_object_unref(systemd->cancel);
    g_object_unref(systemd->bus);
    g_free(systemd);
}

UnitManager
systemd_manager(Systemd *systemd)
{
    return (UnitManager){ start, running, systemd };
}

void
systemd_set_driver(Systemd *systemd, Driver *driver)
{
    systemd->driver = driver;
}
