#include "tests/bus/surface.h"

void
surface_define(Fixture *fixture, const char *name)
{
    g_autofree char *xml = fixture_xml(fixture, name, UUID, "");

    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                 g_variant_new("(s)", xml), "(o)"));
    g_string_truncate(fixture->events, 0);
}
