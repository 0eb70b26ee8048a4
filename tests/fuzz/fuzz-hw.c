/* Fuzz target: a guest that does anything to the ports of the board's devices, a serial port and a
 * debug exit, while time passes, buttons and keys are pressed and the machine is reset.
 *
 * The input is a row of steps of four bytes: what, which port, and a value of two bytes. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/layout.h"
#include "tests/unit/fake-alarm.h"
#include "tests/unit/test-board.h"

#include <glib.h>

#define DEBUG_EXIT 0x501

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* First port and number, with some on both sides that are nobody's. */
static const struct {
    uint16_t base, n;
} ranges[] = {
    { 0x3f8, 8 }, { 0x70, 2 },  { LAYOUT_PM_BASE - 4, 20 }, { 0x60, 5 },
    { 0x92, 1 },  { 0xcf8, 8 }, { DEBUG_EXIT - 1, 6 },
};

static uint16_t
port_of(uint8_t which)
{
    unsigned i = which % G_N_ELEMENTS(ranges);

    return ranges[i].base + which / G_N_ELEMENTS(ranges) % ranges[i].n;
}

static void
access_port(TestBoard *test, const uint8_t *step)
{
    uint16_t port = port_of(step[1]), value = step[2] | step[3] << 8;

    switch (step[0] % 6) {
    case 0:
        in8(test, port);
        break;
    case 1:
        in16(test, port);
        break;
    case 2:
        in32(test, port);
        break;
    case 3:
        out8(test, port, value);
        break;
    case 4:
        out16(test, port, value);
        break;
    case 5:
        out32(test, port, value * 0x10001u);
        break;
    }
}

/* Time in steps from microseconds to days; alarms that ring more often than the fastest periodic
 * interrupt would be a loop that a guest can keep the main thread in. */
static void
pass_time(const uint8_t *step)
{
    uint64_t ns = (uint64_t)(step[2] + 1) << (step[3] % 40);
    unsigned n = fake_advance(ns);

    g_assert_cmpuint(n, <=, 16 + ns / 1000000000 * 16384 + ns / 30000);
}

/* Up to three keys, of any number; where too many wait already, they are refused. */
static void
type(Device *dev, const uint8_t *step)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    const uint8_t keys[] = { step[2], step[3], step[1] };
    VmmError err;

    vmm_msg_put_bytes(request, "keys", keys, step[1] % 4);
    vmm_msg_put_u64(request, "hold", step[3] * 16);
    dev->class->tell(dev, request, reply, &err);
}

static void
take_step(TestBoard *test, Device **devices, unsigned n, const uint8_t *step)
{
    if (step[0] < 0xe0) {
        access_port(test, step);
    } else if (step[0] < 0xf0) {
        pass_time(step);
    } else if (step[0] < 0xf8) {
        for (unsigned i = 0; i < n; i++) {
            if (devices[i]->class->power_button)
                devices[i]->class->power_button(devices[i]);
        }
    } else if (step[0] < 0xfc) {
        for (unsigned i = 0; i < n; i++) {
            if (devices[i]->class->tell)
                type(devices[i], step);
        }
    } else {
        for (unsigned i = 0; i < n; i++) {
            if (devices[i]->class->reset)
                devices[i]->class->reset(devices[i]);
        }
    }
}

static unsigned
add_devices(TestBoard *test, Device **devices)
{
    VmmMsg *serial = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    VmmMsg *debug_exit = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    unsigned n = 0;

    vmm_msg_put_u64(serial, "port", 0);
    vmm_msg_put_string(serial, "kind", "null");
    vmm_msg_put_u64(debug_exit, "port", DEBUG_EXIT);
    for (unsigned i = 0; device_board_classes[i]; i++)
        devices[n++] = test_board_add(test, device_board_classes[i], NULL);
    devices[n++] = test_board_add(test, &serial_class, serial);
    devices[n++] = test_board_add(test, &debug_exit_class, debug_exit);
    for (unsigned i = 0; i < n; i++)
        device_resume(devices[i]);
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    TestBoard *test = test_board_new(NULL);
    Device *devices[16];
    unsigned n;

    fake_now_ns = 1609599845250000000ull;
    n = add_devices(test, devices);
    for (size_t at = 0; at + 4 <= size && at < 4000; at += 4)
        take_step(test, devices, n, data + at);
    while (n > 0)
        device_free(devices[--n]);
    test_board_free(test);
    return 0;
}
