/* vpci: virtio over PCI, what the files of the transport share: pci-transport.c builds a device, pci-run.c runs it,
 * pci-common.c and pci-bar.c are what the driver sees, pci-state.c what is saved. Nobody else includes this.
 *
 * All under the device's lock, but for what says otherwise.
 */
#pragma once

#include "qemu-kvm-backend/pci-msix.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/virtio/virtio.h"

#include <stdatomic.h>

#define VPCI_BAR_MSIX       1
#define VPCI_BAR_STRUCTURES 4
#define VPCI_BAR_SIZE       0x4000u
#define VPCI_STRUCTURE_SIZE 0x1000u /* a page in the BAR for each */
#define VPCI_AT_NOTIFY      0x3000u
#define VPCI_NOTIFY_STEP    4u /* the multiplier: each queue has an address of its own */

/* Of the status, virtio 1.2 section 2.1 */
#define VPCI_DRIVER_OK   0x04u
#define VPCI_FEATURES_OK 0x08u

typedef struct VirtioPci VirtioPci;

/* How the driver set a queue up, and how its notifications come. */
typedef struct PciQueue {
    VirtioPci *vpci;
    unsigned index;
    QueueSetup setup;
    _Atomic uint16_t vector;
    int kick_fd; /* eventfd; -1: none yet */
    LoopSource *source;
    bool doorbell; /* the board has the eventfd, at @doorbell_gpa */
    uint64_t doorbell_gpa;
    QueuePosition position; /* as it is saved */
} PciQueue;

struct VirtioPci {
    PciFunction fn;
    VirtioDevice *vdev;
    PciMsix *msix;
    unsigned cfg_cap; /* of the window to the BAR in configuration space, 4.1.4.9 */
    int work_fd;      /* eventfd: there is something to do in the loop's thread */
    LoopSource *work;
    bool running;             /* the machine is; set in the loop's thread */
    pthread_mutex_t isr_lock; /* a leaf, but for pci_set_intx(): of @isr and the pin */
    unsigned isr;
    _Atomic uint8_t generation;
    _Atomic uint16_t config_vector;

    /* What the driver wrote. */
    uint8_t status;
    uint8_t left; /* the status before 0 was written, until that has been done in the loop's thread; else 0 */
    uint32_t feature_select, driver_feature_select;
    uint64_t driver_features;
    uint16_t queue_select;
    PciQueue queues[VIRTIO_QUEUES_MAX];
};

static inline VirtioPci *
vpci_of(VirtioDevice *vdev)
{
    return (VirtioPci *)vdev->dev;
}

/* pci-run.c: interrupts, notifications, and when the device runs. */

extern const VirtioTransport vpci_transport;

void vpci_raise_queue(VirtioDevice *vdev, unsigned queue); /* any thread, any lock */
/* The interrupt status, which reading clears (4.1.4.5). */
unsigned vpci_take_isr(VirtioPci *v);
void vpci_kick(VirtioDevice *vdev, unsigned queue); /* any thread, any lock */
/* The BAR has moved, and the doorbells in it do too. */
void vpci_move_doorbells(VirtioPci *v);
/* Whether driver and machine let the device run. */
bool vpci_may_run(const VirtioPci *v);
/* Has vpci_update() called in the thread of the device's loop. Any thread, any lock. */
void vpci_ask_for_update(VirtioPci *v);
/* The LoopFn that does so. */
void vpci_on_work(void *data, uint32_t events);

/* In the thread of the loop. */

/* Brings the device to where driver and machine want it. */
void vpci_update(VirtioPci *v);
void vpci_stop(VirtioPci *v);
void vpci_close_kick(PciQueue *queue);
/* The device as it was before the first driver: what that wrote, and what the device made of it. The second in any
 * thread where the device has not run since. */
void vpci_forget_settings(VirtioPci *v);
void vpci_forget_work(VirtioPci *v);
/* The device takes what the driver is done with according to @status: its choice of features, where the queues are. In
 * any thread while the device does not run. */
void vpci_adopt(VirtioPci *v, unsigned status);

/* pci-common.c: the common configuration, 4.1.4.3. @offset is in its page. */

uint64_t vpci_common_read(VirtioPci *v, uint64_t offset, unsigned size);
void vpci_common_write(VirtioPci *v, uint64_t offset, unsigned size, uint64_t value);
/* Whether a driver could have set the device up in this way. */
bool vpci_is_consistent(const VirtioPci *v);

/* pci-state.c: what is saved of it. */

extern const StateTable vpci_state;

/* pci-bar.c: the structures in the BAR, and what configuration space says of them. */

extern const BusOps vpci_bar_ops;
extern const PciOps vpci_pci_ops;

void vpci_add_capabilities(VirtioPci *v);
