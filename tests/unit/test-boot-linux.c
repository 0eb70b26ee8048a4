/* boot: bzImages good and bad, and the page tables and descriptors that every kernel gets. */
#include "qemu-kvm-backend/x86/boot.h"

#include "qemu-kvm-backend/x86/layout.h"
#include "tests/unit/boot-fixture.h"

#include <asm/bootparam.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define SETUP_SECTS 2
#define SETUP_SIZE  ((SETUP_SECTS + 1) * 512)
#define CODE_SIZE   8192

typedef struct Image {
    struct boot_params start; /* the file's first page has the header where the zero page has it */
    uint8_t rest[4 * 512 + CODE_SIZE];
} Image;

#define IMAGE_SIZE (SETUP_SIZE + CODE_SIZE)

/* The 64-bit code's bytes tell their places. */
static void
fill_code(Image *image, size_t offset)
{
    for (size_t i = 0; i < CODE_SIZE; i++)
        ((uint8_t *)image)[offset + i] = i % 251;
}

static Image
image_new(void)
{
    Image image = { 0 };

    image.start.hdr = (struct setup_header){
        .setup_sects = SETUP_SECTS,
        .syssize = CODE_SIZE / 16,
        .boot_flag = 0xaa55,
        .jump = 0x66eb, /* the header ends at 0x268 */
        .header = 0x53726448,
        .version = 0x020f,
        .loadflags = LOADED_HIGH,
        .setup_data = 0xdeadbeef,
        .initrd_addr_max = 0x7fffffff,
        .kernel_alignment = 2 * MIB,
        .relocatable_kernel = 1,
        .xloadflags = XLF_KERNEL_64,
        .cmdline_size = 100,
        .pref_address = 16 * MIB,
        .init_size = 8 * MIB,
    };
    fill_code(&image, SETUP_SIZE);
    return image;
}

static const struct boot_params *
params(const Boot *boot)
{
    return boot_fixture_at(boot, boot->entry.rsi, sizeof(struct boot_params));
}

static void
assert_code_at(const Boot *boot, uint64_t gpa)
{
    Image image = { 0 };

    fill_code(&image, 0);
    g_assert_cmpmem(boot_fixture_at(boot, gpa, CODE_SIZE), CODE_SIZE, &image, CODE_SIZE);
}

static void
test_good(void)
{
    Image image = image_new();
    Boot boot = boot_fixture_load(&image, IMAGE_SIZE, NULL, "console=ttyS0", 64 * MIB);
    const struct boot_params *zero = params(&boot);

    g_assert_cmpint(boot.entry.mode, ==, BOOT_LONG);
    g_assert_cmphex(boot.entry.rip, ==, 16 * MIB + 0x200);
    g_assert_cmphex(boot.entry.rsp, !=, 0);
    assert_code_at(&boot, 16 * MIB);
    g_assert_cmphex(zero->hdr.type_of_loader, ==, 0xff);
    g_assert_cmphex(zero->hdr.loadflags, ==, LOADED_HIGH | CAN_USE_HEAP);
    g_assert_cmphex(zero->hdr.code32_start, ==, 16 * MIB);
    g_assert_cmphex(zero->hdr.setup_data, ==, 0);
    g_assert_cmphex(zero->hdr.ramdisk_image, ==, 0);
    g_assert_cmphex(zero->hdr.version, ==, 0x020f);
    g_assert_cmphex(zero->hdr.init_size, ==, 8 * MIB);
    g_assert_cmphex(zero->acpi_rsdp_addr, ==, 0xe0000);
    g_assert_cmpuint(zero->e820_entries, ==, 4);
    g_assert_cmphex(zero->e820_table[2].addr, ==, MIB);
    g_assert_cmphex(zero->e820_table[2].size, ==, 63 * MIB);
    g_assert_cmpstr(boot_fixture_at(&boot, zero->hdr.cmd_line_ptr, 101), ==, "console=ttyS0");
    g_assert_cmphex(zero->sentinel, ==, 0);
    boot_fixture_clear(&boot);
}

