/* smbios: what the machine says of itself to people: the tables of SMBIOS 2.8 (DMTF DSP0134) that a firmware
 * passes on. It adds a table about itself. */
#pragma once

#include "qemu-kvm-backend/memory.h"

#define SMBIOS_ANCHOR_SIZE 31 /* bytes */

typedef struct SmbiosConfig {
    uint8_t uuid[16]; /* in the order of its text; all zero: the machine has none */
    unsigned n_sockets, n_cores, n_threads; /* cores a socket and threads a socket */
    const Memory *memory;
} SmbiosConfig;

typedef struct SmbiosTables {
    uint8_t anchor[SMBIOS_ANCHOR_SIZE]; /* its address field is for the firmware to fill in */
    uint8_t *bytes;
    size_t size;
} SmbiosTables;

void smbios_build(const SmbiosConfig *config, SmbiosTables *ret);
void smbios_clear(SmbiosTables *tables);
