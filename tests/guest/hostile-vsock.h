/* hostile-vsock: the host's side of a guest's streams, which comes, goes and says anything. */
#pragma once

#include "tests/guest/vmm-harness.h"

#include <sys/un.h>

#define STREAMS_MAX 8

typedef struct Streams {
    struct sockaddr_un address; /* where the VMM listens */
    socklen_t address_size;
    int broker;            /* our end */
    int ends[STREAMS_MAX]; /* -1: none */
    guint n_asked, n_begun;
} Streams;

/* The device's own keys, in @msg. */
void streams_init(Streams *streams, VmmMsg *msg);
void streams_clear(Streams *streams);

/* Somebody connects, answers, says something or leaves, by lot. */
void streams_serve(Streams *streams, GRand *rand);
/* Everybody leaves. */
void streams_leave(Streams *streams);
