#include "driver/device-chardev.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

typedef enum ChardevType {
    CHARDEV_PTY,
    CHARDEV_FILE,
} ChardevType;

/* The rest of libvirt's types is the policy table's to refuse. */
static const char *const type_words[] = { "pty", "file", NULL };

typedef enum Tristate {
    TRI_ABSENT = -1,
    TRI_ON,
    TRI_OFF,
} Tristate;

static const char *const switch_words[] = { "on", "off", NULL };

/* What is behind a port; shared by a serial port and the console that mirrors it. */
typedef struct Source {
    gatomicrefcount refs;
    int type;
    char *path; /* the file, or a live pty's slave */
    int append; /* Tristate */
    char *log;  /* NULL: none */
    int log_append;
} Source;

typedef struct Chardev {
    Device dev;
    Source *source;
    int port;         /* of a serial: COM1 is 0; -1: not said */
    gboolean mirrors; /* a console: the source is a serial port's */
} Chardev;

static Source *
source_new(void)
{
    Source *source = g_new0(Source, 1);

    g_atomic_ref_count_init(&source->refs);
    source->append = source->log_append = TRI_ABSENT;
    return source;
}

static Source *
source_ref(Source *source)
{
    g_atomic_ref_count_inc(&source->refs);
    return source;
}

static void
source_unref(Source *source)
{
    if (!source || !g_atomic_ref_count_dec(&source->refs))
        return;
    g_free(source->path);
    g_free(source->log);
    g_free(source);
}

static Source *
source_copy(const Source *source)
{
    Source *copy = source_new();

    copy->type = source->type;
    copy->path = g_strdup(source->path);
    copy->append = source->append;
    copy->log = g_strdup(source->log);
    copy->log_append = source->log_append;
    return copy;
}

/* Parsing */

static gboolean
fail_unknown(const char *what, const char *value, GError **error)
{
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "unknown %s '%s' specified for character device", what, value);
}

static gboolean
parse_type(Source *source, const XmlNode *node, GError **error)
{
    g_autofree char *type = xml_attr(node, "type");

    if (!type)
        return TRUE; /* libvirt's default is a pty */
    for (int i = 0; type_words[i]; i++) {
        if (strcmp(type, type_words[i]) == 0) {
            source->type = i;
            return TRUE;
        }
    }
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "unknown type presented to host for character device: %s", type);
}

static gboolean
parse_path(Source *source, const XmlNode *node, guint flags, GError **error)
{
    const XmlNode *child = xml_child(node, "source");

    if (xml_count_children(node, "source") > 1)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "only one source element is allowed for character device");
    /* A pty's path is where it was when the guest ran: of meaning in a live document only. */
    if (child && (source->type == CHARDEV_FILE || flags & DOMAIN_PARSE_LIVE))
        source->path = xml_attr(child, "path");
    if (source->type == CHARDEV_FILE && !(source->path && *source->path))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "Missing source path attribute for char device");
    return !child || source->type != CHARDEV_FILE ||
           xml_attr_word(child, "append", XML_OPTIONAL, switch_words, &source->append, error);
}

static gboolean
parse_log(Source *source, const XmlNode *node, GError **error)
{
    const XmlNode *child = xml_child(node, "log");

    if (!child)
        return TRUE;
    source->log = xml_attr(child, "file");
    return xml_attr_word(child, "append", XML_OPTIONAL, switch_words, &source->log_append, error);
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
    chardev->source = source_new();
    device_parse_alias(dev, node, flags);
    return parse_type(chardev->source, node, error) && parse_target(chardev, node, type, error) &&
           parse_path(chardev->source, node, flags, error) &&
           parse_log(chardev->source, node, error);
}

static gboolean
serial_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    return parse_chardev(dev, node, flags, "isa-serial", error);
}

static gboolean
console_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    return parse_chardev(dev, node, flags, "serial", error);
}

/* Formatting */

static void
format_source(const Source *source, XmlWriter *out, guint flags)
{
    if (source->path && (source->type == CHARDEV_FILE || flags & DOMAIN_FORMAT_LIVE)) {
        xml_open(out, "source");
        xml_put_attr(out, "path", source->path);
        if (source->append != TRI_ABSENT)
            xml_put_attr(out, "append", switch_words[source->append]);
        xml_close(out);
    }
    if (source->log) {
        xml_open(out, "log");
        xml_put_attr(out, "file", source->log);
        if (source->log_append != TRI_ABSENT)
            xml_put_attr(out, "append", switch_words[source->log_append]);
        xml_close(out);
    }
}

static void
serial_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Chardev *chardev = (const Chardev *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", type_words[chardev->source->type]);
    format_source(chardev->source, out, flags);
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
    const Source *source = chardev->source;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", type_words[source->type]);
    if (source->type == CHARDEV_PTY && source->path && flags & DOMAIN_FORMAT_LIVE)
        xml_put_attr(out, "tty", source->path);
    format_source(source, out, flags);
    xml_open(out, "target");
    xml_put_attr(out, "type", "serial");
    xml_put_attr_uint(out, "port", MAX(chardev->port, 0));
    xml_close(out);
    device_format_alias(dev, out, flags);
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

    chardev->source = source_ref(other->source);
    chardev->port = -1;
    return chardev;
}

/* Makes @console the mirror of @serial, as libvirt does: whatever it said itself gives way. */
static void
mirror(Chardev *console, const Chardev *serial)
{
    Source *old = console->source;

    console->source = source_ref(serial->source);
    source_unref(old);
    console->port = serial->port;
    console->mirrors = TRUE;
    g_free(console->dev.alias);
    console->dev.alias = g_strdup(serial->dev.alias);
}

