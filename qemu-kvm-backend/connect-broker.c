/* vmctl-connect: connects a guest's character device to one address, again and again: see proto/connect-broker.h.
 *
 *     vmctl-connect SECONDS unix PATH
 *     vmctl-connect SECONDS tcp ADDRESS PORT
 *
 * SECONDS is the pause between two attempts. It knows that address only, keeps no capabilities, and no system calls but
 * those that serving takes.
 */
#include "qemu-kvm-backend/proto/connect-broker.h"

#include "qemu-kvm-backend/broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_FILES  16
#define CONNECT_MS 30000 /* then an attempt is over that nobody has answered */
#define PAUSE_S_MAX 2000000

static const unsigned calls[] = {
    SYS_recvfrom, SYS_sendmsg, SYS_socket, SYS_connect,         SYS_getsockopt,
    SYS_poll,     SYS_close,   SYS_restart_syscall, SYS_exit_group,
};

typedef union Address {
    struct sockaddr any;
    struct sockaddr_un local;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
} Address;

typedef struct Peer {
    Address address;
    socklen_t size;
    int pause_ms;
} Peer;

/* The arguments */

static bool
read_path(Peer *peer, const char *path)
{
    struct sockaddr_un *local = &peer->address.local;

    local->sun_family = AF_UNIX;
    peer->size = sizeof(*local);
    return (size_t)snprintf(local->sun_path, sizeof(local->sun_path), "%s", path) < sizeof(local->sun_path);
}

static bool
read_ip(Peer *peer, const char *host, const char *port)
{
    Address *address = &peer->address;

    if (inet_pton(AF_INET, host, &address->ip4.sin_addr) == 1) {
        address->ip4.sin_family = AF_INET;
        address->ip4.sin_port = htons(atoi(port));
        peer->size = sizeof(address->ip4);
        return true;
    }
    address->ip6.sin6_family = AF_INET6;
    address->ip6.sin6_port = htons(atoi(port));
    peer->size = sizeof(address->ip6);
    return inet_pton(AF_INET6, host, &address->ip6.sin6_addr) == 1;
}

static bool
read_peer(Peer *peer, int argc, char **argv)
{
    long pause_s = argc > 1 ? atol(argv[1]) : 0;

    *peer = (Peer){ .pause_ms = 1000 * (pause_s < 1 ? 1 : pause_s < PAUSE_S_MAX ? pause_s : PAUSE_S_MAX) };
    if (argc == 4 && strcmp(argv[2], "unix") == 0)
        return read_path(peer, argv[3]);
    return argc == 5 && strcmp(argv[2], "tcp") == 0 && read_ip(peer, argv[3], argv[4]);
}

/* Connecting */

/* Waits for @fd, where there is one, and not longer than the guest is there: then the process ends. Whether @fd is ready. */
static bool
wait_for(int fd, int ms)
{
    struct pollfd both[] = { { .fd = CONNECT_BROKER_FD }, { .fd = fd, .events = POLLOUT } };

    if (poll(both, 2, ms) < 0)
        return false;
    if (both[0].revents)
        _exit(EXIT_SUCCESS);
    return both[1].revents != 0;
}

static bool
is_connected(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

static int
try_once(const Peer *peer)
{
    int fd = socket(peer->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, &peer->address.any, peer->size) == 0 ||
        (errno == EINPROGRESS && wait_for(fd, CONNECT_MS) && is_connected(fd)))
        return fd;
    close(fd);
    return -1;
}

static int
keep_trying(const Peer *peer)
{
    int fd;

    while ((fd = try_once(peer)) < 0)
        wait_for(-1, peer->pause_ms);
    return fd;
}

/* False at the end of the guest. */
static bool
serve_one(const Peer *peer, bool first)
{
    ConnectBrokerWord word;
    ssize_t n = recv(CONNECT_BROKER_FD, &word, sizeof(word), MSG_TRUNC);
    bool answered;
    int fd;

    if (n != sizeof(word))
        return false;
    if (!first)
        wait_for(-1, peer->pause_ms);
    fd = keep_trying(peer);
    answered = broker_send(CONNECT_BROKER_FD, &word, sizeof(word), fd);
    close(fd);
    return answered;
}

int
main(int argc, char **argv)
{
    bool first = true;
    Peer peer;

    if (!read_peer(&peer, argc, argv)) {
        fprintf(stderr, "vmctl-connect: there is no such address\n");
        return EXIT_FAILURE;
    }
    setsid(); /* what a terminal sends to the driver is not meant for it */
    if (close_range(CONNECT_BROKER_FD + 1, ~0u, 0) < 0 ||
        !broker_confine(calls, sizeof(calls) / sizeof(calls[0]), MAX_FILES)) {
        fprintf(stderr, "vmctl-connect: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    while (serve_one(&peer, first))
        first = false;
    return EXIT_SUCCESS;
}
