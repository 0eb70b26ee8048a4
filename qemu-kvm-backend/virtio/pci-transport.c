/* pci-transport: virtio over PCI, without the legacy interface (virtio 1.2, section 4.1).
 *
 * One BAR holds the structures, a page each, and one the MSI-X table. Notifications come by doorbells:
 * eventfds that the thread of the device's loop reads, so that no vCPU leaves the guest for them.
 * A driver's writes to the status are noted by its vCPU; what they lead to (start, stop) is done in
 * that same thread, and the driver sees a reset as finished when it is (2.1.2, 4.1.4.3.1).
 *
 * Keys of "virtio-pci": device string (the VirtioClass), bus?, slot?, function? (pci.h), and what that
 * class reads.
 */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/pci-msix.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/virtio/virtio.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define VENDOR         0x1af4
#define DEVICE_BASE    0x1040 /* and the virtio device id (4.1.2) */
#define CLASS_REVISION 1

#define BAR_MSIX       1
#define BAR_STRUCTURES 4
#define BAR_SIZE       0x4000u
#define AT_COMMON      0x0000u /* in the BAR: a page for each structure */
#define AT_ISR         0x1000u
#define AT_DEVICE      0x2000u
#define AT_NOTIFY      0x3000u
#define STRUCTURE_SIZE 0x1000u
#define COMMON_SIZE    0x38u
#define NOTIFY_STEP    4u /* the multiplier: each queue has an address of its own */

/* Capabilities, 4.1.4 */
#define CAP_VENDOR       0x09
#define CAP_SIZE         16u
#define CAP_TYPE         3u /* offsets in them */
#define CAP_BAR          4u
#define CAP_OFFSET       8u
#define CAP_LENGTH       12u
#define CAP_EXTRA        16u
#define CAP_TYPE_COMMON  1
#define CAP_TYPE_NOTIFY  2
#define CAP_TYPE_ISR     3
#define CAP_TYPE_DEVICE  4
#define CAP_TYPE_PCI_CFG 5

/* Device status, 2.1 */
#define STATUS_DRIVER_OK   0x04u
#define STATUS_FEATURES_OK 0x08u
#define STATUS_NEEDS_RESET 0x40u
#define STATUS_WRITABLE    0x8fu /* ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, FAILED */

#define ISR_QUEUE  1u
#define ISR_CONFIG 2u

#define CORE_FEATURES                                                                              \
    (1ull << VIRTIO_F_INDIRECT_DESC | 1ull << VIRTIO_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1)

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
    bool resets; /* 0 was written, and has not been done yet */
    uint32_t feature_select, driver_feature_select;
    uint64_t driver_features;
    uint16_t queue_select;
    PciQueue queues[VIRTIO_QUEUES_MAX];
};

static VirtioPci *
of(VirtioDevice *vdev)
{
    return (VirtioPci *)vdev->dev;
}

/* Interrupts. */

static void
raise_pin(VirtioPci *v, unsigned bit)
{
    pthread_mutex_lock(&v->isr_lock);
    v->isr |= bit;
    pci_set_intx(&v->fn, true);
    pthread_mutex_unlock(&v->isr_lock);
}

/* Reading clears it and lets go of the pin, 4.1.4.5. */
static unsigned
take_isr(VirtioPci *v)
{
    unsigned isr;

    pthread_mutex_lock(&v->isr_lock);
    isr = v->isr;
    v->isr = 0;
    pci_set_intx(&v->fn, false);
    pthread_mutex_unlock(&v->isr_lock);
    return isr;
}

static void
raise(VirtioPci *v, unsigned vector, unsigned bit)
{
    if (pci_msix_is_enabled(v->msix))
        pci_msix_raise(v->msix, vector);
    else
        raise_pin(v, bit);
}

static void
raise_queue(VirtioDevice *vdev, unsigned queue)
{
    raise(of(vdev), atomic_load(&of(vdev)->queues[queue].vector), ISR_QUEUE);
}

static void
raise_config(VirtioDevice *vdev)
{
    VirtioPci *v = of(vdev);

    atomic_fetch_add(&v->generation, 1);
    if (v->status & STATUS_DRIVER_OK) /* before that nobody listens (3.1.1) */
        raise(v, atomic_load(&v->config_vector), ISR_CONFIG);
}

