/* firmware-kernel: what firmware gets of a kernel, and which kernels it does not. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/firmware.h"
#include "qemu-kvm-backend/x86/firmware-kernel.h"
#include "tests/unit/fw-cfg-guest.h"

#include <asm/bootparam.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB    ((uint64_t)1 << 20)
#define MEMORY (16 * MIB)
#define SETUP  1024

/* The header is where the zero page has it. */
typedef struct __attribute__((packed)) Image {
    uint8_t sector[offsetof(struct boot_params, hdr)];
    struct setup_header hdr;
    uint8_t rest[SETUP - offsetof(struct boot_params, hdr) - sizeof(struct setup_header)];
    char code[1024];
} Image;

typedef struct Fixture {
    TestBoard *test;
    Device *dev;
    Image image;
    BootSource source;
} Fixture;

static int
new_file(const void *bytes, size_t size)
{
    int fd = memfd_create("file", MFD_CLOEXEC);

    g_assert_cmpint(write(fd, bytes, size), ==, size);
    return fd;
}

static void
set_up(Fixture *f, gconstpointer data)
{
    f->test = test_board_new(NULL);
    f->test->board.memory = memory_new(MEMORY, NULL);
    f->dev = test_board_add(f->test, &fw_cfg_class, NULL);
    f->image.hdr = (struct setup_header){
        .setup_sects = SETUP / 512 - 1,
        .boot_flag = 0xaa55,
        .jump = 0x66eb, /* the header ends at 0x268 */
        .header = 0x53726448,
        .version = 0x020f,
        .loadflags = LOADED_HIGH,
        .cmdline_size = 100,
        .pref_address = MIB,
        .init_size = 4 * MIB,
    };
    strcpy(f->image.code, "code");
    f->source = (BootSource){ .initrd_fd = new_file("files", 5), .cmdline = "quiet" };
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    close(f->source.initrd_fd);
    device_free(f->dev);
    test_board_free(f->test);
}

static bool
put(Fixture *f, bool uefi, VmmError *err)
{
    bool good;

    f->source.kernel_fd = new_file(&f->image, sizeof(f->image));
    fw_cfg_clear(f->test->board.fw_cfg);
    good = firmware_kernel_put(&f->source, uefi, f->test->board.memory, f->test->board.fw_cfg, err);
    if (!good)
        close(f->source.kernel_fd);
    return good;
}

static void
assert_item(Fixture *f, uint16_t size_key, uint16_t key, uint64_t size, const char *begin)
{
    char got[8];

    g_assert_cmpuint(fw_cfg_guest_number(f->test, size_key, 4), ==, size);
    fw_cfg_guest_read(f->test, key, got, strlen(begin));
    g_assert_cmpmem(got, strlen(begin), begin, strlen(begin));
}

/* The header is the file's own, which UEFI may have to verify. */
static void
test_items(Fixture *f, gconstpointer uefi)
{
    VmmError err;
    Image got;

    memcpy(&f->image, "MZ", 2);
    if (!put(f, uefi != NULL, &err))
        g_error("%s", err.text);
    assert_item(f, FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA, SETUP, "MZ");
    assert_item(f, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, sizeof(f->image.code), "code");
    assert_item(f, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, 5, "files");
    assert_item(f, FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA, 6, "quiet");
    fw_cfg_guest_read(f->test, FW_CFG_SETUP_DATA, &got, SETUP);
    g_assert_cmpmem(&got, SETUP, &f->image, SETUP);
    close(f->source.kernel_fd);
}

static uint8_t
sum(const uint8_t *bytes, size_t size)
{
    uint8_t total = 0;

    while (size-- > 0)
        total += *bytes++;
    return total;
}

/* As a BIOS looks at it: BIOS Boot Specification 1.01, appendix A. */
static void
test_rom(Fixture *f, gconstpointer data)
{
    g_autoptr(GBytes) file = NULL;
    const uint8_t *rom, *pnp;
    VmmError err;
    size_t size;

    g_assert_true(put(f, false, &err));
    file = fw_cfg_guest_file(f->test, FIRMWARE_KERNEL_FILE);
    rom = g_bytes_get_data(file, &size);
    g_assert_cmpmem(rom, 2, "\x55\xaa", 2);
    g_assert_cmpuint(size, ==, rom[2] * 512u);
    g_assert_cmpuint(sum(rom, size), ==, 0);
    pnp = rom + rom[0x1a] + rom[0x1b] * 256;
    g_assert_cmpmem(pnp, 4, "$PnP", 4);
    g_assert_cmpuint(sum(pnp, pnp[5] * 16u), ==, 0);
    g_assert_cmpstr((const char *)rom + pnp[16] + pnp[17] * 256, ==, "Linux kernel");
    g_assert_cmpuint(pnp[0x1a] + pnp[0x1b] * 256u, >, 0x20);
    close(f->source.kernel_fd);
}

static void
test_no_rom(Fixture *f, gconstpointer data)
{
    uint16_t key;
    uint32_t size;

    g_assert_true(put(f, true, NULL));
    g_assert_false(fw_cfg_guest_find(f->test, FIRMWARE_KERNEL_FILE, &key, &size));
    close(f->source.kernel_fd);
}

