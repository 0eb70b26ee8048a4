/* backlog: the newest bytes of an output that nobody takes at the moment. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define BACKLOG_SIZE 65536

/* All zeros is an empty one. It holds memory only while it holds bytes. */
typedef struct Backlog {
    uint8_t *ring;
    size_t head; /* of the oldest byte */
    size_t used;
} Backlog;

void backlog_clear(Backlog *backlog);
/* Appends; where there is no room the oldest bytes go. Returns how many went. */
size_t backlog_put(Backlog *backlog, const uint8_t *bytes, size_t size);
/* The oldest bytes, as many as lie together; NULL where there are none. */
const uint8_t *backlog_peek(const Backlog *backlog, size_t *ret_size);
/* Removes the @size oldest bytes. */
void backlog_take(Backlog *backlog, size_t size);
