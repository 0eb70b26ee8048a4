#include "driver/device-virtio-serial.h"

#include "driver/chardev-open.h"
#include "driver/device-controller.h"
#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <string.h>

/* The other types are the policy table's to refuse. */
gboolean
virtio_serial_parse_address(VirtioPort *at, const XmlNode *node, GError **error)
{
    const XmlNode *child = xml_child(node, "address");
    g_autofree char *type = child ? xml_attr(child, "type") : NULL;
    guint bus = 0;

    if (!child)
        return TRUE;
    if (g_strcmp0(type, "virtio-serial") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown address type '%s'",
                            type ? type : "(null)");
    if (!xml_attr_uint(child, "controller", XML_OPTIONAL, &at->controller, error) ||
        !xml_attr_uint(child, "bus", XML_OPTIONAL, &bus, error) ||
        !xml_attr_uint(child, "port", XML_OPTIONAL, &at->port, error))
        return FALSE;
    if (bus != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'bus' of <address> is not supported by this "
                            "machine",
                            bus);
    at->said = at->known = at->port != 0;
    return TRUE;
}

static void
put_number(XmlWriter *out, const char *name, guint value)
{
    xml_put_attr_uint(out, name, value);
}

void
virtio_serial_format_address(const VirtioPort *at, XmlWriter *out)
{
    xml_open(out, "address");
    xml_put_attr(out, "type", "virtio-serial");
    put_number(out, "controller", at->controller);
    put_number(out, "bus", 0);
    put_number(out, "port", at->port);
    xml_close(out);
}

/* Places */

/* Whether somebody else is at @port of controller @index. */
static gboolean
is_taken(const GPtrArray *devices, guint index, guint port, const Chardev *but)
{
    for (guint i = 0; i < devices->len; i++) {
        const Chardev *chardev = g_ptr_array_index(devices, i);

        if (chardev_is_virtio(&chardev->dev) && chardev != but && chardev->at.known &&
            chardev->at.controller == index && chardev->at.port == port)
            return TRUE;
    }
    return FALSE;
}

static gboolean
find_port(const GPtrArray *devices, guint index, guint first, guint *ret)
{
    guint n = device_controller_ports(devices, index);

    for (guint port = first; port < n; port++) {
        if (!is_taken(devices, index, port, NULL)) {
            *ret = port;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
has_controller(const GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        if (device_is_virtio_serial(g_ptr_array_index(devices, i)))
            return TRUE;
    }
    return FALSE;
}

/* The first free port of the controllers there are, in their order, or of a new one. */
static void
place(GPtrArray *devices, Chardev *chardev, guint first)
{
    VirtioPort *at = &chardev->at;
    guint index = 0;

    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        if (!device_is_virtio_serial(dev))
            continue;
        at->controller = device_controller_bus(dev);
        if (find_port(devices, at->controller, first, &at->port)) {
            at->known = TRUE;
            return;
        }
        index = MAX(index, at->controller + 1);
    }
    at->controller = index;
    g_ptr_array_add(devices, device_controller_new_virtio_serial(index));
    at->known = find_port(devices, index, first, &at->port);
}

static void
place_all(GPtrArray *devices, gboolean channels)
{
    for (guint i = 0; i < devices->len; i++) {
        Chardev *chardev = g_ptr_array_index(devices, i);

        if (!chardev_is_virtio(&chardev->dev) || chardev->at.known ||
            device_is_channel(&chardev->dev) != channels)
            continue;
        place(devices, chardev, channels ? 1 : 0);
    }
}

/* Controllers that only an address speaks of. */
static void
add_controllers(GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        const Chardev *chardev = g_ptr_array_index(devices, i);

        if (chardev_is_virtio(&chardev->dev) && chardev->at.known &&
            device_controller_ports(devices, chardev->at.controller) == 0)
            g_ptr_array_add(devices, device_controller_new_virtio_serial(chardev->at.controller));
    }
    for (guint i = 0; i < devices->len && !has_controller(devices); i++) {
        if (chardev_is_virtio(g_ptr_array_index(devices, i)))
            g_ptr_array_add(devices, device_controller_new_virtio_serial(0));
    }
}

