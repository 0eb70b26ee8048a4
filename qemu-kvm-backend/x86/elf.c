#include "qemu-kvm-backend/x86/elf.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/boot-file.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX 65536 /* bytes of notes that are searched */

bool
elf_probe(const uint8_t *head, size_t size)
{
    return size >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0;
}

static bool
damaged(VmmError *err, const char *what)
{
    return vmm_error(err, VMM_ERROR_INVALID, "The ELF kernel is damaged: %s", what);
}

/* The header of either width, as one of 64 bits. */
static bool
read_header(int fd, Elf64_Ehdr *ret, VmmError *err)
{
    Elf32_Ehdr narrow;

    if (!boot_file_read(fd, 0, &narrow, sizeof(narrow)))
        return damaged(err, "it ends within its header");
    if (memcmp(narrow.e_ident, ELFMAG, SELFMAG) != 0)
        return damaged(err, "it has no ELF header");
    if (narrow.e_ident[EI_CLASS] == ELFCLASS64)
        return boot_file_read(fd, 0, ret, sizeof(*ret)) ||
               damaged(err, "it ends within its header");
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->e_ident, narrow.e_ident, sizeof(ret->e_ident));
    ret->e_type = narrow.e_type;
    ret->e_machine = narrow.e_machine;
    ret->e_entry = narrow.e_entry;
    ret->e_phoff = narrow.e_phoff;
    ret->e_phentsize = narrow.e_phentsize;
    ret->e_phnum = narrow.e_phnum;
    return true;
}

static bool
check_header(const Elf64_Ehdr *header, VmmError *err)
{
    bool wide = header->e_ident[EI_CLASS] == ELFCLASS64;
    size_t entry_size = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

    if ((!wide && header->e_ident[EI_CLASS] != ELFCLASS32) ||
        header->e_ident[EI_DATA] != ELFDATA2LSB ||
        (header->e_machine != EM_386 && header->e_machine != EM_X86_64))
        return vmm_error(err, VMM_ERROR_INVALID, "The ELF kernel is not for x86");
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return vmm_error(err, VMM_ERROR_INVALID, "The ELF file is not an executable");
    if (header->e_phentsize != entry_size)
        return damaged(err, "its program headers have a wrong size");
    if (header->e_phnum == 0)
        return damaged(err, "it has no program headers");
    return true;
}

static bool
read_segment(int fd, const Elf64_Ehdr *header, unsigned i, Elf64_Phdr *ret)
{
    Elf32_Phdr narrow;
    uint64_t offset = (uint64_t)i * header->e_phentsize;

    if (offset > UINT64_MAX - header->e_phoff)
        return false;
    offset += header->e_phoff;
    if (header->e_ident[EI_CLASS] == ELFCLASS64)
        return boot_file_read(fd, offset, ret, sizeof(*ret));
    if (!boot_file_read(fd, offset, &narrow, sizeof(narrow)))
        return false;
    *ret = (Elf64_Phdr){
        .p_type = narrow.p_type,
        .p_offset = narrow.p_offset,
        .p_paddr = narrow.p_paddr,
        .p_filesz = narrow.p_filesz,
        .p_memsz = narrow.p_memsz,
    };
    return true;
}

static bool
add_segment(Elf *elf, const Elf64_Phdr *phdr, uint64_t file_size, VmmError *err)
{
    if (phdr->p_type != PT_LOAD && phdr->p_type != PT_NOTE)
        return true;
    if (phdr->p_offset > file_size || phdr->p_filesz > file_size - phdr->p_offset)
        return damaged(err, "a segment reaches beyond the end of the file");
    if (phdr->p_type == PT_LOAD && phdr->p_memsz < phdr->p_filesz)
        return damaged(err, "a segment is larger in the file than in memory");
    if (elf->n_segments == ELF_SEGMENTS_MAX)
        return damaged(err, "it has too many segments");
    elf->segments[elf->n_segments++] = (ElfSegment){
        .type = phdr->p_type,
        .offset = phdr->p_offset,
        .paddr = phdr->p_paddr,
        .file_size = phdr->p_filesz,
        .mem_size = phdr->p_memsz,
    };
    return true;
}

