#include "driver/neighbours.h"

#include "driver/error.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* States in which the kernel does not know whose an address is, or there is nobody to ask. */
#define UNKNOWN_STATES (NUD_INCOMPLETE | NUD_FAILED | NUD_NOARP | NUD_NONE)

static void
neighbour_free(gpointer data)
{
    Neighbour *neighbour = data;

    g_free(neighbour->text);
    g_free(neighbour);
}

static gboolean
ask(int fd)
{
    struct {
        struct nlmsghdr head;
        struct ndmsg body;
    } request = {
        .head = { .nlmsg_len = sizeof(request),
                  .nlmsg_type = RTM_GETNEIGH,
                  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
    };

    return send(fd, &request, sizeof(request), 0) == sizeof(request);
}

static void
add(GPtrArray *list, int family, const void *address, const void *mac)
{
    char text[INET6_ADDRSTRLEN];
    Neighbour *neighbour;

    if (!inet_ntop(family, address, text, sizeof(text)))
        return;
    neighbour = g_new0(Neighbour, 1);
    memcpy(neighbour->mac, mac, sizeof(neighbour->mac));
    neighbour->type = family == AF_INET ? VIR_IP_ADDR_TYPE_IPV4 : VIR_IP_ADDR_TYPE_IPV6;
    neighbour->text = g_strdup(text);
    g_ptr_array_add(list, neighbour);
}

static void
read_one(GPtrArray *list, struct nlmsghdr *head)
{
    struct ndmsg *body = NLMSG_DATA(head);
    int left = head->nlmsg_len - NLMSG_LENGTH(sizeof(*body));
    gsize size = body->ndm_family == AF_INET ? 4 : 16;
    const void *address = NULL, *mac = NULL;

    if (head->nlmsg_type != RTM_NEWNEIGH || left < 0 || body->ndm_state & UNKNOWN_STATES ||
        (body->ndm_family != AF_INET && body->ndm_family != AF_INET6))
        return;
    for (struct rtattr *attr = (struct rtattr *)(body + 1); RTA_OK(attr, left);
         attr = RTA_NEXT(attr, left)) {
        if (attr->rta_type == NDA_DST && RTA_PAYLOAD(attr) == size)
            address = RTA_DATA(attr);
        if (attr->rta_type == NDA_LLADDR && RTA_PAYLOAD(attr) == NEIGHBOUR_MAC_SIZE)
            mac = RTA_DATA(attr);
    }
    if (address && mac)
        add(list, body->ndm_family, address, mac);
}

/* One packet of the answer; FALSE at its end, with errno where that is a failure. */
static gboolean
read_packet(int fd, GPtrArray *list)
{
    union {
        struct nlmsghdr head;
        char bytes[32768];
    } packet;
    ssize_t n = recv(fd, &packet, sizeof(packet), 0);

    for (struct nlmsghdr *head = &packet.head; n > 0 && NLMSG_OK(head, (gsize)n);
         head = NLMSG_NEXT(head, n)) {
        const struct nlmsgerr *problem = NLMSG_DATA(head);

        if (head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR) {
            errno = head->nlmsg_type == NLMSG_ERROR ? -problem->error : 0;
            return FALSE;
        }
        read_one(list, head);
    }
    return n >= 0;
}

/* The kernel answers at once. */
GPtrArray *
neighbours_list(GError **error)
{
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(neighbour_free);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    int errnum;

    if (fd >= 0 && ask(fd)) {
        while (read_packet(fd, list))
            continue;
    }
    errnum = errno;
    if (fd >= 0)
        close(fd);
    if (errnum != 0) {
        driver_error_errno(error, errnum, "cannot read the host's table of neighbours");
        return NULL;
    }
    return g_steal_pointer(&list);
}
