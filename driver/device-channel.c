#include "driver/device-channel.h"

#include "driver/chardev.h"
#include "driver/device-virtio-serial.h"
#include "driver/error.h"
#include "driver/virtio-serial-open.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

#define NAME_MAX_BYTES 64 /* that the VMM's ports have */

static const char *const state_words[] = { "disconnected", "connected", NULL };

gboolean
device_is_channel(const Device *dev)
{
    return dev->kind == &device_channel;
}

/* The other types are the policy table's to refuse. */
static gboolean
parse_target(Chardev *channel, const XmlNode *node, guint flags, GError **error)
{
    const XmlNode *target = xml_child(node, "target");
    g_autofree char *type = target ? xml_attr(target, "type") : NULL;
    g_autofree char *state = target ? xml_attr(target, "state") : NULL;

    if (!target)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "target type must be specified for channel device");
    if (g_strcmp0(type, "virtio") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "unknown target type '%s' specified for character device",
                            type ? type : "(null)");
    channel->name = xml_attr(target, "name");
    channel->open = flags & DOMAIN_PARSE_LIVE && g_strcmp0(state, state_words[TRUE]) == 0;
    return TRUE;
}

static gboolean
channel_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    Chardev *channel = (Chardev *)dev;

    channel->port = -1;
    channel->virtio = TRUE;
    channel->source = chardev_source_new();
    device_parse_alias(dev, node, flags);
    return chardev_source_parse(channel->source, node, flags, TRUE, error) &&
           parse_target(channel, node, flags, error) &&
           virtio_serial_parse_address(&channel->at, node, error);
}

static void
format_target(const Chardev *channel, XmlWriter *out, guint flags)
{
    xml_open(out, "target");
    xml_put_attr(out, "type", "virtio");
    if (channel->name)
        xml_put_attr(out, "name", channel->name);
    if (flags & DOMAIN_FORMAT_LIVE)
        xml_put_attr(out, "state", state_words[channel->open]);
    xml_close(out);
}

static void
channel_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Chardev *channel = (const Chardev *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", chardev_source_type(channel->source));
    chardev_source_format(channel->source, out, flags);
    format_target(channel, out, flags);
    device_format_alias(dev, out, flags);
    virtio_serial_format_address(&channel->at, out);
    xml_close(out);
}

/* A socket without a path of its own gets the channel's name in the guest's directory. */
static gboolean
channel_check(const Device *dev, GError **error)
{
    const Chardev *channel = (const Chardev *)dev;
    const char *name = channel->name;

    if (name && strlen(name) >= NAME_MAX_BYTES)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%s' of attribute 'name' of <target> is not supported by this "
                            "machine, whose ports have names of up to %d bytes",
                            name, NAME_MAX_BYTES - 1);
    if (name && strchr(name, '/') && channel->source->type == CHARDEV_UNIX &&
        !channel->source->path)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%s' of attribute 'name' of <target> is not supported by this "
                            "machine for a socket without a path",
                            name);
    return TRUE;
}

const char *
device_channel_name(const Device *dev)
{
    return ((const Chardev *)dev)->name;
}

const char *
device_channel_socket(const Device *dev)
{
    const ChardevSource *source = ((const Chardev *)dev)->source;

    return chardev_source_has_socket(source) ? source->path : NULL;
}

gboolean
device_channel_is_open(const Device *dev)
{
    return ((const Chardev *)dev)->open;
}

gboolean
device_channel_set_open(Device *dev, gboolean open)
{
    Chardev *channel = (Chardev *)dev;
    gboolean news = channel->open != open;

    channel->open = open;
    return news;
}

Device *
device_channel_at(const GPtrArray *devices, const char *controller, guint64 port)
{
    for (guint i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);
        const Chardev *channel = (const Chardev *)dev;
        g_autofree char *alias = NULL;

        if (!device_is_channel(dev) || channel->at.port != port)
            continue;
        alias = virtio_serial_alias(channel->at.controller);
        if (strcmp(alias, controller) == 0)
            return dev;
    }
    return NULL;
}

const DeviceKind device_channel = {
    .element = "channel",
    .alias = "channel",
    .size = sizeof(Chardev),
    .parse = channel_parse,
    .format = channel_format,
    .copy = chardev_copy,
    .check = channel_check,
    .clear = chardev_clear,
    .complete = virtio_serial_complete,
    .check_all = virtio_serial_check,
    .release = chardev_release,
    .found = chardev_found,
    .may_attach = virtio_serial_may_attach,
    .plug = virtio_serial_plug,
    .unplug = virtio_serial_unplug,
    .find = virtio_serial_find,
};
