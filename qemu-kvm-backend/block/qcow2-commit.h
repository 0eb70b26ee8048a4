/* qcow2-commit: what has changed is written, in an order that leaves a good image whenever that ends. */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

/* Where the clerk is not busy. Those in q->flushers wait for its end, and q->next_shape is the image's then. After an
 * error the shape is what it was, and the next commit says so in the header again, whatever is there. */
void qcow2_commit(Qcow2 *q);
/* Whether there is something to commit beside data. */
bool qcow2_has_changes(const Qcow2 *q);
/* Whether tables may be changed now, and there is room for it. False: @waiter will go on when they may, or with the
 * error of the commit that was to make room. */
bool qcow2_may_change(Qcow2 *q, Waiter *waiter);
