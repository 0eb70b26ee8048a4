#include "tests/unit/test-board.h"

#include <glib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void
set_irq(Board *board, unsigned gsi, bool level)
{
    TestBoard *test = (TestBoard *)board;

    g_assert_cmpuint(gsi, <, G_N_ELEMENTS(test->level));
    g_assert_cmpint(test->level[gsi], !=, level); /* a call that changes nothing costs an ioctl */
    test->level[gsi] = level;
    *(level ? &test->rises[gsi] : &test->falls[gsi]) += 1;
}

static void
request(Board *board, BoardRequest what, unsigned code, const char *why)
{
    TestBoard *test = (TestBoard *)board;

    g_assert_nonnull(why);
    test->n_requests++;
    test->request = what;
    test->code = code;
}

static void
notify(Board *board, VmmMsg *event)
{
    TestBoard *test = (TestBoard *)board;

    vmm_msg_free(test->event);
    test->event = event;
    test->n_events++;
}

static int
msi_new(Board *board, int fd)
{
    TestBoard *test = (TestBoard *)board;

    for (int i = 0; i < TEST_MSIS; i++) {
        if (test->msis[i].fd < 0) {
            test->msis[i] = (TestMsi){ .fd = fd };
            return i;
        }
    }
    return -1;
}

static bool
msi_set(Board *board, int msi, const MsiMessage *message)
{
    TestMsi *row = &((TestBoard *)board)->msis[msi];

    g_assert_cmpint(row->fd, >=, 0);
    g_assert_true(message || row->open); /* a call that changes nothing costs an ioctl */
    row->open = message != NULL;
    if (message)
        row->message = *message;
    return true;
}

static void
msi_free(Board *board, int msi)
{
    g_assert_cmpint(((TestBoard *)board)->msis[msi].fd, >=, 0);
    ((TestBoard *)board)->msis[msi].fd = -1;
}

static TestDoorbell *
find_doorbell(TestBoard *test, uint64_t gpa)
{
    for (unsigned i = 0; i < TEST_DOORBELLS; i++) {
        if (test->doorbells[i].fd >= 0 && test->doorbells[i].gpa == gpa)
            return &test->doorbells[i];
    }
    return NULL;
}

/* Like KVM, it has one doorbell for an address. */
static bool
add_doorbell(Board *board, uint64_t gpa, int fd)
{
    TestBoard *test = (TestBoard *)board;

    for (unsigned i = 0; i < TEST_DOORBELLS && !find_doorbell(test, gpa); i++) {
        if (test->doorbells[i].fd < 0) {
            test->doorbells[i] = (TestDoorbell){ fd, gpa };
            return true;
        }
    }
    return false;
}

static void
remove_doorbell(Board *board, uint64_t gpa, int fd)
{
    TestDoorbell *row = find_doorbell((TestBoard *)board, gpa);

    g_assert_nonnull(row);
    g_assert_cmpint(row->fd, ==, fd);
    row->fd = -1;
}

static TestRom *
find_rom(TestBoard *test, uint64_t gpa)
{
    for (unsigned i = 0; i < TEST_ROMS; i++) {
        if (test->roms[i].host && test->roms[i].gpa == gpa)
            return &test->roms[i];
    }
    return NULL;
}

static bool
map_rom(Board *board, uint64_t gpa, const void *host, uint64_t size)
{
    TestBoard *test = (TestBoard *)board;

    g_assert_null(find_rom(test, gpa));
    for (unsigned i = 0; i < TEST_ROMS; i++) {
        if (!test->roms[i].host) {
            test->roms[i] = (TestRom){ gpa, size, host };
            return true;
        }
    }
    g_assert_not_reached();
}

/* What is not mapped may be unmapped: a device that was created half does so. */
static void
unmap_rom(Board *board, uint64_t gpa)
{
    TestRom *rom = find_rom((TestBoard *)board, gpa);

    if (rom)
        rom->host = NULL;
}

static void
rtc_alarm(Board *board)
{
    ((TestBoard *)board)->n_rtc_alarms++;
}

TestBoard *
test_board_new(Loop *loop)
{
    TestBoard *test = g_new0(TestBoard, 1);

    test->board = (Board){
        .loop = loop,
        .lpc = true,
        .ps2 = true,
        .pio = bus_new("port I/O"),
        .mmio = bus_new("MMIO"),
        .set_irq = set_irq,
        .set_shared_irq = set_irq,
        .request = request,
        .notify = notify,
        .msi_new = msi_new,
        .msi_set = msi_set,
        .msi_free = msi_free,
        .add_doorbell = add_doorbell,
        .remove_doorbell = remove_doorbell,
        .map_rom = map_rom,
        .unmap_rom = unmap_rom,
        .rtc_alarm = rtc_alarm,
    };
    for (unsigned i = 0; i < TEST_MSIS; i++)
        test->msis[i].fd = -1;
    for (unsigned i = 0; i < TEST_DOORBELLS; i++)
        test->doorbells[i].fd = -1;
    return test;
}

