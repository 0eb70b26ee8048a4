/* net-fixture: a network card on a stream socket, with a driver on one side and the test as the network on the
 * other. */
#pragma once

#include "tests/unit/net-guest.h"

#include <glib.h>

#define MIB  ((uint64_t)1 << 20)
#define RX   0
#define TX   1
#define CTRL 2

extern const uint8_t net_mac[6]; /* the card's */

typedef struct Fixture {
    VirtioGuest *guest;
    NetGuest *net;
    int wire; /* the network's end */
} Fixture;

/* A card on a wire, without a driver yet; and with one that does without the event index. */
void net_prepare(Fixture *f);
void net_set_up(Fixture *f, const void *unused);
void net_tear_down(Fixture *f, const void *unused);
/* Lets the card do what there is to do. */
void net_settle(Fixture *f);
bool net_is_broken(Fixture *f);
/* What it says when it is told nothing; and whether it could do this to its link. */
uint64_t net_tell(Fixture *f, const char *key);
bool net_tell_link(Fixture *f, bool up);

/* A frame to the card, of @size bytes, each made of @seed. */
GByteArray *frame_new(size_t size, uint8_t seed);
/* Such a frame from the network; false where the wire is full. */
bool wire_put(Fixture *f, size_t size, uint8_t seed);
/* The next one that comes out of the card is this. */
void check_wire(Fixture *f, size_t size, uint8_t seed);
void check_wire_empty(Fixture *f);

/* The same at the driver's side: into the queue, without a kick, and from @n_buffers of it. */
bool guest_sends(Fixture *f, size_t size, uint8_t seed);
void check_received(Fixture *f, size_t size, uint8_t seed, unsigned n_buffers);
void check_nothing_received(Fixture *f);
