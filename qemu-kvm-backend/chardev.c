#include "qemu-kvm-backend/chardev-private.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool
chardev_take_fd(Chardev *chardev, VmmMsg *params, int *ret_fd, VmmError *err)
{
    if (vmm_msg_take_fd(params, "fd", ret_fd))
        return true;
    return vmm_error(err, VMM_ERROR_INVALID, "Character device '%s' of kind '%s' has no descriptor",
                     chardev->owner.name, chardev->kind->name);
}

/* The main thread's part */

void
chardev_wake(Chardev *chardev)
{
    uint64_t one = 1;

    if (chardev->woken)
        return;
    chardev->woken = write(chardev->wake_fd, &one, sizeof(one)) == sizeof(one);
}

static void
on_wake(void *data, uint32_t events)
{
    Chardev *chardev = data;
    uint64_t n;

    pthread_mutex_lock(chardev->owner.lock);
    if (read(chardev->wake_fd, &n, sizeof(n)) == sizeof(n))
        chardev->woken = false;
    pthread_mutex_unlock(chardev->owner.lock);
    chardev->serve(chardev, 0);
}

bool
chardev_add_wake(Chardev *chardev, LoopFn serve, VmmError *err)
{
    chardev->serve = serve;
    chardev->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (chardev->wake_fd < 0)
        return vmm_error_errno(err, "Cannot make an event descriptor");
    chardev->wake_source = loop_add_fd(chardev->loop, chardev->wake_fd, EPOLLIN, on_wake, chardev);
    return chardev->wake_source || vmm_error_errno(err, "Cannot watch an event descriptor");
}

bool
chardev_receive(Chardev *chardev, int fd)
{
    const ChardevOwner *owner = &chardev->owner;
    uint8_t bytes[256];
    size_t room;

    for (unsigned i = 0; (room = owner->room(owner->data)) > 0; i++) {
        ssize_t n = read(fd, bytes, room < sizeof(bytes) ? room : sizeof(bytes));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        owner->receive(owner->data, bytes, n);
        if (i == CHARDEV_READS_MAX) {
            chardev_wake(chardev);
            return true;
        }
    }
    return true;
}

bool
chardev_flush(Chardev *chardev)
{
    const uint8_t *bytes;
    size_t size;

    while ((bytes = backlog_peek(&chardev->backlog, &size))) {
        size_t done = sink_write_some(chardev->out.fd, bytes, size);

        if (done == 0)
            return errno == EAGAIN;
        backlog_take(&chardev->backlog, done);
    }
    chardev_report_dropped(chardev);
    return true;
}

void
chardev_report_dropped(Chardev *chardev)
{
    if (chardev->out.dropped)
        log_guest("The oldest %" PRIu64 " bytes of output of '%s' were dropped: nobody read them",
                  chardev->out.dropped, chardev->owner.name);
    chardev->out.dropped = 0;
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

static const ChardevKind chardev_null = { "null", sizeof(Chardev), null_open, null_write };

/* kind "file" */

static bool
file_open(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    bool append = false;

    vmm_msg_get_bool(params, "append", &append);
    return chardev_take_fd(chardev, params, &chardev->out.fd, err) &&
           sink_set_nonblocking(chardev->out.fd, append ? O_APPEND : 0, err);
}

static void
file_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    sink_write(&chardev->out, chardev->owner.name, bytes, size);
}

static const ChardevKind chardev_file = { "file", sizeof(Chardev), file_open, file_write };

/* All of them */

static const ChardevKind *const kinds[] = {
    &chardev_pty,    &chardev_socket,   &chardev_connection, &chardev_broker,
    &chardev_stream, &chardev_datagram, &chardev_file,       &chardev_null,
};

static const ChardevKind *
find_kind(const char *owner, VmmMsg *params, VmmError *err)
{
    const char *name;

    if (!vmm_msg_get_string(params, "kind", &name)) {
        vmm_error(err, VMM_ERROR_INVALID, "Character device '%s' has no kind", owner);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    }
    vmm_error(err, VMM_ERROR_INVALID, "Character device '%s' is of unknown kind '%s'", owner, name);
    return NULL;
}

Chardev *
chardev_new(Loop *loop, VmmMsg *params, const ChardevOwner *owner, VmmError *err)
{
    const ChardevKind *kind = find_kind(owner->name, params, err);
    Chardev *chardev;

    if (!kind)
        return NULL;
    chardev = vmm_must(calloc(1, kind->size));
    *chardev = (Chardev){ .kind = kind, .loop = loop, .owner = *owner, .out.fd = -1, .wake_fd = -1 };
    if (sink_open(&chardev->log, params, "log", err) && kind->open(chardev, params, err))
        return chardev;
    chardev_free(chardev);
    return NULL;
}

void
chardev_free(Chardev *chardev)
{
    if (!chardev)
        return;
    if (chardev->kind->close)
        chardev->kind->close(chardev);
    chardev_report_dropped(chardev);
    loop_source_free(chardev->wake_source);
    if (chardev->wake_fd >= 0)
        close(chardev->wake_fd);
    sink_close(&chardev->out);
    sink_close(&chardev->log);
    backlog_clear(&chardev->backlog);
    free(chardev);
}

void
chardev_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    sink_write(&chardev->log, chardev->owner.name, bytes, size);
    chardev->kind->write(chardev, bytes, size);
}

void
chardev_accept(Chardev *chardev)
{
    if (chardev->wake_fd >= 0)
        chardev_wake(chardev);
}
