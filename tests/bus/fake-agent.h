/* fake-agent: a process that speaks as a QEMU guest agent does, or as none should, on a listening socket.
 *
 * A word of the guest's command line tells how:
 *     fake=agent           as it should
 *     fake=agent-mute      says nothing
 *     fake=agent-hang      agrees where it is, and answers no command
 *     fake=agent-garbage   answers commands with what is no JSON
 *     fake=agent-flood     never ends a line
 *     fake=agent-late      says what belongs to other times before it answers
 *     fake=agent-leaves    hangs up on a command
 */
#pragma once

#include <stdbool.h>

/* The one that @behaves answers for; NULL: the guest has no agent. */
const char *fake_agent_find(bool (*behaves)(void *data, const char *word), void *data);
/* Starts it on @listener, which it takes over. Returns a descriptor that is readable when the guest was told to go:
 * 'p' for a power-off, 'r' for a reset. */
int fake_agent_start(int listener, const char *word);
