/* lpc: the LPC bridge of Intel's ICH9 (datasheet 316972, chapter 13) as far as firmware and kernels look for it: it
 * is there, and its registers hold what they are given. It leads interrupt pins to the PICs, besides GSI 16 to 23
 * (pci.h), where they always arrive. What it would move stays where it is: the PM ports at LAYOUT_PM_BASE. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/hw/lpc-acpi.h"
#include "qemu-kvm-backend/hw/lpc-pirq.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/layout.h"

#define PIRQ_IRQS 0xdef8u /* 3 to 7, 9 to 12, 14 and 15; the other values are reserved */

typedef struct Register {
    uint8_t offset, size;
    uint32_t writable, initial;
} Register;

/* 13.1.13 and on */
static const Register registers[] = {
    { 0x40, 4, 0x0000ff80, LAYOUT_PM_BASE | 1 },   /* PMBASE, I/O */
    { 0x44, 1, 0x87, 0x80 },                       /* ACPI_CNTL: the PM ports are on, SCI is 9 */
    { 0x48, 4, 0x0000ff80, 1 },                    /* GPIOBASE */
    { 0x4c, 1, 0x13, 0 },                          /* GPIO control */
    { LPC_PIRQA_ROUT, 4, 0x8f8f8f8f, 0x80808080 }, /* PIRQA to PIRQD: routed to no ISA interrupt */
    { 0x64, 1, 0xd3, 0x10 },                       /* serial interrupts */
    { LPC_PIRQE_ROUT, 4, 0x8f8f8f8f, 0x80808080 }, /* PIRQE to PIRQH */
    { 0x80, 4, 0x3f0f1377, 0 },                    /* which ports LPC decodes */
    { 0x84, 4, 0x00fcfffd, 0 },
    { 0xa0, 4, 0x0000ffff, 0 }, /* power management configuration */
    { 0xdc, 1, 0x2f, 0 },       /* BIOS control */
    { 0xf0, 4, 0xffffc001, 0 }, /* RCBA: nothing answers there */
};

/* 13.1.17 and 13.1.19 */
static void
lead_lines(PciFunction *fn)
{
    for (unsigned line = 0; line < PCI_LINES; line++) {
        unsigned at = line < 4 ? LPC_PIRQA_ROUT + line : LPC_PIRQE_ROUT + line - 4;
        unsigned rout = pci_get(fn, at, 1), irq = rout & LPC_PIRQ_IRQ;

        pci_lead_line(fn, line, rout & LPC_PIRQ_UNROUTED || !(PIRQ_IRQS >> irq & 1) ? 0 : irq);
    }
}

static void
lpc_config_written(PciFunction *fn, unsigned offset, unsigned size)
{
    if (offset + size > LPC_PIRQA_ROUT && offset < LPC_PIRQE_ROUT + 4)
        lead_lines(fn);
}

static const PciOps lpc_ops = { .config_written = lpc_config_written };

static bool
lpc_create(Device *dev, VmmMsg *params, VmmError *err)
{
    static const PciIdentity identity = { 0x8086, 0x2918, 2, 0x060100 };
    PciFunction *fn = (PciFunction *)dev;

    pci_init(fn, &identity, &lpc_ops);
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        pci_allow(fn, registers[i].offset, registers[i].size, registers[i].writable);
    return pci_plug_at(fn, pci_root(dev->board->pci), LPC_SLOT, 0, err);
}

static void
lpc_reset(Device *dev)
{
    PciFunction *fn = (PciFunction *)dev;

    pci_reset(fn);
    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
        pci_set(fn, registers[i].offset, registers[i].size, registers[i].initial);
    lead_lines(fn);
}

static bool
lpc_loaded(void *object, VmmError *err)
{
    lead_lines(object);
    return true;
}

static const StateTable lpc_state = {
    .version = 1,
    .fields = pci_function_fields,
    .loaded = lpc_loaded,
};

static void
lpc_describe(Device *dev, struct Aml *aml)
{
    lpc_acpi_describe(aml);
}

static void
lpc_destroy(Device *dev)
{
    pci_unplug((PciFunction *)dev);
}

const DeviceClass lpc_class = {
    .name = "lpc",
    .size = sizeof(PciFunction),
    .create = lpc_create,
    .reset = lpc_reset,
    .describe = lpc_describe,
    .state = &lpc_state,
    .destroy = lpc_destroy,
};
