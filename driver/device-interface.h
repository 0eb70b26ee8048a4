/* device-interface: <interface>: a virtio network card on a tap of the host, which may be a port of a
 * bridge, or on what the user who runs it has of a network.
 */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_interface;

/* Its address: six bytes, and as a text, for g_free(). */
const guint8 *device_interface_mac(const Device *dev);
char *device_interface_mac_text(const Device *dev);
/* What statistics call it: the name of its tap, or its alias where it has none. */
const char *device_interface_name(const Device *dev);
/* The one of this MAC address, or on this tap; NULL: none. */
Device *device_interface_lookup(const GPtrArray *devices, const char *name);
/* The network of libvirt's that it is in; NULL: none. */
const char *device_interface_network(const Device *dev);
struct Bandwidth *device_interface_bandwidth(Device *dev);
/* Whether a network may keep a floor for it. */
gboolean device_interface_may_floor(const Device *dev);
/* The host's tap behind a live one; NULL: it has none. */
const char *device_interface_tap(const Device *dev);
