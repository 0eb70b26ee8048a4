#include "qemu-kvm-backend/hw/ps2-keyboard.h"

#include "qemu-kvm-backend/hw/ps2-codes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>

#define LEDS_MAX      0x07
#define SETS          3
#define RATE_MAX      0x7f
#define RATE_DEFAULT  0x2b /* after 500 ms, 10.9 times a second */
#define ECHO          0xee
#define FIRST_COMMAND 0xed

/* What a key does in set 3; in the others all keys do both. */
#define KIND_REPEATS (1u << 0)
#define KIND_BREAKS  (1u << 1)
#define KIND_ALL     (KIND_REPEATS | KIND_BREAKS)

static void
set_kinds(Ps2Keyboard *keyboard, uint8_t kind)
{
    memset(keyboard->kinds, kind, sizeof(keyboard->kinds));
}

static void
set_defaults(Ps2Keyboard *keyboard)
{
    ps2_clear(&keyboard->line);
    keyboard->rate = RATE_DEFAULT;
    set_kinds(keyboard, KIND_ALL);
}

void
ps2_keyboard_reset(Ps2Keyboard *keyboard)
{
    ps2_reset(&keyboard->line);
    set_defaults(keyboard);
    keyboard->leds = 0;
    keyboard->set = 2;
    keyboard->scanning = true;
}

/* Commands */

static void
acknowledge(Ps2Keyboard *keyboard)
{
    ps2_answer_byte(&keyboard->line, PS2_ACK);
}

static void
choose_set(Ps2Keyboard *keyboard, uint8_t set)
{
    const uint8_t answer[] = { PS2_ACK, keyboard->set };

    if (set == 0) {
        ps2_answer(&keyboard->line, answer, sizeof(answer));
        return;
    }
    keyboard->set = set;
    ps2_clear(&keyboard->line);
    acknowledge(keyboard);
}

/* A list of keys ends with the next command. */
static void
set_kind_of(Ps2Keyboard *keyboard, uint8_t command, uint8_t code)
{
    static const uint8_t kinds[] = { KIND_REPEATS, KIND_BREAKS, 0 }; /* of commands fb, fc and fd */

    if (code < PS2_SET3_KEYS)
        keyboard->kinds[code] = kinds[command - 0xfb];
    keyboard->line.expects = command;
    acknowledge(keyboard);
}

/* False: it is none, but the next command. */
static bool
take_argument(Ps2Keyboard *keyboard, uint8_t byte)
{
    uint8_t command = keyboard->line.expects;

    keyboard->line.expects = 0;
    if (command == 0xed && byte <= LEDS_MAX) {
        keyboard->leds = byte;
        acknowledge(keyboard);
    } else if (command == 0xf0 && byte <= SETS) {
        choose_set(keyboard, byte);
    } else if (command == 0xf3 && byte <= RATE_MAX) {
        keyboard->rate = byte;
        acknowledge(keyboard);
    } else if (command >= 0xfb && byte < FIRST_COMMAND) {
        set_kind_of(keyboard, command, byte);
    } else {
        return false;
    }
    return true;
}

static void
set_scanning(Ps2Keyboard *keyboard, bool on)
{
    keyboard->scanning = on;
    acknowledge(keyboard);
}

static void
set_all(Ps2Keyboard *keyboard, uint8_t kind)
{
    ps2_clear(&keyboard->line);
    set_kinds(keyboard, kind);
    acknowledge(keyboard);
}

