/* pci-msix: message-signalled interrupts of a PCI function (PCI 3.0, section 6.8.2), with table and
 * pending bits in a BAR of their own. A vector is an eventfd that KVM turns into the message; while it
 * is masked, what was raised waits in the eventfd, and that is its pending bit.
 */
#pragma once

#include "qemu-kvm-backend/pci.h"

#define PCI_MSIX_MAX  128     /* vectors, what the BAR has room for */
#define PCI_MSIX_NONE 0xffffu /* no vector */

typedef struct PciMsix PciMsix;

/* Gives @fn @n vectors, with the table in @bar; NULL with @err. */
PciMsix *pci_msix_new(PciFunction *fn, unsigned bar, unsigned n, VmmError *err);
void pci_msix_free(PciMsix *msix);
void pci_msix_reset(PciMsix *msix);
/* The table and what waits behind masks, for a STATE_PART of the device: after its configuration space. */
extern const struct StateTable pci_msix_state;

/* From the function's config_written. */
void pci_msix_config_written(PciMsix *msix, unsigned offset, unsigned size);
/* Whether the guest uses vectors instead of the interrupt pin. Any thread. */
bool pci_msix_is_enabled(const PciMsix *msix);
unsigned pci_msix_count(const PciMsix *msix);
/* Any thread, any lock. A vector that is not there is none. */
void pci_msix_raise(PciMsix *msix, unsigned vector);