static void
kick(VirtioDevice *vdev, unsigned queue)
{
    if (of(vdev)->queues[queue].kick_fd >= 0)
        eventfd_write(of(vdev)->queues[queue].kick_fd, 1);
}

static const VirtioTransport transport = { raise_queue, raise_config, kick };

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
    const PciBar *bar = &queue->vpci->fn.bars[BAR_STRUCTURES];

    if (queue->doorbell)
        board->remove_doorbell(board, queue->doorbell_gpa, queue->kick_fd);
    queue->doorbell_gpa = bar->base + AT_NOTIFY + queue->index * NOTIFY_STEP;
    queue->doorbell = bar->mapped && queue->kick_fd >= 0 &&
                      board->add_doorbell(board, queue->doorbell_gpa, queue->kick_fd);
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
    move_doorbell(queue);
    return queue->source != NULL;
}

static void
close_kick(PciQueue *queue)
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
        kick(vdev, i);
}

static void
stop(VirtioPci *v)
{
    if (!v->vdev->started)
        return;
    if (v->vdev->class->stop)
        v->vdev->class->stop(v->vdev);
    v->vdev->started = false;
}

static void
forget_driver(VirtioPci *v)
{
    v->status = 0;
    v->resets = false;
    v->feature_select = v->driver_feature_select = 0;
    v->driver_features = 0;
    v->queue_select = 0;
    v->vdev->driver_features = 0;
    v->vdev->broken = false;
    atomic_store(&v->config_vector, PCI_MSIX_NONE);
    for (unsigned i = 0; i < v->vdev->n_queues; i++) {
        close_kick(&v->queues[i]);
        queue_unmap(v->vdev->queues[i]);
        v->queues[i].setup = (QueueSetup){ .size = v->vdev->queue_size };
        atomic_store(&v->queues[i].vector, PCI_MSIX_NONE);
    }
    if (v->vdev->class->reset)
        v->vdev->class->reset(v->vdev);
    take_isr(v);
}

