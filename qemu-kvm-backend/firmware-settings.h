/* firmware-settings: what "create" has to say to a firmware image. */
#pragma once

#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/x86/firmware.h"

/* Reads the keys of vmm-proto.h that are firmware's; without firmware only the machine's UUID. */
bool firmware_settings_read(FirmwareSettings *settings, bool has_firmware, VmmMsg *msg,
                            VmmError *err);
/* Frees what was read. Also after a failed read, and more than once. */
void firmware_settings_clear(FirmwareSettings *settings);
