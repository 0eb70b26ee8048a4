/* xml-validate: whether a document is valid by a schema, for those who ask for more than that it can be read. */
#pragma once

#include "driver/xml-read.h"

/* Checks @doc against the RELAX NG schema in the file @schema. VIR_ERR_XML_INVALID_SCHEMA names the lines
 * and what was expected there; VIR_ERR_INTERNAL_ERROR: the schema itself cannot be used. */
gboolean xml_validate(const XmlDoc *doc, const char *schema, GError **error);
