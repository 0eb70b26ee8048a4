#include "driver/ksm.h"

#include "driver/error.h"
#include "driver/typed-params.h"

#include <errno.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

#define NARROW   G_VARIANT_TYPE_UINT32
#define WIDE     G_VARIANT_TYPE_UINT64
#define N_PARAMS 8

/* The first ones can be set. */
#define N_WRITABLE 3
static const struct {
    const char *name, *file;
    const GVariantType *type;
} rows[N_PARAMS] = {
    { VIR_NODE_MEMORY_SHARED_PAGES_TO_SCAN, "pages_to_scan", NARROW },
    { VIR_NODE_MEMORY_SHARED_SLEEP_MILLISECS, "sleep_millisecs", NARROW },
    { VIR_NODE_MEMORY_SHARED_MERGE_ACROSS_NODES, "merge_across_nodes", NARROW },
    { VIR_NODE_MEMORY_SHARED_PAGES_SHARED, "pages_shared", WIDE },
    { VIR_NODE_MEMORY_SHARED_PAGES_SHARING, "pages_sharing", WIDE },
    { VIR_NODE_MEMORY_SHARED_PAGES_UNSHARED, "pages_unshared", WIDE },
    { VIR_NODE_MEMORY_SHARED_PAGES_VOLATILE, "pages_volatile", WIDE },
    { VIR_NODE_MEMORY_SHARED_FULL_SCANS, "full_scans", WIDE },
};

/* FALSE: the kernel has no such file, or something else in it. */
static gboolean
read_value(const char *dir, const char *file, guint64 *ret)
{
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) &&
           g_ascii_string_to_unsigned(g_strchomp(text), 10, 0, G_MAXUINT64, ret, NULL);
}

GVariant *
ksm_read(const char *dir, GError **error)
{
    GVariantBuilder params;
    guint64 value;
    guint n = 0;

    g_variant_builder_init(&params, G_VARIANT_TYPE_VARDICT);
    for (gsize i = 0; i < N_PARAMS; i++) {
        if (!read_value(dir, rows[i].file, &value))
            continue;
        g_variant_builder_add(&params, "{sv}", rows[i].name,
                              g_variant_type_equal(rows[i].type, NARROW)
                                  ? g_variant_new_uint32(value)
                                  : g_variant_new_uint64(value));
        n++;
    }
    if (n > 0)
        return g_variant_builder_end(&params);
    g_variant_builder_clear(&params);
    driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                 "this host does not merge equal pages: there is no '%s'", dir);
    return NULL;
}

static gboolean
write_value(const char *dir, gsize row, guint value, GError **error)
{
    g_autofree char *path = g_build_filename(dir, rows[row].file, NULL);
    g_autofree char *text = g_strdup_printf("%u", value);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    gboolean done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int why = errno;

    if (fd >= 0)
        close(fd);
    return done || driver_error_errno(error, why, "failed to set %s", rows[row].name);
}

gboolean
ksm_write(const char *dir, GVariant *params, GError **error)
{
    TypedParam known[N_WRITABLE + 1] = { 0 };
    guint value;

    for (gsize i = 0; i < N_WRITABLE; i++)
        known[i] = (TypedParam){ rows[i].name, rows[i].type };
    if (!typed_params_check(params, known, error))
        return FALSE;
    for (gsize i = 0; i < N_WRITABLE; i++) {
        if (typed_params_get_uint(params, rows[i].name, &value) &&
            !write_value(dir, i, value, error))
            return FALSE;
    }
    return TRUE;
}
