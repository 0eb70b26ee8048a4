/* socket-server: a stream socket with at most one client; others wait until it has left. Who that is, is socket-origin's
 * business. */
#pragma once

#include "qemu-kvm-backend/socket-origin.h"

#include <stddef.h>
#include <stdint.h>

typedef struct SocketServer SocketServer;

/* What the owner gets, in the loop's thread with @lock held. What it has no @room for stays in the socket;
 * when it has room again after having said 0 it calls socket_server_accept(). */
typedef struct SocketServerOwner {
    const char *name; /* for the log */
    pthread_mutex_t *lock;
    size_t (*room)(void *data);
    void (*receive)(void *data, const uint8_t *bytes, size_t size);
    void (*writable)(
        void *data); /* after a socket_server_write() that took less than it was given */
    void (*connected)(void *data, bool connected);
    void *data;
} SocketServerOwner;

/* Reads kind, fd and telnet (see vmm-proto.h) of @params. NULL with @err. All calls are the loop's thread's, those below
 * with the owner's lock held. */
SocketServer *socket_server_new(Loop *loop, VmmMsg *params, const SocketServerOwner *owner, VmmError *err);
void socket_server_free(SocketServer *server);

/* Writes what the client takes now; how much that is. Without a client everything goes, nowhere. */
size_t socket_server_write(SocketServer *server, const uint8_t *bytes, size_t size);
void socket_server_accept(SocketServer *server);
