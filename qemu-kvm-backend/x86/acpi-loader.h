/* acpi-loader: the ACPI tables as files for a firmware that finds a place for them itself, with the
 * commands that adapt them to it (QEMU's hw/acpi/bios-linker-loader.c describes the format). */
#pragma once

#include "qemu-kvm-backend/hw/fw-cfg.h"
#include "qemu-kvm-backend/x86/acpi.h"

#define ACPI_FILE_RSDP   "etc/acpi/rsdp"
#define ACPI_FILE_TABLES "etc/acpi/tables"
#define ACPI_FILE_LOADER "etc/table-loader"

/* One command, little-endian; what follows depends on @command, and the rest is zero. */
typedef struct __attribute__((packed)) AcpiLoaderCommand {
    uint32_t command; /* ACPI_LOADER_* */
    union {
        struct __attribute__((packed)) {
            char file[FW_CFG_NAME_MAX];
            uint32_t align; /* bytes, a power of two */
            uint8_t zone;   /* ACPI_LOADER_HIGH or ACPI_LOADER_FSEG */
        } allocate;
        struct __attribute__((packed)) {
            char file[FW_CFG_NAME_MAX];   /* where the pointer is ... */
            char target[FW_CFG_NAME_MAX]; /* ... and whose address is added to it */
            uint32_t offset;
            uint8_t size; /* of the pointer, bytes */
        } pointer;
        struct __attribute__((packed)) {
            char file[FW_CFG_NAME_MAX];
            uint32_t offset; /* of the sum's byte */
            uint32_t start, length;
        } checksum;
        uint8_t room[124];
    };
} AcpiLoaderCommand;

enum {
    ACPI_LOADER_ALLOCATE = 1,
    ACPI_LOADER_POINTER = 2,
    ACPI_LOADER_CHECKSUM = 3,
    ACPI_LOADER_HIGH = 1, /* anywhere */
    ACPI_LOADER_FSEG = 2, /* between 0xf0000 and 1 MiB, where a root pointer is looked for */
};

/* Puts the three files, with room for what else the tables may say once firmware has set up PCI. */
bool acpi_loader_put(const AcpiConfig *config, FwCfg *cfg, VmmError *err);
/* Brings them up to date. */
bool acpi_loader_refresh(const AcpiConfig *config, FwCfg *cfg, VmmError *err);
