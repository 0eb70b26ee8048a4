/* acpi: the tables as a guest finds them, from the root pointer on. */
#include "qemu-kvm-backend/x86/acpi.h"

#include "qemu-kvm-backend/x86/facs.h"
#include "qemu-kvm-backend/x86/layout.h"
#include "tests/unit/iasl.h"

#include <glib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

static uint64_t
get(const uint8_t *at, size_t size)
{
    uint64_t value = 0;

    memcpy(&value, at, size);
    return value;
}

static void
describe_com1(void *data, Aml *aml)
{
    (*(unsigned *)data)++;
    aml_open_device(aml, "COM1");
    aml_name_eisaid(aml, "_HID", "PNP0501");
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, 0x3f8, 8);
    aml_resource_irq(aml, 4);
    aml_close(aml);
    aml_close(aml);
}

static uint8_t
sum(const uint8_t *bytes, size_t size)
{
    uint8_t total = 0;

    for (size_t i = 0; i < size; i++)
        total += bytes[i];
    return total;
}

typedef struct Fixture {
    Memory *memory;
    const uint8_t *rsdp, *xsdt;
    unsigned n_described;
} Fixture;

static Fixture
write_tables(const uint32_t *apic_ids, unsigned n_vcpus)
{
    Fixture f = { .memory = memory_new(16 * MIB, NULL) };
    AcpiConfig config = { .n_vcpus = n_vcpus,
                          .apic_ids = apic_ids,
                          .ecam_base = 0xb0000000,
                          .ecam_size = 256 * MIB,
                          .describe = describe_com1,
                          .data = &f.n_described,
                          .sleep = { true, true },
                          .i8042 = true };
    uint64_t rsdp;
    VmmError err;

    g_assert_nonnull(f.memory);
    g_assert_true(acpi_write(&config, f.memory, &rsdp, &err));
    g_assert_cmphex(rsdp, ==, LAYOUT_ACPI);
    f.rsdp = memory_at(f.memory, rsdp, 36);
    f.xsdt = memory_at(f.memory, get(f.rsdp + 24, 8), 36);
    g_assert_nonnull(f.xsdt);
    return f;
}

/* A table by its address, its signature and checksum proven. */
static const uint8_t *
table_at(const Fixture *f, uint64_t gpa, const char *signature)
{
    const uint8_t *table = memory_at(f->memory, gpa, 36);

    g_assert_nonnull(table);
    g_assert_cmpmem(table, 4, signature, 4);
    g_assert_nonnull(memory_at(f->memory, gpa, get(table + 4, 4)));
    g_assert_cmpuint(gpa + get(table + 4, 4), <=, LAYOUT_ACPI_END);
    if (memcmp(signature, "FACS", 4) != 0)
        g_assert_cmpuint(sum(table, get(table + 4, 4)), ==, 0);
    return table;
}

static const uint8_t *
entry(const Fixture *f, const char *signature)
{
    size_t size = get(f->xsdt + 4, 4);

    for (size_t at = 36; at < size; at += 8) {
        uint64_t gpa = get(f->xsdt + at, 8);

        if (memcmp(memory_at(f->memory, gpa, 4), signature, 4) == 0)
            return table_at(f, gpa, signature);
    }
    g_assert_not_reached();
}

static void
assert_asl(const uint8_t *table, const char *const *expected)
{
    g_autofree char *asl = iasl_round_trip(table, get(table + 4, 4));

    for (; *expected; expected++)
        iasl_assert_has(asl, *expected);
}

static const uint32_t four[] = { 0, 1, 2, 3 };

static void
test_root(void)
{
    Fixture f = write_tables(four, 4);

    g_assert_cmpmem(f.rsdp, 8, "RSD PTR ", 8);
    g_assert_cmpuint(f.rsdp[15], ==, 2);
    g_assert_cmpuint(get(f.rsdp + 20, 4), ==, 36);
    g_assert_cmpuint(sum(f.rsdp, 20), ==, 0);
    g_assert_cmpuint(sum(f.rsdp, 36), ==, 0);
    table_at(&f, get(f.rsdp + 24, 8), "XSDT");
    g_assert_cmpuint(get(f.xsdt + 4, 4), ==, 36 + 3 * 8);
    memory_free(f.memory);
}

