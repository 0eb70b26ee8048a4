/* ps2-typist: who sits at a keyboard: strokes, each of keys that go down together and come up after a while. */
#pragma once

#include "qemu-kvm-backend/hw/ps2-keyboard.h"

#define PS2_STROKE_KEYS 16
#define PS2_STROKES_MAX 8

typedef struct Ps2Stroke {
    uint8_t keys[PS2_STROKE_KEYS];
    uint8_t n;
    uint32_t hold_ms;
} Ps2Stroke;

/* The first of its strokes is held down, or about to be. */
typedef struct Ps2Typist {
    Ps2Stroke strokes[PS2_STROKES_MAX];
    uint8_t n;
    bool down;
    uint64_t up_ns, repeat_ns; /* when its keys come up, and the last of them repeats */
} Ps2Typist;

extern const StateTable ps2_typist_state;

/* False: there is no room for another one. */
bool ps2_typist_add(Ps2Typist *typist, const Ps2Stroke *stroke);
/* Does what is due at @now_ns; returns when there will be something again, 0: there is no more. */
uint64_t ps2_typist_type(Ps2Typist *typist, Ps2Keyboard *keyboard, uint64_t now_ns);
/* The clock has been read anew: keys that are down are held for their time from @now_ns on. */
void ps2_typist_restart(Ps2Typist *typist, const Ps2Keyboard *keyboard, uint64_t now_ns);
