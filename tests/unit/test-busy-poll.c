#include "qemu-kvm-backend/busy-poll.h"

#include <glib.h>

/* Short sleeps until it pays again. */
static guint
sleeps_until_it_pays(BusyPoll *poll)
{
    guint n = 0;

    while (!poll->pays && n < 1000) {
        busy_poll_slept(poll, BUSY_POLL_NS - 1);
        n++;
    }
    return n;
}

static void
test_idle(void)
{
    BusyPoll poll = { 0 };

    g_assert_false(poll.pays);
    for (guint i = 0; i < 1000; i++)
        busy_poll_slept(&poll, BUSY_POLL_NS);
    g_assert_false(poll.pays);
}

static void
test_busy(void)
{
    BusyPoll poll = { 0 };

    busy_poll_slept(&poll, 0);
    for (guint i = 0; i < 1000; i++) {
        g_assert_true(poll.pays);
        busy_poll_looked(&poll, true);
    }
}

/* Each look in vain is followed by a longer rest, up to a limit; sleeps that are long are none. */
static void
test_in_vain(void)
{
    BusyPoll poll = { 0 };
    guint rest = 0;

    g_assert_cmpuint(sleeps_until_it_pays(&poll), ==, 1);
    for (guint i = 0; i < 20; i++) {
        busy_poll_looked(&poll, false);
        g_assert_false(poll.pays);
        busy_poll_slept(&poll, BUSY_POLL_NS);
        rest = MIN(2 * rest + 1, BUSY_POLL_REST_MAX);
        g_assert_cmpuint(sleeps_until_it_pays(&poll), ==, rest + 1);
    }
    busy_poll_looked(&poll, true);
    busy_poll_looked(&poll, false);
    g_assert_cmpuint(sleeps_until_it_pays(&poll), ==, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/busy-poll/idle", test_idle);
    g_test_add_func("/busy-poll/busy", test_busy);
    g_test_add_func("/busy-poll/in-vain", test_in_vain);
    return g_test_run();
}
