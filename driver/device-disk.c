#include "driver/device-disk.h"

#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/image-lock.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERIAL_BYTES 20 /* that a guest sees of a serial number (virtio 1.2, section 5.2.6) */
#define QUEUES_MAX   32
#define QUEUE_MIN    4 /* chains */
#define QUEUE_MAX    1024

typedef enum DiskType {
    DISK_FILE,
    DISK_BLOCK,
} DiskType;

/* The rest of libvirt's types, devices, formats and words is the policy table's to refuse. */
static const char *const type_words[] = { "file", "block", NULL };
static const char *const source_names[] = { "file", "dev" };
static const char *const device_words[] = { "disk", NULL };
static const char *const bus_words[] = { "virtio", NULL };

/* <driver>'s attributes that are words, in the order in which libvirt writes them. */
enum { WORD_CACHE, WORD_ERROR, WORD_READ_ERROR, WORD_IO, WORD_DISCARD, N_WORDS };

static const struct DriverWord {
    const char *name;
    const char *words[8];
} driver_words[N_WORDS] = {
    [WORD_CACHE] = { "cache",
                     { "default", "none", "writethrough", "writeback", "directsync", "unsafe" } },
    [WORD_ERROR] = { "error_policy", { "stop", "report", "enospace" } },
    [WORD_READ_ERROR] = { "rerror_policy", { "stop", "report", "enospace" } },
    [WORD_IO] = { "io", { "native", "threads", "io_uring" } },
    [WORD_DISCARD] = { "discard", { "unmap", "ignore" } },
};

typedef struct Disk {
    Device dev;
    int type;
    char *source;                      /* path */
    char *target;                      /* "vda" */
    const char *words[N_WORDS];        /* of driver_words; NULL: not said */
    guint queues, queue_size;          /* 0: not said */
    guint logical_size, physical_size; /* bytes, 0: not said */
    gboolean readonly, shareable;
    char *serial; /* NULL: none */
} Disk;

/* A disk's place in the alphabet: "vda" is 0, "vdz" 25, "vdaa" 26. @ret_rest is what follows. */
static gboolean
parse_target_name(const char *name, guint *ret_index, const char **ret_rest)
{
    static const char *const prefixes[] = { "fd", "hd", "vd", "sd", "xvd", "ubd", NULL };
    const char *at = name;
    guint64 index = 0;

    for (int i = 0; prefixes[i] && at == name; i++) {
        if (g_str_has_prefix(name, prefixes[i]))
            at += strlen(prefixes[i]);
    }
    if (at == name || !g_ascii_islower(*at))
        return FALSE;
    for (; g_ascii_islower(*at); at++) {
        index = index * 26 + (*at - 'a' + 1);
        if (index > G_MAXINT)
            return FALSE;
    }
    *ret_index = index - 1;
    *ret_rest = at;
    return TRUE;
}

/* Of a name that was checked, or of one that soon is. */
static guint
target_index(const Device *dev)
{
    const char *rest;
    guint index = 0;

    parse_target_name(((const Disk *)dev)->target, &index, &rest);
    return index;
}

/* Parsing */

static gboolean
parse_kind(Disk *disk, const XmlNode *node, GError **error)
{
    int device = 0;

    return xml_attr_word(node, "type", XML_OPTIONAL, type_words, &disk->type, error) &&
           xml_attr_word(node, "device", XML_OPTIONAL, device_words, &device, error);
}

static gboolean
parse_target(Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *target = xml_child(node, "target");
    int bus = 0;

    disk->target = target ? xml_attr(target, "dev") : NULL;
    if (!disk->target)
        return driver_error(error, VIR_ERR_NO_TARGET, disk->source ? "%s" : NULL, disk->source);
    return xml_attr_word(target, "bus", XML_OPTIONAL, bus_words, &bus, error);
}

static gboolean
parse_source(Disk *disk, const XmlNode *node)
{
    const XmlNode *source = xml_child(node, "source");

    disk->source = source ? xml_attr(source, source_names[disk->type]) : NULL;
    return TRUE;
}

static gboolean
parse_format(const XmlNode *driver, GError **error)
{
    g_autofree char *type = xml_attr(driver, "type");

    /* "aio" is a word of long ago for raw. */
    if (type && strcmp(type, "raw") != 0 && strcmp(type, "aio") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown driver format value '%s'",
                            type);
    return TRUE;
}

