#include "qemu-kvm-backend/x86/acpi.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/facs.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Section numbers are those of ACPI 6.4. The machine is little-endian, as are the tables. */

#define OEM_ID       "VMCTL " /* six bytes without a terminator, as below */
#define OEM_TABLE_ID "VMCTLVMM"
#define CREATOR_ID   "VMCT"
#define PACKED       __attribute__((packed))

/* Generic Address Structure, 5.2.3.2 */
typedef struct PACKED Gas {
    uint8_t space; /* 0 memory, 1 I/O ports */
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t access_size; /* 1 byte, 2 word, 3 dword */
    uint64_t address;
} Gas;

/* Root System Description Pointer, 5.2.5.3 */
typedef struct PACKED Rsdp {
    char signature[8];
    uint8_t checksum; /* of the first 20 bytes */
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum;
    uint8_t reserved[3];
} Rsdp;

/* System Description Table Header, 5.2.6 */
typedef struct PACKED Header {
    char signature[4];
    uint32_t length;
    uint8_t revision;
    uint8_t checksum;
    char oem_id[6];
    char oem_table_id[8];
    uint32_t oem_revision;
    char creator_id[4];
    uint32_t creator_revision;
} Header;

/* Fixed ACPI Description Table, 5.2.9 */
typedef struct PACKED Fadt {
    Header header;
    uint32_t facs;
    uint32_t dsdt;
    uint8_t reserved0;
    uint8_t pm_profile;
    uint16_t sci;
    uint32_t smi_cmd;
    uint8_t acpi_enable;
    uint8_t acpi_disable;
    uint8_t s4bios_request;
    uint8_t pstate_control;
    uint32_t pm1a_event;
    uint32_t pm1b_event;
    uint32_t pm1a_control;
    uint32_t pm1b_control;
    uint32_t pm2_control;
    uint32_t pm_timer;
    uint32_t gpe0;
    uint32_t gpe1;
    uint8_t pm1_event_length;
    uint8_t pm1_control_length;
    uint8_t pm2_control_length;
    uint8_t pm_timer_length;
    uint8_t gpe0_length;
    uint8_t gpe1_length;
    uint8_t gpe1_base;
    uint8_t cst_control;
    uint16_t c2_latency;
    uint16_t c3_latency;
    uint16_t flush_size;
    uint16_t flush_stride;
    uint8_t duty_offset;
    uint8_t duty_width;
    uint8_t day_alarm;
    uint8_t month_alarm;
    uint8_t century;
    uint16_t boot_arch;
    uint8_t reserved1;
    uint32_t flags;
    Gas reset;
    uint8_t reset_value;
    uint16_t arm_boot_arch;
    uint8_t minor_version;
    uint64_t x_facs;
    uint64_t x_dsdt;
    Gas x_pm1a_event;
    Gas x_pm1b_event;
    Gas x_pm1a_control;
    Gas x_pm1b_control;
    Gas x_pm2_control;
    Gas x_pm_timer;
    Gas x_gpe0;
    Gas x_gpe1;
    Gas sleep_control;
    Gas sleep_status;
    char hypervisor[8];
} Fadt;

/* FADT flags, table 5.10, and IA-PC boot architecture flags, table 5.11 */
#define FADT_WBINVD      (1u << 0)
#define FADT_PROC_C1     (1u << 2)
#define FADT_SLP_BUTTON  (1u << 5) /* there is no fixed sleep button */
#define FADT_RESET       (1u << 10)
#define BOOT_ARCH_LEGACY (1u << 0)
#define BOOT_ARCH_8042   (1u << 1)
#define BOOT_ARCH_NO_VGA (1u << 2)
#define RTC_CENTURY      0x32 /* the CMOS register that PCs have it in */

/* Multiple APIC Description Table, 5.2.12, and its structures */
typedef struct PACKED Madt {
    Header header;
    uint32_t lapic;
    uint32_t flags;
} Madt;

#define MADT_PCAT_COMPAT  1u /* there are two 8259s as well */
#define MADT_ENABLED      1u
#define MADT_ALL_CPUS     0xffu
#define MADT_ALL_CPUS_X2  0xffffffffu
#define MADT_HIGH_LEVEL   0x000du /* active high, level-triggered */
#define MADT_LAPIC_ID_MAX 254u    /* 255 is the broadcast */

typedef struct PACKED MadtLapic {
    uint8_t type, length; /* 0 */
    uint8_t uid;
    uint8_t apic_id;
    uint32_t flags;
} MadtLapic;

typedef struct PACKED MadtIoapic {
    uint8_t type, length; /* 1 */
    uint8_t id;
    uint8_t reserved;
    uint32_t address;
    uint32_t gsi_base;
} MadtIoapic;

