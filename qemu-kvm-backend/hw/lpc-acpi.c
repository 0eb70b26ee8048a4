#include "qemu-kvm-backend/hw/lpc-acpi.h"

#include "qemu-kvm-backend/hw/lpc-pirq.h"
#include "qemu-kvm-backend/pci.h"

#include <stdio.h>

/* _STA, ACPI 6.4, 6.3.7: there, or there and on; never shown. */
#define LINK_OFF 0x09
#define LINK_ON  0x0b

#define IRQ_AT 5 /* the number in an extended interrupt descriptor, 6.4.3.6 */

/* What no device of ISA has. */
static const uint32_t irqs[] = { 5, 10, 11 };

/* PIRQA_ROUT and on: a byte for each line. */
static void
describe_bridge(Aml *aml)
{
    char name[] = "PRQA";

    aml_open_scope(aml, "PCI0");
    aml_open_device(aml, "LPC");
    aml_name_integer(aml, "_ADR", LPC_SLOT << 16);
    aml_open_config_field(aml, "PIRQ", LPC_PIRQA_ROUT, LPC_PIRQE_ROUT + 4 - LPC_PIRQA_ROUT);
    for (unsigned line = 0; line < PCI_LINES; line++) {
        if (line == 4)
            aml_field_gap(aml, LPC_PIRQE_ROUT - LPC_PIRQA_ROUT - 4);
        name[3] = 'A' + line;
        aml_field_byte(aml, name);
    }
    aml_close(aml);
    aml_close(aml);
    aml_close(aml);
}

static void
describe_status(Aml *aml, const char *rout)
{
    aml_open_method(aml, "_STA", 0);
    aml_open_if(aml);
    aml_operator(aml, AML_AND);
    aml_reference(aml, rout);
    aml_constant(aml, LPC_PIRQ_UNROUTED);
    aml_constant(aml, 0); /* the result goes nowhere else */
    aml_return_integer(aml, LINK_OFF);
    aml_close(aml);
    aml_return_integer(aml, LINK_ON);
    aml_close(aml);
}

static void
describe_disable(Aml *aml, const char *rout)
{
    aml_open_method(aml, "_DIS", 0);
    aml_operator(aml, AML_OR);
    aml_reference(aml, rout);
    aml_constant(aml, LPC_PIRQ_UNROUTED);
    aml_reference(aml, rout);
    aml_close(aml);
}

/* Of one that nobody has set, 0: none. */
static void
describe_current(Aml *aml, const char *rout)
{
    aml_open_resources(aml, "CRSB");
    aml_resource_pci_irq(aml, &(uint32_t){ 0 }, 1);
    aml_close(aml);
    aml_open_serial_method(aml, "_CRS", 0);
    aml_dword_field_of(aml, "CRSB", IRQ_AT, "CIRQ");
    aml_operator(aml, AML_AND);
    aml_reference(aml, rout);
    aml_constant(aml, LPC_PIRQ_IRQ);
    aml_reference(aml, "CIRQ");
    aml_operator(aml, AML_RETURN);
    aml_reference(aml, "CRSB");
    aml_close(aml);
}

static void
describe_choice(Aml *aml, const char *rout)
{
    aml_open_resources(aml, "_PRS");
    aml_resource_pci_irq(aml, irqs, sizeof(irqs) / sizeof(irqs[0]));
    aml_close(aml);
    aml_open_serial_method(aml, "_SRS", 1);
    aml_dword_field(aml, 0, IRQ_AT, "SIRQ");
    aml_operator(aml, AML_STORE);
    aml_reference(aml, "SIRQ");
    aml_reference(aml, rout);
    aml_close(aml);
}

/* 6.2.13 */
static void
describe_link(Aml *aml, unsigned line)
{
    char rout[24], name[] = "LNKA";

    name[3] = 'A' + line;
    snprintf(rout, sizeof(rout), "\\_SB.PCI0.LPC.PRQ%c", 'A' + line);
    aml_open_device(aml, name);
    aml_name_eisaid(aml, "_HID", "PNP0C0F");
    aml_name_integer(aml, "_UID", line);
    describe_status(aml, rout);
    describe_disable(aml, rout);
    describe_current(aml, rout);
    describe_choice(aml, rout);
    aml_close(aml);
}

void
lpc_acpi_describe(Aml *aml)
{
    describe_bridge(aml);
    for (unsigned line = 0; line < PCI_LINES; line++)
        describe_link(aml, line);
}
