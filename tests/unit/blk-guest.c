#include "tests/unit/blk-guest.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

GPtrArray *disk_events;

static void
notify(Board *board, VmmMsg *event)
{
    g_ptr_array_add(disk_events, event);
}

static void
free_event(gpointer event)
{
    vmm_msg_free(event);
}

VmmMsg *
disk_params(int fd)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_string(params, "device", "blk");
    vmm_msg_put_fd(params, "fd", fd);
    return params;
}

void
disk_open(Disk *disk, VmmMsg *params, int flags)
{
    disk->fd = g_file_open_tmp("blk-XXXXXX", &disk->path, NULL);
    g_assert_cmpint(ftruncate(disk->fd, DISK_SIZE), ==, 0);
    if (!params)
        params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    vmm_msg_put_string(params, "device", "blk");
    vmm_msg_put_fd(params, "fd", open(disk->path, flags | O_CLOEXEC));
    disk->guest = virtio_guest_new(params, 8 * MIB);
    disk->guest->test->board.notify = notify;
    disk->next = 0;
    g_clear_pointer(&disk_events, g_ptr_array_unref);
    disk_events = g_ptr_array_new_with_free_func(free_event);
}

void
disk_start(Disk *disk, VmmMsg *params)
{
    disk_open(disk, params, O_RDWR);
    guest_enable_msix(disk->guest);
    guest_start(disk->guest, DISK_FEATURES);
}

void
disk_close(Disk *disk)
{
    virtio_guest_free(disk->guest);
    g_clear_pointer(&disk_events, g_ptr_array_unref);
    close(disk->fd);
    g_unlink(disk->path);
    g_free(disk->path);
}

VmmMsg *
disk_params_with(const char *key, const char *value)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_string(params, key, value);
    return params;
}

uint64_t
disk_config_get(Disk *disk, unsigned offset, unsigned size)
{
    return mmio_read(disk->guest->test, disk->guest->device + offset, size);
}

uint16_t
disk_offer_parts(Disk *disk, unsigned queue, const Part *parts, unsigned n)
{
    VirtioGuest *guest = disk->guest;
    uint16_t head = disk->next;

    for (unsigned i = 0; i < n; i++) {
        guest_desc(guest, guest->queues[queue].desc, head + i, parts[i].gpa, parts[i].size,
                   (parts[i].in ? DESC_WRITE : 0) | (i + 1 < n ? DESC_NEXT : 0), head + i + 1);
    }
    disk->next = (head + n) % 240;
    guest_offer(guest, queue, head);
    return head;
}

uint64_t
disk_put_header(Disk *disk, uint32_t type, uint64_t sector)
{
    uint64_t gpa = guest_alloc(disk->guest, sizeof(struct virtio_blk_outhdr));
    struct virtio_blk_outhdr header = { .type = type, .sector = sector };

    memcpy(guest_memory(disk->guest, gpa, sizeof(header)), &header, sizeof(header));
    return gpa;
}

uint64_t
disk_put_status(Disk *disk)
{
    uint64_t gpa = guest_alloc(disk->guest, 1);

    *(uint8_t *)guest_memory(disk->guest, gpa, 1) = DISK_NO_STATUS;
    return gpa;
}

uint64_t
disk_offer(Disk *disk, unsigned queue, uint32_t type, uint64_t sector, uint64_t data, uint32_t size,
           bool in)
{
    uint64_t status = disk_put_status(disk);
    Part parts[] = { { disk_put_header(disk, type, sector), 16, false },
                     { data, size, in },
                     { status, 1, true } };

    if (size == 0)
        parts[1] = parts[2];
    disk_offer_parts(disk, queue, parts, size ? 3 : 2);
    return status;
}

uint8_t
disk_status(Disk *disk, uint64_t gpa)
{
    return *(uint8_t *)guest_memory(disk->guest, gpa, 1);
}

uint32_t
disk_await(Disk *disk, unsigned queue, unsigned n)
{
    gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    uint32_t head, len = 0;

    while (n > 0) {
        test_board_settle(disk->guest->test);
        while (n > 0 && guest_take_used(disk->guest, queue, &head, &len))
            n--;
        g_assert_cmpint(g_get_monotonic_time(), <, until);
    }
    g_assert_false(guest_take_used(disk->guest, queue, &head, &len));
    return len;
}

uint8_t
disk_run(Disk *disk, uint32_t type, uint64_t sector, uint64_t data, uint32_t size, bool in)
{
    uint64_t status = disk_offer(disk, 0, type, sector, data, size, in);

    guest_kick(disk->guest, 0);
    g_assert_cmpuint(disk_await(disk, 0, 1), ==, in ? size + 1 : 1);
    return disk_status(disk, status);
}

uint64_t
disk_put_data(Disk *disk, size_t size, unsigned seed)
{
    uint64_t gpa = guest_alloc(disk->guest, size);
    uint8_t *data = guest_memory(disk->guest, gpa, size);

    for (size_t i = 0; i < size; i++)
        data[i] = seed + i + i / 253;
    return gpa;
}

void
disk_check_file(Disk *disk, uint64_t at, uint64_t gpa, size_t size)
{
    g_autofree uint8_t *back = g_malloc(size);

    g_assert_cmpint(pread(disk->fd, back, size, at), ==, size);
    g_assert_cmpmem(back, size, guest_memory(disk->guest, gpa, size), size);
}

bool
disk_file_is_zero(Disk *disk, uint64_t at, size_t size)
{
    g_autofree uint8_t *back = g_malloc(size), *zeros = g_malloc0(size);

    g_assert_cmpint(pread(disk->fd, back, size, at), ==, size);
    return memcmp(back, zeros, size) == 0;
}
