/* backend: where a network card's packets go to and come from.
 *
 * A back end has one channel for each pair of queues. It keeps at most what its buffers hold, which are
 * there from the beginning: a guest that takes nothing, or a network that takes nothing, makes the other side
 * wait. Between start and stop the calls are the loop's own; net_backend_new() and net_backend_free() have
 * the device to themselves.
 *
 * Its keys in "add-device" are in vmm-proto.h.
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/net/packet.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/uio.h>

typedef struct NetBackend NetBackend;

/* Called in the loop's thread with @lock held, which is also held by who calls the back end. */
typedef struct NetBackendOwner {
    const char *name; /* for the log; lives as long as the owner */
    pthread_mutex_t *lock;
    void (*ready)(void *data, unsigned channel, bool in, bool out);
    void (*lost)(
        void *data); /* there is no network behind it any more; nothing is ready after this */
    void *data;
} NetBackendOwner;

/* Reads "backend" and the descriptors of @n_channels; NULL with @err. */
NetBackend *net_backend_new(VmmMsg *params, unsigned n_channels, const NetBackendOwner *owner,
                            VmmError *err);
void net_backend_free(NetBackend *backend);

/* True once there is no network behind it any more. */
bool net_backend_is_lost(const NetBackend *backend);
/* VIRTIO_NET_F_* bits that the guest may use because of what this back end does. */
uint64_t net_backend_features(const NetBackend *backend);

/* Watches for packets on the first @n_active channels, with the offloads of @features. */
void net_backend_start(NetBackend *backend, Loop *loop, unsigned n_active, uint64_t features);
/* Nothing is ready after this. */
void net_backend_stop(NetBackend *backend);
/* Both for a back end that runs; the kernel's word counts: false where it refuses. */
bool net_backend_set_active(NetBackend *backend, unsigned n_active);
bool net_backend_set_offloads(NetBackend *backend, uint64_t features);

/* Which directions of @channel to wait for; at first it is the incoming one. The incoming one is waited for until this
 * says otherwise, the outgoing one until it is ready. */
void net_backend_watch(NetBackend *backend, unsigned channel, bool in, bool out);
/* The oldest packet; false where there is none now. It stays until net_backend_take(). */
bool net_backend_peek(NetBackend *backend, unsigned channel, NetPacket *ret);
void net_backend_take(NetBackend *backend, unsigned channel);

typedef enum NetVerdict {
    NET_SENT,
    NET_LOST, /* the network did not want it */
    NET_FULL, /* not now; the channel becomes ready for output */
} NetVerdict;

/* @frame is read once. The back end uses the room of @frame[-1], which is the caller's to provide. */
NetVerdict net_backend_send(NetBackend *backend, unsigned channel, const NetHeader *header,
                            struct iovec *frame, unsigned n, size_t size);
