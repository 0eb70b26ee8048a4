/* socket-origin: where the client of a stream socket comes from: somebody connects to a listener of ours, is connected from
 * the start, or is connected to by a broker (proto/connect-broker.h) whenever nobody is there. */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <pthread.h>
#include <stdbool.h>

typedef struct SocketOrigin SocketOrigin;

/* @arrived gets a connected socket, in the loop's thread with @lock held, and takes it over. */
typedef struct SocketOriginOwner {
    const char *name; /* for the log */
    pthread_mutex_t *lock;
    void (*arrived)(void *data, int fd);
    void *data;
} SocketOriginOwner;

/* Whether a character device's @kind is one of them. */
bool socket_origin_is_kind(const char *kind);
/* Reads kind and fd of @params. NULL with @err. */
SocketOrigin *socket_origin_new(Loop *loop, VmmMsg *params, const SocketOriginOwner *owner, VmmError *err);
void socket_origin_free(SocketOrigin *origin);
/* Nobody is there: the next one may come, one. It never comes from within. */
void socket_origin_await(SocketOrigin *origin);
