/* qcow2-wait: lists of those who wait. */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

void wait_list_put(WaitList *list, Waiter *waiter);
/* All of @list can go on, with @error. */
void wait_list_wake(Qcow2 *q, WaitList *list, int error);
/* @waiter, which is on no list, can go on, with @error. */
void waiter_wake(Qcow2 *q, Waiter *waiter, int error);
/* Calls those who can go on, and whom they wake, until there is nobody. */
void qcow2_run(Qcow2 *q);

/* Until anything changes. */
void qcow2_park(Qcow2 *q, Waiter *waiter);
/* Until the clerk has ended what it does, well or not. */
void qcow2_starve(Qcow2 *q, Waiter *waiter);
/* Something changed. */
void qcow2_wake_parked(Qcow2 *q);
