#include "driver/device-chardev.h"

#include "driver/chardev-open.h"
#include "driver/chardev.h"
#include "driver/device-virtio-serial.h"
#include "driver/error.h"
#include "driver/virtio-serial-open.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>

/* Parsing */

static gboolean
fail_unknown(const char *what, const char *value, GError **error)
{
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "unknown %s '%s' specified for character device", what, value);
}

static gboolean
parse_port(Chardev *chardev, const XmlNode *target, GError **error)
{
    g_autofree char *text = xml_attr(target, "port");
    guint64 port;

    if (!text)
        return TRUE;
    if (!xml_parse_uint64(text, &port) || port > G_MAXINT)
        return driver_error(error, VIR_ERR_XML_ERROR, "Invalid port number: %s", text);
    chardev->port = port;
    return TRUE;
}

/* The <target>'s type must be @type where there is one; likewise its model. */
static gboolean
parse_target(Chardev *chardev, const XmlNode *node, const char *type, GError **error)
{
    const XmlNode *target = xml_child(node, "target");
    const XmlNode *model = target ? xml_child(target, "model") : NULL;
    g_autofree char *type_text = target ? xml_attr(target, "type") : NULL;
    g_autofree char *model_text = model ? xml_attr(model, "name") : NULL;

    if (type_text && strcmp(type_text, type) != 0)
        return fail_unknown("target type", type_text, error);
    if (model_text && strcmp(model_text, type) != 0)
        return fail_unknown("target model", model_text, error);
    return !target || parse_port(chardev, target, error);
}

static gboolean
parse_chardev(Device *dev, const XmlNode *node, guint flags, const char *type, GError **error)
{
    Chardev *chardev = (Chardev *)dev;

    chardev->port = -1;
    chardev->source = chardev_source_new();
    device_parse_alias(dev, node, flags);
    return parse_target(chardev, node, type, error) &&
           chardev_source_parse(chardev->source, node, flags, FALSE, error);
}

static gboolean
serial_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    return parse_chardev(dev, node, flags, "isa-serial", error);
}

/* A console on virtio is a port of its own; any other is the first serial port. */
static gboolean
console_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    const XmlNode *target = xml_child(node, "target");
    g_autofree char *type = target ? xml_attr(target, "type") : NULL;
    Chardev *console = (Chardev *)dev;

    console->virtio = g_strcmp0(type, "virtio") == 0;
    return parse_chardev(dev, node, flags, console->virtio ? "virtio" : "serial", error) &&
           virtio_serial_parse_address(&console->at, node, error);
}

/* Formatting */

static void
serial_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Chardev *chardev = (const Chardev *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", chardev_source_type(chardev->source));
    chardev_source_format(chardev->source, out, flags);
    xml_open(out, "target");
    xml_put_attr(out, "type", "isa-serial");
    xml_put_attr_uint(out, "port", chardev->port);
    xml_open(out, "model");
    xml_put_attr(out, "name", "isa-serial");
    xml_close(out);
    xml_close(out);
    device_format_alias(dev, out, flags);
    xml_close(out);
}

static void
console_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Chardev *chardev = (const Chardev *)dev;
    const ChardevSource *source = chardev->source;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", chardev_source_type(source));
    if (source->type == CHARDEV_PTY && source->path && flags & DOMAIN_FORMAT_LIVE)
        xml_put_attr(out, "tty", source->path);
    chardev_source_format(source, out, flags);
    xml_open(out, "target");
    xml_put_attr(out, "type", chardev->virtio ? "virtio" : "serial");
    xml_put_attr_uint(out, "port", MAX(chardev->port, 0));
    xml_close(out);
    device_format_alias(dev, out, flags);
    if (chardev->virtio && chardev->at.said)
        virtio_serial_format_address(&chardev->at, out);
    xml_close(out);
}

/* All chardevs of a definition */

static Chardev *
first_of(const GPtrArray *devices, const DeviceKind *kind)
{
    for (guint i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);

        if (dev->kind == kind)
            return (Chardev *)dev;
    }
    return NULL;
}

