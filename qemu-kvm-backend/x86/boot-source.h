/* boot-source: what there is to boot, as the driver handed it over. */
#pragma once

#include <stdint.h>

typedef struct BootSource {
    int kernel_fd;
    int initrd_fd; /* -1: none */
    const char *cmdline;
    uint64_t rsdp; /* guest physical address of the ACPI root pointer, 0: no ACPI */
} BootSource;
