/* i8042: the keyboard controller of a PC, with a keyboard and a mouse, or, on a machine that has neither, with nothing
 * plugged in: then it still answers every probe at once, so that nobody waits for a timeout, and pulses the reset line
 * (IBM Personal System/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller"). */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/alarm.h"
#include "qemu-kvm-backend/hw/ps2-codes.h"
#include "qemu-kvm-backend/hw/ps2-mouse.h"
#include "qemu-kvm-backend/hw/ps2-typist.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/aml.h"

#include <string.h>

#define PORT_DATA    0x60u
#define PORT_COMMAND 0x64u

#define STATUS_OUTPUT_FULL (1u << 0)
#define STATUS_SYSTEM      (1u << 2) /* a copy of the command byte's bit */
#define STATUS_COMMAND     (1u << 3) /* the last write was to the command port */
#define STATUS_UNLOCKED    (1u << 4)
#define STATUS_AUX         (1u << 5) /* what is in the output buffer is the mouse's */
#define STATUS_TIMEOUT     (1u << 6) /* the device did not answer */

#define COMMAND_BYTE_KBD_IRQ      (1u << 0)
#define COMMAND_BYTE_AUX_IRQ      (1u << 1)
#define COMMAND_BYTE_SYSTEM       (1u << 2)
#define COMMAND_BYTE_KBD_DISABLED (1u << 4)
#define COMMAND_BYTE_AUX_DISABLED (1u << 5)
#define COMMAND_BYTE_TRANSLATE    (1u << 6) /* the keyboard's scan codes, into set 1 */
#define COMMAND_BYTE_MASK         0x7fu

#define KBD_IRQ 1
#define AUX_IRQ 12

#define OUTPUT_PORT_NO_RESET (1u << 0) /* low: the CPU is held in reset */
#define OUTPUT_PORT_A20      (1u << 1)

#define SELF_TEST_OK 0x55
#define PORT_TEST_OK 0x00
#define NO_ANSWER    0xfe
#define RELEASE      0xf0 /* before the code of a key that comes up */

#define RAM_COMMAND_MAX                                                                            \
    0x1f /* commands 20h to 3fh read the controller's RAM, 60h to 7fh write it */

typedef struct I8042 {
    Device dev;
    uint8_t status; /* without the bits that follow from the others */
    uint8_t output;
    uint8_t output_port;
    uint8_t expects;                  /* the command whose data byte comes next, 0: none */
    uint8_t ram[RAM_COMMAND_MAX + 1]; /* byte 0 is the command byte */
    bool answers;                     /* its own answer waits for the output buffer: ... */
    uint8_t answer, answer_how;       /* ... this one, with these bits of the status */
    bool comes_up; /* RELEASE was taken from the keyboard, and the code was not yet */
    Ps2Keyboard keyboard;
    Ps2Mouse mouse;
    Ps2Typist typist;
    Alarm *alarm; /* the typist's; NULL: nothing is plugged in */
    bool types;   /* he does, for the guest runs */
    bool asleep;  /* the machine is, and a key wakes it */
    bool kbd_line, aux_line;
} I8042;

/* The output buffer */

static void
drive(I8042 *kbc, unsigned irq, bool *line, bool level)
{
    if (*line == level)
        return;
    *line = level;
    kbc->dev.board->set_irq(kbc->dev.board, irq, level);
}

static void
update_lines(I8042 *kbc)
{
    bool full = kbc->status & STATUS_OUTPUT_FULL, aux = kbc->status & STATUS_AUX;
    uint8_t kbd = kbc->ram[0] & (COMMAND_BYTE_KBD_IRQ | COMMAND_BYTE_KBD_DISABLED);

    drive(kbc, KBD_IRQ, &kbc->kbd_line, full && !aux && kbd == COMMAND_BYTE_KBD_IRQ);
    drive(kbc, AUX_IRQ, &kbc->aux_line, full && aux && kbc->ram[0] & COMMAND_BYTE_AUX_IRQ);
}

