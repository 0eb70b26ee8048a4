/* A disk whose driver does anything: descriptors, headers, rings, configuration and resets as the input
 * has it. Each step is one byte that says what and a few that say how; the disk is a file in memory. */
#include "tests/unit/virtio-guest.h"

#include <linux/virtio_blk.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB       ((uint64_t)1 << 20)
#define RAM       (2 * MIB)
#define PLAY      (1 * MIB) /* where the input's own things lie */
#define DISK_SIZE (64u << 10)
#define STEPS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Input {
    const uint8_t *data;
    size_t size;
} Input;

static VirtioGuest *guest;
static uint64_t free_gpa;

static uint64_t
take(Input *input, unsigned n)
{
    uint64_t value = 0;

    n = MIN(n, input->size);
    memcpy(&value, input->data, n);
    input->data += n;
    input->size -= n;
    return value;
}

static void
notify(Board *board, VmmMsg *event)
{
    vmm_msg_free(event);
}

static VmmMsg *
disk_params(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    int fd = memfd_create("disk", MFD_CLOEXEC);

    g_assert_cmpint(ftruncate(fd, DISK_SIZE + 100), ==, 0);
    vmm_msg_put_string(params, "device", "blk");
    vmm_msg_put_fd(params, "fd", fd);
    vmm_msg_put_bool(params, "discard", true);
    vmm_msg_put_u64(params, "queues", 2);
    vmm_msg_put_u64(params, "queue-size", 16);
    vmm_msg_put_string(params, "on-write-error", "stop");
    return params;
}

/* One disk for all inputs: each begins with a reset. */
static void
begin(void)
{
    if (!guest) {
        guest = virtio_guest_new(disk_params(), RAM);
        guest->test->board.notify = notify;
        free_gpa = guest->free_gpa;
    }
    guest_reset(guest);
    guest->free_gpa = free_gpa;
    memset(guest_memory(guest, 0, RAM), 0, RAM);
    guest_start(guest, ~0ull);
}

/* Mostly in RAM, so that something happens. */
static uint64_t
take_address(Input *input)
{
    uint64_t gpa = PLAY + take(input, 2) * 16;

    return gpa < RAM + 4096 ? gpa : take(input, 8);
}

static void
put_desc(Input *input, unsigned queue)
{
    uint64_t table = take(input, 1) & 1 ? guest->queues[queue].desc : PLAY;
    unsigned i = take(input, 1) % 16;
    uint64_t gpa = take_address(input);
    uint32_t len = take(input, 1);

    if (len >= 0xf0)
        len = take(input, 4);
    else if (len & 1)
        len *= 256;
    guest_desc(guest, table, i, gpa, len, take(input, 1) & 7, take(input, 1) % 18);
}

static void
put_header(Input *input)
{
    struct virtio_blk_outhdr header = { .type = take(input, 1) % 16 };
    uint64_t gpa = PLAY + take(input, 1) * 16;

    header.sector = take(input, 1);
    if (header.sector >= 0xf0)
        header.sector = take(input, 8);
    memcpy(guest_memory(guest, gpa, sizeof(header)), &header, sizeof(header));
}

static void
put_range(Input *input)
{
    struct virtio_blk_discard_write_zeroes range;
    uint64_t gpa = PLAY + take(input, 1) * 16;

    range.sector = take(input, 1);
    range.num_sectors = take(input, 1);
    range.flags = take(input, 1) & 3;
    if (range.flags == 3)
        range.sector = take(input, 8);
    memcpy(guest_memory(guest, gpa, sizeof(range)), &range, sizeof(range));
}

/* Header, data and status as drivers do it, with what the input makes of them. */
static void
put_request(Input *input, unsigned queue)
{
    uint64_t table = guest->queues[queue].desc;
    unsigned head = take(input, 1) % 13;
    bool in = take(input, 1) & 1;

    put_header(input);
    guest_desc(guest, table, head, PLAY + take(input, 1) * 16, 16, DESC_NEXT, head + 1);
    guest_desc(guest, table, head + 1, take_address(input), take(input, 1) * 512,
               DESC_NEXT | (in ? DESC_WRITE : 0), head + 2);
    guest_desc(guest, table, head + 2, take_address(input), 1, DESC_WRITE, 0);
    guest_offer(guest, queue, head);
}

static void
pause_and_resume(void)
{
    guest->dev->class->pause(guest->dev);
    guest->dev->class->resume(guest->dev);
}

static void
write_config(Input *input)
{
    unsigned offset = take(input, 1) % sizeof(struct virtio_blk_config);

    mmio_write(guest->test, guest->device + offset, 1, take(input, 1));
}

static void
step(Input *input)
{
    uint8_t what = take(input, 1);
    unsigned queue = what >> 7;

    switch (what % 10) {
    case 0:
        put_desc(input, queue);
        break;
    case 1:
        put_header(input);
        break;
    case 2:
        put_range(input);
        break;
    case 3:
    case 4:
        put_request(input, queue);
        break;
    case 5:
        guest_offer(guest, queue, take(input, 1) % 18);
        break;
    case 6:
        guest_set_avail(guest, queue, take(input, 2));
        break;
    case 7:
        guest_kick(guest, queue);
        break;
    case 8:
        write_config(input);
        break;
    case 9:
        pause_and_resume();
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Input input = { data, size };

    begin();
    for (unsigned i = 0; i < STEPS_MAX && input.size > 0; i++)
        step(&input);
    guest_kick(guest, 0);
    guest_kick(guest, 1);
    pause_and_resume();
    return 0;
}
