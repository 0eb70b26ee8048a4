#include "qemu-kvm-backend/chardev.h"

#include "qemu-kvm-backend/backlog.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/socket-server.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* How often a pty without a watch looks whether somebody opened it. */
#define RETRY_MS 500

/* Reads in a row, then other sources get their turn: a guest may make room as fast as somebody types. */
#define READS_MAX 64

typedef struct ChardevKind {
    const char *name;
    bool (*open)(Chardev *chardev, VmmMsg *params, VmmError *err);
    void (*write)(Chardev *chardev, const uint8_t *bytes, size_t size);
} ChardevKind;

/* Where output is dropped, and how much. */
typedef struct Sink {
    int fd;
    uint64_t dropped; /* bytes, since it last took something */
} Sink;

/* Everything below is guarded by the owner's lock. Sources of the loop are the main thread's alone.
 */
struct Chardev {
    const ChardevKind *kind;
    Loop *loop;
    ChardevOwner owner;
    Sink out;
    Sink log;
    /* The rest is the pty's and the socket's. */
    int watch_fd;
    int wake_fd;              /* an eventfd: a vCPU's word to the main thread */
    bool woken;               /* the word is on its way */
    bool attached;            /* somebody had the slave open when the main thread last looked, or is connected */
    SocketServer *server;     /* of a socket */
    LoopSource *source;       /* NULL while nobody has the slave open */
    LoopSource *watch_source; /* NULL: there is no watch, so @retry goes */
    LoopSource *wake_source;
    LoopSource *retry;
    Backlog backlog;
};

/* Writes what @fd takes at once. Less than @size with errno: EAGAIN where it is full. */
static size_t
write_some(int fd, const uint8_t *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = write(fd, bytes + done, size - done);

        if (n > 0)
            done += n;
        else if (n == 0 || errno != EINTR)
            break;
    }
    return done;
}

/* Files and pipes: what they do not take now is lost, said once in a row. */
static void
sink_write(Chardev *chardev, Sink *sink, const uint8_t *bytes, size_t size)
{
    size_t done = write_some(sink->fd, bytes, size);

    if (done < size && sink->dropped == 0)
        log_guest("Output of '%s' is being dropped: %s", chardev->owner.name, strerror(errno));
    else if (done == size && sink->dropped > 0)
        log_guest("Output of '%s' goes on; %" PRIu64 " bytes were dropped", chardev->owner.name,
                  sink->dropped);
    sink->dropped = done < size ? sink->dropped + (size - done) : 0;
}

static bool
set_nonblocking(int fd, int more_flags, VmmError *err)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK | more_flags) < 0)
        return vmm_error_errno(err, "Cannot prepare the descriptor of a character device");
    return true;
}

static bool
take_fd(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    if (vmm_msg_take_fd(params, "fd", &chardev->out.fd))
        return true;
    return vmm_error(err, VMM_ERROR_INVALID, "Character device '%s' of kind '%s' has no descriptor",
                     chardev->owner.name, chardev->kind->name);
}

/* kind "null" */

static bool
null_open(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    return true;
}

static void
null_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
}

/* kind "file" */

static bool
file_open(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    bool append = false;

    vmm_msg_get_bool(params, "append", &append);
    return take_fd(chardev, params, err) &&
           set_nonblocking(chardev->out.fd, append ? O_APPEND : 0, err);
}

static void
file_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    sink_write(chardev, &chardev->out, bytes, size);
}

/* kind "pty"
 *
 * A master whose slave was closed by all says POLLHUP without end, so it is in the loop only while
 * somebody has the slave open; the watch tells when that may have become so. The kernel would also
 * take some output for a slave that nobody has open, the oldest; hence nothing is written then. */

static void
wake(Chardev *chardev)
{
    uint64_t one = 1;

    if (chardev->woken)
        return;
    chardev->woken = write(chardev->wake_fd, &one, sizeof(one)) == sizeof(one);
}

static bool
is_hung_up(int fd)
{
    struct pollfd pollfd = { .fd = fd };

    return poll(&pollfd, 1, 0) < 0 || (pollfd.revents & (POLLHUP | POLLERR | POLLNVAL));
}

