/* host-facts: what a network, a storage pool, or an interface or a device of the host is. */
#pragma once

#include <glib.h>

typedef enum HostKind {
    HOST_NETWORK,
    HOST_POOL,
    HOST_INTERFACE,
    HOST_NODE_DEVICE,
    N_HOST_KINDS
} HostKind;

/* What one is. */
typedef struct HostFacts {
    HostKind kind;
    const char *name;
    const char *uuid;                /* of a network or a pool */
    const char *mac;                 /* of an interface */
    const char *parent;              /* of a device; NULL: it has none */
    const char *const *capabilities; /* of a device, NULL ends them */
    guint types; /* of a pool or a device: the bits of libvirt's filter by type or capability that it passes */
    const char *xml;
} HostFacts;
