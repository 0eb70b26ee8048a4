/* device: one device of a domain document, and what every kind of device can do.
 *
 * A kind is one source file device-<kind>.c and a row in device-kinds.c. Its instances begin with a
 * Device.
 */
#pragma once

#include <glib.h>

/* Flags of formatting. */
#define DOMAIN_FORMAT_LIVE   (1u << 0) /* with the id, aliases, and what is open on the host */
#define DOMAIN_FORMAT_SECURE (1u << 1)
/* A flag of parsing: the document is a live one that this driver wrote. */
#define DOMAIN_PARSE_LIVE (1u << 0)

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
    const char *alias;   /* aliases are this and a number; NULL: see assign_alias */
    gsize size;          /* of the instance */
    /* All may be NULL where there is nothing to do, but for parse and format. */
    gboolean (*parse)(Device *dev, const struct _xmlNode *node, guint flags, GError **error);
    /* The element whole, device_format_alias() among it. */
    void (*format)(const Device *dev, struct XmlWriter *out, guint flags);
    void (*copy)(const Device *from, Device *to); /* all but the Device head */
    gboolean (*check)(const Device *dev, GError **error);
    /* On a live definition: opens, describes, and writes into @dev what the live XML shows. */
    gboolean (*lower)(Device *dev, const DeviceLowering *to, GError **error);
    void (*clear)(Device *dev); /* what the instance holds; not the memory itself */
    /* About all devices of a definition: what the kind adds to what the document says (again and
     * again without harm), and whether its devices go together. */
    void (*complete)(GPtrArray *devices);
    gboolean (*check_all)(const GPtrArray *devices, GError **error);
    /* Where an alias is not just a number of its own. */
    void (*assign_alias)(Device *dev, const GPtrArray *devices);
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

/* <alias>: of a definition only names that the user chose, which begin with "ua-", as in libvirt.
 */
void device_parse_alias(Device *dev, const struct _xmlNode *node, guint flags);
void device_format_alias(const Device *dev, struct XmlWriter *out, guint flags);

/* A definition's devices, in the table's order: g_ptr_array_unref() frees them. */
GPtrArray *device_list_new(void);
void device_list_sort(GPtrArray *devices);