static gboolean
parse_driver_words(Disk *disk, const XmlNode *driver, GError **error)
{
    for (int i = 0; i < N_WORDS; i++) {
        const struct DriverWord *attr = &driver_words[i];
        int word = -1;

        if (!xml_attr_word(driver, attr->name, XML_OPTIONAL, attr->words, &word, error))
            return FALSE;
        if (word >= 0 && strcmp(attr->words[word], "default") != 0)
            disk->words[i] = attr->words[word];
    }
    return TRUE;
}

static gboolean
parse_driver(Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *driver = xml_child(node, "driver");
    g_autofree char *name = driver ? xml_attr(driver, "name") : NULL;

    if (!driver)
        return TRUE;
    if (name && strcmp(name, "qemu") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "unsupported driver name '%s' for disk '%s'", name, disk->target);
    return parse_format(driver, error) && parse_driver_words(disk, driver, error) &&
           xml_attr_uint(driver, "queues", XML_OPTIONAL, &disk->queues, error) &&
           xml_attr_uint(driver, "queue_size", XML_OPTIONAL, &disk->queue_size, error);
}

static gboolean
parse_block_sizes(Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *blockio = xml_child(node, "blockio");

    return !blockio || (xml_attr_uint(blockio, "logical_block_size", XML_OPTIONAL,
                                      &disk->logical_size, error) &&
                        xml_attr_uint(blockio, "physical_block_size", XML_OPTIONAL,
                                      &disk->physical_size, error));
}

static gboolean
disk_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    Disk *disk = (Disk *)dev;

    device_parse_alias(dev, node, flags);
    disk->readonly = xml_child(node, "readonly") != NULL;
    disk->shareable = xml_child(node, "shareable") != NULL;
    disk->serial = xml_child_text(node, "serial");
    return parse_kind(disk, node, error) && parse_source(disk, node) &&
           parse_target(disk, node, error) && parse_driver(disk, node, error) &&
           parse_block_sizes(disk, node, error) && device_parse_boot(dev, node, error) &&
           device_parse_address(dev, node, error);
}

/* Formatting */

static void
put_number(XmlWriter *out, const char *name, guint value)
{
    if (value)
        xml_put_attr_uint(out, name, value);
}

static void
put_mark(XmlWriter *out, const char *name, gboolean there)
{
    if (!there)
        return;
    xml_open(out, name);
    xml_close(out);
}

static void
format_driver(const Disk *disk, XmlWriter *out)
{
    xml_open(out, "driver");
    xml_put_attr(out, "name", "qemu");
    xml_put_attr(out, "type", "raw");
    for (int i = 0; i < N_WORDS; i++) {
        if (disk->words[i])
            xml_put_attr(out, driver_words[i].name, disk->words[i]);
    }
    put_number(out, "queues", disk->queues);
    put_number(out, "queue_size", disk->queue_size);
    xml_close(out);
}

static void
format_block_sizes(const Disk *disk, XmlWriter *out)
{
    if (!disk->logical_size && !disk->physical_size)
        return;
    xml_open(out, "blockio");
    put_number(out, "logical_block_size", disk->logical_size);
    put_number(out, "physical_block_size", disk->physical_size);
    xml_close(out);
}

static void
disk_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Disk *disk = (const Disk *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", type_words[disk->type]);
    xml_put_attr(out, "device", device_words[0]);
    format_driver(disk, out);
    xml_open(out, "source");
    xml_put_attr(out, source_names[disk->type], disk->source);
    xml_close(out);
    format_block_sizes(disk, out);
    xml_open(out, "target");
    xml_put_attr(out, "dev", disk->target);
    xml_put_attr(out, "bus", bus_words[0]);
    xml_close(out);
    put_mark(out, "readonly", disk->readonly);
    put_mark(out, "shareable", disk->shareable);
    xml_put_element(out, "serial", disk->serial);
    device_format_boot(dev, out);
    device_format_alias(dev, out, flags);
    device_format_address(dev, out);
    xml_close(out);
}

/* Checking */

static gboolean
check_target(const Disk *disk, GError **error)
{
    const char *rest;
    guint index;

    if (!parse_target_name(disk->target, &index, &rest))
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Unknown disk name '%s' and no address specified", disk->target);
    if (*rest == '0')
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "invalid disk target '%s'",
                            disk->target);
    if (*rest)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "invalid disk target '%s', partitions can't appear in disk targets",
                            disk->target);
    return TRUE;
}

