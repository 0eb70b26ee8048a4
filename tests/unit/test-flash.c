/* flash: the two banks of firmware as its drivers use them. */
#include "qemu-kvm-backend/device-classes.h"
#include "tests/unit/test-board.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB       ((uint64_t)1 << 20)
#define FOUR_GIB  0x100000000ull
#define CODE_SIZE 0x21000u
#define VARS_SIZE 0x4000u
#define CODE      (FOUR_GIB - CODE_SIZE)
#define VARS      (CODE - VARS_SIZE)

typedef struct Fixture {
    TestBoard *test;
    Device *dev;
    int vars; /* the file, ours */
    int own;  /* and the device's descriptor of it */
} Fixture;

static int
new_file(uint8_t fill, size_t size)
{
    g_autofree uint8_t *bytes = g_malloc(size + 1); /* never NULL */
    int fd = memfd_create("flash", MFD_CLOEXEC);

    memset(bytes, fill, size);
    for (size_t at = 0; at < size; at += 4096)
        bytes[at] = at / 4096;
    g_assert_cmpint(write(fd, bytes, size), ==, (gssize)size);
    return fd;
}

static void
set_up(Fixture *f, gconstpointer data)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "create");

    f->test = test_board_new(NULL);
    f->test->board.memory = memory_new(2 * MIB, NULL);
    f->vars = new_file(0xff, VARS_SIZE);
    vmm_msg_put_fd(params, "firmware", new_file('C', CODE_SIZE));
    f->own = dup(f->vars);
    vmm_msg_put_fd(params, "nvram", f->own);
    f->dev = test_board_add(f->test, &flash_class, params);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    device_free(f->dev);
    test_board_free(f->test);
    close(f->vars);
}

static uint8_t
rd(Fixture *f, uint64_t offset)
{
    return mmio_read(f->test, VARS + offset, 1);
}

static void
wr(Fixture *f, uint64_t offset, uint8_t value)
{
    mmio_write(f->test, VARS + offset, 1, value);
}

static uint8_t
in_file(Fixture *f, uint64_t offset)
{
    uint8_t byte;

    g_assert_cmpint(pread(f->vars, &byte, 1, offset), ==, 1);
    return byte;
}

static bool
is_mapped(Fixture *f, uint64_t gpa)
{
    for (unsigned i = 0; i < TEST_ROMS; i++) {
        if (f->test->roms[i].host && f->test->roms[i].gpa == gpa)
            return true;
    }
    return false;
}

static void
test_code(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(mmio_read(f->test, CODE, 1), ==, 0);
    g_assert_cmphex(mmio_read(f->test, FOUR_GIB - 8, 8), ==, 0x4343434343434343);
    mmio_write(f->test, FOUR_GIB - 8, 1, 0x70);
    g_assert_cmphex(mmio_read(f->test, FOUR_GIB - 8, 1), ==, 'C');
    g_assert_true(is_mapped(f, CODE));
}

/* The last 128 KiB are below 1 MiB, anew after a reset. */
static void
test_shadow(Fixture *f, gconstpointer data)
{
    const uint8_t *shadow = memory_at(f->test->board.memory, 0xe0000, 0x20000);

    g_assert_cmphex(shadow[0], ==, 1); /* the first 4 KiB of the file are not there */
    g_assert_cmphex(shadow[0x1f000], ==, 0x20);
    memory_zero(f->test->board.memory, 0xe0000, 0x20000);
    f->dev->class->reset(f->dev);
    g_assert_cmphex(shadow[0x1ffff], ==, 'C');

    /* A machine that wakes finds there what its BIOS has left. */
    g_assert_true(memory_write(f->test->board.memory, 0xfffff, "W", 1));
    flash_class.wake(f->dev);
    g_assert_cmphex(shadow[0x1ffff], ==, 'W');
    flash_class.reset(f->dev);
    g_assert_cmphex(shadow[0x1ffff], ==, 'C');
}

