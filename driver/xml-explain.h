/* xml-explain: where a document is not as a schema has it, and what was expected there. */
#pragma once

#include "driver/xml-read.h"
#include "driver/xml-schema.h"

/* A line for each fault, at most @max: "line 7: attribute 'x' of <disk> is not allowed; expected ...". Empty: none
 * was found, the document being too long among others. */
GPtrArray *xml_explain(const XmlNode *root, XmlSchema *schema, guint max);
