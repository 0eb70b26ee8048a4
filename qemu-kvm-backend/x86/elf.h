/* elf: kernels in ELF files, 32 or 64 bits, little-endian, loaded by physical address. The files are
 * foreign: whatever they say is checked before it is used. */
#pragma once

#include "qemu-kvm-backend/memory.h"

#define ELF_SEGMENTS_MAX 64

typedef struct ElfSegment {
    uint32_t type; /* PT_LOAD or PT_NOTE of <elf.h>; others are left out */
    uint64_t offset;
    uint64_t paddr;
    uint64_t file_size; /* within the file */
    uint64_t mem_size;  /* of PT_LOAD at least file_size */
} ElfSegment;

typedef struct Elf {
    int fd; /* the caller's */
    uint64_t entry;
    unsigned n_segments;
    ElfSegment segments[ELF_SEGMENTS_MAX];
} Elf;

/* Whether a file that begins with @head is an ELF at all. */
bool elf_probe(const uint8_t *head, size_t size);
/* Reads the headers of an executable for x86 in @fd. */
bool elf_read(int fd, Elf *ret, VmmError *err);
/* Loads the segments, all of which must be within [LAYOUT_KERNEL, end of low RAM), and zeroes what
 * they have beyond the file. @ret_end is the end of the highest one. */
bool elf_load(const Elf *elf, Memory *memory, uint64_t *ret_end, VmmError *err);
/* Copies the content of the first note @type of @owner to @to, at most @room bytes of it. False where
 * there is none, without an error. */
bool elf_note(const Elf *elf, const char *owner, uint32_t type, void *to, size_t room, size_t *ret_size);
