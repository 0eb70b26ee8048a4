#include "driver/virtio-serial-open.h"

#include "driver/chardev-open.h"
#include "driver/chardev.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

char *
virtio_serial_alias(guint index)
{
    return g_strdup_printf("virtio-serial%u", index);
}

/* Where a socket without a path of its own goes. */
static char *
socket_path(const Chardev *chardev, const DeviceLowering *to)
{
    g_autofree char *numbered =
        g_strdup_printf("vioser-%02u-00-%02u.sock", chardev->at.controller, chardev->at.port);

    return g_build_filename(to->run_dir, "channel", chardev->name ? chardev->name : numbered, NULL);
}

static gboolean
lower_port(Chardev *chardev, const DeviceLowering *to, VmmMsg *msg, GError **error)
{
    g_autofree char *prefix = g_strdup_printf("port-%u-", chardev->at.port);
    g_autofree char *name = g_strconcat(prefix, "name", NULL);
    g_autofree char *console = g_strconcat(prefix, "console", NULL);
    g_autofree char *path = socket_path(chardev, to);
    const ChardevPlaces places = { path, to->connect_broker };
    ChardevOpened opened;

    if (!chardev_open(chardev->source, &places, &opened, error))
        return FALSE;
    chardev_describe(chardev->source, &opened, msg, prefix);
    if (chardev->name)
        vmm_msg_put_string(msg, name, chardev->name);
    if (!device_is_channel(&chardev->dev))
        vmm_msg_put_bool(msg, console, true);
    chardev->open = FALSE;
    return TRUE;
}

guint
virtio_serial_highest(guint index, const GPtrArray *devices)
{
    guint highest = 0;

    for (guint i = 0; i < devices->len; i++) {
        const Chardev *chardev = g_ptr_array_index(devices, i);

        if (chardev_is_virtio(&chardev->dev) && chardev->at.controller == index)
            highest = MAX(highest, chardev->at.port);
    }
    return highest;
}

gboolean
virtio_serial_lower(guint index, const DeviceLowering *to, VmmMsg *msg, GError **error)
{
    for (guint i = 0; i < to->devices->len; i++) {
        Chardev *chardev = g_ptr_array_index(to->devices, i);

        if (chardev_is_virtio(&chardev->dev) && chardev->at.controller == index &&
            !lower_port(chardev, to, msg, error))
            return FALSE;
    }
    return TRUE;
}

static VmmMsg *
tell_controller(const Chardev *chardev, const DeviceLowering *to, const char *what)
{
    g_autofree char *alias = virtio_serial_alias(chardev->at.controller);
    VmmMsg *msg = to->tell(to->data, alias);

    vmm_msg_put_u64(msg, what, chardev->at.port);
    return msg;
}

gboolean
virtio_serial_plug(Device *dev, const DeviceLowering *to, GError **error)
{
    Chardev *chardev = (Chardev *)dev;

    return lower_port(chardev, to, tell_controller(chardev, to, "add"), error);
}

void
virtio_serial_unplug(const Device *dev, const DeviceLowering *to)
{
    tell_controller((const Chardev *)dev, to, "remove");
}
