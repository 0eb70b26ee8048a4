/* firmware: the images that guests boot, where distributions have them.
 *
 * UEFI builds describe themselves (QEMU's docs/interop/firmware.json): the administrator's descriptors in
 * /etc/qemu/firmware come before those of packages in /usr/share/qemu/firmware, each directory by the names
 * of its files, and a file hides one of its name in a later directory. Where no descriptor fits there is a
 * table of places.
 */
#pragma once

#include "driver/firmware-descriptor.h"

typedef struct FirmwareWish {
    DomainFirmware kind;
    const int *features; /* DOMAIN_N_FIRMWARE_FEATURES of 1, 0, or -1: as it comes */
    const char *code;    /* only this image; NULL: any */
    gboolean stateless;  /* the guest keeps no variables */
} FirmwareWish;

/* The path of a ROM with which a BIOS boots from virtio network cards (iPXE's); NULL: this host has none. */
const char *firmware_network_rom(void);

/* The first image in @dirs (NULL at the end), and then in the table, that fits @wish and this machine. */
gboolean firmware_find(const char *const *dirs, const FirmwareWish *wish, FirmwareImage *ret,
                       GError **error);
