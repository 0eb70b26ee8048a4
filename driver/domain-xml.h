/* domain-xml: the domain document, in libvirt's normal form. */
#pragma once

#include "driver/domain-def.h"

struct _xmlNode;
struct XmlWriter;

/* Parses, completes and checks @xml. Errors carry libvirt's numbers: VIR_ERR_XML_DETAIL with the
 * line where it is not well formed, VIR_ERR_XML_ERROR where something is missing or wrong,
 * VIR_ERR_CONFIG_UNSUPPORTED naming the element or value that this machine cannot honour. Elements
 * that libvirt's schema does not know are ignored, as libvirt does. */
DomainDef *domain_xml_parse(const char *xml, GError **error);
/* The same but for how long what is written of it becomes: of a document that this driver wrote, or writes at once by
 * domain_xml_format_stored(). */
DomainDef *domain_xml_parse_stored(const char *xml, GError **error);
/* The same as domain_xml_parse() for an element within another document, whatever it is called. */
DomainDef *domain_xml_parse_node(const struct _xmlNode *node, GError **error);
/* The same as domain_xml_parse_stored() for a live document, whose id comes in @ret_id. */
DomainDef *domain_xml_parse_live(const char *xml, int *ret_id, GError **error);
/* No more of it than whose document it is. */
DomainDef *domain_xml_parse_identity(const char *xml, GError **error);
/* Whether @xml has nothing that the policy refuses, and is valid by the schema in the file @schema. */
gboolean domain_xml_validate(const char *xml, const char *schema, GError **error);
/* Whether what is written of @def can be read again, as far as its size and shape go. */
gboolean domain_xml_check_written(const DomainDef *def, GError **error);
/* The document; @flags are DOMAIN_FORMAT_* of device.h, @id is that of a running domain, or -1.
 * Never fails. Free with g_free(). */
char *domain_xml_format(const DomainDef *def, int id, guint flags);
/* The document as a file keeps it; NULL where what is written could not be read again. */
char *domain_xml_format_stored(const DomainDef *def, GError **error);
/* What domain_xml_format() writes as the element @element, a constant, of another document. */
void domain_xml_write(const DomainDef *def, struct XmlWriter *out, const char *element, int id,
                      guint flags);
