/* The watchdog: its two stages, what feeds it, what locks it, and that time stands still in a pause. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/state.h"
#include "tests/unit/fake-alarm.h"
#include "tests/unit/test-board.h"

#include <glib.h>

#define DEVFN   (3u << 3)
#define BAR     0xd0000000u
#define CONFIG  0x60
#define LOCK    0x68
#define STATUS  (BAR + 0x8)
#define RELOAD  (BAR + 0xc)
#define TICK_NS (30ull << 15) /* of the slow clock, about a millisecond */

typedef struct Fixture {
    TestBoard *test;
    Device *host, *dev;
} Fixture;

static VmmMsg *
params(const char *action)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_u64(msg, "slot", 3);
    if (action)
        vmm_msg_put_string(msg, "action", action);
    return msg;
}

static void
map(Fixture *f)
{
    config_write(f->test, 0, DEVFN, PCI_BAR0, 4, BAR);
    config_write(f->test, 0, DEVFN, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
}

static void
set_up(Fixture *f, gconstpointer action)
{
    fake_now_ns = 1000000;
    f->test = test_board_new(NULL);
    f->host = test_board_add(f->test, &pci_host_class, NULL);
    f->dev = test_board_add(f->test, &i6300esb_class, params(action));
    map(f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    device_free(f->dev);
    device_free(f->host);
    test_board_free(f->test);
}

static void
unlock(Fixture *f)
{
    mmio_write(f->test, RELOAD, 1, 0x80);
    mmio_write(f->test, RELOAD, 1, 0x86);
}

static void
write_unlocked(Fixture *f, uint64_t at, unsigned size, uint32_t value)
{
    unlock(f);
    mmio_write(f->test, at, size, value);
}

static void
feed(Fixture *f)
{
    write_unlocked(f, RELOAD, 2, 0x100);
}

/* As Linux sets it up: no interrupt, the slow clock, stages of 10 and 20 ticks, enabled. */
static void
start(Fixture *f, unsigned config, unsigned lock)
{
    config_write(f->test, 0, DEVFN, CONFIG, 2, config);
    write_unlocked(f, BAR, 4, 10);
    write_unlocked(f, BAR + 4, 4, 20);
    config_write(f->test, 0, DEVFN, LOCK, 1, lock);
}

static void
assert_bitten(Fixture *f, unsigned n, const char *action)
{
    const char *text;

    g_assert_cmpuint(f->test->n_events, ==, n);
    if (!n)
        return;
    g_assert_cmpstr(vmm_msg_name(f->test->event), ==, "watchdog");
    g_assert_true(vmm_msg_get_string(f->test->event, "action", &text));
    g_assert_cmpstr(text, ==, action);
    g_assert_true(vmm_msg_get_string(f->test->event, "id", &text));
    g_assert_cmpstr(text, ==, "i6300esb");
}

static void
test_identity(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(config_read(f->test, 0, DEVFN, PCI_VENDOR, 4), ==, 0x25ab8086);
    g_assert_cmphex(config_read(f->test, 0, DEVFN, CONFIG, 2), ==, 0);
    g_assert_cmphex(config_read(f->test, 0, DEVFN, LOCK, 1), ==, 0);
    g_assert_cmphex(mmio_read(f->test, BAR, 4), ==, 0xfffff);
    g_assert_cmphex(mmio_read(f->test, BAR + 4, 4), ==, 0xfffff);
    g_assert_cmphex(mmio_read(f->test, RELOAD, 2), ==, 0);
    g_assert_false(fake_alarm_is_set());
}

static void
test_two_stages(Fixture *f, gconstpointer data)
{
    start(f, 0, 2);
    fake_advance(10 * TICK_NS - 1);
    g_assert_cmphex(mmio_read(f->test, STATUS, 2), ==, 0);
    fake_advance(1);
    g_assert_cmphex(mmio_read(f->test, STATUS, 2), ==, 1);
    mmio_write(f->test, STATUS, 2, 1);
    g_assert_cmphex(mmio_read(f->test, STATUS, 2), ==, 0);
    fake_advance(20 * TICK_NS - 1);
    assert_bitten(f, 0, NULL);
    fake_advance(1);
    assert_bitten(f, 1, "reset");
    /* Off, and says what it did. */
    g_assert_cmphex(config_read(f->test, 0, DEVFN, LOCK, 1), ==, 0);
    g_assert_false(fake_alarm_is_set());
    g_assert_cmphex(mmio_read(f->test, RELOAD, 2), ==, 0x1200);
}

static void
test_says_who_reset(Fixture *f, gconstpointer data)
{
    start(f, 3, 2);
    fake_advance(30 * TICK_NS);
    assert_bitten(f, 1, "reset");
    f->dev->class->reset(f->dev);
    map(f);
    g_assert_cmphex(mmio_read(f->test, RELOAD, 2), ==, 0x1200);
    mmio_write(f->test, RELOAD, 2, 0x200); /* not unlocked */
    g_assert_cmphex(mmio_read(f->test, RELOAD, 2), ==, 0x1200);
    write_unlocked(f, RELOAD, 2, 0x200);
    g_assert_cmphex(mmio_read(f->test, RELOAD, 2), ==, 0);
}

static void
test_feeding(Fixture *f, gconstpointer data)
{
    start(f, 3, 2);
    for (unsigned i = 0; i < 100; i++) {
        fake_advance(29 * TICK_NS);
        feed(f);
    }
    assert_bitten(f, 0, NULL);
    g_assert_cmphex(mmio_read(f->test, STATUS, 2), ==, 0); /* no interrupt is asked for */
    mmio_write(f->test, RELOAD, 2, 0x100);                 /* that is no food */
    fake_advance(30 * TICK_NS);
    assert_bitten(f, 1, "reset");
}

static void
test_unlock_sequence(Fixture *f, gconstpointer data)
{
    mmio_write(f->test, BAR, 4, 7);
    mmio_write(f->test, RELOAD, 1, 0x86);
    mmio_write(f->test, BAR, 4, 7);
    mmio_write(f->test, RELOAD, 1, 0x80);
    mmio_write(f->test, RELOAD, 1, 0x81);
    mmio_write(f->test, RELOAD, 1, 0x86);
    mmio_write(f->test, BAR, 4, 7);
    g_assert_cmphex(mmio_read(f->test, BAR, 4), ==, 0xfffff);
    unlock(f);
    mmio_write(f->test, BAR, 4, 0xfff00007);
    g_assert_cmphex(mmio_read(f->test, BAR, 4), ==, 7);
    mmio_write(f->test, BAR, 4, 8); /* it unlocks one write */
    g_assert_cmphex(mmio_read(f->test, BAR, 4), ==, 7);
}

static void
test_lock(Fixture *f, gconstpointer data)
{
    start(f, 3, 3);
    config_write(f->test, 0, DEVFN, LOCK, 1, 0);
    g_assert_cmphex(config_read(f->test, 0, DEVFN, LOCK, 1), ==, 3);
    fake_advance(30 * TICK_NS);
    assert_bitten(f, 1, "reset");
}

static void
test_disable(Fixture *f, gconstpointer data)
{
    start(f, 3, 2);
    config_write(f->test, 0, DEVFN, LOCK, 1, 0);
    g_assert_false(fake_alarm_is_set());
    feed(f);
    g_assert_false(fake_alarm_is_set());
    config_write(f->test, 0, DEVFN, LOCK, 1, 2);
    fake_advance(29 * TICK_NS);
    assert_bitten(f, 0, NULL);
    fake_advance(TICK_NS);
    assert_bitten(f, 1, "reset");
}

static void
test_output_off(Fixture *f, gconstpointer data)
{
    start(f, 0x23, 2);
    fake_advance(1000 * TICK_NS);
    assert_bitten(f, 0, NULL);
    g_assert_false(fake_alarm_is_set());
}

/* Free running, the shortest stages and the fast clock: a guest cannot keep the main thread busy. */
static void
test_free_run(Fixture *f, gconstpointer data)
{
    config_write(f->test, 0, DEVFN, CONFIG, 2, 0x27);
    write_unlocked(f, BAR, 4, 0);
    write_unlocked(f, BAR + 4, 4, 0);
    config_write(f->test, 0, DEVFN, LOCK, 1, 6);
    g_assert_cmpuint(fake_advance(1000000000), ==, 1000);
    assert_bitten(f, 0, NULL);
}

static void
test_longest(Fixture *f, gconstpointer data)
{
    config_write(f->test, 0, DEVFN, LOCK, 1, 2);
    fake_advance(2 * 0xfffff * TICK_NS - 1);
    assert_bitten(f, 0, NULL);
    fake_advance(1);
    assert_bitten(f, 1, "reset");
}

static void
test_pause(Fixture *f, gconstpointer data)
{
    start(f, 3, 2);
    fake_advance(15 * TICK_NS);
    f->dev->class->pause(f->dev);
    fake_advance(1000 * TICK_NS);
    assert_bitten(f, 0, NULL);
    f->dev->class->resume(f->dev);
    fake_advance(15 * TICK_NS - 1);
    assert_bitten(f, 0, NULL);
    fake_advance(1);
    assert_bitten(f, 1, "reset");
}

/* What is left of a stage goes on in another process. */
static void
test_state(Fixture *f, gconstpointer data)
{
    StateOut *out = state_out_new();
    StateSection section;
    VmmError err = { 0 };
    const uint8_t *bytes;
    size_t size;
    int head;

    start(f, 3, 3);
    fake_advance(25 * TICK_NS);
    f->dev->class->pause(f->dev);
    state_put_section(out, "i6300esb", "dog", f->dev->class->state, f->dev);
    bytes = state_out_bytes(out, &size);
    head = state_read_head(bytes, size, &section, &err);
    g_assert_cmpint(head, >, 0);
    section.data = bytes + head;
    tear_down(f, NULL);
    set_up(f, NULL);
    fake_advance(1000 * TICK_NS);
    g_assert_true(state_load(&section, f->dev->class->state, f->dev, &err));
    f->dev->class->resume(f->dev);
    g_assert_cmphex(config_read(f->test, 0, DEVFN, LOCK, 1), ==, 3);
    fake_advance(5 * TICK_NS - 1);
    assert_bitten(f, 0, NULL);
    fake_advance(1);
    assert_bitten(f, 1, "reset");
    state_out_free(out);
}

static void
test_action(Fixture *f, gconstpointer action)
{
    start(f, 3, 2);
    fake_advance(30 * TICK_NS);
    assert_bitten(f, 1, action);
}

static void
test_bad_action(void)
{
    TestBoard *test = test_board_new(NULL);
    vmm_msg_auto msg = params("bark");
    VmmError err = { 0 };

    g_assert_null(device_new(&i6300esb_class, &test->board, "dog", msg, &err));
    g_assert_nonnull(strstr(err.text, "'bark'"));
    test_board_free(test);
}

#define ADD(name, test) g_test_add("/i6300esb/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    static const char *const actions[] = { "none",     "pause",    "reset",
                                           "poweroff", "shutdown", "inject-nmi" };

    g_test_init(&argc, &argv, NULL);
    ADD("identity", test_identity);
    ADD("two-stages", test_two_stages);
    ADD("says-who-reset", test_says_who_reset);
    ADD("feeding", test_feeding);
    ADD("unlock-sequence", test_unlock_sequence);
    ADD("lock", test_lock);
    ADD("disable", test_disable);
    ADD("output-off", test_output_off);
    ADD("free-run", test_free_run);
    ADD("longest", test_longest);
    ADD("pause", test_pause);
    ADD("state", test_state);
    g_test_add_func("/i6300esb/bad-action", test_bad_action);
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        g_autofree char *name = g_strconcat("/i6300esb/action/", actions[i], NULL);

        g_test_add(name, Fixture, actions[i], set_up, test_action, tear_down);
    }
    return g_test_run();
}
