/* pci-transport: virtio over PCI, without the legacy interface (virtio 1.2, section 4.1).
 *
 * One BAR holds the structures, a page each, and one the MSI-X table. Notifications come by doorbells:
 * eventfds that the thread of the device's loop reads, so that no vCPU leaves the guest for them.
 * A driver's writes to the status are noted by its vCPU; what they lead to (start, stop) is done in
 * that same thread, and the driver sees a reset as finished when it is (2.1.2, 4.1.4.3.1). One that does not wait for
 * that goes on as if it were: the device gets what it wrote once it has stopped.
 * Here is how such a device is built, and the machine's hooks; vpci.h has the rest.
 *
 * Keys of "virtio-pci": device string (the VirtioClass), bus?, slot?, function? (pci.h), and what that
 * class reads.
 */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/virtio/vpci.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define VENDOR         0x1af4
#define DEVICE_BASE    0x1040 /* and the virtio device id (4.1.2) */
#define CLASS_REVISION 1

static bool
create_vdev(VirtioPci *v, VmmMsg *params, VmmError *err)
{
    Device *dev = &v->fn.dev;
    const VirtioClass *class;
    const char *name;

    if (!vmm_msg_get_string(params, "device", &name))
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s': the string 'device' is missing",
                         dev->id);
    class = virtio_class_find(name);
    if (!class)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "There is no virtio device '%s'", name);
    v->vdev = vmm_must(calloc(1, class->size));
    v->vdev->class = class;
    v->vdev->dev = dev;
    v->vdev->transport = &vpci_transport;
    v->vdev->loop = dev->board->loop;
    if (!class->create(v->vdev, params, err))
        return false;
    assert(v->vdev->n_queues <= VIRTIO_QUEUES_MAX && v->vdev->queue_size <= QUEUE_SIZE_MAX &&
           v->vdev->config_size <= VPCI_STRUCTURE_SIZE);
    return true;
}

static bool
create_function(VirtioPci *v, VmmMsg *params, VmmError *err)
{
    const PciIdentity identity = { VENDOR, DEVICE_BASE + v->vdev->class->id, CLASS_REVISION,
                                   v->vdev->class->pci_class };

    pci_init(&v->fn, &identity, &vpci_pci_ops);
    pci_add_pin(&v->fn);
    pci_add_bar(&v->fn, VPCI_BAR_STRUCTURES, VPCI_BAR_SIZE, PCI_BAR_64 | PCI_BAR_PREFETCH,
                &vpci_bar_ops);
    v->msix = pci_msix_new(&v->fn, VPCI_BAR_MSIX, v->vdev->n_queues + 1, err);
    if (!v->msix)
        return false;
    vpci_add_capabilities(v);
    return pci_plug(&v->fn, params, err);
}

static void
queue_raises(void *data, unsigned index)
{
    vpci_raise_queue(data, index);
}

static void
queue_broke(void *data, const char *why)
{
    virtio_break(data, why);
}

static void
create_queues(VirtioPci *v)
{
    QueueOwner owner = { v->fn.dev.board->memory, queue_raises, queue_broke, v->vdev };

    for (unsigned i = 0; i < v->vdev->n_queues; i++) {
        v->queues[i] = (PciQueue){ .vpci = v, .index = i, .kick_fd = -1 };
        v->vdev->queues[i] = queue_new(i, &owner);
    }
}

static void
add_work(void *data)
{
    VirtioPci *v = data;

    v->work = loop_add_fd(v->vdev->loop, v->work_fd, EPOLLIN, vpci_on_work, v);
}

static bool
virtio_pci_create(Device *dev, VmmMsg *params, VmmError *err)
{
    VirtioPci *v = (VirtioPci *)dev;

    pthread_mutex_init(&v->isr_lock, NULL);
    v->work_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (v->work_fd < 0)
        return vmm_error_errno(err, "Device '%s': there is no descriptor for its work", dev->id);
    if (!create_vdev(v, params, err))
        return false;
    create_queues(v);
    loop_run_in(v->vdev->loop, add_work, v);
    if (!v->work)
        return vmm_error_errno(err, "Device '%s': its loop cannot watch it", dev->id);
    return create_function(v, params, err);
}

