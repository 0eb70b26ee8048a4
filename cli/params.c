#include "cli/params.h"

#include "cli/connection.h"
#include "cli/output.h"

char *
params_text(const char *key, GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return g_variant_dup_string(value, NULL);
    return g_variant_print(value, FALSE);
}

void
params_print(GVariant *params, char *(*text)(const char *key, GVariant *value))
{
    GVariantIter iter;
    const char *key;
    GVariant *wrapped;

    g_variant_iter_init(&iter, params);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &wrapped)) {
        g_autoptr(GVariant) value = variant_unwrap(wrapped);
        g_autofree char *words = text(key, value);

        output("%-15s: %s\n", key, words);
    }
}
