/* dbus-path: the object paths of domains and of the host's objects, as libvirt-dbus makes them:
 * <root>/domain/_<uuid with _ for ->, network and storagepool likewise, interface/<MAC address> and nodedev/<name> with
 * _<two hexadecimal digits> for each byte that is no ASCII letter or digit, and so domainsnapshot/_<uuid>_<name>. */
#pragma once

#include "driver/domain.h"
#include "driver/host-objects.h"
#include "driver/snapshot.h"

/* The whole path, and its last part alone. Free with g_free(). */
char *dbus_path_of(const char *root, const Domain *domain);
char *dbus_path_node(const Domain *domain);
/* The uuid that @path below @root means, NULL for @root itself. The path may be any that a client
 * makes up: the result need not be a uuid. Free with g_free(). */
char *dbus_path_uuid(const char *root, const char *path);

/* The same of a domain's snapshots. */
char *dbus_path_of_snapshot(const char *root, const Domain *domain, const Snapshot *snapshot);
char *dbus_path_snapshot_node(const Domain *domain, const Snapshot *snapshot);
/* Whether @path is a snapshot's: the uuid of the domain that it means, and its name in @ret_name, both for g_free(); NULL
 * where not. */
char *dbus_path_snapshot_uuid(const char *root, const char *path, char **ret_name);

/* The same of the host's objects; "network" is what has those of the kind below it. */
extern const char *const dbus_path_kinds[N_HOST_KINDS];
char *dbus_path_of_host(const char *root, const HostObject *object);
char *dbus_path_host_node(const HostObject *object);
/* The key (host_kind_key()) that @path means, and in @ret its kind; NULL where it is none of the host's objects. */
char *dbus_path_host_key(const char *root, const char *path, HostKind *ret);
