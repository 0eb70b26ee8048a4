/* domain-xml-sysinfo: <sysinfo> of the domain document, read and written. */
#pragma once

#include "driver/sysinfo.h"

struct _xmlNode;
struct XmlWriter;

/* @root is the <domain>. */
gboolean domain_xml_parse_sysinfo(Sysinfo *sysinfo, const struct _xmlNode *root, GError **error);
void domain_xml_format_sysinfo(const Sysinfo *sysinfo, struct XmlWriter *out);
/* As a document of its own, for g_free(). */
char *domain_xml_sysinfo(const Sysinfo *sysinfo);