/* Without bus mastering a device leaves memory alone: kernels that start another one rely on it. */
static bool
may_run(const VirtioPci *v)
{
    return v->running && !v->vdev->broken && v->status & STATUS_DRIVER_OK &&
           pci_get(&v->fn, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
}

/* Brings the device to where driver and machine want it. In the thread of its loop, with the lock. */
static void
update(VirtioPci *v)
{
    if (v->resets) {
        stop(v);
        forget_driver(v);
    }
    if (may_run(v) && !v->vdev->started)
        start(v);
    else if (!may_run(v) && !v->vdev->broken)
        stop(v);
}

static void
on_work(void *data, uint32_t events)
{
    VirtioPci *v = data;
    eventfd_t n;

    eventfd_read(v->work_fd, &n);
    pthread_mutex_lock(&v->fn.dev.lock);
    update(v);
    pthread_mutex_unlock(&v->fn.dev.lock);
}

static void
ask_for_update(VirtioPci *v)
{
    eventfd_write(v->work_fd, 1);
}

/* The common configuration, 4.1.4.3. */

static bool
is_configured(const VirtioPci *v)
{
    return v->resets || v->status & STATUS_DRIVER_OK;
}

static PciQueue *
selected(VirtioPci *v)
{
    return v->queue_select < v->vdev->n_queues ? &v->queues[v->queue_select] : NULL;
}

static uint64_t
offered(const VirtioPci *v)
{
    return v->vdev->features | CORE_FEATURES;
}

static uint64_t
read_feature_select(VirtioPci *v)
{
    return v->feature_select;
}

static void
write_feature_select(VirtioPci *v, uint64_t value)
{
    v->feature_select = value;
}

static uint64_t
read_feature(VirtioPci *v)
{
    return v->feature_select < 2 ? offered(v) >> (32 * v->feature_select) : 0;
}

static uint64_t
read_driver_feature_select(VirtioPci *v)
{
    return v->driver_feature_select;
}

static void
write_driver_feature_select(VirtioPci *v, uint64_t value)
{
    v->driver_feature_select = value;
}

static uint64_t
read_driver_feature(VirtioPci *v)
{
    return v->driver_feature_select < 2 ? v->driver_features >> (32 * v->driver_feature_select) : 0;
}

static void
write_driver_feature(VirtioPci *v, uint64_t value)
{
    unsigned shift = 32 * v->driver_feature_select;

    if (v->driver_feature_select >= 2 || v->status & STATUS_FEATURES_OK)
        return;
    v->driver_features &= ~(0xffffffffull << shift);
    v->driver_features |= (value & 0xffffffff) << shift;
}

/* A vector that is not there reads back as none (4.1.5.1.2). */
static uint16_t
checked_vector(const VirtioPci *v, uint64_t value)
{
    return value < pci_msix_count(v->msix) ? value : PCI_MSIX_NONE;
}

static uint64_t
read_config_vector(VirtioPci *v)
{
    return atomic_load(&v->config_vector);
}

static void
write_config_vector(VirtioPci *v, uint64_t value)
{
    atomic_store(&v->config_vector, checked_vector(v, value));
}

static uint64_t
read_num_queues(VirtioPci *v)
{
    return v->vdev->n_queues;
}

static uint64_t
read_status(VirtioPci *v)
{
    return v->status | (v->vdev->broken ? STATUS_NEEDS_RESET : 0);
}

/* The queues stay where they are from here on. */
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

/* FEATURES_OK stays clear where the driver's choice is none of ours (2.2.2, 6.2), and so does DRIVER_OK
 * before that. */
static unsigned
acceptable(VirtioPci *v, unsigned bits)
{
    bool good = !(v->driver_features & ~offered(v)) && v->driver_features >> VIRTIO_F_VERSION_1 & 1;

    if (bits & STATUS_FEATURES_OK && !good)
        bits &= ~STATUS_FEATURES_OK;
    if (!((v->status | bits) & STATUS_FEATURES_OK))
        bits &= ~STATUS_DRIVER_OK;
    return bits;
}

static void
reset_by_driver(VirtioPci *v)
{
    v->resets = true;
    if (v->vdev->started || v->status & STATUS_DRIVER_OK)
        ask_for_update(v);
    else
        forget_driver(v);
}

static void
write_status(VirtioPci *v, uint64_t value)
{
    unsigned added = acceptable(v, value & STATUS_WRITABLE & ~v->status);

    if (v->resets)
        return;
    if ((value & 0xff) == 0) {
        reset_by_driver(v);
        return;
    }
    v->status |= added;
    if (added & STATUS_FEATURES_OK)
        v->vdev->driver_features = v->driver_features;
    if (added & STATUS_DRIVER_OK) {
        map_queues(v);
        ask_for_update(v);
    }
}

static uint64_t
read_generation(VirtioPci *v)
{
    return atomic_load(&v->generation);
}

static uint64_t
read_queue_select(VirtioPci *v)
{
    return v->queue_select;
}

static void
write_queue_select(VirtioPci *v, uint64_t value)
{
    v->queue_select = value;
}

static uint64_t
read_queue_size(VirtioPci *v)
{
    return selected(v) ? selected(v)->setup.size : 0;
}

/* The selected queue where the driver may still change it, or NULL. */
static QueueSetup *
open_setup(VirtioPci *v)
{
    PciQueue *queue = selected(v);

    return queue && !queue->setup.enabled && !is_configured(v) ? &queue->setup : NULL;
}

static void
write_queue_size(VirtioPci *v, uint64_t value)
{
    QueueSetup *setup = open_setup(v);

    if (setup)
        setup->size = value;
}

static uint64_t
read_queue_vector(VirtioPci *v)
{
    return selected(v) ? atomic_load(&selected(v)->vector) : PCI_MSIX_NONE;
}

static void
write_queue_vector(VirtioPci *v, uint64_t value)
{
    if (selected(v))
        atomic_store(&selected(v)->vector, checked_vector(v, value));
}

static uint64_t
read_queue_enable(VirtioPci *v)
{
    return selected(v) && selected(v)->setup.enabled;
}

static void
write_queue_enable(VirtioPci *v, uint64_t value)
{
    QueueSetup *setup = open_setup(v);

    if (setup && (value & 0xffff) == 1)
        setup->enabled = true;
}

static uint64_t
read_queue_notify(VirtioPci *v)
{
    return v->queue_select;
}

/* The three areas, 64 bits each, of which half @part is read or written. */
static uint64_t *
area(QueueSetup *setup, unsigned which)
{
    return which == 0 ? &setup->desc : which == 1 ? &setup->driver : &setup->device;
}

static uint64_t
read_area(VirtioPci *v, unsigned which, unsigned part)
{
    return selected(v) ? *area(&selected(v)->setup, which) >> (32 * part) & 0xffffffff : 0;
}

static void
write_area(VirtioPci *v, unsigned which, unsigned part, uint64_t value)
{
    QueueSetup *setup = open_setup(v);
    uint64_t *at;

    if (!setup)
        return;
    at = area(setup, which);
    *at = (*at & ~(0xffffffffull << (32 * part))) | (value & 0xffffffff) << (32 * part);
}

#define AREA_HALF(name, which, part)                                                               \
    static uint64_t read_##name(VirtioPci *v)                                                      \
    {                                                                                              \
        return read_area(v, which, part);                                                          \
    }                                                                                              \
    static void write_##name(VirtioPci *v, uint64_t value)                                         \
    {                                                                                              \
        write_area(v, which, part, value);                                                         \
    }

AREA_HALF(desc_low, 0, 0)
AREA_HALF(desc_high, 0, 1)
AREA_HALF(driver_low, 1, 0)
AREA_HALF(driver_high, 1, 1)
AREA_HALF(device_low, 2, 0)
AREA_HALF(device_high, 2, 1)

typedef struct Field {
    unsigned offset, size;
    uint64_t (*read)(VirtioPci *v);
    void (*write)(VirtioPci *v, uint64_t value);
} Field;

/* In the order of 4.1.4.3. */
static const Field fields[] = {
    { 0x00, 4, read_feature_select, write_feature_select },
    { 0x04, 4, read_feature, NULL },
    { 0x08, 4, read_driver_feature_select, write_driver_feature_select },
    { 0x0c, 4, read_driver_feature, write_driver_feature },
    { 0x10, 2, read_config_vector, write_config_vector },
    { 0x12, 2, read_num_queues, NULL },
    { 0x14, 1, read_status, write_status },
    { 0x15, 1, read_generation, NULL },
    { 0x16, 2, read_queue_select, write_queue_select },
    { 0x18, 2, read_queue_size, write_queue_size },
    { 0x1a, 2, read_queue_vector, write_queue_vector },
    { 0x1c, 2, read_queue_enable, write_queue_enable },
    { 0x1e, 2, read_queue_notify, NULL },
    { 0x20, 4, read_desc_low, write_desc_low },
    { 0x24, 4, read_desc_high, write_desc_high },
    { 0x28, 4, read_driver_low, write_driver_low },
    { 0x2c, 4, read_driver_high, write_driver_high },
    { 0x30, 4, read_device_low, write_device_low },
    { 0x34, 4, read_device_high, write_device_high },
};

static const Field *
field_at(uint64_t offset)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (offset >= fields[i].offset && offset < fields[i].offset + fields[i].size)
            return &fields[i];
    }
    return NULL;
}