/* Also reads what a client wrote before it closed; past that, read() says EIO. */
static void
pty_receive(Chardev *chardev)
{
    const ChardevOwner *owner = &chardev->owner;
    uint8_t bytes[256];
    size_t room;

    for (unsigned i = 0; (room = owner->room(owner->data)) > 0; i++) {
        ssize_t n = read(chardev->out.fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        owner->receive(owner->data, bytes, n);
        if (i == READS_MAX) {
            wake(chardev);
            return;
        }
    }
}

static void
report_dropped(Chardev *chardev)
{
    if (chardev->out.dropped)
        log_guest("The oldest %" PRIu64 " bytes of output of '%s' were dropped: nobody read them",
                  chardev->out.dropped, chardev->owner.name);
    chardev->out.dropped = 0;
}

/* False where the pty is broken, not just full. */
static bool
pty_flush(Chardev *chardev)
{
    const uint8_t *bytes;
    size_t size;

    while ((bytes = backlog_peek(&chardev->backlog, &size))) {
        size_t done = write_some(chardev->out.fd, bytes, size);

        if (done == 0)
            return errno == EAGAIN;
        backlog_take(&chardev->backlog, done);
    }
    report_dropped(chardev);
    return true;
}

static void pty_ready(void *data, uint32_t events);

static void
pty_detach(Chardev *chardev)
{
    chardev->attached = false;
    loop_source_free(chardev->source);
    chardev->source = NULL;
    if (!chardev->watch_source)
        loop_timer_set(chardev->retry, RETRY_MS);
}

static void
pty_attach(Chardev *chardev)
{
    const ChardevOwner *owner = &chardev->owner;
    uint32_t events = 0;

    if (owner->room(owner->data) > 0)
        events |= EPOLLIN;
    if (chardev->backlog.used > 0)
        events |= EPOLLOUT;
    if (chardev->source)
        loop_source_set_events(chardev->source, events);
    else
        chardev->source = loop_add_fd(chardev->loop, chardev->out.fd, events, pty_ready, chardev);
    chardev->attached = chardev->source != NULL;
    if (!chardev->attached)
        pty_detach(chardev);
}

/* Does all that can be done now, whatever it was that woke us up. */
static void
pty_serve(Chardev *chardev)
{
    pthread_mutex_lock(chardev->owner.lock);
    pty_receive(chardev);
    if (!is_hung_up(chardev->out.fd) && pty_flush(chardev))
        pty_attach(chardev);
    else
        pty_detach(chardev);
    pthread_mutex_unlock(chardev->owner.lock);
}

static void
pty_ready(void *data, uint32_t events)
{
    pty_serve(data);
}

static void
pty_woken(void *data, uint32_t events)
{
    Chardev *chardev = data;
    uint64_t n;

    pthread_mutex_lock(chardev->owner.lock);
    if (read(chardev->wake_fd, &n, sizeof(n)) == sizeof(n))
        chardev->woken = false;
    pthread_mutex_unlock(chardev->owner.lock);
    pty_serve(chardev);
}

static void
pty_opened(void *data, uint32_t events)
{
    Chardev *chardev = data;
    char events_read[4096];
    ssize_t n;

    do
        n = read(chardev->watch_fd, events_read, sizeof(events_read));
    while (n > 0 || (n < 0 && errno == EINTR));
    if (n == 0 || errno != EAGAIN) {
        loop_source_free(chardev->watch_source);
        chardev->watch_source = NULL;
    }
    pty_serve(chardev);
}

/* Raw, for a slave that echoes would give the guest its own output as input. Then the slave is
 * opened and closed once, because a master whose slave never was open does not say POLLHUP. */
static void
pty_prepare(int fd)
{
    struct termios termios;
    int slave;

    if (tcgetattr(fd, &termios) == 0) {
        cfmakeraw(&termios);
        tcsetattr(fd, TCSANOW, &termios);
    }
    slave = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave >= 0)
        close(slave);
}

static bool
pty_add_watch(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    if (!vmm_msg_take_fd(params, "watch", &chardev->watch_fd))
        return true;
    if (!set_nonblocking(chardev->watch_fd, 0, err))
        return false;
    chardev->watch_source =
        loop_add_fd(chardev->loop, chardev->watch_fd, EPOLLIN, pty_opened, chardev);
    return chardev->watch_source || vmm_error_errno(err, "Cannot watch the pty's slave");
}

static bool
add_wake(Chardev *chardev, LoopFn woken, VmmError *err)
{
    chardev->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (chardev->wake_fd < 0)
        return vmm_error_errno(err, "Cannot make an event descriptor");
    chardev->wake_source = loop_add_fd(chardev->loop, chardev->wake_fd, EPOLLIN, woken, chardev);
    return chardev->wake_source || vmm_error_errno(err, "Cannot watch an event descriptor");
}

static bool
pty_open(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    if (!take_fd(chardev, params, err) || !set_nonblocking(chardev->out.fd, 0, err) ||
        !pty_add_watch(chardev, params, err) || !add_wake(chardev, pty_woken, err))
        return false;
    chardev->retry = loop_add_timer(chardev->loop, pty_ready, chardev);
    pty_prepare(chardev->out.fd);
    wake(chardev);
    return true;
}

static void
pty_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    bool idle = chardev->attached && chardev->backlog.used == 0;
    size_t done = idle ? write_some(chardev->out.fd, bytes, size) : 0;

    if (done == size)
        return;
    chardev->out.dropped += backlog_put(&chardev->backlog, bytes + done, size - done);
    /* Later bytes need no word: by then the main thread waits for EPOLLOUT. */
    if (idle)
        wake(chardev);
}

