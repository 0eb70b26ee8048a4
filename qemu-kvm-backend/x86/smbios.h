/* smbios: what the machine says of itself to people: the tables of SMBIOS 2.8 (DMTF DSP0134) that a firmware
 * passes on. It adds a table about itself. */
#pragma once

#include "qemu-kvm-backend/memory.h"

#define SMBIOS_ANCHOR_SIZE 31 /* bytes */

/* What its owner wants it to say instead of the machine's own words, or beyond them. */
typedef enum SmbiosText {
    SMBIOS_BIOS_VENDOR,
    SMBIOS_BIOS_VERSION,
    SMBIOS_BIOS_DATE,
    SMBIOS_BIOS_RELEASE, /* "4.2" */
    SMBIOS_SYSTEM_MANUFACTURER,
    SMBIOS_SYSTEM_PRODUCT,
    SMBIOS_SYSTEM_VERSION,
    SMBIOS_SYSTEM_SERIAL,
    SMBIOS_SYSTEM_SKU,
    SMBIOS_SYSTEM_FAMILY,
    SMBIOS_BOARD_MANUFACTURER,
    SMBIOS_BOARD_PRODUCT,
    SMBIOS_BOARD_VERSION,
    SMBIOS_BOARD_SERIAL,
    SMBIOS_BOARD_ASSET,
    SMBIOS_BOARD_LOCATION,
    SMBIOS_CHASSIS_MANUFACTURER,
    SMBIOS_CHASSIS_VERSION,
    SMBIOS_CHASSIS_SERIAL,
    SMBIOS_CHASSIS_ASSET,
    SMBIOS_CHASSIS_SKU,
    SMBIOS_N_TEXTS
} SmbiosText;

#define SMBIOS_OEM_MAX 64 /* strings of the owner's own */

typedef struct SmbiosWords {
    char *texts[SMBIOS_N_TEXTS]; /* NULL: not said */
    char *oem[SMBIOS_OEM_MAX];
    unsigned n_oem;
} SmbiosWords;

typedef struct SmbiosConfig {
    uint8_t uuid[16]; /* in the order of its text; all zero: the machine has none */
    unsigned n_sockets, n_cores, n_threads; /* cores a socket and threads a socket */
    const Memory *memory;
    const SmbiosWords *words;
} SmbiosConfig;

typedef struct SmbiosTables {
    uint8_t anchor[SMBIOS_ANCHOR_SIZE]; /* its address field is for the firmware to fill in */
    uint8_t *bytes;
    size_t size;
} SmbiosTables;

void smbios_build(const SmbiosConfig *config, SmbiosTables *ret);
void smbios_clear(SmbiosTables *tables);
