/* root-port: a PCI Express root port, the slot behind which one device is plugged in and out while the guest runs,
 * with native hot plug (PCI Express Base 5.0, 7.5.3 for the registers, 6.7 for what they mean). Its identity is that
 * of QEMU's generic one, so that guests have a driver for it.
 *
 * Keys: bus?, slot?, function? (pci.h), port? u64 (up to 255; slot * 8 + function): the number of its link. Its id
 * is the name of the bus behind it.
 *
 * A device comes at once: presence and link change. It goes when the guest says so: the attention button asks,
 * and the guest answers by turning the slot's power off. */
#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/pci-msix.h"
#include "qemu-kvm-backend/pci.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"

#define BAR_MSIX  0
#define N_VECTORS 1

/* The PCI Express capability: offsets in it. */
#define CAP_ID         0x10
#define CAP_SIZE       0x3c
#define EXPRESS_CAPS   0x02
#define DEVICE_CAPS    0x04
#define DEVICE_CONTROL 0x08
#define LINK_CAPS      0x0c
#define LINK_CONTROL   0x10
#define LINK_STATUS    0x12
#define SLOT_CAPS      0x14
#define SLOT_CONTROL   0x18
#define SLOT_STATUS    0x1a
#define ROOT_CONTROL   0x1c
#define LINK_CAPS2     0x2c
#define LINK_CONTROL2  0x30

#define EXPRESS_ROOT_PORT 0x0142u /* version 2, root port, with a slot */
#define DEVICE_ROLE_ERROR 0x8000u /* role-based error reporting, which every device has */
#define LINK_2_5GT_X1     0x0011u
#define LINK_REPORTS      (1u << 20) /* says whether the link is up */
#define LINK_PORT_AT      24         /* the port's number */
#define LINK_PORT_MAX     0xff
#define LINK_UP           (1u << 13)

/* Slot capabilities: attention button, power controller, both indicators, surprise, hot-plug capable, no
 * command completed events. */
#define SLOT_CAPS_BITS          (1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 18)
#define SLOT_NUMBER_AT          19
#define CONTROL_BITS            0x17ffu
#define CONTROL_HOT_PLUG        (1u << 5) /* interrupts are on */
#define CONTROL_POWER_INDICATOR 0x0300u
#define CONTROL_POWER_OFF       (1u << 10)
#define SLOT_ON                 0x01c0u /* the power indicator is on, that of attention off */
#define SLOT_OFF                0x07c0u /* both are off, and so is the power */

/* Slot status; each event has its enable bit in the control register at the same place but the last. */
#define STATUS_BUTTON     (1u << 0)
#define STATUS_PRESENCE   (1u << 3) /* changed */
#define STATUS_IS_PRESENT (1u << 6)
#define STATUS_LINK       (1u << 8) /* changed */
#define CONTROL_LINK      (1u << 12)
#define STATUS_EVENTS     (STATUS_BUTTON | STATUS_PRESENCE | STATUS_LINK)

typedef struct RootPort {
    PciFunction fn;
    PciMsix *msix;
    unsigned cap;
    uint32_t control; /* SLOT_CONTROL as it was before the guest's last write */
    bool raised;      /* there is an event that the guest wants to hear of */
} RootPort;

static uint32_t
get(const RootPort *port, unsigned offset)
{
    return pci_get(&port->fn, port->cap + offset, 2);
}

static void
set(RootPort *port, unsigned offset, uint32_t value)
{
    pci_set(&port->fn, port->cap + offset, 2, value);
}

/* An interrupt when the first enabled event comes; messages have an edge, the pin a level (6.7.3.4). */
static void
update_interrupt(RootPort *port)
{
    uint32_t control = get(port, SLOT_CONTROL), status = get(port, SLOT_STATUS);
    bool wanted =
        control & CONTROL_HOT_PLUG && (control & status & (STATUS_BUTTON | STATUS_PRESENCE) ||
                                       (control & CONTROL_LINK && status & STATUS_LINK));

    pci_set_intx(&port->fn, wanted && !pci_msix_is_enabled(port->msix));
    if (pci_msix_is_enabled(port->msix) && wanted && !port->raised)
        pci_msix_raise(port->msix, 0);
    port->raised = wanted;
}

static void
show_presence(RootPort *port, bool present)
{
    uint32_t status = get(port, SLOT_STATUS) & ~STATUS_IS_PRESENT;

    set(port, SLOT_STATUS, present ? status | STATUS_IS_PRESENT : status);
    set(port, LINK_STATUS, present ? LINK_2_5GT_X1 | LINK_UP : LINK_2_5GT_X1);
}

static void
port_plugged(PciFunction *bridge, bool present)
{
    RootPort *port = (RootPort *)bridge;

    if (present == !!(get(port, SLOT_STATUS) & STATUS_IS_PRESENT))
        return;
    show_presence(port, present);
    set(port, SLOT_STATUS, get(port, SLOT_STATUS) | STATUS_PRESENCE | STATUS_LINK);
    update_interrupt(port);
}

static bool
port_press_button(PciFunction *bridge)
{
    RootPort *port = (RootPort *)bridge;
    uint32_t heard = CONTROL_HOT_PLUG | STATUS_BUTTON;

    if ((get(port, SLOT_CONTROL) & heard) != heard)
        return false;
    set(port, SLOT_STATUS, get(port, SLOT_STATUS) | STATUS_BUTTON);
    update_interrupt(port);
    return true;
}