/* What is before and behind the header in the file stays out of the zero page. */
static void
test_header_length(void)
{
    Image image = image_new();
    Boot boot;

    image.start.hdr.jump = 0x3aeb; /* ends at 0x23c: no hardware_subarch and no more */
    image.start.hdr.pref_address = 0x1234567;
    image.start.hdr.init_size = 0x77777777;
    image.start.screen_info.orig_video_mode = 3;
    image.start.edd_mbr_sig_buffer[0] = 0x5a5a5a5a;
    boot = boot_fixture_load(&image, IMAGE_SIZE, NULL, NULL, 64 * MIB);
    g_assert_cmphex(params(&boot)->hdr.pref_address, ==, 0);
    g_assert_cmphex(params(&boot)->hdr.init_size, ==, 0);
    g_assert_cmphex(params(&boot)->screen_info.orig_video_mode, ==, 0);
    g_assert_cmphex(params(&boot)->edd_mbr_sig_buffer[0], ==, 0);
    g_assert_cmphex(boot.entry.rip, ==, 2 * MIB + 0x200);
    boot_fixture_clear(&boot);
}

static void
test_setup_sects_0(void)
{
    Image image = image_new();
    Boot boot;

    memset((uint8_t *)&image + SETUP_SIZE, 0, CODE_SIZE);
    image.start.hdr.setup_sects = 0;
    fill_code(&image, 5 * 512);
    boot = boot_fixture_load(&image, 5 * 512 + CODE_SIZE, NULL, NULL, 64 * MIB);
    assert_code_at(&boot, 16 * MIB);
    boot_fixture_clear(&boot);
}

static void
test_not_relocatable(void)
{
    Image image = image_new();
    Boot boot;

    image.start.hdr.relocatable_kernel = 0;
    image.start.hdr.pref_address = 3 * MIB;
    boot = boot_fixture_load(&image, IMAGE_SIZE, NULL, NULL, 64 * MIB);
    g_assert_cmphex(boot.entry.rip, ==, 3 * MIB + 0x200);
    boot_fixture_clear(&boot);

    image.start.hdr.pref_address = 0;
    boot_fixture_refuse(
        &image, IMAGE_SIZE, 64 * MIB,
        "The Linux kernel wants to run at address 0x0, where there is no RAM for it");
}

static void
test_initrd(void)
{
    g_autofree char *text = g_strnfill(5000, 'i');
    g_autoptr(GBytes) initrd = g_bytes_new(text, 5000);
    Image image = image_new();
    Boot boot = boot_fixture_load(&image, IMAGE_SIZE, initrd, NULL, 64 * MIB);

    g_assert_cmphex(params(&boot)->hdr.ramdisk_image, ==, 64 * MIB - 8192);
    g_assert_cmpuint(params(&boot)->hdr.ramdisk_size, ==, 5000);
    g_assert_cmpmem(boot_fixture_at(&boot, 64 * MIB - 8192, 5000), 5000, text, 5000);
    boot_fixture_clear(&boot);

    image.start.hdr.initrd_addr_max = 40 * MIB - 1;
    boot = boot_fixture_load(&image, IMAGE_SIZE, initrd, NULL, 64 * MIB);
    g_assert_cmphex(params(&boot)->hdr.ramdisk_image, ==, 40 * MIB - 8192);
    boot_fixture_clear(&boot);
}

/* With RAM above 4 GiB the initrd is still below 2 GiB. */
static void
test_initrd_much_ram(void)
{
    g_autoptr(GBytes) initrd = g_bytes_new_static("initrd", 6);
    Image image = image_new();
    Boot boot;

    image.start.hdr.initrd_addr_max = UINT32_MAX;
    boot = boot_fixture_load(&image, IMAGE_SIZE, initrd, NULL, 4096 * MIB);
    g_assert_cmphex(params(&boot)->hdr.ramdisk_image, ==, 2048 * MIB - 4096);
    g_assert_cmpuint(params(&boot)->e820_entries, ==, 5);
    boot_fixture_clear(&boot);
}

