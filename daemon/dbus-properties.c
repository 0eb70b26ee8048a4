#include "daemon/dbus-properties.h"

#include "daemon/dbus-answer.h"
#include "daemon/dbus-quirks.h"

static void
get(const Interface *interface, const ApiObject *object, GVariant *args,
    GDBusMethodInvocation *invocation)
{
    g_autoptr(GError) error = NULL;
    const char *name;
    GVariant *value;

    g_variant_get(args, "(&s&s)", NULL, &name);
    value = interface_find_property(interface, name)->get(object, &error);
    if (value)
        g_dbus_method_invocation_return_value(invocation, g_variant_new("(v)", value));
    else
        dbus_fail(invocation, error);
}

/* A property that cannot be had is left out, as libvirt-dbus does, which goes so far that a domain
 * that is not there has none. */
static void
get_all(const Interface *interface, const ApiObject *object, GDBusMethodInvocation *invocation)
{
    g_autoptr(GVariant) result = NULL;
    GVariantBuilder values;

    g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
    for (const Property *row = interface->properties; object && row && row->name; row++) {
        GVariant *value = row->get(object, NULL);

        if (value)
            g_variant_builder_add(&values, "{sv}", row->name, value);
    }
    result = g_variant_ref_sink(g_variant_new("(a{sv})", &values));
    g_dbus_method_invocation_return_value(
        invocation, dbus_quirks_apply(interface->name) ? dbus_quirks_wrap(result) : result);
}

static void
set(const Interface *interface, const ApiObject *object, GVariant *args,
    GDBusMethodInvocation *invocation)
{
    g_autoptr(GVariant) value = NULL;
    g_autoptr(GError) error = NULL;
    const char *name;

    g_variant_get(args, "(&s&sv)", NULL, &name, &value);
    if (interface_find_property(interface, name)->set(object, value, &error))
        g_dbus_method_invocation_return_value(invocation, NULL);
    else
        dbus_fail(invocation, error);
}

void
dbus_properties_call(GDBusMethodInvocation *invocation, const ApiObject *object,
                     const GError *error)
{
    const char *member = g_dbus_method_invocation_get_method_name(invocation);
    GVariant *args = g_dbus_method_invocation_get_parameters(invocation);
    g_autoptr(GVariant) name = g_variant_get_child_value(args, 0);
    const Interface *interface = api_find(g_variant_get_string(name, NULL));

    if (g_str_equal(member, "GetAll"))
        get_all(interface, object, invocation);
    else if (!object)
        dbus_fail(invocation, error);
    else if (g_str_equal(member, "Get"))
        get(interface, object, args, invocation);
    else
        set(interface, object, args, invocation);
}
