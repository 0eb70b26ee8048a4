/* ps2-mouse: a mouse with two buttons, at rest (IBM Personal System/2 Hardware Interface Technical Reference, "Auxiliary
 * device"). A guest has no display, so that nobody moves it; it is there because a PC has one, and for drivers to find. */
#pragma once

#include "qemu-kvm-backend/hw/ps2.h"

typedef struct Ps2Mouse {
    Ps2Line line;
    uint8_t resolution;
    uint8_t rate; /* reports a second */
    bool reporting;
    bool remote;  /* it reports when it is asked */
    bool doubles; /* scaling 2:1 */
    bool echoes;  /* all that it gets, until it is told not to */
} Ps2Mouse;

extern const StateTable ps2_mouse_state;

void ps2_mouse_reset(Ps2Mouse *mouse);
/* A byte from the guest. */
void ps2_mouse_receive(Ps2Mouse *mouse, uint8_t byte);
