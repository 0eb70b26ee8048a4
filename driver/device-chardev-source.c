#include "driver/device-chardev-source.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

/* The rest of libvirt's types is the policy table's to refuse. */
static const char *const type_words[] = { "pty", "file", "dev", "pipe", "unix", "tcp", "udp", "null", NULL };

typedef enum Tristate {
    TRI_ABSENT = -1,
    TRI_ON,
    TRI_OFF,
} Tristate;

static const char *const switch_words[] = { "on", "off", NULL };
static const char *const bool_words[] = { "yes", "no", NULL };
static const char *const mode_words[] = { "connect", "bind", NULL };
static const char *const protocol_words[] = { "raw", "telnet", "telnets", "tls", NULL };

/* The directory of a guest's own where sockets without a path of their own are. */
#define GENERATED_DIR "/channel/"

ChardevSource *
chardev_source_new(void)
{
    ChardevSource *source = g_new0(ChardevSource, 1);

    g_atomic_ref_count_init(&source->refs);
    source->append = source->log_append = source->reconnect = TRI_ABSENT;
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
void
chardev_source_set_watch(ChardevSource *source, int watch)
{
    if (source->watch >= 0)
        g_thread_unref(
            g_thread_new("close-watch", close_in_thread, GINT_TO_POINTER(source->watch)));
    source->watch = watch;
}

static void
address_clear(ChardevAddress *address)
{
    g_free(address->host);
    g_free(address->service);
}

static ChardevAddress
address_copy(const ChardevAddress *address)
{
    return (ChardevAddress){ g_strdup(address->host), g_strdup(address->service) };
}

static gboolean
address_equal(const ChardevAddress *a, const ChardevAddress *b)
{
    return g_strcmp0(a->host, b->host) == 0 && g_strcmp0(a->service, b->service) == 0;
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
    chardev_source_set_watch(source, -1);
    g_free(source->path);
    address_clear(&source->peer);
    address_clear(&source->own);
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
    copy->listens = source->listens;
    copy->mode = source->mode;
    copy->peer = address_copy(&source->peer);
    copy->own = address_copy(&source->own);
    copy->protocol = source->protocol;
    copy->reconnect = source->reconnect;
    copy->reconnect_s = source->reconnect_s;
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

/* Of paths that are there before the guest is. */
static gboolean
parse_path(ChardevSource *source, const XmlNode *child, GError **error)
{
    source->path = child ? xml_attr(child, "path") : NULL;
    if (!source->path || !*source->path)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "Missing source path attribute for char device");
    return source->type != CHARDEV_FILE ||
           xml_attr_word(child, "append", XML_OPTIONAL, switch_words, &source->append, error);
}

/* Where a pty was when the guest ran is of meaning in a live document only. */
static gboolean
parse_pty(ChardevSource *source, const XmlNode *child, guint flags)
{
    if (child && flags & DOMAIN_PARSE_LIVE)
        source->path = xml_attr(child, "path");
    return TRUE;
}

/* Sockets that connect, or listen. */

static gboolean
parse_reconnect(ChardevSource *source, const XmlNode *child, GError **error)
{
    const XmlNode *node = child ? xml_child(child, "reconnect") : NULL;

    if (!node)
        return TRUE;
    if (!xml_attr_word(node, "enabled", XML_OPTIONAL, bool_words, &source->reconnect, error) ||
        (source->reconnect == TRI_ON &&
         !xml_attr_uint(node, "timeout", XML_REQUIRED, &source->reconnect_s, error)))
        return FALSE;
    return source->mode == CHARDEV_CONNECT || source->reconnect == TRI_ABSENT ||
           driver_error(error, VIR_ERR_INTERNAL_ERROR, "chardev reconnect is possible only for connect mode");
}

static gboolean
parse_mode(ChardevSource *source, const XmlNode *child, GError **error)
{
    source->mode = CHARDEV_CONNECT;
    return !child || xml_attr_word(child, "mode", XML_OPTIONAL, mode_words, &source->mode, error);
}

/* A socket whose path is to be made up listens, whatever is said. */
static gboolean
parse_unix(ChardevSource *source, const XmlNode *child, guint flags, gboolean may_make, GError **error)
{
    source->path = child ? xml_attr(child, "path") : NULL;
    if (source->path && !*source->path)
        g_clear_pointer(&source->path, g_free);
    if (!source->path && !may_make)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "Missing source path attribute for char device");
    if (!parse_mode(source, child, error))
        return FALSE;
    if (!source->path)
        source->mode = CHARDEV_BIND;
    source->generated = flags & DOMAIN_PARSE_LIVE && source->path && source->mode == CHARDEV_BIND &&
                        strstr(source->path, GENERATED_DIR) != NULL;
    return parse_reconnect(source, child, error);
}

static gboolean
parse_protocol(ChardevSource *source, const XmlNode *node, GError **error)
{
    const XmlNode *child = xml_child(node, "protocol");
    g_autofree char *type = child ? xml_attr(child, "type") : NULL;

    for (int i = 0; type && protocol_words[i]; i++) {
        if (strcmp(type, protocol_words[i]) == 0) { /* the last two are the policy table's to refuse */
            source->protocol = i;
            return TRUE;
        }
    }
    return !type || driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown protocol '%s'", type);
}

/* Names are not looked for: who serves them may let the daemon wait. */
static gboolean
check_host(const char *host, GError **error)
{
    return !host || strcmp(host, "localhost") == 0 || g_hostname_is_ip_address(host) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value '%s' of attribute 'host' of <source> is not supported by this machine, which "
                        "knows addresses only",
                        host);
}

