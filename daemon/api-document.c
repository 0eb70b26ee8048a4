#include "daemon/api-document.h"

gboolean
api_document_identify(const ApiObject *object, GVariant *args, DomainIdentity *ret)
{
    const char *xml;

    g_variant_get_child(args, 0, "&s", &xml);
    return driver_identify(xml, ret, NULL);
}

gboolean
api_document_identify_image(const ApiObject *object, GVariant *args, DomainIdentity *ret)
{
    const char *path;

    g_variant_get_child(args, 0, "&s", &path);
    return driver_identify_image(object->driver, path, ret, NULL);
}
