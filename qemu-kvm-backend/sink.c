#include "qemu-kvm-backend/sink.h"

#include "qemu-kvm-backend/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

bool
sink_set_nonblocking(int fd, int more_flags, VmmError *err)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK | more_flags) < 0)
        return vmm_error_errno(err, "Cannot prepare the descriptor of a character device");
    return true;
}

bool
sink_open(Sink *sink, VmmMsg *params, const char *key, VmmError *err)
{
    *sink = (Sink){ .fd = -1 };
    return !vmm_msg_take_fd(params, key, &sink->fd) || sink_set_nonblocking(sink->fd, 0, err);
}

void
sink_close(Sink *sink)
{
    if (sink->fd >= 0)
        close(sink->fd);
    sink->fd = -1;
}

size_t
sink_write_some(int fd, const uint8_t *bytes, size_t size)
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

void
sink_write(Sink *sink, const char *name, const uint8_t *bytes, size_t size)
{
    size_t done;

    if (sink->fd < 0)
        return;
    done = sink_write_some(sink->fd, bytes, size);
    if (done < size && sink->dropped == 0)
        log_guest("Output of '%s' is being dropped: %s", name, strerror(errno));
    else if (done == size && sink->dropped > 0)
        log_guest("Output of '%s' goes on; %" PRIu64 " bytes were dropped", name, sink->dropped);
    sink->dropped = done < size ? sink->dropped + (size - done) : 0;
}
