/* Fuzz target: a guest that does anything to the registers of its watchdog and its panic devices, while time
 * passes, it is paused, and the machine is reset.
 *
 * The input is a row of steps of four bytes: what, where, and a value of two bytes. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/pci.h"
#include "tests/unit/fake-alarm.h"
#include "tests/unit/test-board.h"

#include <glib.h>

#define N_DEVICES 4
#define BAR       0xd0000000u
#define STAGE_NS  1000000u /* no stage of the watchdog is shorter */

/* Nanoseconds in an input: two of the longest stages, for a short one ends often in that. */
#define TIME_MAX (1ull << 41)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t passed_ns; /* in this input */

static unsigned
size_of(const uint8_t *step)
{
    return 1u << step[0] / 8 % 3;
}

static uint32_t
value_of(const uint8_t *step)
{
    uint32_t value = step[2] | step[3] << 8;

    return step[0] & 0x80 ? value * 0x10001u : value;
}

static void
map(TestBoard *test)
{
    for (unsigned slot = 1; slot <= 2; slot++) {
        config_write(test, 0, slot << 3, PCI_BAR0, 4, BAR + slot * 0x1000);
        config_write(test, 0, slot << 3, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
    }
}

static void
pass_time(const uint8_t *step)
{
    uint64_t ns = (uint64_t)(step[2] + 1) << (step[3] % 36);

    if (ns > TIME_MAX - passed_ns)
        ns = TIME_MAX - passed_ns;
    passed_ns += ns;
    g_assert_cmpuint(fake_advance(ns), <=, 2 + ns / STAGE_NS);
}

static void
restart(TestBoard *test, Device **devices)
{
    for (unsigned i = 0; i < N_DEVICES; i++)
        if (devices[i]->class->reset)
            devices[i]->class->reset(devices[i]);
    map(test);
}

static void
pause_and_resume(Device **devices, const uint8_t *step)
{
    for (unsigned i = 0; i < N_DEVICES; i++)
        if (devices[i]->class->pause)
            devices[i]->class->pause(devices[i]);
    g_assert_cmpuint(fake_advance(1ull << (step[3] % 36)), ==, 0);
    for (unsigned i = 0; i < N_DEVICES; i++)
        if (devices[i]->class->resume)
            devices[i]->class->resume(devices[i]);
}

static void
take_step(TestBoard *test, Device **devices, const uint8_t *step)
{
    uint64_t gpa = BAR + (1 + (step[1] >> 7)) * 0x1000 + step[1] % 20;
    unsigned devfn = (1 + (step[1] >> 7)) << 3;
    unsigned offset = step[1] % 0x80 / size_of(step) * size_of(step);

    switch (step[0] % 8) {
    case 0:
        mmio_read(test, gpa, size_of(step));
        break;
    case 1:
        mmio_write(test, gpa, size_of(step), value_of(step));
        break;
    case 2:
        config_read(test, 0, devfn, offset, size_of(step));
        break;
    case 3:
        config_write(test, 0, devfn, offset, size_of(step), value_of(step));
        break;
    case 4:
        out16(test, 0x504 + step[1] % 3, value_of(step));
        break;
    case 5:
        pass_time(step);
        break;
    case 6:
        pause_and_resume(devices, step);
        break;
    case 7:
        restart(test, devices);
        break;
    }
}

static VmmMsg *
in_slot(unsigned slot)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_u64(msg, "slot", slot);
    return msg;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TestBoard *test = test_board_new(NULL);
    Device *devices[N_DEVICES];

    fake_now_ns = 1000000;
    passed_ns = 0;
    devices[0] = test_board_add(test, &pci_host_class, NULL);
    devices[1] = test_board_add(test, &i6300esb_class, in_slot(1));
    devices[2] = test_board_add(test, &pvpanic_pci_class, in_slot(2));
    devices[3] = test_board_add(test, &pvpanic_class, NULL);
    map(test);
    for (size_t at = 0; at + 4 <= size && at < 4000; at += 4)
        take_step(test, devices, data + at);
    for (unsigned i = N_DEVICES; i > 0; i--)
        device_free(devices[i - 1]);
    test_board_free(test);
    return 0;
}
