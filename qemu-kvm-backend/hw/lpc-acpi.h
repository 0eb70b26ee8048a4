/* lpc-acpi: how the DSDT tells of the LPC bridge, and of the links by which PCI's lines get to the PICs. */
#pragma once

#include "qemu-kvm-backend/x86/aml.h"

/* Adds, within \_SB, the bridge in PCI0 and the interrupt link devices LNKA to LNKH, one for each line of pci.h. */
void lpc_acpi_describe(Aml *aml);
