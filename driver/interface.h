/* interface: what an <interface> says, for the files that make up its kind: device-interface.c reads and writes it, and
 * tells whether it can be honoured, interface-open.c opens what is behind it, interface-change.c finds and changes one.
 */
#pragma once

#include "driver/bandwidth.h"
#include "driver/device.h"

#define MAC_SIZE   6
#define QUEUES_MAX 15 /* pairs that a card has */

typedef enum InterfaceType {
    INTERFACE_ETHERNET, /* a tap by itself */
    INTERFACE_BRIDGE,   /* a tap that is a port of a bridge */
    INTERFACE_USER,     /* what the user who runs it has of a network: passt */
    INTERFACE_NETWORK, /* a network of libvirt's: a definition may name one, and there is none to start with */
} InterfaceType;

typedef struct Interface {
    Device dev;
    int type;
    gboolean has_mac;
    guint8 mac[MAC_SIZE];
    char *bridge;  /* of INTERFACE_BRIDGE */
    char *network; /* of INTERFACE_NETWORK */
    gboolean model_said;
    char *target; /* the tap's name as the document has it; NULL: any */
    char *opened; /* a live one's that was given out */
    int managed;  /* of switch_words, or -1: not said */
    int driver;   /* of driver_words, or -1 */
    guint queues; /* 0: not said */
    int link;     /* of link_words, or -1 */
    guint mtu;    /* bytes; 0: not said */
    int backend;  /* of INTERFACE_USER, of backend_words, or -1 */
    Bandwidth bandwidth;
} Interface;

/* A MAC address as libvirt reads it: one or two digits a byte. */
gboolean interface_scan_mac(const char *text, guint8 *ret);

/* Members of the kind, see device.h. */
gboolean interface_lower(Device *dev, const DeviceLowering *to, GError **error);
Device *interface_find(const GPtrArray *devices, const Device *wanted, gboolean config,
                       GError **error);
gboolean interface_update(Device *dev, const Device *wanted, const DeviceLowering *to,
                          struct VmmMsg *tell, GError **error);
void interface_take_back(const Device *dev, const Device *was);
