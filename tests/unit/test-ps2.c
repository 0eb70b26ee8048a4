/* Keyboard and mouse behind their controller, as drivers of theirs and who types find them. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "tests/unit/fake-alarm.h"
#include "tests/unit/iasl.h"
#include "tests/unit/test-board.h"

#include <glib.h>
#include <string.h>

#define DATA    0x60
#define COMMAND 0x64

#define FULL 0x01
#define AUX  0x20

#define PLAIN 0x03 /* command bytes: both interrupts, and untranslated; ... */
#define USUAL 0x43 /* ... as drivers for sets 1 and 2 have it; ... */
#define QUIET 0x40 /* ... and without interrupts */

#define MS 1000000ull

typedef struct Fixture {
    TestBoard *test;
    Device *dev;
} Fixture;

static void
set_command_byte(Fixture *f, uint8_t value)
{
    out8(f->test, COMMAND, 0x60);
    out8(f->test, DATA, value);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    f->test = test_board_new(NULL);
    f->dev = test_board_add(f->test, &i8042_class, NULL);
    f->dev->class->resume(f->dev);
    set_command_byte(f, PLAIN);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    device_free(f->dev);
    test_board_free(f->test);
}

/* All that there is to read, as hexadecimal digits; a mouse's bytes have an "m" before them. */
static char *
read_all(Fixture *f)
{
    GString *text = g_string_new(NULL);

    for (uint8_t status; (status = in8(f->test, COMMAND)) & FULL;) {
        g_assert_true(f->test->level[status & AUX ? 12 : 1]);
        g_assert_false(f->test->level[status & AUX ? 1 : 12]);
        g_string_append_printf(text, "%s%s%02x", text->len ? " " : "", status & AUX ? "m" : "",
                               in8(f->test, DATA));
    }
    return g_string_free(text, FALSE);
}

static void
expect(Fixture *f, const char *wanted)
{
    g_autofree char *got = read_all(f);

    g_assert_cmpstr(got, ==, wanted);
    g_assert_false(f->test->level[1]);
    g_assert_false(f->test->level[12]);
}

static void
keyboard(Fixture *f, uint8_t byte, const char *answer)
{
    out8(f->test, DATA, byte);
    expect(f, answer);
}

static void
mouse(Fixture *f, uint8_t byte, const char *answer)
{
    out8(f->test, COMMAND, 0xd4);
    out8(f->test, DATA, byte);
    expect(f, answer);
}

static gboolean
try_to_type(Fixture *f, const char *keys, size_t n, uint64_t hold_ms, VmmError *err)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);

    vmm_msg_put_bytes(request, "keys", keys, n);
    vmm_msg_put_u64(request, "hold", hold_ms);
    return f->dev->class->tell(f->dev, request, reply, err);
}

static void
type(Fixture *f, const char *keys, uint64_t hold_ms)
{
    VmmError err = { 0 };

    g_assert_true(try_to_type(f, keys, strlen(keys), hold_ms, &err));
}

static void
test_identify(Fixture *f, gconstpointer data)
{
    keyboard(f, 0xf2, "fa ab 83");
    keyboard(f, 0xff, "fa aa");
    keyboard(f, 0xfe, "aa");
    keyboard(f, 0xee, "ee");
    keyboard(f, 0x01, "fe");
    set_command_byte(f, USUAL);
    keyboard(f, 0xf2, "fa ab 41");
}

static void
test_settings(Fixture *f, gconstpointer data)
{
    keyboard(f, 0xed, "fa");
    keyboard(f, 0x07, "fa");
    keyboard(f, 0xf3, "fa");
    keyboard(f, 0x20, "fa");
    keyboard(f, 0xed, "fa"); /* a command in the argument's place is one */
    keyboard(f, 0xf2, "fa ab 83");
    keyboard(f, 0xf0, "fa");
    keyboard(f, 0x04, "fe");
    keyboard(f, 0xf0, "fa");
    keyboard(f, 0x00, "fa 02");
    keyboard(f, 0xf0, "fa");
    keyboard(f, 0x03, "fa");
    keyboard(f, 0xf0, "fa");
    keyboard(f, 0x00, "fa 03");
}

/* Down in order, up in the opposite one, and not before the time. */
static void
test_stroke(Fixture *f, gconstpointer data)
{
    type(f, "\x1d\x38\xd3", 50);
    expect(f, "14 11 e0 71");
    fake_advance(49 * MS);
    expect(f, "");
    fake_advance(2 * MS);
    expect(f, "e0 f0 71 f0 11 f0 14");
    g_assert_false(fake_alarm_is_set());
}

static void
test_translated(Fixture *f, gconstpointer data)
{
    set_command_byte(f, USUAL);
    type(f, "\x1d\x54\x41\xc8", 1);
    expect(f, "1d 54 41 e0 48");
    fake_advance(2 * MS);
    expect(f, "e0 c8 c1 d4 9d");
}

