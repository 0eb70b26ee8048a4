/* What each device of the board saves: in a fresh one it gives the same again, streams of older versions too, and the
 * device goes on as the first would have; and every class says what it saves. */
#include "tests/unit/fake-alarm.h"
#include "tests/unit/state-fixture.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <string.h>

/* The board's devices, by ports. */

static void
poke_serial(TestBoard *test)
{
    out8(test, 0x3f8 + 3, 0x83);
    out8(test, 0x3f8, 1);
    out8(test, 0x3f8 + 1, 0);
    out8(test, 0x3f8 + 3, 0x03);
    out8(test, 0x3f8 + 2, 0xc1);
    out8(test, 0x3f8 + 7, 0x5a);
    out8(test, 0x3f8 + 4, 0x1b); /* looped back: what is sent comes in */
    out8(test, 0x3f8, 'a');
    out8(test, 0x3f8, 'b');
    out8(test, 0x3f8 + 4, 0x0b);
    out8(test, 0x3f8 + 1, 0x01);
    fake_advance(1000000000);
}

static void
check_serial(TestBoard *test)
{
    g_assert_true(test->level[4]); /* the timeout's interrupt is up */
    g_assert_cmphex(in8(test, 0x3f8 + 2), ==, 0xcc);
    g_assert_cmphex(in8(test, 0x3f8), ==, 'a');
    g_assert_cmphex(in8(test, 0x3f8), ==, 'b');
    g_assert_cmphex(in8(test, 0x3f8 + 7), ==, 0x5a);
    g_assert_false(test->level[4]);
}

static void
poke_rtc(TestBoard *test)
{
    static const struct {
        uint8_t reg, value;
    } writes[] = { { 0x0b, 0x82 }, { 4, 0x11 },    { 2, 0x22 },    { 0, 0x33 }, { 9, 0x26 },
                   { 8, 0x07 },    { 7, 0x14 },    { 0x32, 0x20 }, { 1, 0x40 }, { 3, 0x22 },
                   { 5, 0x11 },    { 0x0b, 0x22 }, { 0x70, 0x77 } };

    for (gsize i = 0; i < G_N_ELEMENTS(writes); i++) {
        out8(test, 0x70, writes[i].reg);
        out8(test, 0x71, writes[i].value);
    }
    out8(test, 0x70, 2);
}

/* Its alarm is at 11:22:40, seven seconds later. */
static void
check_rtc(TestBoard *test)
{
    g_assert_cmphex(in8(test, 0x71), ==, 0x22);
    g_assert_false(test->level[8]);
    fake_advance(8000000000);
    g_assert_true(test->level[8]);
    out8(test, 0x70, 0x70);
    g_assert_cmphex(in8(test, 0x71), ==, 0x77);
}

static void
poke_pm(TestBoard *test)
{
    out16(test, 0x602, 0x0101);
    out16(test, 0x604, 0x1400);
    fake_advance(1500000000);
}

/* The timer goes on, and its event comes when it has gone half way round: 2.34 s. */
static void
check_pm(TestBoard *test)
{
    g_assert_cmphex(in32(test, 0x608), ==, 5369317);
    g_assert_cmphex(in16(test, 0x602), ==, 0x0101);
    g_assert_false(test->level[9]);
    fake_advance(850000000);
    g_assert_true(test->level[9]);
}

static void
poke_i8042(TestBoard *test)
{
    out8(test, 0x64, 0x60);
    out8(test, 0x60, 0x37);
    out8(test, 0x64, 0x65);
    out8(test, 0x60, 0x99);
    out8(test, 0x64, 0xd2);
    out8(test, 0x60, 0x44);
    out8(test, 0x60, 0xf2); /* what is this keyboard? */
}

static void
check_i8042(TestBoard *test)
{
    static const uint8_t bytes[] = { 0x44, 0xfa, 0xab, 0x83 };

    for (gsize i = 0; i < sizeof(bytes); i++) {
        g_assert_cmphex(in8(test, 0x64) & 1, ==, 1);
        g_assert_true(test->level[1]);
        g_assert_cmphex(in8(test, 0x60), ==, bytes[i]);
    }
    out8(test, 0x64, 0x25);
    g_assert_cmphex(in8(test, 0x60), ==, 0x99);
}

