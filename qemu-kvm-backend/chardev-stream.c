/* kind "stream": a descriptor that is there for good, such as a terminal of the host or a FIFO, or one for each direction.
 *
 * Where it ends, as a terminal that is unplugged does, what the guest says is dropped. */
#include "qemu-kvm-backend/chardev-private.h"
#include "qemu-kvm-backend/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

typedef struct Stream {
    Chardev chardev; /* whose @out is another descriptor than @in, in any case: each has its source */
    int in;
    LoopSource *in_source;
    LoopSource *out_source; /* NULL: nothing waits to be written */
    bool in_ended, out_ended;
} Stream;

static void stream_ready(void *data, uint32_t events);

static void
end_input(Stream *stream)
{
    loop_source_free(stream->in_source);
    stream->in_source = NULL;
    stream->in_ended = true;
}

static void
end_output(Stream *stream)
{
    if (!stream->out_ended)
        log_line("There is nobody any longer who takes the output of '%s'", stream->chardev.owner.name);
    stream->out_ended = true;
    stream->chardev.out.dropped = 0;
    backlog_clear(&stream->chardev.backlog);
}

static void
watch_output(Stream *stream)
{
    Chardev *chardev = &stream->chardev;
    bool waits = chardev->backlog.used > 0;

    if (waits && !stream->out_source) {
        stream->out_source = loop_add_fd(chardev->loop, chardev->out.fd, EPOLLOUT, stream_ready, stream);
        if (!stream->out_source)
            end_output(stream);
    } else if (!waits) {
        loop_source_free(stream->out_source);
        stream->out_source = NULL;
    }
}

/* A device that cannot be waited for has nothing to say. */
static void
watch_input(Stream *stream)
{
    const ChardevOwner *owner = &stream->chardev.owner;
    uint32_t events = owner->room(owner->data) > 0 ? EPOLLIN : 0;

    if (stream->in_source)
        loop_source_set_events(stream->in_source, events);
    else
        stream->in_source = loop_add_fd(stream->chardev.loop, stream->in, events, stream_ready, stream);
    if (!stream->in_source)
        end_input(stream);
}

/* One that has hung up says so without end. */
static void
stream_ready(void *data, uint32_t events)
{
    Stream *stream = data;
    Chardev *chardev = data;
    bool over = (events & (EPOLLHUP | EPOLLERR)) != 0;

    pthread_mutex_lock(chardev->owner.lock);
    if (!stream->in_ended && (!chardev_receive(chardev, stream->in) || over))
        end_input(stream);
    if (!stream->out_ended && (over || !chardev_flush(chardev)))
        end_output(stream);
    if (!stream->in_ended)
        watch_input(stream);
    watch_output(stream);
    pthread_mutex_unlock(chardev->owner.lock);
}

static bool
take_out(Stream *stream, VmmMsg *params, VmmError *err)
{
    int *fd = &stream->chardev.out.fd;

    if (!vmm_msg_take_fd(params, "out", fd))
        *fd = fcntl(stream->in, F_DUPFD_CLOEXEC, 0);
    return *fd >= 0 || vmm_error_errno(err, "Cannot copy the descriptor of a character device");
}

static bool
stream_open(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    Stream *stream = (Stream *)chardev;

    stream->in = -1;
    if (!chardev_take_fd(chardev, params, &stream->in, err) || !take_out(stream, params, err) ||
        !sink_set_nonblocking(stream->in, 0, err) || !sink_set_nonblocking(chardev->out.fd, 0, err) ||
        !chardev_add_wake(chardev, stream_ready, err))
        return false;
    chardev_wake(chardev);
    return true;
}

static void
stream_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    bool idle = chardev->backlog.used == 0;
    size_t done;

    if (((Stream *)chardev)->out_ended)
        return;
    done = idle ? sink_write_some(chardev->out.fd, bytes, size) : 0;
    if (done == size)
        return;
    chardev->out.dropped += backlog_put(&chardev->backlog, bytes + done, size - done);
    if (idle)
        chardev_wake(chardev);
}

static void
stream_close(Chardev *chardev)
{
    Stream *stream = (Stream *)chardev;

    loop_source_free(stream->in_source);
    loop_source_free(stream->out_source);
    if (stream->in >= 0)
        close(stream->in);
}

const ChardevKind chardev_stream = { "stream", sizeof(Stream), stream_open, stream_write, stream_close };
