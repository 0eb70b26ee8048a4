/* telnet: the bytes of a connection that speaks Telnet (RFC 854), as far as a terminal's other end has to: it says that
 * it echoes (RFC 857), does not wait for its turn (RFC 858) and wants all eight bits (RFC 856), and leaves it at that: what
 * the client has to say of options is passed over. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TELNET_PIECE 512

typedef struct Telnet {
    int state;                     /* of what comes */
    uint8_t out[2 * TELNET_PIECE]; /* what goes, as it goes */
    size_t at, end;                /* of @out, what the client has not taken yet */
} Telnet;

/* A new connection: it begins with our options, in @out. */
void telnet_begin(Telnet *telnet);
/* Leaves only what was typed of the bytes that came, and returns how many those are. */
size_t telnet_decode(Telnet *telnet, uint8_t *bytes, size_t size);
/* Puts bytes into @out, which has to be empty; how many of them. */
size_t telnet_encode(Telnet *telnet, const uint8_t *bytes, size_t size);