/* One that was saved when nothing could be plugged in is a controller whose ports are off. */
static void
test_old_i8042(void)
{
    g_autoptr(GBytes) saved = read_state_golden("i8042.v1");
    TestBoard *test = test_board_new(NULL);
    Device *dev = test_board_add(test, &i8042_class, NULL);

    must_load_device(dev, saved);
    g_assert_cmphex(in8(test, 0x60), ==, 0x44);
    g_assert_cmphex(in8(test, 0x64) & 1, ==, 0);
    out8(test, 0x64, 0x20);
    g_assert_cmphex(in8(test, 0x60), ==, 0x37);
    device_free(dev);
    test_board_free(test);
}

static void
poke_reset_control(TestBoard *test)
{
    out8(test, 0xcf9, 0x02);
    out8(test, 0x92, 0x00);
}

static void
check_reset_control(TestBoard *test)
{
    g_assert_cmphex(in8(test, 0xcf9), ==, 0x02);
    g_assert_cmphex(in8(test, 0x92), ==, 0x00);
    out8(test, 0xcf9, 0x06);
    g_assert_cmpuint(test->n_requests, ==, 1);
}

static void
poke_pci_host(TestBoard *test)
{
    config_write(test, 0, 0, 0x60, 4, 0xb0000001);
    config_write(test, 0, 0, 0x90, 1, 0x30);
    config_write(test, 0, 0, 0x9d, 1, 0x1a);
    out32(test, 0xcf8, 0x80000060);
}

static void
check_pci_host(TestBoard *test)
{
    g_assert_cmphex(in32(test, 0xcfc), ==, 0xb0000001);
    g_assert_cmphex(mmio_read(test, 0xb0000000, 4), ==, 0x29c08086);
    config_write(test, 0, 0, 0x9d, 1, 0x0a); /* locked */
    g_assert_cmphex(config_read(test, 0, 0, 0x9d, 1), ==, 0x1a);
}

static void
poke_fw_cfg(TestBoard *test)
{
    out16(test, 0x510, 0);
    in8(test, 0x511);
    in8(test, 0x511);
    out32(test, 0x514, 0x12345678);
}

static void
check_fw_cfg(TestBoard *test)
{
    g_assert_cmphex(in8(test, 0x511), ==, 'M');
}

static VmmMsg *
serial_params(void)
{
    VmmMsg *params = device_params(NULL);

    vmm_msg_put_u64(params, "port", 0);
    vmm_msg_put_string(params, "kind", "null");
    return params;
}

static VmmMsg *
flash_params(void)
{
    VmmMsg *params = device_params(NULL);

    vmm_msg_put_fd(params, "firmware", new_file(65536));
    vmm_msg_put_fd(params, "nvram", new_file(65536));
    return params;
}

/* In the middle of a buffered write to the variables. */
static void
poke_flash(TestBoard *test)
{
    const uint64_t vars = 0x100000000ull - 2 * 65536;

    mmio_write(test, vars, 1, 0xe8);
    mmio_write(test, vars, 1, 2);
    mmio_write(test, vars + 5, 1, 0x11);
    mmio_write(test, vars + 6, 1, 0x22);
}

static void
check_flash(TestBoard *test)
{
    const uint64_t vars = 0x100000000ull - 2 * 65536;

    mmio_write(test, vars + 7, 1, 0x33);
    g_assert_cmphex(mmio_read(test, vars, 1), ==, 0x80);
    mmio_write(test, vars, 1, 0x50);
}

/* On PCI, in slot 31 or the first one that is free. */

static void
poke_lpc(TestBoard *test)
{
    config_write(test, 0, 31 << 3, 0x60, 4, 0x80808b0a);
    config_write(test, 0, 31 << 3, 0x3c, 1, 0x55);
}

static void
check_lpc(TestBoard *test)
{
    g_assert_cmphex(config_read(test, 0, 31 << 3, 0x60, 4), ==, 0x80808b0a);
    g_assert_cmphex(config_read(test, 0, 31 << 3, 0x3c, 1), ==, 0x55);
}