static void
test_fadt(void)
{
    static const char *const expected[] = {
        "Revision : 06",
        "SCI Interrupt : 0009",
        "SMI Command Port : 00000000",
        "PM1A Event Block Address : 00000600",
        "PM1A Control Block Address : 00000604",
        "PM Timer Block Address : 00000608",
        "PM1 Event Block Length : 04",
        "PM1 Control Block Length : 02",
        "PM Timer Block Length : 04",
        "RTC Century Index : 32",
        "Legacy Devices Supported (V2) : 1",
        "8042 Present on ports 60/64 (V2) : 1",
        "VGA Not Present (V4) : 1",
        "CMOS RTC Not Present (V5) : 0",
        "Control Method Power Button (V1) : 0",
        "Control Method Sleep Button (V1) : 1",
        "RTC wake not in fixed reg space (V1) : 0",
        "32-bit PM Timer (V1) : 0",
        "Reset Register Supported (V2) : 1",
        "Hardware Reduced (V5) : 0",
        "Address : 0000000000000CF9",
        "Value to cause reset : 06",
        "FADT Minor Revision : 04",
        "Address : 0000000000000600",
        "Address : 0000000000000604",
        "Address : 0000000000000608",
        NULL,
    };
    Fixture f = write_tables(four, 4);
    const uint8_t *fadt = entry(&f, "FACP");

    g_assert_cmpuint(get(fadt + 4, 4), ==, 276);
    g_assert_cmphex(get(fadt + 40, 4), ==, get(fadt + 140, 8)); /* DSDT and X_DSDT */
    assert_asl(fadt, expected);
    memory_free(f.memory);
}

/* A machine without a keyboard has the same table, but for that. */
static void
test_no_keyboard(void)
{
    AcpiConfig with = { .n_vcpus = 4, .apic_ids = four, .i8042 = true }, without = with;
    AcpiImage a, b;
    unsigned n = 0;

    without.i8042 = false;
    g_assert_true(acpi_build(&with, &a, NULL) && acpi_build(&without, &b, NULL));
    g_assert_cmpuint(a.size, ==, b.size);
    for (size_t i = 0; i < a.size; i++)
        n += (a.bytes[i] ^ b.bytes[i]) == 0x02; /* the flag, and the checksum, which follows it */
    g_assert_cmpuint(n, >=, 1);
    acpi_clear(&a);
    acpi_clear(&b);
}

static void
test_facs(void)
{
    static const char *const expected[] = { "Length : 00000040", "Version : 02", NULL };
    Fixture f = write_tables(four, 4);
    uint64_t gpa = get(entry(&f, "FACP") + 36, 4);

    g_assert_cmphex(gpa % 64, ==, 0);
    assert_asl(table_at(&f, gpa, "FACS"), expected);
    memory_free(f.memory);
}

static void
test_dsdt(void)
{
    static const char *const expected[] = {
        "DefinitionBlock (\"\", \"DSDT\", 2, \"VMCTL \", \"VMCTLVMM\", 0x00000001)",
        "Name (\\_S3, Package (0x04)",
        "Name (\\_S4, Package (0x04)",
        "Name (\\_S5, Package (0x04)",
        "Scope (\\_SB)",
        "Device (C000)",
        "Device (C003)",
        "Name (_HID, \"ACPI0007\" /* Processor Device */)",
        "Name (_UID, 0x03)",
        "Device (COM1)",
        NULL,
    };
    Fixture f = write_tables(four, 4);

    g_assert_cmpuint(f.n_described, ==, 1);
    assert_asl(table_at(&f, get(entry(&f, "FACP") + 140, 8), "DSDT"), expected);
    memory_free(f.memory);
}

/* What is not offered is not there. */
static void
test_no_sleep(void)
{
    AcpiConfig config = { .n_vcpus = 4, .apic_ids = four };
    AcpiImage image;

    g_assert_true(acpi_build(&config, &image, NULL));
    g_assert_null(memmem(image.bytes, image.size, "_S3_", 4));
    g_assert_null(memmem(image.bytes, image.size, "_S4_", 4));
    g_assert_nonnull(memmem(image.bytes, image.size, "_S5_", 4));
    acpi_clear(&image);
}

/* Where a guest that sleeps wants to wake up, at @vector or, in protected mode, at @x_vector. */
static bool
waking(uint32_t vector, uint64_t x_vector, BootEntry *ret)
{
    Fixture f = write_tables(four, 4);
    bool good;

    g_assert_true(memory_write(f.memory, LAYOUT_ACPI + ACPI_FACS + 12, &vector, sizeof(vector)));
    g_assert_true(memory_write(f.memory, LAYOUT_ACPI + ACPI_FACS + 24, &x_vector, sizeof(x_vector)));
    good = facs_waking(f.memory, LAYOUT_ACPI + ACPI_FACS, ret);
    memory_free(f.memory);
    return good;
}

static void
test_waking(void)
{
    Memory *memory = memory_new(16 * MIB, NULL);
    BootEntry entry;

    g_assert_true(waking(0x9a010, 0, &entry));
    g_assert_cmpint(entry.mode, ==, BOOT_REAL);
    g_assert_cmphex(entry.rip, ==, 0x9a010);
    g_assert_true(waking(0x9a010, 0x123456, &entry));
    g_assert_cmpint(entry.mode, ==, BOOT_PROTECTED);
    g_assert_cmphex(entry.rip, ==, 0x123456);
    g_assert_false(waking(0, 0, &entry));
    g_assert_false(waking(0x100000, 0, &entry));
    g_assert_false(waking(0x9a010, 1ull << 32, &entry));
    g_assert_false(facs_waking(memory, LAYOUT_ACPI + ACPI_FACS, &entry)); /* overwritten */
    g_assert_false(facs_waking(memory, 16 * MIB - 4, &entry));
    memory_free(memory);
}

