/* device: one device of a domain document, and what every kind of device can do.
 *
 * A kind is one source file device-<kind>.c and a row in device-kinds.c. Its instances begin with a
 * Device.
 */
#pragma once

#include "driver/domain-iothreads.h"
#include "driver/domain-os.h"

#include <glib.h>

/* Flags of formatting. */
#define DOMAIN_FORMAT_LIVE   (1u << 0) /* with the id, aliases, and what is open on the host */
#define DOMAIN_FORMAT_SECURE (1u << 1)
#define DOMAIN_FORMAT_SAID   (1u << 2) /* of a domain that is no machine's: nothing that a machine adds */
/* A flag of parsing: the document is a live one that this driver wrote. */
#define DOMAIN_PARSE_LIVE (1u << 0)

struct _xmlNode;
struct ImageWait;
struct VmmMsg;
struct XmlWriter;
typedef struct Device Device;

/* A device whose source on the host is missing, which its element allows: it is there without it, or not at all. */
typedef struct DeviceMissing {
    Device *dev; /* the definition's */
    char *source;
    gboolean dropped; /* the guest does not get it */
} DeviceMissing;

/* What lowering a device may use: it opens its host things and describes itself to the VMM. */
typedef struct DeviceLowering {
    gboolean simulated; /* there is no host: no hook is called, all that the VMM gets is the name */
    const char *domain_name;
    const DomainIoThreads *iothreads; /* the definition's */
    const char *run_dir; /* this guest's own directory */
    /* Of <vsock>: see vsock-host.h; whether another guest that runs has that address. */
    const char *vsock_dir, *vsock_broker;
    gboolean (*cid_taken)(gpointer data, guint cid);
    /* Adds one "add-device" message for @class and @id, to be filled in by the caller. */
    struct VmmMsg *(*add)(gpointer data, const char *class, const char *id);
    gpointer data;
    /* The same for a "tell-device" to @id; only of a guest that runs. */
    struct VmmMsg *(*tell)(gpointer data, const char *id);
    const GPtrArray *devices; /* all of the definition's; device_list_lower() sets it */
    guint64 balloon_kib;      /* RAM that the guest is asked to give back */
    struct ImageWait *images; /* what has to be waited for before the VMM gets any of the messages */
    const char *connect_broker; /* of sockets that connect: see chardev-socket.h */
    gboolean boots;           /* the guest starts from nothing: it does not go on from a file */
    GPtrArray *missing;       /* takes a DeviceMissing for each; NULL: none may be missing */
} DeviceLowering;

/* What a device is in the PCI Express hierarchy. */
typedef enum PciRole {
    PCI_ROLE_NONE,     /* not in it at all */
    PCI_ROLE_ROOT,     /* the root, bus 0: has no place itself */
    PCI_ROLE_PORT,     /* a root port, which opens a bus of its own */
    PCI_ROLE_ENDPOINT, /* any other: best behind a root port, where it can be unplugged */
} PciRole;

/* Where it is: <address type='pci'>. See device-address.h. */
typedef struct PciAddress {
    gboolean known;
    guint domain, bus, slot, function;
    int multifunction; /* 0 on, 1 off, or -1: not said */
} PciAddress;