/* Keys whose codes follow no rule. */
static void
test_oddities(Fixture *f, gconstpointer data)
{
    type(f, "\xc6\xb7\x54\x41", 1);
    fake_advance(2 * MS);
    expect(f, "e1 14 77 e1 f0 14 f0 77 e0 12 e0 7c 84 83 f0 83 f0 84 e0 f0 7c e0 f0 12");
    type(f, "\x80", 1); /* no key */
    fake_advance(2 * MS);
    expect(f, "");
}

static void
test_sets(Fixture *f, gconstpointer data)
{
    keyboard(f, 0xf0, "fa");
    keyboard(f, 0x01, "fa");
    type(f, "\x1d\xc8\xc6", 1);
    fake_advance(2 * MS);
    expect(f, "1d e0 48 e1 1d 45 e1 9d c5 e0 c8 9d");
    keyboard(f, 0xf0, "fa");
    keyboard(f, 0x03, "fa");
    type(f, "\x1d\x1e\xc8\xc6", 1);
    fake_advance(2 * MS);
    expect(f, "11 1c 63 62 f0 62 f0 63 f0 1c f0 11");
    keyboard(f, 0xfd, "fa"); /* key a is only made */
    keyboard(f, 0x1c, "fa");
    type(f, "\x1e\x30", 1);
    fake_advance(2 * MS);
    expect(f, "1c 32 f0 32");
    keyboard(f, 0xf8, "fa");
    type(f, "\x1e", 1000);
    fake_advance(2000 * MS);
    expect(f, "1c f0 1c");
}

/* After half a second, ten times a second, the last key that went down; where the guest says so, otherwise. */
static void
test_repeats(Fixture *f, gconstpointer data)
{
    type(f, "\x2a\x1e", 1000);
    expect(f, "12 1c");
    fake_advance(499 * MS);
    expect(f, "");
    fake_advance(2 * MS);
    expect(f, "1c");
    fake_advance(92 * MS);
    expect(f, "1c");
    keyboard(f, 0xf3, "fa");
    keyboard(f, 0x00, "fa");
    fake_advance(100 * MS);
    expect(f, "1c");
    fake_advance(34 * MS);
    expect(f, "1c");
    fake_advance(1000 * MS);
    expect(f, "1c 1c f0 1c f0 12"); /* one at the controller, one in the queue */
}

static void
test_off(Fixture *f, gconstpointer data)
{
    keyboard(f, 0xf5, "fa");
    type(f, "\x1e", 1);
    fake_advance(2 * MS);
    expect(f, "");
    keyboard(f, 0xf4, "fa");
    set_command_byte(f, PLAIN | 0x10);
    type(f, "\x1e", 1);
    fake_advance(2 * MS);
    expect(f, "");
    out8(f->test, COMMAND, 0xae);
    expect(f, "1c f0 1c");
}

/* The controller's answer is not mixed up with keys that have come meanwhile. */
static void
test_answer_first(Fixture *f, gconstpointer data)
{
    type(f, "\x1e", 1);
    out8(f->test, COMMAND, 0xaa);
    fake_advance(2 * MS);
    expect(f, "1c 55 f0 1c");
}

/* Nobody reads: what fits is kept, and whole; then it is told that there is no room. */
static void
test_full(Fixture *f, gconstpointer data)
{
    VmmError err = { 0 };

    set_command_byte(f, QUIET);
    for (int i = 0; i < 100; i++) {
        type(f, "\x1d\x38\xd3\xd3\xd3\xd3\xd3\xd3\xd3\xd3\xd3", 1);
        fake_advance(2 * MS);
    }
    for (int i = 0; i < 9; i++)
        g_assert_cmpint(try_to_type(f, "\x1e", 1, 1000, &err), ==, i < 8);
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_STATE);
    set_command_byte(f, PLAIN | 0x40);
    {
        g_autofree char *text = read_all(f);

        g_assert_true(g_str_has_prefix(text, "1d 38 e0 53 "));
        g_assert_true(g_str_has_suffix(text, " b8 9d 1e"));
    }
}

