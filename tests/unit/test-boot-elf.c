/* boot: ELF kernels with a PVH note or a multiboot header, good and hostile. */
#include "qemu-kvm-backend/x86/boot.h"

#include "qemu-kvm-backend/x86/layout.h"
#include "tests/unit/boot-fixture.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NEITHER                                                                                    \
    "The kernel is neither a Linux bzImage, nor an ELF with a PVH note, nor a multiboot ELF"
#define CODE      "the kernel's code"
#define CODE_SIZE sizeof(CODE)
#define LOAD_AT   (4 * MIB)

/* One loaded segment and one of notes, at fixed places of the file. */
typedef struct Image64 {
    Elf64_Ehdr header;
    Elf64_Phdr load, note;
    struct {
        Elf64_Nhdr head;
        char owner[4];
        uint64_t desc;
    } other, entry;
    struct {
        uint32_t magic, flags, checksum, header_addr, load_addr, load_end, bss_end, entry;
    } multiboot;
    char code[CODE_SIZE];
} Image64;

typedef struct Image32 {
    Elf32_Ehdr header;
    Elf32_Phdr load, note;
    struct {
        Elf32_Nhdr head;
        char owner[4];
        uint32_t desc;
    } entry;
    uint32_t multiboot[3];
    char code[CODE_SIZE];
} Image32;

static Image64
image64_new(void)
{
    return (Image64){
        .header = {
            .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
            .e_type = ET_EXEC,
            .e_machine = EM_X86_64,
            .e_entry = LOAD_AT + 1,
            .e_phoff = offsetof(Image64, load),
            .e_phentsize = sizeof(Elf64_Phdr),
            .e_phnum = 2,
        },
        .load = {
            .p_type = PT_LOAD,
            .p_offset = offsetof(Image64, code),
            .p_vaddr = 0xffffffff81000000,
            .p_paddr = LOAD_AT,
            .p_filesz = CODE_SIZE,
            .p_memsz = 2 * MIB,
        },
        .note = {
            .p_type = PT_NOTE,
            .p_offset = offsetof(Image64, other),
            .p_filesz = offsetof(Image64, multiboot) - offsetof(Image64, other),
        },
        .other = { { 4, 8, 3 }, "GNU", 0 },
        .entry = { { 4, 8, 18 }, "Xen", LOAD_AT + 2 },
        .code = CODE,
    };
}

static Image32
image32_new(void)
{
    return (Image32){
        .header = {
            .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
            .e_type = ET_EXEC,
            .e_machine = EM_386,
            .e_entry = LOAD_AT + 1,
            .e_phoff = offsetof(Image32, load),
            .e_phentsize = sizeof(Elf32_Phdr),
            .e_phnum = 2,
        },
        .load = {
            .p_type = PT_LOAD,
            .p_offset = offsetof(Image32, code),
            .p_paddr = LOAD_AT,
            .p_filesz = CODE_SIZE,
            .p_memsz = CODE_SIZE,
        },
        .note = {
            .p_type = PT_NOTE,
            .p_offset = offsetof(Image32, entry),
            .p_filesz = sizeof(((Image32 *)NULL)->entry),
        },
        .entry = { { 4, 4, 18 }, "Xen", LOAD_AT + 2 },
        .code = CODE,
    };
}

static void
add_multiboot64(Image64 *image, uint32_t flags)
{
    image->multiboot.magic = 0x1badb002;
    image->multiboot.flags = flags;
    image->multiboot.checksum = -(0x1badb002 + flags);
}