/* Reading has no side effects, so that any width will do. */
static uint64_t
common_read(VirtioPci *v, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        const Field *field = field_at(offset + i);

        if (field)
            value |= (field->read(v) >> (8 * (offset + i - field->offset)) & 0xff) << (8 * i);
    }
    return value;
}

/* A field is written whole (4.1.3.1), 64 bits also at once. */
static void
common_write(VirtioPci *v, uint64_t offset, unsigned size, uint64_t value)
{
    const Field *field = field_at(offset);

    if (size == 8) {
        common_write(v, offset, 4, value & 0xffffffff);
        common_write(v, offset + 4, 4, value >> 32);
    } else if (field && field->offset == offset && field->size == size && field->write) {
        field->write(v, value);
    }
}

/* The other structures. */

static uint64_t
isr_read(VirtioPci *v, uint64_t offset, unsigned size)
{
    return offset == 0 ? take_isr(v) : 0;
}

static uint64_t
device_read(VirtioPci *v, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    if (offset < v->vdev->config_size)
        memcpy(&value, (uint8_t *)v->vdev->config + offset,
               size < v->vdev->config_size - offset ? size : v->vdev->config_size - offset);
    return value;
}

static void
device_write(VirtioPci *v, uint64_t offset, unsigned size, uint64_t value)
{
    VirtioDevice *vdev = v->vdev;

    if (!vdev->class->config_written || v->resets || offset + size > vdev->config_size)
        return;
    memcpy((uint8_t *)vdev->config + offset, &value, size);
    vdev->class->config_written(vdev, offset, size);
}

