/* The Multiboot Specification 0.6.96, section numbers are its own. */
#include "qemu-kvm-backend/x86/boot.h"
#include "qemu-kvm-backend/x86/boot-file.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/e820.h"
#include "qemu-kvm-backend/x86/elf.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <stddef.h>
#include <string.h>

#define HEADER_MAGIC      0x1badb002u
#define ENTRY_MAGIC       0x2badb002u
#define HEADER_PAGE_ALIGN (1u << 0) /* the initrd is at a page boundary anyway */
#define HEADER_MEMORY     (1u << 1) /* the memory map is given anyway */
#define HEADER_ADDRESSES  (1u << 16)
#define HEADER_REQUIRED   0xffffu /* a loader that does not know one of these bits must refuse */
#define INFO_MEMORY       (1u << 0)
#define INFO_CMDLINE      (1u << 2)
#define INFO_MODULES      (1u << 3)
#define INFO_MEMMAP       (1u << 6)
#define INFO_LOADER_NAME  (1u << 9)
#define CMDLINE_MAX       65535u /* the specification has no limit */

/* Command lines begin with the name of what is loaded, by old custom of loaders; kernels skip a
 * word. The VMM knows no file names, hence these. */
#define KERNEL_NAME "kernel"
#define INITRD_NAME "initrd"
#define LOADER_NAME "vmctl"

/* 3.1.1; the fields from header_addr on count with HEADER_ADDRESSES only. */
typedef struct Header {
    uint32_t magic;
    uint32_t flags;
    uint32_t checksum;
    uint32_t header_addr;
    uint32_t load_addr;
    uint32_t load_end_addr;
    uint32_t bss_end_addr;
    uint32_t entry_addr;
} Header;

#define HEADER_SHORT offsetof(Header, header_addr)

/* 3.3, as far as it is filled in. */
typedef struct Info {
    uint32_t flags;
    uint32_t mem_lower; /* KiB */
    uint32_t mem_upper; /* KiB, from 1 MiB to the first hole */
    uint32_t boot_device;
    uint32_t cmdline;
    uint32_t n_modules;
    uint32_t modules;
    uint32_t symbols[4];
    uint32_t memmap_size;
    uint32_t memmap;
    uint32_t drives_size;
    uint32_t drives;
    uint32_t config_table;
    uint32_t loader_name;
    uint32_t rest[13]; /* APM, VBE and framebuffer */
} Info;

typedef struct Module {
    uint32_t start;
    uint32_t end;
    uint32_t string;
    uint32_t reserved;
} Module;

typedef struct __attribute__((packed)) MapEntry {
    uint32_t size; /* of the fields after this one */
    uint64_t addr;
    uint64_t length;
    uint32_t type; /* as in E820 */
} MapEntry;

/* All of it, as it lies at LAYOUT_BOOT_INFO. */
typedef struct InfoBlock {
    Info info;
    Module initrd;
    MapEntry memmap[E820_MAX];
    char initrd_name[sizeof(INITRD_NAME)];
    char loader_name[sizeof(LOADER_NAME)];
} InfoBlock;

_Static_assert(offsetof(Info, rest) == 68 && sizeof(Info) == 120, "3.3");
_Static_assert(sizeof(MapEntry) == 24, "3.3");

#define INFO_ADDRESS(field) ((uint32_t)(LAYOUT_BOOT_INFO + offsetof(InfoBlock, field)))

/* Finds the header at a multiple of four bytes; what the file does not have of it is zero. */
static bool
find_header(const uint8_t *head, size_t size, Header *ret, size_t *ret_at)
{
    for (size_t at = 0; at + HEADER_SHORT <= size; at += 4) {
        size_t left = size - at;
        Header header = { 0 };

        memcpy(&header, head + at, left < sizeof(header) ? left : sizeof(header));
        if (header.magic != HEADER_MAGIC || header.magic + header.flags + header.checksum != 0)
            continue;
        *ret = header;
        *ret_at = at;
        return true;
    }
    return false;
}

static bool
probe(const uint8_t *head, size_t size)
{
    Header header;
    size_t at;

    return find_header(head, size, &header, &at);
}

static bool
read_header(int fd, Header *ret, size_t *ret_at, uint64_t *ret_file_size, VmmError *err)
{
    uint8_t head[BOOT_PROBE_SIZE];
    uint64_t size;

    if (!boot_file_size(fd, "kernel", ret_file_size, err))
        return false;
    size = *ret_file_size < sizeof(head) ? *ret_file_size : sizeof(head);
    if (!boot_file_read(fd, 0, head, size) || !find_header(head, size, ret, ret_at))
        return vmm_error(err, VMM_ERROR_INVALID, "The multiboot kernel has no multiboot header");
    if (ret->flags & HEADER_REQUIRED & ~(HEADER_PAGE_ALIGN | HEADER_MEMORY))
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "The multiboot kernel asks for a video mode or for what is not known: its "
                         "header has flags 0x%x",
                         ret->flags);
    return true;
}

