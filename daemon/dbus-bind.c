#include "daemon/dbus-bind.h"

/* It goes with the guest. */
typedef struct Bound {
    Domain *domain;
    guint watch; /* of the client's name */
} Bound;

static void
destroyed(gpointer data, const GError *error)
{
    g_autoptr(Domain) domain = data;

    if (error)
        g_warning("Cannot end domain '%s' with its client: %s", domain_name(domain), error->message);
}

static void
client_gone(GDBusConnection *bus, const char *name, gpointer data)
{
    Domain *domain = domain_ref(((const Bound *)data)->domain);

    g_message("Domain '%s' ends with its client, %s", domain_name(domain), name);
    domain_destroy(domain, 0, destroyed, domain);
}

static void
ended(gpointer data, const GError *error)
{
    Bound *bound = data;

    g_bus_unwatch_name(bound->watch);
    domain_unref(bound->domain);
    g_free(bound);
}

void
dbus_bind(gpointer invocation, Domain *domain)
{
    Bound *bound;

    if (!domain_is_active(domain)) /* which was quick */
        return;
    bound = g_new(Bound, 1);
    bound->domain = domain_ref(domain);
    bound->watch = g_bus_watch_name_on_connection(
        g_dbus_method_invocation_get_connection(invocation),
        g_dbus_method_invocation_get_sender(invocation), G_BUS_NAME_WATCHER_FLAGS_NONE, NULL,
        client_gone, bound, NULL);
    domain_wait_end(domain, ended, bound);
}
