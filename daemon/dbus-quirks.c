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

GVariant *
dbus_quirks_wrap(GVariant *value)
{
    GVariantBuilder wrapped;
    GVariantIter children;
    GVariant *child;

    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT))
        return wrap_dictionary(value);
    if (!g_variant_is_of_type(value, G_VARIANT_TYPE_TUPLE) &&
        !g_variant_is_of_type(value, G_VARIANT_TYPE("aa{sv}")) &&
        !g_variant_is_of_type(value, G_VARIANT_TYPE("ar")))
        return g_variant_new_variant(value);
    g_variant_builder_init(&wrapped, g_variant_get_type(value));
    g_variant_iter_init(&children, value);
    while ((child = g_variant_iter_next_value(&children))) {
        g_variant_builder_add_value(&wrapped, dbus_quirks_wrap(child));
        g_variant_unref(child);
    }
    return g_variant_builder_end(&wrapped);
}
