/* sink: a descriptor that output goes to while it has room, such as a log: what it does not take is dropped, which is said
 * once in a row. */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Sink {
    int fd;           /* -1: there is none */
    uint64_t dropped; /* bytes, since it last took something */
} Sink;

/* Takes @key of @params, where it is there, and makes it non-blocking; the sink is there to be closed in any case. */
bool sink_open(Sink *sink, VmmMsg *params, const char *key, VmmError *err);
void sink_close(Sink *sink);

/* @name is for the log. Nothing where there is none. */
void sink_write(Sink *sink, const char *name, const uint8_t *bytes, size_t size);

/* Writes what @fd takes at once. Less than @size with errno: EAGAIN where it is full. */
size_t sink_write_some(int fd, const uint8_t *bytes, size_t size);
bool sink_set_nonblocking(int fd, int more_flags, VmmError *err);
