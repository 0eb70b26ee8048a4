#include "driver/tap.h"

#include "driver/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TUN_DEVICE "/dev/net/tun"
#define NAME_PATTERN                                                                               \
    "vnet%d" /* the kernel fills it in (dev_alloc_name()); clients know these names */
#define MAC_SIZE 6

static void
close_all(int *fds, guint n)
{
    for (guint i = 0; i < n; i++)
        close(fds[i]);
}

/* Descriptors */

/* The name that was asked for, or what the kernel made of the pattern: all queues have the same one. */
static gboolean
attach(int fd, const TapWish *wish, char name[IFNAMSIZ], GError **error)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };

    if (wish->queues > 1)
        request.ifr_flags |= IFF_MULTI_QUEUE;
    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        return driver_error_errno(error, errno, "Unable to %s tap device %s%s",
                                  wish->existing ? "open" : "create", name,
                                  errno == EPERM ? ", which takes CAP_NET_ADMIN" : "");
    g_strlcpy(name, request.ifr_name, IFNAMSIZ);
    return TRUE;
}

static gboolean
open_queue(const TapWish *wish, char name[IFNAMSIZ], int *ret_fd, GError **error)
{
    int fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0)
        return driver_error_errno(error, errno,
                                  "Unable to open " TUN_DEVICE ", is tun module loaded?");
    if (!attach(fd, wish, name, error)) {
        close(fd);
        return FALSE;
    }
    *ret_fd = fd;
    return TRUE;
}

static gboolean
open_queues(const TapWish *wish, char name[IFNAMSIZ], int *ret_fds, GError **error)
{
    for (guint i = 0; i < wish->queues; i++) {
        if (!open_queue(wish, name, &ret_fds[i], error)) {
            close_all(ret_fds, i);
            return FALSE;
        }
    }
    return TRUE;
}

/* The interface */

static gboolean
change(int sock, const char *name, unsigned long code, struct ifreq *request, const char *what,
       GError **error)
{
    g_strlcpy(request->ifr_name, name, IFNAMSIZ);
    if (ioctl(sock, code, request) < 0)
        return driver_error_errno(error, errno, "Cannot set %s of interface '%s'", what, name);
    return TRUE;
}

/* The guest's address with another first byte: a bridge takes the lowest one of its ports for its own,
 * and that should be its card's, not this one that comes and goes. */
static gboolean
set_mac(int sock, const char *name, const TapWish *wish, GError **error)
{
    struct ifreq request = { .ifr_hwaddr.sa_family = ARPHRD_ETHER };

    memcpy(request.ifr_hwaddr.sa_data, wish->mac, MAC_SIZE);
    request.ifr_hwaddr.sa_data[0] = (char)(wish->mac[0] == 0xfe ? 0xfa : 0xfe);
    return change(sock, name, SIOCSIFHWADDR, &request, "the address", error);
}

static gboolean
set_mtu(int sock, const char *name, guint mtu, GError **error)
{
    struct ifreq request = { .ifr_mtu = (int)mtu };

    return mtu == 0 || change(sock, name, SIOCSIFMTU, &request, "the MTU", error);
}

/* A tap that is larger than its bridge would make the bridge's other ports drop what it sends. */
static guint
bridge_mtu(int sock, const char *bridge)
{
    struct ifreq request = { 0 };

    g_strlcpy(request.ifr_name, bridge, IFNAMSIZ);
    return ioctl(sock, SIOCGIFMTU, &request) < 0 ? 0 : (guint)request.ifr_mtu;
}

static gboolean
join_bridge(int sock, const char *name, const char *bridge, GError **error)
{
    struct ifreq request = { .ifr_ifindex = (int)if_nametoindex(name) };

    g_strlcpy(request.ifr_name, bridge, IFNAMSIZ);
    if (ioctl(sock, SIOCBRADDIF, &request) < 0)
        return driver_error_errno(error, errno, "Unable to add bridge %s port %s", bridge, name);
    return TRUE;
}

static void
leave_bridge(int sock, const char *name, const char *bridge)
{
    struct ifreq request = { .ifr_ifindex = (int)if_nametoindex(name) };

    g_strlcpy(request.ifr_name, bridge, IFNAMSIZ);
    if (ioctl(sock, SIOCBRDELIF, &request) < 0) /* somebody else took it out: as well */
        g_warning("Unable to remove bridge %s port %s: %s", bridge, name, g_strerror(errno));
}

static gboolean
bring_up(int sock, const char *name, GError **error)
{
    struct ifreq request = { 0 };

    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    if (ioctl(sock, SIOCGIFFLAGS, &request) < 0)
        return driver_error_errno(error, errno, "Cannot look at interface '%s'", name);
    request.ifr_flags |= IFF_UP;
    return change(sock, name, SIOCSIFFLAGS, &request, "the state", error);
}

static gboolean
set_up(int sock, const char *name, const TapWish *wish, GError **error)
{
    guint mtu = wish->mtu || !wish->bridge ? wish->mtu : bridge_mtu(sock, wish->bridge);

    return set_mac(sock, name, wish, error) && set_mtu(sock, name, mtu, error) &&
           (!wish->bridge || join_bridge(sock, name, wish->bridge, error)) &&
           bring_up(sock, name, error);
}

static gboolean
set_up_new(const char *name, const TapWish *wish, GError **error)
{
    int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    gboolean ok;

    if (sock < 0)
        return driver_error_errno(error, errno, "Cannot set up interface '%s'", name);
    ok = set_up(sock, name, wish, error);
    close(sock);
    return ok;
}

static gboolean
check_names(const TapWish *wish, GError **error)
{
    const char *const names[] = { wish->name, wish->bridge };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        if (names[i] && strlen(names[i]) >= IFNAMSIZ)
            return driver_error_errno(error, ERANGE, "Network interface name '%s' is too long",
                                      names[i]);
    }
    if (wish->existing && !if_nametoindex(wish->name))
        return driver_error_errno(error, errno, "There is no tap device %s", wish->name);
    return TRUE;
}

gboolean
tap_open(const TapWish *wish, int *ret_fds, char **ret_name, GError **error)
{
    char name[IFNAMSIZ] = NAME_PATTERN;

    if (!check_names(wish, error))
        return FALSE;
    if (wish->name)
        g_strlcpy(name, wish->name, IFNAMSIZ);
    if (!open_queues(wish, name, ret_fds, error))
        return FALSE;
    if (!wish->existing && !set_up_new(name, wish, error)) {
        close_all(ret_fds, wish->queues);
        return FALSE;
    }
    *ret_name = g_strdup(name);
    return TRUE;
}

gboolean
tap_move(const char *name, const char *from, const char *to, GError **error)
{
    int sock;
    gboolean ok;

    if (strlen(to) >= IFNAMSIZ || !if_nametoindex(to))
        return driver_error(error, VIR_ERR_OPERATION_FAILED, "bridge %s doesn't exist", to);
    sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sock < 0)
        return driver_error_errno(error, errno, "Cannot move interface '%s'", name);
    leave_bridge(sock, name, from);
    ok = join_bridge(sock, name, to, error);
    if (!ok)
        join_bridge(sock, name, from, NULL);
    close(sock);
    return ok;
}
