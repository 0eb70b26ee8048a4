/* The devices' timer on the real clocks: it rings when set, not before, and any thread may set it. */
#include "qemu-kvm-backend/hw/alarm.h"

#include <glib.h>

#define MS 1000000ull

typedef struct Fixture {
    Loop *loop;
    Alarm *alarm;
    pthread_mutex_t lock;
    unsigned n_rings;
    uint64_t rang_ns;
    uint64_t again_ns; /* set again on ringing, once */
    LoopSource *end;   /* of loop_run(), so that a test for silence ends too */
} Fixture;

static void
ring(void *data)
{
    Fixture *f = data;

    g_assert_cmpint(pthread_mutex_trylock(&f->lock), !=, 0);
    f->n_rings++;
    f->rang_ns = alarm_now(f->alarm);
    if (f->again_ns) {
        alarm_set(f->alarm, f->again_ns);
        f->again_ns = 0;
    } else {
        loop_quit(f->loop);
    }
}

static void
end(void *data, uint32_t events)
{
    loop_quit(((Fixture *)data)->loop);
}

static void
set_up(Fixture *f, gconstpointer clock)
{
    VmmError err = { 0 };

    pthread_mutex_init(&f->lock, NULL);
    f->loop = loop_new();
    f->alarm = alarm_new(f->loop, GPOINTER_TO_INT(clock), &f->lock, ring, f, &err);
    g_assert_cmpstr(err.text, ==, "");
    f->end = loop_add_timer(f->loop, end, f);
}

static void
tear_down(Fixture *f, gconstpointer clock)
{
    alarm_free(f->alarm);
    loop_source_free(f->end);
    loop_free(f->loop);
    pthread_mutex_destroy(&f->lock);
}

static void
run(Fixture *f, uint64_t at_most_ms)
{
    loop_timer_set(f->end, at_most_ms);
    loop_run(f->loop);
}

static void
set(Fixture *f, uint64_t at_ns)
{
    pthread_mutex_lock(&f->lock);
    alarm_set(f->alarm, at_ns);
    pthread_mutex_unlock(&f->lock);
}

static void
test_rings(Fixture *f, gconstpointer clock)
{
    uint64_t at = alarm_now(f->alarm) + 20 * MS;

    set(f, at);
    run(f, 5000);
    g_assert_cmpuint(f->n_rings, ==, 1);
    g_assert_cmpuint(f->rang_ns, >=, at - MS); /* the raw clock's may come a little early */
}

static void
test_past(Fixture *f, gconstpointer clock)
{
    set(f, 1);
    run(f, 5000);
    g_assert_cmpuint(f->n_rings, ==, 1);
}

static void
test_again(Fixture *f, gconstpointer clock)
{
    uint64_t now = alarm_now(f->alarm);

    f->again_ns = now + 10 * MS;
    set(f, now + 5 * MS);
    run(f, 5000);
    g_assert_cmpuint(f->n_rings, ==, 2);
}

static void
test_stopped(Fixture *f, gconstpointer clock)
{
    set(f, alarm_now(f->alarm) + 10 * MS);
    set(f, 0);
    run(f, 50);
    g_assert_cmpuint(f->n_rings, ==, 0);
}

static gpointer
set_soon(gpointer data)
{
    Fixture *f = data;

    g_usleep(10000);
    set(f, alarm_now(f->alarm) + 5 * MS);
    return NULL;
}

static void
test_other_thread(Fixture *f, gconstpointer clock)
{
    GThread *thread = g_thread_new("vcpu", set_soon, f);

    run(f, 5000);
    g_thread_join(thread);
    g_assert_cmpuint(f->n_rings, ==, 1);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        clockid_t clock;
    } clocks[] = {
        { "realtime", CLOCK_REALTIME },
        { "monotonic", CLOCK_MONOTONIC },
        { "raw", CLOCK_MONOTONIC_RAW },
    };
    static const struct {
        const char *name;
        void (*fn)(Fixture *f, gconstpointer clock);
    } tests[] = {
        { "rings", test_rings },
        { "past", test_past },
        { "again", test_again },
        { "stopped", test_stopped },
        { "other-thread", test_other_thread },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(clocks); i++) {
        for (unsigned j = 0; j < G_N_ELEMENTS(tests); j++) {
            g_autofree char *path = g_strdup_printf("/alarm/%s/%s", clocks[i].name, tests[j].name);

            g_test_add(path, Fixture, GINT_TO_POINTER(clocks[i].clock), set_up, tests[j].fn,
                       tear_down);
        }
    }
    return g_test_run();
}
