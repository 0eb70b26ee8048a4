#include "qemu-kvm-backend/x86/smbios.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Section numbers are those of DSP0134 3.6. Tables are little-endian, as is the machine. */

#define PACKED __attribute__((packed))

#define MANUFACTURER "vmctl"
#define PRODUCT      "vmctl virtual machine"

#define DIMM_MAX (16ull << 30) /* bytes of RAM in a memory device, as QEMU has it */
#define MIB      (1ull << 20)

/* 6.1.2 */
typedef struct PACKED Header {
    uint8_t type;
    uint8_t length; /* without the strings */
    uint16_t handle;
} Header;

/* BIOS, 7.1, as of 2.4 */
typedef struct PACKED Bios {
    Header header;
    uint8_t vendor, version;
    uint16_t segment;
    uint8_t date;
    uint8_t rom_size;
    uint64_t characteristics;       /* 8: none of them is told */
    uint8_t extension1, extension2; /* 0x14: a virtual machine's; contents can be told remotely */
    uint8_t major, minor;
    uint8_t ec_major, ec_minor; /* 255: there is no embedded controller with firmware */
} Bios;

/* Base board, 7.3 */
typedef struct PACKED BaseBoard {
    Header header;
    uint8_t manufacturer, product, version, serial, asset;
    uint8_t features; /* 1: hosts the processors */
    uint8_t location;
    uint16_t chassis;
    uint8_t type; /* 10: motherboard */
    uint8_t n_contained;
} BaseBoard;

/* Strings of its owner's, 7.12 */
typedef struct PACKED OemStrings {
    Header header;
    uint8_t n;
} OemStrings;

/* System, 7.2. Strings are numbers of the strings behind the structure, from 1; 0 is none. */
typedef struct PACKED System {
    Header header;
    uint8_t manufacturer, product, version, serial;
    uint8_t uuid[16];
    uint8_t wake_up; /* 6: the power switch */
    uint8_t sku, family;
} System;

/* Enclosure, 7.4 */
typedef struct PACKED Chassis {
    Header header;
    uint8_t manufacturer;
    uint8_t type; /* 1: other */
    uint8_t version, serial, asset;
    uint8_t boot_up, power, thermal; /* 3: safe */
    uint8_t security;                /* 2: unknown */
    uint32_t oem;
    uint8_t height, n_cords, n_elements, element_size;
    uint8_t sku;
} Chassis;

/* Processor, 7.5, as of 2.6 */
typedef struct PACKED Processor {
    Header header;
    uint8_t socket;
    uint8_t type;   /* 3: central */
    uint8_t family; /* 1: other */
    uint8_t manufacturer;
    uint64_t id;
    uint8_t version;
    uint8_t voltage;
    uint16_t external_clock, max_speed, current_speed; /* MHz; 0: unknown */
    uint8_t status;                                    /* 0x41: there, and enabled */
    uint8_t upgrade;                                   /* 1: other */
    uint16_t l1, l2, l3;                               /* 0xffff: not told */
    uint8_t serial, asset, part;
    uint8_t n_cores, n_enabled, n_threads;
    uint16_t characteristics; /* 2: unknown */
    uint16_t family2;
} Processor;

/* Physical memory array, 7.17, as of 2.1 */
typedef struct PACKED MemoryArray {
    Header header;
    uint8_t location;      /* 1: other */
    uint8_t use;           /* 3: system memory */
    uint8_t correction;    /* 6: multi-bit */
    uint32_t capacity_kib; /* 0x80000000: see below */
    uint16_t error;        /* 0xfffe: not told */
    uint16_t n_devices;
    uint64_t capacity; /* bytes */
} MemoryArray;

/* Memory device, 7.18, as of 2.8 */
typedef struct PACKED MemoryDevice {
    Header header;
    uint16_t array, error;
    uint16_t total_width, data_width; /* 0xffff: unknown */
    uint16_t size_mib;                /* 0x7fff: see size32_mib */
    uint8_t form;                     /* 9: DIMM */
    uint8_t set;
    uint8_t locator, bank;
    uint8_t type;    /* 7: RAM */
    uint16_t detail; /* 2: other */
    uint16_t speed;
    uint8_t manufacturer, serial, asset, part;
    uint8_t attributes;
    uint32_t size32_mib;
    uint16_t configured_speed, min_voltage, max_voltage, voltage;
} MemoryDevice;

