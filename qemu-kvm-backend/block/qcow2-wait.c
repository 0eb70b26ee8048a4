#include "qemu-kvm-backend/block/qcow2-wait.h"

#include <stddef.h>

void
wait_list_put(WaitList *list, Waiter *waiter)
{
    waiter->next = NULL;
    waiter->error = 0;
    if (list->first)
        list->last->next = waiter;
    else
        list->first = waiter;
    list->last = waiter;
}

void
wait_list_wake(Qcow2 *q, WaitList *list, int error)
{
    if (!list->first)
        return;
    for (Waiter *waiter = list->first; waiter; waiter = waiter->next)
        waiter->error = error;
    if (q->runnable.first)
        q->runnable.last->next = list->first;
    else
        q->runnable.first = list->first;
    q->runnable.last = list->last;
    *list = (WaitList){ 0 };
}

void
waiter_wake(Qcow2 *q, Waiter *waiter, int error)
{
    wait_list_put(&q->runnable, waiter);
    waiter->error = error;
}

void
qcow2_run(Qcow2 *q)
{
    while (q->runnable.first) {
        Waiter *waiter = q->runnable.first;

        q->runnable.first = waiter->next;
        waiter->go(waiter, waiter->error);
    }
}

void
qcow2_park(Qcow2 *q, Waiter *waiter)
{
    wait_list_put(&q->parked, waiter);
}

void
qcow2_starve(Qcow2 *q, Waiter *waiter)
{
    wait_list_put(&q->starved, waiter);
}

void
qcow2_wake_parked(Qcow2 *q)
{
    wait_list_wake(q, &q->parked, 0);
}
