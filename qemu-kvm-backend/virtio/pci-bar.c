/* pci-bar: where a driver finds the structures of virtio over PCI: a page each in one BAR, their capabilities in
 * configuration space, and a window there for those who cannot reach the BAR (virtio 1.2, section 4.1.4). */
#include "qemu-kvm-backend/virtio/vpci.h"

#include <string.h>

#define AT_COMMON   0x0000u /* in the BAR */
#define AT_ISR      0x1000u
#define AT_DEVICE   0x2000u
#define COMMON_SIZE 0x38u

/* Capabilities */
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

static uint64_t
isr_read(VirtioPci *v, uint64_t offset, unsigned size)
{
    return offset == 0 ? vpci_take_isr(v) : 0;
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

    if (!vdev->class->config_written || v->left || offset + size > vdev->config_size)
        return;
    memcpy((uint8_t *)vdev->config + offset, &value, size);
    vdev->class->config_written(vdev, offset, size);
}

/* Only where there is no doorbell, which would have swallowed it. */
static void
notify_write(VirtioPci *v, uint64_t offset, unsigned size, uint64_t value)
{
    if (offset % VPCI_NOTIFY_STEP == 0 && offset / VPCI_NOTIFY_STEP < v->vdev->n_queues)
        vpci_kick(v->vdev, offset / VPCI_NOTIFY_STEP);
}

typedef struct Structure {
    uint8_t type;
    unsigned offset;
    uint64_t (*read)(VirtioPci *v, uint64_t offset, unsigned size);
    void (*write)(VirtioPci *v, uint64_t offset, unsigned size, uint64_t value);
} Structure;

/* By their page in the BAR. */
static const Structure structures[] = {
    { CAP_TYPE_COMMON, AT_COMMON, vpci_common_read, vpci_common_write },
    { CAP_TYPE_ISR, AT_ISR, isr_read, NULL },
    { CAP_TYPE_DEVICE, AT_DEVICE, device_read, device_write },
    { CAP_TYPE_NOTIFY, VPCI_AT_NOTIFY, NULL, notify_write },
};

static uint64_t
bar_read(Device *dev, uint64_t offset, unsigned size)
{
    const Structure *structure = &structures[offset / VPCI_STRUCTURE_SIZE];

    return structure->read ? structure->read((VirtioPci *)dev, offset % VPCI_STRUCTURE_SIZE, size)
                           : 0;
}

static void
bar_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    const Structure *structure = &structures[offset / VPCI_STRUCTURE_SIZE];

    if (structure->write)
        structure->write((VirtioPci *)dev, offset % VPCI_STRUCTURE_SIZE, size, value);
}

const BusOps vpci_bar_ops = { bar_read, bar_write, false };

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
        pci_get(&v->fn, v->cfg_cap + CAP_BAR, 1) != VPCI_BAR_STRUCTURES)
        return false;
    if ((length != 1 && length != 2 && length != 4) || at % length || at > VPCI_BAR_SIZE - length)
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
    if (offset <= PCI_COMMAND && vpci_may_run(v) != v->vdev->started)
        vpci_ask_for_update(v);
}

static void
virtio_bar_moved(PciFunction *fn, unsigned bar)
{
    VirtioPci *v = (VirtioPci *)fn;

    if (bar == VPCI_BAR_STRUCTURES)
        vpci_move_doorbells(v);
}

const PciOps vpci_pci_ops = { virtio_config_read, virtio_config_written, virtio_bar_moved };

static unsigned
add_structure(PciFunction *fn, uint8_t type, uint32_t offset, uint32_t length, unsigned extra)
{
    unsigned cap = pci_add_capability(fn, CAP_VENDOR, CAP_SIZE + extra);

    pci_set(fn, cap + 2, 1, CAP_SIZE + extra);
    pci_set(fn, cap + CAP_TYPE, 1, type);
    pci_set(fn, cap + CAP_BAR, 1, VPCI_BAR_STRUCTURES);
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
        return v->vdev->n_queues * VPCI_NOTIFY_STEP;
    }
}

void
vpci_add_capabilities(VirtioPci *v)
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
            pci_set(fn, cap + CAP_EXTRA, 4, VPCI_NOTIFY_STEP);
    }
    v->cfg_cap = add_structure(fn, CAP_TYPE_PCI_CFG, 0, 0, 4);
    pci_allow(fn, v->cfg_cap + CAP_BAR, 1, 0xff);
    pci_allow(fn, v->cfg_cap + CAP_OFFSET, 4, 0xffffffff);
    pci_allow(fn, v->cfg_cap + CAP_LENGTH, 4, 0xffffffff);
    pci_allow(fn, v->cfg_cap + CAP_EXTRA, 4, 0xffffffff);
    pci_set(fn, v->cfg_cap + CAP_BAR, 1, 0);
}
