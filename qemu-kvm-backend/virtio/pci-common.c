/* pci-common: the common configuration of virtio over PCI, a row of registers (virtio 1.2, section 4.1.4.3). */
#include "qemu-kvm-backend/virtio/vpci.h"

/* Device status, 2.1 */
#define STATUS_NEEDS_RESET 0x40u
#define STATUS_WRITABLE    0x8fu /* ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, FAILED */

#define CORE_FEATURES                                                                              \
    (1ull << VIRTIO_F_INDIRECT_DESC | 1ull << VIRTIO_F_EVENT_IDX | 1ull << VIRTIO_F_VERSION_1)

static bool
is_configured(const VirtioPci *v)
{
    return v->status & VPCI_DRIVER_OK;
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

    if (v->driver_feature_select >= 2 || v->status & VPCI_FEATURES_OK)
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

/* Not 0 before a reset is done (4.1.4.3.1). What broke until then is no business of a driver that did not wait. */
static uint64_t
read_status(VirtioPci *v)
{
    if (v->left && v->status)
        return v->status;
    return v->status | v->left | (v->vdev->broken ? STATUS_NEEDS_RESET : 0);
}

/* FEATURES_OK stays clear where the driver's choice is none of ours (2.2.2, 6.2), and so does DRIVER_OK
 * before that. */
static unsigned
acceptable(VirtioPci *v, unsigned bits)
{
    bool good = !(v->driver_features & ~offered(v)) && v->driver_features >> VIRTIO_F_VERSION_1 & 1;

    if (bits & VPCI_FEATURES_OK && !good)
        bits &= ~VPCI_FEATURES_OK;
    if (!((v->status | bits) & VPCI_FEATURES_OK))
        bits &= ~VPCI_DRIVER_OK;
    return bits;
}

/* A device that works has to be stopped first, in its own thread. No vCPU waits for that thread, which may be waiting
 * for vCPUs: the settings of the next driver are kept until the device can take them. */
static void
reset_by_driver(VirtioPci *v)
{
    if (!v->left && v->status & VPCI_DRIVER_OK)
        v->left = v->status;
    vpci_forget_settings(v);
    if (v->left)
        vpci_ask_for_update(v);
    else
        vpci_forget_work(v);
}

static void
write_status(VirtioPci *v, uint64_t value)
{
    unsigned added = acceptable(v, value & STATUS_WRITABLE & ~v->status);

    if ((value & 0xff) == 0) {
        reset_by_driver(v);
        return;
    }
    v->status |= added;
    if (!v->left)
        vpci_adopt(v, added);
    if (added & VPCI_DRIVER_OK)
        vpci_ask_for_update(v);
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
uint64_t
vpci_common_read(VirtioPci *v, uint64_t offset, unsigned size)
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
void
vpci_common_write(VirtioPci *v, uint64_t offset, unsigned size, uint64_t value)
{
    const Field *field = field_at(offset);

    if (size == 8) {
        vpci_common_write(v, offset, 4, value & 0xffffffff);
        vpci_common_write(v, offset + 4, 4, value >> 32);
    } else if (field && field->offset == offset && field->size == size && field->write) {
        field->write(v, value);
    }
}

static bool
is_vector(const VirtioPci *v, uint16_t vector)
{
    return vector == PCI_MSIX_NONE || vector < pci_msix_count(v->msix);
}

bool
vpci_is_consistent(const VirtioPci *v)
{
    bool features_ok = v->status & VPCI_FEATURES_OK;
    bool good = is_vector(v, v->config_vector) && !(v->status & ~STATUS_WRITABLE);

    for (unsigned i = 0; i < v->vdev->n_queues; i++)
        good = good && is_vector(v, v->queues[i].vector);
    if (features_ok &&
        (v->driver_features & ~offered(v) || !(v->driver_features >> VIRTIO_F_VERSION_1 & 1)))
        return false;
    return good && (features_ok || !(v->status & VPCI_DRIVER_OK));
}
