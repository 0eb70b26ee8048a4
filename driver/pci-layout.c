#include "driver/pci-layout.h"

#include "driver/device-controller.h"
#include "driver/error.h"

#include <string.h>

#define BUSES     256
#define SLOTS     32
#define FUNCTIONS 8

/* What bus 0 of a q35 has by itself, in slot 1f: ISA bridge, SATA and SMBus. */
#define CHIPSET_SLOT      0x1f
#define CHIPSET_FUNCTIONS (1u << 0 | 1u << 2 | 1u << 3)

/* Kinds of endpoints in the order in which libvirt looks for their places. */
static const char *const turns[] = {
    "filesystem", "interface", "sound", "controller", "disk",   "hostdev",  "memballoon", "rng",
    "watchdog",   "video",     "shmem", "input",      "serial", "parallel", "vsock",      "panic",
};

typedef struct Slot {
    guint8 taken;  /* a bit for each function */
    guint8 shared; /* by root ports, and so open to more of them */
} Slot;

typedef struct Layout {
    GPtrArray *devices;
    gboolean flat;
    Slot root[SLOTS];  /* of bus 0 */
    Slot links[BUSES]; /* of the others, each a link to one device: there is slot 0 alone */
    guint n_buses;     /* those that are there, from 0 */
} Layout;

/* NULL: there is none, as the check says of a document. */
static Slot *
slot_of(Layout *layout, const PciAddress *pci)
{
    if (pci->bus == 0)
        return &layout->root[pci->slot];
    return pci->slot == 0 ? &layout->links[pci->bus] : NULL;
}

/* FALSE where somebody has it. */
static gboolean
take(Layout *layout, const PciAddress *pci, PciRole role)
{
    Slot *slot = slot_of(layout, pci);
    gboolean was_free;

    if (!slot)
        return FALSE;
    was_free = !(slot->taken & 1u << pci->function);
    slot->shared = role == PCI_ROLE_PORT && (slot->shared || !slot->taken);
    slot->taken |= 1u << pci->function;
    return was_free;
}

static Layout
layout_of(GPtrArray *devices, gboolean flat)
{
    return (Layout){
        .devices = devices,
        .flat = flat,
        .root[CHIPSET_SLOT].taken = CHIPSET_FUNCTIONS,
    };
}

/* Whether the place that the document gives can be in the layout at all. */
static gboolean
is_placed(const Device *dev)
{
    PciRole role = device_pci_role(dev);

    return (role == PCI_ROLE_PORT || role == PCI_ROLE_ENDPOINT) && dev->pci.known &&
           dev->pci.domain == 0;
}

/* What the document has places for, and buses enough for those. */
static void
read_devices(Layout *layout)
{
    for (guint i = 0; i < layout->devices->len; i++) {
        const Device *dev = g_ptr_array_index(layout->devices, i);
        PciRole role = device_pci_role(dev);

        if (role == PCI_ROLE_PORT)
            layout->n_buses = MAX(layout->n_buses, MIN(device_controller_bus(dev), BUSES - 1) + 1);
        if (!is_placed(dev))
            continue;
        take(layout, &dev->pci, role);
        layout->n_buses = MAX(layout->n_buses, dev->pci.bus + 1);
    }
    layout->n_buses = MAX(layout->n_buses, 1);
}

static gboolean
has_role(const GPtrArray *devices, PciRole role)
{
    for (guint i = 0; i < devices->len; i++) {
        if (device_pci_role(g_ptr_array_index(devices, i)) == role)
            return TRUE;
    }
    return FALSE;
}

static void
add_root(const Layout *layout)
{
    GPtrArray *devices = layout->devices;
    gboolean needed = !layout->flat || has_role(devices, PCI_ROLE_PORT) ||
                      has_role(devices, PCI_ROLE_ENDPOINT);

    if (needed && !has_role(devices, PCI_ROLE_ROOT))
        g_ptr_array_add(devices, device_controller_new_root());
}

