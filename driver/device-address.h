/* device-address: <address type='pci'>: a device's place in the guest's PCI Express hierarchy.
 *
 * A kind whose devices have one reads and writes it here, as it does with the alias; where the document
 * gives none, pci-layout does.
 */
#pragma once

#include "driver/device.h"

/* An address whose domain, bus and slot are all zero is none, as in libvirt. */
gboolean device_parse_address(Device *dev, const struct _xmlNode *node, GError **error);
void device_format_address(const Device *dev, struct XmlWriter *out);
/* Of two that are known: the same slot, and the same function of it. */
gboolean device_same_slot(const Device *one, const Device *other);
gboolean device_same_address(const Device *one, const Device *other);
/* The keys "bus", "slot" and "function" of an "add-device". */
void device_describe_address(const Device *dev, struct VmmMsg *msg);
