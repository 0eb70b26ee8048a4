#include "qemu-kvm-backend/busy-poll.h"

#include <glib.h>

#define MAX_NS 20000

static const BusyPollRule rule = { .max_ns = MAX_NS };

/* Short sleeps until it looks again. */
static guint
sleeps_until_it_looks(BusyPoll *poll)
{
    guint n = 0;

    while (!poll->ns && n < 1000) {
        busy_poll_slept(poll, MAX_NS - 1);
        n++;
    }
    return n;
}

static void
test_idle(void)
{
    BusyPoll poll;

    busy_poll_init(&poll, &rule);
    g_assert_cmpuint(poll.ns, ==, 0);
    for (guint i = 0; i < 1000; i++)
        busy_poll_slept(&poll, MAX_NS);
    g_assert_cmpuint(poll.ns, ==, 0);
}

static void
test_busy(void)
{
    BusyPoll poll;

    busy_poll_init(&poll, &rule);
    busy_poll_slept(&poll, 0);
    for (guint i = 0; i < 1000; i++) {
        g_assert_cmpuint(poll.ns, ==, MAX_NS);
        busy_poll_looked(&poll, true);
    }
}

/* Each look in vain is followed by a longer rest, up to a limit; sleeps that are long are none. */
static void
test_in_vain(void)
{
    BusyPoll poll;
    guint rest = 0;

    busy_poll_init(&poll, &rule);
    g_assert_cmpuint(sleeps_until_it_looks(&poll), ==, 1);
    for (guint i = 0; i < 20; i++) {
        busy_poll_looked(&poll, false);
        g_assert_cmpuint(poll.ns, ==, 0);
        busy_poll_slept(&poll, MAX_NS);
        rest = MIN(2 * rest + 1, BUSY_POLL_REST_MAX);
        g_assert_cmpuint(sleeps_until_it_looks(&poll), ==, rest + 1);
    }
    busy_poll_looked(&poll, true);
    busy_poll_looked(&poll, false);
    g_assert_cmpuint(sleeps_until_it_looks(&poll), ==, 2);
}

/* Who says 0 wants none of it. */
static void
test_never(void)
{
    BusyPoll poll;

    busy_poll_init(&poll, &(BusyPollRule){ .grow = 2, .shrink = 2 });
    for (guint i = 0; i < 1000; i++)
        busy_poll_slept(&poll, 0);
    g_assert_cmpuint(poll.ns, ==, 0);
}

/* It begins short; what a longer look would have found makes the next one longer, up to the limit. */
static void
test_grow(void)
{
    BusyPoll poll;

    busy_poll_init(&poll, &(BusyPollRule){ .max_ns = MAX_NS, .grow = 3 });
    g_assert_cmpuint(sleeps_until_it_looks(&poll), ==, 1);
    g_assert_cmpuint(poll.ns, ==, BUSY_POLL_FIRST_NS);
    busy_poll_looked(&poll, false);
    busy_poll_slept(&poll, 1000);
    g_assert_cmpuint(poll.ns, ==, 3 * BUSY_POLL_FIRST_NS);
    busy_poll_looked(&poll, false);
    busy_poll_slept(&poll, 1000);
    g_assert_cmpuint(poll.ns, ==, MAX_NS);
    busy_poll_looked(&poll, false); /* it cannot grow any more */
    g_assert_cmpuint(sleeps_until_it_looks(&poll), ==, 2);
    busy_poll_looked(&poll, false);
    busy_poll_slept(&poll, MAX_NS); /* nor does it where a longer one would have found nothing */
    g_assert_cmpuint(poll.ns, ==, 0);
}

/* One in vain makes the next one shorter, until it is not worth it; what is found keeps it. */
static void
test_shrink(void)
{
    BusyPoll poll;

    busy_poll_init(&poll, &(BusyPollRule){ .max_ns = MAX_NS, .shrink = 4 });
    g_assert_cmpuint(sleeps_until_it_looks(&poll), ==, 1);
    busy_poll_looked(&poll, false);
    g_assert_cmpuint(poll.ns, ==, MAX_NS / 4);
    busy_poll_looked(&poll, true);
    g_assert_cmpuint(poll.ns, ==, MAX_NS / 4);
    busy_poll_looked(&poll, false);
    g_assert_cmpuint(poll.ns, ==, MAX_NS / 16);
    busy_poll_looked(&poll, false);
    g_assert_cmpuint(poll.ns, ==, 0);
    g_assert_cmpuint(sleeps_until_it_looks(&poll), ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/busy-poll/idle", test_idle);
    g_test_add_func("/busy-poll/busy", test_busy);
    g_test_add_func("/busy-poll/in-vain", test_in_vain);
    g_test_add_func("/busy-poll/never", test_never);
    g_test_add_func("/busy-poll/grow", test_grow);
    g_test_add_func("/busy-poll/shrink", test_shrink);
    return g_test_run();
}