static void
fill(I8042 *kbc, uint8_t value, uint8_t how)
{
    kbc->output = value;
    kbc->status &= ~(STATUS_AUX | STATUS_TIMEOUT);
    kbc->status |= STATUS_OUTPUT_FULL | how;
}

/* The next byte from the keyboard as the guest wants it. */
static bool
take_from_keyboard(I8042 *kbc, uint8_t *ret)
{
    uint8_t byte;

    while (ps2_take(&kbc->keyboard.line, &byte)) {
        if (!(kbc->ram[0] & COMMAND_BYTE_TRANSLATE)) {
            *ret = byte;
            return true;
        }
        if (byte != RELEASE) {
            *ret = ps2_code_translate(byte) | (kbc->comes_up ? 0x80 : 0);
            kbc->comes_up = false;
            return true;
        }
        kbc->comes_up = true;
    }
    return false;
}

/* Its own answer goes first, for whoever waits for that has turned the devices off. */
static void
refill(I8042 *kbc)
{
    uint8_t byte;

    if (kbc->status & STATUS_OUTPUT_FULL)
        return;
    if (kbc->answers) {
        kbc->answers = false;
        fill(kbc, kbc->answer, kbc->answer_how);
    } else if (!(kbc->ram[0] & COMMAND_BYTE_KBD_DISABLED) && take_from_keyboard(kbc, &byte)) {
        fill(kbc, byte, 0);
    } else if (!(kbc->ram[0] & COMMAND_BYTE_AUX_DISABLED) && ps2_take(&kbc->mouse.line, &byte)) {
        fill(kbc, byte, STATUS_AUX);
    }
}

static void
update(I8042 *kbc)
{
    refill(kbc);
    update_lines(kbc);
}

static void
answer(I8042 *kbc, uint8_t value, uint8_t how)
{
    kbc->answers = true;
    kbc->answer = value;
    kbc->answer_how = how;
}

/* The line falls before the next byte raises it again: PCs' interrupts are edges. */
static uint64_t
data_read(Device *dev, uint64_t offset, unsigned size)
{
    I8042 *kbc = (I8042 *)dev;
    uint8_t value = kbc->output;

    kbc->status &= ~(STATUS_OUTPUT_FULL | STATUS_AUX | STATUS_TIMEOUT);
    update_lines(kbc);
    update(kbc);
    return value;
}

/* Commands */

static void
set_output_port(I8042 *kbc, uint8_t value)
{
    kbc->output_port = value | OUTPUT_PORT_NO_RESET;
    if (!(value & OUTPUT_PORT_NO_RESET))
        kbc->dev.board->request(kbc->dev.board, BOARD_RESET, 0,
                                "The guest reset the machine by the keyboard controller");
}

/* Who is sent something is heard, too. */
static void
send_to_keyboard(I8042 *kbc, uint8_t value)
{
    kbc->ram[0] &= ~COMMAND_BYTE_KBD_DISABLED;
    if (kbc->alarm)
        ps2_keyboard_receive(&kbc->keyboard, value);
    else
        answer(kbc, NO_ANSWER, STATUS_TIMEOUT);
}

static void
send_to_mouse(I8042 *kbc, uint8_t value)
{
    kbc->ram[0] &= ~COMMAND_BYTE_AUX_DISABLED;
    if (kbc->alarm)
        ps2_mouse_receive(&kbc->mouse, value);
    else
        answer(kbc, NO_ANSWER, STATUS_TIMEOUT | STATUS_AUX);
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
    else if (command == 0xd4)
        send_to_mouse(kbc, value);
    else
        send_to_keyboard(kbc, value);
    update(kbc);
}

static uint64_t
status_read(Device *dev, uint64_t offset, unsigned size)
{
    I8042 *kbc = (I8042 *)dev;
    uint8_t status = kbc->status | STATUS_UNLOCKED;

    if (kbc->ram[0] & COMMAND_BYTE_SYSTEM)
        status |= STATUS_SYSTEM;
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
    update(kbc);
}

