/* broker: what the programs that connect for a VMM have in common: they keep no rights but those that their work takes, and
 * hand sockets over. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Gives up all capabilities and all system calls but @calls, of asm/unistd.h; @max_files: how many descriptors there may be.
 * False with errno. */
bool broker_confine(const unsigned *calls, size_t n_calls, unsigned max_files);
/* Sends a packet over the connection @conn, with @fd beside it, or none where it is -1. False where nobody takes it. */
bool broker_send(int conn, const void *packet, size_t size, int fd);