static void
poke_root_port(TestBoard *test)
{
    config_write(test, 0, 1 << 3, 0x18, 4, 0x00050200);
    config_write(test, 0, 1 << 3, 0x20, 4, 0xc010c000);
    config_write(test, 0, 1 << 3, 0x10, 4, 0xd0000000);
    config_write(test, 0, 1 << 3, 0x04, 2, 0x0406);
    mmio_write(test, 0xd0000000, 4, 0xfee01000);
    mmio_write(test, 0xd0000008, 4, 0x4041);
}

static void
check_root_port(TestBoard *test)
{
    g_assert_cmphex(config_read(test, 0, 1 << 3, 0x18, 4), ==, 0x00050200);
    g_assert_cmphex(mmio_read(test, 0xd0000000, 4), ==, 0xfee01000);
    g_assert_cmphex(mmio_read(test, 0xd0000008, 4), ==, 0x4041);
}

/* In the second of its stages, unlocked for a write. */
static void
poke_i6300esb(TestBoard *test)
{
    const uint8_t keys[] = { 0x80, 0x86 };

    config_write(test, 0, 1 << 3, 0x10, 4, 0xd0000000);
    config_write(test, 0, 1 << 3, 0x04, 2, 0x0002);
    for (unsigned stage = 0; stage < 2; stage++) {
        mmio_write(test, 0xd000000c, 1, keys[0]);
        mmio_write(test, 0xd000000c, 1, keys[1]);
        mmio_write(test, 0xd0000000 + 4 * stage, 4, 1000 * (stage + 1));
    }
    config_write(test, 0, 1 << 3, 0x68, 1, 0x02);
    fake_advance(1500000000);
    mmio_write(test, 0xd000000c, 1, keys[0]);
    mmio_write(test, 0xd000000c, 1, keys[1]);
}

/* The stage has 1.449 s left, and bites; what is written first is taken. */
static void
check_i6300esb(TestBoard *test)
{
    mmio_write(test, 0xd0000000, 4, 77);
    g_assert_cmphex(mmio_read(test, 0xd0000000, 4), ==, 77);
    g_assert_cmphex(mmio_read(test, 0xd0000004, 4), ==, 2000);
    g_assert_cmphex(mmio_read(test, 0xd0000008, 2), ==, 1);
    fake_advance(1449000000);
    g_assert_cmpuint(test->n_events, ==, 0);
    fake_advance(1000000);
    g_assert_cmpuint(test->n_events, ==, 1);
}

static void
poke_pvpanic(TestBoard *test)
{
    out8(test, 0x505, 0x02);
    g_assert_cmpuint(test->n_events, ==, 1);
}

/* The driver knows already. */
static void
check_pvpanic(TestBoard *test)
{
    out8(test, 0x505, 0x02);
    g_assert_cmpuint(test->n_events, ==, 0);
}

static void
poke_pvpanic_pci(TestBoard *test)
{
    config_write(test, 0, 1 << 3, 0x10, 4, 0xd0000000);
    config_write(test, 0, 1 << 3, 0x04, 2, 0x0002);
    mmio_write(test, 0xd0000000, 1, 0x02);
    g_assert_cmpuint(test->n_events, ==, 1);
}

static void
check_pvpanic_pci(TestBoard *test)
{
    mmio_write(test, 0xd0000000, 1, 0x02);
    g_assert_cmpuint(test->n_events, ==, 0);
    mmio_write(test, 0xd0000000, 1, 0x01);
    g_assert_cmpuint(test->n_requests, ==, 1);
}

