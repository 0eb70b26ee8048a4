#include "driver/chardev-socket.h"

#include "driver/broker.h"
#include "driver/error.h"
#include "driver/unix-socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Whoever may reach the directory may connect: as with QEMU's, access is the directory's business. */
static gboolean
check_length(const char *path, GError **error)
{
    struct sockaddr_un address;

    return strlen(path) < sizeof(address.sun_path) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "the path of the socket '%s' is longer than %zu bytes",
                        path, sizeof(address.sun_path) - 1);
}

static gboolean
make_path(ChardevSource *source, const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);

    if (g_mkdir_with_parents(dir, 0700) < 0)
        return driver_error_errno(error, errno, "cannot make the directory '%s'", dir);
    g_free(source->path);
    source->path = g_strdup(path);
    source->generated = TRUE;
    return TRUE;
}

static int
listen_unix(ChardevSource *source, const char *path, GError **error)
{
    int fd;

    if (((!source->path || source->generated) && !make_path(source, path, error)) ||
        !check_length(source->path, error))
        return -1;
    fd = unix_socket_listen(source->path, SOCK_STREAM, 1, error);
    source->listens = fd >= 0;
    return fd;
}

/* Addresses */

/* The first address of the family, or of any with AF_UNSPEC. Nothing here waits for a name server: the host is an address,
 * and services are in a file. NULL with @error. */
static struct addrinfo *
look_up(const ChardevAddress *address, int family, int type, const char *what, GError **error)
{
    const struct addrinfo wanted = {
        .ai_flags = AI_PASSIVE | AI_NUMERICHOST, .ai_family = family, .ai_socktype = type
    };
    const char *host = g_strcmp0(address->host, "localhost") == 0 ? "127.0.0.1" : address->host;
    const char *service = address->service ? address->service : "0";
    struct addrinfo *info = NULL;
    int failed = getaddrinfo(host, service, &wanted, &info);

    if (failed)
        driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "cannot %s '%s' port '%s': %s", what,
                     host ? address->host : "", service, gai_strerror(failed));
    return failed ? NULL : info;
}

static int
fail(int fd, const ChardevAddress *address, const char *what, GError **error)
{
    driver_error_errno(error, errno, "cannot %s '%s' port '%s'", what, address->host ? address->host : "",
                       address->service ? address->service : "0");
    if (fd >= 0)
        close(fd);
    return -1;
}

static int
new_socket(const struct addrinfo *info)
{
    return socket(info->ai_family, info->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, info->ai_protocol);
}

static int
listen_tcp(const ChardevAddress *address, GError **error)
{
    struct addrinfo *info = look_up(address, AF_UNSPEC, SOCK_STREAM, "listen at", error);
    int fd, yes = 1;

    if (!info)
        return -1;
    fd = new_socket(info);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (fd < 0 || bind(fd, info->ai_addr, info->ai_addrlen) < 0 || listen(fd, 1) < 0)
        fd = fail(fd, address, "listen at", error);
    freeaddrinfo(info);
    return fd;
}

/* Also where it is on its way, but for what is known of that at once: of an address of the host, all. */
static gboolean
begin_connecting(int fd, const struct addrinfo *info)
{
    int error = 0;
    socklen_t size = sizeof(error);

    if (connect(fd, info->ai_addr, info->ai_addrlen) == 0)
        return TRUE;
    if (errno != EINPROGRESS || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        return FALSE;
    errno = error;
    return error == 0;
}

static int
connect_tcp(const ChardevAddress *address, GError **error)
{
    struct addrinfo *info = look_up(address, AF_UNSPEC, SOCK_STREAM, "connect to", error);
    int fd;

    if (!info)
        return -1;
    fd = new_socket(info);
    if (fd < 0 || !begin_connecting(fd, info))
        fd = fail(fd, address, "connect to", error);
    freeaddrinfo(info);
    return fd;
}

/* Datagrams come from the peer only. */

static gboolean
bind_udp(int fd, const ChardevAddress *own, int family, GError **error)
{
    struct addrinfo *info = look_up(own, family, SOCK_DGRAM, "listen at", error);
    gboolean ok;
    int yes = 1;

    if (!info)
        return FALSE;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    ok = bind(fd, info->ai_addr, info->ai_addrlen) == 0;
    if (!ok)
        fail(-1, own, "listen at", error);
    freeaddrinfo(info);
    return ok;
}

static int
open_udp(const ChardevSource *source, GError **error)
{
    const ChardevAddress peer = { source->peer.host ? source->peer.host : (char *)"localhost",
                                  source->peer.service };
    struct addrinfo *info = look_up(&peer, AF_UNSPEC, SOCK_DGRAM, "send to", error);
    gboolean bound;
    int fd;

    if (!info)
        return -1;
    fd = new_socket(info);
    bound = fd < 0 || (!source->own.host && !source->own.service) ||
            bind_udp(fd, &source->own, info->ai_family, error);
    if (!bound) {
        close(fd);
        fd = -1;
    } else if (fd < 0 || connect(fd, info->ai_addr, info->ai_addrlen) < 0) {
        fd = fail(fd, &peer, "send to", error);
    }
    freeaddrinfo(info);
    return fd;
}

/* Again and again */

static int
keep_connecting_unix(const ChardevSource *source, const char *program, GError **error)
{
    g_autofree char *pause = g_strdup_printf("%u", source->reconnect_s);
    const char *const argv[] = { program, pause, "unix", source->path, NULL };

    return check_length(source->path, error) ? broker_start(argv, -1, error) : -1;
}

static int
keep_connecting_tcp(const ChardevSource *source, const char *program, GError **error)
{
    struct addrinfo *info = look_up(&source->peer, AF_UNSPEC, SOCK_STREAM, "connect to", error);
    g_autofree char *pause = g_strdup_printf("%u", source->reconnect_s);
    char host[NI_MAXHOST], port[NI_MAXSERV];
    const char *const argv[] = { program, pause, "tcp", host, port, NULL };
    int failed;

    if (!info)
        return -1;
    failed = getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host), port, sizeof(port),
                         NI_NUMERICHOST | NI_NUMERICSERV);
    freeaddrinfo(info);
    if (!failed)
        return broker_start(argv, -1, error);
    driver_error(error, VIR_ERR_OPERATION_FAILED, "cannot connect to '%s' port '%s': %s", source->peer.host,
                 source->peer.service, gai_strerror(failed));
    return -1;
}

int
chardev_socket_open(ChardevSource *source, const ChardevPlaces *places, GError **error)
{
    gboolean local = source->type == CHARDEV_UNIX;

    if (source->type == CHARDEV_UDP)
        return open_udp(source, error);
    if (source->mode == CHARDEV_BIND)
        return local ? listen_unix(source, places->path, error) : listen_tcp(&source->peer, error);
    if (chardev_source_reconnects(source))
        return local ? keep_connecting_unix(source, places->connect, error)
                     : keep_connecting_tcp(source, places->connect, error);
    return local ? unix_socket_connect(source->path, SOCK_STREAM, error) : connect_tcp(&source->peer, error);
}