static void
test_pvh64(void)
{
    g_autoptr(GBytes) initrd = g_bytes_new_static("initrd", 6);
    Image64 image = image64_new();
    Boot boot = boot_fixture_load(&image, sizeof(image), initrd, "a=b", 64 * MIB);
    uint64_t info = boot.entry.rbx, modules, memmap;

    g_assert_cmpint(boot.entry.mode, ==, BOOT_PROTECTED);
    g_assert_cmphex(boot.entry.rip, ==, LOAD_AT + 2);
    g_assert_cmpstr(boot_fixture_at(&boot, LOAD_AT, CODE_SIZE), ==, CODE);
    /* hvm_start_info: magic, version, flags, modules, command line, RSDP, memory map */
    g_assert_cmphex(boot_fixture_get(&boot, info, 4), ==, 0x336ec578);
    g_assert_cmpuint(boot_fixture_get(&boot, info + 4, 4), ==, 1);
    g_assert_cmpuint(boot_fixture_get(&boot, info + 12, 4), ==, 1);
    modules = boot_fixture_get(&boot, info + 16, 8);
    g_assert_cmphex(boot_fixture_get(&boot, modules, 8), ==, 64 * MIB - 4096);
    g_assert_cmpuint(boot_fixture_get(&boot, modules + 8, 8), ==, 6);
    g_assert_cmpstr(boot_fixture_at(&boot, boot_fixture_get(&boot, info + 24, 8), 4), ==, "a=b");
    g_assert_cmphex(boot_fixture_get(&boot, info + 32, 8), ==, 0xe0000);
    memmap = boot_fixture_get(&boot, info + 40, 8);
    g_assert_cmpuint(boot_fixture_get(&boot, info + 48, 4), ==, 4);
    g_assert_cmphex(boot_fixture_get(&boot, memmap + 48, 8), ==, MIB);
    g_assert_cmphex(boot_fixture_get(&boot, memmap + 56, 8), ==, 63 * MIB);
    g_assert_cmpuint(boot_fixture_get(&boot, memmap + 64, 4), ==, 1);
    boot_fixture_clear(&boot);
}

static void
test_pvh32(void)
{
    Image32 image = image32_new();
    Boot boot = boot_fixture_load(&image, sizeof(image), NULL, NULL, 64 * MIB);

    g_assert_cmpint(boot.entry.mode, ==, BOOT_PROTECTED);
    g_assert_cmphex(boot.entry.rip, ==, LOAD_AT + 2);
    g_assert_cmpuint(boot_fixture_get(&boot, boot.entry.rbx + 12, 4), ==, 0); /* modules */
    g_assert_cmpstr(boot_fixture_at(&boot, LAYOUT_BOOT_CMDLINE, 1), ==, "");
    g_assert_cmphex(boot_fixture_get(&boot, LAYOUT_BOOT_GDT + BOOT_SEL_CODE, 8), ==,
                    0x00cf9b000000ffff);
    boot_fixture_clear(&boot);
}

/* What a segment has in memory beyond the file is zero, though the guest wrote there before. */
static void
test_zero_fill(void)
{
    Image64 image = image64_new();
    BootSource source = { .kernel_fd = boot_fixture_file(&image, sizeof(image)), .initrd_fd = -1 };
    Memory *memory = memory_new(64 * MIB, NULL);
    const uint8_t *end;
    BootEntry entry;

    memset(memory_at(memory, 0, 64 * MIB), 0xff, 64 * MIB);
    g_assert_true(boot_load(&source, memory, &entry, NULL));
    end = memory_at(memory, LOAD_AT + 2 * MIB - 1, 2);
    g_assert_cmphex(*(const uint8_t *)memory_at(memory, LOAD_AT + CODE_SIZE, 1), ==, 0);
    g_assert_cmphex(end[0], ==, 0);
    g_assert_cmphex(end[1], ==, 0xff);
    close(source.kernel_fd);
    memory_free(memory);
}

static void
test_no_note(void)
{
    Image64 image = image64_new();

    image.entry.head.n_type = 17;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, NEITHER);
    image = image64_new();
    memcpy(image.entry.owner, "xen", 4);
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, NEITHER);
    image = image64_new();
    image.header.e_phnum = 1;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, NEITHER);
    boot_fixture_refuse(ELFMAG "\x01\x01", 6, 64 * MIB,
                        "The ELF kernel is damaged: it ends within its header");
}