/* Only where there is no doorbell, which would have swallowed it. */
static void
notify_write(VirtioPci *v, uint64_t offset, unsigned size, uint64_t value)
{
    if (offset % NOTIFY_STEP == 0 && offset / NOTIFY_STEP < v->vdev->n_queues)
        kick(v->vdev, offset / NOTIFY_STEP);
}

typedef struct Structure {
    uint8_t type;
    unsigned offset;
    uint64_t (*read)(VirtioPci *v, uint64_t offset, unsigned size);
    void (*write)(VirtioPci *v, uint64_t offset, unsigned size, uint64_t value);
} Structure;

/* By their page in the BAR. */
static const Structure structures[] = {
    { CAP_TYPE_COMMON, AT_COMMON, common_read, common_write },
    { CAP_TYPE_ISR, AT_ISR, isr_read, NULL },
    { CAP_TYPE_DEVICE, AT_DEVICE, device_read, device_write },
    { CAP_TYPE_NOTIFY, AT_NOTIFY, NULL, notify_write },
};

static uint64_t
bar_read(Device *dev, uint64_t offset, unsigned size)
{
    const Structure *structure = &structures[offset / STRUCTURE_SIZE];

    return structure->read ? structure->read((VirtioPci *)dev, offset % STRUCTURE_SIZE, size) : 0;
}

static void
bar_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    const Structure *structure = &structures[offset / STRUCTURE_SIZE];

    if (structure->write)
        structure->write((VirtioPci *)dev, offset % STRUCTURE_SIZE, size, value);
}

static const BusOps bar_ops = { bar_read, bar_write, false };

/* Configuration space. */

/* Whether the window to the BAR is being used, in a way that 4.1.4.9.1 allows, and for what. */
static bool
uses_window(const VirtioPci *v, unsigned offset, unsigned size, uint32_t *ret_at,
            unsigned *ret_size)
{
    unsigned data = v->cfg_cap + CAP_EXTRA;
    uint32_t at = pci_get(&v->fn, v->cfg_cap + CAP_OFFSET, 4);
    uint32_t length = pci_get(&v->fn, v->cfg_cap + CAP_LENGTH, 4);

    if (offset + size <= data || offset >= data + 4 ||
        pci_get(&v->fn, v->cfg_cap + CAP_BAR, 1) != BAR_STRUCTURES)
        return false;
    if ((length != 1 && length != 2 && length != 4) || at % length || at > BAR_SIZE - length)
        return false;
    *ret_at = at;
    *ret_size = length;
    return true;
}

static void
virtio_config_read(PciFunction *fn, unsigned offset, unsigned size)
{
    VirtioPci *v = (VirtioPci *)fn;
    unsigned length;
    uint32_t at;

    if (uses_window(v, offset, size, &at, &length))
        pci_set(fn, v->cfg_cap + CAP_EXTRA, length, bar_read(&fn->dev, at, length));
}

static void
virtio_config_written(PciFunction *fn, unsigned offset, unsigned size)
{
    VirtioPci *v = (VirtioPci *)fn;
    unsigned length;
    uint32_t at;

    pci_msix_config_written(v->msix, offset, size);
    if (uses_window(v, offset, size, &at, &length))
        bar_write(&fn->dev, at, length, pci_get(fn, v->cfg_cap + CAP_EXTRA, length));
    if (offset <= PCI_COMMAND && may_run(v) != v->vdev->started)
        ask_for_update(v);
}

static void
virtio_bar_moved(PciFunction *fn, unsigned bar)
{
    VirtioPci *v = (VirtioPci *)fn;

    for (unsigned i = 0; bar == BAR_STRUCTURES && i < v->vdev->n_queues; i++)
        move_doorbell(&v->queues[i]);
}

static const PciOps pci_ops = { virtio_config_read, virtio_config_written, virtio_bar_moved };

static unsigned
add_structure(PciFunction *fn, uint8_t type, uint32_t offset, uint32_t length, unsigned extra)
{
    unsigned cap = pci_add_capability(fn, CAP_VENDOR, CAP_SIZE + extra);

    pci_set(fn, cap + 2, 1, CAP_SIZE + extra);
    pci_set(fn, cap + CAP_TYPE, 1, type);
    pci_set(fn, cap + CAP_BAR, 1, BAR_STRUCTURES);
    pci_set(fn, cap + CAP_OFFSET, 4, offset);
    pci_set(fn, cap + CAP_LENGTH, 4, length);
    return cap;
}

