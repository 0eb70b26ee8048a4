/* Xen's PVH boot ABI (Xen's docs/misc/pvh.pandoc and xen/include/public/arch-x86/hvm/start_info.h):
 * an ELF file whose note names a 32-bit entry, and a start info that describes the machine. */
#include "qemu-kvm-backend/x86/boot.h"
#include "qemu-kvm-backend/x86/boot-file.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/e820.h"
#include "qemu-kvm-backend/x86/elf.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <stddef.h>
#include <string.h>

#define NOTE_OWNER         "Xen"
#define NOTE_PHYS32_ENTRY  18u
#define START_INFO_MAGIC   0x336ec578u
#define START_INFO_VERSION 1u
#define CMDLINE_MAX        65535u /* the ABI has no limit */

typedef struct StartInfo {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t n_modules;
    uint64_t modules;
    uint64_t cmdline;
    uint64_t rsdp;
    uint64_t memmap;
    uint32_t n_memmap;
    uint32_t reserved;
} StartInfo;

typedef struct StartModule {
    uint64_t addr;
    uint64_t size;
    uint64_t cmdline;
    uint64_t reserved;
} StartModule;

typedef struct StartMemory {
    uint64_t addr;
    uint64_t size;
    uint32_t type; /* as in E820 */
    uint32_t reserved;
} StartMemory;

/* All of it, as it lies at LAYOUT_BOOT_INFO. */
typedef struct StartBlock {
    StartInfo info;
    StartModule initrd;
    StartMemory memmap[E820_MAX];
} StartBlock;

_Static_assert(sizeof(StartInfo) == 56 && sizeof(StartModule) == 32 && sizeof(StartMemory) == 24,
               "no padding");

static bool
probe(const uint8_t *head, size_t size)
{
    return elf_probe(head, size);
}

/* The note's content is as wide as the file's addresses; the entry is below 4 GiB in any case. */
static bool
find_entry(const Elf *elf, uint64_t *ret, VmmError *err)
{
    uint64_t entry = 0;
    size_t size;

    if (!elf_note(elf, NOTE_OWNER, NOTE_PHYS32_ENTRY, &entry, sizeof(entry), &size))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The kernel is neither a Linux bzImage, nor an ELF with a PVH note, nor a "
                         "multiboot ELF");
    if ((size != 4 && size != 8) || entry > UINT32_MAX)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The ELF kernel is damaged: its PVH entry is no address");
    *ret = entry;
    return true;
}

static StartBlock
start_block(const BootSource *source, const Memory *memory, BootRange initrd)
{
    StartBlock block = {
        .info = {
            .magic = START_INFO_MAGIC,
            .version = START_INFO_VERSION,
            .n_modules = initrd.size > 0,
            .modules = initrd.size ? LAYOUT_BOOT_INFO + offsetof(StartBlock, initrd) : 0,
            .cmdline = LAYOUT_BOOT_CMDLINE,
            .rsdp = source->rsdp,
            .memmap = LAYOUT_BOOT_INFO + offsetof(StartBlock, memmap),
        },
        .initrd = { .addr = initrd.addr, .size = initrd.size },
    };
    E820Entry map[E820_MAX];

    block.info.n_memmap = e820_build(memory, map);
    for (unsigned i = 0; i < block.info.n_memmap; i++)
        block.memmap[i] =
            (StartMemory){ .addr = map[i].addr, .size = map[i].size, .type = map[i].type };
    return block;
}

static bool
load(const BootSource *source, Memory *memory, BootEntry *ret, VmmError *err)
{
    uint64_t entry = 0, end = 0;
    BootRange initrd;
    StartBlock block;
    Elf elf;

    if (!elf_read(source->kernel_fd, &elf, err) || !find_entry(&elf, &entry, err) ||
        !elf_load(&elf, memory, &end, err) ||
        !boot_load_initrd(source, memory, end, LAYOUT_LOW_RAM_END, &initrd, err) ||
        !boot_write_cmdline(source, memory, "", CMDLINE_MAX, err))
        return false;
    block = start_block(source, memory, initrd);
    if (!boot_write(memory, LAYOUT_BOOT_INFO, &block, sizeof(block), err))
        return false;
    *ret = (BootEntry){
        .mode = BOOT_PROTECTED,
        .rip = entry,
        .rbx = LAYOUT_BOOT_INFO,
        .rsp = LAYOUT_BOOT_STACK,
    };
    return true;
}

const BootLoader boot_pvh = { .name = "pvh", .probe = probe, .load = load };