/* Sizes in a note that lead out of the notes end the search. */
static void
test_bad_notes(void)
{
    static const uint32_t sizes[] = { 5, 1000, 0x7fffffff, 0xfffffffd, 0xffffffff };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        Image64 image = image64_new();

        image.other.head.n_namesz = sizes[i];
        boot_fixture_refuse(&image, sizeof(image), 64 * MIB, NEITHER);
        image = image64_new();
        image.other.head.n_descsz = sizes[i] + 12;
        boot_fixture_refuse(&image, sizeof(image), 64 * MIB, NEITHER);
        image = image64_new();
        image.entry.head.n_descsz = sizes[i] + 12;
        boot_fixture_refuse(&image, sizeof(image), 64 * MIB, NEITHER);
    }
}

static void
test_bad_entry(void)
{
    static const char text[] = "The ELF kernel is damaged: its PVH entry is no address";
    Image64 image = image64_new();

    image.entry.desc = 1ull << 32;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, text);
    image.entry.head.n_descsz = 3;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, text);
    image.entry.head.n_descsz = 0;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, text);
}

static void
test_bad_header(void)
{
    Image64 image = image64_new();

    image.header.e_machine = EM_AARCH64;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, "The ELF kernel is not for x86");
    image = image64_new();
    image.header.e_ident[EI_DATA] = ELFDATA2MSB;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, "The ELF kernel is not for x86");
    image = image64_new();
    image.header.e_ident[EI_CLASS] = 3;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, "The ELF kernel is not for x86");
    image = image64_new();
    image.header.e_type = ET_REL;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, "The ELF file is not an executable");
    image = image64_new();
    image.header.e_phentsize = 1;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB,
                        "The ELF kernel is damaged: its program headers have a wrong size");
    image = image64_new();
    image.load.p_type = PT_NULL;
    boot_fixture_refuse(&image, offsetof(Image64, other) - 1, 64 * MIB,
                        "The ELF kernel is damaged: it ends within its program headers");
    image = image64_new();
    image.header.e_phoff = UINT64_MAX - 8;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB,
                        "The ELF kernel is damaged: it ends within its program headers");
}

static void
test_bad_segments(void)
{
    static const char beyond[] =
        "The ELF kernel is damaged: a segment reaches beyond the end of the file";
    Image64 image = image64_new();

    image.load.p_offset = sizeof(image) - CODE_SIZE + 1;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, beyond);
    image.load.p_offset = UINT64_MAX - CODE_SIZE + 1;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, beyond);
    image = image64_new();
    image.load.p_filesz = UINT64_MAX;
    image.load.p_memsz = UINT64_MAX;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, beyond);
    image = image64_new();
    image.load.p_memsz = CODE_SIZE - 1;
    boot_fixture_refuse(
        &image, sizeof(image), 64 * MIB,
        "The ELF kernel is damaged: a segment is larger in the file than in memory");
    image = image64_new();
    image.load.p_type = PT_NULL;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB,
                        "The ELF kernel is damaged: it has nothing to load");
}

static void
test_bad_addresses(void)
{
    Image64 image = image64_new();

    image.load.p_paddr = MIB - 1;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB,
                        "The ELF kernel has a segment at address 0xfffff, but what is below 1 MiB "
                        "is not for kernels");
    image.load.p_paddr = 63 * MIB;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB,
                        "The kernel needs 65 MiB of RAM but the guest has 64 MiB");
    image.load.p_paddr = UINT64_MAX - MIB;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB,
                        "The kernel is to be loaded up to address 0xffffffffffffffff, beyond the "
                        "2 GiB that RAM there has at most");
    image = image64_new();
    image.load.p_memsz = UINT64_MAX;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB,
                        "The kernel is to be loaded up to address 0xffffffffffffffff, beyond the "
                        "2 GiB that RAM there has at most");
}

