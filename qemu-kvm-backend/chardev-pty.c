/* kind "pty": the master of a pseudo terminal, whose slave anybody may open and close. It comes raw from the driver, for
 * one that echoes would give the guest its own output as input.
 *
 * A master whose slave was closed by all says POLLHUP without end, so it is in the loop only while
 * somebody has the slave open; the watch tells when that may have become so. The kernel would also
 * take some output for a slave that nobody has open, the oldest; hence nothing is written then. */
#include "qemu-kvm-backend/chardev-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* How often a pty without a watch looks whether somebody opened it. */
#define RETRY_MS 500

typedef struct Pty {
    Chardev chardev;
    int watch_fd;
    bool attached;            /* somebody had the slave open when the main thread last looked */
    LoopSource *source;       /* NULL while nobody has the slave open */
    LoopSource *watch_source; /* NULL: there is no watch, so @retry goes */
    LoopSource *retry;
} Pty;

static bool
is_hung_up(int fd)
{
    struct pollfd pollfd = { .fd = fd };

    return poll(&pollfd, 1, 0) < 0 || (pollfd.revents & (POLLHUP | POLLERR | POLLNVAL));
}

static void pty_ready(void *data, uint32_t events);

static void
pty_detach(Pty *pty)
{
    pty->attached = false;
    loop_source_free(pty->source);
    pty->source = NULL;
    if (!pty->watch_source)
        loop_timer_set(pty->retry, RETRY_MS);
}

static void
pty_attach(Pty *pty)
{
    Chardev *chardev = &pty->chardev;
    uint32_t events = 0;

    if (chardev->owner.room(chardev->owner.data) > 0)
        events |= EPOLLIN;
    if (chardev->backlog.used > 0)
        events |= EPOLLOUT;
    if (pty->source)
        loop_source_set_events(pty->source, events);
    else
        pty->source = loop_add_fd(chardev->loop, chardev->out.fd, events, pty_ready, pty);
    pty->attached = pty->source != NULL;
    if (!pty->attached)
        pty_detach(pty);
}

/* Does all that can be done now, whatever it was that woke us up. Also reads what a client wrote before it closed; past
 * that, read() says EIO. */
static void
pty_ready(void *data, uint32_t events)
{
    Pty *pty = data;
    Chardev *chardev = data;

    pthread_mutex_lock(chardev->owner.lock);
    chardev_receive(chardev, chardev->out.fd);
    if (!is_hung_up(chardev->out.fd) && chardev_flush(chardev))
        pty_attach(pty);
    else
        pty_detach(pty);
    pthread_mutex_unlock(chardev->owner.lock);
}

static void
pty_opened(void *data, uint32_t events)
{
    Pty *pty = data;
    char events_read[4096];
    ssize_t n;

    do
        n = read(pty->watch_fd, events_read, sizeof(events_read));
    while (n > 0 || (n < 0 && errno == EINTR));
    if (n == 0 || errno != EAGAIN) {
        loop_source_free(pty->watch_source);
        pty->watch_source = NULL;
    }
    pty_ready(pty, events);
}

/* The slave is opened and closed once, because a master whose slave never was open does not say POLLHUP. */
static void
pty_prepare(int fd)
{
    int slave = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

    if (slave >= 0)
        close(slave);
}

static bool
pty_add_watch(Pty *pty, VmmMsg *params, VmmError *err)
{
    if (!vmm_msg_take_fd(params, "watch", &pty->watch_fd))
        return true;
    if (!sink_set_nonblocking(pty->watch_fd, 0, err))
        return false;
    pty->watch_source = loop_add_fd(pty->chardev.loop, pty->watch_fd, EPOLLIN, pty_opened, pty);
    return pty->watch_source || vmm_error_errno(err, "Cannot watch the pty's slave");
}

static bool
pty_open(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    Pty *pty = (Pty *)chardev;

    pty->watch_fd = -1;
    if (!chardev_take_fd(chardev, params, &chardev->out.fd, err) ||
        !sink_set_nonblocking(chardev->out.fd, 0, err) || !pty_add_watch(pty, params, err) ||
        !chardev_add_wake(chardev, pty_ready, err))
        return false;
    pty->retry = loop_add_timer(chardev->loop, pty_ready, pty);
    pty_prepare(chardev->out.fd);
    chardev_wake(chardev);
    return true;
}

static void
pty_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    bool idle = ((Pty *)chardev)->attached && chardev->backlog.used == 0;
    size_t done = idle ? sink_write_some(chardev->out.fd, bytes, size) : 0;

    if (done == size)
        return;
    chardev->out.dropped += backlog_put(&chardev->backlog, bytes + done, size - done);
    /* Later bytes need no word: by then the main thread waits for EPOLLOUT. */
    if (idle)
        chardev_wake(chardev);
}

static void
pty_close(Chardev *chardev)
{
    Pty *pty = (Pty *)chardev;

    loop_source_free(pty->source);
    loop_source_free(pty->watch_source);
    loop_source_free(pty->retry);
    if (pty->watch_fd >= 0)
        close(pty->watch_fd);
}

const ChardevKind chardev_pty = { "pty", sizeof(Pty), pty_open, pty_write, pty_close };
