/* irq: interrupts and notifications that pass between a guest and eventfds within KVM: its routing table,
 * irqfds and ioeventfds (api.rst 4.52, 4.75, 4.59).
 *
 * GSI 0 to 23 are the lines of the PICs and the I/O APIC; those above are messages.
 */
#pragma once

#include "qemu-kvm-backend/device.h"
#include "qemu-kvm-backend/kvm.h"

typedef struct Irqs Irqs;

/* Gives KVM the routes of the lines; @kvm stays the caller's. NULL with @err. */
Irqs *irqs_new(Kvm *kvm, VmmError *err);
void irqs_free(Irqs *irqs);

/* What Board says of msi_new, msi_set and msi_free. Any thread. */
int irqs_msi_new(Irqs *irqs, int fd);
bool irqs_msi_set(Irqs *irqs, int msi, const MsiMessage *message);
void irqs_msi_free(Irqs *irqs, int msi);

/* A guest's writes to @addr, of memory or port space, of @size bytes (0: any) and of @match where there is
 * one, signal an eventfd. */
typedef struct Doorbell {
    uint64_t addr;
    unsigned size;
    bool pio;
    const uint64_t *match;
} Doorbell;

/* False with errno. Any thread. */
bool irqs_doorbell(Irqs *irqs, const Doorbell *doorbell, int fd, bool add);
