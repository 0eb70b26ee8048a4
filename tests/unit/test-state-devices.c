/* What each device saves: in a fresh one it gives the same again, streams of older versions too, and the device goes on
 * as the first would have. tests/data/state has what version 1 of each table wrote; STATE_GOLDEN_WRITE=DIR writes
 * them anew. */
#include "tests/unit/fake-alarm.h"
#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB (1ull << 20)

static int
new_file(uint64_t size)
{
    int fd = memfd_create("image", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(ftruncate(fd, size));
    return fd;
}

static VmmMsg *
params_new(const char *device)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    if (device)
        vmm_msg_put_string(params, "device", device);
    return params;
}

static GBytes *
save(Device *dev)
{
    StateOut *out = state_out_new();
    const void *data;
    size_t size;
    GBytes *bytes;

    state_put_section(out, dev->class->name, dev->id, dev->class->state, dev);
    data = state_out_bytes(out, &size);
    bytes = g_bytes_new(data, size);
    state_out_free(out);
    return bytes;
}

static bool
load(Device *dev, GBytes *bytes, VmmError *err)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);
    StateSection section;
    int head = state_read_head(data, size, &section, err);

    g_assert_cmpint(head, >, 0);
    g_assert_cmpuint(section.length, ==, size - head);
    section.data = data + head;
    return state_load(&section, dev->class->state, dev, err);
}

static void
must_load(Device *dev, GBytes *bytes)
{
    VmmError err;

    if (!load(dev, bytes, &err))
        g_error("%s", err.text);
}

static void
assert_same(const char *what, GBytes *a, GBytes *b)
{
    gsize n_a, n_b;
    const guint8 *at_a = g_bytes_get_data(a, &n_a), *at_b = g_bytes_get_data(b, &n_b);

    for (gsize i = 0; i < n_a && i < n_b; i++) {
        if (at_a[i] != at_b[i])
            g_error("%s: byte %zu of what is saved again is 0x%x, not 0x%x", what, i, at_b[i],
                    at_a[i]);
    }
    g_assert_cmpuint(n_a, ==, n_b);
}

static GBytes *
read_golden(const char *file)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "data", "state", file, NULL);
    char *contents;
    gsize size;

    g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
    return g_bytes_new_take(contents, size);
}

/* What this version wrote when it was new is what it writes, and is read, for good. */
static void
check_golden(const char *name, unsigned version, GBytes *bytes)
{
    const char *writes = g_getenv("STATE_GOLDEN_WRITE");
    g_autofree char *file = g_strdup_printf("%s.v%u", name, version);
    g_autoptr(GBytes) golden = NULL;

    if (writes) {
        g_autofree char *to = g_build_filename(writes, file, NULL);

        g_assert_true(
            g_file_set_contents(to, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL));
        return;
    }
    golden = read_golden(file);
    assert_same(file, golden, bytes);
}

/* A byte of each device's state after another is changed: loading ends in one way or the other, and what it
 * ends in can be saved and run. */
static void
damage(Device *dev, GBytes *bytes)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);

    for (gsize i = 0; i < size; i++) {
        g_autofree guint8 *copy = g_memdup2(data, size);
        StateSection section;
        int head;

        copy[i] ^= 0x81;
        head = state_read_head(copy, size, &section, NULL);
        if (head <= 0 || section.length != size - head)
            continue;
        section.data = copy + head;
        state_load(&section, dev->class->state, dev, NULL);
    }
    dev->class->reset(dev);
    must_load(dev, bytes);
}

/* BARs go where they were saved. */
static void
remap(TestBoard *test)
{
    Pci *pci = test->board.pci;

    pthread_mutex_lock(pci_lock(pci));
    pci_remap(pci);
    pthread_mutex_unlock(pci_lock(pci));
}

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
    g_autoptr(GBytes) saved = read_golden("i8042.v1");
    TestBoard *test = test_board_new(NULL);
    Device *dev = test_board_add(test, &i8042_class, NULL);

    must_load(dev, saved);
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
    VmmMsg *params = params_new(NULL);

    vmm_msg_put_u64(params, "port", 0);
    vmm_msg_put_string(params, "kind", "null");
    return params;
}

static VmmMsg *
flash_params(void)
{
    VmmMsg *params = params_new(NULL);

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
    saved = save(first.dev);
    check_golden(chips[i].class->name, chips[i].class->state->version, saved);
    second = chip_new(i);
    device_pause(second.dev);
    must_load(second.dev, saved);
    again = save(second.dev);
    assert_same(chips[i].class->name, saved, again);
    damage(second.dev, saved);
    if (chips[i].pci)
        remap(second.test);
    device_resume(second.dev);
    chips[i].check(second.test);
    chip_free(&first);
    chip_free(&second);
}

