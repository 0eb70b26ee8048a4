/* ps2: a line of the keyboard controller as the device at its end sees it: the bytes that it has for the guest, and
 * the command whose argument it waits for (IBM Personal System/2 Hardware Interface Technical Reference).
 *
 * Answers go before what the device says by itself: whoever asks gets the answer, not an older key. */
#pragma once

#include "qemu-kvm-backend/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PS2_ANSWERS_MAX 8
#define PS2_QUEUE_SIZE  192 /* bytes: the longest stroke of a typist (ps2-typist.h) has 160 */

#define PS2_ACK    0xfa
#define PS2_RESEND 0xfe
#define PS2_PASSED 0xaa /* the self-test */

typedef struct Ps2Line {
    uint8_t answers[PS2_ANSWERS_MAX];
    uint8_t n_answers;
    uint8_t queue[PS2_QUEUE_SIZE];
    uint8_t head, used;
    uint8_t last;    /* what was sent last, for those who did not understand */
    uint8_t expects; /* the command whose argument comes next */
} Ps2Line;

extern const StateTable ps2_line_state;

void ps2_reset(Ps2Line *line);
/* What earlier commands were answered is not sent any more. @size: PS2_ANSWERS_MAX at most. */
void ps2_answer(Ps2Line *line, const uint8_t *bytes, size_t size);
void ps2_answer_byte(Ps2Line *line, uint8_t byte);
/* Puts @bytes into the queue, all or, where there is no room for them, none. */
bool ps2_put(Ps2Line *line, const uint8_t *bytes, size_t size);
size_t ps2_room(const Ps2Line *line);
void ps2_clear(Ps2Line *line);
/* Takes the next byte that the device sends; false where it has nothing to say. */
bool ps2_take(Ps2Line *line, uint8_t *ret);
