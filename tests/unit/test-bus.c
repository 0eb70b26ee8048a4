#include "qemu-kvm-backend/bus.h"

#include "qemu-kvm-backend/device.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <glib.h>
#include <string.h>

/* A device that writes down every access to it. */
typedef struct Diary {
    Device dev;
    GString *text;
} Diary;

typedef struct Fixture {
    Board board;
    Diary *diary;
    Diary *other;
} Fixture;

static guint64
diary_read(Device *dev, guint64 offset, unsigned size)
{
    g_assert_cmpint(pthread_mutex_trylock(&dev->lock), !=, 0);
    g_string_append_printf(((Diary *)dev)->text, "r%u@%x ", size, (unsigned)offset);
    return 0x8877665544332211ull;
}

static void
diary_write(Device *dev, guint64 offset, unsigned size, guint64 value)
{
    g_assert_cmpint(pthread_mutex_trylock(&dev->lock), !=, 0);
    g_string_append_printf(((Diary *)dev)->text, "w%u@%x=%" G_GINT64_MODIFIER "x ", size,
                           (unsigned)offset, value);
}

static const BusOps diary_ops = { diary_read, diary_write };

static bool
diary_create(Device *dev, VmmMsg *params, VmmError *err)
{
    ((Diary *)dev)->text = g_string_new(NULL);
    return true;
}

static void
diary_destroy(Device *dev)
{
    g_string_free(((Diary *)dev)->text, TRUE);
}

static const DeviceClass diary_class = {
    .name = "diary",
    .size = sizeof(Diary),
    .create = diary_create,
    .destroy = diary_destroy,
};

static Diary *
new_diary(Board *board, const char *id)
{
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    return (Diary *)device_new(&diary_class, board, id, params, NULL);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    f->board.pio = bus_new("port I/O");
    f->diary = new_diary(&f->board, "first");
    f->other = new_diary(&f->board, "second");
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    device_free(f->diary ? &f->diary->dev : NULL);
    device_free(f->other ? &f->other->dev : NULL);
    bus_free(f->board.pio);
}

static bool
claim(Fixture *f, Diary *diary, guint64 base, guint64 size, VmmError *err)
{
    return device_claim(&diary->dev, f->board.pio, base, size, &diary_ops, err);
}

static void
test_sizes(Fixture *f, gconstpointer data)
{
    guint8 bytes[8];

    g_assert_true(claim(f, f->diary, 0x100, 16, NULL));
    for (unsigned size = 1; size <= 8; size *= 2) {
        memset(bytes, 0, sizeof(bytes));
        bus_read(f->board.pio, 0x104, bytes, size);
        g_assert_cmpmem(bytes, size, "\x11\x22\x33\x44\x55\x66\x77\x88", size);
        bus_write(f->board.pio, 0x104, "\x01\x02\x03\x04\x05\x06\x07\x08", size);
    }
    g_assert_cmpstr(f->diary->text->str, ==,
                    "r1@4 w1@4=1 r2@4 w2@4=201 r4@4 w4@4=4030201 r8@4 w8@4=807060504030201 ");
}

