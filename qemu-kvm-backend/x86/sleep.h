/* sleep: the states that a machine offers its guest to sleep in, as the DSDT and firmware tell of them (ACPI 6.4, 7.4.2).
 *
 * S3 keeps RAM: the machine goes on when it is woken. S4 is the guest's own affair, which has saved itself to its disk;
 * here it is as S5, and the machine off.
 */
#pragma once

#include "qemu-kvm-backend/hw/fw-cfg.h"
#include "qemu-kvm-backend/x86/aml.h"

#include <stdbool.h>

typedef struct SleepStates {
    bool to_mem, to_disk; /* S3, S4 */
} SleepStates;

/* \_S3, \_S4 and \_S5, as far as they are offered. */
void sleep_describe(const SleepStates *states, Aml *aml);
/* The file "etc/system-states", by which firmware knows of them (QEMU's hw/acpi/core.c describes it). */
void sleep_put_file(const SleepStates *states, FwCfg *cfg);