typedef struct PACKED MadtOverride {
    uint8_t type, length; /* 2 */
    uint8_t bus;
    uint8_t irq;
    uint32_t gsi;
    uint16_t flags;
} MadtOverride;

typedef struct PACKED MadtNmi {
    uint8_t type, length; /* 4 */
    uint8_t uid;
    uint16_t flags;
    uint8_t lint;
} MadtNmi;

typedef struct PACKED MadtX2apic {
    uint8_t type, length; /* 9 */
    uint16_t reserved;
    uint32_t apic_id;
    uint32_t flags;
    uint32_t uid;
} MadtX2apic;

typedef struct PACKED MadtX2nmi {
    uint8_t type, length; /* 10 */
    uint16_t flags;
    uint32_t uid;
    uint8_t lint;
    uint8_t reserved[3];
} MadtX2nmi;

/* Memory-mapped configuration space: PCI Firmware Specification 3.2, section 4.1.2 */
typedef struct PACKED Mcfg {
    Header header;
    uint64_t reserved;
    uint64_t base;
    uint16_t segment;
    uint8_t first_bus;
    uint8_t last_bus;
    uint32_t reserved2;
} Mcfg;

_Static_assert(sizeof(Mcfg) == 60, "4.1.2");
_Static_assert(sizeof(Rsdp) == ACPI_RSDP_SIZE, "5.2.5.3");
_Static_assert(sizeof(Fadt) == 276, "5.2.9");

/* The tables while they are made. They go into RAM in one piece at LAYOUT_ACPI, so that @size is
 * the offset of the next one there too. What does not fit is only counted. */
typedef struct Tables {
    uint8_t *bytes;
    size_t room;
    size_t size;
    AcpiImage *image; /* takes note of what depends on the place */
} Tables;

static uint64_t
address_of(size_t offset)
{
    return LAYOUT_ACPI + offset;
}

static void
align(Tables *tables, size_t to)
{
    tables->size = (tables->size + to - 1) / to * to;
}

static size_t
put(Tables *tables, const void *data, size_t size)
{
    size_t offset = tables->size;

    if (offset <= tables->room && size <= tables->room - offset)
        memcpy(tables->bytes + offset, data, size);
    tables->size += size;
    return offset;
}

static void
note_pointer(Tables *tables, size_t offset, unsigned size)
{
    AcpiImage *image = tables->image;

    assert(image->n_pointers < ACPI_FIXUPS_MAX);
    image->pointers[image->n_pointers++] = (AcpiPointer){ offset, size };
}

static void
note_checksum(Tables *tables, size_t offset, size_t start, size_t size)
{
    AcpiImage *image = tables->image;

    assert(image->n_checksums < ACPI_FIXUPS_MAX);
    image->checksums[image->n_checksums++] = (AcpiChecksum){ offset, start, size };
}

static uint8_t
checksum(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += bytes[i];
    return -sum;
}

static Header
header_new(const char *signature, uint8_t revision, size_t size)
{
    Header header = {
        .length = size, .revision = revision, .oem_revision = 1, .creator_revision = 1
    };

    memcpy(header.signature, signature, sizeof(header.signature));
    memcpy(header.oem_id, OEM_ID, sizeof(header.oem_id));
    memcpy(header.oem_table_id, OEM_TABLE_ID, sizeof(header.oem_table_id));
    memcpy(header.creator_id, CREATOR_ID, sizeof(header.creator_id));
    return header;
}

/* Puts the length and the checksum into the table that reaches from @offset to the end. */
static void
seal(Tables *tables, size_t offset)
{
    Header *header = (Header *)(tables->bytes + offset);

    if (tables->size > tables->room)
        return;
    header->length = tables->size - offset;
    header->checksum = 0;
    header->checksum = checksum(tables->bytes + offset, header->length);
    note_checksum(tables, offset + offsetof(Header, checksum), offset, header->length);
}

static size_t
put_facs(Tables *tables)
{
    uint8_t facs[FACS_SIZE];

    facs_build(facs);
    align(tables, FACS_ALIGN);
    return put(tables, facs, sizeof(facs));
}

/* Every entry of the MADT belongs to a processor device of the same _UID (8.4). */
static void
describe_cpu(Aml *aml, unsigned uid)
{
    char name[5];

    assert(uid <= 0xfff);
    snprintf(name, sizeof(name), "C%03X", uid & 0xfff);
    aml_open_device(aml, name);
    aml_name_string(aml, "_HID", "ACPI0007");
    aml_name_integer(aml, "_UID", uid);
    aml_close(aml);
}

