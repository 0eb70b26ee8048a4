/* device-disk: <disk>: a virtio disk whose contents are a file or a block device of the host. A CD-ROM is
 * one as well, read-only, with a medium that can change while the guest runs.
 *
 * What is behind it is opened here, with the access and the caching that the document asks for, and
 * locked as QEMU and qemu-img lock it (image-lock.h), so that nobody writes to it at the same time by
 * mistake.
 */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_disk;

/* The disk whose target or source is @name; NULL: none. */
Device *device_disk_find(const GPtrArray *devices, const char *name);
/* "vda"; NULL: @dev is no disk. */
const char *device_disk_target(const Device *dev);
/* The image's path; NULL: none. Of a disk. */
const char *device_disk_source(const Device *dev);
/* What becomes of it in a snapshot that does not say: "no", "internal", "external", "manual", or NULL. Of a disk. */
const char *device_disk_snapshot(const Device *dev);
gboolean device_disk_is_cdrom(const Device *dev);
/* The number of the I/O thread that serves it; 0: none of those, or @dev is no disk. */
guint device_disk_iothread(const Device *dev);
/* Whether there is something in it, and its tray is closed. Of a CD-ROM. */
gboolean device_disk_has_medium(const Device *dev);
