#include "virtio.h"

/* PCI Local Bus 3.0, 6.1 and 6.7; virtio 1.2, 4.1.4. */
#define PORT_ADDRESS       0xcf8
#define PORT_DATA          0xcfc
#define PCI_COMMAND        0x04
#define PCI_BAR0           0x10
#define PCI_CAPABILITIES   0x34
#define COMMAND_MEM_MASTER 0x6
#define CAP_VENDOR         0x09
#define CAP_MSIX           0x11
#define MSIX_TABLE         4 /* from where the capability begins */
#define MSIX_ENABLE        (1u << 31)
#define CFG_COMMON         1
#define CFG_NOTIFY         2
#define CFG_DEVICE         4
#define VENDOR_VIRTIO      0x1af4
#define MODERN_DEVICE      0x1040 /* and the type */

/* Fields of the common configuration. */
#define DEVICE_FEATURE_SELECT 0
#define DEVICE_FEATURE        4
#define DRIVER_FEATURE_SELECT 8
#define DRIVER_FEATURE        12
#define CONFIG_MSIX_VECTOR    16
#define DEVICE_STATUS         20
#define QUEUE_SELECT          22
#define QUEUE_SIZE_FIELD      24
#define QUEUE_ENABLE          28
#define QUEUE_NOTIFY_OFF      30
#define QUEUE_DESC            32
#define QUEUE_DRIVER          40
#define QUEUE_DEVICE          48

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER      2
#define STATUS_DRIVER_OK   4
#define STATUS_FEATURES_OK 8

#define AVAIL_NO_INTERRUPT 1
#define USED_NO_NOTIFY     1

/* PCI Local Bus 3.0, 6.8.2.6 to 6.8.2.9; Intel SDM volume 3, 11.4.1 and 11.11. */
#define LAPIC          0xfee00000u /* and where a message for the first CPU goes */
#define LAPIC_SPURIOUS 0xf0
#define LAPIC_ENABLE   0x1ff
#define LAPIC_REQUEST  0x200
#define ENTRY_MASKED   1

#define barrier() __asm__ volatile("mfence" : : : "memory")

static uint32_t
pci_read(unsigned devfn, unsigned at)
{
    outl(PORT_ADDRESS, 1u << 31 | devfn << 8 | (at & ~3u));
    return inl(PORT_DATA) >> (at & 3) * 8;
}

static void
pci_write(unsigned devfn, unsigned at, uint32_t value)
{
    outl(PORT_ADDRESS, 1u << 31 | devfn << 8 | at);
    outl(PORT_DATA, value);
}

static unsigned
find(uint16_t type)
{
    uint32_t wanted = (uint32_t)(MODERN_DEVICE + type) << 16 | VENDOR_VIRTIO;

    for (unsigned devfn = 0; devfn < 256; devfn += 8) {
        if (pci_read(devfn, 0) == wanted)
            return devfn;
    }
    fail("no such device");
}

static volatile uint8_t *
bar(unsigned devfn, unsigned number)
{
    uint32_t low = pci_read(devfn, PCI_BAR0 + 4 * number);

    if ((low & 0x6) == 0x4 && pci_read(devfn, PCI_BAR0 + 4 * number + 4))
        fail("a BAR above 4 GiB");
    return (volatile uint8_t *)(uintptr_t)(low & ~0xfu);
}

static void
map(Device *dev, unsigned devfn)
{
    for (unsigned cap = pci_read(devfn, PCI_CAPABILITIES) & 0xfc; cap;
         cap = pci_read(devfn, cap + 1) & 0xfc) {
        volatile uint8_t *at;
        unsigned kind = pci_read(devfn, cap + 3) & 0xff;

        if ((pci_read(devfn, cap) & 0xff) != CAP_VENDOR)
            continue;
        at = bar(devfn, pci_read(devfn, cap + 4) & 0xff) + pci_read(devfn, cap + 8);
        if (kind == CFG_COMMON)
            dev->common = at;
        else if (kind == CFG_DEVICE)
            dev->config = at;
        else if (kind == CFG_NOTIFY) {
            dev->notify = at;
            dev->notify_multiplier = pci_read(devfn, cap + 16);
        }
    }
    if (!dev->common || !dev->notify)
        fail("no virtio capabilities");
}

static void
write8(Device *dev, unsigned at, uint8_t value)
{
    *(dev->common + at) = value;
}

static void
write16(Device *dev, unsigned at, uint16_t value)
{
    *(volatile uint16_t *)(dev->common + at) = value;
}

static void
write32(Device *dev, unsigned at, uint32_t value)
{
    *(volatile uint32_t *)(dev->common + at) = value;
}