static size_t
put_dsdt(Tables *tables, const AcpiConfig *config)
{
    Header header = header_new("DSDT", 2, 0); /* 2: integers of 64 bits */
    size_t offset, size;
    const uint8_t *code;
    Aml *aml = aml_new();

    sleep_describe(&config->sleep, aml);
    aml_open_scope(aml, "\\_SB");
    for (unsigned i = 0; i < config->n_vcpus; i++)
        describe_cpu(aml, i);
    if (config->describe)
        config->describe(config->data, aml);
    aml_close(aml);
    code = aml_bytes(aml, &size);

    align(tables, 16);
    offset = put(tables, &header, sizeof(header));
    put(tables, code, size);
    seal(tables, offset);
    aml_free(aml);
    return offset;
}

static Gas
port(uint16_t address, unsigned bytes)
{
    return (Gas){ .space = 1,
                  .bit_width = bytes * 8,
                  .access_size = bytes == 4 ? 3 : bytes,
                  .address = address };
}

/* PM1 status and enable are each a 16-bit half of the event block (4.8.3.1), hence the access. */
static void
fill_pm_registers(Fadt *fadt)
{
    fadt->pm1a_event = LAYOUT_PM_BASE;
    fadt->pm1_event_length = 4;
    fadt->x_pm1a_event = port(LAYOUT_PM_BASE, 4);
    fadt->x_pm1a_event.access_size = 2;
    fadt->pm1a_control = LAYOUT_PM_BASE + 4;
    fadt->pm1_control_length = 2;
    fadt->x_pm1a_control = port(LAYOUT_PM_BASE + 4, 2);
    fadt->pm_timer = LAYOUT_PM_BASE + 8;
    fadt->pm_timer_length = 4;
    fadt->x_pm_timer = port(LAYOUT_PM_BASE + 8, 4);
}

/* No SMI command port: the machine is in ACPI mode from the start (5.2.9). The PM timer has 24 bits,
 * which is what no flag says. The 8042 flag tells of a keyboard and a mouse, not of a controller with
 * nothing plugged in, which is no reason for a guest to look there. */
static size_t
put_fadt(Tables *tables, const AcpiConfig *config, size_t facs, size_t dsdt)
{
    Fadt fadt = {
        .header = header_new("FACP", 6, sizeof(fadt)),
        .minor_version = 4,
        .facs = address_of(facs),
        .dsdt = address_of(dsdt),
        .x_dsdt = address_of(dsdt),
        .sci = LAYOUT_SCI,
        .c2_latency = 0xffff, /* no C2, no C3 */
        .c3_latency = 0xffff,
        .century = RTC_CENTURY,
        .boot_arch =
            BOOT_ARCH_LEGACY | BOOT_ARCH_NO_VGA | (config->i8042 ? BOOT_ARCH_8042 : 0),
        .flags = FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_RESET,
        .reset = port(LAYOUT_RESET_PORT, 1),
        .reset_value = LAYOUT_RESET_VALUE,
        .hypervisor = "VMCTL",
    };
    size_t offset;

    fill_pm_registers(&fadt);
    align(tables, 16);
    offset = put(tables, &fadt, sizeof(fadt));
    note_pointer(tables, offset + offsetof(Fadt, facs), sizeof(fadt.facs));
    note_pointer(tables, offset + offsetof(Fadt, dsdt), sizeof(fadt.dsdt));
    note_pointer(tables, offset + offsetof(Fadt, x_dsdt), sizeof(fadt.x_dsdt));
    seal(tables, offset);
    return offset;
}

/* A local APIC where its number fits into eight bits, else an x2APIC (5.2.12.12). */
static void
put_lapic(Tables *tables, uint32_t uid, uint32_t apic_id)
{
    MadtLapic lapic = { 0, sizeof(lapic), uid, apic_id, MADT_ENABLED };
    MadtX2apic x2apic = { 9, sizeof(x2apic), 0, apic_id, MADT_ENABLED, uid };

    if (apic_id <= MADT_LAPIC_ID_MAX && uid <= MADT_LAPIC_ID_MAX)
        put(tables, &lapic, sizeof(lapic));
    else
        put(tables, &x2apic, sizeof(x2apic));
}

/* The PIT is at pin 2 of the I/O APIC, as on every PC; the SCI is a level (5.2.12.5). */
static void
put_irqs(Tables *tables, bool x2apic)
{
    MadtIoapic ioapic = { 1, sizeof(ioapic), 0, 0, LAYOUT_IOAPIC, 0 };
    MadtOverride timer = { 2, sizeof(timer), 0, 0, 2, 0 };
    MadtOverride sci = { 2, sizeof(sci), 0, LAYOUT_SCI, LAYOUT_SCI, MADT_HIGH_LEVEL };
    MadtNmi nmi = { 4, sizeof(nmi), MADT_ALL_CPUS, 0, 1 };
    MadtX2nmi x2nmi = { 10, sizeof(x2nmi), 0, MADT_ALL_CPUS_X2, 1, { 0 } };

    put(tables, &ioapic, sizeof(ioapic));
    put(tables, &timer, sizeof(timer));
    put(tables, &sci, sizeof(sci));
    put(tables, &nmi, sizeof(nmi));
    if (x2apic)
        put(tables, &x2nmi, sizeof(x2nmi));
}

