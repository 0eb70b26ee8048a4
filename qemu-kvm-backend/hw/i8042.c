/* i8042: a keyboard controller with nothing plugged in.
 *
 * It answers every probe at once, so that nobody waits for a timeout, and pulses the reset line. While it has
 * nothing to say its status has both errors of the line: by these OVMF sees that there is no keyboard (edk2,
 * Ps2KeyboardDxe), where it else waits a second for each of six acknowledgements.
 * The FADT does not announce it: what looks for it here does so on its own account. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/state.h"

#include <string.h>

#define PORT_DATA    0x60u
#define PORT_COMMAND 0x64u

#define STATUS_OUTPUT_FULL (1u << 0)
#define STATUS_SYSTEM      (1u << 2) /* a copy of the command byte's bit */
#define STATUS_COMMAND     (1u << 3) /* the last write was to the command port */
#define STATUS_UNLOCKED    (1u << 4)
#define STATUS_AUX         (1u << 5) /* what is in the output buffer is the mouse's */
#define STATUS_TIMEOUT     (1u << 6) /* the device did not answer */
#define STATUS_PARITY      (1u << 7)

#define COMMAND_BYTE_SYSTEM       (1u << 2)
#define COMMAND_BYTE_KBD_DISABLED (1u << 4)
#define COMMAND_BYTE_AUX_DISABLED (1u << 5)
#define COMMAND_BYTE_MASK         0x7fu

#define OUTPUT_PORT_NO_RESET (1u << 0) /* low: the CPU is held in reset */
#define OUTPUT_PORT_A20      (1u << 1)

#define SELF_TEST_OK 0x55
#define PORT_TEST_OK 0x00
#define NO_ANSWER    0xfe
#define RAM_COMMAND_MAX                                                                            \
    0x1f /* commands 20h to 3fh read the controller's RAM, 60h to 7fh write it */

typedef struct I8042 {
    Device dev;
    uint8_t status; /* without the bits that follow from the others */
    uint8_t output;
    uint8_t output_port;
    uint8_t expects;                  /* the command whose data byte comes next, 0: none */
    uint8_t ram[RAM_COMMAND_MAX + 1]; /* byte 0 is the command byte */
} I8042;

static void
answer(I8042 *kbc, uint8_t value, uint8_t how)
{
    kbc->output = value;
    kbc->status &= ~(STATUS_AUX | STATUS_TIMEOUT);
    kbc->status |= STATUS_OUTPUT_FULL | how;
}

static void
set_output_port(I8042 *kbc, uint8_t value)
{
    kbc->output_port = value | OUTPUT_PORT_NO_RESET;
    if (!(value & OUTPUT_PORT_NO_RESET))
        kbc->dev.board->request(kbc->dev.board, BOARD_RESET, 0,
                                "The guest reset the machine by the keyboard controller");
}

static uint64_t
data_read(Device *dev, uint64_t offset, unsigned size)
{
    I8042 *kbc = (I8042 *)dev;

    kbc->status &= ~(STATUS_OUTPUT_FULL | STATUS_AUX | STATUS_TIMEOUT);
    return kbc->output;
}

static void
data_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    I8042 *kbc = (I8042 *)dev;
    uint8_t command = kbc->expects;

    kbc->expects = 0;
    kbc->status &= ~STATUS_COMMAND;
    if (command >= 0x60 && command <= 0x7f)
        kbc->ram[command & RAM_COMMAND_MAX] = command == 0x60 ? value & COMMAND_BYTE_MASK : value;
    else if (command == 0xd1)
        set_output_port(kbc, value);
    else if (command == 0xd2)
        answer(kbc, value, 0); /* as if the keyboard had sent it */
    else if (command == 0xd3)
        answer(kbc, value, STATUS_AUX);
    else
        answer(kbc, NO_ANSWER, STATUS_TIMEOUT | (command == 0xd4 ? STATUS_AUX : 0));
}