void
test_board_free(TestBoard *test)
{
    g_assert_cmpuint(test_board_n_msis(test), ==, 0);
    g_assert_cmpuint(test_board_n_doorbells(test), ==, 0);
    for (unsigned i = 0; i < TEST_ROMS; i++)
        g_assert_null(test->roms[i].host);
    bus_free(test->board.pio);
    bus_free(test->board.mmio);
    memory_free(test->board.memory);
    vmm_msg_free(test->event);
    g_free(test);
}

Device *
test_board_add(TestBoard *test, const DeviceClass *class, VmmMsg *params)
{
    vmm_msg_auto msg = params ? params : vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    VmmError err = { 0 };
    Device *dev = device_new(class, &test->board, class->name, msg, &err);

    g_assert_cmpstr(err.text, ==, "");
    g_assert_nonnull(dev);
    g_assert_null(vmm_msg_unread(msg));
    if (class->reset)
        class->reset(dev);
    return dev;
}

static uint32_t
in(TestBoard *test, uint16_t port, unsigned size)
{
    uint32_t value = 0;

    bus_read(test->board.pio, port, &value, size);
    return GUINT32_FROM_LE(value);
}

static void
out(TestBoard *test, uint16_t port, unsigned size, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    bus_write(test->board.pio, port, &value, size);
}

uint8_t
in8(TestBoard *test, uint16_t port)
{
    return in(test, port, 1);
}

uint16_t
in16(TestBoard *test, uint16_t port)
{
    return in(test, port, 2);
}

uint32_t
in32(TestBoard *test, uint16_t port)
{
    return in(test, port, 4);
}

void
out8(TestBoard *test, uint16_t port, uint8_t value)
{
    out(test, port, 1, value);
}

void
out16(TestBoard *test, uint16_t port, uint16_t value)
{
    out(test, port, 2, value);
}

void
out32(TestBoard *test, uint16_t port, uint32_t value)
{
    out(test, port, 4, value);
}

uint64_t
mmio_read(TestBoard *test, uint64_t gpa, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < TEST_ROMS; i++) {
        const TestRom *rom = &test->roms[i];

        if (rom->host && gpa >= rom->gpa && gpa + size <= rom->gpa + rom->size) {
            memcpy(&value, (const uint8_t *)rom->host + (gpa - rom->gpa), size);
            return GUINT64_FROM_LE(value);
        }
    }
    bus_read(test->board.mmio, gpa, &value, size);
    return GUINT64_FROM_LE(value);
}

void
mmio_write(TestBoard *test, uint64_t gpa, unsigned size, uint64_t value)
{
    TestDoorbell *doorbell = find_doorbell(test, gpa);

    value = GUINT64_TO_LE(value);
    if (doorbell)
        eventfd_write(doorbell->fd, 1);
    else
        bus_write(test->board.mmio, gpa, &value, size);
}

static void
select_register(TestBoard *test, unsigned bus, unsigned devfn, unsigned offset)
{
    out32(test, 0xcf8, 0x80000000u | bus << 16 | devfn << 8 | (offset & 0xfc));
}

uint32_t
config_read(TestBoard *test, unsigned bus, unsigned devfn, unsigned offset, unsigned size)
{
    select_register(test, bus, devfn, offset);
    return in(test, 0xcfc + offset % 4, size);
}

void
config_write(TestBoard *test, unsigned bus, unsigned devfn, unsigned offset, unsigned size,
             uint32_t value)
{
    select_register(test, bus, devfn, offset);
    out(test, 0xcfc + offset % 4, size, value);
}

typedef struct Ender {
    Loop *loop;
    int fd;
} Ender;

static void
on_end(void *data, uint32_t events)
{
    loop_quit(((Ender *)data)->loop);
}

/* Epoll serves in the order of the signals: the second round has seen what the first one caused. */
void
test_board_settle(TestBoard *test)
{
    for (int round = 0; round < 2; round++) {
        Ender ender = { test->board.loop, eventfd(0, EFD_CLOEXEC) };
        LoopSource *source = loop_add_fd(ender.loop, ender.fd, EPOLLIN, on_end, &ender);

        eventfd_write(ender.fd, 1);
        loop_run(ender.loop);
        loop_source_free(source);
        close(ender.fd);
    }
}

unsigned
test_board_take_msi(TestBoard *test, uint32_t data)
{
    unsigned n = 0;

    for (unsigned i = 0; i < TEST_MSIS; i++) {
        eventfd_t count;

        if (test->msis[i].fd >= 0 && test->msis[i].open && test->msis[i].message.data == data &&
            eventfd_read(test->msis[i].fd, &count) == 0)
            n += count;
    }
    return n;
}

unsigned
test_board_n_msis(const TestBoard *test)
{
    unsigned n = 0;

    for (unsigned i = 0; i < TEST_MSIS; i++)
        n += test->msis[i].fd >= 0;
    return n;
}

unsigned
test_board_n_doorbells(const TestBoard *test)
{
    unsigned n = 0;

    for (unsigned i = 0; i < TEST_DOORBELLS; i++)
        n += test->doorbells[i].fd >= 0;
    return n;
}
