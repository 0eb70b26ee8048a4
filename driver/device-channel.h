/* device-channel: <channel>: a byte stream with a name between the guest and the host, such as the
 * guest agent's: a port of a virtio-serial controller.
 */
#pragma once

#include "driver/device.h"

#define CHANNEL_AGENT "org.qemu.guest_agent.0"

extern const DeviceKind device_channel;

/* Its name; NULL: it has none. */
const char *device_channel_name(const Device *dev);
/* The path of a live one's socket, at which the VMM listens; NULL: it has none. */
const char *device_channel_socket(const Device *dev);
gboolean device_channel_is_open(const Device *dev);
/* Whether the guest has it open, as the live document shows; FALSE where that is no news. */
gboolean device_channel_set_open(Device *dev, gboolean open);
/* The live channel at port @port of the controller with the alias @controller, or NULL. */
Device *device_channel_at(const GPtrArray *devices, const char *controller, guint64 port);
