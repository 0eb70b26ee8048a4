#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/device-classes.h"

#include <string.h>

#define BAR_BASE   0xc0000000ull
#define MSIX_BASE  0xc1000000ull
#define CAP_VENDOR 0x09
#define CAP_MSIX   0x11

static uint32_t
config(VirtioGuest *guest, unsigned offset, unsigned size)
{
    return config_read(guest->test, guest->bus, guest->devfn, offset, size);
}

static void
set_config(VirtioGuest *guest, unsigned offset, unsigned size, uint32_t value)
{
    config_write(guest->test, guest->bus, guest->devfn, offset, size, value);
}

static void
find_structure(VirtioGuest *guest, unsigned cap)
{
    uint64_t at = guest->structures + config(guest, cap + 8, 4);

    switch (config(guest, cap + 3, 1)) {
    case 1:
        guest->common = at;
        break;
    case 2:
        guest->notify = at;
        guest->notify_step = config(guest, cap + 16, 4);
        break;
    case 3:
        guest->isr = at;
        break;
    case 4:
        guest->device = at;
        break;
    }
}

static void
find_structures(VirtioGuest *guest)
{
    for (unsigned cap = config(guest, 0x34, 1); cap; cap = config(guest, cap + 1, 1)) {
        if (config(guest, cap, 1) == CAP_VENDOR)
            find_structure(guest, cap);
    }
    g_assert_true(guest->common && guest->notify && guest->isr);
}

VirtioGuest *
virtio_guest_new(VmmMsg *params, uint64_t memory)
{
    VirtioGuest *guest = g_new0(VirtioGuest, 1);

    guest->test = test_board_new(loop_new());
    guest->test->board.memory = memory_new(memory, NULL);
    guest->free_gpa = 0x10000;
    guest->host = test_board_add(guest->test, &pci_host_class, NULL);
    guest->devfn = 8;
    guest->dev = test_board_add(guest->test, &virtio_pci_class, params);
    guest->structures = BAR_BASE;
    guest->msix = MSIX_BASE;
    set_config(guest, 0x14, 4, MSIX_BASE);
    set_config(guest, 0x20, 4, BAR_BASE);
    set_config(guest, 0x24, 4, BAR_BASE >> 32);
    set_config(guest, 0x04, 2, 6);
    find_structures(guest);
    guest->dev->class->resume(guest->dev);
    return guest;
}

void
virtio_guest_free(VirtioGuest *guest)
{
    Loop *loop = guest->test->board.loop;

    device_free(guest->dev);
    device_free(guest->host);
    test_board_free(guest->test);
    loop_free(loop);
    g_free(guest);
}

uint32_t
guest_get(VirtioGuest *guest, unsigned offset, unsigned size)
{
    return mmio_read(guest->test, guest->common + offset, size);
}

void
guest_set(VirtioGuest *guest, unsigned offset, unsigned size, uint32_t value)
{
    mmio_write(guest->test, guest->common + offset, size, value);
}

void
guest_set64(VirtioGuest *guest, unsigned offset, uint64_t value)
{
    guest_set(guest, offset, 4, value);
    guest_set(guest, offset + 4, 4, value >> 32);
}

bool
guest_negotiate(VirtioGuest *guest, uint64_t features)
{
    features |= 1ull << VIRTIO_F_VERSION_1;
    guest_set(guest, COMMON_STATUS, 1, STATUS_ACKNOWLEDGE);
    guest_set(guest, COMMON_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    for (unsigned i = 0; i < 2; i++) {
        guest_set(guest, COMMON_FEATURE_SELECT, 4, i);
        guest_set(guest, COMMON_DRIVER_FEATURE_SELECT, 4, i);
        guest_set(guest, COMMON_DRIVER_FEATURE, 4,
                  guest_get(guest, COMMON_FEATURE, 4) & features >> (32 * i));
    }
    guest_set(guest, COMMON_STATUS, 1, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    return guest_get(guest, COMMON_STATUS, 1) & STATUS_FEATURES_OK;
}

void
guest_setup_queue(VirtioGuest *guest, unsigned index, unsigned size)
{
    GuestQueue *queue = &guest->queues[index];

    guest_set(guest, COMMON_QUEUE_SELECT, 2, index);
    if (size == 0)
        size = guest_get(guest, COMMON_QUEUE_SIZE, 2);
    *queue = (GuestQueue){ .size = size };
    queue->desc = guest_alloc(guest, size * 16);
    queue->driver = guest_alloc(guest, 6 + size * 2);
    queue->device = guest_alloc(guest, 6 + size * 8);
    guest_set(guest, COMMON_QUEUE_SIZE, 2, size);
    guest_set(guest, COMMON_QUEUE_VECTOR, 2, index + 1);
    guest_set64(guest, COMMON_QUEUE_DESC, queue->desc);
    guest_set64(guest, COMMON_QUEUE_DRIVER, queue->driver);
    guest_set64(guest, COMMON_QUEUE_DEVICE, queue->device);
    guest_set(guest, COMMON_QUEUE_ENABLE, 2, 1);
}

void
guest_driver_ok(VirtioGuest *guest)
{
    guest_set(guest, COMMON_STATUS, 1, guest_get(guest, COMMON_STATUS, 1) | STATUS_DRIVER_OK);
    test_board_settle(guest->test);
}

void
guest_start(VirtioGuest *guest, uint64_t features)
{
    unsigned n = guest_get(guest, COMMON_NUM_QUEUES, 2);

    g_assert_cmpuint(n, <=, GUEST_QUEUES);
    g_assert_true(guest_negotiate(guest, features));
    guest_set(guest, COMMON_CONFIG_VECTOR, 2, 0);
    for (unsigned i = 0; i < n; i++)
        guest_setup_queue(guest, i, 0);
    guest_driver_ok(guest);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0xf);
}

void
guest_begin_reset(VirtioGuest *guest)
{
    guest_set(guest, COMMON_STATUS, 1, 0);
}

void
guest_reset(VirtioGuest *guest)
{
    guest_begin_reset(guest);
    test_board_settle(guest->test);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0);
}

