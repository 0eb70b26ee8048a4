/* pci-assign: what firmware does for PCI, for guests that have none: bus numbers, BARs, the windows of
 * bridges, COMMAND. */
#pragma once

#include "qemu-kvm-backend/pci.h"

/* Of all functions, after their reset and before the first vCPU runs; memory from @memory to @memory_end
 * and ports from @port on are free. What does not fit stays off. */
void pci_assign(Pci *pci, uint64_t memory, uint64_t memory_end, unsigned port);
