/* hugepages: the host's pools of pages larger than usual (Linux, admin-guide/mm/hugetlbpage.rst). */
#pragma once

#include <glib.h>

/* A file in memory of @kib-sized pages, of the host's usual huge ones where @kib is 0, of which there should be
 * enough for @bytes. -1 with @error where the host has none of that size, or too few. */
int hugepages_open(guint64 kib, guint64 bytes, GError **error);
