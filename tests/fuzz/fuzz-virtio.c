/* Fuzz target: a guest that does anything to a virtio device on PCI: to configuration space, to its BARs wherever it
 * has put them, and to the rings in its memory.
 *
 * The input is a row of steps of eight bytes: what, where (two bytes), width, and a value of four. */
#include "tests/unit/virtio-guest.h"

#include <string.h>

#define MEMORY 0x100000u
#define BLOCK  0x400u /* of memory that steps write to: the queue's and the buffers' */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Step {
    uint8_t what;
    uint16_t where;
    uint8_t width;
    uint32_t value;
} Step;

static Step
parse(const uint8_t *data)
{
    return (Step){
        .what = data[0],
        .where = data[1] | data[2] << 8,
        .width = 1u << data[3] % 4,
        .value = data[4] | data[5] << 8 | data[6] << 16 | (uint32_t)data[7] << 24,
    };
}

static void
access_config(VirtioGuest *guest, const Step *step, bool write)
{
    unsigned width = step->width > 4 ? 4 : step->width, at = (step->where & 0xff) & ~(width - 1);
    unsigned devfn = step->where & 0x8000 ? 0 : guest->devfn;

    if (write)
        config_write(guest->test, 0, devfn, at, width, step->value);
    else
        config_read(guest->test, 0, devfn, at, width);
}

static void
access_bar(VirtioGuest *guest, uint64_t base, const Step *step, bool write)
{
    uint64_t at = base + (step->where & 0x3fff);

    if (write)
        mmio_write(guest->test, at, step->width, step->value * 0x100000001ull);
    else
        mmio_read(guest->test, at, step->width);
}

/* Into the rings, whose place guest_start() has chosen. */
static void
write_memory(VirtioGuest *guest, const Step *step)
{
    uint64_t at = 0x10000 + step->where % BLOCK;

    memcpy(guest_memory(guest, at, 8), &step->value, step->width > 4 ? 4 : step->width);
}

static void
take_step(VirtioGuest *guest, const Step *step)
{
    switch (step->what % 16) {
    case 0:
    case 1:
        access_config(guest, step, step->what & 1);
        break;
    case 2:
    case 3:
        access_bar(guest, guest->structures, step, step->what & 1);
        break;
    case 4:
    case 5:
        access_bar(guest, guest->msix, step, step->what & 1);
        break;
    case 6: /* the common configuration, field by field */
        guest_set(guest, step->where % 0x38, step->width > 4 ? 4 : step->width, step->value);
        break;
    case 7:
        guest->dev->class->pause(guest->dev);
        guest->dev->class->resume(guest->dev);
        break;
    case 8:
        guest_set(guest, COMMON_STATUS, 1, 0);
        test_board_settle(guest->test);
        break;
    case 9:
        guest_setup_queue(guest, 0, 1u << step->where % 8);
        break;
    case 10:
        guest_offer(guest, 0, step->value);
        break;
    case 11:
        guest_desc(guest, guest->queues[0].desc, step->where % 64, step->value & 0x1fffff,
                   step->value >> 12, step->width, step->value >> 24);
        break;
    case 12:
        guest_kick(guest, 0);
        break;
    case 13:
        test_board_settle(guest->test);
        break;
    default:
        write_memory(guest, step);
        break;
    }
}

/* Wherever the steps have left the device: it can be had back. */
static void
recover(VirtioGuest *guest)
{
    uint32_t head, len;

    guest->host->class->reset(guest->host); /* whose window may be where the BAR goes */
    guest->dev->class->reset(guest->dev);
    config_write(guest->test, 0, guest->devfn, 0x20, 4, guest->structures);
    config_write(guest->test, 0, guest->devfn, 0x24, 4, guest->structures >> 32);
    config_write(guest->test, 0, guest->devfn, 0x04, 2, 6);
    guest->free_gpa = 0x20000;
    guest_start(guest, 0);
    guest_desc(guest, guest->queues[0].desc, 0, 0x30000, 16, DESC_WRITE, 0);
    guest_offer(guest, 0, 0);
    guest_kick(guest, 0);
    g_assert_true(guest_take_used(guest, 0, &head, &len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    VirtioGuest *guest;

    vmm_msg_put_string(params, "device", "rng");
    guest = virtio_guest_new(params, MEMORY);
    guest_start(guest, ~0ull);
    for (size_t at = 0; at + 8 <= size && at < 8 * 256; at += 8) {
        Step step = parse(data + at);

        take_step(guest, &step);
        guest->free_gpa = 0x10000; /* queues are set up anew in the same place */
    }
    test_board_settle(guest->test);
    recover(guest);
    virtio_guest_free(guest);
    return 0;
}