/* 3.1.3: the header itself says what goes where, whatever the format of the file. */
static bool
load_addresses(int fd, const Header *header, size_t at, uint64_t file_size, Memory *memory,
               uint64_t *ret_end, VmmError *err)
{
    uint64_t before = (uint64_t)header->header_addr - header->load_addr;
    uint64_t offset = at - before, size, end;

    if (header->load_addr > header->header_addr || before > at || header->load_addr < LAYOUT_KERNEL)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The multiboot kernel cannot be loaded at address 0x%x",
                         header->load_addr);
    end = header->load_end_addr ? header->load_end_addr : header->load_addr + (file_size - offset);
    size = end - header->load_addr;
    if (end < header->load_addr || size > file_size - offset)
        return vmm_error(err, VMM_ERROR_INVALID, "The multiboot kernel is truncated");
    if (header->bss_end_addr > end)
        end = header->bss_end_addr;
    if (!boot_check_ram(memory, header->load_addr, end - header->load_addr, err) ||
        !memory_load(memory, header->load_addr, fd, offset, size, err))
        return false;
    *ret_end = end;
    return memory_zero(memory, header->load_addr + size, end - header->load_addr - size);
}

/* An ELF of 64 bits is entered in 32-bit mode like any other, as GRUB does; QEMU refuses it. */
static bool
load_elf(int fd, Memory *memory, uint64_t *ret_entry, uint64_t *ret_end, VmmError *err)
{
    Elf elf;

    if (!elf_read(fd, &elf, err) || !elf_load(&elf, memory, ret_end, err))
        return false;
    if (elf.entry > UINT32_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "The multiboot kernel's entry is above 4 GiB");
    *ret_entry = elf.entry;
    return true;
}

static bool
load_kernel(int fd, Memory *memory, uint64_t *ret_entry, uint64_t *ret_end, VmmError *err)
{
    uint64_t file_size;
    Header header;
    size_t at;

    if (!read_header(fd, &header, &at, &file_size, err))
        return false;
    if (!(header.flags & HEADER_ADDRESSES))
        return load_elf(fd, memory, ret_entry, ret_end, err);
    *ret_entry = header.entry_addr;
    return load_addresses(fd, &header, at, file_size, memory, ret_end, err);
}

static InfoBlock
info_block(const Memory *memory, BootRange initrd)
{
    InfoBlock block = {
        .info = {
            .flags = INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MEMMAP | INFO_LOADER_NAME,
            .mem_lower = LAYOUT_EBDA / 1024,
            .mem_upper = (memory_low_end(memory) - LAYOUT_KERNEL) / 1024,
            .cmdline = LAYOUT_BOOT_CMDLINE,
            .n_modules = initrd.size > 0,
            .modules = INFO_ADDRESS(initrd),
            .memmap = INFO_ADDRESS(memmap),
            .loader_name = INFO_ADDRESS(loader_name),
        },
        .initrd = {
            .start = initrd.addr,
            .end = initrd.addr + initrd.size,
            .string = INFO_ADDRESS(initrd_name),
        },
        .initrd_name = INITRD_NAME,
        .loader_name = LOADER_NAME,
    };
    E820Entry map[E820_MAX];
    unsigned n = e820_build(memory, map);

    for (unsigned i = 0; i < n; i++)
        block.memmap[i] = (MapEntry){
            .size = sizeof(MapEntry) - offsetof(MapEntry, addr),
            .addr = map[i].addr,
            .length = map[i].size,
            .type = map[i].type,
        };
    block.info.memmap_size = n * sizeof(MapEntry);
    return block;
}

static bool
load(const BootSource *source, Memory *memory, BootEntry *ret, VmmError *err)
{
    bool has_cmdline = source->cmdline && *source->cmdline;
    uint64_t entry = 0, end = 0;
    BootRange initrd;
    InfoBlock block;

    if (!load_kernel(source->kernel_fd, memory, &entry, &end, err) ||
        !boot_load_initrd(source, memory, end, LAYOUT_LOW_RAM_END, &initrd, err) ||
        !boot_write_cmdline(source, memory, has_cmdline ? KERNEL_NAME " " : KERNEL_NAME,
                            CMDLINE_MAX, err))
        return false;
    block = info_block(memory, initrd);
    if (!boot_write(memory, LAYOUT_BOOT_INFO, &block, sizeof(block), err))
        return false;
    *ret = (BootEntry){
        .mode = BOOT_PROTECTED,
        .rip = entry,
        .rax = ENTRY_MAGIC,
        .rbx = LAYOUT_BOOT_INFO,
        .rsp = LAYOUT_BOOT_STACK,
    };
    return true;
}

const BootLoader boot_multiboot = { .name = "multiboot", .probe = probe, .load = load };
