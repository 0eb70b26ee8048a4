#include "driver/device-chardev-source.h"

#include "driver/error.h"
#include "driver/unix-socket.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

/* The rest of libvirt's types is the policy table's to refuse. */
static const char *const type_words[] = { "pty", "file", "unix", "tcp", "null", NULL };

typedef enum Tristate {
    TRI_ABSENT = -1,
    TRI_ON,
    TRI_OFF,
} Tristate;

static const char *const switch_words[] = { "on", "off", NULL };
/* libvirt connects where nothing is said, to somebody else who listens: which this machine does not. */
static const char *const mode_words[] = { "connect", "bind", NULL };

typedef enum Mode {
    MODE_CONNECT,
    MODE_BIND,
} Mode;

static const char *const protocol_words[] = { "raw", "telnet", "telnets", "tls", NULL };

/* The directory of a guest's own where sockets without a path of their own are. */
#define GENERATED_DIR "/channel/"

ChardevSource *
chardev_source_new(void)
{
    ChardevSource *source = g_new0(ChardevSource, 1);

    g_atomic_ref_count_init(&source->refs);
    source->append = source->log_append = TRI_ABSENT;
    source->watch = -1;
    return source;
}

static gpointer
close_in_thread(gpointer fd)
{
    close(GPOINTER_TO_INT(fd));
    return NULL;
}

/* The last close of an inotify descriptor waits for the kernel to be done with its marks, 10 ms and more. Ours is the
 * last one, so the end of the guest's process is not held up by it, and its thread sees to it that we are not. */
static void
close_watch(ChardevSource *source)
{
    if (source->watch >= 0)
        g_thread_unref(
            g_thread_new("close-watch", close_in_thread, GINT_TO_POINTER(source->watch)));
    source->watch = -1;
}

ChardevSource *
chardev_source_ref(ChardevSource *source)
{
    g_atomic_ref_count_inc(&source->refs);
    return source;
}

void
chardev_source_unref(ChardevSource *source)
{
    if (!source || !g_atomic_ref_count_dec(&source->refs))
        return;
    close_watch(source);
    g_free(source->path);
    g_free(source->host);
    g_free(source->service);
    g_free(source->log);
    g_free(source);
}

ChardevSource *
chardev_source_copy(const ChardevSource *source)
{
    ChardevSource *copy = chardev_source_new();

    copy->type = source->type;
    copy->path = g_strdup(source->path);
    copy->generated = source->generated;
    copy->host = g_strdup(source->host);
    copy->service = g_strdup(source->service);
    copy->append = source->append;
    copy->log = g_strdup(source->log);
    copy->log_append = source->log_append;
    return copy;
}

/* Parsing */

static gboolean
parse_type(ChardevSource *source, const XmlNode *node, GError **error)
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

/* What a pty's or a made-up socket's path was when the guest ran is of meaning in a live document only. */
static gboolean
parse_path(ChardevSource *source, const XmlNode *child, guint flags, gboolean may_make, GError **error)
{
    gboolean live = (flags & DOMAIN_PARSE_LIVE) != 0;
    gboolean local = source->type == CHARDEV_FILE || source->type == CHARDEV_UNIX;

    if (child && (local || (source->type == CHARDEV_PTY && live)))
        source->path = xml_attr(child, "path");
    if (source->path && !*source->path && source->type == CHARDEV_UNIX)
        g_clear_pointer(&source->path, g_free);
    source->generated = source->type == CHARDEV_UNIX && live && source->path && child &&
                        strstr(source->path, GENERATED_DIR) != NULL;
    if (local && !(source->path && *source->path) && !(source->type == CHARDEV_UNIX && may_make))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "Missing source path attribute for char device");
    return TRUE;
}

/* A socket whose path is to be made up listens, whatever is said. */
static gboolean
parse_mode(const ChardevSource *source, const XmlNode *child, GError **error)
{
    int mode = source->path || source->host ? MODE_CONNECT : MODE_BIND;

    if (child && !xml_attr_word(child, "mode", XML_OPTIONAL, mode_words, &mode, error))
        return FALSE;
    return mode == MODE_BIND ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value 'connect' of attribute 'mode' of <source> is not supported yet by this machine");
}

static gboolean
parse_protocol(const XmlNode *node, GError **error)
{
    const XmlNode *child = xml_child(node, "protocol");
    g_autofree char *type = child ? xml_attr(child, "type") : NULL;

    if (!type || g_strv_contains(protocol_words, type)) /* all but the first are the policy table's to refuse */
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown protocol '%s'", type);
}

