/* pci-layout: gives every device of a definition its place in the PCI Express hierarchy.
 *
 * As libvirt does it for a q35: there is a root, whose bus 0 takes root ports (all functions of a slot
 * before the next slot); every other device is alone on the bus of a root port, where a guest can see
 * it come and go. Root ports are added as they are needed, and where the document left all of this
 * open, one more for a device that is plugged in later.
 *
 * A microvm's is flat, for each bridge takes a kernel's time: every device has a slot of bus 0, root ports are those of
 * the document, for what is plugged in later, and where nothing is on PCI there is no root either.
 *
 * What a document gives stays: a document that was written back has every place in it, so places never change again.
 */
#pragma once

#include "driver/device.h"

/* Again and again without harm. A device that finds no room is left without a place. */
void pci_layout_complete(GPtrArray *devices, gboolean flat);
/* Gives @dev, which is not in the list, a place on the bus of a root port that there is. */
gboolean pci_layout_plug(GPtrArray *devices, Device *dev, GError **error);
/* Whether every device has a place, fit for it and its own. */
gboolean pci_layout_check(const GPtrArray *devices, GError **error);
