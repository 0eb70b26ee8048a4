/* iasl: ACPI tables read back by ACPICA's disassembler, and run by its interpreter, which are not ours. */
#pragma once

#include "qemu-kvm-backend/x86/aml.h"

/* Disassembles @table, which must go without errors or warnings, and compiles the outcome again, which
 * must go without errors. The text in ASL; free with g_free(). */
char *iasl_round_trip(const void *table, size_t size);
/* The same for bare code: as a DSDT. */
char *iasl_round_trip_code(const Aml *aml);
/* What ACPICA's interpreter says when it has loaded the code and got @commands, with semicolons in between; free with
 * g_free(). Ports and configuration space are bytes of its own there, which are zero at first. */
char *iasl_execute(const Aml *aml, const char *commands);
void iasl_assert_has(const char *asl, const char *part);
