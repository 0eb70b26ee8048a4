/* Fuzz target: a serial port on a pty: a guest that does anything to its registers, and terminals that come, type,
 * read and leave, so that output is kept for nobody, overflows and goes on.
 *
 * The input is a row of steps of four bytes: what, which register, and a value of two. */
#include "qemu-kvm-backend/device-classes.h"
#include "tests/unit/fake-alarm.h"
#include "tests/unit/raw-pty.h"
#include "tests/unit/test-board.h"

#include <fcntl.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COM1      0x3f8
#define STEP      4
#define STEPS_MAX 1000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Fuzz {
    TestBoard *test;
    Device *dev;
    char slave[64]; /* its path */
    int terminal;   /* -1: nobody has it open */
    int opened;     /* tells the port that somebody came */
} Fuzz;

static void
come(Fuzz *fuzz)
{
    if (fuzz->terminal >= 0)
        return;
    fuzz->terminal = open(fuzz->slave, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    g_assert_cmpint(fuzz->terminal, >=, 0);
    if (write(fuzz->opened, "", 1) < 0)
        return;
}

static void
leave(Fuzz *fuzz)
{
    if (fuzz->terminal >= 0)
        close(fuzz->terminal);
    fuzz->terminal = -1;
}

static void
use_terminal(Fuzz *fuzz, const uint8_t *step)
{
    uint8_t bytes[4096];
    ssize_t n = 0;

    memset(bytes, step[2], sizeof(bytes));
    switch (step[1] % 5) {
    case 0:
        come(fuzz);
        break;
    case 1:
        leave(fuzz);
        break;
    case 2:
        n = write(fuzz->terminal, bytes, step[3] * 4u);
        break;
    case 3:
        n = read(fuzz->terminal, bytes, sizeof(bytes));
        break;
    }
    if (n >= 0)
        test_board_settle(fuzz->test);
}

/* As drivers send, and a guest that floods: up to 64 KiB at a time. */
static void
send_many(Fuzz *fuzz, const uint8_t *step)
{
    unsigned n = step[2] == 0xff ? step[3] * 256u : step[3];

    for (unsigned i = 0; i < n; i++)
        out8(fuzz->test, COM1, i);
}

static void
take_step(Fuzz *fuzz, const uint8_t *step)
{
    uint16_t port = COM1 + step[1] % 8;

    switch (step[0] % 8) {
    case 0:
        in8(fuzz->test, port);
        break;
    case 1:
        in32(fuzz->test, port);
        break;
    case 2 ... 3:
        out8(fuzz->test, port, step[2]);
        break;
    case 4:
        out16(fuzz->test, port, step[2] | step[3] << 8);
        break;
    case 5:
        send_many(fuzz, step);
        break;
    case 6:
        use_terminal(fuzz, step);
        break;
    case 7:
        if (step[1] == 0xff)
            fuzz->dev->class->reset(fuzz->dev);
        else
            fake_advance((uint64_t)(step[2] + 1) << step[3] % 32);
        break;
    }
}

static void
open_port(Fuzz *fuzz)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    int master = raw_pty_open(), fds[2];

    g_assert_cmpint(ptsname_r(master, fuzz->slave, sizeof(fuzz->slave)), ==, 0);
    g_assert_cmpint(pipe2(fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
    fuzz->opened = fds[1];
    vmm_msg_put_u64(params, "port", 0);
    vmm_msg_put_string(params, "kind", "pty");
    vmm_msg_put_fd(params, "fd", master);
    vmm_msg_put_fd(params, "watch", fds[0]);
    fuzz->dev = test_board_add(fuzz->test, &serial_class, params);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Fuzz fuzz = { .test = test_board_new(loop_new()), .terminal = -1 };
    Loop *loop = fuzz.test->board.loop;

    open_port(&fuzz);
    for (size_t at = 0; at + STEP <= size && at < STEPS_MAX * STEP; at += STEP)
        take_step(&fuzz, data + at);
    leave(&fuzz);
    test_board_settle(fuzz.test);
    device_free(fuzz.dev);
    close(fuzz.opened);
    test_board_free(fuzz.test);
    loop_free(loop);
    return 0;
}
