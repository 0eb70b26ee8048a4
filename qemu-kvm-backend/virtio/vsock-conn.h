/* vsock-conn: one stream between a port of the guest and a socket of the host: what the guest has sent and the
 * host has not taken yet, and what each side may still send (virtio 1.2, section 5.10.6.3). Of packets and queues
 * it knows nothing: vsock.c does.
 *
 * All calls are those of the loop's thread, with the device's lock held.
 */
#pragma once

#include "qemu-kvm-backend/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#define VSOCK_CONN_BUFFER 65536u /* bytes that the guest may send before the host has taken them */

/* Flags of VIRTIO_VSOCK_OP_SHUTDOWN: who says so will no longer ... */
#define VSOCK_NO_RECEIVE 1u
#define VSOCK_NO_SEND    2u
#define VSOCK_NOTHING    (VSOCK_NO_RECEIVE | VSOCK_NO_SEND)

typedef enum VsockState {
    VSOCK_GREETING,     /* somebody on the host has yet to say which port is meant */
    VSOCK_ASKING_GUEST, /* the guest has yet to accept */
    VSOCK_ASKING_HOST,  /* the broker has yet to connect */
    VSOCK_OPEN,
    VSOCK_CLOSING, /* the guest is done; what it sent is still on its way */
} VsockState;

typedef struct VsockConn {
    struct VsockConn *next; /* in the table */
    struct VsockConn *next_ready,
        **ready_link; /* in the row of those with something for the guest */
    uint32_t guest_port, host_port;
    VsockState state;
    unsigned patience; /* seconds until it is given up; 0: for ever */
    unsigned tell;     /* what the guest has to be told: vsock.c */
    bool orphan;       /* the guest has forgotten it */
    void *owner;       /* the Vsock */

    int fd; /* -1: not connected yet */
    LoopSource *source;
    bool readable; /* there may be bytes, or the end */
    bool eof;      /* the host sends no more */
    bool gone;     /* the host takes no more */
    bool ended;    /* the host knows that the guest sends no more */
    char greeting[24];
    unsigned greeted; /* bytes of it */

    unsigned guest_shut; /* VSOCK_NO_* that the guest has said ... */
    unsigned host_shut;  /* ... and that it was told */

    uint32_t guest_room, guest_taken; /* the guest's buf_alloc and fwd_cnt */
    uint32_t sent;                    /* bytes to the guest ... */
    uint32_t asked_at;                /* ... when it was last asked for room */
    uint32_t taken;                   /* bytes of the guest's that the host has taken ... */
    uint32_t told_taken;              /* ... as the guest knows it */
    uint8_t *ring;                    /* what it has not; NULL: nothing */
    uint32_t head, used;
} VsockConn;

VsockConn *vsock_conn_new(uint32_t guest_port, uint32_t host_port, VsockState state);
/* Closes what is open. */
void vsock_conn_free(VsockConn *conn);

/* Takes @fd over, a stream socket that does not block; @fn is called when there is something new on it. False
 * where it cannot be watched. */
bool vsock_conn_attach(VsockConn *conn, Loop *loop, int fd, LoopFn fn, void *data);

/* Bytes that the guest has room for. */
uint32_t vsock_conn_credit(const VsockConn *conn);
/* Reads up to what @iov has room for: 0 where there is nothing now, or will never be (then eof is set). */
size_t vsock_conn_read(VsockConn *conn, const struct iovec *iov, unsigned n);

/* Sends @size bytes at @bytes, or keeps them; false where the guest has sent more than it may. */
bool vsock_conn_write(VsockConn *conn, const uint8_t *bytes, uint32_t size);
/* Sends what was kept, as far as the host takes it, and then the guest's own end. */
void vsock_conn_flush(VsockConn *conn);
/* Whether the guest should be told how much of its bytes the host has taken. */
bool vsock_conn_owes_credit(const VsockConn *conn);

/* Reads on in "CONNECT PORT\n"; true where it is there, with *@ret_port. Where it never will be eof is set. */
bool vsock_conn_greet(VsockConn *conn, uint32_t *ret_port);
