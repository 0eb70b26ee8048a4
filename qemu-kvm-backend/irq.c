#include "qemu-kvm-backend/irq.h"

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define LINES    24
#define ISA_IRQS 16
#define PIC_PINS 8
#define TIMER    2    /* the I/O APIC's pin of the PIT, ISA IRQ 0, as the MADT says */
#define MSIS_MAX 1024 /* of the 4096 routes that KVM has */

typedef struct Msi {
    int fd;    /* -1: free */
    bool open; /* has its irqfd */
    MsiMessage message;
} Msi;

/* Its lock is a leaf. The table of routes goes to KVM as a whole. */
struct Irqs {
    Kvm *kvm;
    pthread_mutex_t lock;
    Msi *msis;
    int n_msis;
};

static void
add_chip(struct kvm_irq_routing *table, unsigned gsi, unsigned chip, unsigned pin)
{
    table->entries[table->nr++] = (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = { .irqchip = chip, .pin = pin },
    };
}

/* Nothing is at GSI 2: on the PICs it is the cascade, on the I/O APIC the pin of the timer. */
static void
add_lines(struct kvm_irq_routing *table)
{
    for (unsigned gsi = 0; gsi < LINES; gsi++) {
        if (gsi == TIMER)
            continue;
        if (gsi < ISA_IRQS)
            add_chip(table, gsi, gsi < PIC_PINS ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
                     gsi % PIC_PINS);
        add_chip(table, gsi, KVM_IRQCHIP_IOAPIC, gsi == 0 ? TIMER : gsi);
    }
}

static void
add_message(struct kvm_irq_routing *table, unsigned gsi, const MsiMessage *message)
{
    table->entries[table->nr++] = (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_MSI,
        .u.msi = {
            .address_lo = message->address,
            .address_hi = message->address >> 32,
            .data = message->data,
        },
    };
}

static bool
set_routes(Irqs *irqs)
{
    size_t n = LINES + ISA_IRQS + irqs->n_msis;
    struct kvm_irq_routing *table =
        vmm_must(calloc(1, sizeof(*table) + n * sizeof(table->entries[0])));
    int result;

    add_lines(table);
    for (int i = 0; i < irqs->n_msis; i++) {
        if (irqs->msis[i].open)
            add_message(table, LINES + i, &irqs->msis[i].message);
    }
    result = ioctl(kvm_vm_fd(irqs->kvm), KVM_SET_GSI_ROUTING, table);
    free(table);
    return result == 0;
}

Irqs *
irqs_new(Kvm *kvm, VmmError *err)
{
    Irqs *irqs = vmm_must(calloc(1, sizeof(*irqs)));

    irqs->kvm = kvm;
    pthread_mutex_init(&irqs->lock, NULL);
    if (set_routes(irqs))
        return irqs;
    vmm_error_errno(err, "Cannot tell KVM where interrupt lines lead");
    irqs_free(irqs);
    return NULL;
}

void
irqs_free(Irqs *irqs)
{
    if (!irqs)
        return;
    pthread_mutex_destroy(&irqs->lock);
    free(irqs->msis);
    free(irqs);
}

static int
find_free(Irqs *irqs)
{
    for (int i = 0; i < irqs->n_msis; i++) {
        if (irqs->msis[i].fd < 0)
            return i;
    }
    if (irqs->n_msis == MSIS_MAX)
        return -1;
    irqs->msis = vmm_must(realloc(irqs->msis, (irqs->n_msis + 1) * sizeof(Msi)));
    return irqs->n_msis++;
}

int
irqs_msi_new(Irqs *irqs, int fd)
{
    int msi;

    pthread_mutex_lock(&irqs->lock);
    msi = find_free(irqs);
    if (msi >= 0)
        irqs->msis[msi] = (Msi){ .fd = fd };
    pthread_mutex_unlock(&irqs->lock);
    if (msi < 0)
        errno = ENOSPC;
    return msi;
}

static bool
assign(Irqs *irqs, int msi, bool on)
{
    struct kvm_irqfd irqfd = {
        .fd = irqs->msis[msi].fd,
        .gsi = LINES + msi,
        .flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
    };

    return ioctl(kvm_vm_fd(irqs->kvm), KVM_IRQFD, &irqfd) == 0;
}

/* KVM delivers what has waited in the eventfd when the irqfd is assigned, for which the route must be there. */
static bool
open_msi(Irqs *irqs, int msi, const MsiMessage *message)
{
    Msi *m = &irqs->msis[msi], before = *m;

    m->open = true;
    m->message = *message;
    if (set_routes(irqs) && (before.open || assign(irqs, msi, true)))
        return true;
    *m =
        before; /* the table goes to KVM as a whole: a message that it refuses would spoil it for all */
    return false;
}

/* Its route stays in the table until the next change: without irqfd nothing uses it. */
static bool
close_msi(Irqs *irqs, int msi)
{
    if (irqs->msis[msi].open)
        assign(irqs, msi, false);
    irqs->msis[msi].open = false;
    return true;
}

bool
irqs_msi_set(Irqs *irqs, int msi, const MsiMessage *message)
{
    bool done;

    pthread_mutex_lock(&irqs->lock);
    done = message ? open_msi(irqs, msi, message) : close_msi(irqs, msi);
    pthread_mutex_unlock(&irqs->lock);
    return done;
}

void
irqs_msi_free(Irqs *irqs, int msi)
{
    pthread_mutex_lock(&irqs->lock);
    close_msi(irqs, msi);
    irqs->msis[msi].fd = -1;
    pthread_mutex_unlock(&irqs->lock);
}

bool
irqs_doorbell(Irqs *irqs, const Doorbell *doorbell, int fd, bool add)
{
    struct kvm_ioeventfd event = {
        .addr = doorbell->addr,
        .len = doorbell->size,
        .fd = fd,
        .datamatch = doorbell->match ? *doorbell->match : 0,
        .flags = (doorbell->match ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0) |
                 (doorbell->pio ? KVM_IOEVENTFD_FLAG_PIO : 0) |
                 (add ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN),
    };

    return ioctl(kvm_vm_fd(irqs->kvm), KVM_IOEVENTFD, &event) == 0;
}
