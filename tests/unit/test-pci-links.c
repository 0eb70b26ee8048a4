/* PCI's pins where a system drives the I/O APIC, and where it has the PICs alone: what it is told, by ACPICA's own
 * interpreter. */
#include "qemu-kvm-backend/device-classes.h"
#include "tests/unit/iasl.h"
#include "tests/unit/test-board.h"

#include <glib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

#define OP_DEREF 0x83 /* of a reference */
#define OP_INDEX 0x88 /* of a package or buffer, a number, a target */

#define SET_11 "execute \\_SB.LNKC._SRS (89 06 00 0D 01 0B 00 00 00 79 00);"

/* Method(PIN, 1) { Return(DerefOf(Index(\_SB.PCI0._PRT, Arg0))) }: the interpreter's shell has no room for all of it. */
static void
describe_pin(Aml *aml)
{
    aml_open_method(aml, "\\PIN", 1);
    aml_operator(aml, AML_RETURN);
    aml_operator(aml, (AmlOperator)OP_DEREF);
    aml_operator(aml, (AmlOperator)OP_INDEX);
    aml_reference(aml, "\\_SB.PCI0._PRT");
    aml_arg(aml, 0);
    aml_constant(aml, 0);
    aml_close(aml);
}

/* A machine's tables as far as they are about PCI. */
static Aml *
describe(void)
{
    TestBoard *test = test_board_new(NULL);
    Aml *aml = aml_new();
    Device *host, *lpc;

    test->board.memory = memory_new(16 * MIB, NULL);
    host = test_board_add(test, &pci_host_class, NULL);
    lpc = test_board_add(test, &lpc_class, NULL);
    aml_open_scope(aml, "\\_SB");
    host->class->describe(host, aml);
    lpc->class->describe(lpc, aml);
    aml_close(aml);
    describe_pin(aml);
    device_free(lpc);
    device_free(host);
    test_board_free(test);
    return aml;
}

/* What it says to the last of @commands, in words with a space in between. */
static char *
execute(const char *commands)
{
    Aml *aml = describe();
    g_autofree char *said = iasl_execute(aml, commands);
    const char *last = g_strrstr(said, "\nEvaluating ");
    g_autoptr(GRegex) words = NULL;

    aml_free(aml);
    g_assert_null(strstr(said, "Error"));
    g_assert_nonnull(last);
    words = g_regex_new("\\s+", 0, 0, NULL);
    return g_regex_replace_literal(words, last, -1, 0, " ", 0, NULL);
}

static void
assert_says(const char *commands, const char *part)
{
    g_autofree char *said = execute(commands);

    iasl_assert_has(said, part);
}

static void
test_text(void)
{
    static const char *const expected[] = {
        "Device (LPC)",
        "Name (_ADR, 0x001F0000)",
        "OperationRegion (PIRQ, PCI_Config, 0x60, 0x0C)",
        "PRQD,   8, ",
        "Offset (0x08), ",
        "PRQH,   8",
        "Name (_HID, EisaId (\"PNP0C0F\")",
        "Interrupt (ResourceConsumer, Level, ActiveLow, Shared, ,, )",
        "0x00000005,",
        "0x0000000A,",
        "0x0000000B,",
        "Method (_CRS, 0, Serialized)",
        "\\_SB.PCI0.LPC.PRQH |= 0x80",
    };
    Aml *aml = describe();
    g_autofree char *asl = iasl_round_trip_code(aml);

    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        iasl_assert_has(asl, expected[i]);
    aml_free(aml);
}

/* Slot 3's first pin and slot 31's last one: elements 12 and 127. */
static void
test_routes(void)
{
    assert_says("execute \\PIN 12", "= 000000000003FFFF [Integer] = 0000000000000000 [Object Reference]");
    assert_says("execute \\PIN 12", "Name LNKD Device [Integer] = 0000000000000000");
    assert_says("execute \\PIN 127", "= 00000000001FFFFF [Integer] = 0000000000000003 [Object Reference]");
    assert_says("execute \\PIN 127", "Name LNKC Device");
    assert_says("execute \\_PIC 1;execute \\PIN 12",
                "= 0000000000000000 [Integer] = 0000000000000000 [Integer] = 0000000000000013");
    assert_says("execute \\_PIC 1;execute \\PIN 127", "[Integer] = 0000000000000012");
    assert_says("execute \\_PIC 1;execute \\_PIC 0;execute \\PIN 12", "Name LNKD Device");
}

/* As a system looks for an interrupt, sets it, and lets it go. */
static void
test_link(void)
{
    assert_says("execute \\_SB.LNKC._CRS", "89 06 00 0D 01 00 00 00 00 79 00");
    assert_says(SET_11 "execute \\_SB.LNKC._CRS", "89 06 00 0D 01 0B 00 00 00 79 00");
    assert_says(SET_11 "execute \\_SB.LNKC._STA", "[Integer] = 000000000000000B");
    assert_says(SET_11 "execute \\_SB.LNKD._CRS", "89 06 00 0D 01 00 00 00 00 79 00");
    assert_says(SET_11 "execute \\_SB.LNKC._DIS;execute \\_SB.LNKC._STA",
                "[Integer] = 0000000000000009");
    assert_says(SET_11 "execute \\_SB.LNKC._DIS;" SET_11 "execute \\_SB.LNKC._STA",
                "[Integer] = 000000000000000B");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pci-links/text", test_text);
    g_test_add_func("/pci-links/routes", test_routes);
    g_test_add_func("/pci-links/link", test_link);
    return g_test_run();
}