static void
run_command(Ps2Keyboard *keyboard, uint8_t command)
{
    static const uint8_t identity[] = { PS2_ACK, 0xab, 0x83 }, passed[] = { PS2_ACK, PS2_PASSED };

    switch (command) {
    case 0xed: /* lamps, scan code set, rate, and what single keys do: an argument follows */
    case 0xf0:
    case 0xf3:
    case 0xfb ... 0xfd:
        keyboard->line.expects = command;
        acknowledge(keyboard);
        break;
    case ECHO:
        ps2_answer_byte(&keyboard->line, ECHO);
        break;
    case 0xf2:
        ps2_answer(&keyboard->line, identity, sizeof(identity));
        break;
    case 0xf4:
        ps2_clear(&keyboard->line);
        set_scanning(keyboard, true);
        break;
    case 0xf5: /* off, with defaults, and defaults alone */
    case 0xf6:
        set_defaults(keyboard);
        set_scanning(keyboard, command == 0xf6 && keyboard->scanning);
        break;
    case 0xf7: /* all keys repeat, break, do neither, or both */
        set_all(keyboard, KIND_REPEATS);
        break;
    case 0xf8:
        set_all(keyboard, KIND_BREAKS);
        break;
    case 0xf9:
        set_all(keyboard, 0);
        break;
    case 0xfa:
        set_all(keyboard, KIND_ALL);
        break;
    case 0xfe:
        ps2_answer_byte(&keyboard->line, keyboard->line.last);
        break;
    case 0xff:
        ps2_keyboard_reset(keyboard);
        ps2_answer(&keyboard->line, passed, sizeof(passed));
        break;
    default:
        ps2_answer_byte(&keyboard->line, PS2_RESEND);
        break;
    }
}

void
ps2_keyboard_receive(Ps2Keyboard *keyboard, uint8_t byte)
{
    if (keyboard->line.expects == 0 || !take_argument(keyboard, byte))
        run_command(keyboard, byte);
}

/* Keys */

static uint8_t
kind_of(const Ps2Keyboard *keyboard, uint8_t key)
{
    return keyboard->set == 3 ? keyboard->kinds[ps2_code_set3(key)] : KIND_ALL;
}

static void
send(Ps2Keyboard *keyboard, uint8_t key, bool down)
{
    Ps2Code code = ps2_code(keyboard->set, key, down);

    if (keyboard->scanning)
        ps2_put(&keyboard->line, code.bytes, code.n);
}

void
ps2_keyboard_press(Ps2Keyboard *keyboard, uint8_t key)
{
    send(keyboard, key, true);
}

/* A guest that does not keep up finds a key that was held once, not as often as it would have repeated. */
void
ps2_keyboard_repeat(Ps2Keyboard *keyboard, uint8_t key)
{
    bool repeats = kind_of(keyboard, key) & KIND_REPEATS && ps2_code(keyboard->set, key, false).n;

    if (repeats && keyboard->line.used == 0)
        send(keyboard, key, true);
}

void
ps2_keyboard_release(Ps2Keyboard *keyboard, uint8_t key)
{
    if (kind_of(keyboard, key) & KIND_BREAKS)
        send(keyboard, key, false);
}

uint64_t
ps2_keyboard_delay_ns(const Ps2Keyboard *keyboard)
{
    return ((keyboard->rate >> 5 & 3) + 1) * 250000000ull;
}

/* (8 + A) * 2^B * 4.17 ms, where A is bits 0 to 2, B bits 3 and 4 */
uint64_t
ps2_keyboard_period_ns(const Ps2Keyboard *keyboard)
{
    return ((8 + (keyboard->rate & 7)) << (keyboard->rate >> 3 & 3)) * 4170000ull;
}

static bool
keyboard_loaded(void *object, VmmError *err)
{
    const Ps2Keyboard *keyboard = object;

    if (keyboard->line.expects > 0xfd)
        return vmm_error(err, VMM_ERROR_INVALID, "There is no command 0x%x with an argument",
                         keyboard->line.expects);
    return (keyboard->set >= 1 && keyboard->set <= SETS) ||
           vmm_error(err, VMM_ERROR_INVALID, "There is no scan code set %u", keyboard->set);
}

static const StateField ps2_keyboard_fields[] = {
    STATE_STRUCT(Ps2Keyboard, line, &ps2_line_state),
    STATE_NUMBER(Ps2Keyboard, set),
    STATE_NUMBER(Ps2Keyboard, scanning),
    STATE_NUMBER_MAX(Ps2Keyboard, leds, LEDS_MAX),
    STATE_NUMBER_MAX(Ps2Keyboard, rate, RATE_MAX),
    STATE_NUMBERS(Ps2Keyboard, kinds),
    STATE_END,
};

const StateTable ps2_keyboard_state = { .version = 1,
                                        .fields = ps2_keyboard_fields,
                                        .loaded = keyboard_loaded };