/* The first function on bus 0 that a root port can have. */
static gboolean
find_function(Layout *layout, PciAddress *ret)
{
    for (guint slot = 1; slot < SLOTS; slot++) {
        const Slot *at = &layout->root[slot];

        if (at->taken == 0xff || (at->taken && !at->shared))
            continue;
        ret->bus = 0;
        ret->slot = slot;
        ret->function = __builtin_ctz(~at->taken);
        return TRUE;
    }
    return FALSE;
}

static gboolean
place_port(Layout *layout, Device *port)
{
    if (port->pci.known)
        return TRUE;
    if (!find_function(layout, &port->pci))
        return FALSE;
    port->pci.domain = 0;
    port->pci.known = TRUE;
    take(layout, &port->pci, PCI_ROLE_PORT);
    return TRUE;
}

static gboolean
has_port(const Layout *layout, guint bus)
{
    for (guint i = 0; i < layout->devices->len; i++) {
        const Device *dev = g_ptr_array_index(layout->devices, i);

        if (device_pci_role(dev) == PCI_ROLE_PORT && device_controller_bus(dev) == bus)
            return TRUE;
    }
    return FALSE;
}

static gboolean
add_port(Layout *layout, guint bus)
{
    Device *port = device_controller_new_port(bus);

    if (!place_port(layout, port)) {
        device_free(port);
        return FALSE;
    }
    g_ptr_array_add(layout->devices, port);
    return TRUE;
}

/* The document's own ports first, then those that its addresses call for. */
static void
place_ports(Layout *layout)
{
    guint n = layout->devices->len;

    for (guint i = 0; i < n; i++) {
        Device *dev = g_ptr_array_index(layout->devices, i);

        if (device_pci_role(dev) == PCI_ROLE_PORT)
            place_port(layout, dev);
    }
    for (guint bus = 1; bus < layout->n_buses; bus++) {
        if (!has_port(layout, bus) && !add_port(layout, bus))
            return;
    }
}

/* The first bus with nothing on it, behind a new port where there is none. */
static gboolean
find_bus(Layout *layout, guint *ret)
{
    guint bus = 1;

    while (bus < layout->n_buses && layout->links[bus].taken)
        bus++;
    if (bus == BUSES || (bus == layout->n_buses && !add_port(layout, bus)))
        return FALSE;
    layout->n_buses = MAX(layout->n_buses, bus + 1);
    *ret = bus;
    return TRUE;
}

/* The first slot with nothing in it. */
static gboolean
find_slot(const Layout *layout, guint *ret)
{
    for (guint slot = 1; slot < SLOTS; slot++) {
        if (layout->root[slot].taken)
            continue;
        *ret = slot;
        return TRUE;
    }
    return FALSE;
}

static void
place_endpoint(Layout *layout, Device *dev)
{
    PciAddress *pci = &dev->pci, found = *pci;

    if (pci->known)
        return;
    found.bus = found.slot = found.domain = found.function = 0;
    if (!(layout->flat ? find_slot(layout, &found.slot) : find_bus(layout, &found.bus)))
        return;
    *pci = found;
    pci->known = TRUE;
    take(layout, pci, PCI_ROLE_ENDPOINT);
}

static void
place_endpoints(Layout *layout)
{
    for (gsize turn = 0; turn < G_N_ELEMENTS(turns); turn++) {
        for (guint i = 0; i < layout->devices->len; i++) {
            Device *dev = g_ptr_array_index(layout->devices, i);

            if (device_pci_role(dev) == PCI_ROLE_ENDPOINT &&
                strcmp(dev->kind->element, turns[turn]) == 0)
                place_endpoint(layout, dev);
        }
    }
}

/* Function 0 says that there are others in its slot (PCI 3.0, section 6.2.1). */
static void
mark_multifunction(Layout *layout)
{
    for (guint i = 0; i < layout->devices->len; i++) {
        Device *dev = g_ptr_array_index(layout->devices, i);
        const Slot *slot = is_placed(dev) ? slot_of(layout, &dev->pci) : NULL;

        if (slot && dev->pci.function == 0 && dev->pci.multifunction < 0 && slot->taken & ~1u)
            dev->pci.multifunction = 0;
    }
}

