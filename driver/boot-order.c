#include "driver/boot-order.h"

#include "driver/device-controller.h"

/* A function is left out where it is 0 (IEEE 1275's PCI binding, section 2.2.1.3). */
static void
append_node(GString *path, const char *name, const PciAddress *pci)
{
    g_string_append_printf(path, "/%s@%x", name, pci->slot);
    if (pci->function)
        g_string_append_printf(path, ",%x", pci->function);
}

static const Device *
find_port(const GPtrArray *devices, guint bus)
{
    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        if (device_pci_role(dev) == PCI_ROLE_PORT && device_controller_bus(dev) == bus)
            return dev;
    }
    return NULL;
}

/* The root by the port of its configuration cycles, the port that leads to the device's bus, the device, and
 * what it is in itself: "/pci@i0cf8/pci-bridge@1,2/scsi@0/disk@0,0". */
static void
append_path(GString *lines, const GPtrArray *devices, const Device *dev)
{
    const Device *port = dev->pci.bus ? find_port(devices, dev->pci.bus) : NULL;

    g_string_append(lines, "/pci@i0cf8");
    if (port)
        append_node(lines, "pci-bridge", &port->pci);
    append_node(lines, dev->kind->firmware_name, &dev->pci);
    g_string_append_printf(lines, "/%s\n", dev->kind->firmware_unit);
}

static int
compare_orders(gconstpointer a, gconstpointer b)
{
    guint one = (*(const Device *const *)a)->boot_order,
          other = (*(const Device *const *)b)->boot_order;

    return (one > other) - (one < other);
}

/* Those with an order of their own. */
static GPtrArray *
ordered_devices(const DomainDef *def)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < def->devices->len; i++) {
        Device *dev = g_ptr_array_index(def->devices, i);

        if (dev->boot_order && dev->kind->firmware_name)
            g_ptr_array_add(list, dev);
    }
    g_ptr_array_sort(list, compare_orders);
    return list;
}

/* Of each kind that <boot dev=...> names the first one, as in libvirt. */
static GPtrArray *
first_devices(const DomainDef *def)
{
    GPtrArray *list = g_ptr_array_new();

    for (guint i = 0; i < def->os.n_boot; i++) {
        gboolean found = FALSE;

        for (guint j = 0; j < def->devices->len && !found; j++) {
            Device *dev = g_ptr_array_index(def->devices, j);

            found = dev->kind->firmware_name && dev->kind->boots_as(dev) == def->os.boot[i] &&
                    !g_ptr_array_find(list, dev, NULL);
            if (found)
                g_ptr_array_add(list, dev);
        }
    }
    return list;
}

static GPtrArray *
list_devices(const DomainDef *def)
{
    return def->os.n_boot ? first_devices(def) : ordered_devices(def);
}

gboolean
boot_order_has(const DomainDef *def, DomainBoot what, gboolean *ret_alone)
{
    g_autoptr(GPtrArray) list = list_devices(def);
    guint n = 0;

    for (guint i = 0; i < list->len; i++) {
        const Device *dev = g_ptr_array_index(list, i);

        n += dev->kind->boots_as(dev) == what;
    }
    *ret_alone = n == list->len && !def->os.kernel;
    return n > 0;
}

char *
boot_order_compose(const DomainDef *def)
{
    g_autoptr(GPtrArray) list = list_devices(def);
    GString *lines = g_string_new(NULL);

    for (guint i = 0; i < list->len; i++)
        append_path(lines, def->devices, g_ptr_array_index(list, i));
    g_string_append(lines, "HALT");
    return g_string_free(lines, FALSE);
}
