#include "tests/bench/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME  "bench0"
#define BATCH 32

static void
configure(int fd, unsigned long request, const void *value, const char *what)
{
    if (ioctl(fd, request, value) < 0)
        g_error("%s: %s", what, g_strerror(errno));
}

int
tap_open(const char *name)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        g_error("/dev/net/tun: %s", g_strerror(errno));
    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    configure(fd, TUNSETIFF, &request, name);
    return fd;
}

const char *
tap_make(void)
{
    static gboolean made;
    struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };
    int fd, control;

    if (made)
        return NAME;
    if (unshare(CLONE_NEWNET) < 0)
        g_error("a network namespace, which takes root: %s", g_strerror(errno));
    fd = tap_open(NAME);
    control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    g_strlcpy(request.ifr_name, NAME, IFNAMSIZ);
    configure(fd, TUNSETPERSIST, (void *)1L, "TUNSETPERSIST");
    configure(control, SIOCSIFFLAGS, &request, NAME);
    close(control);
    close(fd);
    made = TRUE;
    return NAME;
}

/* A socket that puts frames on the interface, and its address. */
static int
open_packets(const char *name, struct sockaddr_ll *to)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0)
        g_error("a packet socket: %s", g_strerror(errno));
    *to = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(name) };
    if (bind(fd, (struct sockaddr *)to, sizeof(*to)) < 0)
        g_error("%s: %s", name, g_strerror(errno));
    return fd;
}

gpointer
tap_send(gpointer data)
{
    TapSender *sender = data;
    struct sockaddr_ll to;
    int fd = open_packets(sender->name, &to);
    guint8 frame[ETH_FRAME_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02,
                                    0,    0,    0,    0,    1,    0x88, 0xb5 };
    struct iovec vec = { .iov_base = frame, .iov_len = sender->size };
    struct mmsghdr batch[BATCH] = { 0 };

    g_assert_cmpuint(sender->size, <=, sizeof(frame));
    for (gsize i = 0; i < BATCH; i++)
        batch[i].msg_hdr = (struct msghdr){ .msg_iov = &vec, .msg_iovlen = 1 };
    while (!g_atomic_int_get(&sender->stop)) {
        if (sendmmsg(fd, batch, BATCH, 0) < 0 && errno != ENOBUFS && errno != EAGAIN)
            g_error("sending to %s: %s", sender->name, g_strerror(errno));
    }
    close(fd);
    return NULL;
}
