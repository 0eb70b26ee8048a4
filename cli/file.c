#include "cli/file.h"

#include "cli/output.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#define FILE_MAX_BYTES (10 * 1024 * 1024) /* libvirt's own limit for a document */

/* Pipes and /dev/stdin have no length, so it is read until it ends. */
static gboolean
read_all(FILE *file, GString *text)
{
    char bytes[16384];
    size_t n;

    while ((n = fread(bytes, 1, sizeof bytes, file)) > 0) {
        g_string_append_len(text, bytes, (gssize)n);
        if (text->len > FILE_MAX_BYTES) {
            errno = EFBIG;
            return FALSE;
        }
    }
    return !ferror(file);
}

char *
file_read_text(const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    FILE *file = fopen(path, "re");

    if (!file) {
        cli_fail(error, _("Failed to open file '%s': %s"), path, g_strerror(errno));
        return NULL;
    }
    if (!read_all(file, text)) {
        cli_fail(error, _("Failed to read file '%s': %s"), path, g_strerror(errno));
        fclose(file);
        return NULL;
    }
    fclose(file);
    /* The bus carries nothing else; libxml2 would say the same of most other documents. */
    if (!g_utf8_validate_len(text->str, text->len, NULL)) {
        cli_fail(error, _("the file '%s' is not UTF-8 text"), path);
        return NULL;
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}
