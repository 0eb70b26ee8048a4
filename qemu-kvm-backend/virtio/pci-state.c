/* pci-state: what is saved of a virtio device over PCI: the function, what the driver has set up, where its
 * queues are; and what the device itself keeps (VirtioClass.state). Offsets in the queues are taken when the device
 * has stopped, so that no request is on its way. */
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/virtio/vpci.h"

static void
take_position(void *object)
{
    PciQueue *queue = object;

    queue->position = queue_position(queue->vpci->vdev->queues[queue->index]);
}

static const StateField queue_fields[] = {
    STATE_NUMBER(PciQueue, setup.size),
    STATE_NUMBER(PciQueue, setup.desc),
    STATE_NUMBER(PciQueue, setup.driver),
    STATE_NUMBER(PciQueue, setup.device),
    STATE_NUMBER(PciQueue, setup.enabled),
    STATE_NUMBER(PciQueue, vector),
    STATE_NUMBER(PciQueue, position.next_avail),
    STATE_NUMBER(PciQueue, position.next_used),
    STATE_NUMBER(PciQueue, position.told_used),
    STATE_NUMBER(PciQueue, position.told_once),
    STATE_END,
};

static const StateTable queue_table = { .version = 1,
                                        .fields = queue_fields,
                                        .before_save = take_position };

static size_t
n_queues(const void *object)
{
    return ((const VirtioPci *)object)->vdev->n_queues;
}

static void *
find_msix(void *object)
{
    return ((VirtioPci *)object)->msix;
}

static void *
find_device(void *object, const StateTable **ret_table)
{
    static const StateField none[] = { STATE_END };
    static const StateTable stateless = { .version = 1, .fields = none };
    VirtioDevice *vdev = ((VirtioPci *)object)->vdev;

    *ret_table = vdev->class->state ? vdev->class->state : &stateless;
    return vdev;
}

static uint64_t
get_broken(const void *object)
{
    return ((const VirtioPci *)object)->vdev->broken;
}

static bool
set_broken(void *object, uint64_t value)
{
    ((VirtioPci *)object)->vdev->broken = value;
    return value <= 1;
}

static bool
map_queue(VirtioPci *v, unsigned i, VmmError *err)
{
    VirtioDevice *vdev = v->vdev;
    PciQueue *queue = &v->queues[i];

    if (!queue->setup.enabled || vdev->broken)
        return true;
    if (!queue_map(vdev->queues[i], &queue->setup, vdev->queue_size, vdev->driver_features))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Queue %u of the saved device '%s' has no place in this machine", i,
                         vdev->dev->id);
    queue_set_position(vdev->queues[i], &queue->position);
    return true;
}

/* Under the lock, as what the driver writes: the thread of the device's loop reads it when the machine runs. */
static bool
vpci_loaded(void *object, VmmError *err)
{
    VirtioPci *v = object;
    bool good = true;

    if (!vpci_is_consistent(v))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The driver of the saved device '%s' uses what this device does not offer",
                         v->fn.dev.id);
    pthread_mutex_lock(&v->fn.dev.lock);
    if (v->status & VPCI_FEATURES_OK)
        v->vdev->driver_features = v->driver_features;
    for (unsigned i = 0; v->status & VPCI_DRIVER_OK && good && i < v->vdev->n_queues; i++)
        good = map_queue(v, i, err);
    pthread_mutex_unlock(&v->fn.dev.lock);
    return good;
}

static const StateField vpci_fields[] = {
    STATE_STRUCT(VirtioPci, fn, &pci_function_state),
    STATE_PART("msix", find_msix, &pci_msix_state),
    STATE_NUMBER(VirtioPci, isr),
    STATE_NUMBER(VirtioPci, generation),
    STATE_NUMBER(VirtioPci, config_vector),
    STATE_NUMBER(VirtioPci, status),
    STATE_NUMBER(VirtioPci, feature_select),
    STATE_NUMBER(VirtioPci, driver_feature_select),
    STATE_NUMBER(VirtioPci, driver_features),
    STATE_NUMBER(VirtioPci, queue_select),
    STATE_VALUE("broken", get_broken, set_broken),
    STATE_SOME(VirtioPci, queues, n_queues, &queue_table),
    STATE_PART_OF("device", find_device),
    STATE_END,
};

const StateTable vpci_state = { .version = 1, .fields = vpci_fields, .loaded = vpci_loaded };
