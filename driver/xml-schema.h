/* xml-schema: a schema in RELAX NG's XML form, read into patterns.
 *
 * It knows as much of the language as our schemas use: no lists, no mixed content, no namespaces in names.
 */
#pragma once

#include "driver/xml-pattern.h"

typedef struct XmlSchema XmlSchema;

/* NULL with VIR_ERR_INTERNAL_ERROR: the file cannot be read, or says what is not known here. */
XmlSchema *xml_schema_load(const char *path, GError **error);
void xml_schema_free(XmlSchema *schema);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlSchema, xml_schema_free)

XmlPatternPool *xml_schema_pool(XmlSchema *schema);
/* What a document may be. */
const XmlPattern *xml_schema_start(XmlSchema *schema);
