/* snapshot-xml: <domainsnapshot>, in libvirt's normal form. */
#pragma once

#include "driver/snapshot-def.h"

/* Parses @xml. With @redefine it is the document of a snapshot that there is, or was, and has to say so: its name, when
 * it was made, its state, perhaps its parent and its domain; without, those are what is going to be: the name is the
 * time where it is not said. Errors and limits as in domain-xml.h. */
SnapshotDef *snapshot_xml_parse(const char *xml, gboolean redefine, GError **error);
/* Whether @xml is valid by the schema in the file @schema. */
gboolean snapshot_xml_validate(const char *xml, const char *schema, GError **error);
/* The document; @flags are DOMAIN_FORMAT_* of device.h. Free with g_free(). */
char *snapshot_xml_format(const SnapshotDef *def, guint flags);
/* Whether what is written of @def can be read again, as far as its size and shape go. */
gboolean snapshot_xml_check_written(const SnapshotDef *def, GError **error);
