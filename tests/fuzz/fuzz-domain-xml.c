/* Fuzz target: a domain document from anybody. What is accepted comes back the same; with a first byte of 'c' its copy
 * does, with 'l' a running guest's with it: one of them, so that there are more tries in the same time. */
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
check_same(DomainDef *def)
{
    g_autofree char *first = domain_xml_format(def, -1, 0), *second = NULL;
    g_autoptr(DomainDef) again = domain_xml_parse_stored(first, NULL);

    must(again != NULL);
    second = domain_xml_format(again, -1, 0);
    must(strcmp(first, second) == 0);
}

static void
check_copy(DomainDef *def)
{
    g_autoptr(DomainDef) copy = domain_def_copy(def);
    g_autofree char *first = domain_xml_format(def, -1, 0);
    g_autofree char *second = domain_xml_format(copy, -1, 0);

    must(strcmp(first, second) == 0);
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
    g_autofree char *xml = size > 0 ? g_strndup((const char *)data + 1, size - 1) : g_strdup("");
    void (*check)(DomainDef *def) = size > 0 && data[0] == 'c'   ? check_copy
                                    : size > 0 && data[0] == 'l' ? check_live
                                                                 : check_same;
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = domain_xml_parse(xml, &error);

    must(!def == !!error);
    if (error)
        must(error->code > 0 && *error->message && g_utf8_validate(error->message, -1, NULL));
    else
        check(def);
    return 0;
}
