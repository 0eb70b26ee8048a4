/* domain-xml-os: <os> of the domain document, read and written. */
#pragma once

#include "driver/domain-os.h"

struct _xmlNode;
struct XmlWriter;

/* @root is the <domain>. */
gboolean domain_xml_parse_os(DomainOs *os, const struct _xmlNode *root, GError **error);
void domain_xml_format_os(const DomainOs *os, struct XmlWriter *out);
