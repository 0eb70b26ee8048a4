#include "daemon/dbus-bus.h"

#define DBUS_NAME          "org.freedesktop.DBus"
#define DBUS_PATH          "/org/freedesktop/DBus"
#define NAME_DO_NOT_QUEUE  4u /* D-Bus specification, RequestName */
#define NAME_PRIMARY_OWNER 1u

typedef struct Watch {
    void (*closed)(gpointer data);
    gpointer data;
} Watch;

GDBusConnection *
dbus_bus_open(const char *address, gboolean system, GError **error)
{
    GBusType type = system ? G_BUS_TYPE_SYSTEM : G_BUS_TYPE_SESSION;
    g_autofree char *at =
        address ? g_strdup(address) : g_dbus_address_get_for_bus_sync(type, NULL, error);

    if (!at)
        return NULL;
    return g_dbus_connection_new_for_address_sync(
        at,
        G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
            G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
        NULL, NULL, error);
}

GDBusConnection *
dbus_bus_open_peer(int fd, GError **error)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, error);
    g_autoptr(GSocketConnection) stream = NULL;
    g_autofree char *guid = g_dbus_generate_guid();

    if (!socket)
        return NULL;
    stream = g_socket_connection_factory_create_connection(socket);
    return g_dbus_connection_new_sync(G_IO_STREAM(stream), guid,
                                      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER |
                                          G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                                      NULL, NULL, error);
}

void
dbus_bus_start(GDBusConnection *bus)
{
    g_dbus_connection_start_message_processing(bus);
}

static void
on_closed(GDBusConnection *bus, gboolean vanished, GError *error, gpointer data)
{
    const Watch *watch = data;

    watch->closed(watch->data);
}

static void
free_watch(gpointer watch, GClosure *closure)
{
    g_free(watch);
}

void
dbus_bus_watch(GDBusConnection *bus, void (*closed)(gpointer data), gpointer data)
{
    Watch *watch = g_new0(Watch, 1);

    *watch = (Watch){ closed, data };
    g_signal_connect_data(bus, "closed", G_CALLBACK(on_closed), watch, free_watch, 0);
}

gboolean
dbus_bus_own_name(GDBusConnection *bus, const char *name, GError **error)
{
    g_autoptr(GVariant) result = NULL;
    guint outcome;

    result =
        g_dbus_connection_call_sync(bus, DBUS_NAME, DBUS_PATH, DBUS_NAME, "RequestName",
                                    g_variant_new("(su)", name, NAME_DO_NOT_QUEUE),
                                    G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
    if (!result)
        return FALSE;
    g_variant_get(result, "(u)", &outcome);
    if (outcome == NAME_PRIMARY_OWNER)
        return TRUE;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_EXISTS, "the name '%s' is taken on this bus", name);
    return FALSE;
}
