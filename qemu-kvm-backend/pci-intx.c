/* The interrupt pins of functions, and the lines that they share. */
#include "qemu-kvm-backend/pci-msix.h"
#include "qemu-kvm-backend/pci-tree.h"

#define STATUS_INTERRUPT 0x0008
#define FIRST_GSI        16

unsigned
pci_line(unsigned slot, unsigned pin)
{
    return (slot + pin - 1) % PCI_LINES;
}

/* Each bridge turns the pins by the slot (PCI-to-PCI bridge 1.2, section 9.1). */
static unsigned
line_of(const PciFunction *fn)
{
    unsigned slot = fn->slot, pin = 1;

    for (const PciFunction *bridge = fn->bus->bridge; bridge; bridge = bridge->bus->bridge) {
        pin = (pin - 1 + slot) % 4 + 1;
        slot = bridge->slot;
    }
    return pci_line(slot, pin);
}

/* With irq_lock: @irq is up while one of the lines is that lead to it. */
static void
drive_isa(Pci *pci, Board *board, unsigned irq)
{
    uint16_t bit = 1u << irq;
    bool up = false;

    if (irq == 0)
        return;
    for (unsigned line = 0; line < PCI_LINES; line++)
        up |= pci->isa_irqs[line] == irq && pci->n_raised[line] > 0;
    if (up == !!(pci->isa_up & bit))
        return;
    pci->isa_up ^= bit;
    board->set_shared_irq(board, irq, up);
}

/* With irq_lock. */
static void
drive_line(PciFunction *fn, bool level, bool masked)
{
    bool before = fn->intx && !fn->intx_masked, after = level && !masked;
    Pci *pci = fn->bus->pci;
    unsigned line = line_of(fn), n;

    fn->intx = level;
    fn->intx_masked = masked;
    if (before == after)
        return;
    n = pci->n_raised[line];
    pci->n_raised[line] = after ? n + 1 : n - 1;
    if (n != !after)
        return; /* neither the first one up nor the last one down */
    fn->dev.board->set_irq(fn->dev.board, FIRST_GSI + line, after);
    drive_isa(pci, fn->dev.board, pci->isa_irqs[line]);
}

void
pci_lead_line(PciFunction *fn, unsigned line, unsigned irq)
{
    Pci *pci = fn->bus->pci;
    unsigned before;

    pthread_mutex_lock(&pci->irq_lock);
    before = pci->isa_irqs[line];
    pci->isa_irqs[line] = irq;
    drive_isa(pci, fn->dev.board, before);
    drive_isa(pci, fn->dev.board, irq);
    pthread_mutex_unlock(&pci->irq_lock);
}

void
pci_set_intx(PciFunction *fn, bool level)
{
    Pci *pci = fn->bus->pci;

    pthread_mutex_lock(&pci->irq_lock);
    drive_line(fn, level, fn->intx_masked);
    pthread_mutex_unlock(&pci->irq_lock);
}

void
pci_mask_intx(PciFunction *fn)
{
    Pci *pci = fn->bus->pci;

    pthread_mutex_lock(&pci->irq_lock);
    drive_line(fn, fn->intx,
               pci_get(fn, PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE || (fn->msix && pci_msix_is_enabled(fn->msix)));
    pthread_mutex_unlock(&pci->irq_lock);
}

void
pci_refresh_status(PciFunction *fn)
{
    Pci *pci = fn->bus->pci;
    uint32_t status = pci_get(fn, PCI_STATUS, 2) & ~STATUS_INTERRUPT;

    pthread_mutex_lock(&pci->irq_lock);
    pci_set(fn, PCI_STATUS, 2, fn->intx ? status | STATUS_INTERRUPT : status);
    pthread_mutex_unlock(&pci->irq_lock);
}
