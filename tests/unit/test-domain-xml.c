/* The golden documents: NAME.xml is parsed, and either formatted as NAME.out.xml and lowered as
 * NAME.vmm, or refused with the number and text in NAME.err. */
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "tests/unit/xml-fixture.h"

#include <string.h>

static gboolean has_network;

/* Whether devices can be lowered here: what makes taps takes rights over a network. */
static gboolean
can_lower(const DomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (strcmp(dev->kind->element, "interface") == 0 && !has_network) {
            g_test_skip("no rights to make a tap, even in a namespace of its own");
            return FALSE;
        }
    }
    return TRUE;
}

static void
assert_refused(const char *path, const GError *error)
{
    g_autofree char *golden = sibling(path, ".err");
    g_autofree char *text = g_strdup_printf("%d %s\n", error->code, error->message);

    g_assert_true(error->domain == DRIVER_ERROR);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
    assert_golden(golden, text);
}

/* Lowered as its launch does it: on a copy, with aliases. */
static char *
lower_copy(const DomainDef *def)
{
    g_autoptr(DomainDef) live = domain_def_copy(def);

    domain_def_assign_aliases(live);
    return lower_to_text(live);
}

static void
assert_accepted(const char *path, const DomainDef *def)
{
    g_autofree char *golden_out = sibling(path, ".out.xml");
    g_autofree char *golden_vmm = sibling(path, ".vmm");
    g_autofree char *out = domain_xml_format(def, -1, 0);
    g_autofree char *vmm = NULL;

    assert_golden(golden_out, out);
    if (!can_lower(def))
        return;
    vmm = lower_copy(def);
    assert_golden(golden_vmm, vmm);
}

static void
test_document(gconstpointer path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = read_file(path);
    g_autoptr(DomainDef) def = domain_xml_parse(xml, &error);

    if (def)
        assert_accepted(path, def);
    else
        assert_refused(path, error);
}

static char *
format_copy(const DomainDef *def, int id, guint flags)
{
    g_autoptr(DomainDef) copy = domain_def_copy(def);

    return domain_xml_format(copy, id, flags);
}

/* What is written says all that was read: parsed again, and copied, it is written the same. */
static void
test_round_trip(gconstpointer path)
{
    g_autofree char *xml = read_file(path);
    g_autoptr(DomainDef) def = domain_xml_parse(xml, NULL);
    g_autoptr(DomainDef) again = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *first = NULL, *second = NULL, *copied = NULL;

    if (!def) /* one of those that are refused */
        return;
    first = domain_xml_format(def, -1, 0);
    copied = format_copy(def, -1, 0);
    g_assert_cmpstr(first, ==, copied);
    again = domain_xml_parse(first, &error);
    g_assert_no_error(error);
    second = domain_xml_format(again, -1, 0);
    g_assert_cmpstr(first, ==, second);
}

/* The same for a running guest's document, with all that is open. */
static void
test_live_round_trip(gconstpointer path)
{
    g_autofree char *xml = read_file(path);
    g_autoptr(DomainDef) def = domain_xml_parse(xml, NULL);
    g_autoptr(DomainDef) again = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *first = NULL, *second = NULL, *copied = NULL, *vmm = NULL;
    int id = 0;

    if (!def || !can_lower(def))
        return;
    domain_def_assign_aliases(def);
    vmm = lower_to_text(def);
    first = domain_xml_format(def, 17, DOMAIN_FORMAT_LIVE);
    copied = format_copy(def, 17, DOMAIN_FORMAT_LIVE);
    g_assert_cmpstr(first, ==, copied);
    again = domain_xml_parse_live(first, &id, &error);
    g_assert_no_error(error);
    g_assert_cmpint(id, ==, 17);
    second = domain_xml_format(again, id, DOMAIN_FORMAT_LIVE);
    g_assert_cmpstr(first, ==, second);
}

static DomainDef *
parse_devices(const char *devices)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type>"
        "<kernel>/k</kernel></os><devices>%s</devices></domain>",
        devices);
    g_autoptr(GError) error = NULL;
    DomainDef *def = domain_xml_parse(xml, &error);

    g_assert_no_error(error);
    return def;
}