/* A port that was not given is the one after the highest. */
static void
number_ports(GPtrArray *devices)
{
    int highest = -1;

    for (guint i = 0; i < devices->len; i++) {
        const Chardev *chardev = g_ptr_array_index(devices, i);

        if (chardev->dev.kind == &device_serial)
            highest = MAX(highest, chardev->port);
    }
    for (guint i = 0; i < devices->len; i++) {
        Chardev *chardev = g_ptr_array_index(devices, i);

        if (chardev->dev.kind == &device_serial && chardev->port < 0)
            chardev->port = ++highest;
    }
}

static Chardev *
chardev_for(const DeviceKind *kind, const Chardev *other)
{
    Chardev *chardev = (Chardev *)device_new(kind);

    chardev->source = chardev_source_ref(other->source);
    chardev->port = -1;
    return chardev;
}

/* Makes @console the mirror of @serial, as libvirt does: whatever it said itself gives way. */
static void
mirror(Chardev *console, const Chardev *serial)
{
    ChardevSource *old = console->source;

    console->source = chardev_source_ref(serial->source);
    chardev_source_unref(old);
    console->port = serial->port;
    console->mirrors = TRUE;
    g_free(console->dev.alias);
    console->dev.alias = g_strdup(serial->dev.alias);
}

/* The console that stands for the first serial port: the first of all, where it is not on virtio. */
static Chardev *
serial_console(GPtrArray *devices)
{
    Chardev *console = first_of(devices, &device_console);

    return console && !console->virtio ? console : NULL;
}

static guint
console_order(const Device *dev)
{
    const Chardev *console = (const Chardev *)dev;

    return dev->kind == &device_console ? (guint)console->virtio : G_MAXUINT;
}

/* Behind those that are there, but before other consoles. */
static Chardev *
add_console(GPtrArray *devices, const Chardev *serial)
{
    Chardev *console = chardev_for(&device_console, serial);

    g_ptr_array_add(devices, console);
    device_list_sort_some(devices, console_order);
    return console;
}

/* The port of a console on virtio is its place among all of them. */
static void
number_consoles(GPtrArray *devices)
{
    int n = 0;

    for (guint i = 0; i < devices->len; i++) {
        Chardev *chardev = g_ptr_array_index(devices, i);

        if (chardev->dev.kind != &device_console)
            continue;
        if (chardev->virtio)
            chardev->port = n;
        n++;
    }
}

static void
serial_complete(GPtrArray *devices)
{
    Chardev *serial = first_of(devices, &device_serial);
    Chardev *console = serial_console(devices);

    if (!serial && console)
        g_ptr_array_add(devices, serial = chardev_for(&device_serial, console));
    if (serial && !console)
        console = add_console(devices, serial);
    number_ports(devices);
    if (console)
        mirror(console, serial);
    number_consoles(devices);
}

static gboolean
serial_check_all(const GPtrArray *devices, GError **error)
{
    guint taken = 0; /* a bit for each port */

    for (guint i = 0; i < devices->len; i++) {
        const Chardev *chardev = g_ptr_array_index(devices, i);

        if (chardev->dev.kind == &device_console && !chardev->mirrors && !chardev->virtio)
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "Only the first console can be a serial port");
        if (chardev->dev.kind != &device_serial)
            continue;
        if (taken & 1u << chardev->port)
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "serial port %d is defined twice", chardev->port);
        taken |= 1u << chardev->port;
    }
    return TRUE;
}

static gboolean
serial_check(const Device *dev, GError **error)
{
    const Chardev *chardev = (const Chardev *)dev;

    if (chardev->port >= CHARDEV_SERIAL_PORTS)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "serial port %d: this machine has ports 0 to %d", chardev->port,
                            CHARDEV_SERIAL_PORTS - 1);
    return TRUE;
}

