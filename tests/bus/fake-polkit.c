#include "tests/bus/fake-polkit.h"

#define NAME "org.freedesktop.PolicyKit1"
#define PATH "/org/freedesktop/PolicyKit1/Authority"

static const char schema[] =
    "<node><interface name='org.freedesktop.PolicyKit1.Authority'>"
    "<method name='CheckAuthorization'><arg type='(sa{sv})' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='a{ss}' direction='in'/>"
    "<arg type='u' direction='in'/><arg type='s' direction='in'/>"
    "<arg type='(bba{ss})' direction='out'/></method></interface></node>";

struct FakePolkit {
    char *address;
    GMainContext *context;
    GMainLoop *loop;
    GThread *thread;
    GMutex lock; /* of all below */
    GCond ready;
    gboolean is_ready, challenge, dismissed, hold;
    char *allowed, *hidden, *refused;
    GString *asked;
    GQueue held; /* of GDBusMethodInvocation */
};

static gboolean
is_hidden(FakePolkit *polkit, GVariant *args, const char *action)
{
    g_autoptr(GVariant) details = g_variant_get_child_value(args, 2);
    const char *name = NULL;

    g_variant_lookup(details, "domain_name", "&s", &name);
    return (g_str_has_prefix(action, "org.libvirt.api.") && g_strcmp0(name, polkit->hidden) == 0) ||
           g_strcmp0(name, polkit->refused) == 0;
}

static gboolean
is_allowed(FakePolkit *polkit, GVariant *args)
{
    g_auto(GStrv) patterns = g_strsplit(polkit->allowed, " ", -1);
    const char *action;

    g_variant_get_child(args, 1, "&s", &action);
    if (is_hidden(polkit, args, action))
        return FALSE;
    for (char **pattern = patterns; *pattern; pattern++) {
        if (g_pattern_match_simple(*pattern, action))
            return TRUE;
    }
    return FALSE;
}

static void
answer(FakePolkit *polkit, GDBusMethodInvocation *invocation)
{
    GVariant *args = g_dbus_method_invocation_get_parameters(invocation);
    gboolean allowed = is_allowed(polkit, args);
    GVariantBuilder details;

    g_variant_builder_init(&details, G_VARIANT_TYPE("a{ss}"));
    if (polkit->dismissed)
        g_variant_builder_add(&details, "{ss}", "polkit.dismissed", "1");
    g_dbus_method_invocation_return_value(
        invocation, g_variant_new("((bba{ss}))", allowed, !allowed && polkit->challenge, &details));
}

static void
note(FakePolkit *polkit, GVariant *args)
{
    g_autoptr(GVariant) details = g_variant_get_child_value(args, 2);
    const char *action, *permission = "", *name = "";
    guint flags;

    g_variant_get_child(args, 1, "&s", &action);
    g_variant_get_child(args, 3, "u", &flags);
    g_variant_lookup(details, "permission", "&s", &permission);
    g_variant_lookup(details, "domain_name", "&s", &name);
    g_string_append_printf(polkit->asked, "%s %s '%s'%s\n", action, permission, name,
                           flags & 1 ? " interactive" : "");
}

static void
on_call(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
        const char *member, GVariant *args, GDBusMethodInvocation *invocation, gpointer data)
{
    FakePolkit *polkit = data;

    g_mutex_lock(&polkit->lock);
    note(polkit, args);
    if (polkit->hold)
        g_queue_push_tail(&polkit->held, invocation);
    else
        answer(polkit, invocation);
    g_mutex_unlock(&polkit->lock);
}

