/* device-address: where a device is on its bus, as a word of virsh's: "pci:0000.01.02.3", "scsi:0.0.1", "ccw:0xfe.0.0000". */
#pragma once

#include <glib.h>

/* The element <address> of a disk that the domain calls @target, whose name says which buses it can be on, on a line of
 * its own; @multifunction is for PCI. NULL with @error, in virsh's words. */
char *device_address_of_disk(const char *text, const char *target, gboolean multifunction,
                             GError **error);
/* That of a PCI device of the host, "0000:01:02.3", two blanks further in; NULL: it is none. */
char *device_address_of_host(const char *text);