/* virtio, by a driver. */

static VmmMsg *
blk_params(void)
{
    VmmMsg *params = params_new("blk");

    vmm_msg_put_fd(params, "fd", new_file(MIB));
    vmm_msg_put_string(params, "io", "threads");
    return params;
}

/* Nobody is at the other end, but it is there. */
static VmmMsg *
net_params(void)
{
    VmmMsg *params = params_new("net");
    int fds[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    vmm_msg_put_string(params, "mac", "52:54:00:12:34:56");
    vmm_msg_put_bool(params, "thread", false);
    vmm_msg_put_string(params, "backend", "stream");
    vmm_msg_put_fd(params, "fd", fds[0]);
    return params;
}

static VmmMsg *
console_params(void)
{
    VmmMsg *params = params_new("console");

    vmm_msg_put_string(params, "port-0-kind", "null");
    vmm_msg_put_bool(params, "port-0-console", true);
    vmm_msg_put_string(params, "port-2-kind", "null");
    vmm_msg_put_string(params, "port-2-name", "agent");
    return params;
}

static VmmMsg *
balloon_params(void)
{
    VmmMsg *params = params_new("balloon");

    vmm_msg_put_u64(params, "target", MIB);
    return params;
}

static VmmMsg *
rng_params(void)
{
    return params_new("rng");
}

/* The kernel gives the socket a name. */
static VmmMsg *
vsock_params(void)
{
    const struct sockaddr any = { .sa_family = AF_UNIX };
    VmmMsg *params = params_new("vsock");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_no_errno(bind(fd, &any, sizeof(any.sa_family)));
    g_assert_no_errno(listen(fd, 1));
    vmm_msg_put_u64(params, "cid", 3);
    vmm_msg_put_fd(params, "fd", fd);
    return params;
}

static const struct {
    const char *name;
    VmmMsg *(*params)(void);
} virtio[] = {
    { "blk", blk_params },         { "net", net_params }, { "console", console_params },
    { "balloon", balloon_params }, { "rng", rng_params }, { "vsock", vsock_params },
};

static void
pause_device(VirtioGuest *guest)
{
    guest->dev->class->pause(guest->dev);
}

/* The second machine has the first one's memory. */
static void
copy_memory(VirtioGuest *from, VirtioGuest *to)
{
    MemoryRegion a, b;

    g_assert_true(memory_region(from->test->board.memory, 0, &a) &&
                  memory_region(to->test->board.memory, 0, &b));
    memcpy(b.host, a.host, a.size);
    memcpy(to->queues, from->queues, sizeof(from->queues));
    to->free_gpa = from->free_gpa;
}

static void
test_virtio(gconstpointer data)
{
    gsize i = GPOINTER_TO_SIZE(data);
    VirtioGuest *first = virtio_guest_new(virtio[i].params(), 4 * MIB), *second;
    g_autoptr(GBytes) saved = NULL, again = NULL;

    guest_enable_msix(first);
    guest_start(first, ~0ull);
    pause_device(first);
    saved = save(first->dev);
    check_golden(virtio[i].name, 1, saved);
    second = virtio_guest_new(virtio[i].params(), 4 * MIB);
    pause_device(second);
    copy_memory(first, second);
    must_load(second->dev, saved);
    again = save(second->dev);
    assert_same(virtio[i].name, saved, again);
    damage(second->dev, saved);
    copy_memory(first, second);
    remap(second->test);
    second->dev->class->resume(second->dev);
    test_board_settle(second->test);
    g_assert_cmphex(guest_get(second, COMMON_STATUS, 1), ==, 0xf);
    virtio_guest_free(first);
    virtio_guest_free(second);
}

/* A chain that was made available and not kicked before the device was saved is served where it is restored, behind
 * those that were served before. */
static void
test_queue_goes_on(void)
{
    VirtioGuest *first = virtio_guest_new(rng_params(), 4 * MIB), *second;
    g_autoptr(GBytes) saved = NULL;
    uint32_t head, len;
    uint64_t buffer;

    guest_enable_msix(first);
    guest_start(first, 0);
    for (unsigned i = 0; i < 70; i++) { /* once round the ring */
        buffer = guest_alloc(first, 64);
        guest_desc(first, first->queues[0].desc, i % 64, buffer, 64, DESC_WRITE, 0);
        guest_offer(first, 0, i % 64);
        guest_kick(first, 0);
        g_assert_true(guest_take_used(first, 0, &head, &len));
    }
    pause_device(first);
    guest_desc(first, first->queues[0].desc, 5, buffer, 64, DESC_WRITE, 0);
    guest_offer(first, 0, 5);
    saved = save(first->dev);
    second = virtio_guest_new(rng_params(), 4 * MIB);
    pause_device(second);
    copy_memory(first, second);
    must_load(second->dev, saved);
    remap(second->test);
    second->dev->class->resume(second->dev);
    test_board_settle(second->test);
    g_assert_true(guest_take_used(second, 0, &head, &len));
    g_assert_cmpuint(head, ==, 5);
    g_assert_cmpuint(len, ==, 64);
    g_assert_false(guest_take_used(second, 0, &head, &len));
    g_assert_cmpuint(test_board_take_msi(second->test, GUEST_VECTOR(0)), ==, 1);
    virtio_guest_free(first);
    virtio_guest_free(second);
}

/* An interrupt that a masked vector held back comes when the restored guest unmasks it. */
static void
test_pending_vector(void)
{
    VirtioGuest *first = virtio_guest_new(rng_params(), 4 * MIB), *second;
    g_autoptr(GBytes) saved = NULL;
    uint64_t buffer;

    guest_enable_msix(first);
    guest_start(first, ~0ull);
    mmio_write(first->test, first->msix + 16 + 12, 4, 1);
    buffer = guest_alloc(first, 64);
    guest_desc(first, first->queues[0].desc, 0, buffer, 64, DESC_WRITE, 0);
    guest_offer(first, 0, 0);
    guest_kick(first, 0);
    g_assert_cmpuint(test_board_take_msi(first->test, GUEST_VECTOR(0)), ==, 0);
    pause_device(first);
    saved = save(first->dev);
    second = virtio_guest_new(rng_params(), 4 * MIB);
    pause_device(second);
    copy_memory(first, second);
    must_load(second->dev, saved);
    remap(second->test);
    second->dev->class->resume(second->dev);
    test_board_settle(second->test);
    g_assert_cmpuint(test_board_take_msi(second->test, GUEST_VECTOR(0)), ==, 0);
    mmio_write(second->test, second->msix + 16 + 12, 4, 0);
    g_assert_cmpuint(test_board_take_msi(second->test, GUEST_VECTOR(0)), ==, 1);
    virtio_guest_free(first);
    virtio_guest_free(second);
}

/* Another kind of device under the same name. */
static void
test_other_device(void)
{
    VirtioGuest *rng = virtio_guest_new(rng_params(), 4 * MIB);
    VirtioGuest *balloon = virtio_guest_new(balloon_params(), 4 * MIB);
    g_autoptr(GBytes) saved = NULL;
    VmmError err;

    pause_device(rng);
    pause_device(balloon);
    saved = save(rng->dev);
    g_assert_false(load(balloon->dev, saved, &err));
    g_assert_nonnull(strstr(err.text, "was another kind of PCI device"));
    virtio_guest_free(rng);
    virtio_guest_free(balloon);
}

/* What a device writes to memory is dirty: its buffers and the used ring, and nothing else. */
static void
test_dirty(void)
{
    VirtioGuest *guest = virtio_guest_new(rng_params(), 4 * MIB);
    Memory *memory = guest->test->board.memory;
    g_autofree uint64_t *bitmap = g_new0(uint64_t, memory_dirty_words(memory, 0));
    uint64_t buffer = 2 * MIB, used;
    guint n = 0;

    guest_start(guest, ~0ull);
    memory_track(memory, true);
    used = guest->queues[0].device;
    guest_desc(guest, guest->queues[0].desc, 0, buffer + 4000, 200, DESC_WRITE, 0);
    guest_offer(guest, 0, 0);
    guest_kick(guest, 0);
    memory_take_dirty(memory, 0, bitmap);
    for (gsize page = 0; page < 4 * MIB / 4096; page++)
        n += bitmap[page / 64] >> page % 64 & 1;
    for (uint64_t page = buffer / 4096; page < buffer / 4096 + 2; page++)
        g_assert_true(bitmap[page / 64] >> page % 64 & 1);
    g_assert_true(bitmap[used / 4096 / 64] >> used / 4096 % 64 & 1);
    g_assert_cmpuint(n, <=, 4); /* the ring may lie in two pages */
    virtio_guest_free(guest);
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
    for (gsize i = 0; i < G_N_ELEMENTS(virtio); i++) {
        g_autofree char *path = g_strdup_printf("/state-devices/virtio-%s", virtio[i].name);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_virtio);
    }
    g_test_add_func("/state-devices/old-i8042", test_old_i8042);
    g_test_add_func("/state-devices/queue-goes-on", test_queue_goes_on);
    g_test_add_func("/state-devices/pending-vector", test_pending_vector);
    g_test_add_func("/state-devices/other-device", test_other_device);
    g_test_add_func("/state-devices/dirty", test_dirty);
    return g_test_run();
}