static gpointer
run(gpointer data)
{
    static const GDBusInterfaceVTable vtable = { .method_call = on_call };
    FakePolkit *polkit = data;
    g_autoptr(GDBusNodeInfo) node = g_dbus_node_info_new_for_xml(schema, NULL);
    g_autoptr(GDBusConnection) bus = NULL;
    g_autoptr(GVariant) reply = NULL;

    g_main_context_push_thread_default(polkit->context);
    bus = g_dbus_connection_new_for_address_sync(polkit->address,
                                                 G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                     G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                                 NULL, NULL, NULL);
    g_assert_nonnull(bus);
    g_dbus_connection_register_object(bus, PATH, node->interfaces[0], &vtable, polkit, NULL, NULL);
    reply = g_dbus_connection_call_sync(
        bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "RequestName",
        g_variant_new("(su)", NAME, 4), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
    g_assert_nonnull(reply);
    g_mutex_lock(&polkit->lock);
    polkit->is_ready = TRUE;
    g_cond_signal(&polkit->ready);
    g_mutex_unlock(&polkit->lock);
    g_main_loop_run(polkit->loop);
    g_dbus_connection_close_sync(bus, NULL, NULL);
    g_main_context_pop_thread_default(polkit->context);
    return NULL;
}

FakePolkit *
fake_polkit_new(const char *address)
{
    FakePolkit *polkit = g_new0(FakePolkit, 1);

    polkit->address = g_strdup(address);
    polkit->allowed = g_strdup("");
    polkit->hidden = g_strdup("");
    polkit->refused = g_strdup("");
    polkit->asked = g_string_new(NULL);
    polkit->context = g_main_context_new();
    polkit->loop = g_main_loop_new(polkit->context, FALSE);
    g_mutex_init(&polkit->lock);
    g_cond_init(&polkit->ready);
    polkit->thread = g_thread_new("polkit", run, polkit);
    g_mutex_lock(&polkit->lock);
    while (!polkit->is_ready)
        g_cond_wait(&polkit->ready, &polkit->lock);
    g_mutex_unlock(&polkit->lock);
    return polkit;
}

void
fake_polkit_free(FakePolkit *polkit)
{
    fake_polkit_hold(polkit, FALSE);
    g_main_loop_quit(polkit->loop);
    g_thread_join(polkit->thread);
    g_main_loop_unref(polkit->loop);
    g_main_context_unref(polkit->context);
    g_mutex_clear(&polkit->lock);
    g_cond_clear(&polkit->ready);
    g_string_free(polkit->asked, TRUE);
    g_free(polkit->allowed);
    g_free(polkit->hidden);
    g_free(polkit->refused);
    g_free(polkit->address);
    g_free(polkit);
}

static void
set_text(FakePolkit *polkit, char **text, const char *to)
{
    g_mutex_lock(&polkit->lock);
    g_free(*text);
    *text = g_strdup(to);
    g_mutex_unlock(&polkit->lock);
}

void
fake_polkit_allow(FakePolkit *polkit, const char *actions)
{
    set_text(polkit, &polkit->allowed, actions);
}

void
fake_polkit_hide(FakePolkit *polkit, const char *name)
{
    set_text(polkit, &polkit->hidden, name);
}

void
fake_polkit_refuse(FakePolkit *polkit, const char *name)
{
    set_text(polkit, &polkit->refused, name);
}

void
fake_polkit_set_challenge(FakePolkit *polkit, gboolean challenge)
{
    g_mutex_lock(&polkit->lock);
    polkit->challenge = challenge;
    g_mutex_unlock(&polkit->lock);
}

void
fake_polkit_set_dismissed(FakePolkit *polkit, gboolean dismissed)
{
    g_mutex_lock(&polkit->lock);
    polkit->dismissed = dismissed;
    g_mutex_unlock(&polkit->lock);
}

void
fake_polkit_hold(FakePolkit *polkit, gboolean hold)
{
    GDBusMethodInvocation *invocation;

    g_mutex_lock(&polkit->lock);
    polkit->hold = hold;
    while (!hold && (invocation = g_queue_pop_head(&polkit->held)))
        answer(polkit, invocation);
    g_mutex_unlock(&polkit->lock);
}

char *
fake_polkit_asked(FakePolkit *polkit)
{
    char *asked;

    g_mutex_lock(&polkit->lock);
    asked = g_strdup(polkit->asked->str);
    g_string_truncate(polkit->asked, 0);
    g_mutex_unlock(&polkit->lock);
    return asked;
}