static uint64_t
status_read(Device *dev, uint64_t offset, unsigned size)
{
    I8042 *kbc = (I8042 *)dev;
    uint8_t status = kbc->status | STATUS_UNLOCKED;

    if (kbc->ram[0] & COMMAND_BYTE_SYSTEM)
        status |= STATUS_SYSTEM;
    if (!(status & STATUS_OUTPUT_FULL))
        status |= STATUS_TIMEOUT | STATUS_PARITY;
    return status;
}

static void
run_command(I8042 *kbc, uint8_t command)
{
    switch (command) {
    case 0x20 ... 0x3f:
        answer(kbc, kbc->ram[command & RAM_COMMAND_MAX], 0);
        break;
    case 0x60 ... 0x7f: /* write RAM */
    case 0xd1 ... 0xd4: /* write output port, keyboard buffer, mouse buffer, mouse */
        kbc->expects = command;
        break;
    case 0xa7:
        kbc->ram[0] |= COMMAND_BYTE_AUX_DISABLED;
        break;
    case 0xa8:
        kbc->ram[0] &= ~COMMAND_BYTE_AUX_DISABLED;
        break;
    case 0xaa:
        kbc->ram[0] |= COMMAND_BYTE_SYSTEM;
        answer(kbc, SELF_TEST_OK, 0);
        break;
    case 0xa9: /* test the mouse's port */
    case 0xab: /* and the keyboard's */
        answer(kbc, PORT_TEST_OK, 0);
        break;
    case 0xad:
        kbc->ram[0] |= COMMAND_BYTE_KBD_DISABLED;
        break;
    case 0xae:
        kbc->ram[0] &= ~COMMAND_BYTE_KBD_DISABLED;
        break;
    case 0xc0: /* input port: nothing is pulled low */
        answer(kbc, 0xff, 0);
        break;
    case 0xd0:
        answer(kbc, kbc->output_port, 0);
        break;
    case 0xf0 ... 0xff: /* pulses the bits of the output port that are 0 in the command */
        if (!(command & OUTPUT_PORT_NO_RESET))
            set_output_port(kbc, kbc->output_port & ~OUTPUT_PORT_NO_RESET);
        break;
    default: /* others do nothing on hardware either, each vendor having his own */
        break;
    }
}

static void
command_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    I8042 *kbc = (I8042 *)dev;

    kbc->expects = 0;
    kbc->status |= STATUS_COMMAND;
    run_command(kbc, value);
}

/* Two regions, for the ports between them are the PIT's and the NMI's. */
static const BusOps data_ops = { data_read, data_write };
static const BusOps command_ops = { status_read, command_write };

static bool
i8042_create(Device *dev, VmmMsg *params, VmmError *err)
{
    return device_claim(dev, dev->board->pio, PORT_DATA, 1, &data_ops, err) &&
           device_claim(dev, dev->board->pio, PORT_COMMAND, 1, &command_ops, err);
}

static void
i8042_reset(Device *dev)
{
    I8042 *kbc = (I8042 *)dev;

    kbc->status = 0;
    kbc->output = 0;
    kbc->output_port = OUTPUT_PORT_NO_RESET | OUTPUT_PORT_A20;
    kbc->expects = 0;
    memset(kbc->ram, 0, sizeof(kbc->ram));
    /* As firmware leaves it, but for the ports: both stay off, nothing is plugged in. */
    kbc->ram[0] = COMMAND_BYTE_SYSTEM | COMMAND_BYTE_KBD_DISABLED | COMMAND_BYTE_AUX_DISABLED;
}

static const StateField i8042_fields[] = {
    STATE_NUMBER(I8042, status),  STATE_NUMBER(I8042, output), STATE_NUMBER(I8042, output_port),
    STATE_NUMBER(I8042, expects), STATE_NUMBERS(I8042, ram),   STATE_END,
};

static const StateTable i8042_state = { .version = 1, .fields = i8042_fields };

const DeviceClass i8042_class = {
    .name = "i8042",
    .size = sizeof(I8042),
    .create = i8042_create,
    .reset = i8042_reset,
    .state = &i8042_state,
};
