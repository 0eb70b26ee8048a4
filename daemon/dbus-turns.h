/* dbus-turns: the calls of several clients are served by turns, one of each in a round, so that a client with
 * thousands of calls under way delays another's by one of them. Those of one client keep their order.
 */
#pragma once

#include <gio/gio.h>

typedef struct Turns Turns;

/* @serve takes a call over, from the main context. */
Turns *turns_new(void (*serve)(GDBusMethodInvocation *invocation));
/* Calls that still wait get no answer. */
void turns_free(Turns *turns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Turns, turns_free)

/* Takes @invocation over. */
void turns_add(Turns *turns, GDBusMethodInvocation *invocation);
