#include "qemu-kvm-backend/x86/acpi-loader.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define TABLES_SPARE 4096u /* bytes */
#define COMMANDS_MAX (2 + 2 * ACPI_FIXUPS_MAX)

_Static_assert(sizeof(AcpiLoaderCommand) == 128, "bios-linker-loader.c");

typedef struct Script {
    AcpiLoaderCommand commands[COMMANDS_MAX];
    unsigned n;
} Script;

static AcpiLoaderCommand *
add(Script *script, uint32_t command)
{
    AcpiLoaderCommand *entry = &script->commands[script->n++];

    assert(script->n <= COMMANDS_MAX);
    entry->command = htole32(command);
    return entry;
}

static void
allocate(Script *script, const char *file, uint32_t align, uint8_t zone)
{
    AcpiLoaderCommand *entry = add(script, ACPI_LOADER_ALLOCATE);

    strcpy(entry->allocate.file, file);
    entry->allocate.align = htole32(align);
    entry->allocate.zone = zone;
}

/* The file that has a byte of the image, and where in it. */
static const char *
file_of(size_t *offset)
{
    if (*offset < ACPI_TABLES)
        return ACPI_FILE_RSDP;
    *offset -= ACPI_TABLES;
    return ACPI_FILE_TABLES;
}

/* Whatever is pointed at is a table, so the pointer becomes an offset in their file. */
static void
point(Script *script, AcpiImage *image, const AcpiPointer *pointer)
{
    AcpiLoaderCommand *entry = add(script, ACPI_LOADER_POINTER);
    uint8_t *at = image->bytes + pointer->offset;
    size_t offset = pointer->offset;
    uint64_t value = 0;

    memcpy(&value, at, pointer->size);
    value -= LAYOUT_ACPI + ACPI_TABLES;
    memcpy(at, &value, pointer->size);
    strcpy(entry->pointer.file, file_of(&offset));
    strcpy(entry->pointer.target, ACPI_FILE_TABLES);
    entry->pointer.offset = htole32(offset);
    entry->pointer.size = pointer->size;
}

/* EDK II adds up the byte itself too, so it has to be zero at first. */
static void
add_up(Script *script, AcpiImage *image, const AcpiChecksum *sum)
{
    AcpiLoaderCommand *entry = add(script, ACPI_LOADER_CHECKSUM);
    size_t offset = sum->offset, start = sum->start;

    image->bytes[sum->offset] = 0;
    file_of(&start);
    strcpy(entry->checksum.file, file_of(&offset));
    entry->checksum.offset = htole32(offset);
    entry->checksum.start = htole32(start);
    entry->checksum.length = htole32(sum->size);
}

/* What is not used of the commands stays zero, which is no command. */
static bool
build(const AcpiConfig *config, AcpiImage *image, Script *script, VmmError *err)
{
    if (!acpi_build(config, image, err))
        return false;
    allocate(script, ACPI_FILE_RSDP, 16, ACPI_LOADER_FSEG);
    allocate(script, ACPI_FILE_TABLES, 64, ACPI_LOADER_HIGH);
    for (unsigned i = 0; i < image->n_pointers; i++)
        point(script, image, &image->pointers[i]);
    for (unsigned i = 0; i < image->n_checksums; i++)
        add_up(script, image, &image->checksums[i]);
    return true;
}

/* Firmware has read how long the files are before the tables are complete. */
static void
put_tables(const AcpiImage *image, FwCfg *cfg)
{
    size_t size = image->size - ACPI_TABLES;
    size_t room = (size + TABLES_SPARE) / TABLES_SPARE * TABLES_SPARE + TABLES_SPARE;
    uint8_t *padded = vmm_must(calloc(1, room));

    memcpy(padded, image->bytes + ACPI_TABLES, size);
    fw_cfg_put_file(cfg, ACPI_FILE_TABLES, padded, room);
    free(padded);
}

bool
acpi_loader_put(const AcpiConfig *config, FwCfg *cfg, VmmError *err)
{
    Script script = { .n = 0 };
    AcpiImage image;

    if (!build(config, &image, &script, err))
        return false;
    fw_cfg_put_file(cfg, ACPI_FILE_RSDP, image.bytes, ACPI_RSDP_SIZE);
    put_tables(&image, cfg);
    fw_cfg_put_file(cfg, ACPI_FILE_LOADER, script.commands, sizeof(script.commands));
    acpi_clear(&image);
    return true;
}

bool
acpi_loader_refresh(const AcpiConfig *config, FwCfg *cfg, VmmError *err)
{
    Script script = { .n = 0 };
    AcpiImage image;
    bool fits;

    if (!build(config, &image, &script, err))
        return false;
    fits = fw_cfg_replace_file(cfg, ACPI_FILE_TABLES, image.bytes + ACPI_TABLES,
                               image.size - ACPI_TABLES);
    fw_cfg_replace_file(cfg, ACPI_FILE_RSDP, image.bytes, ACPI_RSDP_SIZE);
    fw_cfg_replace_file(cfg, ACPI_FILE_LOADER, script.commands, sizeof(script.commands));
    acpi_clear(&image);
    return fits || vmm_error(err, VMM_ERROR_FAILED, "The ACPI tables have grown beyond their room");
}