static void
refuse_initrd(uint64_t size, uint32_t addr_max, const char *text)
{
    Image image = image_new();
    BootSource source = { .initrd_fd = boot_fixture_file("", 0) };
    Memory *memory = memory_new(32 * MIB, NULL);
    BootEntry entry;
    VmmError err;

    image.start.hdr.initrd_addr_max = addr_max;
    source.kernel_fd = boot_fixture_file(&image, IMAGE_SIZE);
    g_assert_cmpint(ftruncate(source.initrd_fd, size), ==, 0);
    g_assert_false(boot_load(&source, memory, &entry, &err));
    g_assert_cmpstr(err.text, ==, text);
    close(source.kernel_fd);
    close(source.initrd_fd);
    memory_free(memory);
}

static void
test_initrd_refused(void)
{
    refuse_initrd(8 * MIB + 1, UINT32_MAX,
                  "The initrd of 9 MiB does not fit beside the kernel: it may lie between 24 MiB "
                  "and 32 MiB");
    refuse_initrd(1ull << 50, UINT32_MAX,
                  "The initrd of 1073741824 MiB does not fit beside the kernel: it may lie between "
                  "24 MiB and 32 MiB");
    refuse_initrd(1, 24 * MIB - 1,
                  "The initrd of 1 MiB does not fit beside the kernel: it may lie between 24 MiB "
                  "and 24 MiB");
}

static void
test_no_initrd_bytes(void)
{
    g_autoptr(GBytes) initrd = g_bytes_new_static("", 0);
    Image image = image_new();
    Boot boot = boot_fixture_load(&image, IMAGE_SIZE, initrd, NULL, 64 * MIB);

    g_assert_cmpuint(params(&boot)->hdr.ramdisk_size, ==, 0);
    boot_fixture_clear(&boot);
}

static void
test_cmdline_limit(void)
{
    g_autofree char *fits = g_strnfill(100, 'c'), *long_one = g_strnfill(101, 'c');
    Image image = image_new();
    Boot boot = boot_fixture_load(&image, IMAGE_SIZE, NULL, fits, 64 * MIB);
    BootSource source = { .initrd_fd = -1, .cmdline = long_one };

    g_assert_cmpstr(boot_fixture_at(&boot, LAYOUT_BOOT_CMDLINE, 101), ==, fits);
    source.kernel_fd = boot_fixture_file(&image, IMAGE_SIZE);
    g_assert_false(boot_load(&source, boot.memory, &boot.entry, &boot.err));
    g_assert_cmpstr(
        boot.err.text, ==,
        "The kernel's command line has 101 characters but the kernel takes at most 100");
    close(source.kernel_fd);
    boot_fixture_clear(&boot);
}

static void
test_too_little_ram(void)
{
    Image image = image_new();

    boot_fixture_refuse(&image, IMAGE_SIZE, 23 * MIB,
                        "The kernel needs 24 MiB of RAM but the guest has 23 MiB");
    boot_fixture_refuse(&image, IMAGE_SIZE, 512 * 1024,
                        "The kernel needs 24 MiB of RAM but the guest has 0 MiB");
    image.start.hdr.init_size = UINT32_MAX;
    boot_fixture_refuse(&image, IMAGE_SIZE, 4096 * MIB,
                        "The kernel is to be loaded up to address 0x100ffffff, beyond the 2 GiB "
                        "that RAM there has at most");
    image.start.hdr.pref_address = UINT64_MAX - 100;
    boot_fixture_refuse(&image, IMAGE_SIZE, 64 * MIB,
                        "The Linux kernel wants to run at address 0xffffffffffffff9b, where there "
                        "is no RAM for it");
}

