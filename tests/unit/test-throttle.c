/* Limits of what may pass in a second, on a clock of the test's own. */
#include "qemu-kvm-backend/throttle.h"

#include <glib.h>

#define SECOND 1000000000ull
#define MS     1000000ull

static void
assert_near(uint64_t ns, uint64_t wanted_ns)
{
    uint64_t off = ns > wanted_ns ? ns - wanted_ns : wanted_ns - ns;

    if (off > 1000)
        g_error("%" G_GUINT64_FORMAT " ns, not %" G_GUINT64_FORMAT, ns, wanted_ns);
}

/* Rounding may cost one, or win one. */
static void
assert_about(unsigned n, unsigned wanted)
{
    if (n + 1 < wanted || n > wanted + 1)
        g_error("%u, not about %u", n, wanted);
}

/* How many operations of @bytes pass in @seconds, where there always is one that wants to. */
static unsigned
count(Throttle *throttle, bool write, uint64_t bytes, unsigned seconds)
{
    uint64_t now = SECOND;
    unsigned n = 0;

    while ((now = throttle_reserve(throttle, write, bytes, now)) < (1 + seconds) * SECOND)
        n++;
    return n;
}

static unsigned
count_with(ThrottleLimits limits, bool write, uint64_t bytes, unsigned seconds)
{
    Throttle *throttle = throttle_get(NULL);
    unsigned n;

    throttle_set(throttle, &limits);
    n = count(throttle, write, bytes, seconds);
    throttle_put(throttle);
    return n;
}

/* A tenth of a second's worth at once, and then the rate: 10 seconds are 10.1 of it. */
static void
test_rates(void)
{
    const ThrottleLimits total = { .bytes[THROTTLE_TOTAL] = { .rate = 4096000 } };
    const ThrottleLimits reads = { .bytes[THROTTLE_READ] = { 4096000 } };
    const ThrottleLimits writes = { .ops[THROTTLE_WRITE] = { 100 } };
    const ThrottleLimits both = { .ops[THROTTLE_TOTAL] = { 100 }, .bytes[THROTTLE_READ] = { 40960 } };

    assert_about(count_with(total, false, 4096, 10), 10101);
    assert_about(count_with(total, true, 4096, 10), 10101);
    assert_about(count_with(reads, false, 4096, 10), 10101);
    assert_about(count_with(writes, true, 4096, 10), 1011);
    /* The slower one counts. */
    assert_about(count_with(both, true, 4096, 10), 1011);
    assert_about(count_with(both, false, 4096, 10), 102);
}

/* The other direction, or what has no limit, does not wait. */
static void
test_unlimited(void)
{
    const ThrottleLimits limits = { .ops[THROTTLE_READ] = { 1 } };
    Throttle *throttle = throttle_get("");

    for (unsigned i = 0; i < 100; i++)
        g_assert_cmpuint(throttle_reserve(throttle, false, 1 << 20, SECOND), ==, SECOND);
    throttle_set(throttle, &limits);
    for (unsigned i = 0; i < 100; i++)
        g_assert_cmpuint(throttle_reserve(throttle, true, 1 << 20, SECOND), ==, SECOND);
    throttle_put(throttle);
}

static void
test_order(void)
{
    const ThrottleLimits limits = { .ops[THROTTLE_TOTAL] = { 10 } };
    Throttle *throttle = throttle_get(NULL);

    throttle_set(throttle, &limits);
    g_assert_cmpuint(throttle_reserve(throttle, false, 1, SECOND), ==, SECOND);
    g_assert_cmpuint(throttle_reserve(throttle, true, 1, SECOND), ==, SECOND);
    assert_near(throttle_reserve(throttle, false, 1, SECOND), SECOND + 100 * MS);
    assert_near(throttle_reserve(throttle, true, 1, SECOND), SECOND + 200 * MS);
    /* What waits does not wait longer for those behind it, and time that passes counts. */
    assert_near(throttle_reserve(throttle, false, 1, SECOND + 150 * MS), SECOND + 300 * MS);
    /* An idle throttle forgets all but its size. */
    g_assert_cmpuint(throttle_reserve(throttle, false, 1, 9 * SECOND), ==, 9 * SECOND);
    throttle_put(throttle);
}

/* 200 a second for 3 seconds, and 10 a second behind that. */
static void
test_burst(void)
{
    const ThrottleLimits limits = { .ops[THROTTLE_TOTAL] = { .rate = 10, .peak = 200, .burst = 600 } };
    const ThrottleLimits one = { .ops[THROTTLE_TOTAL] = { .rate = 10, .burst = 200 } };
    unsigned three = count_with(limits, false, 1, 3), ten = count_with(limits, false, 1, 13);

    g_assert_cmpuint(three, >=, 600);
    g_assert_cmpuint(three, <=, 630);
    g_assert_cmpuint(ten - three, <=, 130);
    g_assert_cmpuint(ten, >=, 720);
    /* A burst of one second may come all at once. */
    assert_about(count_with(one, false, 1, 1), 211);
}

static void
test_op_size(void)
{
    const ThrottleLimits limits = { .ops[THROTTLE_TOTAL] = { 100 }, .op_bytes = 4096 };

    assert_about(count_with(limits, false, 512, 10), 1011);
    assert_about(count_with(limits, false, 4096, 10), 1011);
    assert_about(count_with(limits, false, 40960, 10), 102);
}

static void
test_group(void)
{
    const ThrottleLimits limits = { .ops[THROTTLE_TOTAL] = { 10 } };
    Throttle *a = throttle_get("group"), *b = throttle_get("group"), *c = throttle_get("other");
    uint64_t version;

    g_assert_true(a == b);
    g_assert_true(a != c);
    throttle_set(a, &limits);
    version = throttle_version(b);
    throttle_set(b, &limits);
    g_assert_cmpuint(throttle_version(a), ==, version);
    throttle_put(a);
    /* It lives as long as somebody uses it, and remembers what has passed. */
    assert_about(count(b, false, 1, 1), 12);
    throttle_set(b, &(ThrottleLimits){ 0 });
    g_assert_cmpuint(throttle_version(b), ==, version + 1);
    g_assert_cmpuint(throttle_reserve(b, false, 1, SECOND), ==, SECOND);
    throttle_put(c);
    throttle_put(b);
}

static void
test_extreme(void)
{
    const ThrottleLimits limits = { .bytes[THROTTLE_TOTAL] = { 1 } };
    Throttle *throttle = throttle_get(NULL);

    throttle_set(throttle, &limits);
    throttle_reserve(throttle, false, UINT64_MAX, SECOND);
    g_assert_cmpuint(throttle_reserve(throttle, false, 1, SECOND), >, 1000000 * SECOND);
    throttle_put(throttle);
    throttle_put(NULL);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/throttle/rates", test_rates);
    g_test_add_func("/throttle/unlimited", test_unlimited);
    g_test_add_func("/throttle/order", test_order);
    g_test_add_func("/throttle/burst", test_burst);
    g_test_add_func("/throttle/op-size", test_op_size);
    g_test_add_func("/throttle/group", test_group);
    g_test_add_func("/throttle/extreme", test_extreme);
    return g_test_run();
}
