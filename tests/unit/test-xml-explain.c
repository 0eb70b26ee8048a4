/* What --validate says of a document that our schema does not allow: the line, what is there, what was expected.
 * And that this walk over the schema agrees with libxml2's verdict on every document that we have. */
#include "driver/error.h"
#include "driver/xml-explain.h"
#include "driver/xml-validate.h"
#include "tests/unit/xml-fixture.h"

#include <string.h>

static char *
explain(const char *xml)
{
    g_autofree char *path = source_path("schemas/domain.rng");
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, "(test)", NULL, &error);
    g_autoptr(XmlSchema) schema = xml_schema_load(path, &error);
    g_autoptr(GPtrArray) faults = NULL;

    g_assert_no_error(error);
    faults = xml_explain(xml_doc_root(doc), schema, 8);
    g_ptr_array_add(faults, NULL);
    return g_strjoinv("\n", (char **)faults->pdata);
}

/* @more is on line 7, @device on line 9. */
static char *
document(const char *more, const char *device)
{
    return g_strdup_printf("<domain type='kvm'>\n"
                           "  <name>a</name>\n"
                           "  <memory>65536</memory>\n"
                           "  <os>\n"
                           "    <type>hvm</type>\n"
                           "  </os>\n"
                           "%s\n"
                           "  <devices>\n"
                           "%s\n"
                           "  </devices>\n"
                           "</domain>\n",
                           more, device);
}

static const struct Fault {
    const char *name, *more, *device;
    const char *said; /* a pattern */
} faults[] = {
    { "none", "", "", "" },
    { "element", "<frob/>", "", "line 7: element <frob> of <domain> is not allowed here; expected <uuid>, <title>, *" },
    { "twice", "<name>b</name>", "", "line 7: element <name> of <domain> is not allowed here; expected <uuid>, *" },
    { "device", "", "<frob/>", "line 9: element <frob> of <devices> is not allowed here; expected <*" },
    { "with-prefix", "<x:frob xmlns:x='urn:x'/>", "", "line 7: element <x:frob> of <domain> is not allowed here; *" },
    { "deep", "<cputune>\n<shares>9</shares>\n<vcpupin vcpu='0'/>\n</cputune>", "",
      "line 9: an attribute of <vcpupin> is missing; expected 'cpuset'" },
    { "attribute", "<vcpu frob='1'>2</vcpu>", "",
      "line 7: attribute 'frob' of <vcpu> is not allowed here; expected '*'*" },
    { "attribute-value", "<vcpu placement='here'>2</vcpu>", "",
      "line 7: value 'here' of attribute 'placement' of <vcpu> is not valid; expected 'static'" },
    { "word", "<on_crash>sing</on_crash>", "",
      "line 7: value 'sing' of <on_crash> is not valid; expected '', 'destroy', *" },
    { "number", "<vcpu>many</vcpu>", "", "line 7: value 'many' of <vcpu> is not valid; expected a number from 1*" },
    { "range", "<iothreads>257</iothreads>", "",
      "line 7: value '257' of <iothreads> is not valid; expected a number from 0 to 256" },
    { "form", "<uuid>nonsense</uuid>", "", "line 7: value 'nonsense' of <uuid> is not valid; expected '', a text of the form *" },
    { "text", "<features>words</features>", "", "line 7: value 'words' of <features> is not valid" },
    { "empty", "<vcpu/>", "", "line 7: <vcpu> is empty; expected a number from 1*" },
    { "attribute-missing", "", "<controller/>", "line 9: an attribute of <controller> is missing; expected 'type', *" },
    { "element-missing", "", "<disk type='file' device='disk'/>", "line 9: an element of <disk> is missing; expected <source>, <target>" },
    { "two", "<frob/>", "<frob/>", "line 7: element <frob> *\nline 9: element <frob> of <devices> *" },
};

static void
test_fault(gconstpointer data)
{
    const struct Fault *fault = data;
    g_autofree char *xml = document(fault->more, fault->device);
    g_autofree char *said = explain(xml);

    if (!g_pattern_match_simple(fault->said, said))
        g_error("'%s' is not '%s'", said, fault->said);
}

static void
test_root(void)
{
    g_autofree char *other = explain("<network/>");
    g_autofree char *bare = explain("<domain type='kvm'/>");

    g_assert_cmpstr(other, ==, "line 1: element <network> is not allowed here; expected <domain>");
    g_assert_cmpstr(bare, ==, "line 1: an element of <domain> is missing; expected <name>, <memory>, <os>");
}

/* A document of one long line, and more faults than anybody wants to read. */
static void
test_bounded(void)
{
    g_autoptr(GString) many = g_string_new(NULL);
    g_autofree char *xml = NULL, *said = NULL;
    g_auto(GStrv) lines = NULL;

    for (int i = 0; i < 1000; i++)
        g_string_append(many, "<frob/>");
    xml = document(many->str, "");
    said = explain(xml);
    lines = g_strsplit(said, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 8);
}

/* What comes behind more elements than a domain can have is not looked at, nor missed. */
static void
test_too_long(void)
{
    g_autoptr(GString) many = g_string_new(NULL);
    g_autofree char *xml = NULL, *said = NULL;

    for (int i = 0; i < 30000; i++)
        g_string_append(many, "<panic/>");
    g_string_append(many, "<frob/>");
    xml = document("", many->str);
    said = explain(xml);
    g_assert_cmpstr(said, ==, "");
}

/* Whoever is right, it is not only one of them. */
static void
test_agrees(gconstpointer data)
{
    g_autofree char *path = source_path("schemas/domain.rng");
    g_autofree char *xml = read_file(data);
    g_autoptr(GError) error = NULL;
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, "(test)", "domain", NULL);
    g_autofree char *said = doc ? explain(xml) : NULL;
    gboolean valid;

    if (!doc)
        return;
    valid = xml_validate(doc, path, &error);
    if (valid != (*said == '\0'))
        g_error("libxml2: %s; the walk: '%s'", valid ? "valid" : error->message, said);
    if (!valid)
        g_assert_nonnull(strstr(error->message, said));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autofree char *name = g_strconcat("/xml-explain/fault/", faults[i].name, NULL);

        g_test_add_data_func(name, &faults[i], test_fault);
    }
    g_test_add_func("/xml-explain/root", test_root);
    g_test_add_func("/xml-explain/bounded", test_bounded);
    g_test_add_func("/xml-explain/too-long", test_too_long);
    add_document_tests("/xml-explain/agrees", test_agrees);
    return g_test_run();
}
