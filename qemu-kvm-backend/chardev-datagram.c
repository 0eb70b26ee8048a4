/* kind "datagram": a connected datagram socket. What the guest writes at once is one datagram, or more where that is too
 * long for one; nobody promises that it arrives. */
#include "qemu-kvm-backend/chardev-private.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX 65507 /* over IPv4 */

typedef struct Datagram {
    Chardev chardev;
    LoopSource *source;
    size_t at, end; /* of the datagram that the guest has got in part */
    uint8_t bytes[DATAGRAM_MAX];
} Datagram;

/* The next datagram. An error is news of one that was sent; false where there is none now. */
static bool
fetch(Datagram *datagram)
{
    ssize_t n = read(datagram->chardev.out.fd, datagram->bytes, sizeof(datagram->bytes));

    datagram->at = 0;
    datagram->end = n > 0 ? n : 0;
    return n >= 0 || errno != EAGAIN;
}

/* Whether the owner has room for more than there is. */
static bool
deliver(Datagram *datagram)
{
    const ChardevOwner *owner = &datagram->chardev.owner;
    size_t room;

    for (unsigned i = 0; (room = owner->room(owner->data)) > 0; i++) {
        size_t left = datagram->end - datagram->at;
        size_t n = room < left ? room : left;

        if (i == CHARDEV_READS_MAX) {
            chardev_wake(&datagram->chardev);
            return true;
        }
        if (n > 0)
            owner->receive(owner->data, datagram->bytes + datagram->at, n);
        datagram->at += n;
        if (n == 0 && !fetch(datagram))
            return true;
    }
    return false;
}

static void
datagram_ready(void *data, uint32_t events)
{
    Datagram *datagram = data;
    Chardev *chardev = data;
    socklen_t size = sizeof(int);
    int error;

    pthread_mutex_lock(chardev->owner.lock);
    if (events & EPOLLERR) /* said without end until somebody has asked */
        getsockopt(chardev->out.fd, SOL_SOCKET, SO_ERROR, &error, &size);
    loop_source_set_events(datagram->source, deliver(datagram) ? EPOLLIN : 0);
    pthread_mutex_unlock(chardev->owner.lock);
}

static bool
datagram_open(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    Datagram *datagram = (Datagram *)chardev;

    if (!chardev_take_fd(chardev, params, &chardev->out.fd, err) ||
        !sink_set_nonblocking(chardev->out.fd, 0, err) ||
        !chardev_add_wake(chardev, datagram_ready, err))
        return false;
    datagram->source = loop_add_fd(chardev->loop, chardev->out.fd, 0, datagram_ready, datagram);
    if (!datagram->source)
        return vmm_error_errno(err, "Cannot watch a socket");
    chardev_wake(chardev);
    return true;
}

static void
datagram_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        size_t n = size < DATAGRAM_MAX ? size : DATAGRAM_MAX;

        if (write(chardev->out.fd, bytes, n) < 0 && errno == EINTR)
            continue;
        bytes += n;
        size -= n;
    }
}

static void
datagram_close(Chardev *chardev)
{
    loop_source_free(((Datagram *)chardev)->source);
}

const ChardevKind chardev_datagram = {
    "datagram", sizeof(Datagram), datagram_open, datagram_write, datagram_close,
};