static void
test_refused(Fixture *f, gconstpointer data)
{
    VmmError err = { 0 };
    char many[17] = { 0 };

    g_assert_false(try_to_type(f, many, 0, 1, &err));
    g_assert_false(try_to_type(f, many, 17, 1, &err));
    g_assert_false(try_to_type(f, many, 1, 1ull << 32, &err));
    f->test->board.ps2 = false;
    device_free(f->dev);
    f->dev = test_board_add(f->test, &i8042_class, NULL);
    g_assert_false(try_to_type(f, "\x1e", 1, 1, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_UNSUPPORTED);
}

/* A guest that is paused is typed to when it goes on; a stroke's time is the guest's. */
static void
test_pause(Fixture *f, gconstpointer data)
{
    f->dev->class->pause(f->dev);
    type(f, "\x1e", 50);
    fake_advance(1000 * MS);
    expect(f, "");
    f->dev->class->resume(f->dev);
    expect(f, "1c");
    f->dev->class->pause(f->dev);
    fake_advance(1000 * MS);
    expect(f, "");
    f->dev->class->resume(f->dev);
    expect(f, "");
    fake_advance(51 * MS);
    expect(f, "f0 1c");
}

/* A stroke that is under way goes on in another machine, and ends there. */
static void
test_saved(Fixture *f, gconstpointer data)
{
    StateOut *out = state_out_new();
    StateSection section;
    VmmError err = { 0 };
    const uint8_t *bytes;
    size_t size;
    int head;

    type(f, "\x1d\x1e", 50);
    g_assert_cmphex(in8(f->test, DATA), ==, 0x14);
    f->dev->class->pause(f->dev);
    state_put_section(out, f->dev->class->name, f->dev->id, f->dev->class->state, f->dev);
    bytes = state_out_bytes(out, &size);
    head = state_read_head(bytes, size, &section, &err);
    section.data = bytes + head;
    tear_down(f, NULL);
    set_up(f, NULL);
    f->dev->class->pause(f->dev);
    g_assert_true(state_load(&section, f->dev->class->state, f->dev, &err));
    state_out_free(out);
    f->dev->class->resume(f->dev);
    expect(f, "1c");
    fake_advance(51 * MS);
    expect(f, "f0 1c f0 14");
}

static void
test_wakes(Fixture *f, gconstpointer data)
{
    f->dev->class->sleep(f->dev);
    type(f, "\x1e", 50);
    g_assert_cmpuint(f->test->n_requests, ==, 1);
    g_assert_cmpint(f->test->request, ==, BOARD_WAKE);
    expect(f, "");
}

static void
test_reset(Fixture *f, gconstpointer data)
{
    type(f, "\x1e", 50);
    g_assert_true(f->test->level[1]);
    f->dev->class->reset(f->dev);
    g_assert_false(f->test->level[1]);
    g_assert_false(fake_alarm_is_set());
    set_command_byte(f, PLAIN);
    expect(f, "");
}

/* What ACPI says of them; of a machine without them, nothing. */
static void
test_described(Fixture *f, gconstpointer data)
{
    Aml *aml = aml_new(), *none = aml_new();
    g_autofree char *asl = NULL;
    size_t size;

    f->dev->class->describe(f->dev, aml);
    asl = iasl_round_trip_code(aml);
    if (asl) {
        iasl_assert_has(asl, "Device (KBD)");
        iasl_assert_has(asl, "EisaId (\"PNP0303\")");
        iasl_assert_has(asl, "IRQNoFlags ()\n                {1}");
        iasl_assert_has(asl, "Device (MOU)");
        iasl_assert_has(asl, "EisaId (\"PNP0F13\")");
        iasl_assert_has(asl, "{12}");
    }
    f->test->board.ps2 = false;
    device_free(f->dev);
    f->dev = test_board_add(f->test, &i8042_class, NULL);
    f->dev->class->describe(f->dev, none);
    aml_bytes(none, &size);
    g_assert_cmpuint(size, ==, 0);
    aml_free(aml);
    aml_free(none);
}

static void
test_mouse(Fixture *f, gconstpointer data)
{
    mouse(f, 0xff, "mfa maa m00");
    mouse(f, 0xf2, "mfa m00");
    mouse(f, 0xe9, "mfa m00 m02 m64");
    mouse(f, 0xe8, "mfa");
    mouse(f, 0x03, "mfa");
    mouse(f, 0xe8, "mfa");
    mouse(f, 0x04, "mfe");
    mouse(f, 0xf3, "mfa");
    mouse(f, 0x28, "mfa");
    mouse(f, 0xe7, "mfa");
    mouse(f, 0xf4, "mfa");
    mouse(f, 0xe9, "mfa m30 m03 m28");
    mouse(f, 0xeb, "mfa m08 m00 m00");
    mouse(f, 0xf6, "mfa");
    mouse(f, 0xf0, "mfa");
    mouse(f, 0xe9, "mfa m40 m02 m64");
    mouse(f, 0xfe, "m64");
    mouse(f, 0x00, "mfe");
    mouse(f, 0xee, "mfa");
    mouse(f, 0xf2, "mf2");
    mouse(f, 0xec, "mfa");
    mouse(f, 0xf2, "mfa m00");
}

#define ADD(path, fn) g_test_add("/ps2/" path, Fixture, NULL, set_up, fn, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("identify", test_identify);
    ADD("settings", test_settings);
    ADD("stroke", test_stroke);
    ADD("translated", test_translated);
    ADD("oddities", test_oddities);
    ADD("sets", test_sets);
    ADD("repeats", test_repeats);
    ADD("off", test_off);
    ADD("answer-first", test_answer_first);
    ADD("full", test_full);
    ADD("refused", test_refused);
    ADD("pause", test_pause);
    ADD("saved", test_saved);
    ADD("wakes", test_wakes);
    ADD("reset", test_reset);
    ADD("described", test_described);
    ADD("mouse", test_mouse);
    return g_test_run();
}
