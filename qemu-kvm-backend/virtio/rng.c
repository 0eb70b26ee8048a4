/* virtio-rng (virtio 1.2, section 5.4): the driver makes buffers available and gets them back with random
 * bytes. Its keys: rng? fd, a source to read from; without one the kernel's generator gives them.
 */
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#define QUEUE_SIZE  64
#define REQUEST_MAX 4096u /* bytes that one request gets, however long its buffer is */

typedef struct Rng {
    VirtioDevice vdev;
    int fd;              /* -1: the kernel's generator */
    LoopSource *waiting; /* for @fd to have bytes again */
} Rng;

/* Bytes into @data, at least one; -1 where the source has none now. A source that ends or fails is not one
 * any longer. */
static ssize_t
draw(Rng *rng, void *data, size_t size)
{
    ssize_t n;

    while (rng->fd >= 0) {
        n = read(rng->fd, data, size);
        if (n > 0 || (n < 0 && errno == EAGAIN))
            return n;
        if (n < 0 && errno == EINTR)
            continue;
        log_line("Device '%s': its source of random bytes %s: the kernel's generator takes over",
                 rng->vdev.dev->id, n == 0 ? "ended" : strerrordesc_np(errno));
        close(rng->fd);
        rng->fd = -1;
    }
    do
        n = getrandom(data, size, 0);
    while (n < 0 && errno == EINTR);
    return n;
}

static void
on_source(void *data, uint32_t events)
{
    Rng *rng = data;

    pthread_mutex_lock(&rng->vdev.dev->lock);
    loop_source_free(rng->waiting);
    rng->waiting = NULL;
    virtio_kick(&rng->vdev, 0);
    pthread_mutex_unlock(&rng->vdev.dev->lock);
}

/* True where the chain has been given back. */
static bool
serve(Rng *rng, VirtQueue *queue, const VirtChain *chain)
{
    size_t size;
    ssize_t n;

    if (chain->n_in == 0 || chain->n_out > 0) {
        virtio_break(&rng->vdev, "a request for random bytes is not just a buffer for them");
        return false;
    }
    size = chain->in[0].iov_len < REQUEST_MAX ? chain->in[0].iov_len : REQUEST_MAX;
    n = draw(rng, chain->in[0].iov_base, size);
    if (n < 0) {
        queue_unpop(queue);
        rng->waiting = loop_add_fd(rng->vdev.loop, rng->fd, EPOLLIN, on_source, rng);
        return false;
    }
    queue_push(queue, chain->head, n);
    return true;
}

static void
rng_kick(VirtioDevice *vdev, unsigned index)
{
    Rng *rng = (Rng *)vdev;
    VirtQueue *queue = vdev->queues[index];
    VirtChain chain;
    unsigned n = 0;

    if (rng->waiting)
        return;
    while (n < queue_size(queue) && queue_pop(queue, &chain) && serve(rng, queue, &chain))
        n++;
    queue_flush(queue);
    if (n == queue_size(queue))
        virtio_kick(vdev, index);
}

static void
rng_stop(VirtioDevice *vdev)
{
    Rng *rng = (Rng *)vdev;

    loop_source_free(rng->waiting);
    rng->waiting = NULL;
}

static bool
rng_create(VirtioDevice *vdev, VmmMsg *params, VmmError *err)
{
    Rng *rng = (Rng *)vdev;

    rng->fd = -1;
    vdev->n_queues = 1;
    vdev->queue_size = QUEUE_SIZE;
    if (!vmm_msg_take_fd(params, "rng", &rng->fd))
        return true;
    if (fcntl(rng->fd, F_SETFL, fcntl(rng->fd, F_GETFL) | O_NONBLOCK) < 0)
        return vmm_error_errno(err, "Device '%s': its source cannot be read without waiting",
                               vdev->dev->id);
    return true;
}

static void
rng_destroy(VirtioDevice *vdev)
{
    Rng *rng = (Rng *)vdev;

    if (rng->fd >= 0)
        close(rng->fd);
}

const VirtioClass virtio_rng_class = {
    .name = "rng",
    .id = 4,
    .pci_class = 0x00ff00, /* none of those that are defined, as QEMU has it */
    .size = sizeof(Rng),
    .create = rng_create,
    .kick = rng_kick,
    .stop = rng_stop,
    .destroy = rng_destroy,
    .stateless = "requests wait in its queue",
};
