/* device-xml: the document of a single device, with which one is attached, detached or updated.
 */
#pragma once

#include "driver/device.h"

/* NULL with an error. The device has what the document says and no more; whether that can be honoured has
 * not been looked at. @live: the document means a running guest's device, by any alias that it may have. */
Device *device_xml_parse(const char *xml, gboolean live, GError **error);
