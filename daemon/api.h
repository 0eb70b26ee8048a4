/* api: what the daemon offers, as tables of methods and properties on plain values.
 *
 * Nothing here knows the bus. An interface's rows are in api-<object>.c; their signatures are those
 * of schemas/<interface>.xml, and each member of the XML has its row (tests/bus/test-api checks
 * both ways).
 */
#pragma once

#include "daemon/call.h"

/* A property of an object. Getting returns a floating value, or NULL with @error. */
typedef struct Property {
    const char *name;
    GVariant *(*get)(const ApiObject *object, GError **error);
    gboolean (*set)(const ApiObject *object, GVariant *value, GError **error); /* NULL: read-only */
} Property;

typedef struct Interface {
    const char *name;
    const Method *methods;      /* ends with a row without a name */
    const Property *properties; /* the same; NULL: none */
} Interface;

extern const Interface api_connect;       /* org.libvirt.Connect */
extern const Interface api_domain;        /* org.libvirt.Domain */
extern const Interface api_domain_snapshot; /* org.libvirt.DomainSnapshot */
extern const Interface api_network;       /* org.libvirt.Network */
extern const Interface api_storage_pool;  /* org.libvirt.StoragePool */
extern const Interface api_interface;     /* org.libvirt.Interface */
extern const Interface api_node_device;   /* org.libvirt.NodeDevice */
extern const Interface api_vmctl_connect; /* org.vmctl.Connect */
extern const Interface api_vmctl_domain;  /* org.vmctl.Domain */

/* All of them; NULL ends it. */
extern const Interface *const api_interfaces[];

/* By name, or NULL. */
const Interface *api_find(const char *interface);
const Method *interface_find_method(const Interface *interface, const char *member);
const Property *interface_find_property(const Interface *interface, const char *name);
