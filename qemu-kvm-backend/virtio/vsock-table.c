/* The table of streams, and the row of those with something for the guest. */
#include "qemu-kvm-backend/virtio/vsock.h"

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static VsockConn **
row_of(Vsock *vsock, uint32_t guest_port, uint32_t host_port)
{
    return &vsock->rows[(guest_port ^ host_port ^ guest_port >> 8 ^ host_port >> 8) % VSOCK_ROWS];
}

VsockConn *
vsock_find(Vsock *vsock, uint32_t guest_port, uint32_t host_port)
{
    VsockConn *conn = *row_of(vsock, guest_port, host_port);

    while (conn && (conn->guest_port != guest_port || conn->host_port != host_port))
        conn = conn->next;
    return conn;
}

static void
insert(Vsock *vsock, VsockConn *conn)
{
    VsockConn **row = row_of(vsock, conn->guest_port, conn->host_port);

    conn->next = *row;
    *row = conn;
}

static void
take_out(Vsock *vsock, VsockConn *conn)
{
    VsockConn **at = row_of(vsock, conn->guest_port, conn->host_port);

    while (*at != conn)
        at = &(*at)->next;
    *at = conn->next;
}

void
vsock_set_guest_port(Vsock *vsock, VsockConn *conn, uint32_t guest_port)
{
    take_out(vsock, conn);
    conn->guest_port = guest_port;
    insert(vsock, conn);
}

void
vsock_make_ready(Vsock *vsock, VsockConn *conn)
{
    if (conn->ready_link)
        return;
    conn->next_ready = NULL;
    conn->ready_link = vsock->last_ready;
    *vsock->last_ready = conn;
    vsock->last_ready = &conn->next_ready;
}

void
vsock_make_unready(Vsock *vsock, VsockConn *conn)
{
    if (!conn->ready_link)
        return;
    *conn->ready_link = conn->next_ready;
    if (conn->next_ready)
        conn->next_ready->ready_link = conn->ready_link;
    else
        vsock->last_ready = conn->ready_link;
    conn->ready_link = NULL;
}

static bool
is_full(const Vsock *vsock)
{
    return vsock->n_conns == VSOCK_CONNS_MAX || vsock->n_greeters == VSOCK_GREETERS_MAX;
}

void
vsock_hear(Vsock *vsock)
{
    bool deaf = !vsock->vdev.started || is_full(vsock);

    if (deaf != vsock->deaf)
        loop_source_set_events(vsock->listening, deaf ? 0 : EPOLLIN);
    vsock->deaf = deaf;
}

/* A tick is for all streams: whoever comes does not put it off. */
void
vsock_tick(Vsock *vsock)
{
    if (!vsock->ticking)
        loop_timer_set(vsock->timer, VSOCK_TICK_MS);
    vsock->ticking = true;
}

void
vsock_set_patience(Vsock *vsock, VsockConn *conn, unsigned patience)
{
    conn->patience = patience;
    if (patience && vsock->vdev.started)
        vsock_tick(vsock);
}

VsockConn *
vsock_add(Vsock *vsock, uint32_t guest_port, uint32_t host_port, VsockState state)
{
    VsockConn *conn = vsock_conn_new(guest_port, host_port, state);

    conn->owner = vsock;
    insert(vsock, conn);
    vsock->n_conns++;
    vsock->n_greeters += state == VSOCK_GREETING;
    vsock_set_patience(vsock, conn, VSOCK_PATIENCE);
    return conn;
}

void
vsock_set_state(Vsock *vsock, VsockConn *conn, VsockState state)
{
    vsock->n_greeters -= conn->state == VSOCK_GREETING;
    conn->state = state;
    vsock_set_patience(vsock, conn,
                       state == VSOCK_OPEN || state == VSOCK_CLOSING ? 0 : VSOCK_PATIENCE);
}

void
vsock_drop(Vsock *vsock, VsockConn *conn)
{
    take_out(vsock, conn);
    vsock_make_unready(vsock, conn);
    vsock->n_conns--;
    vsock->n_greeters -= conn->state == VSOCK_GREETING;
    vsock_conn_free(conn);
}

void
vsock_drop_all(Vsock *vsock)
{
    for (unsigned i = 0; i < VSOCK_ROWS; i++) {
        while (vsock->rows[i])
            vsock_drop(vsock, vsock->rows[i]);
    }
    vsock->n_strays = 0;
    vsock->tx_waits = false;
}

void
vsock_tell_guest(Vsock *vsock, VsockConn *conn, unsigned what)
{
    conn->tell |= what;
    vsock_make_ready(vsock, conn);
}

/* The stream is over, and so it is for the host; the guest is told when there is a buffer for that. */
void
vsock_abort(Vsock *vsock, VsockConn *conn)
{
    loop_source_free(conn->source);
    if (conn->fd >= 0)
        close(conn->fd);
    conn->source = NULL;
    conn->fd = -1;
    conn->readable = false;
    conn->gone = true;
    conn->tell = 0;
    vsock_set_state(vsock, conn, VSOCK_CLOSING);
    vsock_tell_guest(vsock, conn, VSOCK_TELL_RESET);
}