/* Names are not looked for: who serves them may let the daemon wait. */
static gboolean
check_host(const char *host, GError **error)
{
    return strcmp(host, "localhost") == 0 || g_hostname_is_ip_address(host) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value '%s' of attribute 'host' of <source> is not supported by this machine, which "
                        "listens at addresses",
                        host);
}

static gboolean
parse_address(ChardevSource *source, const XmlNode *node, const XmlNode *child, GError **error)
{
    source->host = child ? xml_attr(child, "host") : NULL;
    source->service = child ? xml_attr(child, "service") : NULL;
    if (!source->host)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Missing source host attribute for char device");
    if (!source->service)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "Missing source service attribute for char device");
    return check_host(source->host, error) && parse_protocol(node, error) && parse_mode(source, child, error);
}

static gboolean
parse_source(ChardevSource *source, const XmlNode *node, guint flags, gboolean may_make, GError **error)
{
    const XmlNode *child = xml_child(node, "source");

    if (xml_count_children(node, "source") > 1)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "only one source element is allowed for character device");
    if (source->type == CHARDEV_TCP)
        return parse_address(source, node, child, error);
    if (!parse_path(source, child, flags, may_make, error))
        return FALSE;
    if (source->type == CHARDEV_UNIX)
        return parse_mode(source, child, error);
    return !child || source->type != CHARDEV_FILE ||
           xml_attr_word(child, "append", XML_OPTIONAL, switch_words, &source->append, error);
}

static gboolean
parse_log(ChardevSource *source, const XmlNode *node, GError **error)
{
    const XmlNode *child = xml_child(node, "log");

    if (!child)
        return TRUE;
    source->log = xml_attr(child, "file");
    return xml_attr_word(child, "append", XML_OPTIONAL, switch_words, &source->log_append, error);
}

gboolean
chardev_source_parse(ChardevSource *source, const XmlNode *node, guint flags, gboolean may_make,
                     GError **error)
{
    return parse_type(source, node, error) && parse_source(source, node, flags, may_make, error) &&
           parse_log(source, node, error);
}

/* Formatting */

/* What was opened for this run shows in its document alone. */
static gboolean
shows_path(const ChardevSource *source, guint flags)
{
    gboolean lasting = source->type != CHARDEV_PTY && !source->generated;

    return source->path && (lasting || flags & DOMAIN_FORMAT_LIVE);
}

static void
format_path(const ChardevSource *source, XmlWriter *out)
{
    xml_open(out, "source");
    if (source->type == CHARDEV_UNIX)
        xml_put_attr(out, "mode", mode_words[MODE_BIND]);
    xml_put_attr(out, "path", source->path);
    if (source->append != TRI_ABSENT)
        xml_put_attr(out, "append", switch_words[source->append]);
    xml_close(out);
}

static void
format_address(const ChardevSource *source, XmlWriter *out)
{
    xml_open(out, "source");
    xml_put_attr(out, "mode", mode_words[MODE_BIND]);
    xml_put_attr(out, "host", source->host);
    xml_put_attr(out, "service", source->service);
    xml_close(out);
    xml_open(out, "protocol");
    xml_put_attr(out, "type", protocol_words[0]);
    xml_close(out);
}

void
chardev_source_format(const ChardevSource *source, XmlWriter *out, guint flags)
{
    if (source->type == CHARDEV_TCP)
        format_address(source, out);
    else if (shows_path(source, flags))
        format_path(source, out);
    if (!source->log)
        return;
    xml_open(out, "log");
    xml_put_attr(out, "file", source->log);
    if (source->log_append != TRI_ABSENT)
        xml_put_attr(out, "append", switch_words[source->log_append]);
    xml_close(out);
}

const char *
chardev_source_type(const ChardevSource *source)
{
    return type_words[source->type];
}

/* Opening */

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

/* Whoever may reach the directory may connect: as with QEMU's, access is the directory's business. */
static int
listen_at(const char *path, GError **error)
{
    struct sockaddr_un address;

    if (strlen(path) >= sizeof(address.sun_path)) {
        driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                     "the path of the socket '%s' is longer than %zu bytes", path,
                     sizeof(address.sun_path) - 1);
        return -1;
    }
    return unix_socket_listen(path, SOCK_STREAM, 1, error);
}