/* libvirt's set: what can be in a serial number without being anything else on QEMU's command line. */
static gboolean
check_serial(const Disk *disk, GError **error)
{
    static const char allowed[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_ .+";

    if (disk->serial && disk->serial[strspn(disk->serial, allowed)])
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "driver serial '%s' contains unsafe characters", disk->serial);
    return TRUE;
}

static gboolean
check_words(const Disk *disk, GError **error)
{
    const char *cache = disk->words[WORD_CACHE];

    if (g_strcmp0(disk->words[WORD_READ_ERROR], "enospace") == 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Invalid disk read error policy: 'enospace'");
    if (g_strcmp0(disk->words[WORD_IO], "native") == 0 && g_strcmp0(cache, "none") != 0 &&
        g_strcmp0(cache, "directsync") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "io='native' needs either no disk cache or directsync cache mode");
    return TRUE;
}

/* A power of two, or 0 for what was not said. */
static gboolean
check_power(const char *what, guint value, guint min, guint max, GError **error)
{
    if (value == 0 || (value >= min && value <= max && (value & (value - 1)) == 0))
        return TRUE;
    return driver_error(
        error, VIR_ERR_CONFIG_UNSUPPORTED,
        "value '%u' of attribute '%s' is not supported by this machine, which takes "
        "powers of two from %u to %u",
        value, what, min, max);
}

static gboolean
check_numbers(const Disk *disk, GError **error)
{
    guint logical = disk->logical_size ? disk->logical_size : 512;

    if (disk->queues > QUEUES_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'queues' of <driver> is not supported by this "
                            "machine, whose disks have up to %d",
                            disk->queues, QUEUES_MAX);
    return check_power("queue_size", disk->queue_size, QUEUE_MIN, QUEUE_MAX, error) &&
           check_power("logical_block_size", disk->logical_size, 512, 4096, error) &&
           check_power("physical_block_size", disk->physical_size, logical, 65536, error);
}

static gboolean
disk_check(const Device *dev, GError **error)
{
    const Disk *disk = (const Disk *)dev;

    if (!disk->source || !*disk->source)
        return driver_error(error, VIR_ERR_NO_SOURCE, "%s", disk->target);
    return check_target(disk, error) && check_serial(disk, error) && check_words(disk, error) &&
           check_numbers(disk, error);
}

static const Disk *
find_target(const GPtrArray *devices, const char *target)
{
    for (guint i = 0; i < devices->len; i++) {
        const Disk *disk = g_ptr_array_index(devices, i);

        if (disk->dev.kind == &device_disk && strcmp(disk->target, target) == 0)
            return disk;
    }
    return NULL;
}

static gboolean
disk_check_all(const GPtrArray *devices, GError **error)
{
    for (guint i = 0; i < devices->len; i++) {
        const Disk *disk = g_ptr_array_index(devices, i);
        const Disk *first;

        if (disk->dev.kind != &device_disk)
            continue;
        first = find_target(devices, disk->target);
        if (first != disk)
            return driver_error(error, VIR_ERR_XML_ERROR,
                                "target '%s' duplicated for disk sources '%s' and '%s'",
                                disk->target, first->source, disk->source);
    }
    return TRUE;
}

static guint
sort_key(const Device *dev)
{
    return dev->kind == &device_disk ? target_index(dev) : G_MAXUINT;
}

/* In the order of their targets, as in libvirt. */
static void
disk_complete(GPtrArray *devices)
{
    device_list_sort_some(devices, sort_key);
}

static void
disk_copy(const Device *from, Device *to)
{
    const Disk *old = (const Disk *)from;
    Disk *copy = (Disk *)to;

    copy->type = old->type;
    copy->source = g_strdup(old->source);
    copy->target = g_strdup(old->target);
    memcpy(copy->words, old->words, sizeof(copy->words));
    copy->queues = old->queues;
    copy->queue_size = old->queue_size;
    copy->logical_size = old->logical_size;
    copy->physical_size = old->physical_size;
    copy->readonly = old->readonly;
    copy->shareable = old->shareable;
    copy->serial = g_strdup(old->serial);
}

static void
disk_clear(Device *dev)
{
    Disk *disk = (Disk *)dev;

    g_free(disk->source);
    g_free(disk->target);
    g_free(disk->serial);
}

static PciRole
disk_pci_role(const Device *dev)
{
    return PCI_ROLE_ENDPOINT;
}

/* Lowering */

/* The host's page cache is left out where its user wants to be sure that it is. */
static gboolean
is_direct(const Disk *disk)
{
    const char *cache = disk->words[WORD_CACHE];

    return g_strcmp0(cache, "none") == 0 || g_strcmp0(cache, "directsync") == 0;
}

static gboolean
check_opened(const Disk *disk, int fd, GError **error)
{
    gboolean block = disk->type == DISK_BLOCK;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return driver_error_errno(error, errno, "Cannot look at '%s'", disk->source);
    if (block ? !S_ISBLK(st.st_mode) : !S_ISREG(st.st_mode))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "'%s', the source of disk '%s', is no %s", disk->source, disk->target,
                            block ? "block device" : "regular file");
    return TRUE;
}

