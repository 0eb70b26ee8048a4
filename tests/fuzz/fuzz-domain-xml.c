/* Fuzz target: a domain document from anybody. What is accepted comes back the same, copied too. */
#include "driver/domain-xml.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(gboolean ok)
{
    if (!ok)
        abort();
}

static void
check_round_trip(const DomainDef *def)
{
    g_autoptr(DomainDef) copy = domain_def_copy(def);
    g_autofree char *first = domain_xml_format(def, -1, 0);
    g_autofree char *copied = domain_xml_format(copy, -1, 0);
    g_autoptr(DomainDef) again = domain_xml_parse(first, NULL);
    g_autofree char *second = again ? domain_xml_format(again, -1, 0) : NULL;

    must(second && strcmp(first, second) == 0 && strcmp(first, copied) == 0);
}

static void
check_live(DomainDef *def)
{
    g_autofree char *first = NULL, *second = NULL;
    g_autoptr(DomainDef) again = NULL;
    int id = 0;

    domain_def_assign_aliases(def);
    first = domain_xml_format(def, 7, DOMAIN_FORMAT_LIVE);
    again = domain_xml_parse_live(first, &id, NULL);
    must(again && id == 7);
    second = domain_xml_format(again, 7, DOMAIN_FORMAT_LIVE);
    must(strcmp(first, second) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = domain_xml_parse(xml, &error);

    must(!def == !!error);
    if (error)
        must(error->code > 0 && *error->message && g_utf8_validate(error->message, -1, NULL));
    if (!def)
        return 0;
    check_round_trip(def);
    check_live(def);
    return 0;
}