static gboolean
open_unix(ChardevSource *source, const char *path, int *ret_fd, GError **error)
{
    if (!source->path || source->generated) {
        g_autofree char *dir = g_path_get_dirname(path);

        if (g_mkdir_with_parents(dir, 0700) < 0)
            return driver_error_errno(error, errno, "cannot make the directory '%s'", dir);
        g_free(source->path);
        source->path = g_strdup(path);
        source->generated = TRUE;
    }
    *ret_fd = listen_at(source->path, error);
    return *ret_fd >= 0;
}

static int
listen_on(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, info->ai_protocol);
    int yes = 1, errnum;

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, 1) == 0)
        return fd;
    errnum = errno;
    close(fd);
    errno = errnum;
    return -1;
}

/* Nothing here waits for a name server: the host is an address, and services are in a file. */
static gboolean
open_tcp(const ChardevSource *source, int *ret_fd, GError **error)
{
    const struct addrinfo wanted = { .ai_flags = AI_PASSIVE | AI_NUMERICHOST, .ai_socktype = SOCK_STREAM };
    const char *host = strcmp(source->host, "localhost") == 0 ? "127.0.0.1" : source->host;
    struct addrinfo *info;
    int failed = getaddrinfo(host, source->service, &wanted, &info);

    if (failed)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "cannot listen at '%s' port '%s': %s", source->host,
                            source->service, gai_strerror(failed));
    *ret_fd = listen_on(info);
    freeaddrinfo(info);
    return *ret_fd >= 0 || driver_error_errno(error, errno, "cannot listen at '%s' port '%s'", source->host,
                                              source->service);
}

static void
opened_close(ChardevOpened *opened)
{
    const int fds[] = { opened->fd, opened->watch, opened->log };

    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

static gboolean
open_front(ChardevSource *source, const char *path, ChardevOpened *opened, GError **error)
{
    switch (source->type) {
    case CHARDEV_PTY:
        return open_pty(&source->path, &opened->fd, &opened->watch, error);
    case CHARDEV_UNIX:
        return open_unix(source, path, &opened->fd, error);
    case CHARDEV_TCP:
        return open_tcp(source, &opened->fd, error);
    case CHARDEV_NULL:
        return TRUE;
    default:
        opened->fd = open_file(source->path, source->append, error);
        return opened->fd >= 0;
    }
}

gboolean
chardev_source_open(ChardevSource *source, const char *path, ChardevOpened *ret, GError **error)
{
    ChardevOpened opened = { -1, -1, -1 };
    gboolean ok = open_front(source, path, &opened, error);

    if (ok && source->log) {
        opened.log = open_file(source->log, source->log_append, error);
        ok = opened.log >= 0;
    }
    if (ok)
        *ret = opened;
    else
        opened_close(&opened);
    close_watch(source);
    if (ok && opened.watch >= 0)
        source->watch = fcntl(opened.watch, F_DUPFD_CLOEXEC, 0);
    return ok;
}

guint
chardev_source_count(const ChardevSource *source)
{
    guint front = source->type == CHARDEV_PTY ? 2 : source->type == CHARDEV_NULL ? 0 : 1;

    return front + (source->log ? 1 : 0);
}

/* What the VMM calls it. */
static const char *
kind_of(const ChardevSource *source)
{
    gboolean socket = source->type == CHARDEV_UNIX || source->type == CHARDEV_TCP;

    return socket ? "socket" : type_words[source->type];
}

static void
put_fd(VmmMsg *msg, const char *prefix, const char *key, int fd)
{
    g_autofree char *name = g_strconcat(prefix, key, NULL);

    if (fd >= 0)
        vmm_msg_put_fd(msg, name, fd);
}

void
chardev_source_describe(const ChardevSource *source, const ChardevOpened *opened, VmmMsg *msg,
                        const char *prefix)
{
    g_autofree char *kind = g_strconcat(prefix, "kind", NULL);
    g_autofree char *append = g_strconcat(prefix, "append", NULL);

    vmm_msg_put_string(msg, kind, kind_of(source));
    put_fd(msg, prefix, "fd", opened->fd);
    if (source->type == CHARDEV_FILE)
        vmm_msg_put_bool(msg, append, source->append == TRI_ON);
    put_fd(msg, prefix, "watch", opened->watch);
    put_fd(msg, prefix, "log", opened->log);
}

void
chardev_source_release(ChardevSource *source)
{
    close_watch(source);
    if (source->type == CHARDEV_UNIX && source->path)
        unix_socket_remove(source->path);
}
