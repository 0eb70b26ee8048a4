#include "qemu-kvm-backend/busy-poll.h"

void
busy_poll_slept(BusyPoll *poll, uint64_t ns)
{
    if (ns >= BUSY_POLL_NS)
        return;
    if (poll->rest_left > 0)
        poll->rest_left--;
    else
        poll->pays = true;
}

void
busy_poll_looked(BusyPoll *poll, bool found)
{
    unsigned next = 2 * poll->rest + 1;

    if (!found)
        poll->rest_left = next < BUSY_POLL_REST_MAX ? next : BUSY_POLL_REST_MAX;
    poll->rest = found ? 0 : poll->rest_left;
    poll->pays = found;
}