static gboolean
console_check(const Device *dev, GError **error)
{
    const Chardev *console = (const Chardev *)dev;

    if (console->at.known && !console->virtio)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "element <address> of a <console> that is a serial port is not "
                            "supported by this machine");
    return TRUE;
}

/* A console goes by the name of the port that it mirrors, or else by its own number. */
static void
console_assign_alias(Device *dev, const GPtrArray *devices)
{
    const Chardev *console = (const Chardev *)dev;
    const Chardev *serial = first_of(devices, &device_serial);

    if (console->virtio && dev->alias)
        return;
    g_free(dev->alias);
    dev->alias = console->virtio ? g_strdup_printf("console%d", console->port)
                 : serial        ? g_strdup(serial->dev.alias)
                                 : NULL;
}

void
chardev_copy(const Device *from, Device *to)
{
    const Chardev *old = (const Chardev *)from;
    Chardev *copy = (Chardev *)to;

    copy->source = chardev_source_copy(old->source); /* complete() joins a mirror with its port */
    copy->port = old->port;
    copy->mirrors = old->mirrors;
    copy->virtio = old->virtio;
    copy->at = old->at;
    copy->name = g_strdup(old->name);
    copy->open = old->open;
}

void
chardev_clear(Device *dev)
{
    Chardev *chardev = (Chardev *)dev;

    chardev_source_unref(chardev->source);
    g_free(chardev->name);
}

void
chardev_release(Device *dev)
{
    chardev_close(((Chardev *)dev)->source);
}

void
chardev_found(Device *dev)
{
    ChardevSource *source = ((Chardev *)dev)->source;

    source->listens = chardev_source_has_socket(source);
}

static gboolean
serial_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    const ChardevPlaces places = { .connect = to->connect_broker };
    Chardev *chardev = (Chardev *)dev;
    ChardevOpened opened;
    VmmMsg *msg;

    if (!chardev_open(chardev->source, &places, &opened, error))
        return FALSE;
    msg = to->add(to->data, VMM_CLASS_SERIAL, dev->alias);
    vmm_msg_put_u64(msg, "port", chardev->port);
    chardev_describe(chardev->source, &opened, msg, "");
    return TRUE;
}

/* One that is a serial port comes and goes with that. */
static gboolean
console_may_attach(const GPtrArray *devices, const Device *dev, gboolean config, GError **error)
{
    if (!((const Chardev *)dev)->virtio)
        return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                            "attaching serial console is not supported");
    return virtio_serial_may_attach(devices, dev, config, error);
}

gboolean
device_is_chardev(const Device *dev)
{
    return dev->kind == &device_serial || dev->kind == &device_console || device_is_channel(dev);
}

gboolean
chardev_is_virtio(const Device *dev)
{
    return device_is_chardev(dev) && ((const Chardev *)dev)->virtio;
}

const char *
device_chardev_pty(const Device *dev)
{
    const Chardev *chardev = (const Chardev *)dev;

    return device_is_chardev(dev) && chardev->source->type == CHARDEV_PTY ? chardev->source->path
                                                                          : NULL;
}

const DeviceKind device_serial = {
    .element = "serial",
    .alias = "serial",
    .size = sizeof(Chardev),
    .parse = serial_parse,
    .format = serial_format,
    .copy = chardev_copy,
    .check = serial_check,
    .lower = serial_lower,
    .clear = chardev_clear,
    .complete = serial_complete,
    .check_all = serial_check_all,
    .release = chardev_release,
    .found = chardev_found,
};

const DeviceKind device_console = {
    .element = "console",
    .size = sizeof(Chardev),
    .parse = console_parse,
    .format = console_format,
    .copy = chardev_copy,
    .check = console_check,
    .clear = chardev_clear,
    .assign_alias = console_assign_alias,
    .release = chardev_release,
    .found = chardev_found,
    .may_attach = console_may_attach,
    .plug = virtio_serial_plug,
    .unplug = virtio_serial_unplug,
    .find = virtio_serial_find,
};