static void
test_old(void)
{
    Image image = image_new();

    image.start.hdr.version = 0x020b;
    boot_fixture_refuse(&image, IMAGE_SIZE, 64 * MIB,
                        "The Linux kernel speaks boot protocol 2.11, but 2.12 (Linux 3.8) is the "
                        "oldest that is supported");
}

static void
test_32_bit(void)
{
    Image image = image_new();

    image.start.hdr.xloadflags = 0;
    boot_fixture_refuse(&image, IMAGE_SIZE, 64 * MIB,
                        "The Linux kernel has no 64-bit entry: 32-bit kernels are not supported");
    image = image_new();
    image.start.hdr.loadflags = 0;
    boot_fixture_refuse(&image, IMAGE_SIZE, 64 * MIB,
                        "The Linux kernel is a zImage, but only a bzImage is supported");
}

static void
test_damaged(void)
{
    Image image = image_new();

    boot_fixture_refuse(&image, IMAGE_SIZE - 1, 64 * MIB,
                        "The Linux kernel is truncated: it should have 9728 bytes but has 9727");
    boot_fixture_refuse(&image, 0x280, 64 * MIB, "The Linux kernel is truncated in its header");
    image.start.hdr.setup_sects = 255;
    boot_fixture_refuse(&image, IMAGE_SIZE, 64 * MIB,
                        "The Linux kernel is truncated: it should have 139264 bytes but has 9728");
    image = image_new();
    image.start.hdr.syssize = UINT32_MAX;
    boot_fixture_refuse(
        &image, IMAGE_SIZE, 64 * MIB,
        "The Linux kernel is truncated: it should have 68719478256 bytes but has 9728");
    image.start.hdr.syssize = 0x200 / 16;
    boot_fixture_refuse(&image, IMAGE_SIZE, 64 * MIB,
                        "The Linux kernel is damaged: it has no 64-bit code");
    image = image_new();
    image.start.hdr.kernel_alignment = 3;
    boot_fixture_refuse(&image, IMAGE_SIZE, 64 * MIB,
                        "The Linux kernel is damaged: its alignment 0x3 is not a power of two");
}

static void
test_no_kernel(void)
{
    static const char text[] = "#!/bin/sh\n";
    BootSource source = { .initrd_fd = -1, .kernel_fd = open("/dev/null", O_RDONLY | O_CLOEXEC) };
    VmmError err;

    boot_fixture_refuse(text, sizeof(text), 64 * MIB,
                        "The kernel is neither a Linux bzImage, nor an ELF with a PVH note, nor a "
                        "multiboot ELF");
    boot_fixture_refuse("", 0, 64 * MIB,
                        "The kernel is neither a Linux bzImage, nor an ELF with a PVH note, nor a "
                        "multiboot ELF");
    g_assert_false(boot_load(&source, NULL, NULL, &err));
    g_assert_cmpstr(err.text, ==, "The kernel is not a regular file");
    close(source.kernel_fd);
}

/* As the processor does it: @linear through the tables at @table, down to a page of 2 MiB. */
static uint64_t
walk(const Boot *boot, uint64_t table, uint64_t linear)
{
    for (int shift = 39; shift >= 21; shift -= 9) {
        uint64_t entry = boot_fixture_get(boot, table + (linear >> shift & 511) * 8, 8);

        g_assert_cmphex(entry & 3, ==, 3);
        g_assert_cmpint((entry & 0x80) != 0, ==, shift == 21);
        table = entry & ~(uint64_t)0xfff;
    }
    return table + (linear & 0x1fffff);
}