void
pci_layout_complete(GPtrArray *devices, gboolean flat)
{
    Layout layout = layout_of(devices, flat);
    gboolean ours = !flat && !has_role(devices, PCI_ROLE_PORT);
    guint spare;

    read_devices(&layout);
    add_root(&layout);
    place_ports(&layout);
    place_endpoints(&layout);
    if (ours && layout.n_buses > 1)
        find_bus(&layout, &spare);
    mark_multifunction(&layout);
    device_controllers_sort(devices);
}

gboolean
pci_layout_plug(GPtrArray *devices, Device *dev, GError **error)
{
    Layout layout = layout_of(devices, FALSE);

    if (dev->pci.known || device_pci_role(dev) != PCI_ROLE_ENDPOINT)
        return TRUE;
    read_devices(&layout);
    for (guint bus = 1; bus < layout.n_buses; bus++) {
        if (!has_port(&layout, bus) || layout.links[bus].taken)
            continue;
        dev->pci = (PciAddress){ .known = TRUE, .bus = bus, .multifunction = -1 };
        return TRUE;
    }
    return driver_error(error, VIR_ERR_INTERNAL_ERROR, "No more available PCI slots");
}

/* Checking */

#define ADDRESS         "%04x:%02x:%02x.%x"
#define ADDRESS_OF(pci) (pci)->domain, (pci)->bus, (pci)->slot, (pci)->function

/* Where a device may be: on the root's bus, in slots 1 to 31; on a port's bus, which is a link to one
 * device, in slot 0. */
static gboolean
check_place(const Device *dev, GError **error)
{
    const PciAddress *pci = &dev->pci;

    if (pci->domain != 0)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid PCI address " ADDRESS ". Only PCI domain 0 is available",
                            ADDRESS_OF(pci));
    if (pci->bus != 0 && device_pci_role(dev) == PCI_ROLE_PORT)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "The device at PCI address " ADDRESS " cannot be plugged into the PCI "
                            "controller with index='%u'. It requires a controller that accepts a "
                            "pcie-root-port.",
                            ADDRESS_OF(pci), pci->bus);
    if (pci->bus == 0 && pci->slot == 0)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid PCI address " ADDRESS ". slot must be >= 1", ADDRESS_OF(pci));
    if (pci->bus != 0 && pci->slot != 0)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid PCI address " ADDRESS ". slot must be <= 0", ADDRESS_OF(pci));
    return TRUE;
}

static gboolean
check_device(Layout *layout, const Device *dev, GError **error)
{
    PciRole role = device_pci_role(dev);

    if (role != PCI_ROLE_PORT && role != PCI_ROLE_ENDPOINT)
        return TRUE;
    if (!dev->pci.known || (dev->pci.bus && !has_port(layout, dev->pci.bus)))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "a PCI slot is needed to connect a PCI controller "
                            "model='pcie-root-port', but none is available, and it cannot be "
                            "automatically added");
    if (!check_place(dev, error))
        return FALSE;
    return take(layout, &dev->pci, role) ||
           driver_error(error, VIR_ERR_XML_ERROR, "Attempted double use of PCI Address " ADDRESS,
                        ADDRESS_OF(&dev->pci));
}

/* A slot whose function 0 denies that there are others: the guest would never see them. */
static gboolean
check_multifunction(Layout *layout, const Device *dev, GError **error)
{
    const PciAddress *pci = &dev->pci;
    const Slot *slot = is_placed(dev) ? slot_of(layout, pci) : NULL;

    if (!slot || pci->function != 0 || pci->multifunction != 1 || !(slot->taken & ~1u))
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value 'off' of attribute 'multifunction' of <address> is not supported "
                        "by this machine where the slot has other functions");
}

gboolean
pci_layout_check(const GPtrArray *devices, GError **error)
{
    Layout layout = layout_of((GPtrArray *)devices, FALSE);

    for (guint i = 0; i < devices->len; i++) {
        if (!check_device(&layout, g_ptr_array_index(devices, i), error))
            return FALSE;
    }
    for (guint i = 0; i < devices->len; i++) {
        if (!check_multifunction(&layout, g_ptr_array_index(devices, i), error))
            return FALSE;
    }
    return TRUE;
}
