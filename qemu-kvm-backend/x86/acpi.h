/* acpi: the tables of ACPI 6.4 that a guest finds at LAYOUT_ACPI. */
#pragma once

#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/x86/aml.h"

typedef struct AcpiConfig {
    unsigned n_vcpus; /* MADT: local APIC i (x2APIC above 254) for vCPU i, with @apic_ids */
    const uint32_t *apic_ids;
    uint64_t ecam_base; /* MCFG: PCI configuration space in memory space; size 0: there is none */
    uint64_t ecam_size;
    /* Lets the devices add themselves to \_SB. */
    void (*describe)(void *data, Aml *aml);
    void *data;
} AcpiConfig;

/* Writes RSDP, XSDT, FADT, FACS, MADT, MCFG and DSDT into RAM. */
bool acpi_write(const AcpiConfig *config, Memory *memory, uint64_t *ret_rsdp, VmmError *err);