static void
test_uuid_is_made(void)
{
    g_autoptr(DomainDef) one = parse_devices("");
    g_autoptr(DomainDef) other = parse_devices("");

    g_assert_true(g_uuid_string_is_valid(one->uuid));
    g_assert_cmpstr(one->uuid, !=, other->uuid);
}

static void
test_live_form(void)
{
    g_autoptr(DomainDef) def =
        parse_devices("<serial type='pty'/><serial type='pty'>"
                      "<alias name='ua-mine'/></serial><serial type='pty'/>");
    g_autofree char *vmm = NULL, *xml = NULL;

    domain_def_assign_aliases(def);
    vmm = lower_to_text(def);
    xml = domain_xml_format(def, 3, DOMAIN_FORMAT_LIVE);
    g_assert_true(g_str_has_prefix(xml, "<domain type='kvm' id='3'>\n"));
    g_assert_nonnull(strstr(xml, "    <serial type='pty'>\n      <source path='/dev/pts/"));
    g_assert_nonnull(strstr(xml, "    <console type='pty' tty='/dev/pts/"));
    g_assert_nonnull(strstr(xml, "<alias name='serial0'/>\n    </serial>\n"));
    g_assert_nonnull(strstr(xml, "<alias name='ua-mine'/>\n    </serial>\n"));
    g_assert_nonnull(strstr(xml, "<alias name='serial1'/>\n    </serial>\n"));
    g_assert_nonnull(strstr(xml, "<alias name='serial0'/>\n    </console>\n"));
}

/* The definition that a running guest goes back to shows nothing of the run. */
static void
test_inactive_form_of_live(void)
{
    g_autoptr(DomainDef) def = parse_devices("<serial type='pty'/>");
    g_autofree char *before = domain_xml_format(def, -1, 0);
    g_autofree char *vmm = NULL, *after = NULL;

    domain_def_assign_aliases(def);
    vmm = lower_to_text(def);
    after = domain_xml_format(def, -1, 0);
    g_assert_cmpstr(before, ==, after);
}

static void
test_live_needs_id(void)
{
    g_autoptr(DomainDef) def = parse_devices("");
    g_autofree char *xml = domain_xml_format(def, -1, 0);
    g_autoptr(GError) error = NULL;
    int id = -5;

    g_assert_null(domain_xml_parse_live(xml, &id, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_XML_ERROR);
    g_assert_cmpint(id, ==, -5);
}

static void
test_device_limit(void)
{
    g_autoptr(GString) xml = g_string_new("<domain type='kvm'><name>a</name><memory>1</memory><os>"
                                          "<type>hvm</type><kernel>/k</kernel></os><devices>");
    g_autoptr(GError) error = NULL;

    for (int i = 0; i < 2000; i++)
        g_string_append(xml, "<serial/>");
    g_string_append(xml, "</devices></domain>");
    g_assert_null(domain_xml_parse(xml->str, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_CONFIG_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "more than 1024 devices"));
}

/* Accepted means that it can be read again, although what is written is longer. */
static void
test_written_size(void)
{
    g_autofree char *quotes = g_strnfill(1 << 20, '\'');
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><description>%s</description><memory>1</memory><os>"
        "<type>hvm</type><kernel>/k</kernel></os></domain>",
        quotes);
    g_autoptr(DomainDef) def = domain_xml_parse_stored(xml, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(domain_xml_parse(xml, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_XML_ERROR);
    g_assert_cmpstr(error->message, ==, "XML error: the document is too large");
    g_clear_error(&error);
    g_assert_nonnull(def);
    g_assert_null(domain_xml_format_stored(def, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_XML_ERROR);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    has_network = enter_own_network();
    use_fake_passt();
    add_document_tests("/domain-xml/document", test_document);
    add_document_tests("/domain-xml/round-trip", test_round_trip);
    add_document_tests("/domain-xml/live-round-trip", test_live_round_trip);
    g_test_add_func("/domain-xml/uuid-is-made", test_uuid_is_made);
    g_test_add_func("/domain-xml/live-form", test_live_form);
    g_test_add_func("/domain-xml/inactive-form-of-live", test_inactive_form_of_live);
    g_test_add_func("/domain-xml/live-needs-id", test_live_needs_id);
    g_test_add_func("/domain-xml/device-limit", test_device_limit);
    g_test_add_func("/domain-xml/written-size", test_written_size);
    return g_test_run();
}
