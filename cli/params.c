#include "cli/params.h"

#include "cli/connection.h"
#include "cli/facts.h"
#include "cli/output.h"

#include <string.h>

char *
params_text(const char *key, GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return g_variant_dup_string(value, NULL);
    return g_variant_print(value, FALSE);
}

/* Libvirt's names have underscores, keys have hyphens. */
static void
add_value(Facts *facts, const char *name, GVariant *value, const char *words)
{
    g_autofree char *key = g_strdelimit(g_strdup(name), "_", '-');
    g_autofree char *plain = params_text(name, value);

    if (strcmp(words, plain) == 0)
        facts_add(facts, key, NULL, NULL, value);
    else if (strcmp(words, "unlimited") == 0)
        facts_add(facts, key, NULL, NULL, g_variant_new("ms", NULL));
    else
        facts_add(facts, key, NULL, words, NULL);
}

void
params_print(GVariant *params, char *(*text)(const char *key, GVariant *value))
{
    GVariantIter iter;
    const char *key;
    GVariant *wrapped;
    g_autoptr(Facts) facts = facts_new();

    g_variant_iter_init(&iter, params);
    while (g_variant_iter_loop(&iter, "{&sv}", &key, &wrapped)) {
        g_autoptr(GVariant) value = variant_unwrap(wrapped);
        g_autofree char *words = text(key, value);

        if (output_is_json())
            add_value(facts, key, value, words);
        else
            output("%-15s: %s\n", key, words);
    }
    if (output_is_json())
        facts_print(facts, 0);
}
