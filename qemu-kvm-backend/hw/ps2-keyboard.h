/* ps2-keyboard: an enhanced keyboard (MF II) with scan code sets 1, 2 and 3 (IBM Personal System/2 Hardware Interface
 * Technical Reference, "Keyboards 101- and 102-key").
 *
 * A key has the number of its scan code in set 1, with bit 7 where it begins with e0: 1d is the left Ctrl, 9d the right
 * one. The pause key is c6. It is what QEMU and libvirt call a qnum. */
#pragma once

#include "qemu-kvm-backend/hw/ps2.h"

#define PS2_KEY_BYTES_MAX 10 /* what a key sends when it goes down and comes up */
#define PS2_SET3_KEYS     0x88

typedef struct Ps2Keyboard {
    Ps2Line line;
    uint8_t set; /* of scan codes, 1 to 3 */
    bool scanning;
    uint8_t leds;
    uint8_t rate;                 /* of repetition, as command f3 has it */
    uint8_t kinds[PS2_SET3_KEYS]; /* what keys do in set 3, by their code in it */
} Ps2Keyboard;

extern const StateTable ps2_keyboard_state;

/* As it is after power-on and its self-test, whose answer has been taken already. */
void ps2_keyboard_reset(Ps2Keyboard *keyboard);
/* A byte from the guest. */
void ps2_keyboard_receive(Ps2Keyboard *keyboard, uint8_t byte);

/* Key @key goes down (again: it repeats), or comes up. Nothing where it has no such key, is off, or where the line has no
 * room. */
void ps2_keyboard_press(Ps2Keyboard *keyboard, uint8_t key);
void ps2_keyboard_repeat(Ps2Keyboard *keyboard, uint8_t key);
void ps2_keyboard_release(Ps2Keyboard *keyboard, uint8_t key);
/* After how long a key that is held begins to repeat, and how often it then does. */
uint64_t ps2_keyboard_delay_ns(const Ps2Keyboard *keyboard);
uint64_t ps2_keyboard_period_ns(const Ps2Keyboard *keyboard);
