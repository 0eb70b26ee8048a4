#include "qemu-kvm-backend/hw/ps2.h"

#include <assert.h>
#include <string.h>

void
ps2_reset(Ps2Line *line)
{
    memset(line, 0, sizeof(*line));
}

void
ps2_answer(Ps2Line *line, const uint8_t *bytes, size_t size)
{
    assert(size <= PS2_ANSWERS_MAX);
    memcpy(line->answers, bytes, size);
    line->n_answers = size;
}

void
ps2_answer_byte(Ps2Line *line, uint8_t byte)
{
    ps2_answer(line, &byte, 1);
}

size_t
ps2_room(const Ps2Line *line)
{
    return PS2_QUEUE_SIZE - line->used;
}

bool
ps2_put(Ps2Line *line, const uint8_t *bytes, size_t size)
{
    if (size > ps2_room(line))
        return false;
    for (size_t i = 0; i < size; i++)
        line->queue[(line->head + line->used++) % PS2_QUEUE_SIZE] = bytes[i];
    return true;
}

void
ps2_clear(Ps2Line *line)
{
    line->head = 0;
    line->used = 0;
}

bool
ps2_take(Ps2Line *line, uint8_t *ret)
{
    if (line->n_answers > 0) {
        *ret = line->answers[0];
        memmove(line->answers, line->answers + 1, --line->n_answers);
    } else if (line->used > 0) {
        *ret = line->queue[line->head];
        line->head = (line->head + 1) % PS2_QUEUE_SIZE;
        line->used--;
    } else {
        return false;
    }
    line->last = *ret;
    return true;
}

static const StateField ps2_line_fields[] = {
    STATE_NUMBERS(Ps2Line, answers),
    STATE_NUMBER_MAX(Ps2Line, n_answers, PS2_ANSWERS_MAX),
    STATE_NUMBERS(Ps2Line, queue),
    STATE_NUMBER_MAX(Ps2Line, head, PS2_QUEUE_SIZE - 1),
    STATE_NUMBER_MAX(Ps2Line, used, PS2_QUEUE_SIZE),
    STATE_NUMBER(Ps2Line, last),
    STATE_NUMBER(Ps2Line, expects),
    STATE_END,
};

const StateTable ps2_line_state = { .version = 1, .fields = ps2_line_fields };
