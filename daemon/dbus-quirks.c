#include "daemon/dbus-quirks.h"

gboolean
dbus_quirks_apply(const char *interface)
{
    return g_str_has_prefix(interface, "org.libvirt.");
}

static GVariant *
wrap_dictionary(GVariant *dictionary)
{
    GVariantBuilder wrapped;
    GVariantIter values;
    const char *key;
    GVariant *value;

    g_variant_builder_init(&wrapped, G_VARIANT_TYPE_VARDICT);
    g_variant_iter_init(&values, dictionary);
    while (g_variant_iter_loop(&values, "{&sv}", &key, &value))
        g_variant_builder_add(&wrapped, "{sv}", key, g_variant_new_variant(value));
    return g_variant_builder_end(&wrapped);
}

/* Anything else that may have one inside: tuples, and arrays of tuples or of dictionaries. */
static gboolean
may_contain(const GVariantType *type)
{
    while (g_variant_type_is_array(type))
        type = g_variant_type_element(type);
    return g_variant_type_is_tuple(type) || g_variant_type_equal(type, G_VARIANT_TYPE("{sv}"));
}

GVariant *
dbus_quirks_wrap(GVariant *value)
{
    GVariantBuilder wrapped;
    GVariantIter children;
    GVariant *child;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT))
        return wrap_dictionary(value);
    if (!may_contain(g_variant_get_type(value)))
        return g_variant_ref(value);
    g_variant_builder_init(&wrapped, g_variant_get_type(value));
    g_variant_iter_init(&children, value);
    while ((child = g_variant_iter_next_value(&children))) {
        g_autoptr(GVariant) done = g_variant_take_ref(dbus_quirks_wrap(child));

        g_variant_builder_add_value(&wrapped, done);
        g_variant_unref(child);
    }
    return g_variant_builder_end(&wrapped);
}
