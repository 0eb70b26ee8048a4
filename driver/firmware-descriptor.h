/* firmware-descriptor: what a firmware image says of itself (QEMU's docs/interop/firmware.json). */
#pragma once

#include "driver/domain-os.h"

typedef struct FirmwareImage {
    char *code;
    char *variables; /* what a guest's variables begin as; NULL: it has none */
    gboolean features[DOMAIN_N_FIRMWARE_FEATURES];
} FirmwareImage;

void firmware_image_clear(FirmwareImage *image);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FirmwareImage, firmware_image_clear)

/* The paths of the descriptors in @dirs, the ones that count first: g_ptr_array_unref() frees them. */
GPtrArray *firmware_descriptor_list(const char *const *dirs);
/* FALSE for one that is not for this machine: of another architecture, in another format, with a need for
 * SMM. One that cannot be understood is reported. */
gboolean firmware_descriptor_read(const char *path, DomainFirmware *ret_kind, FirmwareImage *ret);
