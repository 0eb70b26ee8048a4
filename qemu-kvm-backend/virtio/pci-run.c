/* pci-run: a virtio device on PCI at work. Notifications come by doorbells, eventfds that the thread of the device's
 * loop reads, so that no vCPU leaves the guest for them; starting and stopping is done in that thread too. */
#include "qemu-kvm-backend/virtio/vpci.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ISR_QUEUE  1u
#define ISR_CONFIG 2u

/* Interrupts. */

static void
set_isr(VirtioPci *v, unsigned bit, bool pin)
{
    pthread_mutex_lock(&v->isr_lock);
    v->isr |= bit;
    if (pin)
        pci_set_intx(&v->fn, true);
    pthread_mutex_unlock(&v->isr_lock);
}

/* Reading clears it and lets go of the pin, 4.1.4.5. */
unsigned
vpci_take_isr(VirtioPci *v)
{
    unsigned isr;

    pthread_mutex_lock(&v->isr_lock);
    isr = v->isr;
    v->isr = 0;
    pci_set_intx(&v->fn, false);
    pthread_mutex_unlock(&v->isr_lock);
    return isr;
}

void
vpci_raise_queue(VirtioDevice *vdev, unsigned queue)
{
    VirtioPci *v = vpci_of(vdev);

    if (pci_msix_is_enabled(v->msix))
        pci_msix_raise(v->msix, atomic_load(&v->queues[queue].vector));
    else
        set_isr(v, ISR_QUEUE, true);
}

/* The interrupt status says so even where a vector does, and the pin is left alone (4.1.4.5.1). */
static void
notify_config(VirtioPci *v)
{
    bool msix = pci_msix_is_enabled(v->msix);

    set_isr(v, ISR_CONFIG, !msix);
    if (msix)
        pci_msix_raise(v->msix, atomic_load(&v->config_vector));
}

static void
raise_config(VirtioDevice *vdev)
{
    VirtioPci *v = vpci_of(vdev);

    atomic_fetch_add(&v->generation, 1);
    if (v->status & VPCI_DRIVER_OK) /* before that nobody listens (3.1.1) */
        notify_config(v);
}

void
vpci_kick(VirtioDevice *vdev, unsigned queue)
{
    if (vpci_of(vdev)->queues[queue].kick_fd >= 0)
        eventfd_write(vpci_of(vdev)->queues[queue].kick_fd, 1);
}

const VirtioTransport vpci_transport = { vpci_raise_queue, raise_config, vpci_kick };

/* Running the device, in the thread of its loop. */

static void
on_kick(void *data, uint32_t events)
{
    PciQueue *queue = data;
    VirtioDevice *vdev = queue->vpci->vdev;
    eventfd_t n;

    eventfd_read(queue->kick_fd, &n);
    pthread_mutex_lock(&vdev->dev->lock);
    if (vdev->started && !vdev->broken && queue_is_ready(vdev->queues[queue->index]))
        vdev->class->kick(vdev, queue->index);
    pthread_mutex_unlock(&vdev->dev->lock);
}

/* Where the driver notifies a queue, while the BAR answers. */
static void
move_doorbell(PciQueue *queue)
{
    Board *board = queue->vpci->fn.dev.board;
    const PciBar *bar = &queue->vpci->fn.bars[VPCI_BAR_STRUCTURES];

    if (queue->doorbell)
        board->remove_doorbell(board, queue->doorbell_gpa, queue->kick_fd);
    queue->doorbell_gpa = bar->base + VPCI_AT_NOTIFY + queue->index * VPCI_NOTIFY_STEP;
    queue->doorbell = bar->mapped && queue->kick_fd >= 0 &&
                      board->add_doorbell(board, queue->doorbell_gpa, queue->kick_fd);
}

void
vpci_move_doorbells(VirtioPci *v)
{
    for (unsigned i = 0; i < v->vdev->n_queues; i++)
        move_doorbell(&v->queues[i]);
}

static bool
open_kick(PciQueue *queue)
{
    if (queue->kick_fd >= 0)
        return true;
    queue->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (queue->kick_fd < 0)
        return false;
    queue->source = loop_add_fd(queue->vpci->vdev->loop, queue->kick_fd, EPOLLIN, on_kick, queue);
    if (queue->source && queue->vpci->vdev->class->quick)
        loop_source_set_quick(queue->source);
    move_doorbell(queue);
    return queue->source != NULL;
}