bool
elf_read(int fd, Elf *ret, VmmError *err)
{
    Elf elf = { .fd = fd };
    Elf64_Ehdr header;
    uint64_t file_size;

    if (!boot_file_size(fd, "kernel", &file_size, err) || !read_header(fd, &header, err) ||
        !check_header(&header, err))
        return false;
    elf.entry = header.e_entry;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr phdr;

        if (!read_segment(fd, &header, i, &phdr))
            return damaged(err, "it ends within its program headers");
        if (!add_segment(&elf, &phdr, file_size, err))
            return false;
    }
    *ret = elf;
    return true;
}

static bool
load_segment(const Elf *elf, const ElfSegment *segment, Memory *memory, VmmError *err)
{
    if (segment->paddr < LAYOUT_KERNEL)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The ELF kernel has a segment at address 0x%" PRIx64
                         ", but what is below 1 MiB is not for kernels",
                         segment->paddr);
    if (!boot_check_ram(memory, segment->paddr, segment->mem_size, err))
        return false;
    if (segment->file_size > 0 &&
        !memory_load(memory, segment->paddr, elf->fd, segment->offset, segment->file_size, err))
        return false;
    return memory_zero(memory, segment->paddr + segment->file_size,
                       segment->mem_size - segment->file_size) ||
           damaged(err, "a segment is not in RAM");
}

bool
elf_load(const Elf *elf, Memory *memory, uint64_t *ret_end, VmmError *err)
{
    uint64_t end = 0;

    for (unsigned i = 0; i < elf->n_segments; i++) {
        const ElfSegment *segment = &elf->segments[i];

        if (segment->type != PT_LOAD || segment->mem_size == 0)
            continue;
        if (!load_segment(elf, segment, memory, err))
            return false;
        if (segment->paddr + segment->mem_size > end)
            end = segment->paddr + segment->mem_size;
    }
    if (end == 0)
        return damaged(err, "it has nothing to load");
    *ret_end = end;
    return true;
}

static size_t
align4(size_t n)
{
    return (n + 3) & ~(size_t)3;
}

/* Notes have the same form in both widths, and are padded to four bytes whatever the alignment of
 * their segment says. */
static bool
search_notes(const uint8_t *notes, size_t size, const char *owner, uint32_t type, void *to,
             size_t room, size_t *ret_size)
{
    size_t n_owner = strlen(owner) + 1;
    Elf64_Nhdr note;

    while (size >= sizeof(note)) {
        const uint8_t *name = notes + sizeof(note);
        size_t n_name, n_desc;

        memcpy(&note, notes, sizeof(note));
        size -= sizeof(note);
        n_name = align4(note.n_namesz);
        if (n_name > size)
            return false;
        size -= n_name;
        if (note.n_descsz > size)
            return false;
        if (note.n_type == type && note.n_namesz == n_owner && memcmp(name, owner, n_owner) == 0) {
            *ret_size = note.n_descsz < room ? note.n_descsz : room;
            memcpy(to, name + n_name, *ret_size);
            return true;
        }
        n_desc = align4(note.n_descsz);
        if (n_desc > size)
            return false;
        size -= n_desc;
        notes = name + n_name + n_desc;
    }
    return false;
}

bool
elf_note(const Elf *elf, const char *owner, uint32_t type, void *to, size_t room, size_t *ret_size)
{
    uint8_t *notes = malloc(NOTES_MAX);
    bool found = false;

    for (unsigned i = 0; notes && !found && i < elf->n_segments; i++) {
        const ElfSegment *segment = &elf->segments[i];
        size_t size = segment->file_size < NOTES_MAX ? segment->file_size : NOTES_MAX;

        if (segment->type == PT_NOTE && boot_file_read(elf->fd, segment->offset, notes, size))
            found = search_notes(notes, size, owner, type, to, room, ret_size);
    }
    free(notes);
    return found;
}
