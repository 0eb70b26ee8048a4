#include "qemu-kvm-backend/x86/boot.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/boot-file.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <string.h>

/* Descriptors (Intel SDM volume 3, 3.4.5 and 7.2.2): present, accessed or busy; base 0. */
#define DESCRIPTOR_CODE64 0x00af9b000000ffffull
#define DESCRIPTOR_CODE32 0x00cf9b000000ffffull
#define DESCRIPTOR_DATA   0x00cf93000000ffffull
#define DESCRIPTOR_TSS    0x00008b0000000067ull /* in long mode it is twice as long, the rest zero */

/* Page table entries (SDM volume 3, 4.5) */
#define PAGE_ENTRIES  512u
#define PAGE_TABLE    0x03ull /* present, writable */
#define PAGE_2M       0x83ull /* and the page itself */
#define N_DIRECTORIES 4u      /* of 1 GiB */

/* In the order in which they are asked. A multiboot kernel is an ELF as well, and one may have both
 * a multiboot header and a PVH note: as in QEMU, the former wins. */
static const BootLoader *const loaders[] = {
    &boot_linux,
    &boot_multiboot,
    &boot_pvh,
};

static const BootLoader *
find_loader(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++) {
        if (loaders[i]->probe(head, size))
            return loaders[i];
    }
    return NULL;
}

static bool
write_gdt(Memory *memory, BootMode mode, VmmError *err)
{
    uint64_t gdt[BOOT_GDT_SIZE / 8] = {
        [BOOT_SEL_CODE / 8] = mode == BOOT_LONG ? DESCRIPTOR_CODE64 : DESCRIPTOR_CODE32,
        [BOOT_SEL_DATA / 8] = DESCRIPTOR_DATA,
        [BOOT_SEL_TSS / 8] = DESCRIPTOR_TSS,
    };

    return boot_write(memory, LAYOUT_BOOT_GDT, gdt, sizeof(gdt), err);
}

static bool
write_page_tables(Memory *memory, VmmError *err)
{
    uint64_t tables[2 + N_DIRECTORIES][PAGE_ENTRIES] = { 0 };
    uint64_t at = LAYOUT_BOOT_TABLES;

    tables[0][0] = (at + sizeof(tables[0])) | PAGE_TABLE;
    for (unsigned i = 0; i < N_DIRECTORIES; i++)
        tables[1][i] = (at + (2 + i) * sizeof(tables[0])) | PAGE_TABLE;
    for (uint64_t i = 0; i < N_DIRECTORIES * PAGE_ENTRIES; i++)
        tables[2 + i / PAGE_ENTRIES][i % PAGE_ENTRIES] = i << 21 | PAGE_2M;
    return boot_write(memory, at, tables, sizeof(tables), err);
}

bool
boot_load(const BootSource *source, Memory *memory, BootEntry *ret, VmmError *err)
{
    uint8_t head[BOOT_PROBE_SIZE];
    const BootLoader *loader;
    BootEntry entry;
    uint64_t size;

    if (!boot_file_size(source->kernel_fd, "kernel", &size, err))
        return false;
    if (size > sizeof(head))
        size = sizeof(head);
    if (!boot_file_read(source->kernel_fd, 0, head, size))
        return vmm_error_errno(err, "The kernel cannot be read");
    loader = find_loader(head, size);
    if (!loader)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The kernel is neither a Linux bzImage, nor an ELF with a PVH note, nor a "
                         "multiboot ELF");
    if (!loader->load(source, memory, &entry, err) || !write_gdt(memory, entry.mode, err) ||
        (entry.mode == BOOT_LONG && !write_page_tables(memory, err)))
        return false;
    *ret = entry;
    return true;
}
