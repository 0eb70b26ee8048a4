#include "daemon/dbus-answer.h"

#include "daemon/dbus-quirks.h"

#include <gio/gunixfdlist.h>

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

void
dbus_reply(gpointer data, GVariant *result, int fd)
{
    g_autoptr(GUnixFDList) fds = fd >= 0 ? g_unix_fd_list_new_from_array(&fd, 1) : NULL;
    const char *interface = g_dbus_method_invocation_get_interface_name(data);

    if (dbus_quirks_apply(interface))
        result = dbus_quirks_wrap(result);
    g_dbus_method_invocation_return_value_with_unix_fd_list(data, result, fds);
}
