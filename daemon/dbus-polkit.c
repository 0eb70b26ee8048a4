#include "daemon/dbus-polkit.h"

#define NAME      "org.freedesktop.PolicyKit1"
#define PATH      "/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE "org.freedesktop.PolicyKit1.Authority"

#define ALLOW_USER_INTERACTION 1u
#define DISMISSED_DETAIL       "polkit.dismissed"

typedef struct Question {
    PolkitDone done;
    gpointer data;
} Question;

static PolkitAnswer
read_answer(GVariant *reply)
{
    g_autoptr(GVariant) details = NULL;
    gboolean authorized, challenge;

    g_variant_get(reply, "((bb@a{ss}))", &authorized, &challenge, &details);
    if (authorized)
        return POLKIT_YES;
    if (g_variant_lookup(details, DISMISSED_DETAIL, "&s", NULL))
        return POLKIT_DISMISSED;
    return challenge ? POLKIT_CHALLENGE : POLKIT_NO;
}

static gboolean
is_absent(const GError *error)
{
    return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
           g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

static void
answered(GObject *bus, GAsyncResult *result, gpointer data)
{
    Question *question = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);
    PolkitAnswer answer = POLKIT_BROKEN;

    if (reply)
        answer = read_answer(reply);
    else if (is_absent(error))
        answer = POLKIT_ABSENT;
    question->done(answer, error, question->data);
    g_free(question);
}

void
polkit_check(GDBusConnection *bus, const char *sender, const char *action, GVariant *details,
             gboolean interactive, PolkitDone done, gpointer data)
{
    Question *question = g_new0(Question, 1);
    GVariantBuilder subject;

    *question = (Question){ done, data };
    g_variant_builder_init(&subject, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&subject, "{sv}", "name", g_variant_new_string(sender));
    g_dbus_connection_call(bus, NAME, PATH, INTERFACE, "CheckAuthorization",
                           g_variant_new("((sa{sv})s@a{ss}us)", "system-bus-name", &subject, action,
                                         details, interactive ? ALLOW_USER_INTERACTION : 0, ""),
                           G_VARIANT_TYPE("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE,
                           interactive ? G_MAXINT : -1, NULL, answered, question);
}