static void
test_program(Fixture *f, gconstpointer data)
{
    wr(f, 8, 0x10);
    g_assert_false(is_mapped(f, VARS));
    wr(f, 8, 0xa5);
    g_assert_cmphex(rd(f, 0), ==, 0x80);
    g_assert_cmphex(in_file(f, 8), ==, 0xa5); /* at once */
    wr(f, 9, 0x40);
    wr(f, 9, 0x0f);
    wr(f, 9, 0x40);
    wr(f, 9, 0xf5); /* ones do not come back */
    wr(f, 0, 0xff);
    g_assert_true(is_mapped(f, VARS));
    g_assert_cmphex(rd(f, 8), ==, 0xa5);
    g_assert_cmphex(rd(f, 9), ==, 0x05);
    g_assert_cmphex(in_file(f, 9), ==, 0x05);
    g_assert_cmphex(rd(f, 10), ==, 0xff);
}

static void
test_erase(Fixture *f, gconstpointer data)
{
    g_assert_cmphex(rd(f, 0x2000), ==, 2);
    wr(f, 0x2345, 0x20);
    wr(f, 0x2345, 0xd0);
    g_assert_cmphex(rd(f, 0x2345), ==, 0x80);
    wr(f, 0, 0xff);
    g_assert_cmphex(rd(f, 0x2000), ==, 0xff);
    g_assert_cmphex(in_file(f, 0x2000), ==, 0xff);
    g_assert_cmphex(rd(f, 0x1000), ==, 1); /* the neighbours stay */
    g_assert_cmphex(rd(f, 0x3000), ==, 3);
}

static void
test_improper(Fixture *f, gconstpointer data)
{
    wr(f, 0x2000, 0x20);
    wr(f, 0x2000, 0x00);
    g_assert_cmphex(rd(f, 0), ==, 0xb0);
    wr(f, 0, 0x50);
    g_assert_true(is_mapped(f, VARS));
    g_assert_cmphex(rd(f, 0x2000), ==, 2);
    wr(f, 0, 0x70);
    g_assert_cmphex(rd(f, 0), ==, 0); /* by this OVMF knows a flash: edk2, QemuFlashDetected() */
    wr(f, 8, 0x10);
    g_assert_cmphex(rd(f, 0), ==, 0x80);
}

static void
test_buffer(Fixture *f, gconstpointer data)
{
    wr(f, 0x1010, 0xe8);
    g_assert_cmphex(rd(f, 0x1010), ==, 0x80);
    wr(f, 0x1010, 3);
    mmio_write(f->test, VARS + 0x1010, 2, 0x2211);
    wr(f, 0x1012, 0x33);
    g_assert_cmphex(in_file(f, 0x1010), ==, 0xff); /* not before it is confirmed */
    wr(f, 0x1013, 0x44);
    wr(f, 0x1010, 0xd0);
    g_assert_cmphex(rd(f, 0), ==, 0x80);
    wr(f, 0, 0xff);
    g_assert_cmphex(mmio_read(f->test, VARS + 0x1010, 4), ==, 0x44332211);
    g_assert_cmphex(in_file(f, 0x1013), ==, 0x44);
    /* A byte in another block, and no confirmation. */
    wr(f, 0x1020, 0xe8);
    wr(f, 0x1020, 1);
    wr(f, 0x1020, 0);
    wr(f, 0x2020, 0);
    g_assert_cmphex(rd(f, 0), ==, 0x90);
    wr(f, 0, 0);
    g_assert_cmphex(rd(f, 0), ==, 0xb0);
    wr(f, 0, 0xff);
    g_assert_cmphex(rd(f, 0x1020), ==, 0xff);
    g_assert_cmphex(rd(f, 0x2020), ==, 0xff);
}

/* A pipe in the file's place cannot be flushed; what the host has lost then it does not find again. */
static void
test_flush(Fixture *f, gconstpointer data)
{
    VmmError err;
    int ends[2];

    g_assert_true(device_flush(f->dev, &err));
    wr(f, 0, 0x40);
    wr(f, 0, 0);
    g_assert_no_errno(pipe(ends));
    g_assert_no_errno(dup2(ends[0], f->own));
    g_assert_false(device_flush(f->dev, &err));
    g_assert_cmpstr(err.text, ==, "The firmware's variables cannot be brought to their file: Invalid argument");
    g_assert_no_errno(dup2(f->vars, f->own));
    g_assert_false(device_flush(f->dev, &err));
    close(ends[0]);
    close(ends[1]);
}