static void
assert_multiboot_info(const Boot *boot, uint64_t memory_size)
{
    uint64_t info = boot->entry.rbx, map;

    g_assert_cmpint(boot->entry.mode, ==, BOOT_PROTECTED);
    g_assert_cmphex(boot->entry.rax, ==, 0x2badb002);
    g_assert_cmphex(boot_fixture_get(boot, info, 4), ==, 0x24d);
    g_assert_cmpuint(boot_fixture_get(boot, info + 4, 4), ==, 639);
    g_assert_cmpuint(boot_fixture_get(boot, info + 8, 4), ==, (memory_size - MIB) / 1024);
    map = boot_fixture_get(boot, info + 48, 4);
    g_assert_cmpuint(boot_fixture_get(boot, info + 44, 4), ==, 4 * 24);
    g_assert_cmpuint(boot_fixture_get(boot, map + 48, 4), ==, 20);
    g_assert_cmphex(boot_fixture_get(boot, map + 52, 8), ==, MIB);
    g_assert_cmphex(boot_fixture_get(boot, map + 60, 8), ==, memory_size - MIB);
    g_assert_cmphex(boot_fixture_get(boot, map + 68, 4), ==, 1);
    g_assert_cmpstr(boot_fixture_at(boot, boot_fixture_get(boot, info + 64, 4), 6), ==, "vmctl");
}

static void
test_multiboot32(void)
{
    g_autoptr(GBytes) initrd = g_bytes_new_static("initrd", 6);
    Image32 image = image32_new();
    uint64_t module;
    Boot boot;

    image.multiboot[0] = 0x1badb002;
    image.multiboot[1] = 3;
    image.multiboot[2] = -(0x1badb002u + 3);
    boot = boot_fixture_load(&image, sizeof(image), initrd, "a=b", 64 * MIB);
    g_assert_cmphex(boot.entry.rip, ==, LOAD_AT + 1);
    assert_multiboot_info(&boot, 64 * MIB);
    g_assert_cmpstr(boot_fixture_at(&boot, boot_fixture_get(&boot, boot.entry.rbx + 16, 4), 11), ==,
                    "kernel a=b");
    g_assert_cmpuint(boot_fixture_get(&boot, boot.entry.rbx + 20, 4), ==, 1);
    module = boot_fixture_get(&boot, boot.entry.rbx + 24, 4);
    g_assert_cmphex(boot_fixture_get(&boot, module, 4), ==, 64 * MIB - 4096);
    g_assert_cmphex(boot_fixture_get(&boot, module + 4, 4), ==, 64 * MIB - 4096 + 6);
    g_assert_cmpstr(boot_fixture_at(&boot, boot_fixture_get(&boot, module + 8, 4), 7), ==,
                    "initrd");
    boot_fixture_clear(&boot);
}

/* As GRUB does and QEMU does not; the multiboot header goes before the PVH note. */
static void
test_multiboot64(void)
{
    Image64 image = image64_new();
    Boot boot;

    add_multiboot64(&image, 0);
    boot = boot_fixture_load(&image, sizeof(image), NULL, NULL, 64 * MIB);
    g_assert_cmphex(boot.entry.rip, ==, LOAD_AT + 1);
    assert_multiboot_info(&boot, 64 * MIB);
    g_assert_cmpuint(boot_fixture_get(&boot, boot.entry.rbx + 20, 4), ==, 0);
    g_assert_cmpstr(boot_fixture_at(&boot, LAYOUT_BOOT_CMDLINE, 7), ==, "kernel");
    boot_fixture_clear(&boot);

    image.header.e_entry = 1ull << 32;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB,
                        "The multiboot kernel's entry is above 4 GiB");
}

