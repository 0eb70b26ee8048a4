#include "cli/facts.h"

#include "cli/connection.h"
#include "cli/output.h"
#include "cli/table.h"

typedef struct Fact {
    char *title; /* NULL: not for a person */
    char *text;
    GVariant *entry; /* {sv} */
} Fact;

struct Facts {
    GPtrArray *all; /* of Fact */
};

static void
fact_free(gpointer data)
{
    Fact *fact = data;

    g_free(fact->title);
    g_free(fact->text);
    g_variant_unref(fact->entry);
    g_free(fact);
}

Facts *
facts_new(void)
{
    Facts *facts = g_new0(Facts, 1);

    facts->all = g_ptr_array_new_with_free_func(fact_free);
    return facts;
}

void
facts_free(Facts *facts)
{
    if (!facts)
        return;
    g_ptr_array_unref(facts->all);
    g_free(facts);
}

void
facts_add(Facts *facts, const char *key, const char *title, const char *text, GVariant *value)
{
    Fact *fact = g_new0(Fact, 1);

    fact->title = g_strdup(title);
    fact->text = g_strdup(text);
    fact->entry = g_variant_new("{sv}", key, value ? value : g_variant_new_string(text));
    g_variant_ref_sink(fact->entry);
    g_ptr_array_add(facts->all, fact);
}

void
facts_add_boolean(Facts *facts, const char *key, const char *title, gboolean is)
{
    facts_add(facts, key, title, text_yes(is), g_variant_new_boolean(is));
}

void
facts_add_property(Facts *facts, const char *key, const char *title, GVariantDict *properties,
                   const char *property)
{
    g_autoptr(GVariant) text = variant_dict_unwrap(properties, property, "s");
    g_autoptr(GVariant) boolean = variant_dict_unwrap(properties, property, "b");

    if (text)
        facts_add(facts, key, title, g_variant_get_string(text, NULL), NULL);
    if (boolean)
        facts_add_boolean(facts, key, title, g_variant_get_boolean(boolean));
}

static GVariant *
object_of(const Facts *facts)
{
    GVariantBuilder object;

    g_variant_builder_init(&object, G_VARIANT_TYPE_VARDICT);
    for (guint i = 0; i < facts->all->len; i++)
        g_variant_builder_add_value(&object, ((const Fact *)facts->all->pdata[i])->entry);
    return g_variant_builder_end(&object);
}

void
facts_print(const Facts *facts, int width)
{
    if (output_is_json()) {
        output_json(object_of(facts));
        return;
    }
    for (guint i = 0; i < facts->all->len; i++) {
        const Fact *fact = facts->all->pdata[i];

        if (fact->title && width)
            output("%-*s %s\n", text_in(width, fact->title), fact->text);
        else if (fact->title)
            output("%s\n", fact->text);
    }
}

gboolean
facts_tell(const char *key, const char *text, GVariant *value)
{
    g_autoptr(Facts) facts = facts_new();

    facts_add(facts, key, "", text, value);
    facts_print(facts, 0);
    return TRUE;
}
