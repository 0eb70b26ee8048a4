/* boot: puts a kernel into RAM and says how the first vCPU enters it. */
#pragma once

#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/x86/boot-source.h"

/* Selectors of the GDT that boot_load() leaves at LAYOUT_BOOT_GDT: flat code (64-bit in BOOT_LONG,
 * 32-bit in BOOT_PROTECTED), flat data for all of DS, ES, FS, GS and SS, and a task-state segment of
 * base 0 and limit 0x67. Linux's and Xen's boot protocols fix the first two. */
#define BOOT_SEL_CODE 0x10
#define BOOT_SEL_DATA 0x18
#define BOOT_SEL_TSS  0x20
#define BOOT_GDT_SIZE 0x30 /* bytes */

typedef enum BootMode {
    BOOT_LONG,      /* 64-bit, page tables at LAYOUT_BOOT_TABLES map the first 4 GiB one to one */
    BOOT_PROTECTED, /* 32-bit, flat segments, no paging */
    BOOT_REAL,      /* at a linear address below 1 MiB, its paragraph in CS; no kernel starts so */
} BootMode;

typedef struct BootEntry {
    BootMode mode;
    uint64_t rip, rax, rbx, rsi, rsp;
} BootEntry;

/* A kind of kernel file. */
typedef struct BootLoader {
    const char *name;
    /* Looks at the file's first @size bytes (at most BOOT_PROBE_SIZE). */
    bool (*probe)(const uint8_t *head, size_t size);
    bool (*load)(const BootSource *source, Memory *memory, BootEntry *ret, VmmError *err);
} BootLoader;

#define BOOT_PROBE_SIZE 8192

extern const BootLoader boot_linux;
extern const BootLoader boot_multiboot;
extern const BootLoader boot_pvh;

/* Finds the loader and lets it load; also writes the page tables and the GDT that @ret needs. Called
 * again at every reset, so it reads the files anew and depends on nothing in RAM. */
bool boot_load(const BootSource *source, Memory *memory, BootEntry *ret, VmmError *err);