static void
parse_address(ChardevAddress *address, const XmlNode *child)
{
    address->host = xml_attr(child, "host");
    address->service = xml_attr(child, "service");
}

static gboolean
parse_tcp(ChardevSource *source, const XmlNode *node, const XmlNode *child, GError **error)
{
    if (child)
        parse_address(&source->peer, child);
    if (!source->peer.host)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Missing source host attribute for char device");
    if (!source->peer.service)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "Missing source service attribute for char device");
    return check_host(source->peer.host, error) && parse_protocol(source, node, error) &&
           parse_mode(source, child, error) && parse_reconnect(source, child, error);
}

/* The first <source> in each mode counts. */
static gboolean
parse_udp_source(ChardevSource *source, const XmlNode *child, GError **error)
{
    int mode = CHARDEV_CONNECT;
    ChardevAddress *address;

    if (!xml_attr_word(child, "mode", XML_OPTIONAL, mode_words, &mode, error))
        return FALSE;
    address = mode == CHARDEV_CONNECT ? &source->peer : &source->own;
    if (!address->host && !address->service)
        parse_address(address, child);
    return check_host(address->host, error);
}

static gboolean
parse_udp(ChardevSource *source, const XmlNode *node, GError **error)
{
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        if (strcmp(xml_name(child), "source") == 0 && !parse_udp_source(source, child, error))
            return FALSE;
    }
    return source->peer.service || driver_error(error, VIR_ERR_INTERNAL_ERROR,
                                                "Missing source service attribute for char device");
}

static gboolean
check_sources(const ChardevSource *source, const XmlNode *node, GError **error)
{
    guint n = xml_count_children(node, "source");

    if (n > 1 && source->type != CHARDEV_UDP)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "only one source element is allowed for character device");
    return n <= 2 || driver_error(error, VIR_ERR_XML_ERROR,
                                  "only two source elements are allowed for character device");
}

static gboolean
parse_source(ChardevSource *source, const XmlNode *node, guint flags, gboolean may_make, GError **error)
{
    const XmlNode *child = xml_child(node, "source");

    if (!check_sources(source, node, error))
        return FALSE;
    switch (source->type) {
    case CHARDEV_PTY:
        return parse_pty(source, child, flags);
    case CHARDEV_UNIX:
        return parse_unix(source, child, flags, may_make, error);
    case CHARDEV_TCP:
        return parse_tcp(source, node, child, error);
    case CHARDEV_UDP:
        return parse_udp(source, node, error);
    case CHARDEV_NULL:
        return TRUE;
    default:
        return parse_path(source, child, error);
    }
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
    xml_put_attr(out, "path", source->path);
    if (source->append != TRI_ABSENT)
        xml_put_attr(out, "append", switch_words[source->append]);
    xml_close(out);
}

static void
put_address(const ChardevAddress *address, XmlWriter *out)
{
    if (address->host)
        xml_put_attr(out, "host", address->host);
    if (address->service)
        xml_put_attr(out, "service", address->service);
}

/* Of CHARDEV_UNIX and CHARDEV_TCP. */
static void
format_socket(const ChardevSource *source, XmlWriter *out)
{
    xml_open(out, "source");
    xml_put_attr(out, "mode", mode_words[source->mode]);
    if (source->type == CHARDEV_UNIX)
        xml_put_attr(out, "path", source->path);
    else
        put_address(&source->peer, out);
    if (source->reconnect != TRI_ABSENT) {
        xml_open(out, "reconnect");
        xml_put_attr(out, "enabled", bool_words[source->reconnect]);
        if (source->reconnect == TRI_ON)
            xml_put_attr_uint(out, "timeout", source->reconnect_s);
        xml_close(out);
    }
    xml_close(out);
}

static void
format_tcp(const ChardevSource *source, XmlWriter *out)
{
    format_socket(source, out);
    xml_open(out, "protocol");
    xml_put_attr(out, "type", protocol_words[source->protocol]);
    xml_close(out);
}

static void
format_udp_address(const ChardevAddress *address, ChardevMode mode, XmlWriter *out)
{
    if (!address->host && !address->service)
        return;
    xml_open(out, "source");
    xml_put_attr(out, "mode", mode_words[mode]);
    put_address(address, out);
    xml_close(out);
}

static void
format_source(const ChardevSource *source, XmlWriter *out, guint flags)
{
    if (source->type == CHARDEV_TCP) {
        format_tcp(source, out);
    } else if (source->type == CHARDEV_UDP) {
        format_udp_address(&source->own, CHARDEV_BIND, out);
        format_udp_address(&source->peer, CHARDEV_CONNECT, out);
    } else if (shows_path(source, flags)) {
        source->type == CHARDEV_UNIX ? format_socket(source, out) : format_path(source, out);
    }
}

void
chardev_source_format(const ChardevSource *source, XmlWriter *out, guint flags)
{
    format_source(source, out, flags);
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

gboolean
chardev_source_has_socket(const ChardevSource *source)
{
    return source->type == CHARDEV_UNIX && source->mode == CHARDEV_BIND && source->path;
}

gboolean
chardev_source_reconnects(const ChardevSource *source)
{
    return source->reconnect == TRI_ON && source->reconnect_s > 0;
}

gboolean
chardev_source_is_like(const ChardevSource *source, const ChardevSource *wanted)
{
    return source->type == wanted->type && source->mode == wanted->mode &&
           (!wanted->path || g_strcmp0(source->path, wanted->path) == 0) &&
           address_equal(&source->peer, &wanted->peer) && address_equal(&source->own, &wanted->own);
}
