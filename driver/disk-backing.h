/* disk-backing: <backingStore>, what is behind a disk's image as the document has it. */
#pragma once

#include "driver/disk.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

/* Of the <disk> at @node. */
gboolean disk_backing_parse(Disk *disk, const XmlNode *node, GError **error);
/* What headers named stands in a running guest's document alone. */
void disk_backing_format(const Disk *disk, XmlWriter *out, guint flags);
gboolean disk_backing_check(const Disk *disk, GError **error);