/* Two regions, for the ports between them are the PIT's and the NMI's. */
static const BusOps data_ops = { data_read, data_write };
static const BusOps command_ops = { status_read, command_write };

/* Keys from outside */

static void
type(I8042 *kbc)
{
    uint64_t now_ns = alarm_now(kbc->alarm);

    alarm_set(kbc->alarm, ps2_typist_type(&kbc->typist, &kbc->keyboard, now_ns));
    update(kbc);
}

static void
alarm_rings(void *data)
{
    I8042 *kbc = data;

    if (kbc->types)
        type(kbc);
}

static bool
read_stroke(VmmMsg *request, Ps2Stroke *ret, VmmError *err)
{
    const void *keys;
    uint64_t hold_ms;
    size_t n;

    if (!vmm_msg_get_bytes(request, "keys", &keys, &n) ||
        !vmm_msg_get_u64(request, "hold", &hold_ms))
        return vmm_error(err, VMM_ERROR_INVALID, "The keyboard is told no keys, or not how long");
    if (n < 1 || n > PS2_STROKE_KEYS || hold_ms > UINT32_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "A keyboard takes 1 to %d keys at a time, not %zu",
                         PS2_STROKE_KEYS, n);
    *ret = (Ps2Stroke){ .n = n, .hold_ms = hold_ms };
    memcpy(ret->keys, keys, n);
    return true;
}

/* Who wakes the machine by a key does not type it. */
static bool
take_stroke(I8042 *kbc, const Ps2Stroke *stroke, VmmError *err)
{
    if (kbc->asleep) {
        kbc->asleep = false;
        kbc->dev.board->request(kbc->dev.board, BOARD_WAKE, 0, "A key woke the guest");
        return true;
    }
    if (!ps2_typist_add(&kbc->typist, stroke))
        return vmm_error(err, VMM_ERROR_STATE,
                         "The keyboard is still busy with what was typed before");
    if (kbc->types)
        type(kbc);
    return true;
}

static bool
i8042_tell(Device *dev, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    I8042 *kbc = (I8042 *)dev;
    Ps2Stroke stroke;
    bool taken;

    if (!kbc->alarm)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "The machine has no keyboard");
    if (!read_stroke(request, &stroke, err))
        return false;
    pthread_mutex_lock(&dev->lock);
    taken = take_stroke(kbc, &stroke, err);
    pthread_mutex_unlock(&dev->lock);
    return taken;
}

/* Keys are held for the guest's time, not for that of its pause. */

static void
i8042_pause(Device *dev)
{
    I8042 *kbc = (I8042 *)dev;

    if (!kbc->alarm)
        return;
    pthread_mutex_lock(&dev->lock);
    kbc->types = false;
    alarm_set(kbc->alarm, 0);
    pthread_mutex_unlock(&dev->lock);
}

static void
i8042_resume(Device *dev)
{
    I8042 *kbc = (I8042 *)dev;

    if (!kbc->alarm)
        return;
    pthread_mutex_lock(&dev->lock);
    kbc->types = true;
    if (kbc->typist.n > 0) {
        ps2_typist_restart(&kbc->typist, &kbc->keyboard, alarm_now(kbc->alarm));
        type(kbc);
    }
    pthread_mutex_unlock(&dev->lock);
}

static void
i8042_sleep(Device *dev)
{
    I8042 *kbc = (I8042 *)dev;

    pthread_mutex_lock(&dev->lock);
    kbc->asleep = true;
    pthread_mutex_unlock(&dev->lock);
}

static bool
i8042_create(Device *dev, VmmMsg *params, VmmError *err)
{
    I8042 *kbc = (I8042 *)dev;

    if (dev->board->ps2) {
        kbc->alarm =
            alarm_new(dev->board->loop, CLOCK_MONOTONIC, &dev->lock, alarm_rings, kbc, err);
        if (!kbc->alarm)
            return false;
    }
    return device_claim(dev, dev->board->pio, PORT_DATA, 1, &data_ops, err) &&
           device_claim(dev, dev->board->pio, PORT_COMMAND, 1, &command_ops, err);
}