static void
test_multiboot_wrong(void)
{
    static const char flags[] = "The multiboot kernel asks for a video mode or for what is not "
                                "known: its header has flags 0x%x";
    static const uint32_t unknown[] = { 4, 8, 0x8000 };
    Image64 image = image64_new();

    for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++) {
        g_autofree char *text = g_strdup_printf(flags, unknown[i]);

        add_multiboot64(&image, unknown[i]);
        boot_fixture_refuse(&image, sizeof(image), 64 * MIB, text);
    }
    /* With a wrong checksum it is no header. */
    image.entry.head.n_type = 0;
    image.multiboot.checksum++;
    boot_fixture_refuse(&image, sizeof(image), 64 * MIB, NEITHER);
}

/* No ELF at all: the header has the addresses. */
typedef struct Flat {
    char before[64];
    uint32_t magic, flags, checksum, header_addr, load_addr, load_end, bss_end, entry;
    char code[CODE_SIZE];
} Flat;

static Flat
flat_new(void)
{
    return (Flat){
        .magic = 0x1badb002,
        .flags = 0x10000,
        .checksum = -(0x1badb002u + 0x10000),
        .header_addr = LOAD_AT + 32,
        .load_addr = LOAD_AT, /* from offset 32 of the file on */
        .entry = LOAD_AT + 64,
        .code = CODE,
    };
}

static void
test_addresses(void)
{
    Flat flat = flat_new();
    Boot boot = boot_fixture_load(&flat, sizeof(flat), NULL, NULL, 64 * MIB);

    g_assert_cmphex(boot.entry.rip, ==, LOAD_AT + 64);
    assert_multiboot_info(&boot, 64 * MIB);
    g_assert_cmpstr(boot_fixture_at(&boot, LOAD_AT + 64, CODE_SIZE), ==, CODE);
    boot_fixture_clear(&boot);

    flat.load_end = LOAD_AT + 64 + 4;
    flat.bss_end = LOAD_AT + MIB;
    boot = boot_fixture_load(&flat, sizeof(flat), NULL, NULL, 64 * MIB);
    g_assert_cmpmem(boot_fixture_at(&boot, LOAD_AT + 64, 6), 6, "the \0\0", 6);
    boot_fixture_clear(&boot);
}

static void
test_bad_addresses_of_header(void)
{
    Flat flat = flat_new();

    flat.load_addr = LOAD_AT + 33;
    boot_fixture_refuse(&flat, sizeof(flat), 64 * MIB,
                        "The multiboot kernel cannot be loaded at address 0x400021");
    flat = flat_new();
    flat.header_addr = LOAD_AT + 65;
    boot_fixture_refuse(&flat, sizeof(flat), 64 * MIB,
                        "The multiboot kernel cannot be loaded at address 0x400000");
    flat = flat_new();
    flat.load_addr = flat.header_addr = MIB - 1;
    boot_fixture_refuse(&flat, sizeof(flat), 64 * MIB,
                        "The multiboot kernel cannot be loaded at address 0xfffff");
    flat = flat_new();
    flat.load_end = LOAD_AT + sizeof(flat) - 32 + 1;
    boot_fixture_refuse(&flat, sizeof(flat), 64 * MIB, "The multiboot kernel is truncated");
    flat.load_end = LOAD_AT - 1;
    boot_fixture_refuse(&flat, sizeof(flat), 64 * MIB, "The multiboot kernel is truncated");
    flat = flat_new();
    flat.bss_end = UINT32_MAX;
    boot_fixture_refuse(&flat, sizeof(flat), 64 * MIB,
                        "The kernel is to be loaded up to address 0xffffffff, beyond the 2 GiB "
                        "that RAM there has at most");
}

/* A header that begins within the last bytes that are looked at, and one beyond them. */
static void
test_header_place(void)
{
    size_t size = BOOT_PROBE_SIZE + 64;
    g_autofree char *file = g_malloc0(size);
    Flat flat = flat_new();
    Boot boot;

    flat.header_addr = LOAD_AT;
    flat.load_end = LOAD_AT + 12;
    memcpy(file + BOOT_PROBE_SIZE - 32, &flat.magic, 32);
    boot = boot_fixture_load(file, size, NULL, NULL, 64 * MIB);
    g_assert_cmphex(boot.entry.rip, ==, LOAD_AT + 64);
    boot_fixture_clear(&boot);

    memset(file, 0, size);
    memcpy(file + BOOT_PROBE_SIZE - 8, &flat.magic, 32);
    boot_fixture_refuse(file, size, 64 * MIB, NEITHER);
}

