/* boot-file: what every loader of kernels needs: the checked way to read a file, and the places of
 * the initrd and the command line. */
#pragma once

#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/x86/boot-source.h"

typedef struct BootRange {
    uint64_t addr;
    uint64_t size; /* 0: there is none */
} BootRange;

/* The size in bytes of the regular file @fd, which @what names in the error: "kernel". */
bool boot_file_size(int fd, const char *what, uint64_t *ret, VmmError *err);
/* Reads exactly @size bytes at @offset; false with errno, which is ENODATA where the file ends before. */
bool boot_file_read(int fd, uint64_t offset, void *to, size_t size);

/* Fails unless [@addr, @addr + @size) is in the RAM below 4 GiB, and says how much there should be. */
bool boot_check_ram(const Memory *memory, uint64_t addr, uint64_t size, VmmError *err);

/* Loads the initrd as high as it goes in low RAM, at a page boundary in [@floor, @ceiling). */
bool boot_load_initrd(const BootSource *source, Memory *memory, uint64_t floor, uint64_t ceiling,
                      BootRange *ret, VmmError *err);

/* Fails over @limit characters, or what there is room for at LAYOUT_BOOT_CMDLINE. */
bool boot_check_cmdline(const char *prefix, const char *cmdline, size_t limit, VmmError *err);
/* Writes @prefix, then the command line, to LAYOUT_BOOT_CMDLINE; fails as the check does. */
bool boot_write_cmdline(const BootSource *source, Memory *memory, const char *prefix, size_t limit,
                        VmmError *err);

/* For small things that a loader leaves in low memory. */
bool boot_write(Memory *memory, uint64_t gpa, const void *from, size_t size, VmmError *err);