static size_t
put_madt(Tables *tables, const AcpiConfig *config)
{
    Madt madt = { .header = header_new("APIC", 5, 0),
                  .lapic = LAYOUT_LAPIC,
                  .flags = MADT_PCAT_COMPAT };
    bool x2apic = false;
    size_t offset;

    align(tables, 16);
    offset = put(tables, &madt, sizeof(madt));
    for (unsigned i = 0; i < config->n_vcpus; i++) {
        put_lapic(tables, i, config->apic_ids[i]);
        x2apic |= config->apic_ids[i] > MADT_LAPIC_ID_MAX;
    }
    put_irqs(tables, x2apic);
    seal(tables, offset);
    return offset;
}

static size_t
put_mcfg(Tables *tables, const AcpiConfig *config)
{
    Mcfg mcfg = {
        .header = header_new("MCFG", 1, sizeof(mcfg)),
        .base = config->ecam_base,
        .last_bus = (config->ecam_size >> 20) - 1,
    };
    size_t offset;

    align(tables, 16);
    offset = put(tables, &mcfg, sizeof(mcfg));
    seal(tables, offset);
    return offset;
}

static size_t
put_xsdt(Tables *tables, const size_t *entries, size_t n)
{
    Header header = header_new("XSDT", 1, 0);
    size_t offset;

    align(tables, 16);
    offset = put(tables, &header, sizeof(header));
    for (size_t i = 0; i < n; i++) {
        uint64_t address = address_of(entries[i]);

        note_pointer(tables, put(tables, &address, sizeof(address)), sizeof(address));
    }
    seal(tables, offset);
    return offset;
}

static Rsdp
rsdp_new(size_t xsdt)
{
    Rsdp rsdp = { .revision = 2, .length = sizeof(rsdp), .xsdt = address_of(xsdt) };

    memcpy(rsdp.signature, "RSD PTR ", sizeof(rsdp.signature));
    memcpy(rsdp.oem_id, OEM_ID, sizeof(rsdp.oem_id));
    rsdp.checksum = checksum((const uint8_t *)&rsdp, 20);
    rsdp.extended_checksum = checksum((const uint8_t *)&rsdp, sizeof(rsdp));
    return rsdp;
}

static void
put_all(Tables *tables, const AcpiConfig *config)
{
    size_t facs, dsdt, entries[3], n = 0;
    Rsdp rsdp = { 0 };

    put(tables, &rsdp, sizeof(rsdp)); /* first, where guests without a boot protocol look for it */
    facs = put_facs(tables);
    assert(facs == ACPI_FACS);
    dsdt = put_dsdt(tables, config);
    entries[n++] = put_fadt(tables, config, facs, dsdt);
    entries[n++] = put_madt(tables, config);
    if (config->ecam_size)
        entries[n++] = put_mcfg(tables, config);
    rsdp = rsdp_new(put_xsdt(tables, entries, n));
    memcpy(tables->bytes, &rsdp, sizeof(rsdp));
    note_pointer(tables, offsetof(Rsdp, xsdt), sizeof(rsdp.xsdt));
    note_checksum(tables, offsetof(Rsdp, checksum), 0, 20);
    note_checksum(tables, offsetof(Rsdp, extended_checksum), 0, sizeof(rsdp));
}

bool
acpi_build(const AcpiConfig *config, AcpiImage *ret, VmmError *err)
{
    AcpiImage image = { 0 };
    Tables tables = { .room = LAYOUT_ACPI_END - LAYOUT_ACPI, .image = &image };

    tables.bytes = calloc(1, tables.room);
    if (!tables.bytes)
        return vmm_error_errno(err, "There is no memory for the ACPI tables");
    put_all(&tables, config);
    image.bytes = tables.bytes;
    image.size = tables.size;
    if (image.size <= tables.room) {
        *ret = image;
        return true;
    }
    acpi_clear(&image);
    return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                     "The ACPI tables take %zu KiB but there is room for %zu KiB",
                     tables.size / 1024, tables.room / 1024);
}

void
acpi_clear(AcpiImage *image)
{
    free(image->bytes);
    image->bytes = NULL;
}

bool
acpi_write(const AcpiConfig *config, Memory *memory, uint64_t *ret_rsdp, VmmError *err)
{
    AcpiImage image;
    bool written;

    if (!acpi_build(config, &image, err))
        return false;
    written = memory_write(memory, LAYOUT_ACPI, image.bytes, image.size);
    acpi_clear(&image);
    if (!written)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The guest has too little RAM for ACPI tables: %llu KiB",
                         (unsigned long long)memory_size(memory) / 1024);
    *ret_rsdp = LAYOUT_ACPI;
    return true;
}