static uint32_t
structure_length(const VirtioPci *v, uint8_t type)
{
    switch (type) {
    case CAP_TYPE_COMMON:
        return COMMON_SIZE;
    case CAP_TYPE_ISR:
        return 1;
    case CAP_TYPE_DEVICE:
        return v->vdev->config_size;
    default:
        return v->vdev->n_queues * NOTIFY_STEP;
    }
}

static void
add_capabilities(VirtioPci *v)
{
    PciFunction *fn = &v->fn;
    unsigned cap;

    for (size_t i = 0; i < sizeof(structures) / sizeof(structures[0]); i++) {
        const Structure *row = &structures[i];
        uint32_t length = structure_length(v, row->type);

        if (length == 0) /* there is no device-specific configuration */
            continue;
        cap =
            add_structure(fn, row->type, row->offset, length, row->type == CAP_TYPE_NOTIFY ? 4 : 0);
        if (row->type == CAP_TYPE_NOTIFY)
            pci_set(fn, cap + CAP_EXTRA, 4, NOTIFY_STEP);
    }
    v->cfg_cap = add_structure(fn, CAP_TYPE_PCI_CFG, 0, 0, 4);
    pci_allow(fn, v->cfg_cap + CAP_BAR, 1, 0xff);
    pci_allow(fn, v->cfg_cap + CAP_OFFSET, 4, 0xffffffff);
    pci_allow(fn, v->cfg_cap + CAP_LENGTH, 4, 0xffffffff);
    pci_allow(fn, v->cfg_cap + CAP_EXTRA, 4, 0xffffffff);
    pci_set(fn, v->cfg_cap + CAP_BAR, 1, 0);
}

/* Building and the machine's hooks. */

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
    v->vdev->transport = &transport;
    v->vdev->loop = dev->board->loop;
    if (!class->create(v->vdev, params, err))
        return false;
    assert(v->vdev->n_queues <= VIRTIO_QUEUES_MAX && v->vdev->queue_size <= QUEUE_SIZE_MAX &&
           v->vdev->config_size <= STRUCTURE_SIZE);
    return true;
}

static bool
create_function(VirtioPci *v, VmmMsg *params, VmmError *err)
{
    const PciIdentity identity = { VENDOR, DEVICE_BASE + v->vdev->class->id, CLASS_REVISION,
                                   v->vdev->class->pci_class };

    pci_init(&v->fn, &identity, &pci_ops);
    pci_add_pin(&v->fn);
    pci_add_bar(&v->fn, BAR_STRUCTURES, BAR_SIZE, PCI_BAR_64 | PCI_BAR_PREFETCH, &bar_ops);
    v->msix = pci_msix_new(&v->fn, BAR_MSIX, v->vdev->n_queues + 1, err);
    if (!v->msix)
        return false;
    add_capabilities(v);
    return pci_plug(&v->fn, params, err);
}

static void
queue_raises(void *data, unsigned index)
{
    raise_queue(data, index);
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

    v->work = loop_add_fd(v->vdev->loop, v->work_fd, EPOLLIN, on_work, v);
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
    stop(v);
    forget_driver(v);
    pci_msix_reset(v->msix);
    pthread_mutex_unlock(&v->fn.dev.lock);
}

static void
pause_in_loop(void *data)
{
    VirtioPci *v = data;

    pthread_mutex_lock(&v->fn.dev.lock);
    v->running = false;
    update(v);
    stop(v);
    pthread_mutex_unlock(&v->fn.dev.lock);
}

static void
resume_in_loop(void *data)
{
    VirtioPci *v = data;

    pthread_mutex_lock(&v->fn.dev.lock);
    v->running = true;
    update(v);
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

static void
destroy_in_loop(void *data)
{
    VirtioPci *v = data;

    pthread_mutex_lock(&v->fn.dev.lock);
    stop(v);
    for (unsigned i = 0; i < v->vdev->n_queues; i++) {
        if (v->vdev->queues[i])
            close_kick(&v->queues[i]);
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
    .eject = virtio_pci_eject,
    .destroy = virtio_pci_destroy,
};
