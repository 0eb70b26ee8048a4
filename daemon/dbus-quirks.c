#include "daemon/dbus-quirks.h"

/* The last dictionary and what became of it: a list of thousands mostly has one and the same in it, again and again. */
typedef struct Last {
    GVariant *plain, *wrapped; /* held; NULL: there was none yet */
} Last;

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

static void
last_clear(Last *last)
{
    g_clear_pointer(&last->plain, g_variant_unref);
    g_clear_pointer(&last->wrapped, g_variant_unref);
}

static GVariant *
wrap_dictionary_once(GVariant *dictionary, Last *last)
{
    if (dictionary != last->plain) {
        last_clear(last);
        last->plain = g_variant_ref(dictionary);
        last->wrapped = g_variant_ref_sink(wrap_dictionary(dictionary));
    }
    return g_variant_ref(last->wrapped);
}

/* Anything else that may have one inside: tuples, and arrays of tuples or of dictionaries. */
static gboolean
may_contain(const GVariantType *type)
{
    while (g_variant_type_is_array(type))
        type = g_variant_type_element(type);
    return g_variant_type_is_tuple(type) || g_variant_type_equal(type, G_VARIANT_TYPE("{sv}"));
}

static GVariant *wrap(GVariant *value, Last *last);

/* @container is a tuple or an array; floating. */
static GVariant *
wrap_children(GVariant *container, Last *last)
{
    const GVariantType *type = g_variant_get_type(container);
    g_autoptr(GPtrArray) wrapped = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
    gsize n = g_variant_n_children(container);

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(container, i);

        g_ptr_array_add(wrapped, wrap(child, last));
    }
    if (g_variant_type_is_tuple(type))
        return g_variant_new_tuple((GVariant *const *)wrapped->pdata, n);
    return g_variant_new_array(g_variant_type_element(type), (GVariant *const *)wrapped->pdata, n);
}

/* The caller's, and not floating. */
static GVariant *
wrap(GVariant *value, Last *last)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARDICT))
        return wrap_dictionary_once(value, last);
    if (!may_contain(g_variant_get_type(value)))
        return g_variant_ref(value);
    return g_variant_ref_sink(wrap_children(value, last));
}

GVariant *
dbus_quirks_wrap(GVariant *value)
{
    Last last = { 0 };
    GVariant *wrapped = wrap_children(value, &last);

    last_clear(&last);
    return wrapped;
}
