#include "daemon/dbus-answer.h"

#include "daemon/dbus-quirks.h"

#include <gio/gunixfdlist.h>
#include <malloc.h>

/* The one name that libvirt-dbus has; the text tells more. */
#define ERROR_NAME "org.libvirt.Error"

void
dbus_fail(gpointer data, const GError *error)
{
    /* A message with a path of the host in it need not be UTF-8, and the bus would hang up on us.
     */
    g_autofree char *text = g_utf8_make_valid(error->message, -1);

    g_dbus_method_invocation_return_dbus_error(data, ERROR_NAME, text);
}

#define LARGE        1000 /* records */
#define GIVE_BACK_MS 1000 /* after the last one: somebody may ask again and again */

static guint giving_back;

static gboolean
give_back(gpointer unused)
{
    giving_back = 0;
    malloc_trim(0);
    return G_SOURCE_REMOVE;
}

/* A list of thousands of domains takes megabytes in small pieces on its way out, and the C library keeps them. */
static void
give_back_later(GVariant *result)
{
    g_autoptr(GVariant) records = NULL;

    if (g_variant_n_children(result) == 1)
        records = g_variant_get_child_value(result, 0);
    if (!records || !g_variant_is_container(records) || g_variant_n_children(records) < LARGE)
        return;
    g_clear_handle_id(&giving_back, g_source_remove);
    giving_back = g_timeout_add(GIVE_BACK_MS, give_back, NULL);
}

void
dbus_reply(gpointer data, GVariant *result, int fd)
{
    g_autoptr(GUnixFDList) fds = fd >= 0 ? g_unix_fd_list_new_from_array(&fd, 1) : NULL;
    const char *interface = g_dbus_method_invocation_get_interface_name(data);

    if (dbus_quirks_apply(interface))
        result = dbus_quirks_wrap(result);
    give_back_later(result);
    g_dbus_method_invocation_return_value_with_unix_fd_list(data, result, fds);
}
