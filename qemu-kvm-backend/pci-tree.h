/* pci-tree: the buses and functions below a host bridge, as the parts of pci.h share them: pci-tree.c (the tree itself and its
 * configuration space), pci-map.c (where BARs answer) and pci-intx.c (the lines of interrupt pins).
 */
#pragma once

#include "qemu-kvm-backend/pci.h"

struct PciBus {
    Pci *pci;
    PciFunction *bridge; /* that leads here; NULL: the root */
    const char *name;
    PciFunction *first;
};

struct Pci {
    pthread_mutex_t lock;
    PciBus root;
    pthread_mutex_t irq_lock; /* of what follows and fn->intx; a leaf, but for what drives the board's lines */
    unsigned n_raised[PCI_LINES]; /* functions that hold a line up */
    uint8_t isa_irqs[PCI_LINES];  /* where the line leads to besides its GSI; 0: nowhere */
    uint16_t isa_up;              /* a bit for each of those IRQs */
};

/* After a write to COMMAND: what the function's pin does to its line now. */
void pci_mask_intx(PciFunction *fn);
/* STATUS, before it is read: whether an interrupt waits. With the function's lock. */
void pci_refresh_status(PciFunction *fn);