static void
serial_complete(GPtrArray *devices)
{
    Chardev *serial = first_of(devices, &device_serial);
    Chardev *console = first_of(devices, &device_console);

    if (!serial && !console)
        return;
    if (!serial)
        g_ptr_array_add(devices, serial = chardev_for(&device_serial, console));
    if (!console)
        g_ptr_array_add(devices, console = chardev_for(&device_console, serial));
    number_ports(devices);
    mirror(console, serial);
}

static gboolean
serial_check_all(const GPtrArray *devices, GError **error)
{
    guint taken = 0; /* a bit for each port */

    for (guint i = 0; i < devices->len; i++) {
        const Chardev *chardev = g_ptr_array_index(devices, i);

        if (chardev->dev.kind == &device_console && !chardev->mirrors)
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

/* The console goes by the name of the port that it mirrors. */
static void
console_assign_alias(Device *dev, const GPtrArray *devices)
{
    const Chardev *serial = first_of(devices, &device_serial);

    g_free(dev->alias);
    dev->alias = serial ? g_strdup(serial->dev.alias) : NULL;
}

static void
chardev_copy(const Device *from, Device *to)
{
    const Chardev *old = (const Chardev *)from;
    Chardev *copy = (Chardev *)to;

    copy->source = source_copy(old->source); /* complete() joins a mirror with its port again */
    copy->port = old->port;
    copy->mirrors = old->mirrors;
}

static void
chardev_clear(Device *dev)
{
    source_unref(((Chardev *)dev)->source);
}

/* Lowering: opening */

/* A terminal that passes every byte as it is, whoever opens it. */
static gboolean
make_raw(const char *slave)
{
    struct termios modes;
    int fd = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC);
    gboolean ok;

    if (fd < 0)
        return FALSE;
    ok = tcgetattr(fd, &modes) == 0;
    if (ok) {
        cfmakeraw(&modes);
        ok = tcsetattr(fd, TCSANOW, &modes) == 0;
    }
    close(fd);
    return ok;
}

/* Readable when somebody opens the slave: a master cannot tell by itself. */
static int
watch_opens(const char *slave)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (fd >= 0 && inotify_add_watch(fd, slave, IN_OPEN) < 0) {
        int errnum = errno;

        close(fd);
        errno = errnum;
        return -1;
    }
    return fd;
}

/* The order matters: the slave is watched once this function itself has closed it. */
static gboolean
prepare_pty(int master, char *slave, gsize size, int *ret_watch)
{
    return grantpt(master) == 0 && unlockpt(master) == 0 && ptsname_r(master, slave, size) == 0 &&
           make_raw(slave) && (*ret_watch = watch_opens(slave)) >= 0;
}

static gboolean
open_pty(char **ret_slave, int *ret_master, int *ret_watch, GError **error)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    char slave[64];

    if (master < 0)
        return driver_error_errno(error, errno, "Unable to open a pseudo-terminal");
    if (!prepare_pty(master, slave, sizeof(slave), ret_watch)) {
        int errnum = errno;

        close(master);
        return driver_error_errno(error, errnum, "Unable to prepare a pseudo-terminal");
    }
    g_free(*ret_slave);
    *ret_slave = g_strdup(slave);
    *ret_master = master;
    return TRUE;
}

/* O_NONBLOCK: a path that turns out to be a FIFO without a reader must not hold up the daemon. */
static int
open_file(const char *path, int append, GError **error)
{
    int mode = append == TRI_ON ? O_APPEND : O_TRUNC;
    int fd = open(path, O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | mode, 0600);

    if (fd < 0)
        driver_error_errno(error, errno, "Unable to open file '%s'", path);
    return fd;
}

/* Lowering: the descriptors of one port on their way into its message */
typedef struct Opened {
    int fd, watch, log;
} Opened;

static void
opened_close(Opened *opened)
{
    if (opened->fd >= 0)
        close(opened->fd);
    if (opened->watch >= 0)
        close(opened->watch);
    if (opened->log >= 0)
        close(opened->log);
}

static gboolean
open_source(Source *source, Opened *opened, GError **error)
{
    if (source->type == CHARDEV_PTY) {
        if (!open_pty(&source->path, &opened->fd, &opened->watch, error))
            return FALSE;
    } else if ((opened->fd = open_file(source->path, source->append, error)) < 0) {
        return FALSE;
    }
    if (!source->log)
        return TRUE;
    opened->log = open_file(source->log, source->log_append, error);
    return opened->log >= 0;
}

static void
describe(VmmMsg *msg, const Chardev *chardev, const Opened *opened)
{
    vmm_msg_put_u64(msg, "port", chardev->port);
    vmm_msg_put_string(msg, "kind", type_words[chardev->source->type]);
    vmm_msg_put_fd(msg, "fd", opened->fd);
    if (chardev->source->type == CHARDEV_FILE)
        vmm_msg_put_bool(msg, "append", chardev->source->append == TRI_ON);
    if (opened->watch >= 0)
        vmm_msg_put_fd(msg, "watch", opened->watch);
    if (opened->log >= 0)
        vmm_msg_put_fd(msg, "log", opened->log);
}

static gboolean
serial_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    Chardev *chardev = (Chardev *)dev;
    Opened opened = { -1, -1, -1 };

    if (!open_source(chardev->source, &opened, error)) {
        opened_close(&opened);
        return FALSE;
    }
    describe(to->add(to->data, VMM_CLASS_SERIAL, dev->alias), chardev, &opened);
    return TRUE;
}

gboolean
device_is_chardev(const Device *dev)
{
    return dev->kind == &device_serial || dev->kind == &device_console;
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
};

const DeviceKind device_console = {
    .element = "console",
    .size = sizeof(Chardev),
    .parse = console_parse,
    .format = console_format,
    .copy = chardev_copy,
    .clear = chardev_clear,
    .assign_alias = console_assign_alias,
};
