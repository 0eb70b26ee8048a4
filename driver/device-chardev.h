/* device-chardev: <serial> and <console>: a port of the guest, and the pty or file behind it.
 *
 * The first console of an x86 guest is its first serial port under another name: it shares the
 * port's source and alias, is written back where the document has only one of the two, and lowers
 * to nothing. Consoles on virtio are ports of a virtio-serial controller.
 */
#pragma once

#include "driver/device.h"

#define CHARDEV_SERIAL_PORTS 4 /* COM1 to COM4 */

extern const DeviceKind device_serial;
extern const DeviceKind device_console;

/* Whether @dev is one of the two, or a channel. */
gboolean device_is_chardev(const Device *dev);
/* The slave's path of a live device's pty, such as "/dev/pts/3"; NULL where it is none or not open.
 */
const char *device_chardev_pty(const Device *dev);
