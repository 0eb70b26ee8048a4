#include "driver/typed-params.h"

#include "driver/error.h"

#include <string.h>

/* libvirt's names of the types. */
static const struct {
    const char *type, *name;
} type_names[] = {
    { "i", "int" },    { "u", "uint" },    { "x", "llong" },  { "t", "ullong" },
    { "d", "double" }, { "b", "boolean" }, { "s", "string" },
};

static const char *
type_name(const GVariantType *type)
{
    for (gsize i = 0; i < G_N_ELEMENTS(type_names); i++) {
        if (g_variant_type_equal(type, G_VARIANT_TYPE(type_names[i].type)))
            return type_names[i].name;
    }
    return "unknown";
}

static const TypedParam *
find(const TypedParam *known, const char *name)
{
    for (; known->name; known++) {
        if (strcmp(known->name, name) == 0)
            return known;
    }
    return NULL;
}

static gboolean
check_one(const TypedParam *known, const char *name, GVariant *value, GError **error)
{
    const TypedParam *param = find(known, name);

    if (!param)
        return driver_error(error, VIR_ERR_ARGUMENT_UNSUPPORTED, "parameter '%s' not supported",
                            name);
    return g_variant_is_of_type(value, param->type) ||
           driver_error(error, VIR_ERR_INVALID_ARG,
                        "invalid type '%s' for parameter '%s', expected '%s'",
                        type_name(g_variant_get_type(value)), name, type_name(param->type));
}

gboolean
typed_params_check(GVariant *params, const TypedParam *known, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_iter_init(&iter, params);
    while (g_variant_iter_next(&iter, "{&sv}", &name, &value)) {
        g_autoptr(GVariant) held = value;

        if (!check_one(known, name, held, error))
            return FALSE;
        if (!g_hash_table_add(seen, (gpointer)name))
            return driver_error(error, VIR_ERR_INVALID_ARG, "parameter '%s' occurs multiple times",
                                name);
    }
    return TRUE;
}

void
typed_params_add(GVariantBuilder *out, const char *prefix, GVariant *params)
{
    GVariantIter iter;
    const char *name;
    GVariant *value;

    g_variant_iter_init(&iter, params);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
        g_autofree char *full = g_strconcat(prefix, name, NULL);

        g_variant_builder_add(out, "{sv}", full, value);
    }
}

gboolean
typed_params_get_uint(GVariant *params, const char *name, guint *ret)
{
    return g_variant_lookup(params, name, "u", ret);
}

gboolean
typed_params_get_uint64(GVariant *params, const char *name, guint64 *ret)
{
    return g_variant_lookup(params, name, "t", ret);
}

gboolean
typed_params_get_int64(GVariant *params, const char *name, gint64 *ret)
{
    return g_variant_lookup(params, name, "x", ret);
}

gboolean
typed_params_get_text(GVariant *params, const char *name, const char **ret_text)
{
    return g_variant_lookup(params, name, "&s", ret_text);
}