static void
test_page_tables(void)
{
    Image image = image_new();
    Boot boot = boot_fixture_load(&image, IMAGE_SIZE, NULL, NULL, 64 * MIB);
    static const uint64_t addresses[] = { 0,          0x1fffff,   0x200000,   0x3fffffff,
                                          0x40000000, 0x7fffffff, 0xfee00000, 0xffffffff };

    for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++)
        g_assert_cmphex(walk(&boot, LAYOUT_BOOT_TABLES, addresses[i]), ==, addresses[i]);
    g_assert_cmphex(boot_fixture_get(&boot, LAYOUT_BOOT_GDT + BOOT_SEL_CODE, 8), ==,
                    0x00af9b000000ffff);
    g_assert_cmphex(boot_fixture_get(&boot, LAYOUT_BOOT_GDT + BOOT_SEL_DATA, 8), ==,
                    0x00cf93000000ffff);
    g_assert_cmphex(boot_fixture_get(&boot, LAYOUT_BOOT_GDT, 8), ==, 0);
    boot_fixture_clear(&boot);
}

/* A reset boots again over what the guest left; the outcome is the same. */
static void
test_again(void)
{
    Image image = image_new();
    BootSource source = { .initrd_fd = -1, .cmdline = "again" };
    Memory *memory = memory_new(64 * MIB, NULL);
    BootEntry first, second;

    source.kernel_fd = boot_fixture_file(&image, IMAGE_SIZE);
    g_assert_true(boot_load(&source, memory, &first, NULL));
    memset(memory_at(memory, 0, 64 * MIB), 0xff, 64 * MIB);
    g_assert_true(boot_load(&source, memory, &second, NULL));
    g_assert_cmphex(first.rip, ==, second.rip);
    g_assert_cmpstr(memory_at(memory, LAYOUT_BOOT_CMDLINE, 6), ==, "again");
    g_assert_cmpmem(memory_at(memory, 16 * MIB, 512), 512, (uint8_t *)&image + SETUP_SIZE, 512);
    close(source.kernel_fd);
    memory_free(memory);
}

static void
test_stock(void)
{
    g_autofree char *path = boot_fixture_stock_kernel();
    BootSource source = { .initrd_fd = -1, .cmdline = "console=ttyS0" };
    Boot boot = { 0 };

    if (!path)
        return;
    boot.memory = memory_new(256 * MIB, NULL);
    source.kernel_fd = open(path, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(source.kernel_fd, >=, 0);
    if (!boot_load(&source, boot.memory, &boot.entry, &boot.err))
        g_error("%s: %s", path, boot.err.text);
    g_assert_cmphex(boot.entry.rip, ==, params(&boot)->hdr.pref_address + 0x200);
    g_assert_cmphex(boot_fixture_get(&boot, boot.entry.rip, 8), !=, 0);
    close(source.kernel_fd);
    boot_fixture_clear(&boot);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/boot-linux/good", test_good);
    g_test_add_func("/boot-linux/header-length", test_header_length);
    g_test_add_func("/boot-linux/setup-sects-0", test_setup_sects_0);
    g_test_add_func("/boot-linux/not-relocatable", test_not_relocatable);
    g_test_add_func("/boot-linux/initrd", test_initrd);
    g_test_add_func("/boot-linux/initrd-much-ram", test_initrd_much_ram);
    g_test_add_func("/boot-linux/initrd-refused", test_initrd_refused);
    g_test_add_func("/boot-linux/no-initrd-bytes", test_no_initrd_bytes);
    g_test_add_func("/boot-linux/cmdline-limit", test_cmdline_limit);
    g_test_add_func("/boot-linux/too-little-ram", test_too_little_ram);
    g_test_add_func("/boot-linux/old", test_old);
    g_test_add_func("/boot-linux/32-bit", test_32_bit);
    g_test_add_func("/boot-linux/damaged", test_damaged);
    g_test_add_func("/boot-linux/no-kernel", test_no_kernel);
    g_test_add_func("/boot-linux/page-tables", test_page_tables);
    g_test_add_func("/boot-linux/again", test_again);
    g_test_add_func("/boot-linux/stock", test_stock);
    return g_test_run();
}
