#include "tests/fuzz/virtio-steps.h"

#include <string.h>

#define STEPS_MAX 400

/* Some of them beyond the end of RAM, where there are 4 MiB of it. */
static uint64_t
address_of(const uint8_t *step)
{
    return (step[4] | step[5] << 8) * 67ull;
}

static uint32_t
length_of(const uint8_t *step)
{
    uint32_t length = step[6] | step[7] << 8;

    return length == 0xffff ? UINT32_MAX - step[2] : length;
}

static void
write_descriptor(VirtioGuest *guest, unsigned queue, const uint8_t *step)
{
    GuestQueue *at = &guest->queues[queue];
    unsigned next = step[3] & 0x80 ? step[2] ^ step[3] : step[2] + 1u;

    guest_desc(guest, at->desc, step[2] % at->size, address_of(step), length_of(step), step[3] & 7,
               next % (at->size + 1));
}

static void
write_memory(VirtioGuest *guest, const uint8_t *step)
{
    void *at = memory_at(guest->test->board.memory, address_of(step), 4);

    if (at)
        memcpy(at, (uint8_t[]){ step[2], step[3], step[6], step[7] }, 4);
}

static void
start_over(VirtioGuest *guest, const uint8_t *step)
{
    uint64_t features = step[3] & 1 ? 0 : UINT64_MAX;
    uint64_t free_gpa = guest->free_gpa;

    guest_reset(guest);
    guest->free_gpa = 0x10000;
    guest_start(guest, features ^ (uint64_t)step[6] << 24 ^ step[7] << 8);
    guest->free_gpa = MAX(guest->free_gpa, free_gpa);
}

static void
pause_and_resume(VirtioGuest *guest)
{
    guest->dev->class->pause(guest->dev);
    guest->dev->class->resume(guest->dev);
    test_board_settle(guest->test);
}

static void
take_step(const VirtioSteps *steps, const uint8_t *step, unsigned n_queues)
{
    VirtioGuest *guest = steps->guest;
    unsigned queue = step[1] % n_queues;

    switch (step[0] % 16) {
    case 6 ... 8:
        guest_offer(guest, queue, step[2] | (step[3] & 0x80) << 8);
        break;
    case 9 ... 10:
        guest_kick(guest, queue);
        break;
    case 11:
        write_memory(guest, step);
        break;
    case 12 ... 13:
        steps->host(steps->data, step);
        break;
    case 14:
        if (step[3] & 1)
            guest_set_avail(guest, queue, step[4] | step[5] << 8);
        else if (guest->device)
            mmio_write(guest->test, guest->device + step[2] % 32, 4, address_of(step));
        break;
    case 15:
        if (step[3] & 2)
            pause_and_resume(guest);
        else
            start_over(guest, step);
        break;
    default:
        write_descriptor(guest, queue, step);
        break;
    }
}

void
virtio_steps_run(const VirtioSteps *steps, const uint8_t *data, size_t size)
{
    unsigned n_queues = guest_get(steps->guest, COMMON_NUM_QUEUES, 2);

    for (size_t i = 0; i < STEPS_MAX && size >= VIRTIO_STEP_SIZE; i++) {
        take_step(steps, data, n_queues);
        data += VIRTIO_STEP_SIZE;
        size -= VIRTIO_STEP_SIZE;
    }
    test_board_settle(steps->guest->test);
}