/* The machine's hooks take the lock although no vCPU runs: the loop's other functions do. */
static void
reset_in_loop(void *data)
{
    VirtioPci *v = data;

    pthread_mutex_lock(&v->fn.dev.lock);
    vpci_stop(v);
    vpci_forget_settings(v);
    vpci_forget_work(v);
    pci_msix_reset(v->msix);
    pthread_mutex_unlock(&v->fn.dev.lock);
}

static void
pause_in_loop(void *data)
{
    VirtioPci *v = data;

    pthread_mutex_lock(&v->fn.dev.lock);
    v->running = false;
    vpci_update(v);
    vpci_stop(v);
    pthread_mutex_unlock(&v->fn.dev.lock);
}

static void
resume_in_loop(void *data)
{
    VirtioPci *v = data;

    pthread_mutex_lock(&v->fn.dev.lock);
    v->running = true;
    vpci_update(v);
    pthread_mutex_unlock(&v->fn.dev.lock);
}

static void
virtio_pci_reset(Device *dev)
{
    VirtioPci *v = (VirtioPci *)dev;

    loop_run_in(v->vdev->loop, reset_in_loop, v);
    pci_reset(&v->fn);
}

static void
virtio_pci_pause(Device *dev)
{
    loop_run_in(((VirtioPci *)dev)->vdev->loop, pause_in_loop, dev);
}

static void
virtio_pci_resume(Device *dev)
{
    loop_run_in(((VirtioPci *)dev)->vdev->loop, resume_in_loop, dev);
}

/* A request on its way to the loop's thread. */
typedef struct Tell {
    VirtioPci *vpci;
    VmmMsg *request, *reply;
    VmmError *err;
    bool done;
} Tell;

static void
tell_in_loop(void *data)
{
    Tell *tell = data;
    VirtioDevice *vdev = tell->vpci->vdev;

    pthread_mutex_lock(&vdev->dev->lock);
    tell->done = vdev->class->tell(vdev, tell->request, tell->reply, tell->err);
    pthread_mutex_unlock(&vdev->dev->lock);
}

static bool
virtio_pci_tell(Device *dev, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    VirtioDevice *vdev = ((VirtioPci *)dev)->vdev;
    Tell tell = { (VirtioPci *)dev, request, reply, err, false };

    if (!vdev->class->tell)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "Device '%s' can be told nothing", dev->id);
    loop_run_in(vdev->loop, tell_in_loop, &tell);
    return tell.done;
}

static bool
virtio_pci_flush(Device *dev, VmmError *err)
{
    VirtioDevice *vdev = ((VirtioPci *)dev)->vdev;

    return !vdev->class->flush || vdev->class->flush(vdev, err);
}

static void
destroy_in_loop(void *data)
{
    VirtioPci *v = data;

    pthread_mutex_lock(&v->fn.dev.lock);
    vpci_stop(v);
    for (unsigned i = 0; i < v->vdev->n_queues; i++) {
        if (v->vdev->queues[i])
            vpci_close_kick(&v->queues[i]);
    }
    loop_source_free(v->work);
    pthread_mutex_unlock(&v->fn.dev.lock);
}

static bool
virtio_pci_eject(Device *dev, VmmError *err)
{
    return pci_eject((PciFunction *)dev, err);
}

static void
virtio_pci_destroy(Device *dev)
{
    VirtioPci *v = (VirtioPci *)dev;

    if (v->vdev)
        loop_run_in(v->vdev->loop, destroy_in_loop, v);
    pci_unplug(&v->fn);
    pci_msix_free(v->msix);
    for (unsigned i = 0; v->vdev && i < v->vdev->n_queues; i++)
        queue_free(v->vdev->queues[i]);
    if (v->vdev && v->vdev->class->destroy)
        v->vdev->class->destroy(v->vdev);
    free(v->vdev);
    if (v->work_fd >= 0)
        close(v->work_fd);
    pthread_mutex_destroy(&v->isr_lock);
}

const DeviceClass virtio_pci_class = {
    .name = VMM_CLASS_VIRTIO_PCI,
    .needs = device_pci_classes,
    .size = sizeof(VirtioPci),
    .create = virtio_pci_create,
    .reset = virtio_pci_reset,
    .pause = virtio_pci_pause,
    .resume = virtio_pci_resume,
    .tell = virtio_pci_tell,
    .flush = virtio_pci_flush,
    .eject = virtio_pci_eject,
    .state = &vpci_state,
    .destroy = virtio_pci_destroy,
};
