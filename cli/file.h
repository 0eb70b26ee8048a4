/* file: documents that the user hands over as files. */
#pragma once

#include <glib.h>

/* The whole of @path, UTF-8 without NUL bytes; NULL with CLI_ERROR. For g_free(). */
char *file_read_text(const char *path, GError **error);
