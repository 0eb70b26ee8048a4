/* firmware: the images that a guest without a kernel of its own boots, where distributions have them. */
#pragma once

#include <glib.h>

/* The path of a BIOS, or NULL with an error. A constant text. */
const char *firmware_find_bios(GError **error);
