#include "qemu-kvm-backend/hw/ps2-typist.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>

#define NS_PER_MS 1000000ull

bool
ps2_typist_add(Ps2Typist *typist, const Ps2Stroke *stroke)
{
    if (typist->n == PS2_STROKES_MAX)
        return false;
    typist->strokes[typist->n++] = *stroke;
    return true;
}

void
ps2_typist_restart(Ps2Typist *typist, const Ps2Keyboard *keyboard, uint64_t now_ns)
{
    typist->up_ns = now_ns + typist->strokes[0].hold_ms * NS_PER_MS;
    typist->repeat_ns = now_ns + ps2_keyboard_delay_ns(keyboard);
}

static void
end_stroke(Ps2Typist *typist)
{
    typist->down = false;
    memmove(typist->strokes, typist->strokes + 1, --typist->n * sizeof(Ps2Stroke));
}

/* The guest gets a stroke whole: with a part of it a key would stay down. */
static void
begin_stroke(Ps2Typist *typist, Ps2Keyboard *keyboard, uint64_t now_ns)
{
    const Ps2Stroke *stroke = &typist->strokes[0];

    if (ps2_room(&keyboard->line) < (size_t)stroke->n * PS2_KEY_BYTES_MAX) {
        log_guest("The guest does not read its keyboard: what was typed is lost");
        end_stroke(typist);
        return;
    }
    for (uint8_t i = 0; i < stroke->n; i++)
        ps2_keyboard_press(keyboard, stroke->keys[i]);
    typist->down = true;
    ps2_typist_restart(typist, keyboard, now_ns);
}

/* Keys come up in the opposite order, as fingers leave the last letter before Ctrl. */
static void
release(Ps2Typist *typist, Ps2Keyboard *keyboard)
{
    const Ps2Stroke *stroke = &typist->strokes[0];

    for (uint8_t i = stroke->n; i-- > 0;)
        ps2_keyboard_release(keyboard, stroke->keys[i]);
    end_stroke(typist);
}

static void
repeat(Ps2Typist *typist, Ps2Keyboard *keyboard, uint64_t now_ns)
{
    const Ps2Stroke *stroke = &typist->strokes[0];

    ps2_keyboard_repeat(keyboard, stroke->keys[stroke->n - 1]);
    typist->repeat_ns = now_ns + ps2_keyboard_period_ns(keyboard);
}

uint64_t
ps2_typist_type(Ps2Typist *typist, Ps2Keyboard *keyboard, uint64_t now_ns)
{
    while (typist->n > 0) {
        if (!typist->down)
            begin_stroke(typist, keyboard, now_ns);
        else if (now_ns >= typist->up_ns)
            release(typist, keyboard);
        else if (now_ns >= typist->repeat_ns)
            repeat(typist, keyboard, now_ns);
        else
            return typist->up_ns < typist->repeat_ns ? typist->up_ns : typist->repeat_ns;
    }
    return 0;
}

static bool
stroke_loaded(void *object, VmmError *err)
{
    const Ps2Stroke *stroke = object;

    return stroke->n > 0 ||
           vmm_error(err, VMM_ERROR_INVALID, "A stroke of the keyboard is one of no keys");
}

static const StateField stroke_fields[] = {
    STATE_NUMBERS(Ps2Stroke, keys),
    STATE_NUMBER_MAX(Ps2Stroke, n, PS2_STROKE_KEYS),
    STATE_NUMBER(Ps2Stroke, hold_ms),
    STATE_END,
};

static const StateTable stroke_state = { .version = 1,
                                         .fields = stroke_fields,
                                         .loaded = stroke_loaded };

static size_t
n_strokes(const void *object)
{
    return ((const Ps2Typist *)object)->n;
}

static const StateField ps2_typist_fields[] = {
    STATE_NUMBER_MAX(Ps2Typist, n, PS2_STROKES_MAX),
    STATE_NUMBER(Ps2Typist, down),
    STATE_SOME(Ps2Typist, strokes, n_strokes, &stroke_state),
    STATE_END,
};

/* Times are those of a clock that is another one now: ps2_typist_restart(). */
static bool
typist_loaded(void *object, VmmError *err)
{
    Ps2Typist *typist = object;

    return !typist->down || typist->n > 0 ||
           vmm_error(err, VMM_ERROR_INVALID, "A stroke of the keyboard is held that there is not");
}

const StateTable ps2_typist_state = { .version = 1,
                                      .fields = ps2_typist_fields,
                                      .loaded = typist_loaded };
