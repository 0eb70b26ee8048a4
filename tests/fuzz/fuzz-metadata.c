/* Fuzz target: what clients keep in a definition. The first byte says what: 'n' the name, 't' the title, 'd' the
 * description, and any other an element, with "PREFIX\nURI\n" before it. A definition that takes it can be read again, and
 * has it. */
#include "driver/domain-xml.h"
#include "driver/xml-metadata.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static DomainDef *
new_domain(void)
{
    static DomainDef *def;

    if (!def)
        def = domain_xml_parse("<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type></os>"
                               "<metadata><o:other xmlns:o='urn:other'>x</o:other></metadata></domain>",
                               NULL);
    g_assert_nonnull(def);
    return domain_def_copy(def);
}

static char *
format(const DomainDef *def)
{
    return domain_xml_format(def, -1, DOMAIN_FORMAT_SECURE);
}

/* The definition as it is after it was written and read, which is how it stays, though blanks between other people's
 * elements may go at first; NULL: it is not written. */
static DomainDef *
write_and_read(const DomainDef *def)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = domain_xml_format_stored(def, &error), *second = NULL, *third = NULL;
    g_autoptr(DomainDef) again = xml ? domain_xml_parse_stored(xml, &error) : NULL, last = NULL;

    if (!xml)
        return NULL;
    g_assert_no_error(error);
    second = format(again);
    last = domain_xml_parse_stored(second, &error);
    g_assert_no_error(error);
    third = format(last);
    g_assert_cmpstr(second, ==, third);
    return g_steal_pointer(&again);
}

static void
set_element(const char *prefix, const char *uri, const char *element)
{
    g_autoptr(DomainDef) def = new_domain(), again = NULL;
    g_autofree char *old = g_steal_pointer(&def->metadata);
    g_autoptr(GError) error = NULL;
    gboolean ok = xml_metadata_set(old, uri, prefix, *element ? element : NULL, &def->metadata, &error);
    g_autofree char *got = NULL;

    g_assert_true(ok == !error);
    g_assert_true(!error || g_utf8_validate(error->message, -1, NULL));
    again = ok ? write_and_read(def) : NULL;
    if (!again)
        return;
    got = again->metadata ? xml_metadata_get(again->metadata, uri) : NULL;
    g_assert_true((got != NULL) == (*element != '\0'));
}

static void
set_text(gboolean title, const char *text)
{
    g_autoptr(DomainDef) def = new_domain(), again = NULL;

    if (!*text || (title && strchr(text, '\n')))
        return;
    *(title ? &def->title : &def->description) = g_strdup(text);
    again = write_and_read(def);
}

static void
set_name(const char *name)
{
    g_autoptr(DomainDef) def = new_domain(), again = NULL;

    if (!domain_def_check_name(name, NULL))
        return;
    g_free(def->name);
    def->name = g_strdup(name);
    again = write_and_read(def);
    g_assert_true(!again || strcmp(again->name, name) == 0);
}

/* What the bus lets through is UTF-8. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) parts = g_strsplit(text, "\n", 3);

    if (!*text || !g_utf8_validate(text, -1, NULL))
        return 0;
    if (*text == 't' || *text == 'd')
        set_text(*text == 't', text + 1);
    else if (*text == 'n')
        set_name(text + 1);
    else if (g_strv_length(parts) == 3 && *parts[1])
        set_element(parts[0] + 1, parts[1], parts[2]);
    return 0;
}
