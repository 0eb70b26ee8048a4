/* uuid: a domain's unique name, as text. */
#pragma once

#include <glib.h>

#define UUID_SIZE 37 /* with the dashes and the NUL */

/* Reads 32 hexadecimal digits; as libvirt's does, it allows dashes and spaces between any two of their
 * pairs. @ret gets the usual form, in lower case. */
gboolean uuid_parse(const char *text, char ret[UUID_SIZE]);
