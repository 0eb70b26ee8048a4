/* boot-fixture: kernel files made of bytes, booted into RAM that is looked at afterwards. */
#pragma once

#include "qemu-kvm-backend/x86/boot.h"

#include <glib.h>

#define MIB ((uint64_t)1 << 20)

typedef struct Boot {
    Memory *memory;
    BootEntry entry;
    VmmError err;
} Boot;

/* A descriptor of a file of @size bytes. */
int boot_fixture_file(const void *bytes, size_t size);
/* Boots; fails the test where that fails. @initrd may be NULL. */
Boot boot_fixture_load(const void *kernel, size_t size, const GBytes *initrd, const char *cmdline,
                       uint64_t memory_size);
/* Boots, which must fail with this text, and leave the entry alone. */
void boot_fixture_refuse(const void *kernel, size_t size, uint64_t memory_size, const char *text);
void boot_fixture_clear(Boot *boot);

/* The number of @size bytes, or @size bytes, at @gpa. */
uint64_t boot_fixture_get(const Boot *boot, uint64_t gpa, size_t size);
const void *boot_fixture_at(const Boot *boot, uint64_t gpa, size_t size);

/* The path of the stock kernel that tests boot, as tests/lab/kernel finds it; NULL with the test
 * marked as skipped where there is none. Free with g_free(). */
char *boot_fixture_stock_kernel(void);