/* Opening may not wait, whatever the path turns out to be; reading and writing later may. */
static int
open_source(const Disk *disk, GError **error)
{
    int access = disk->readonly ? O_RDONLY : O_RDWR;
    int direct = is_direct(disk) ? O_DIRECT : 0;
    int fd = open(disk->source, access | direct | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        driver_error_errno(error, errno, "Cannot open '%s', the source of disk '%s'", disk->source,
                           disk->target);
        return -1;
    }
    if (!check_opened(disk, fd, error)) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, access | direct);
    return fd;
}

static void
put_word(VmmMsg *msg, const char *key, const char *word)
{
    if (word)
        vmm_msg_put_string(msg, key, word);
}

static void
put_u64(VmmMsg *msg, const char *key, guint value)
{
    if (value)
        vmm_msg_put_u64(msg, key, value);
}

/* Of "io", native means the kernel's asynchronous one, and of those this machine has the newer. */
static void
describe_driver(VmmMsg *msg, const Disk *disk)
{
    const char *io = disk->words[WORD_IO];

    put_word(msg, "cache", disk->words[WORD_CACHE]);
    put_word(msg, "io", g_strcmp0(io, "native") == 0 ? "io_uring" : io);
    put_word(msg, "on-write-error", disk->words[WORD_ERROR]);
    put_word(msg, "on-read-error", disk->words[WORD_READ_ERROR]);
    if (g_strcmp0(disk->words[WORD_DISCARD], "unmap") == 0)
        vmm_msg_put_bool(msg, "discard", true);
    put_u64(msg, "queues", disk->queues);
    put_u64(msg, "queue-size", disk->queue_size);
}

static void
describe(VmmMsg *msg, const Disk *disk, int fd)
{
    g_autofree char *serial = g_strndup(disk->serial ? disk->serial : "", SERIAL_BYTES);

    vmm_msg_put_string(msg, "device", "blk");
    device_describe_address(&disk->dev, msg);
    vmm_msg_put_fd(msg, "fd", fd);
    vmm_msg_put_string(msg, "format", "raw");
    if (disk->readonly)
        vmm_msg_put_bool(msg, "read-only", true);
    describe_driver(msg, disk);
    put_word(msg, "serial", disk->serial ? serial : NULL);
    put_u64(msg, "logical-block-size", disk->logical_size);
    put_u64(msg, "physical-block-size", disk->physical_size);
}

static gboolean
disk_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    const Disk *disk = (const Disk *)dev;
    int fd = open_source(disk, error);

    if (fd < 0)
        return FALSE;
    if (!image_lock(fd, disk->readonly, disk->shareable, disk->source, error)) {
        close(fd);
        return FALSE;
    }
    describe(to->add(to->data, VMM_CLASS_VIRTIO_PCI, dev->alias), disk, fd);
    return TRUE;
}

const DeviceKind device_disk = {
    .element = "disk",
    .alias = "virtio-disk",
    .alias_number = target_index,
    .size = sizeof(Disk),
    .parse = disk_parse,
    .format = disk_format,
    .copy = disk_copy,
    .check = disk_check,
    .lower = disk_lower,
    .pci_role = disk_pci_role,
    .clear = disk_clear,
    .complete = disk_complete,
    .check_all = disk_check_all,
};