/* Memory array mapped address, 7.20, as of 2.7 */
typedef struct PACKED MappedArea {
    Header header;
    uint32_t start_kib, end_kib; /* 0xffffffff: see below; the end is included */
    uint16_t array;
    uint8_t width; /* 1 device in a row */
    uint64_t start, end;
} MappedArea;

/* System boot information, 7.33 */
typedef struct PACKED BootStatus {
    Header header;
    uint8_t reserved[6];
    uint8_t status; /* no errors */
} BootStatus;

/* Entry point, 5.2.1 */
typedef struct PACKED Anchor {
    char signature[4]; /* _SM_ */
    uint8_t checksum;
    uint8_t length;
    uint8_t major, minor;
    uint16_t max_size; /* of a structure with its strings */
    uint8_t revision;
    uint8_t formatted[5];
    char signature2[5]; /* _DMI_ */
    uint8_t checksum2;
    uint16_t size;
    uint32_t address;
    uint16_t n_structures;
    uint8_t bcd_revision;
} Anchor;

_Static_assert(sizeof(Bios) == 24, "7.1");
_Static_assert(sizeof(System) == 27, "7.2");
_Static_assert(sizeof(BaseBoard) == 15, "7.3");
_Static_assert(sizeof(Chassis) == 22, "7.4");
_Static_assert(sizeof(Processor) == 42, "7.5");
_Static_assert(sizeof(MemoryArray) == 23, "7.17");
_Static_assert(sizeof(MemoryDevice) == 40, "7.18");
_Static_assert(sizeof(MappedArea) == 31, "7.20");
_Static_assert(sizeof(Anchor) == SMBIOS_ANCHOR_SIZE, "5.2.1");

typedef struct Writer {
    uint8_t *bytes;
    size_t size;
    size_t max_size;
    unsigned n;
} Writer;

static void
append(Writer *out, const void *data, size_t size)
{
    out->bytes = vmm_must(realloc(out->bytes, out->size + size));
    memcpy(out->bytes + out->size, data, size);
    out->size += size;
}

/* A structure and its strings, NULL after the last one; an empty set is two NULs too (6.1.3). */
static void
put(Writer *out, const void *structure, size_t size, const char *const *strings)
{
    size_t start = out->size;

    append(out, structure, size);
    if (!*strings)
        append(out, "", 1);
    for (; *strings; strings++)
        append(out, *strings, strlen(*strings) + 1);
    append(out, "", 1);
    if (out->size - start > out->max_size)
        out->max_size = out->size - start;
    out->n++;
}

static const char *const no_strings[] = { NULL };

#define HEADER(number, size, handle_)                                                              \
    {                                                                                              \
        .type = (number), .length = (size), .handle = (handle_)                                    \
    }

#define STRINGS_MAX SMBIOS_OEM_MAX

/* The strings of a structure that is being made. */
typedef struct Strings {
    const char *list[STRINGS_MAX + 1];
    uint8_t n;
} Strings;

/* The number of the owner's text, or of @own where there is none; 0 for no string at all. */
static uint8_t
number(Strings *strings, const SmbiosConfig *config, SmbiosText which, const char *own)
{
    const char *text =
        config->words && config->words->texts[which] ? config->words->texts[which] : own;

    if (!text || !*text)
        return 0;
    strings->list[strings->n++] = text;
    return strings->n;
}

/* Whether the owner has said any of the texts from @first to @last. */
static bool
has_words(const SmbiosConfig *config, SmbiosText first, SmbiosText last)
{
    for (unsigned i = first; config->words && i <= last; i++) {
        if (config->words->texts[i])
            return true;
    }
    return false;
}

/* Firmware makes one of its own where this is not there. */
static void
put_bios(Writer *out, const SmbiosConfig *config)
{
    const char *release;
    Strings strings = { .n = 0 };
    Bios bios = { .header = HEADER(0, sizeof(bios), 0),
                  .segment = 0xe800,
                  .characteristics = 8,
                  .extension2 = 0x14,
                  .ec_major = 255,
                  .ec_minor = 255 };

    if (!has_words(config, SMBIOS_BIOS_VENDOR, SMBIOS_BIOS_RELEASE))
        return;
    bios.vendor = number(&strings, config, SMBIOS_BIOS_VENDOR, MANUFACTURER);
    bios.version = number(&strings, config, SMBIOS_BIOS_VERSION, PACKAGE_VERSION);
    bios.date = number(&strings, config, SMBIOS_BIOS_DATE, NULL);
    release = config->words->texts[SMBIOS_BIOS_RELEASE];
    if (release && sscanf(release, "%hhu.%hhu", &bios.major, &bios.minor) != 2)
        bios.major = bios.minor = 0;
    put(out, &bios, sizeof(bios), strings.list);
}