static uint16_t
read16(Device *dev, unsigned at)
{
    return *(volatile uint16_t *)(dev->common + at);
}

static void
write64(Device *dev, unsigned at, const volatile void *address)
{
    write32(dev, at, (uintptr_t)address);
    write32(dev, at + 4, (uint64_t)(uintptr_t)address >> 32);
}

static void
negotiate(Device *dev, uint64_t features)
{
    for (unsigned half = 0; half < 2; half++) {
        uint32_t offered;

        write32(dev, DEVICE_FEATURE_SELECT, half);
        offered = *(volatile uint32_t *)(dev->common + DEVICE_FEATURE);
        write32(dev, DRIVER_FEATURE_SELECT, half);
        write32(dev, DRIVER_FEATURE, offered & (uint32_t)(features >> 32 * half));
    }
}

void
virtio_open(Device *dev, uint16_t type, uint64_t features)
{
    unsigned devfn = find(type);

    dev->devfn = devfn;
    pci_write(devfn, PCI_COMMAND, pci_read(devfn, PCI_COMMAND) | COMMAND_MEM_MASTER);
    map(dev, devfn);
    write8(dev, DEVICE_STATUS, 0);
    while (dev->common[DEVICE_STATUS])
        pause();
    write8(dev, DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    negotiate(dev, features | VIRTIO_F_VERSION_1);
    write8(dev, DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    if (!(dev->common[DEVICE_STATUS] & STATUS_FEATURES_OK))
        fail("the features are not accepted");
}

void
virtio_queue(Device *dev, Queue *queue, uint16_t number)
{
    write16(dev, QUEUE_SELECT, number);
    if (read16(dev, QUEUE_SIZE_FIELD) < QUEUE_SIZE)
        fail("the queue is too small");
    queue->number = number;
    queue->avail.flags = AVAIL_NO_INTERRUPT;
    queue->notify =
        (volatile uint16_t *)(dev->notify + read16(dev, QUEUE_NOTIFY_OFF) * dev->notify_multiplier);
    write16(dev, QUEUE_SIZE_FIELD, QUEUE_SIZE);
    write64(dev, QUEUE_DESC, queue->desc);
    write64(dev, QUEUE_DRIVER, &queue->avail);
    write64(dev, QUEUE_DEVICE, &queue->used);
    write16(dev, QUEUE_ENABLE, 1);
}

void
virtio_start(Device *dev)
{
    write8(dev, DEVICE_STATUS,
           STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

static unsigned
find_msix(unsigned devfn)
{
    for (unsigned cap = pci_read(devfn, PCI_CAPABILITIES) & 0xfc; cap;
         cap = pci_read(devfn, cap + 1) & 0xfc) {
        if ((pci_read(devfn, cap) & 0xff) == CAP_MSIX)
            return cap;
    }
    fail("no MSI-X");
}

static volatile uint32_t *
lapic(unsigned at)
{
    return (volatile uint32_t *)(uintptr_t)(LAPIC + at);
}

void
virtio_watch_config(Device *dev, uint8_t vector)
{
    unsigned cap = find_msix(dev->devfn);
    uint32_t place = pci_read(dev->devfn, cap + MSIX_TABLE);
    volatile uint32_t *entry = (volatile uint32_t *)(bar(dev->devfn, place & 7) + (place & ~7u));

    *lapic(LAPIC_SPURIOUS) = LAPIC_ENABLE;
    entry[3] = ENTRY_MASKED;
    entry[0] = LAPIC;
    entry[1] = 0;
    entry[2] = vector;
    entry[3] = 0;
    pci_write(dev->devfn, cap, pci_read(dev->devfn, cap) | MSIX_ENABLE);
    write16(dev, CONFIG_MSIX_VECTOR, 0);
    if (read16(dev, CONFIG_MSIX_VECTOR) != 0)
        fail("no interrupt for the configuration");
}

bool
virtio_config_changed(uint8_t vector)
{
    return *lapic(LAPIC_REQUEST + vector / 32 * 16) >> vector % 32 & 1;
}

void
queue_offer(Queue *queue, uint16_t head)
{
    queue->avail.ring[queue->next_avail++ % QUEUE_SIZE] = head;
}

void
queue_kick(Queue *queue)
{
    barrier();
    queue->avail.idx = queue->next_avail;
    barrier();
    if (!(queue->used.flags & USED_NO_NOTIFY))
        *queue->notify = queue->number;
}

uint16_t
queue_wait(Queue *queue)
{
    while (queue->used.idx == queue->next_used)
        pause();
    barrier();
    return queue->used.ring[queue->next_used++ % QUEUE_SIZE].id;
}
