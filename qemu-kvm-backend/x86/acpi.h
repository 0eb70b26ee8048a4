/* acpi: the tables of ACPI 6.4 that a guest finds at LAYOUT_ACPI. */
#pragma once

#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/x86/aml.h"
#include "qemu-kvm-backend/x86/sleep.h"

typedef struct AcpiConfig {
    unsigned n_vcpus; /* MADT: local APIC i (x2APIC above 254) for vCPU i, with @apic_ids */
    const uint32_t *apic_ids;
    uint64_t ecam_base; /* MCFG: PCI configuration space in memory space; size 0: there is none */
    uint64_t ecam_size;
    SleepStates sleep; /* DSDT */
    bool i8042;        /* FADT: the keyboard controller is worth looking at */
    /* Lets the devices add themselves to \_SB. */
    void (*describe)(void *data, Aml *aml);
    void *data;
} AcpiConfig;

#define ACPI_RSDP_SIZE  36u /* bytes; the root pointer comes first in the image ... */
#define ACPI_TABLES     64u /* ... and the tables from here on */
#define ACPI_FACS       ACPI_TABLES /* the FACS first */
#define ACPI_FIXUPS_MAX 16

/* A field with an address in the image: @size bytes at @offset. */
typedef struct AcpiPointer {
    size_t offset;
    unsigned size;
} AcpiPointer;

/* A byte at @offset that makes the sum of @size bytes from @start on zero. */
typedef struct AcpiChecksum {
    size_t offset, start, size;
} AcpiChecksum;

/* RSDP, FACS, DSDT, FADT, MADT, MCFG and XSDT in one piece, made for LAYOUT_ACPI, and what in them depends on
 * that. Inner checksums come before those of what is around them. */
typedef struct AcpiImage {
    uint8_t *bytes;
    size_t size;
    AcpiPointer pointers[ACPI_FIXUPS_MAX];
    unsigned n_pointers;
    AcpiChecksum checksums[ACPI_FIXUPS_MAX];
    unsigned n_checksums;
} AcpiImage;

bool acpi_build(const AcpiConfig *config, AcpiImage *ret, VmmError *err);
void acpi_clear(AcpiImage *image);

/* Writes the image into RAM. */
bool acpi_write(const AcpiConfig *config, Memory *memory, uint64_t *ret_rsdp, VmmError *err);