static void
describe_keyboard(Aml *aml)
{
    aml_open_device(aml, "KBD");
    aml_name_eisaid(aml, "_HID", "PNP0303");
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, PORT_DATA, 1);
    aml_resource_io(aml, PORT_COMMAND, 1);
    aml_resource_irq(aml, KBD_IRQ);
    aml_close(aml);
    aml_close(aml);
}

static void
describe_mouse(Aml *aml)
{
    aml_open_device(aml, "MOU");
    aml_name_eisaid(aml, "_HID", "PNP0F13");
    aml_open_resources(aml, "_CRS");
    aml_resource_irq(aml, AUX_IRQ);
    aml_close(aml);
    aml_close(aml);
}

static void
i8042_describe(Device *dev, Aml *aml)
{
    if (!((I8042 *)dev)->alarm)
        return;
    describe_keyboard(aml);
    describe_mouse(aml);
}

/* As firmware leaves it: the keyboard works, where there is one, and the mouse waits for a driver. */
static void
i8042_reset(Device *dev)
{
    I8042 *kbc = (I8042 *)dev;

    kbc->status = 0;
    kbc->output = 0;
    kbc->output_port = OUTPUT_PORT_NO_RESET | OUTPUT_PORT_A20;
    kbc->expects = 0;
    memset(kbc->ram, 0, sizeof(kbc->ram));
    kbc->ram[0] =
        COMMAND_BYTE_SYSTEM | COMMAND_BYTE_AUX_DISABLED |
        (kbc->alarm ? COMMAND_BYTE_KBD_IRQ | COMMAND_BYTE_TRANSLATE : COMMAND_BYTE_KBD_DISABLED);
    kbc->answers = false;
    kbc->answer = 0;
    kbc->answer_how = 0;
    kbc->comes_up = false;
    kbc->asleep = false;
    ps2_keyboard_reset(&kbc->keyboard);
    ps2_mouse_reset(&kbc->mouse);
    kbc->typist = (Ps2Typist){ 0 };
    if (kbc->alarm)
        alarm_set(kbc->alarm, 0);
    update_lines(kbc);
}

static bool
i8042_loaded(void *object, VmmError *err)
{
    update_lines(object);
    return true;
}

/* What a version 1, of a controller to which nothing could be plugged in, did not have. */
static const StateField devices_fields[] = {
    STATE_NUMBER(I8042, answers),
    STATE_NUMBER(I8042, answer),
    STATE_NUMBER(I8042, answer_how),
    STATE_NUMBER(I8042, comes_up),
    STATE_STRUCT(I8042, keyboard, &ps2_keyboard_state),
    STATE_STRUCT(I8042, mouse, &ps2_mouse_state),
    STATE_STRUCT(I8042, typist, &ps2_typist_state),
    STATE_END,
};

static const StateTable devices_state = { .version = 1, .fields = devices_fields };

static void *
devices_of(void *object)
{
    return object;
}

static const StateField i8042_fields[] = {
    STATE_NUMBER(I8042, status),
    STATE_NUMBER(I8042, output),
    STATE_NUMBER(I8042, output_port),
    STATE_NUMBER(I8042, expects),
    STATE_NUMBERS(I8042, ram),
    { .name = "devices",
      .since = 2,
      .kind = STATE_KIND_PART,
      .table = &devices_state,
      .part = devices_of },
    STATE_END,
};

static const StateTable i8042_state = { .version = 2,
                                        .fields = i8042_fields,
                                        .loaded = i8042_loaded };

static void
i8042_destroy(Device *dev)
{
    alarm_free(((I8042 *)dev)->alarm);
}

const DeviceClass i8042_class = {
    .name = VMM_DEVICE_KEYBOARD,
    .size = sizeof(I8042),
    .create = i8042_create,
    .reset = i8042_reset,
    .pause = i8042_pause,
    .resume = i8042_resume,
    .describe = i8042_describe,
    .sleep = i8042_sleep,
    .tell = i8042_tell,
    .state = &i8042_state,
    .destroy = i8042_destroy,
};
