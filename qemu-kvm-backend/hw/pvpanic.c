/* pvpanic: a register by which a guest's kernel says that it has crashed (QEMU's docs/specs/pvpanic.rst): a
 * byte that is read for what can be told and written to tell it. There are two of them:
 *
 *     pvpanic       on ISA, where ACPI says. Key: port? u64 (0x505)
 *     pvpanic-pci   in memory space. Keys: bus?, slot?, function? (pci.h)
 *
 * A panic ends the run by the policy on-crash. What a crash kernel in the guest takes care of is news only.
 */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/aml.h"

#include <inttypes.h>

#define PANICKED     (1u << 0)
#define CRASH_LOADED (1u << 1)

#define USUAL_PORT 0x505u
#define BAR_SIZE   16u

typedef struct IsaPanic {
    Device dev;
    uint16_t port;
    bool told; /* the driver knows of a crash kernel */
} IsaPanic;

typedef struct PciPanic {
    PciFunction fn;
    bool told;
} PciPanic;

/* Once until the machine starts over: a guest that says it in a loop is no news. */
static void
tell_crash_loaded(Device *dev, bool *told)
{
    VmmMsg *event;

    if (*told)
        return;
    *told = true;
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_CRASH_LOADED);
    vmm_msg_put_string(event, "id", dev->id);
    dev->board->notify(dev->board, event);
}

static void
obey(Device *dev, uint8_t value, bool *told)
{
    if (value & PANICKED)
        dev->board->request(dev->board, BOARD_PANIC, 0, "The guest's kernel panicked");
    else if (value & CRASH_LOADED)
        tell_crash_loaded(dev, told);
}

/* On ISA. */

static uint64_t
isa_panic_read(Device *dev, uint64_t offset, unsigned size)
{
    return PANICKED | CRASH_LOADED;
}

static void
isa_panic_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    obey(dev, value, &((IsaPanic *)dev)->told);
}

static bool
isa_panic_create(Device *dev, VmmMsg *params, VmmError *err)
{
    static const BusOps ops = { isa_panic_read, isa_panic_write };
    uint64_t port = USUAL_PORT;

    vmm_msg_get_u64(params, "port", &port);
    if (port > UINT16_MAX)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Port 0x%" PRIx64 " of device '%s' is out of range", port, dev->id);
    ((IsaPanic *)dev)->port = port;
    return device_claim(dev, dev->board->pio, port, 1, &ops, err);
}

static void
isa_panic_reset(Device *dev)
{
    ((IsaPanic *)dev)->told = false;
}

/* Method (RDPT) { Return (PEPT) }, Method (WRPT, 1) { PEPT = Arg0 } */
static void
describe_methods(Aml *aml)
{
    aml_open_method(aml, "RDPT", 0);
    aml_operator(aml, AML_RETURN);
    aml_reference(aml, "PEPT");
    aml_close(aml);
    aml_open_method(aml, "WRPT", 1);
    aml_operator(aml, AML_STORE);
    aml_arg(aml, 0);
    aml_reference(aml, "PEPT");
    aml_close(aml);
}

static void
isa_panic_describe(Device *dev, Aml *aml)
{
    uint16_t port = ((IsaPanic *)dev)->port;

    aml_open_device(aml, "PEVT");
    aml_name_string(aml, "_HID", "QEMU0001");
    aml_name_integer(aml, "_STA", 0xf);
    aml_open_resources(aml, "_CRS");
    aml_resource_io(aml, port, 1);
    aml_close(aml);
    aml_port_field(aml, "PEOR", port, "PEPT");
    describe_methods(aml);
    aml_close(aml);
}

static const StateField isa_panic_fields[] = {
    STATE_NUMBER(IsaPanic, told),
    STATE_END,
};
static const StateTable isa_panic_state = { .version = 1, .fields = isa_panic_fields };

const DeviceClass pvpanic_class = {
    .name = VMM_CLASS_PVPANIC,
    .size = sizeof(IsaPanic),
    .create = isa_panic_create,
    .reset = isa_panic_reset,
    .describe = isa_panic_describe,
    .state = &isa_panic_state,
};

/* On PCI: one register, whose BAR is as small as memory space has them. */

static uint64_t
pci_panic_read(Device *dev, uint64_t offset, unsigned size)
{
    return offset == 0 ? PANICKED | CRASH_LOADED : 0;
}

static void
pci_panic_write(Device *dev, uint64_t offset, unsigned size, uint64_t value)
{
    if (offset == 0)
        obey(dev, value, &((PciPanic *)dev)->told);
}

static bool
pci_panic_create(Device *dev, VmmMsg *params, VmmError *err)
{
    static const PciIdentity identity = { 0x1b36, 0x0011, 1, 0x088000 };
    static const BusOps ops = { pci_panic_read, pci_panic_write };
    PciFunction *fn = (PciFunction *)dev;

    pci_init(fn, &identity, NULL);
    pci_add_bar(fn, 0, BAR_SIZE, 0, &ops);
    return pci_plug(fn, params, err);
}

static void
pci_panic_reset(Device *dev)
{
    pci_reset((PciFunction *)dev);
    ((PciPanic *)dev)->told = false;
}

static bool
pci_panic_eject(Device *dev, VmmError *err)
{
    return pci_eject((PciFunction *)dev, err);
}

static void
pci_panic_destroy(Device *dev)
{
    pci_unplug((PciFunction *)dev);
}

static const StateField pci_panic_fields[] = {
    STATE_STRUCT(PciPanic, fn, &pci_function_state),
    STATE_NUMBER(PciPanic, told),
    STATE_END,
};
static const StateTable pci_panic_state = { .version = 1, .fields = pci_panic_fields };

const DeviceClass pvpanic_pci_class = {
    .name = VMM_CLASS_PVPANIC_PCI,
    .needs = device_pci_classes,
    .size = sizeof(PciPanic),
    .create = pci_panic_create,
    .reset = pci_panic_reset,
    .eject = pci_panic_eject,
    .state = &pci_panic_state,
    .destroy = pci_panic_destroy,
};