typedef struct DeviceKind DeviceKind;
struct DeviceKind {
    const char *element; /* "serial", "console", ...: the name under <devices> */
    const char *alias;   /* aliases are this and a number; NULL: see assign_alias */
    /* Whether this kind is for @node, where several have its element; NULL: it is for all that are left. */
    gboolean (*claims)(const struct _xmlNode *node);
    guint (*alias_number)(const Device *dev); /* the number; NULL: the first that is free */
    gsize size;                               /* of the instance */
    /* All may be NULL where there is nothing to do, but for parse and format. */
    gboolean (*parse)(Device *dev, const struct _xmlNode *node, guint flags, GError **error);
    /* The element whole, device_format_alias() among it. */
    void (*format)(const Device *dev, struct XmlWriter *out, guint flags);
    void (*copy)(const Device *from, Device *to); /* all but the Device head */
    gboolean (*check)(const Device *dev, GError **error);
    /* On a live definition: opens, describes, and writes into @dev what the live XML shows. */
    gboolean (*lower)(Device *dev, const DeviceLowering *to, GError **error);
    /* To firmware: what it is that can be booted from, and the end of its Open Firmware path; NULL: nothing. */
    DomainBoot (*boots_as)(const Device *dev);
    const char *firmware_name, *firmware_unit; /* "scsi" and "disk@0,0" */
    PciRole (*pci_role)(const Device *dev);    /* NULL: none */
    void (*clear)(Device *dev);                /* what the instance holds; not the memory itself */
    /* About all devices of a definition: what the kind adds to what the document says (again and
     * again without harm), and whether its devices go together. */
    void (*complete)(GPtrArray *devices);
    gboolean of_machine; /* complete() adds what a machine has by itself, ... */
    gboolean of_pc;      /* ... but for a microvm */
    gboolean (*check_all)(const GPtrArray *devices, GError **error);
    /* Takes away what lower() left on the host, once the guest is over or has let go of it. */
    void (*release)(Device *dev);
    /* On a live definition that an earlier daemon left: what its lower() left on the host is there. */
    void (*found)(Device *dev);
    /* Only of kinds whose devices may come, go and change after the start. */
    /* Whether @dev may join @devices; NULL: as far as check_all lets it. @config as below. */
    gboolean (*may_attach)(const GPtrArray *devices, const Device *dev, gboolean config,
                           GError **error);
    /* Where a device is part of another one, which is told: how it comes, as lower() does it for others, and how it
     * goes, at once and without the guest's leave. */
    gboolean (*plug)(Device *dev, const DeviceLowering *to, GError **error);
    void (*unplug)(const Device *dev, const DeviceLowering *to);
    /* The one of @devices that @wanted, a device that a document names for short, means; NULL with an
     * error. @config: as libvirt says it of a definition rather than of a running guest. */
    Device *(*find)(const GPtrArray *devices, const Device *wanted, gboolean config,
                    GError **error);
    /* Makes @dev what @wanted says, where it differs in nothing that cannot change in a running guest: does
     * the host's part and puts the VMM's into @tell, a "tell-device" for it. NULL: nothing can change. */
    gboolean (*update)(Device *dev, const Device *wanted, const DeviceLowering *to,
                       struct VmmMsg *tell, GError **error);
    /* The update that made @dev of @was came to nothing: takes back what it did to the host. */
    void (*take_back)(const Device *dev, const Device *was);
    /* Where an alias is not just a number of its own. */
    void (*assign_alias)(Device *dev, const GPtrArray *devices);
};

struct Device {
    const DeviceKind *kind;
    char *alias; /* NULL: none yet */
    PciAddress pci;
    gboolean simulated; /* lowered without a host: there is nothing to release */
    guint boot_order; /* from 1; 0: the firmware does not try it */
};

/* The table, in libvirt's order of formatting; NULL ends it. */
extern const DeviceKind *const device_kinds[];
/* The one for the element @node of <devices>; NULL: none. */
const DeviceKind *device_kind_find(const struct _xmlNode *node);

Device *device_new(const DeviceKind *kind);
Device *device_copy(const Device *dev);
void device_free(Device *dev);

/* <alias>: of a definition only names that the user chose, which begin with "ua-", as in libvirt.
 */
void device_parse_alias(Device *dev, const struct _xmlNode *node, guint flags);
void device_format_alias(const Device *dev, struct XmlWriter *out, guint flags);

/* <boot order='N'/>. */
gboolean device_parse_boot(Device *dev, const struct _xmlNode *node, GError **error);
void device_format_boot(const Device *dev, struct XmlWriter *out);

/* A definition's devices, in the table's order: g_ptr_array_unref() frees them. */
GPtrArray *device_list_new(void);
void device_list_sort(GPtrArray *devices);
/* Puts those with a key below G_MAXUINT into its order, in the places that they have together. */
void device_list_sort_some(GPtrArray *devices, guint (*key)(const Device *dev));
/* Lowers all of a live definition's, buses before what is on them; stops at the first failure. */
gboolean device_lower(Device *dev, const DeviceLowering *to, GError **error);
gboolean device_list_lower(const GPtrArray *devices, const DeviceLowering *to, GError **error);
void device_release(Device *dev);
void device_list_release(const GPtrArray *devices);
void device_list_found(const GPtrArray *devices);
PciRole device_pci_role(const Device *dev);
