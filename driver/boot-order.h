/* boot-order: what firmware is told of where to look for a system (QEMU's "bootorder" file). */
#pragma once

#include "driver/domain-def.h"

/* Lines of Open Firmware device paths, the first to be tried first, then HALT: as with libvirt's QEMU what
 * is not in the list is not tried. Devices have their places. The caller's. */
char *boot_order_compose(const DomainDef *def);
/* Whether one of @what is among them, and whether there is nothing else to boot, a kernel neither. */
gboolean boot_order_has(const DomainDef *def, DomainBoot what, gboolean *ret_alone);
