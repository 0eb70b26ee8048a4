/* vsock-fixture: a vsock with a driver at one side, and clients of the host's and a broker at the other. */
#pragma once

#include "tests/unit/virtio-guest.h"

#include <glib.h>
#include <linux/virtio_vsock.h>
#include <sys/un.h>

#define MIB    ((uint64_t)1 << 20)
#define CID    7
#define RX     0
#define TX     1
#define BUFFER 4096u
#define N_RX   64
#define HEADER ((uint32_t)sizeof(struct virtio_vsock_hdr))
#define ROOM   65536u /* the device's, for a stream */

typedef struct Fixture {
    VirtioGuest *guest;
    struct sockaddr_un address;
    int broker;      /* our end; -1: none */
    uint64_t rx, tx; /* buffers */
    unsigned n_tx;   /* sent; the descriptor is this, modulo the queue's size */
    uint32_t room;   /* what packets say that the guest has room for */
    uint32_t taken;  /* and has taken */
} Fixture;

/* The last packet from the device. */
typedef struct Packet {
    uint16_t type, op;
    uint32_t host_port, guest_port, flags, room, taken, size;
    uint8_t data[BUFFER];
} Packet;

/* Takes connections of clients at @f->address. */
int vsock_listen(Fixture *f);
/* A device, with a broker or without, and no driver yet. */
void vsock_set_up_with(Fixture *f, bool broker);
/* The driver starts it, with buffers to receive into. */
void vsock_start(Fixture *f);
/* Both, with a broker. */
void vsock_set_up(Fixture *f, gconstpointer unused);
void vsock_tear_down(Fixture *f, gconstpointer unused);

/* The driver's side. */

/* Makes receive buffer @i available, without a kick. */
void vsock_offer(Fixture *f, unsigned i);
/* A packet of the guest's into the next descriptor; not yet seen by the device. */
void queue_packet(Fixture *f, struct virtio_vsock_hdr *hdr, const void *data, uint32_t size);
struct virtio_vsock_hdr vsock_header(const Fixture *f, uint16_t op, uint32_t guest_port,
                                     uint32_t host_port);
/* A packet without data, and one with it. */
void say(Fixture *f, uint16_t op, uint32_t guest_port, uint32_t host_port, uint32_t flags);
void write_guest(Fixture *f, uint32_t guest_port, uint32_t host_port, const void *data,
                 uint32_t size);
/* The next packet from the device; FALSE where it has sent none. */
gboolean take_packet(Fixture *f, Packet *ret);
void expect(Fixture *f, Packet *ret, uint16_t op, uint32_t guest_port);
void expect_nothing(Fixture *f);
/* Streams that the device says it has. */
uint64_t count_streams(Fixture *f);

/* The host's side. */

/* A client that has sent @greeting. */
int client_new(Fixture *f, const char *greeting);
/* Exactly this text is there to read. */
void expect_text(int fd, const char *text);
void expect_end(int fd);
/* A stream to port 52 of the guest, which accepts; its port on the host. */
uint32_t open_from_host(Fixture *f, int *ret_fd);
/* What the broker is asked, and its answer: @fd is taken over, -1: nobody listens. */
void broke(Fixture *f, uint32_t guest_port, uint32_t host_port, int fd);
/* A stream from @guest_port to port 99 of the host; the host's end. */
int open_from_guest(Fixture *f, uint32_t guest_port);
