#include "qemu-kvm-backend/hw/ps2-mouse.h"

#define RATE_DEFAULT       100
#define RESOLUTION_DEFAULT 2 /* 4 counts per millimetre */
#define RESOLUTION_MAX     3

/* Bits of the status, "read status" */
#define STATUS_DOUBLES   (1u << 4)
#define STATUS_REPORTING (1u << 5)
#define STATUS_REMOTE    (1u << 6)

#define REPORT_ALWAYS (1u << 3)

static void
set_defaults(Ps2Mouse *mouse)
{
    mouse->resolution = RESOLUTION_DEFAULT;
    mouse->rate = RATE_DEFAULT;
    mouse->reporting = false;
    mouse->remote = false;
    mouse->doubles = false;
    mouse->echoes = false;
}

void
ps2_mouse_reset(Ps2Mouse *mouse)
{
    ps2_reset(&mouse->line);
    set_defaults(mouse);
}

static void
tell_status(Ps2Mouse *mouse)
{
    const uint8_t answer[] = {
        PS2_ACK,
        (mouse->doubles ? STATUS_DOUBLES : 0) | (mouse->reporting ? STATUS_REPORTING : 0) |
            (mouse->remote ? STATUS_REMOTE : 0),
        mouse->resolution,
        mouse->rate,
    };

    ps2_answer(&mouse->line, answer, sizeof(answer));
}

static void
take_argument(Ps2Mouse *mouse, uint8_t byte)
{
    uint8_t command = mouse->line.expects;

    mouse->line.expects = 0;
    if (command == 0xe8 && byte > RESOLUTION_MAX) {
        ps2_answer_byte(&mouse->line, PS2_RESEND);
        return;
    }
    *(command == 0xe8 ? &mouse->resolution : &mouse->rate) = byte;
    ps2_answer_byte(&mouse->line, PS2_ACK);
}

/* Those that are answered with no more than that they were understood. */
static bool
run_setting(Ps2Mouse *mouse, uint8_t command)
{
    switch (command) {
    case 0xe6:
    case 0xe7:
        mouse->doubles = command == 0xe7;
        return true;
    case 0xe8: /* resolution and rate: an argument follows */
    case 0xf3:
        mouse->line.expects = command;
        return true;
    case 0xea:
    case 0xf0:
        mouse->remote = command == 0xf0;
        return true;
    case 0xec:
    case 0xee:
        mouse->echoes = command == 0xee;
        return true;
    case 0xf4:
    case 0xf5:
        mouse->reporting = command == 0xf4;
        return true;
    case 0xf6:
        set_defaults(mouse);
        return true;
    default:
        return false;
    }
}

static void
run_command(Ps2Mouse *mouse, uint8_t command)
{
    static const uint8_t report[] = { PS2_ACK, REPORT_ALWAYS, 0, 0 }, identity[] = { PS2_ACK, 0 },
                         passed[] = { PS2_ACK, PS2_PASSED, 0 };

    if (run_setting(mouse, command)) {
        ps2_answer_byte(&mouse->line, PS2_ACK);
    } else if (command == 0xe9) {
        tell_status(mouse);
    } else if (command == 0xeb) {
        ps2_answer(&mouse->line, report, sizeof(report));
    } else if (command == 0xf2) {
        ps2_answer(&mouse->line, identity, sizeof(identity));
    } else if (command == 0xfe) {
        ps2_answer_byte(&mouse->line, mouse->line.last);
    } else if (command == 0xff) {
        ps2_mouse_reset(mouse);
        ps2_answer(&mouse->line, passed, sizeof(passed));
    } else {
        ps2_answer_byte(&mouse->line, PS2_RESEND);
    }
}

void
ps2_mouse_receive(Ps2Mouse *mouse, uint8_t byte)
{
    if (mouse->echoes && byte != 0xec && byte != 0xff)
        ps2_answer_byte(&mouse->line, byte);
    else if (mouse->line.expects)
        take_argument(mouse, byte);
    else
        run_command(mouse, byte);
}

static const StateField ps2_mouse_fields[] = {
    STATE_STRUCT(Ps2Mouse, line, &ps2_line_state),
    STATE_NUMBER_MAX(Ps2Mouse, resolution, RESOLUTION_MAX),
    STATE_NUMBER(Ps2Mouse, rate),
    STATE_NUMBER(Ps2Mouse, reporting),
    STATE_NUMBER(Ps2Mouse, remote),
    STATE_NUMBER(Ps2Mouse, doubles),
    STATE_NUMBER(Ps2Mouse, echoes),
    STATE_END,
};

const StateTable ps2_mouse_state = { .version = 1, .fields = ps2_mouse_fields };