static const char *
unpacker(const char *packed)
{
    static const struct {
        char magic[5];
        const char *command;
    } formats[] = {
        { "\x02\x21\x4c\x18", "lz4 -dcq" },
        { "\x28\xb5\x2f\xfd", "zstd -dcq" },
        { "\xfd\x37\x7a\x58", "xz -dcq" },
        { "\x1f\x8b\x08\x00", "gzip -dcq" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (memcmp(packed, formats[i].magic, 4) == 0)
            return formats[i].command;
    }
    g_error("the stock kernel is packed in an unknown way");
}

/* The vmlinux within a bzImage; the last four bytes of what is packed are its size. */
static char *
unpack(const char *path, gsize *ret_size)
{
    g_autofree char *command = NULL, *image = NULL;
    const struct setup_header *header;
    char *vmlinux = g_malloc(256 * MIB);
    size_t offset;
    FILE *pipe;

    g_assert_true(g_file_get_contents(path, &image, NULL, NULL));
    header = &((const struct boot_params *)image)->hdr;
    offset = (header->setup_sects + 1u) * 512 + header->payload_offset;
    command = g_strdup_printf("tail -c +%zu '%s' | head -c %u | %s", offset + 1, path,
                              header->payload_length - 4, unpacker(image + offset));
    pipe = popen(command, "re");
    g_assert_nonnull(pipe);
    *ret_size = fread(vmlinux, 1, 256 * MIB, pipe);
    g_assert_cmpint(pclose(pipe), ==, 0);
    return vmlinux;
}

static void
test_stock(void)
{
    g_autofree char *path = boot_fixture_stock_kernel();
    g_autofree char *vmlinux = NULL;
    gsize size;
    Boot boot;

    if (!path)
        return;
    vmlinux = unpack(path, &size);
    boot = boot_fixture_load(vmlinux, size, NULL, "console=ttyS0", 256 * MIB);
    g_assert_cmpint(boot.entry.mode, ==, BOOT_PROTECTED);
    g_assert_cmphex(boot.entry.rip, >=, 16 * MIB);
    /* pvh_start_xen begins with "cld". */
    g_assert_cmphex(boot_fixture_get(&boot, boot.entry.rip, 1), ==, 0xfc);
    boot_fixture_clear(&boot);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/boot-elf/pvh64", test_pvh64);
    g_test_add_func("/boot-elf/pvh32", test_pvh32);
    g_test_add_func("/boot-elf/zero-fill", test_zero_fill);
    g_test_add_func("/boot-elf/no-note", test_no_note);
    g_test_add_func("/boot-elf/bad-notes", test_bad_notes);
    g_test_add_func("/boot-elf/bad-entry", test_bad_entry);
    g_test_add_func("/boot-elf/bad-header", test_bad_header);
    g_test_add_func("/boot-elf/bad-segments", test_bad_segments);
    g_test_add_func("/boot-elf/bad-addresses", test_bad_addresses);
    g_test_add_func("/boot-elf/multiboot32", test_multiboot32);
    g_test_add_func("/boot-elf/multiboot64", test_multiboot64);
    g_test_add_func("/boot-elf/multiboot-wrong", test_multiboot_wrong);
    g_test_add_func("/boot-elf/addresses", test_addresses);
    g_test_add_func("/boot-elf/bad-addresses-of-header", test_bad_addresses_of_header);
    g_test_add_func("/boot-elf/header-place", test_header_place);
    g_test_add_func("/boot-elf/stock", test_stock);
    return g_test_run();
}
