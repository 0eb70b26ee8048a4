/* pci-host: what the board asks the host bridge. */
#pragma once

#include "qemu-kvm-backend/pci.h"

/* Where configuration space is in memory space; false: nowhere. Size in bytes. vCPUs do not run. */
bool pci_host_ecam(const Pci *pci, uint64_t *ret_base, uint64_t *ret_size);
/* Puts it there, 256 MiB of it, as firmware would. */
void pci_host_set_ecam(Pci *pci, uint64_t base);