static void
test_madt(void)
{
    static const char *const expected[] = {
        "Local Apic Address : FEE00000",
        "PC-AT Compatibility : 1",
        "Processor ID : 03\n",
        "Local Apic ID : 06\n",
        "I/O Apic ID : 00\n",
        "Address : FEC00000",
        "Source : 00\n",
        "Interrupt : 00000002\n",
        "Source : 09\n",
        "Interrupt : 00000009\n",
        "Polarity : 1\n",
        "Trigger Mode : 3\n",
        "Interrupt Input LINT : 01\n",
        NULL,
    };
    static const uint32_t odd[] = { 0, 2, 4, 6 };
    Fixture f = write_tables(odd, 4);
    const uint8_t *madt = entry(&f, "APIC");

    assert_asl(madt, expected);
    g_assert_cmpuint(get(madt + 4, 4), ==, 44 + 4 * 8 + 12 + 2 * 10 + 6);
    memory_free(f.memory);
}

static void
test_x2apic(void)
{
    static const char *const expected[] = {
        "[Processor Local x2APIC]",   "Processor x2Apic ID : 000000FF\n",
        "Processor UID : 000000FF\n", "Local Apic ID : FE\n",
        "[Local x2APIC NMI]",         NULL,
    };
    uint32_t ids[300];
    Fixture f;

    for (unsigned i = 0; i < G_N_ELEMENTS(ids); i++)
        ids[i] = i;
    f = write_tables(ids, G_N_ELEMENTS(ids));
    assert_asl(entry(&f, "APIC"), expected);
    memory_free(f.memory);
}

static void
test_mcfg(void)
{
    static const char *const expected[] = {
        "Base Address : 00000000B0000000\n",
        "Segment Group Number : 0000\n",
        "Start Bus Number : 00\n",
        "End Bus Number : FF\n",
        NULL,
    };
    Fixture f = write_tables(four, 4);

    assert_asl(entry(&f, "MCFG"), expected);
    memory_free(f.memory);
}

static void
test_no_mcfg(void)
{
    AcpiConfig config = { .n_vcpus = 4, .apic_ids = four };
    Memory *memory = memory_new(16 * MIB, NULL);
    const uint8_t *xsdt;
    uint64_t rsdp;

    g_assert_true(acpi_write(&config, memory, &rsdp, NULL));
    xsdt = memory_at(memory, get(memory_at(memory, rsdp + 24, 8), 8), 36);
    g_assert_cmpuint(get(xsdt + 4, 4), ==, 36 + 2 * 8);
    memory_free(memory);
}

static void
test_no_room(void)
{
    AcpiConfig config = { .n_vcpus = 4, .apic_ids = four };
    Memory *memory = memory_new(LAYOUT_ACPI, NULL);
    uint64_t rsdp = 42;
    VmmError err;

    g_assert_false(acpi_write(&config, memory, &rsdp, &err));
    g_assert_cmpstr(err.text, ==, "The guest has too little RAM for ACPI tables: 896 KiB");
    g_assert_cmpuint(rsdp, ==, 42);
    memory_free(memory);
}

static void
describe_much(void *data, Aml *aml)
{
    g_autofree char *text = g_strnfill(2 * (LAYOUT_ACPI_END - LAYOUT_ACPI), 'x');

    aml_name_string(aml, "TEXT", text);
}

static void
test_too_much(void)
{
    AcpiConfig config = { .n_vcpus = 4, .apic_ids = four, .describe = describe_much };
    Memory *memory = memory_new(16 * MIB, NULL);
    uint64_t rsdp;
    VmmError err;

    g_assert_false(acpi_write(&config, memory, &rsdp, &err));
    g_assert_true(g_str_has_suffix(err.text, "KiB but there is room for 128 KiB"));
    memory_free(memory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/acpi/root", test_root);
    g_test_add_func("/acpi/fadt", test_fadt);
    g_test_add_func("/acpi/no-keyboard", test_no_keyboard);
    g_test_add_func("/acpi/facs", test_facs);
    g_test_add_func("/acpi/dsdt", test_dsdt);
    g_test_add_func("/acpi/no-sleep", test_no_sleep);
    g_test_add_func("/acpi/waking", test_waking);
    g_test_add_func("/acpi/madt", test_madt);
    g_test_add_func("/acpi/x2apic", test_x2apic);
    g_test_add_func("/acpi/mcfg", test_mcfg);
    g_test_add_func("/acpi/no-mcfg", test_no_mcfg);
    g_test_add_func("/acpi/no-room", test_no_room);
    g_test_add_func("/acpi/too-much", test_too_much);
    return g_test_run();
}
