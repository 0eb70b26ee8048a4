/* xml-metadata: other people's elements in a definition, each in a namespace of its own.
 *
 * They are kept as the text of the whole <metadata> element, as it stands in a document in normal form.
 */
#pragma once

#include "driver/xml-read.h"

/* The <metadata> child of @node in @ret, the caller's: children without a namespace and second ones of the same namespace
 * are left out, as libvirt does. Without one @ret is as it was. VIR_ERR_XML_ERROR where a namespace has a name that could
 * not be read again. */
gboolean xml_metadata(const XmlNode *node, char **ret, GError **error);
/* The element of the namespace @uri in @metadata (which may be NULL), with that namespace taken out of it,
 * as libvirt answers it. NULL: there is none. */
char *xml_metadata_get(const char *metadata, const char *uri);
/* @metadata with the document @element for its element of the namespace @uri, which it gets under the
 * prefix @key; without one where @element is NULL. @ret: NULL where nothing is left. */
gboolean xml_metadata_set(const char *metadata, const char *uri, const char *key,
                          const char *element, char **ret, GError **error);