/* Whatever the order is, the kernel comes first, and for UEFI it is no part of it. */
static void
test_order(Fixture *f, gconstpointer data)
{
    static const struct {
        bool uefi;
        const char *order, *wanted;
    } rows[] = {
        { false, NULL, "/rom@genroms/kernel.bin\n" },
        { false, "/disk\nHALT", "/rom@genroms/kernel.bin\n/disk\nHALT" },
        { true, "/disk\nHALT", "/disk\nHALT" },
    };
    static const CpuTopology topology = { 1, 1, 1, 1, 1 };

    f->source.kernel_fd = new_file(&f->image, sizeof(f->image));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const FirmwareSettings settings = { .uefi = rows[i].uefi,
                                            .boot_order = (char *)rows[i].order };
        const FirmwareMachine machine = { .settings = &settings,
                                          .topology = &topology,
                                          .memory = f->test->board.memory,
                                          .kernel = &f->source };
        g_autoptr(GBytes) order = NULL;

        g_assert_true(firmware_describe(&machine, f->test->board.fw_cfg, NULL));
        order = fw_cfg_guest_file(f->test, "bootorder");
        g_assert_cmpmem(g_bytes_get_data(order, NULL), g_bytes_get_size(order), rows[i].wanted,
                        strlen(rows[i].wanted) + 1);
    }
    close(f->source.kernel_fd);
}

/* Refusals */

static void
spoil_magic(Fixture *f)
{
    f->image.hdr.header = 0;
}

static void
spoil_version(Fixture *f)
{
    f->image.hdr.version = 0x0202;
}

static void
spoil_place(Fixture *f)
{
    f->image.hdr.loadflags = 0;
}

static void
spoil_setup(Fixture *f)
{
    f->image.hdr.setup_sects = 200;
}

static void
spoil_cmdline(Fixture *f)
{
    f->image.hdr.cmdline_size = 4;
}

static void
spoil_size(Fixture *f)
{
    f->image.hdr.init_size = 14 * MIB + 4096;
}

static void
spoil_initrd(Fixture *f)
{
    f->image.hdr.init_size = 13 * MIB;
    g_assert_no_errno(ftruncate(f->source.initrd_fd, MIB + 1));
}

typedef struct Refusal {
    void (*spoil)(Fixture *f);
    const char *kind, *by_bios, *by_uefi; /* NULL: it takes it */
} Refusal;

static const Refusal refusals[] = {
    { spoil_magic, VMM_ERROR_UNSUPPORTED, "A BIOS starts a Linux bzImage, and the kernel is none",
      "UEFI starts a Linux bzImage or an application of its own, and the kernel is neither" },
    { spoil_version, VMM_ERROR_UNSUPPORTED, "A BIOS starts a Linux bzImage, and the kernel is none",
      NULL },
    { spoil_place, VMM_ERROR_UNSUPPORTED, "A BIOS starts a Linux bzImage, and the kernel is none",
      NULL },
    { spoil_setup, VMM_ERROR_UNSUPPORTED, "A BIOS starts a Linux bzImage, and the kernel is none",
      NULL },
    { spoil_cmdline, VMM_ERROR_INVALID,
      "The kernel's command line has 5 characters but the kernel takes at most 4", NULL },
    { spoil_size, VMM_ERROR_INVALID, "The kernel needs 17 MiB of RAM but the guest has 16 MiB",
      NULL },
    { spoil_initrd, VMM_ERROR_INVALID, "The kernel needs 17 MiB of RAM but the guest has 16 MiB",
      NULL },
};

static void
test_refusal(Fixture *f, gconstpointer data)
{
    const Refusal *row = data;
    const char *const texts[] = { row->by_bios, row->by_uefi };

    row->spoil(f);
    for (int uefi = 0; uefi < 2; uefi++) {
        VmmError err = { 0 };

        g_assert_cmpint(put(f, uefi, &err), ==, texts[uefi] == NULL);
        if (!texts[uefi]) {
            close(f->source.kernel_fd);
            continue;
        }
        g_assert_cmpstr(err.kind, ==, row->kind);
        g_assert_cmpstr(err.text, ==, texts[uefi]);
    }
}

/* UEFI takes what is its own. */
static void
test_application(Fixture *f, gconstpointer data)
{
    VmmError err;

    memset(&f->image, 0, sizeof(f->image));
    memcpy(&f->image, "MZ", 2);
    g_assert_true(put(f, true, &err));
    close(f->source.kernel_fd);
    g_assert_false(put(f, false, &err));
}

#define ADD(path, data, func) g_test_add(path, Fixture, data, set_up, func, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("/firmware-kernel/items/bios", NULL, test_items);
    ADD("/firmware-kernel/items/uefi", GINT_TO_POINTER(1), test_items);
    ADD("/firmware-kernel/rom", NULL, test_rom);
    ADD("/firmware-kernel/no-rom", NULL, test_no_rom);
    ADD("/firmware-kernel/order", NULL, test_order);
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        g_autofree char *path = g_strdup_printf("/firmware-kernel/refusal/%zu", i);

        ADD(path, &refusals[i], test_refusal);
    }
    ADD("/firmware-kernel/application", NULL, test_application);
    return g_test_run();
}
