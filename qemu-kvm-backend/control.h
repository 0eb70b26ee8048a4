/* control: serves the driver's connection: requests in, replies and events out, in order.
 *
 * One connection at a time. A driver that does not read is not waited for: requests wait while
 * answers do, and past CONTROL_QUEUE_MAX waiting messages the connection is dropped; the driver may
 * connect anew, the guest goes on.
 */
#pragma once

#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/machine.h"

#define CONTROL_QUEUE_MAX 256 /* messages that the socket has no room for */

typedef struct Control Control;

/* Serves connections that come to @listener, which stays the caller's. The machine comes second,
 * because each knows the other: control_set_machine() before the loop runs. */
Control *control_new(Loop *loop, int listener);
void control_set_machine(Control *control, Machine *machine);
void control_free(Control *control);

/* Takes @event over; it is lost where nobody is connected. Fits machine_new(). */
void control_notify(void *control, VmmMsg *event);
