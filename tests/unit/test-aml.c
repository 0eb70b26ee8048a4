/* aml: bytes that ACPI 6.4 chapter 20 prescribes, and what iasl reads back from whole tables. */
#include "qemu-kvm-backend/x86/aml.h"

#include "tests/unit/iasl.h"

#include <glib.h>
#include <string.h>

static void
assert_bytes(const Aml *aml, const void *expected, size_t n)
{
    size_t size;
    const uint8_t *bytes = aml_bytes(aml, &size);

    g_assert_cmpmem(bytes, size, expected, n);
}

static void
test_integers(void)
{
    static const struct {
        uint64_t value;
        const char *code;
        size_t size;
    } cases[] = {
        { 0, "\x00", 1 },
        { 1, "\x01", 1 },
        { 2, "\x0a\x02", 2 },
        { 0xff, "\x0a\xff", 2 },
        { 0x100, "\x0b\x00\x01", 3 },
        { 0xffff, "\x0b\xff\xff", 3 },
        { 0x10000, "\x0c\x00\x00\x01\x00", 5 },
        { 0xffffffff, "\x0c\xff\xff\xff\xff", 5 },
        { 0x100000000, "\x0e\x00\x00\x00\x00\x01\x00\x00\x00", 9 },
        { UINT64_MAX, "\xff", 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree uint8_t *expected = g_malloc(1 + cases[i].size);
        Aml *aml = aml_new();

        expected[0] = 0xa4;
        memcpy(expected + 1, cases[i].code, cases[i].size);
        aml_return_integer(aml, cases[i].value);
        assert_bytes(aml, expected, 1 + cases[i].size);
        aml_free(aml);
    }
}

static void
test_names(void)
{
    static const struct {
        const char *path;
        const char *code;
        size_t size;
    } cases[] = {
        { "A", "A___", 4 },
        { "_CRS", "_CRS", 4 },
        { "\\_SB", "\\_SB_", 5 },
        { "\\", "\\\0", 2 },
        { "^^COM1", "^^COM1", 6 },
        { "_SB.PCI0", "\x2e_SB_PCI0", 9 },
        { "\\_SB.PCI0.S08", "\\\x2f\x03_SB_PCI0S08_", 15 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GByteArray *expected = g_byte_array_new();
        Aml *aml = aml_new();

        g_byte_array_append(expected, (const guint8 *)"\x08", 1);
        g_byte_array_append(expected, (const guint8 *)cases[i].code, cases[i].size);
        g_byte_array_append(expected, (const guint8 *)"\x00", 1);
        aml_name_integer(aml, cases[i].path, 0);
        assert_bytes(aml, expected->data, expected->len);
        g_byte_array_unref(expected);
        aml_free(aml);
    }
}

static void
test_eisaid(void)
{
    Aml *aml = aml_new();

    aml_name_eisaid(aml, "_HID", "PNP0501");
    assert_bytes(aml, "\x08_HID\x0c\x41\xd0\x05\x01", 10);
    aml_free(aml);
}

/* A scope "\X___" whose content is a string, so that the package is of exactly @size bytes after
 * its PkgLength. */
static Aml *
scope_of(size_t size)
{
    g_autofree char *text = g_strnfill(size - 5 - 7, 'x');
    Aml *aml = aml_new();

    aml_open_scope(aml, "\\X");
    aml_name_string(aml, "N", text);
    aml_close(aml);
    return aml;
}

/* PkgLength takes one byte up to 63, two up to 4095, three up to 1 MiB - 1, itself included. */
static void
test_lengths(void)
{
    static const struct {
        size_t size;
        const char *code;
        size_t n;
    } cases[] = {
        { 62, "\x3f", 1 },
        { 63, "\x41\x04", 2 },
        { 4093, "\x4f\xff", 2 },
        { 4094, "\x81\x00\x01", 3 },
        { 0xffffc, "\x8f\xff\xff", 3 },
        { 0xffffd, "\xc1\x00\x00\x01", 4 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Aml *aml = scope_of(cases[i].size);
        const uint8_t *bytes;
        size_t size;

        bytes = aml_bytes(aml, &size);
        g_assert_cmpuint(size, ==, 1 + cases[i].n + cases[i].size);
        g_assert_cmphex(bytes[0], ==, 0x10);
        g_assert_cmpmem(bytes + 1, cases[i].n, cases[i].code, cases[i].n);
        aml_free(aml);
    }
}

static void
test_resources(void)
{
    Aml *aml = aml_new();

    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, 0x3f8, 8);
    aml_resource_irq(aml, 4);
    aml_close(aml);
    assert_bytes(aml,
                 "\x08_CRS\x11\x10\x0a\x0d"
                 "\x47\x01\xf8\x03\xf8\x03\x01\x08"
                 "\x22\x10\x00"
                 "\x79\x00",
                 22);
    aml_free(aml);
}

static void
describe_all(Aml *aml)
{
    aml_open_package(aml, "\\_S5", 4);
    for (unsigned i = 0; i < 4; i++)
        aml_integer(aml, i * 1000);
    aml_close(aml);
    aml_open_scope(aml, "\\_SB");
    aml_open_device(aml, "COM1");
    aml_name_eisaid(aml, "_HID", "PNP0501");
    aml_name_string(aml, "_DDN", "first");
    aml_name_integer(aml, "_UID", 1);
    aml_open_method(aml, "_STA", 0);
    aml_return_integer(aml, 0xf);
    aml_close(aml);
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, 0x3f8, 8);
    aml_resource_irq(aml, 4);
    aml_close(aml);
    aml_close(aml);
    aml_open_scope(aml, "\\_SB.COM1");
    aml_name_integer(aml, "WIDE", 0x123456789abcull);
    aml_close(aml);
    aml_close(aml);
}

static void
test_disassembly(void)
{
    static const char *const expected[] = {
        "Name (\\_S5, Package (0x04)",
        "0x03E8",
        "Scope (\\_SB)",
        "Device (COM1)",
        "EisaId (\"PNP0501\")",
        "Name (_DDN, \"first\")",
        "Name (_UID, One)",
        "Method (_STA, 0, NotSerialized)",
        "Return (0x0F)",
        "IRQNoFlags ()",
        "{4}",
        "0x03F8,             // Range Minimum",
        "0x08,               // Length",
        "Name (WIDE, 0x0000123456789ABC)",
    };
    Aml *aml = aml_new();
    g_autofree char *asl = NULL;

    describe_all(aml);
    asl = iasl_round_trip_code(aml);
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        iasl_assert_has(asl, expected[i]);
    aml_free(aml);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/aml/integers", test_integers);
    g_test_add_func("/aml/names", test_names);
    g_test_add_func("/aml/eisaid", test_eisaid);
    g_test_add_func("/aml/lengths", test_lengths);
    g_test_add_func("/aml/resources", test_resources);
    g_test_add_func("/aml/disassembly", test_disassembly);
    return g_test_run();
}
