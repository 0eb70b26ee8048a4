/* connection: the daemon's bus name, seen as calls. Every call waits for its answer.
 *
 * A URI names a bus and an object: qemu:///system is /org/libvirt/QEMU on the system bus, qemu:///session
 * the same on the user's own bus. test:///default is /org/libvirt/Test of what serves the user's bus already, be
 * it vmctld or libvirt-dbus; where there is none, of a vmctld of this process alone, which ends with it.
 */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#define BUS_NAME          "org.libvirt"
#define CONNECT_INTERFACE "org.libvirt.Connect"
#define DOMAIN_INTERFACE  "org.libvirt.Domain"
/* What libvirt-dbus has no method for. */
#define VMCTL_CONNECT_INTERFACE "org.vmctl.Connect"
#define VMCTL_DOMAIN_INTERFACE  "org.vmctl.Domain"

typedef struct Connection Connection;

/* The URI for a user who named none: from VMCTL_DEFAULT_CONNECT_URI, then libvirt's variables, then by user. */
const char *connection_default_uri(void);
/* Opens @uri and makes sure that a daemon answers there. NULL with CLI_ERROR_CONNECTION and a text that
 * says what is wrong and what to do next. */
Connection *connection_open(const char *uri, GError **error);
void connection_free(Connection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Connection, connection_free)

/* Whether a daemon is at @uri already; a look does not start one. */
gboolean connection_is_served(const char *uri);

const char *connection_uri(const Connection *connection);
/* "QEMU": the driver as virsh prints it. */
const char *connection_driver(const Connection *connection);
/* The path of the object that stands for the hypervisor. */
const char *connection_root(const Connection *connection);
/* The daemon's name on the bus; NULL for the one of this process alone, which is on none. */
const char *connection_name(const Connection *connection);
GDBusConnection *connection_bus(const Connection *connection);

/* Calls @interface.@method of @path; @parameters (floating, or NULL) are consumed. The reply has the type
 * @reply_type, a tuple; NULL with the daemon's own error otherwise. */
GVariant *connection_call(Connection *connection, const char *path, const char *interface,
                          const char *method, GVariant *parameters, const char *reply_type,
                          GError **error);
/* For a method that answers (h): the descriptor, the caller's to close; -1 on failure. */
int connection_call_for_fd(Connection *connection, const char *path, const char *interface,
                           const char *method, GVariant *parameters, GError **error);

/* A property, without the variants around it; NULL with an error, also when its type is not @type. */
GVariant *connection_get(Connection *connection, const char *path, const char *interface,
                         const char *property, const char *type, GError **error);
gboolean connection_set(Connection *connection, const char *path, const char *interface,
                        const char *property, GVariant *value, GError **error);
/* All properties of an interface. */
GVariantDict *connection_get_all(Connection *connection, const char *path, const char *interface,
                                 GError **error);

/* One call of many objects at one time, in the order of @paths, which NULL ends: none waits for the answer to another.
 * @parameters (NULL: none) are consumed. NULL for an object that gives no such reply; free the array, and what is in
 * it, with replies_free(). */
GVariant **connection_call_each(Connection *connection, const char *const *paths,
                                const char *interface, const char *method, GVariant *parameters,
                                const char *reply_type);
/* All properties of each, as replies of the type (a{sv}). */
GVariant **connection_get_all_of(Connection *connection, const char *const *paths,
                                 const char *interface);
void replies_free(GVariant **replies, gsize n);

/* libvirt-dbus wraps dictionary values in a variant of their own: the value inside all of them. */
GVariant *variant_unwrap(GVariant *value);
/* The entry @key of a dictionary of such values, where it has the type @type; else NULL. */
GVariant *variant_dict_unwrap(GVariantDict *dict, const char *key, const char *type);

/* The daemon does not know that method: it is another than vmctld, or an older one. */
gboolean error_is_unknown_method(const GError *error);
