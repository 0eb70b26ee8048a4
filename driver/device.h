/* device: one device of a domain document, and what every kind of device can do.
 *
 * A kind is one source file device-<kind>.c and a row in device-kinds.c. Its instances begin with a
 * Device.
 */
#pragma once

#include <glib.h>

struct _xmlNode;
struct VmmMsg;
struct XmlWriter;
typedef struct Device Device;

/* What lowering a device may use: it opens its host things and describes itself to the VMM. */
typedef struct DeviceLowering {
    const char *domain_name;
    const char *run_dir; /* this guest's own directory */
    /* Adds one "add-device" message for @class and @id, to be filled in by the caller. */
    struct VmmMsg *(*add)(gpointer data, const char *class, const char *id);
    gpointer data;
} DeviceLowering;

typedef struct DeviceKind {
    const char *element; /* "serial", "console", ...: the name under <devices> */
    gsize size;          /* of the instance */
    /* All may be NULL where there is nothing to do, but for parse and format. */
    gboolean (*parse)(Device *dev, const struct _xmlNode *node, GError **error);
    void (*format)(const Device *dev, struct XmlWriter *out, guint flags); /* DOMAIN_FORMAT_* */
    void (*copy)(const Device *from, Device *to);    /* all but the Device head */
    gboolean (*check)(const Device *dev, GError **error);
    /* On a live definition: opens, describes, and writes into @dev what the live XML shows. */
    gboolean (*lower)(Device *dev, const DeviceLowering *to, GError **error);
    void (*clear)(Device *dev); /* what the instance holds; not the memory itself */
} DeviceKind;

struct Device {
    const DeviceKind *kind;
    char *alias; /* NULL: none yet */
};

/* The table, in libvirt's order of formatting; NULL ends it. */
extern const DeviceKind *const device_kinds[];
const DeviceKind *device_kind_find(const char *element);

Device *device_new(const DeviceKind *kind);
Device *device_copy(const Device *dev);
void device_free(Device *dev);
