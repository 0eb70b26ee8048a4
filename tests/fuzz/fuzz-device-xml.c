/* Fuzz target: the document of a device, from anybody, that is attached to a definition: a first byte of '1' says that it
 * means a running guest's. A definition with it that passes comes back the same, and its own text means the device. */
#include "driver/device-xml.h"
#include "driver/domain-xml.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static DomainDef *
new_domain(void)
{
    static DomainDef *def;

    if (!def)
        def = domain_xml_parse("<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type></os>"
                               "<uuid>00000000-0000-4000-8000-000000000001</uuid></domain>",
                               NULL);
    g_assert_nonnull(def);
    return domain_def_copy(def);
}

static void
check_round_trip(const DomainDef *def)
{
    g_autofree char *first = domain_xml_format(def, -1, DOMAIN_FORMAT_SECURE), *second = NULL;
    g_autoptr(DomainDef) again = domain_xml_parse(first, NULL);

    g_assert_nonnull(again);
    second = domain_xml_format(again, -1, DOMAIN_FORMAT_SECURE);
    g_assert_cmpstr(first, ==, second);
}

static void
attach(const Device *dev)
{
    g_autoptr(DomainDef) def = new_domain();
    g_autoptr(GError) error = NULL;

    if (dev->kind->may_attach && !dev->kind->may_attach(def->devices, dev, TRUE, &error))
        return;
    g_ptr_array_add(def->devices, device_copy(dev));
    domain_def_complete(def);
    if (domain_def_check(def, &error) && domain_xml_check_written(def, &error))
        check_round_trip(def);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = size > 0 ? g_strndup((const char *)data + 1, size - 1) : g_strdup("");
    g_autoptr(GError) error = NULL;
    Device *dev = device_xml_parse(xml, size > 0 && data[0] == '1', &error);

    g_assert_true(!dev == !!error);
    if (error)
        g_assert_true(error->code > 0 && *error->message && g_utf8_validate(error->message, -1, NULL));
    else
        attach(dev);
    device_free(dev);
    return 0;
}
