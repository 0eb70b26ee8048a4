#include "qemu-kvm-backend/busy-poll.h"

void
busy_poll_init(BusyPoll *poll, const BusyPollRule *rule)
{
    *poll = (BusyPoll){ .rule = *rule };
}

static uint64_t
at_most(const BusyPoll *poll, uint64_t ns)
{
    return ns < poll->rule.max_ns ? ns : poll->rule.max_ns;
}

/* A look that is tried again, or for the first time. */
static uint64_t
first_look(const BusyPoll *poll)
{
    return at_most(poll, poll->rule.grow ? BUSY_POLL_FIRST_NS : poll->rule.max_ns);
}

void
busy_poll_slept(BusyPoll *poll, uint64_t ns)
{
    uint64_t tried = poll->tried;

    poll->tried = 0;
    if (ns >= poll->rule.max_ns)
        return;
    if (poll->rule.grow > 1 && tried && tried < poll->rule.max_ns) {
        poll->ns = at_most(poll, tried * poll->rule.grow);
        poll->rest = poll->rest_left = 0;
    } else if (poll->rest_left > 0) {
        poll->rest_left--;
    } else if (!poll->ns) {
        poll->ns = first_look(poll);
    }
}

static void
looked_in_vain(BusyPoll *poll)
{
    unsigned next = 2 * poll->rest + 1;

    poll->tried = poll->ns;
    poll->ns = poll->rule.shrink ? poll->ns / poll->rule.shrink : 0;
    if (poll->rule.shrink > 1 && poll->ns >= BUSY_POLL_LEAST_NS)
        return;
    poll->ns = 0;
    poll->rest = poll->rest_left = next < BUSY_POLL_REST_MAX ? next : BUSY_POLL_REST_MAX;
}

void
busy_poll_looked(BusyPoll *poll, bool found)
{
    if (!found) {
        looked_in_vain(poll);
        return;
    }
    poll->rest = 0;
    poll->tried = 0;
}
