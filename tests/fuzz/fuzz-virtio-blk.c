/* A disk whose driver does anything: descriptors, headers, rings, configuration and resets as the input
 * has it, while the host gives it another size, limits or, where it is a drive, another medium. Each step is one byte
 * that says what and a few that say how; the disk is a file in memory. */
#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
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

/* One disk for all inputs, and one drive: each input begins with a reset. */
static VirtioGuest *guest, *disk, *drive;
static int disk_fd;
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

static VirtioGuest *
new_guest(VmmMsg *params)
{
    VirtioGuest *new;

    vmm_msg_put_string(params, "device", "blk");
    vmm_msg_put_u64(params, "queues", 2);
    vmm_msg_put_u64(params, "queue-size", 16);
    new = virtio_guest_new(params, RAM);
    new->test->board.notify = notify;
    free_gpa = new->free_gpa;
    return new;
}

static VmmMsg *
params_new(void)
{
    return vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
}

static VmmMsg *
disk_params(void)
{
    VmmMsg *params = params_new();

    disk_fd = memfd_create("disk", MFD_CLOEXEC);
    vmm_msg_put_fd(params, "fd", fcntl(disk_fd, F_DUPFD_CLOEXEC, 0));
    vmm_msg_put_bool(params, "discard", true);
    vmm_msg_put_string(params, "on-write-error", "stop");
    return params;
}

static VmmMsg *
drive_params(void)
{
    VmmMsg *params = params_new();

    vmm_msg_put_bool(params, "removable", true);
    return params;
}

/* What the host's side has to say: whether it is taken is the device's business. */
static void
tell(VmmMsg *said)
{
    vmm_msg_auto request = said;
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VmmError err;

    guest->dev->class->tell(guest->dev, request, reply, &err);
}

static VmmMsg *
request_new(const char *key, bool value)
{
    VmmMsg *request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);

    vmm_msg_put_bool(request, key, value);
    return request;
}

static void
tell_size(uint64_t size)
{
    g_assert_cmpint(ftruncate(disk_fd, size), ==, 0);
    tell(request_new("resize", true));
}

static void
tell_medium(bool in, uint64_t size)
{
    VmmMsg *request = request_new("medium", in);

    if (in) {
        int fd = memfd_create("medium", MFD_CLOEXEC);

        g_assert_cmpint(ftruncate(fd, size), ==, 0);
        vmm_msg_put_fd(request, "fd", fd);
        vmm_msg_put_bool(request, "read-only", true);
    }
    tell(request);
}

/* Two of them, and now and then a group; none where they are 0. */
static void
tell_limits(unsigned which, uint64_t bytes, uint64_t ops)
{
    static const char *const keys[][2] = {
        { "total-bytes-sec", "total-iops-sec" },
        { "read-bytes-sec", "write-iops-sec" },
        { "total-bytes-sec-max", "read-iops-sec-max-length" },
        { "write-bytes-sec", "size-iops-sec" },
    };
    VmmMsg *request = request_new("limits", true);

    vmm_msg_put_u64(request, keys[which % 4][0], bytes);
    vmm_msg_put_u64(request, keys[which % 4][1], ops);
    if (which & 0x80)
        vmm_msg_put_string(request, "limits-group", "group");
    tell(request);
}

/* As it was at the first input. */
static void
begin(VirtioGuest *with)
{
    guest = with;
    guest_reset(guest);
    tell_limits(0, 0, 0);
    if (guest == disk)
        tell_size(DISK_SIZE + 100);
    else
        tell_medium(true, DISK_SIZE);
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

/* Steps of the host's side; false: it is the guest's. */
static bool
host_step(Input *input, uint8_t what)
{
    uint8_t how;

    if (what < 250)
        return false;
    how = take(input, 1);
    switch (what) {
    case 250:
        tell_size(how * 512 + 100);
        break;
    case 251:
        tell_limits(how, how & 0x40 ? 512u << how / 4 % 8 : 0, how & 0x20 ? 1 + how / 4 % 8 : 0);
        break;
    case 252:
        tell_medium(how & 1, how * 512);
        break;
    case 253:
        begin(how & 1 ? disk : drive);
        break;
    default:
        test_board_settle(guest->test);
        break;
    }
    return true;
}

static void
step(Input *input)
{
    uint8_t what = take(input, 1);
    unsigned queue = what >> 7;

    if (host_step(input, what))
        return;
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

    if (!disk) {
        disk = new_guest(disk_params());
        drive = new_guest(drive_params());
    }
    begin(disk);
    for (unsigned i = 0; i < STEPS_MAX && input.size > 0; i++)
        step(&input);
    guest_kick(guest, 0);
    guest_kick(guest, 1);
    pause_and_resume();
    return 0;
}
