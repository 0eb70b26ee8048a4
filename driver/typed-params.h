/* typed-params: libvirt's typed parameters, as a dictionary (a{sv}). */
#pragma once

#include <glib.h>

typedef struct TypedParam {
    const char *name;
    const GVariantType *type;
} TypedParam;

/* Refuses names that are not in @known (a row without a name ends it) and values of another type, in
 * libvirt's words. */
gboolean typed_params_check(GVariant *params, const TypedParam *known, GError **error);
/* Adds @params to a dictionary, under names that begin with @prefix. */
void typed_params_add(GVariantBuilder *out, const char *prefix, GVariant *params);
/* FALSE where it is not among @params, which were checked. @ret_text belongs to @params. */
gboolean typed_params_get_uint(GVariant *params, const char *name, guint *ret);
gboolean typed_params_get_uint64(GVariant *params, const char *name, guint64 *ret);
gboolean typed_params_get_int64(GVariant *params, const char *name, gint64 *ret);
gboolean typed_params_get_text(GVariant *params, const char *name, const char **ret_text);
