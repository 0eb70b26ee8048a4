#include "qemu-kvm-backend/net/backend.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/net/kind.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A channel, and how it is watched. */
typedef struct Watch {
    NetChannel channel;
    NetBackend *backend;
    LoopSource *source; /* NULL: not running, not active or lost */
    bool in, out;       /* what the owner waits for */
    uint32_t events;    /* what the loop waits for */
} Watch;

struct NetBackend {
    const NetKind *kind;
    NetBackendOwner owner;
    uint64_t features;
    Loop *loop; /* NULL: not running */
    bool lost;
    unsigned n_channels;
    unsigned n_active;
    Watch watches[];
};

static const NetKind *const kinds[] = { &net_kind_tap, &net_kind_stream };

static const NetKind *
find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    }
    return NULL;
}

/* "fd", or "fd0", "fd1" and so on. */
static bool
take_fd(VmmMsg *params, unsigned i, int *ret)
{
    char key[16];

    snprintf(key, sizeof(key), "fd%u", i);
    return (i == 0 && vmm_msg_take_fd(params, "fd", ret)) || vmm_msg_take_fd(params, key, ret);
}

static bool
open_channel(NetBackend *backend, unsigned i, VmmMsg *params, VmmError *err)
{
    NetChannel *channel = &backend->watches[i].channel;
    uint64_t features;
    int flags;

    if (!take_fd(params, i, &channel->fd))
        return vmm_error(err, VMM_ERROR_INVALID, "Network card '%s' has no descriptor for pair %u",
                         backend->owner.name, i);
    flags = fcntl(channel->fd, F_GETFL);
    if (flags < 0 || fcntl(channel->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return vmm_error_errno(err, "Cannot prepare the descriptor of network card '%s'",
                               backend->owner.name);
    if (!backend->kind->open(channel, &features, err))
        return false;
    backend->features &= features;
    channel->in = vmm_must(malloc(backend->kind->in_size));
    if (backend->kind->out_size)
        channel->out = vmm_must(malloc(backend->kind->out_size));
    return true;
}

NetBackend *
net_backend_new(VmmMsg *params, unsigned n_channels, const NetBackendOwner *owner, VmmError *err)
{
    const NetKind *kind;
    NetBackend *backend;
    const char *name;

    if (!vmm_msg_get_string(params, "backend", &name) || !(kind = find_kind(name))) {
        vmm_error(err, VMM_ERROR_INVALID, "Network card '%s' has no back end, or an unknown one",
                  owner->name);
        return NULL;
    }
    if (n_channels > kind->channels_max) {
        vmm_error(err, VMM_ERROR_UNSUPPORTED, "Back end '%s' has no more than %u pairs of queues",
                  kind->name, kind->channels_max);
        return NULL;
    }
    backend = vmm_must(calloc(1, sizeof(*backend) + n_channels * sizeof(Watch)));
    backend->kind = kind;
    backend->owner = *owner;
    backend->features = UINT64_MAX;
    backend->n_channels = n_channels;
    for (unsigned i = 0; i < n_channels; i++) {
        backend->watches[i].backend = backend;
        backend->watches[i].channel.fd = -1;
    }
    for (unsigned i = 0; i < n_channels; i++) {
        if (!open_channel(backend, i, params, err)) {
            net_backend_free(backend);
            return NULL;
        }
    }
    return backend;
}

void
net_backend_free(NetBackend *backend)
{
    if (!backend)
        return;
    net_backend_stop(backend);
    for (unsigned i = 0; i < backend->n_channels; i++) {
        NetChannel *channel = &backend->watches[i].channel;

        if (channel->fd >= 0)
            close(channel->fd);
        free(channel->in);
        free(channel->out);
    }
    free(backend);
}

bool
net_backend_is_lost(const NetBackend *backend)
{
    return backend->lost;
}

uint64_t
net_backend_features(const NetBackend *backend)
{
    return backend->features;
}

/* The network behind the back end has gone: the guest's cable is out from now on. */
static void
lose(NetBackend *backend)
{
    if (backend->lost)
        return;
    backend->lost = true;
    log_line("Network card '%s' has lost its network", backend->owner.name);
    net_backend_stop(backend);
    backend->owner.lost(backend->owner.data);
}

/* The rest of a frame has to go out, whether the owner waits or not. */
static uint32_t
events_of(const Watch *watch)
{
    bool out = watch->out || watch->channel.out_head < watch->channel.out_tail;

    return (watch->in ? EPOLLIN : 0) | (out ? EPOLLOUT : 0);
}

static void
update(Watch *watch)
{
    uint32_t events = events_of(watch);

    if (watch->source && events != watch->events)
        loop_source_set_events(watch->source, events);
    watch->events = events;
}

static void
serve(Watch *watch, uint32_t events)
{
    NetBackend *backend = watch->backend;
    bool room = !backend->kind->flush || backend->kind->flush(&watch->channel);
    bool out = watch->out && room;

    /* Where nobody reads at the moment, nobody would find out by reading. */
    if (watch->channel.lost || (events & (EPOLLHUP | EPOLLERR) && !watch->in)) {
        lose(backend);
        return;
    }
    if (out)
        watch->out = false; /* an owner that has to wait again says so */
    backend->owner.ready(backend->owner.data, watch - backend->watches, watch->in, out);
    update(watch);
}

static void
on_channel(void *data, uint32_t events)
{
    Watch *watch = data;
    pthread_mutex_t *lock = watch->backend->owner.lock;

    pthread_mutex_lock(lock);
    serve(watch, events);
    pthread_mutex_unlock(lock);
}

static void
attach(Watch *watch)
{
    NetBackend *backend = watch->backend;

    watch->in = true;
    watch->out = false;
    watch->events = events_of(watch);
    watch->source = loop_add_fd(backend->loop, watch->channel.fd, watch->events, on_channel, watch);
    if (!watch->source)
        lose(backend);
}

static void
detach(Watch *watch)
{
    loop_source_free(watch->source);
    watch->source = NULL;
}

bool
net_backend_set_active(NetBackend *backend, unsigned n_active)
{
    bool good = true;

    backend->n_active = n_active;
    for (unsigned i = 0; i < backend->n_channels && !backend->lost; i++) {
        Watch *watch = &backend->watches[i];

        if (backend->n_channels > 1 && backend->kind->set_active)
            good &= backend->kind->set_active(&watch->channel, i < n_active);
        if (i >= n_active)
            detach(watch);
        else if (!watch->source && backend->loop)
            attach(watch);
    }
    return good;
}

bool
net_backend_set_offloads(NetBackend *backend, uint64_t features)
{
    bool good = true;

    for (unsigned i = 0; i < backend->n_channels && backend->kind->set_offloads; i++)
        good &= backend->kind->set_offloads(&backend->watches[i].channel, features);
    return good;
}

void
net_backend_start(NetBackend *backend, Loop *loop, unsigned n_active, uint64_t features)
{
    if (backend->lost)
        return;
    backend->loop = loop;
    net_backend_set_active(backend, n_active);
    net_backend_set_offloads(backend, features);
}

void
net_backend_stop(NetBackend *backend)
{
    for (unsigned i = 0; i < backend->n_channels; i++)
        detach(&backend->watches[i]);
    backend->loop = NULL;
}

void
net_backend_watch(NetBackend *backend, unsigned channel, bool in, bool out)
{
    Watch *watch = &backend->watches[channel];

    watch->in = in;
    watch->out = out;
    update(watch);
}

bool
net_backend_peek(NetBackend *backend, unsigned channel, NetPacket *ret)
{
    NetChannel *at = &backend->watches[channel].channel;

    if (backend->lost)
        return false;
    if (backend->kind->peek(at, ret))
        return true;
    if (at->lost)
        lose(backend);
    return false;
}

void
net_backend_take(NetBackend *backend, unsigned channel)
{
    backend->kind->take(&backend->watches[channel].channel);
}

NetVerdict
net_backend_send(NetBackend *backend, unsigned channel, const NetHeader *header,
                 struct iovec *frame, unsigned n, size_t size)
{
    NetChannel *at = &backend->watches[channel].channel;
    int result;

    if (backend->lost)
        return NET_LOST;
    result = backend->kind->send(at, header, frame, n, size);
    if (at->lost)
        lose(backend);
    else
        update(&backend->watches[channel]);
    return result > 0 ? NET_SENT : result < 0 ? NET_FULL : NET_LOST;
}