static void
test_nobody(Fixture *f, gconstpointer data)
{
    static const guint64 addresses[] = { 0, 0xff, 0x110, 0x1000, G_MAXUINT64 };
    guint8 bytes[4];

    g_assert_true(claim(f, f->diary, 0x100, 16, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
        memset(bytes, 0, sizeof(bytes));
        bus_read(f->board.pio, addresses[i], bytes, 1);
        g_assert_cmpmem(bytes, 4, "\xff\0\0\0", 4);
        bus_write(f->board.pio, addresses[i], bytes, 1);
    }
    g_assert_cmpstr(f->diary->text->str, ==, "");
}

/* An access belongs to whom its first byte belongs to, byte by byte as far as that goes. */
static void
test_edges(Fixture *f, gconstpointer data)
{
    guint8 bytes[4];

    g_assert_true(claim(f, f->diary, 0xcf9, 1, NULL));
    g_assert_true(claim(f, f->other, 0xcfa, 4, NULL));
    bus_write(f->board.pio, 0xcf8, "\1\2\3\4", 4);
    g_assert_cmpstr(f->diary->text->str, ==, "");
    bus_write(f->board.pio, 0xcf9, "\1\2\3\4", 4);
    g_assert_cmpstr(f->diary->text->str, ==, "w1@0=1 ");
    bus_read(f->board.pio, 0xcf9, bytes, 4);
    g_assert_cmpmem(bytes, 4, "\x11\xff\xff\xff", 4);
    g_assert_cmpstr(f->other->text->str, ==, "");
    bus_write(f->board.pio, 0xcfa, "\1\2\3\4", 3); /* no size that a device knows */
    g_assert_cmpstr(f->other->text->str, ==, "w1@0=1 w1@1=2 w1@2=3 ");
}

static void
test_top(Fixture *f, gconstpointer data)
{
    guint8 bytes[4];

    g_assert_true(claim(f, f->diary, G_MAXUINT64 - 1, 2, NULL));
    bus_read(f->board.pio, G_MAXUINT64 - 1, bytes, 4);
    g_assert_cmpmem(bytes, 4, "\x11\x11\xff\xff", 4);
    bus_write(f->board.pio, G_MAXUINT64, bytes, 1);
    g_assert_cmpstr(f->diary->text->str, ==, "r1@0 r1@1 w1@1=11 ");
}

static void
test_overlap(Fixture *f, gconstpointer data)
{
    static const struct {
        guint64 base, size;
        gboolean good;
    } cases[] = {
        { 0x100, 16, FALSE }, { 0xff, 1, TRUE },   { 0xfe, 2, FALSE },
        { 0x10f, 1, FALSE },  { 0x110, 1, TRUE },  { 0x80, 512, FALSE },
        { 0x108, 1, FALSE },  { 0x200, 0, FALSE }, { G_MAXUINT64, 2, FALSE },
    };
    VmmError err;

    g_assert_true(claim(f, f->diary, 0x100, 16, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpint(claim(f, f->other, cases[i].base, cases[i].size, &err), ==, cases[i].good);
        if (!cases[i].good)
            g_assert_cmpstr(err.kind, ==, VMM_ERROR_INVALID);
    }
    g_assert_false(claim(f, f->other, 0x10f, 2, &err));
    g_assert_cmpstr(
        err.text, ==,
        "Device 'second' claims 0x10f-0x110 of the port I/O bus, where device 'first' is");
}

static void
test_remove(Fixture *f, gconstpointer data)
{
    guint8 byte = 0;

    g_assert_true(claim(f, f->diary, 0x100, 1, NULL));
    g_assert_true(claim(f, f->other, 0x101, 1, NULL));
    g_assert_true(claim(f, f->diary, 0x102, 1, NULL));
    device_free(&f->diary->dev); /* takes its regions along */
    f->diary = NULL;
    bus_read(f->board.pio, 0x100, &byte, 1);
    g_assert_cmpint(byte, ==, 0xff);
    bus_read(f->board.pio, 0x101, &byte, 1);
    g_assert_cmpint(byte, ==, 0x11);
    g_assert_true(claim(f, f->other, 0x100, 1, NULL));
    g_assert_true(claim(f, f->other, 0x102, 1, NULL));
}

/* Regions come and go while others read: what a reader gets is the device or nobody. */
typedef struct Mover {
    Fixture *f;
    gint done; /* atomic */
} Mover;

static gpointer
move_region(gpointer data)
{
    Mover *mover = data;

    for (guint i = 0; i < 20000; i++) {
        guint64 base = 0x200 + i % 7 * 0x10;

        g_assert_true(claim(mover->f, mover->f->other, base, 0x10, NULL));
        bus_remove_at(mover->f->board.pio, &mover->f->diary->dev, base); /* not its own */
        bus_remove_at(mover->f->board.pio, &mover->f->other->dev, base);
    }
    g_atomic_int_set(&mover->done, 1);
    return NULL;
}

static void
test_moves(Fixture *f, gconstpointer data)
{
    Mover mover = { f, 0 };
    GThread *thread;
    guint8 byte;

    g_assert_true(claim(f, f->diary, 0x100, 0x10, NULL));
    thread = g_thread_new("mover", move_region, &mover);
    while (!g_atomic_int_get(&mover.done)) {
        bus_read(f->board.pio, 0x100, &byte, 1);
        g_assert_cmphex(byte, ==, 0x11);
        bus_read(f->board.pio, 0x210, &byte, 1);
        g_assert_true(byte == 0x11 || byte == 0xff);
    }
    g_thread_join(thread);
    bus_read(f->board.pio, 0x210, &byte, 1);
    g_assert_cmphex(byte, ==, 0xff);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add("/bus/" name, Fixture, NULL, set_up, fn, tear_down)
    ADD("sizes", test_sizes);
    ADD("nobody", test_nobody);
    ADD("edges", test_edges);
    ADD("top", test_top);
    ADD("overlap", test_overlap);
    ADD("remove", test_remove);
    ADD("moves", test_moves);
    return g_test_run();
}