static const struct {
    const DeviceClass *class;
    VmmMsg *(*params)(void);
    void (*poke)(TestBoard *test);
    void (*check)(TestBoard *test);
    bool pci;
} chips[] = {
    { &serial_class, serial_params, poke_serial, check_serial },
    { &rtc_class, NULL, poke_rtc, check_rtc },
    { &pm_class, NULL, poke_pm, check_pm },
    { &i8042_class, NULL, poke_i8042, check_i8042 },
    { &reset_control_class, NULL, poke_reset_control, check_reset_control },
    { &pci_host_class, NULL, poke_pci_host, check_pci_host },
    { &fw_cfg_class, NULL, poke_fw_cfg, check_fw_cfg },
    { &flash_class, flash_params, poke_flash, check_flash },
    { &lpc_class, NULL, poke_lpc, check_lpc, true },
    { &root_port_class, NULL, poke_root_port, check_root_port, true },
    { &i6300esb_class, NULL, poke_i6300esb, check_i6300esb, true },
    { &pvpanic_class, NULL, poke_pvpanic, check_pvpanic },
    { &pvpanic_pci_class, NULL, poke_pvpanic_pci, check_pvpanic_pci, true },
};

/* A board with a device of @i, and a PCI host where it goes there. */
typedef struct Chip {
    TestBoard *test;
    Device *host, *dev;
} Chip;

static Chip
chip_new(gsize i)
{
    Chip chip = { .test = test_board_new(loop_new()) };

    chip.test->board.memory = memory_new(2 * MIB, NULL);
    if (chips[i].pci)
        chip.host = test_board_add(chip.test, &pci_host_class, NULL);
    chip.dev =
        test_board_add(chip.test, chips[i].class, chips[i].params ? chips[i].params() : NULL);
    return chip;
}

static void
chip_free(Chip *chip)
{
    device_free(chip->dev);
    device_free(chip->host);
    loop_free(chip->test->board.loop);
    test_board_free(chip->test);
}

static void
test_chip(gconstpointer data)
{
    gsize i = GPOINTER_TO_SIZE(data);
    g_autoptr(GBytes) saved = NULL, again = NULL;
    Chip first, second;

    fake_now_ns = 1700000000ull * 1000000000;
    first = chip_new(i);
    chips[i].poke(first.test);
    device_pause(first.dev);
    saved = save_device(first.dev);
    check_state_golden(chips[i].class->name, chips[i].class->state->version, saved);
    second = chip_new(i);
    device_pause(second.dev);
    must_load_device(second.dev, saved);
    again = save_device(second.dev);
    assert_same_state(chips[i].class->name, saved, again);
    load_damaged(second.dev, saved);
    if (chips[i].pci)
        remap_bars(second.test);
    device_resume(second.dev);
    chips[i].check(second.test);
    chip_free(&first);
    chip_free(&second);
}

/* Every class says what it saves, or why it saves nothing; and tables are fit to be written. */

static void
check_table(const char *name, const StateTable *table)
{
    g_assert_cmpuint(table->version, >=, 1);
    for (const StateField *field = table->fields; field->name; field++) {
        if (field->since > table->version)
            g_error("%s: '%s' is newer than its table", name, field->name);
        g_assert_cmpuint(strlen(field->name), <=, STATE_NAME_MAX);
        for (const StateField *other = field + 1; other->name; other++)
            g_assert_cmpstr(field->name, !=, other->name);
    }
}

static void
check_class(const char *name, const StateTable *state, const char *stateless)
{
    if (!state == !stateless)
        g_error(
            "device class '%s' has to say what is saved of it, or why there is nothing (state.h)",
            name);
    if (state)
        check_table(name, state);
}

static void
test_every_class(void)
{
    static const DeviceClass *const *const lists[] = { device_board_classes, device_pc_classes,
                                                       device_firmware_classes,
                                                       device_added_classes };

    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        for (gsize k = 0; lists[i][k]; k++)
            check_class(lists[i][k]->name, lists[i][k]->state, lists[i][k]->stateless);
    }
    for (gsize k = 0; virtio_classes[k]; k++)
        check_class(virtio_classes[k]->name, virtio_classes[k]->state,
                    virtio_classes[k]->stateless);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/state-devices/every-class", test_every_class);
    for (gsize i = 0; i < G_N_ELEMENTS(chips); i++) {
        g_autofree char *path = g_strdup_printf("/state-devices/%s", chips[i].class->name);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_chip);
    }
    g_test_add_func("/state-devices/old-i8042", test_old_i8042);
    return g_test_run();
}
