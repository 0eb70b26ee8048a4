/* vsock: what the files of virtio-vsock share; vsock.c has the whole of it. All calls are those of the loop's thread,
 * with the device's lock held.
 */
#pragma once

#include "qemu-kvm-backend/virtio/virtio.h"
#include "qemu-kvm-backend/virtio/vsock-conn.h"

#include <linux/virtio_vsock.h>

#define VSOCK_RX           0
#define VSOCK_TX           1
#define VSOCK_EVENTS       2
#define VSOCK_QUEUE_SIZE   128
#define VSOCK_HOST_CID     2
#define VSOCK_CONNS_MAX    1023
#define VSOCK_GREETERS_MAX 64 /* of them that have not said what they want */
#define VSOCK_STRAYS_MAX   64 /* packets that belong to no stream, to be answered */
#define VSOCK_ROWS         256
#define VSOCK_TICK_MS      1000
/* Seconds, with a guest that does not answer and a host that does not say what it wants. */
#define VSOCK_PATIENCE 10

/* What the guest has to be told of a stream. */
enum {
    VSOCK_TELL_REQUEST = 1 << 0,
    VSOCK_TELL_RESPONSE = 1 << 1,
    VSOCK_TELL_CREDIT = 1 << 2,
    VSOCK_TELL_NEEDS_CREDIT = 1 << 3,
    VSOCK_TELL_RESET = 1 << 4, /* which is the end of it */
};

typedef struct VsockStray {
    uint32_t guest_port, host_port;
    uint16_t type;
} VsockStray;

typedef struct Vsock {
    VirtioDevice vdev;
    struct virtio_vsock_config config;
    int listener, broker; /* -1: none */
    LoopSource *listening, *answering;
    bool deaf; /* who connects has to wait: there are too many streams, or no driver */
    LoopSource *timer;
    bool ticking;                /* the timer runs: patience is counted down once a second */
    VsockConn *rows[VSOCK_ROWS]; /* by ports */
    unsigned n_conns, n_greeters;
    uint32_t next_port;
    VsockConn *first_ready, **last_ready;
    VsockStray strays[VSOCK_STRAYS_MAX];
    unsigned n_strays;
    bool tx_waits; /* for room among the strays */
    bool moved;    /* was restored: the guest has to be told that its streams are gone */
} Vsock;

/* vsock-table.c */

VsockConn *vsock_find(Vsock *vsock, uint32_t guest_port, uint32_t host_port);
/* A new one, which is waited for. */
VsockConn *vsock_add(Vsock *vsock, uint32_t guest_port, uint32_t host_port, VsockState state);
void vsock_set_guest_port(Vsock *vsock, VsockConn *conn, uint32_t guest_port);
void vsock_set_state(Vsock *vsock, VsockConn *conn, VsockState state);
void vsock_set_patience(Vsock *vsock, VsockConn *conn, unsigned patience);
/* Has the next second of patience counted, if it is not being counted already. */
void vsock_tick(Vsock *vsock);
/* It has something for the guest, or nothing. */
void vsock_make_ready(Vsock *vsock, VsockConn *conn);
void vsock_make_unready(Vsock *vsock, VsockConn *conn);
void vsock_tell_guest(Vsock *vsock, VsockConn *conn, unsigned what);
/* The stream is over for the host, and for the guest once there is a buffer to tell it. */
void vsock_abort(Vsock *vsock, VsockConn *conn);
/* Forgets it, without a word. */
void vsock_drop(Vsock *vsock, VsockConn *conn);
void vsock_drop_all(Vsock *vsock);
/* Lets the host connect while there is room for it. */
void vsock_hear(Vsock *vsock);

/* vsock-send.c */

/* Tells the guest what there is to tell, as far as it has buffers. */
void vsock_serve(Vsock *vsock);
/* Something has changed: looks whether the guest has to be told. */
void vsock_look_for_news(Vsock *vsock, VsockConn *conn);

/* vsock-host.c */

bool vsock_watch_listener(Vsock *vsock, VmmError *err);
bool vsock_watch_broker(Vsock *vsock, VmmError *err);
/* False where nobody can connect to the host. */
bool vsock_ask_broker(Vsock *vsock, const VsockConn *conn);
/* A guest that is done is told so when all that it sent has been taken. May forget @conn. */
void vsock_close_if_done(Vsock *vsock, VsockConn *conn);