void
vpci_close_kick(PciQueue *queue)
{
    Board *board = queue->vpci->fn.dev.board;

    if (queue->kick_fd < 0)
        return;
    if (queue->doorbell)
        board->remove_doorbell(board, queue->doorbell_gpa, queue->kick_fd);
    loop_source_free(queue->source);
    close(queue->kick_fd);
    queue->doorbell = false;
    queue->source = NULL;
    queue->kick_fd = -1;
}

static void
start(VirtioPci *v)
{
    VirtioDevice *vdev = v->vdev;

    for (unsigned i = 0; i < vdev->n_queues; i++) {
        if (queue_is_ready(vdev->queues[i]) && !open_kick(&v->queues[i])) {
            virtio_break(vdev, "the host has no descriptor left for its notifications");
            return;
        }
    }
    vdev->started = true;
    if (vdev->class->start)
        vdev->class->start(vdev);
    for (unsigned i = 0; i < vdev->n_queues; i++)
        vpci_kick(vdev, i);
}

void
vpci_stop(VirtioPci *v)
{
    if (!v->vdev->started)
        return;
    if (v->vdev->class->stop)
        v->vdev->class->stop(v->vdev);
    v->vdev->started = false;
}

void
vpci_forget_settings(VirtioPci *v)
{
    v->status = 0;
    v->feature_select = v->driver_feature_select = 0;
    v->driver_features = 0;
    v->queue_select = 0;
    atomic_store(&v->config_vector, PCI_MSIX_NONE);
    for (unsigned i = 0; i < v->vdev->n_queues; i++) {
        v->queues[i].setup = (QueueSetup){ .size = v->vdev->queue_size };
        atomic_store(&v->queues[i].vector, PCI_MSIX_NONE);
    }
}

void
vpci_forget_work(VirtioPci *v)
{
    v->left = 0;
    v->vdev->driver_features = 0;
    v->vdev->broken = false;
    for (unsigned i = 0; i < v->vdev->n_queues; i++) {
        vpci_close_kick(&v->queues[i]);
        queue_unmap(v->vdev->queues[i]);
    }
    if (v->vdev->class->reset)
        v->vdev->class->reset(v->vdev);
    vpci_take_isr(v);
}

/* They stay where they are from here on. */
static void
map_queues(VirtioPci *v)
{
    for (unsigned i = 0; i < v->vdev->n_queues; i++) {
        const QueueSetup *setup = &v->queues[i].setup;

        if (setup->enabled &&
            !queue_map(v->vdev->queues[i], setup, v->vdev->queue_size, v->vdev->driver_features))
            virtio_break(v->vdev, "a queue is misplaced");
    }
}

void
vpci_adopt(VirtioPci *v, unsigned status)
{
    if (status & VPCI_FEATURES_OK)
        v->vdev->driver_features = v->driver_features;
    if (status & VPCI_DRIVER_OK)
        map_queues(v);
}

/* Without bus mastering a device leaves memory alone: kernels that start another one rely on it. That is so once the thread
 * of its loop has stopped it, which the driver's write does not wait for: until then packets and other input of the host
 * may still come, and a disk's requests end. */
bool
vpci_may_run(const VirtioPci *v)
{
    return v->running && !v->vdev->broken && v->status & VPCI_DRIVER_OK &&
           pci_get(&v->fn, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}

/* Brings the device to where driver and machine want it. In the thread of its loop, with the lock. */
void
vpci_update(VirtioPci *v)
{
    if (v->left) {
        vpci_stop(v);
        vpci_forget_work(v);
        vpci_adopt(v, v->status); /* of a driver that did not wait for this */
    }
    if (vpci_may_run(v) && !v->vdev->started)
        start(v);
    else if (!vpci_may_run(v) && !v->vdev->broken)
        vpci_stop(v);
}

void
vpci_on_work(void *data, uint32_t events)
{
    VirtioPci *v = data;
    eventfd_t n;

    eventfd_read(v->work_fd, &n);
    pthread_mutex_lock(&v->fn.dev.lock);
    vpci_update(v);
    pthread_mutex_unlock(&v->fn.dev.lock);
}

void
vpci_ask_for_update(VirtioPci *v)
{
    eventfd_write(v->work_fd, 1);
}