void
virtio_serial_complete(GPtrArray *devices)
{
    add_controllers(devices);
    place_all(devices, FALSE);
    place_all(devices, TRUE);
}

/* Checking */

static gboolean
check_port(const GPtrArray *devices, const Chardev *chardev, GError **error)
{
    const VirtioPort *at = &chardev->at;

    if (!at->known || at->port >= device_controller_ports(devices, at->controller))
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "virtio serial controller %u does not have port %u", at->controller,
                            at->port);
    if (is_taken(devices, at->controller, at->port, chardev))
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "virtio serial port %u on controller %u is already occupied", at->port,
                            at->controller);
    return TRUE;
}

/* A controller goes to the VMM in one message, with all that is behind its ports. */
static gboolean
check_descriptors(const GPtrArray *devices, guint index, GError **error)
{
    guint n = 0;

    for (guint i = 0; i < devices->len; i++) {
        const Chardev *chardev = g_ptr_array_index(devices, i);

        if (chardev_is_virtio(&chardev->dev) && chardev->at.controller == index)
            n += chardev_count_fds(chardev->source);
    }
    if (n > VMM_MSG_FDS_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "what is behind the ports of virtio serial controller %u is not "
                            "supported by this machine, which opens up to %d descriptors for one, "
                            "a pseudo terminal being two",
                            index, VMM_MSG_FDS_MAX);
    return TRUE;
}

gboolean
virtio_serial_check(const GPtrArray *devices, GError **error)
{
    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        if (chardev_is_virtio(dev) && !check_port(devices, (const Chardev *)dev, error))
            return FALSE;
        if (device_is_virtio_serial(dev) &&
            !check_descriptors(devices, device_controller_bus(dev), error))
            return FALSE;
    }
    return TRUE;
}

/* Coming and going */

/* What a document leaves open is anybody's. */
static gboolean
is_like(const Chardev *port, const Chardev *wanted)
{
    return port->dev.kind == wanted->dev.kind && port->virtio &&
           chardev_source_is_like(port->source, wanted->source) && g_strcmp0(port->name, wanted->name) == 0 &&
           (!wanted->at.said ||
            (port->at.controller == wanted->at.controller && port->at.port == wanted->at.port)) &&
           (!wanted->dev.alias || g_strcmp0(port->dev.alias, wanted->dev.alias) == 0);
}

static Device *
find_like(const GPtrArray *devices, const Device *wanted)
{
    for (guint i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);

        if (chardev_is_virtio(dev) && is_like((const Chardev *)dev, (const Chardev *)wanted))
            return dev;
    }
    return NULL;
}

Device *
virtio_serial_find(const GPtrArray *devices, const Device *wanted, gboolean config, GError **error)
{
    Device *dev = find_like(devices, wanted);

    if (!dev && config)
        driver_error(error, VIR_ERR_INVALID_ARG, "device not present in domain configuration");
    else if (!dev)
        driver_error(error, VIR_ERR_DEVICE_MISSING,
                     "chr type '%s' device not present in domain configuration",
                     wanted->kind->element);
    return dev;
}

static gboolean
has_room(const GPtrArray *devices, guint first)
{
    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);
        guint port;

        if (device_is_virtio_serial(dev) &&
            find_port(devices, device_controller_bus(dev), first, &port))
            return TRUE;
    }
    return FALSE;
}

/* A controller does not come along: in a guest that runs it would take a place on PCI. Consoles may be as like as two
 * peas. */
gboolean
virtio_serial_may_attach(const GPtrArray *devices, const Device *dev, gboolean config,
                         GError **error)
{
    gboolean channel = device_is_channel(dev);

    if (channel && find_like(devices, dev))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "chardev already exists");
    return config || has_room(devices, channel ? 1 : 0) ||
           driver_error(error, VIR_ERR_XML_ERROR, "no virtio-serial controllers are available");
}
