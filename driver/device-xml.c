#include "driver/device-xml.h"

#include "driver/error.h"
#include "driver/xml-policy.h"
#include "driver/xml-read.h"

#define ORIGIN "(device_definition)" /* what libvirt calls a document that came as text */

Device *
device_xml_parse(const char *xml, gboolean live, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, ORIGIN, NULL, error);
    const XmlNode *root = doc ? xml_doc_root(doc) : NULL;
    const DeviceKind *kind;
    Device *dev;

    if (!root || !xml_policy_check_device(root, error))
        return NULL;
    kind = device_kind_find(root);
    if (!kind) {
        driver_error(error, VIR_ERR_XML_ERROR, "unknown device type '%s'", xml_name(root));
        return NULL;
    }
    dev = device_new(kind);
    if (live)
        device_parse_alias(dev, root, DOMAIN_PARSE_LIVE);
    if (kind->parse(dev, root, 0, error))
        return dev;
    device_free(dev);
    return NULL;
}
