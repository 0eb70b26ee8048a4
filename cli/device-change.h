/* device-change: the document of one device, changed here and there and otherwise left as it stands, blanks and all, and
 * written as libxml2 writes it, which is what virsh prints. For g_free(). */
#pragma once

#include <glib.h>

/* As it is. */
char *device_text(const char *xml);
/* A drive with that medium, a block device where @block, or without any where @source is NULL. */
char *device_with_medium(const char *xml, const char *source, gboolean block);
/* A network interface whose cable is "up" or "down". */
char *device_with_link(const char *xml, const char *state);
