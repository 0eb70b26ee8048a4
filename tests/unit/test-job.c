/* One job at a time, first come first served. */
#include "driver/domain-state.h"
#include "driver/error.h"
#include "driver/job.h"

#include <libvirt/libvirt.h>
#include <string.h>

static void
run(gpointer data, const GError *error)
{
    GString *log = data;

    g_string_append(log, error ? "failed;" : "run;");
}

static void
test_order(void)
{
    JobQueue queue = { 0 };
    g_autoptr(GString) first = g_string_new("");
    g_autoptr(GString) second = g_string_new("");
    g_autoptr(GString) third = g_string_new("");

    job_begin(&queue, "start", JOB_WAIT_MS, run, first);
    job_begin(&queue, "suspend", JOB_WAIT_MS, run, second);
    job_begin(&queue, "resume", JOB_WAIT_MS, run, third);
    g_assert_cmpstr(first->str, ==, "run;");
    g_assert_cmpstr(queue.active, ==, "start");
    g_assert_cmpint(queue.since_us, >, 0);
    g_assert_cmpint(queue.since_us, <=, g_get_monotonic_time());
    g_assert_cmpstr(second->str, ==, "");
    job_end(&queue);
    g_assert_cmpstr(second->str, ==, "run;");
    g_assert_cmpstr(third->str, ==, "");
    job_clear(&queue);
    g_assert_cmpstr(third->str, ==, "failed;");
    job_end(&queue);
    g_assert_null(queue.active);
}

/* A job that ends within its own beginning leaves the queue as it was. */
static void
run_and_end(gpointer data, const GError *error)
{
    job_end(data);
}

static void
test_instant(void)
{
    JobQueue queue = { 0 };

    job_begin(&queue, "reset", JOB_WAIT_MS, run_and_end, &queue);
    g_assert_null(queue.active);
}

static void
remember(gpointer data, const GError *error)
{
    *(GError **)data = g_error_copy(error);
}

/* Whoever has a limit is told when it is over, who has none waits on. */
static void
test_patience(void)
{
    JobQueue queue = { 0 };
    g_autoptr(GString) saves = g_string_new("");
    g_autoptr(GString) patient = g_string_new("");
    g_autoptr(GError) told = NULL;

    job_begin(&queue, "save", JOB_WAIT_MS, run, saves);
    job_begin(&queue, "stop", JOB_WAIT_FOREVER, run, patient);
    job_begin(&queue, "resume", 10, remember, &told);
    while (!told)
        g_main_context_iteration(NULL, TRUE);
    g_assert_error(told, driver_error_quark(), VIR_ERR_OPERATION_TIMEOUT);
    g_assert_nonnull(strstr(told->message, "(held by save)"));
    g_assert_cmpstr(patient->str, ==, "");
    job_end(&queue);
    g_assert_cmpstr(patient->str, ==, "run;");
    job_end(&queue);
    g_assert_null(queue.active);
}

static void
test_moves(void)
{
    g_assert_true(domain_state_may_move(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_RUNNING));
    g_assert_true(domain_state_may_move(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING));
    g_assert_true(domain_state_may_move(VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTOFF));
    g_assert_false(domain_state_may_move(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_CRASHED));
    g_assert_false(domain_state_may_move(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTDOWN));
    g_assert_cmpstr(domain_state_to_string(VIR_DOMAIN_SHUTOFF), ==, "shut off");
    g_assert_cmpstr(domain_state_to_string(77), ==, "unknown");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/job/order", test_order);
    g_test_add_func("/job/instant", test_instant);
    g_test_add_func("/job/patience", test_patience);
    g_test_add_func("/domain-state/moves", test_moves);
    return g_test_run();
}
