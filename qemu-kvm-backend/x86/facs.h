/* facs: the Firmware ACPI Control Structure (ACPI 6.4, 5.2.10), by which a guest tells firmware where to wake it. */
#pragma once

#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/x86/boot.h"

#define FACS_SIZE  64u /* bytes */
#define FACS_ALIGN 64u

/* A fresh one. */
void facs_build(uint8_t ret[FACS_SIZE]);

/* How the guest whose structure is at @gpa wants its first vCPU to wake up from S3 (16.3.1, 5.2.10): in real mode, or
 * flat in protected mode. False where it has not said, or what cannot be. */
bool facs_waking(const Memory *memory, uint64_t gpa, BootEntry *ret);
