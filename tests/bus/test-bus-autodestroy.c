/* Guests that end when who started them leaves the bus. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>

#define AUTODESTROY g_variant_new("(u)", (guint)VIR_DOMAIN_START_AUTODESTROY)

typedef struct World {
    Fixture *fixture;
    GDBusConnection *other; /* a client that leaves */
    char *path;
} World;

static void
set_up(World *w, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    w->fixture = fixture_new();
    w->path = fixture_define(w->fixture, "web", "");
    w->other =
        g_dbus_connection_new_for_address_sync(w->fixture->address,
                                               G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                   G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                               NULL, NULL, &error);
    g_assert_no_error(error);
}

static void
tear_down(World *w, gconstpointer unused)
{
    g_clear_object(&w->other);
    g_free(w->path);
    fixture_free(w->fixture);
}

static void
other_does(World *w, const char *path, const char *interface, const char *member, GVariant *args)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_sync(w->other, BUS_NAME, path, interface, member, args, NULL,
                                    G_DBUS_CALL_FLAGS_NONE, FIXTURE_WAIT_S * 1000, NULL, &error);

    g_assert_no_error(error);
}

static void
other_leaves(World *w)
{
    g_assert_true(g_dbus_connection_close_sync(w->other, NULL, NULL));
}

static void
test_start(World *w, gconstpointer unused)
{
    g_autofree char *stays = fixture_define(w->fixture, "db", "");

    other_does(w, stays, DOMAIN, "Create", g_variant_new("(u)", 0));
    fixture_expect_events(w->fixture, "4,0 2,0");
    other_does(w, w->path, DOMAIN, "Create", AUTODESTROY);
    fixture_expect_events(w->fixture, "4,0 2,0");
    other_leaves(w);
    fixture_expect_events(w->fixture, "5,1");
    fixture_assert_state(w->fixture, w->path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED);
    fixture_assert_state(w->fixture, stays, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
}

static void
test_create(World *w, gconstpointer unused)
{
    g_autofree char *xml = fixture_xml(w->fixture, "passing", NULL, "");

    other_does(w, ROOT_PATH, CONNECT, "DomainCreateXML",
               g_variant_new("(su)", xml, (guint)VIR_DOMAIN_START_AUTODESTROY));
    fixture_expect_events(w->fixture, "4,0 2,0");
    g_assert_cmpuint(fixture_count_listed(w->fixture, 0), ==, 2);
    other_leaves(w);
    fixture_expect_events(w->fixture, "5,1");
    g_assert_cmpuint(fixture_count_listed(w->fixture, 0), ==, 1);
}

/* It was that guest alone, and not the domain's next one. */
static void
test_next(World *w, gconstpointer unused)
{
    other_does(w, w->path, DOMAIN, "Create", AUTODESTROY);
    fixture_do(w->fixture, w->path, "Destroy", g_variant_new("(u)", 0));
    fixture_do(w->fixture, w->path, "Create", g_variant_new("(u)", 0));
    fixture_expect_events(w->fixture, "4,0 2,0 5,1 4,0 2,0");
    other_leaves(w);
    fixture_let_time_pass();
    fixture_assert_state(w->fixture, w->path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
}

static void
test_refused(World *w, gconstpointer unused)
{
    fixture_do(w->fixture, w->path, "Create", g_variant_new("(u)", 0));
    fixture_call_fails(w->fixture, w->path, DOMAIN, "Create", AUTODESTROY, NULL,
                       "Requested operation is not valid: domain is already running");
    other_leaves(w);
    fixture_assert_state(w->fixture, w->path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
}

static void
add(const char *name, void (*test)(World *w, gconstpointer unused))
{
    g_test_add(name, World, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/bus/autodestroy/start", test_start);
    add("/bus/autodestroy/create", test_create);
    add("/bus/autodestroy/next", test_next);
    add("/bus/autodestroy/refused", test_refused);
    return g_test_run();
}
