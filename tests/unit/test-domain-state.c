/* Which moves between states there are, and which are none. */
#include "driver/domain-state.h"

#include <libvirt/libvirt.h>

/* A domain that is off starts; one that has suspended itself is woken or ended, and nothing else. */
static void
test_pmsuspended(void)
{
    static const int into[] = { VIR_DOMAIN_RUNNING, VIR_DOMAIN_PAUSED };
    static const int out_of[] = { VIR_DOMAIN_RUNNING, VIR_DOMAIN_PAUSED, VIR_DOMAIN_SHUTDOWN,
                                  VIR_DOMAIN_SHUTOFF };
    guint n_into = 0, n_out_of = 0;

    for (int state = VIR_DOMAIN_NOSTATE; state < VIR_DOMAIN_PMSUSPENDED; state++) {
        n_into += domain_state_may_move(state, VIR_DOMAIN_PMSUSPENDED);
        n_out_of += domain_state_may_move(VIR_DOMAIN_PMSUSPENDED, state);
    }
    g_assert_cmpuint(n_into, ==, G_N_ELEMENTS(into));
    g_assert_cmpuint(n_out_of, ==, G_N_ELEMENTS(out_of));
    for (gsize i = 0; i < G_N_ELEMENTS(into); i++)
        g_assert_true(domain_state_may_move(into[i], VIR_DOMAIN_PMSUSPENDED));
    for (gsize i = 0; i < G_N_ELEMENTS(out_of); i++)
        g_assert_true(domain_state_may_move(VIR_DOMAIN_PMSUSPENDED, out_of[i]));
    g_assert_true(domain_state_may_move(VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED));
    g_assert_cmpstr(domain_state_to_string(VIR_DOMAIN_PMSUSPENDED), ==, "pmsuspended");
}

static void
test_shutoff(void)
{
    g_assert_true(domain_state_may_move(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_RUNNING));
    g_assert_true(domain_state_may_move(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_PAUSED));
    g_assert_false(domain_state_may_move(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTDOWN));
    g_assert_false(domain_state_may_move(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_CRASHED));
    g_assert_false(domain_state_may_move(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_PMSUSPENDED));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-state/pmsuspended", test_pmsuspended);
    g_test_add_func("/domain-state/shutoff", test_shutoff);
    return g_test_run();
}