/* kind "socket"
 *
 * All that is done with the client is the main thread's: a vCPU leaves its bytes, and word. Whoever connects gets
 * what was kept, as with a pty. */

static void
socket_flush(Chardev *chardev)
{
    const uint8_t *bytes;
    size_t size, done;

    while (chardev->attached && (bytes = backlog_peek(&chardev->backlog, &size))) {
        done = socket_server_write(chardev->server, bytes, size);
        backlog_take(&chardev->backlog, done);
        if (done < size)
            return;
    }
    if (chardev->attached)
        report_dropped(chardev);
}

static size_t
socket_room(void *data)
{
    const ChardevOwner *owner = &((Chardev *)data)->owner;

    return owner->room(owner->data);
}

static void
socket_receive(void *data, const uint8_t *bytes, size_t size)
{
    const ChardevOwner *owner = &((Chardev *)data)->owner;

    owner->receive(owner->data, bytes, size);
}

static void
socket_writable(void *data)
{
    socket_flush(data);
}

static void
socket_connected(void *data, bool connected)
{
    Chardev *chardev = data;

    chardev->attached = connected;
    if (connected && chardev->backlog.used > 0)
        wake(chardev);
}

static void
socket_woken(void *data, uint32_t events)
{
    Chardev *chardev = data;
    uint64_t n;

    pthread_mutex_lock(chardev->owner.lock);
    if (read(chardev->wake_fd, &n, sizeof(n)) == sizeof(n))
        chardev->woken = false;
    socket_server_accept(chardev->server);
    socket_flush(chardev);
    pthread_mutex_unlock(chardev->owner.lock);
}

static bool
socket_open(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    const SocketServerOwner owner = {
        .lock = chardev->owner.lock,
        .room = socket_room,
        .receive = socket_receive,
        .writable = socket_writable,
        .connected = socket_connected,
        .data = chardev,
    };
    int listener;

    if (!take_fd(chardev, params, err) || !add_wake(chardev, socket_woken, err))
        return false;
    listener = chardev->out.fd;
    chardev->out.fd = -1; /* the server's from now on */
    chardev->server = socket_server_new(chardev->loop, listener, &owner, err);
    return chardev->server != NULL;
}

static void
socket_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    chardev->out.dropped += backlog_put(&chardev->backlog, bytes, size);
    if (chardev->attached)
        wake(chardev);
}

static const ChardevKind kinds[] = {
    { "pty", pty_open, pty_write },
    { "socket", socket_open, socket_write },
    { "file", file_open, file_write },
    { "null", null_open, null_write },
};

static const ChardevKind *
find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

static bool
open_kind(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    const char *kind;

    if (!vmm_msg_get_string(params, "kind", &kind))
        return vmm_error(err, VMM_ERROR_INVALID, "Character device '%s' has no kind",
                         chardev->owner.name);
    chardev->kind = find_kind(kind);
    if (!chardev->kind)
        return vmm_error(err, VMM_ERROR_INVALID, "Character device '%s' is of unknown kind '%s'",
                         chardev->owner.name, kind);
    if (vmm_msg_take_fd(params, "log", &chardev->log.fd) &&
        !set_nonblocking(chardev->log.fd, 0, err))
        return false;
    return chardev->kind->open(chardev, params, err);
}

Chardev *
chardev_new(Loop *loop, VmmMsg *params, const ChardevOwner *owner, VmmError *err)
{
    Chardev *chardev = vmm_must(calloc(1, sizeof(*chardev)));

    *chardev = (Chardev){
        .loop = loop,
        .owner = *owner,
        .out.fd = -1,
        .log.fd = -1,
        .watch_fd = -1,
        .wake_fd = -1,
    };
    if (open_kind(chardev, params, err))
        return chardev;
    chardev_free(chardev);
    return NULL;
}

static void
close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void
chardev_free(Chardev *chardev)
{
    if (!chardev)
        return;
    report_dropped(chardev);
    loop_source_free(chardev->source);
    loop_source_free(chardev->watch_source);
    loop_source_free(chardev->wake_source);
    loop_source_free(chardev->retry);
    socket_server_free(chardev->server);
    close_fd(chardev->out.fd);
    close_fd(chardev->log.fd);
    close_fd(chardev->watch_fd);
    close_fd(chardev->wake_fd);
    backlog_clear(&chardev->backlog);
    free(chardev);
}

void
chardev_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    if (chardev->log.fd >= 0)
        sink_write(chardev, &chardev->log, bytes, size);
    chardev->kind->write(chardev, bytes, size);
}

void
chardev_accept(Chardev *chardev)
{
    if (chardev->wake_fd >= 0)
        wake(chardev);
}