/* The first three fields of a UUID are little-endian (7.2.1). */
static void
put_system(Writer *out, const SmbiosConfig *config)
{
    static const uint8_t places[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
    Strings strings = { .n = 0 };
    System system = { .header = HEADER(1, sizeof(system), 0x100), .wake_up = 6 };

    system.manufacturer = number(&strings, config, SMBIOS_SYSTEM_MANUFACTURER, MANUFACTURER);
    system.product = number(&strings, config, SMBIOS_SYSTEM_PRODUCT, PRODUCT);
    system.version = number(&strings, config, SMBIOS_SYSTEM_VERSION, PACKAGE_VERSION);
    system.serial = number(&strings, config, SMBIOS_SYSTEM_SERIAL, NULL);
    system.sku = number(&strings, config, SMBIOS_SYSTEM_SKU, NULL);
    system.family = number(&strings, config, SMBIOS_SYSTEM_FAMILY, NULL);
    for (unsigned i = 0; i < sizeof(places); i++)
        system.uuid[i] = config->uuid[places[i]];
    put(out, &system, sizeof(system), strings.list);
}

static void
put_board(Writer *out, const SmbiosConfig *config)
{
    Strings strings = { .n = 0 };
    BaseBoard board = {
        .header = HEADER(2, sizeof(board), 0x200), .features = 1, .chassis = 0x300, .type = 10
    };

    if (!has_words(config, SMBIOS_BOARD_MANUFACTURER, SMBIOS_BOARD_LOCATION))
        return;
    board.manufacturer = number(&strings, config, SMBIOS_BOARD_MANUFACTURER, MANUFACTURER);
    board.product = number(&strings, config, SMBIOS_BOARD_PRODUCT, PRODUCT);
    board.version = number(&strings, config, SMBIOS_BOARD_VERSION, PACKAGE_VERSION);
    board.serial = number(&strings, config, SMBIOS_BOARD_SERIAL, NULL);
    board.asset = number(&strings, config, SMBIOS_BOARD_ASSET, NULL);
    board.location = number(&strings, config, SMBIOS_BOARD_LOCATION, NULL);
    put(out, &board, sizeof(board), strings.list);
}

static void
put_chassis(Writer *out, const SmbiosConfig *config)
{
    Strings strings = { .n = 0 };
    Chassis chassis = { .header = HEADER(3, sizeof(chassis), 0x300),
                        .type = 1,
                        .boot_up = 3,
                        .power = 3,
                        .thermal = 3,
                        .security = 2 };

    chassis.manufacturer = number(&strings, config, SMBIOS_CHASSIS_MANUFACTURER, MANUFACTURER);
    chassis.version = number(&strings, config, SMBIOS_CHASSIS_VERSION, PACKAGE_VERSION);
    chassis.serial = number(&strings, config, SMBIOS_CHASSIS_SERIAL, NULL);
    chassis.asset = number(&strings, config, SMBIOS_CHASSIS_ASSET, NULL);
    chassis.sku = number(&strings, config, SMBIOS_CHASSIS_SKU, NULL);
    put(out, &chassis, sizeof(chassis), strings.list);
}

static void
put_oem(Writer *out, const SmbiosConfig *config)
{
    OemStrings oem = { .header = HEADER(11, sizeof(oem), 0xe00) };
    Strings strings = { .n = 0 };

    for (unsigned i = 0; config->words && i < config->words->n_oem; i++)
        strings.list[strings.n++] = config->words->oem[i];
    oem.n = strings.n;
    if (oem.n > 0)
        put(out, &oem, sizeof(oem), strings.list);
}

static void
put_processor(Writer *out, const SmbiosConfig *config, unsigned i)
{
    static const char *const strings[] = { "CPU", MANUFACTURER, PACKAGE_VERSION, NULL };
    unsigned cores = config->n_cores < 255 ? config->n_cores : 255;
    Processor cpu = { .header = HEADER(4, sizeof(cpu), 0x400 + i),
                      .socket = 1,
                      .type = 3,
                      .family = 1,
                      .manufacturer = 2,
                      .version = 3,
                      .status = 0x41,
                      .upgrade = 1,
                      .l1 = 0xffff,
                      .l2 = 0xffff,
                      .l3 = 0xffff,
                      .n_cores = cores,
                      .n_enabled = cores,
                      .n_threads = config->n_threads < 255 ? config->n_threads : 255,
                      .characteristics = 2,
                      .family2 = 1 };

    put(out, &cpu, sizeof(cpu), strings);
}

static void
put_array(Writer *out, uint64_t size, unsigned n_devices)
{
    MemoryArray array = { .header = HEADER(16, sizeof(array), 0x1000),
                          .location = 1,
                          .use = 3,
                          .correction = 6,
                          .capacity_kib = size / 1024,
                          .error = 0xfffe,
                          .n_devices = n_devices };

    if (size / 1024 >= 0x80000000) {
        array.capacity_kib = 0x80000000;
        array.capacity = size;
    }
    put(out, &array, sizeof(array), no_strings);
}

static void
put_device(Writer *out, uint64_t size, unsigned i)
{
    static const char *const strings[] = { "DIMM", MANUFACTURER, NULL };
    uint64_t mib = (size + MIB - 1) / MIB;
    MemoryDevice device = { .header = HEADER(17, sizeof(device), 0x1100 + i),
                            .array = 0x1000,
                            .error = 0xfffe,
                            .total_width = 0xffff,
                            .data_width = 0xffff,
                            .size_mib = mib < 0x7fff ? mib : 0x7fff,
                            .form = 9,
                            .locator = 1,
                            .type = 7,
                            .detail = 2,
                            .manufacturer = 2,
                            .size32_mib = mib < 0x7fff ? 0 : mib };

    put(out, &device, sizeof(device), strings);
}

static void
put_area(Writer *out, const MemoryRegion *region, unsigned i)
{
    uint64_t last = region->gpa + region->size - 1;
    MappedArea area = { .header = HEADER(19, sizeof(area), 0x1300 + i),
                        .start_kib = region->gpa / 1024,
                        .end_kib = last / 1024,
                        .array = 0x1000,
                        .width = 1 };

    if (last / 1024 >= 0xffffffff) {
        area.start_kib = area.end_kib = 0xffffffff;
        area.start = region->gpa;
        area.end = last;
    }
    put(out, &area, sizeof(area), no_strings);
}

static void
put_memory(Writer *out, const Memory *memory)
{
    uint64_t size = memory_size(memory);
    unsigned n = (size + DIMM_MAX - 1) / DIMM_MAX;
    MemoryRegion region;

    if (n > 0xff) /* handles are of 16 bits; then the last one is larger */
        n = 0xff;
    put_array(out, size, n);
    for (unsigned i = 0; i < n; i++)
        put_device(out, i + 1 < n ? DIMM_MAX : size - i * DIMM_MAX, i);
    for (unsigned i = 0; memory_region(memory, i, &region); i++)
        put_area(out, &region, i);
}

static uint8_t
checksum(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t sum = 0;

    while (size-- > 0)
        sum += *bytes++;
    return -sum;
}

static void
put_anchor(const Writer *tables, uint8_t *ret)
{
    Anchor anchor = { .signature = "_SM_",
                      .length = sizeof(anchor),
                      .major = 2,
                      .minor = 8,
                      .max_size = tables->max_size,
                      .signature2 = "_DMI_",
                      .size = tables->size,
                      .n_structures = tables->n,
                      .bcd_revision = 0x28 };

    anchor.checksum2 = checksum(anchor.signature2, 15);
    anchor.checksum = checksum(&anchor, sizeof(anchor));
    memcpy(ret, &anchor, sizeof(anchor));
}

void
smbios_build(const SmbiosConfig *config, SmbiosTables *ret)
{
    BootStatus status = { .header = HEADER(32, sizeof(status), 0x2000) };
    Header end = HEADER(127, sizeof(end), 0x7f00);
    Writer out = { 0 };

    put_bios(&out, config);
    put_system(&out, config);
    put_board(&out, config);
    put_chassis(&out, config);
    for (unsigned i = 0; i < config->n_sockets; i++)
        put_processor(&out, config, i);
    put_oem(&out, config);
    put_memory(&out, config->memory);
    put(&out, &status, sizeof(status), no_strings);
    put(&out, &end, sizeof(end), no_strings);
    put_anchor(&out, ret->anchor);
    ret->bytes = out.bytes;
    ret->size = out.size;
}

void
smbios_clear(SmbiosTables *tables)
{
    free(tables->bytes);
    tables->bytes = NULL;
}