static void
set_vector(VirtioGuest *guest, unsigned i, uint32_t data)
{
    mmio_write(guest->test, guest->msix + i * 16, 4, 0xfee00000);
    mmio_write(guest->test, guest->msix + i * 16 + 4, 4, 0);
    mmio_write(guest->test, guest->msix + i * 16 + 8, 4, data);
    mmio_write(guest->test, guest->msix + i * 16 + 12, 4, 0);
}

void
guest_enable_msix(VirtioGuest *guest)
{
    unsigned cap = config(guest, 0x34, 1), n;

    while (cap && config(guest, cap, 1) != CAP_MSIX)
        cap = config(guest, cap + 1, 1);
    g_assert_cmpuint(cap, !=, 0);
    n = (config(guest, cap + 2, 2) & 0x7ff) + 1;
    set_config(guest, cap + 2, 2, 0x8000);
    set_vector(guest, 0, GUEST_CONFIG_MSI);
    for (unsigned i = 1; i < n; i++)
        set_vector(guest, i, GUEST_VECTOR(i - 1));
}

uint64_t
guest_alloc(VirtioGuest *guest, uint64_t size)
{
    uint64_t gpa = guest->free_gpa;

    guest->free_gpa += (size + 63) & ~63ull;
    g_assert_nonnull(memset(guest_memory(guest, gpa, size), 0, size));
    return gpa;
}

void *
guest_memory(VirtioGuest *guest, uint64_t gpa, uint64_t size)
{
    void *host = memory_at(guest->test->board.memory, gpa, size);

    g_assert_nonnull(host);
    return host;
}

static void
poke(VirtioGuest *guest, uint64_t gpa, unsigned size, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    memcpy(guest_memory(guest, gpa, size), &value, size);
}

static uint64_t
peek(VirtioGuest *guest, uint64_t gpa, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, guest_memory(guest, gpa, size), size);
    return GUINT64_FROM_LE(value);
}

void
guest_desc(VirtioGuest *guest, uint64_t table, unsigned i, uint64_t addr, uint32_t len,
           unsigned flags, unsigned next)
{
    poke(guest, table + 16 * i, 8, addr);
    poke(guest, table + 16 * i + 8, 4, len);
    poke(guest, table + 16 * i + 12, 2, flags);
    poke(guest, table + 16 * i + 14, 2, next);
}

void
guest_set_avail(VirtioGuest *guest, unsigned index, uint16_t idx)
{
    poke(guest, guest->queues[index].driver + 2, 2, idx);
}

void
guest_offer(VirtioGuest *guest, unsigned index, uint16_t head)
{
    GuestQueue *queue = &guest->queues[index];

    poke(guest, queue->driver + 4 + queue->avail % queue->size * 2, 2, head);
    guest_set_avail(guest, index, ++queue->avail);
}

void
guest_kick(VirtioGuest *guest, unsigned index)
{
    mmio_write(guest->test, guest->notify + index * guest->notify_step, 2, index);
    test_board_settle(guest->test);
}

bool
guest_take_used(VirtioGuest *guest, unsigned index, uint32_t *ret_head, uint32_t *ret_len)
{
    GuestQueue *queue = &guest->queues[index];
    uint64_t element = queue->device + 4 + queue->used % queue->size * 8;

    if ((uint16_t)peek(guest, queue->device + 2, 2) == queue->used)
        return false;
    *ret_head = peek(guest, element, 4);
    *ret_len = peek(guest, element + 4, 4);
    queue->used++;
    return true;
}