static bool
is_off(uint32_t control)
{
    return control & CONTROL_POWER_OFF &&
           (control & CONTROL_POWER_INDICATOR) == CONTROL_POWER_INDICATOR;
}

/* Power and its indicator are off: the device may be taken out (6.7.1.8). */
static void
let_go(RootPort *port)
{
    Board *board = port->fn.dev.board;

    for (PciFunction *fn = pci_next(port->fn.secondary, NULL); fn;
         fn = pci_next(port->fn.secondary, fn)) {
        VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_DEVICE_REMOVED);

        vmm_msg_put_string(event, "id", fn->dev.id);
        board->notify(board, event);
    }
    port_plugged(&port->fn, false);
}

static void
port_config_written(PciFunction *fn, unsigned offset, unsigned size)
{
    RootPort *port = (RootPort *)fn;
    uint32_t before = port->control, control = get(port, SLOT_CONTROL);

    pci_msix_config_written(port->msix, offset, size);
    port->control = control;
    if (get(port, SLOT_STATUS) & STATUS_IS_PRESENT && is_off(control) && !is_off(before))
        let_go(port);
    update_interrupt(port);
}

static const PciOps port_ops = {
    .config_written = port_config_written,
    .plugged = port_plugged,
    .press_button = port_press_button,
};

static void
add_express(RootPort *port)
{
    PciFunction *fn = &port->fn;
    unsigned cap = pci_add_capability(fn, CAP_ID, CAP_SIZE);

    port->cap = cap;
    pci_set(fn, cap + EXPRESS_CAPS, 2, EXPRESS_ROOT_PORT);
    pci_set(fn, cap + DEVICE_CAPS, 4, DEVICE_ROLE_ERROR);
    pci_allow(fn, cap + DEVICE_CONTROL, 2, 0x70ff);
    pci_allow(fn, cap + LINK_CONTROL, 2, 0x00c3);
    pci_set(fn, cap + LINK_CAPS2, 4, 1u << 1);
    pci_set(fn, cap + LINK_CONTROL2, 2, 1);
    pci_allow(fn, cap + SLOT_CONTROL, 2, CONTROL_BITS);
    fn->clearable[cap + SLOT_STATUS] = STATUS_EVENTS & 0xff;
    fn->clearable[cap + SLOT_STATUS + 1] = STATUS_EVENTS >> 8;
    pci_allow(fn, cap + ROOT_CONTROL, 2, 0x001f);
}

/* What follows from the place: the slot's number, and the port's where nothing else is said. */
static bool
number_port(RootPort *port, VmmMsg *params, VmmError *err)
{
    uint64_t place = port->fn.slot * 8u + port->fn.function, number = place;

    vmm_msg_get_u64(params, "port", &number);
    if (number > LINK_PORT_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "The port of device '%s' is greater than %u",
                         port->fn.dev.id, LINK_PORT_MAX);
    pci_set(&port->fn, port->cap + LINK_CAPS, 4,
            LINK_2_5GT_X1 | LINK_REPORTS | (uint32_t)number << LINK_PORT_AT);
    pci_set(&port->fn, port->cap + SLOT_CAPS, 4, SLOT_CAPS_BITS | place << SLOT_NUMBER_AT);
    return true;
}

static bool
port_create(Device *dev, VmmMsg *params, VmmError *err)
{
    static const PciIdentity identity = { 0x1b36, 0x000c, 0, 0x060400 };
    RootPort *port = (RootPort *)dev;

    pci_init(&port->fn, &identity, &port_ops);
    pci_make_bridge(&port->fn);
    pci_add_pin(&port->fn);
    add_express(port);
    port->msix = pci_msix_new(&port->fn, BAR_MSIX, N_VECTORS, err);
    return port->msix && pci_plug(&port->fn, params, err) && number_port(port, params, err);
}

static void
port_reset(Device *dev)
{
    RootPort *port = (RootPort *)dev;
    const PciFunction *first = pci_next(port->fn.secondary, NULL);
    bool present = first && first->function == 0;

    pci_msix_reset(port->msix);
    pci_reset(&port->fn);
    port->control = present ? SLOT_ON : SLOT_OFF;
    set(port, SLOT_CONTROL, port->control);
    show_presence(port, present);
    port->raised = false;
}

static void *
find_msix(void *object)
{
    return ((RootPort *)object)->msix;
}

/* Whether something is behind it is in its configuration space too, where it is as it was: the machine must
 * have the same devices. */
static const StateField port_fields[] = {
    STATE_STRUCT(RootPort, fn, &pci_function_state),
    STATE_PART("msix", find_msix, &pci_msix_state),
    STATE_NUMBER(RootPort, control),
    STATE_NUMBER(RootPort, raised),
    STATE_END,
};

static const StateTable port_state = { .version = 1, .fields = port_fields };

static void
port_destroy(Device *dev)
{
    RootPort *port = (RootPort *)dev;

    pci_unplug(&port->fn);
    pci_msix_free(port->msix);
}

const DeviceClass root_port_class = {
    .name = VMM_CLASS_ROOT_PORT,
    .needs = device_pci_classes,
    .size = sizeof(RootPort),
    .create = port_create,
    .reset = port_reset,
    .state = &port_state,
    .destroy = port_destroy,
};