static void
test_identity(Fixture *f, gconstpointer data)
{
    wr(f, 0, 0x90);
    g_assert_cmphex(mmio_read(f->test, VARS, 2), ==, 0x1889);
    wr(f, 0, 0x98);
    g_assert_cmphex(rd(f, 0x10), ==, 'Q');
    g_assert_cmphex(rd(f, 0x11), ==, 'R');
    g_assert_cmphex(rd(f, 0x12), ==, 'Y');
    g_assert_cmphex(rd(f, 0x13), ==, 1); /* Intel's commands */
    g_assert_cmphex(1u << rd(f, 0x27), ==, VARS_SIZE);
    g_assert_cmphex(rd(f, 0x2c), ==, 1);
    g_assert_cmphex(mmio_read(f->test, VARS + 0x2d, 2), ==, VARS_SIZE / 4096 - 1);
    g_assert_cmphex(mmio_read(f->test, VARS + 0x2f, 2) * 256, ==, 4096);
    g_assert_cmphex(rd(f, 0x2000), ==, 0);
    f->dev->class->reset(f->dev);
    g_assert_cmphex(rd(f, 0x2000), ==, 2);
    g_assert_true(is_mapped(f, VARS));
}

static void
test_read_only_file(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "create");
    Fixture f = { .test = test_board_new(NULL) };
    g_autofree char *path = NULL;

    f.test->board.memory = memory_new(2 * MIB, NULL);
    f.vars = new_file(0xff, VARS_SIZE);
    path = g_strdup_printf("/proc/self/fd/%d", f.vars);
    vmm_msg_put_fd(params, "firmware", new_file('C', CODE_SIZE));
    vmm_msg_put_fd(params, "nvram", g_open(path, O_RDONLY | O_CLOEXEC));
    f.dev = test_board_add(f.test, &flash_class, params);
    wr(&f, 8, 0x10);
    wr(&f, 8, 0);
    g_assert_cmphex(rd(&f, 0), ==, 0x90);
    wr(&f, 0, 0xff);
    g_assert_cmphex(rd(&f, 8), ==, 0xff); /* what the file has not got is not there */
    tear_down(&f, NULL);
}

static void
refuse(int code, int vars, const char *text)
{
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "create");
    TestBoard *test = test_board_new(NULL);
    VmmError err;

    if (code >= 0)
        vmm_msg_put_fd(params, "firmware", code);
    if (vars >= 0)
        vmm_msg_put_fd(params, "nvram", vars);
    g_assert_null(device_new(&flash_class, &test->board, "flash", params, &err));
    g_assert_cmpstr(err.text, ==, text);
    test_board_free(test);
}

static void
test_bad_files(void)
{
    refuse(-1, -1, "create: the descriptor 'firmware' is missing");
    refuse(new_file(0, 1000), -1,
           "The firmware's 1000 bytes are not a multiple of 4096 up to 16 MiB");
    refuse(new_file(0, 0), -1, "The firmware's 0 bytes are not a multiple of 4096 up to 16 MiB");
    refuse(new_file(0, 8192), new_file(0, 5000),
           "The firmware's variable store's 5000 bytes are not a multiple of 4096 up to 16 MiB");
    refuse(new_file(0, 9 << 20), new_file(0, 8 << 20),
           "The firmware and its variables have more than 16 MiB");
}

#define ADD(path, fn) g_test_add(path, Fixture, NULL, set_up, fn, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/flash/code", test_code);
    ADD("/flash/shadow", test_shadow);
    ADD("/flash/program", test_program);
    ADD("/flash/erase", test_erase);
    ADD("/flash/improper", test_improper);
    ADD("/flash/buffer", test_buffer);
    ADD("/flash/flush", test_flush);
    ADD("/flash/identity", test_identity);
    g_test_add_func("/flash/read-only-file", test_read_only_file);
    g_test_add_func("/flash/bad-files", test_bad_files);
    return g_test_run();
}
