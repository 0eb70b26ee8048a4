/* pci-acpi: the PCI host bridge in the DSDT (PCI Firmware Specification 3.2; ACPI 6.4). */
#pragma once

#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/x86/aml.h"

typedef struct PciWindows {
    uint64_t ecam_base, ecam_size; /* size 0: not in memory space */
    const Memory *memory;          /* what is not RAM may be functions' */
    const Pci *pci;
} PciWindows;

/* Adds \_SB.PCI0, with _CRS, _PRT and _OSC, and the motherboard's device that reserves the ECAM. @links: there are
 * the LPC bridge's, to which _PRT leads where the PICs are in use; \_PIC says which are. */
void pci_acpi_describe(Aml *aml, const PciWindows *windows, bool links);
/* Where 64-bit BARs go, above RAM: 16 GiB, aligned to 1 GiB. */
uint64_t pci_memory64(const Memory *memory, uint64_t *ret_size);
