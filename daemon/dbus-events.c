#include "daemon/dbus-events.h"

#include "daemon/dbus-path.h"

/* A signal can only fail for a closed connection, which ends the daemon anyway. */
static void
emit(const DbusRoot *root, const char *path, const char *interface, const char *signal,
     GVariant *args)
{
    g_dbus_connection_emit_signal(dbus_root_bus(root), NULL, path, interface, signal, args, NULL);
}

static void
lifecycle(gpointer data, Domain *domain, int event, int detail)
{
    const DbusRoot *root = data;
    g_autofree char *path = dbus_path_of(dbus_root_path(root), domain);

    emit(root, dbus_root_path(root), "org.libvirt.Connect", "DomainEvent",
         g_variant_new("(oii)", path, event, detail));
}

static void
reboot(gpointer data, Domain *domain)
{
    const DbusRoot *root = data;
    g_autofree char *path = dbus_path_of(dbus_root_path(root), domain);

    emit(root, path, "org.libvirt.Domain", "Reboot", NULL);
}

DriverEvents
dbus_events(DbusRoot *root)
{
    return (DriverEvents){ .lifecycle = lifecycle, .reboot = reboot, .data = root };
}
