/* A balloon: what a guest gives back is gone from the host's memory, and nothing else. */
#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <linux/virtio_balloon.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define MIB       ((uint64_t)1 << 20)
#define RAM       (8 * MIB)
#define PAGE      4096u
#define PAGES     0x400000u /* from here on lie the pages of the tests */
#define INFLATE   0
#define DEFLATE   1
#define STATS     2
#define REPORTING 4

typedef struct Fixture {
    VirtioGuest *guest;
    uint64_t buffer;
} Fixture;

time_t __wrap_time(time_t *ret);

/* Where the kernel has no vDSO this is a system call that a guest's process has no right to. */
time_t
__wrap_time(time_t *ret)
{
    g_error("the balloon asks for the time by time()");
}

static void
set_up(Fixture *f, const void *data)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    vmm_msg_put_string(params, "device", "balloon");
    vmm_msg_put_bool(params, "reporting", true);
    f->guest = virtio_guest_new(params, RAM);
    guest_enable_msix(f->guest);
    guest_start(f->guest, UINT64_MAX);
    f->buffer = guest_alloc(f->guest, PAGE);
}

static void
tear_down(Fixture *f, const void *data)
{
    virtio_guest_free(f->guest);
}

/* Page @i of the tests' */
static uint8_t *
page(Fixture *f, unsigned i)
{
    return guest_memory(f->guest, PAGES + i * PAGE, PAGE);
}

static void
fill_pages(Fixture *f, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        memset(page(f, i), 0x80 + i, PAGE);
}

static bool
is_there(Fixture *f, unsigned i)
{
    unsigned char resident;

    g_assert_cmpint(mincore(page(f, i), PAGE, &resident), ==, 0);
    return resident & 1;
}

static void
give(Fixture *f, unsigned queue, const void *bytes, size_t size)
{
    uint32_t head, len;

    memcpy(guest_memory(f->guest, f->buffer, size), bytes, size);
    guest_desc(f->guest, f->guest->queues[queue].desc, 0, f->buffer, size, 0, 0);
    guest_offer(f->guest, queue, 0);
    guest_kick(f->guest, queue);
    if (queue == STATS)
        return;
    g_assert_true(guest_take_used(f->guest, queue, &head, &len));
    g_assert_cmpuint(len, ==, 0);
}

static VmmMsg *
tell(Fixture *f, const char *key, uint64_t value)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    VmmMsg *reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VmmError err;

    if (key)
        vmm_msg_put_u64(request, key, value);
    if (f->guest->dev->class->tell(f->guest->dev, request, reply, &err)) {
        g_assert_null(vmm_msg_unread(request));
        return reply;
    }
    vmm_msg_free(reply);
    return NULL;
}

/* What the reply to no wish says under @key; UINT64_MAX: nothing. */
static uint64_t
asked(Fixture *f, const char *key)
{
    vmm_msg_auto reply = tell(f, NULL, 0);
    uint64_t value = UINT64_MAX;

    vmm_msg_get_u64(reply, key, &value);
    return value;
}

static bool
wish(Fixture *f, const char *key, uint64_t value)
{
    vmm_msg_auto reply = tell(f, key, value);

    return reply != NULL;
}

static void
on_time(void *data, uint32_t events)
{
    loop_quit(data);
}

static void
pass_time(Fixture *f, unsigned ms)
{
    Loop *loop = f->guest->test->board.loop;
    LoopSource *timer = loop_add_timer(loop, on_time, loop);

    loop_timer_set(timer, ms);
    loop_run(loop);
    loop_source_free(timer);
}

static void
test_inflate(Fixture *f, const void *data)
{
    uint32_t first = PAGES / PAGE;
    /* Upwards, downwards, apart, twice, and none of the guest's. */
    const uint32_t pfns[] = {
        first + 1,  first + 2,  first + 7, first + 6, first + 5, first + 9,
        RAM / PAGE, 0xffffffff, first + 9, 0x100000,  first + 3, RAM / PAGE - 1,
    };

    fill_pages(f, 12);
    give(f, INFLATE, pfns, sizeof(pfns));
    for (unsigned i = 0; i < 12; i++) {
        bool gone = (i >= 1 && i <= 3) || (i >= 5 && i <= 7) || i == 9;

        g_assert_cmpint(is_there(f, i), ==, !gone);
        if (!gone)
            g_assert_cmphex(page(f, i)[PAGE - 1], ==, 0x80 + i);
    }
    g_assert_cmphex(page(f, 2)[100], ==, 0);
    memset(page(f, 1), 1, PAGE); /* it may be used again at any time */
    give(f, DEFLATE, pfns, sizeof(pfns[0]));
    g_assert_cmphex(page(f, 1)[0], ==, 1);
}

/* More numbers than are looked at in one go, and a number that is cut off. */
static void
test_inflate_many(Fixture *f, const void *data)
{
    uint8_t bytes[600 * 4 + 3];
    uint32_t *pfns = (uint32_t *)(void *)bytes;

    memset(bytes, 0xff, sizeof(bytes));
    for (unsigned i = 0; i < 600; i++)
        pfns[i] = PAGES / PAGE + 599 - i;
    fill_pages(f, 601);
    give(f, INFLATE, bytes, sizeof(bytes));
    for (unsigned i = 0; i < 600; i++)
        g_assert_false(is_there(f, i));
    g_assert_true(is_there(f, 600));
}

/* A buffer of very many page numbers: other sources of the loop get their turn in between, and all are done. */
static void
test_inflate_huge(Fixture *f, const void *data)
{
    const unsigned n = MIB / sizeof(uint32_t);
    uint64_t buffer = guest_alloc(f->guest, MIB);
    uint32_t *pfns = guest_memory(f->guest, buffer, MIB), head, len;
    unsigned turns = 0;

    fill_pages(f, 2);
    memset(pfns, 0xff, MIB); /* none of the guest's, but for the first one and the last */
    pfns[0] = GUINT32_TO_LE(PAGES / PAGE);
    pfns[n - 1] = GUINT32_TO_LE(PAGES / PAGE + 1);
    guest_desc(f->guest, f->guest->queues[INFLATE].desc, 0, buffer, MIB, 0, 0);
    guest_offer(f->guest, INFLATE, 0);
    guest_kick(f->guest, INFLATE);
    g_assert_false(is_there(f, 0));
    g_assert_true(is_there(f, 1));
    for (; !guest_take_used(f->guest, INFLATE, &head, &len); turns++) {
        g_assert_cmpuint(turns, <, 100);
        test_board_settle(f->guest->test);
    }
    g_assert_cmpuint(turns, >, 1);
    g_assert_false(is_there(f, 1));
}

/* The driver that starts over within such a buffer is not held to where it was. */
static void
test_inflate_reset(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, MIB);
    uint32_t pfn = GUINT32_TO_LE(PAGES / PAGE);

    memset(guest_memory(f->guest, buffer, MIB), 0xff, MIB);
    guest_desc(f->guest, f->guest->queues[INFLATE].desc, 0, buffer, MIB, 0, 0);
    guest_offer(f->guest, INFLATE, 0);
    guest_kick(f->guest, INFLATE);
    guest_reset(f->guest);
    guest_start(f->guest, UINT64_MAX);
    fill_pages(f, 1);
    give(f, INFLATE, &pfn, sizeof(pfn));
    g_assert_false(is_there(f, 0));
}

/* Buffers that lie in free pages; what is not a whole page stays. */
static void
report(Fixture *f, unsigned queue)
{
    uint64_t table = f->guest->queues[queue].desc;
    uint32_t head, len;

    fill_pages(f, 8);
    guest_desc(f->guest, table, 0, PAGES, 2 * PAGE, DESC_WRITE | DESC_NEXT, 1);
    guest_desc(f->guest, table, 1, PAGES + 3 * PAGE + 1, 3 * PAGE, DESC_WRITE | DESC_NEXT, 2);
    guest_desc(f->guest, table, 2, PAGES + 7 * PAGE, PAGE - 1, DESC_WRITE, 0);
    guest_offer(f->guest, queue, 0);
    guest_kick(f->guest, queue);
    g_assert_true(guest_take_used(f->guest, queue, &head, &len));
    for (unsigned i = 0; i < 8; i++)
        g_assert_cmpint(is_there(f, i), ==, !(i < 2 || i == 4 || i == 5));
}

static void
test_reporting(Fixture *f, const void *data)
{
    report(f, REPORTING);
    report(f, 3); /* where drivers that leave no gaps have it */
    guest_reset(f->guest);
    guest_start(f->guest, 1ull << VIRTIO_BALLOON_F_REPORTING);
    report(f, 2);
}

static uint32_t
target_pages(Fixture *f)
{
    return mmio_read(f->guest->test, f->guest->device, 4);
}

static void
test_target(Fixture *f, const void *data)
{
    g_assert_cmpuint(target_pages(f), ==, 0);
    g_assert_true(wish(f, "target", 3 * MIB));
    g_assert_cmpuint(target_pages(f), ==, 3 * MIB / PAGE);
    g_assert_cmpuint(test_board_take_msi(f->guest->test, GUEST_CONFIG_MSI), ==, 1);
    g_assert_true(wish(f, "target", 3 * MIB));
    g_assert_cmpuint(test_board_take_msi(f->guest->test, GUEST_CONFIG_MSI), ==, 0);
    g_assert_false(wish(f, "target", RAM + PAGE));
    g_assert_false(wish(f, "target", PAGE + 1));
    mmio_write(f->guest->test, f->guest->device, 4, 77); /* not the driver's */
    g_assert_cmpuint(target_pages(f), ==, 3 * MIB / PAGE);
    g_assert_cmpuint(asked(f, "target"), ==, 3 * MIB);
    guest_reset(f->guest);
    g_assert_cmpuint(target_pages(f), ==, 3 * MIB / PAGE);
    g_assert_true(wish(f, "target", 0)); /* while nobody listens */
    g_assert_cmpuint(test_board_take_msi(f->guest->test, GUEST_CONFIG_MSI), ==, 0);
    g_assert_cmphex(mmio_read(f->guest->test, f->guest->isr, 1), ==, 0);
}

static void
check_size_event(Fixture *f, unsigned n, uint64_t size)
{
    uint64_t got;

    g_assert_cmpuint(f->guest->test->n_events, ==, n);
    g_assert_cmpstr(vmm_msg_name(f->guest->test->event), ==, VMM_EVENT_BALLOON);
    g_assert_true(vmm_msg_get_u64(f->guest->test->event, "size", &got));
    g_assert_cmpuint(got, ==, size);
}

/* A guest that writes its size without end is told of once a second, and the last word is right. */
static void
test_size(Fixture *f, const void *data)
{
    for (unsigned i = 1; i <= 100; i++) {
        mmio_write(f->guest->test, f->guest->device + 4, 4, i);
        test_board_settle(f->guest->test);
    }
    check_size_event(f, 1, PAGE);
    g_assert_cmpuint(asked(f, "size"), ==, 100 * PAGE);
    pass_time(f, 1010);
    check_size_event(f, 2, 100 * PAGE);
    guest_reset(f->guest);
    pass_time(f, 1010);
    check_size_event(f, 3, 0);
}

/* A reset that its vCPU does by itself, because no driver had got as far as to start the device: what there is to
 * tell and to wait for is the loop's. */
static void
test_size_of_no_driver(Fixture *f, const void *data)
{
    guest_reset(f->guest);
    pass_time(f, 1010);
    mmio_write(f->guest->test, f->guest->device + 4, 4, 5);
    test_board_settle(f->guest->test);
    check_size_event(f, 1, 5 * PAGE);
    pass_time(f, 1010);
    guest_set(f->guest, COMMON_STATUS, 1, 0);
    check_size_event(f, 1, 5 * PAGE);
    test_board_settle(f->guest->test);
    check_size_event(f, 2, 0);
}

static void
put_stat(struct virtio_balloon_stat *stat, uint16_t tag, uint64_t value)
{
    stat->tag = GUINT16_TO_LE(tag);
    stat->val = GUINT64_TO_LE(value);
}

static bool
has_stats_back(Fixture *f)
{
    uint32_t head, len;

    return guest_take_used(f->guest, STATS, &head, &len);
}

static void
test_stats(Fixture *f, const void *data)
{
    struct virtio_balloon_stat stats[4];
    uint64_t before = g_get_real_time() / G_USEC_PER_SEC;

    put_stat(&stats[0], VIRTIO_BALLOON_S_MEMFREE, 5 * MIB);
    put_stat(&stats[1], VIRTIO_BALLOON_S_MEMTOT, 7 * MIB);
    put_stat(&stats[2], 999, 1); /* one that is yet to be invented */
    put_stat(&stats[3], VIRTIO_BALLOON_S_MAJFLT, 42);
    g_assert_cmpuint(asked(f, "stats-time"), ==, 0);
    give(f, STATS, stats, sizeof(stats));
    g_assert_cmpuint(asked(f, "stat-free"), ==, 5 * MIB);
    g_assert_cmpuint(asked(f, "stat-total"), ==, 7 * MIB);
    g_assert_cmpuint(asked(f, "stat-major-faults"), ==, 42);
    g_assert_cmpuint(asked(f, "stat-available"), ==, UINT64_MAX);
    g_assert_cmpuint(asked(f, "stats-time"), >=, before);
    pass_time(f, 30);
    g_assert_false(has_stats_back(f)); /* nobody asked for more */
    g_assert_false(wish(f, "stats-period", 86401));
    g_assert_true(wish(f, "stats-period", 1));
    pass_time(f, 1010);
    g_assert_true(has_stats_back(f));
    put_stat(&stats[0], VIRTIO_BALLOON_S_MEMFREE, 4 * MIB);
    give(f, STATS, stats, sizeof(stats));
    g_assert_cmpuint(asked(f, "stat-free"), ==, 4 * MIB);
    g_assert_true(wish(f, "stats-period", 0));
    pass_time(f, 1010);
    g_assert_false(has_stats_back(f));
    /* A pause gives the buffer back: what is in it is old by then. */
    f->guest->dev->class->pause(f->guest->dev);
    g_assert_true(has_stats_back(f));
    f->guest->dev->class->resume(f->guest->dev);
    guest_reset(f->guest);
    g_assert_cmpuint(asked(f, "stat-free"), ==, UINT64_MAX);
    g_assert_cmpuint(asked(f, "stats-time"), ==, 0);
}

/* Of several buffers, which no driver has, all but one come back. */
static void
test_stats_many(Fixture *f, const void *data)
{
    struct virtio_balloon_stat stat;

    put_stat(&stat, VIRTIO_BALLOON_S_SWAP_IN, 1);
    for (unsigned i = 0; i < 5; i++)
        give(f, STATS, &stat, sizeof(stat));
    for (unsigned i = 0; i < 4; i++)
        g_assert_true(has_stats_back(f));
    g_assert_false(has_stats_back(f));
}

static void
test_features(Fixture *f, const void *data)
{
    guest_set(f->guest, COMMON_FEATURE_SELECT, 4, 0);
    g_assert_cmphex(guest_get(f->guest, COMMON_FEATURE, 4) & 0xff, ==,
                    1 << VIRTIO_BALLOON_F_STATS_VQ | 1 << VIRTIO_BALLOON_F_REPORTING);
    g_assert_cmpuint(guest_get(f->guest, COMMON_NUM_QUEUES, 2), ==, 5);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(path, test) g_test_add("/virtio-balloon/" path, Fixture, NULL, set_up, test, tear_down)
    CASE("features", test_features);
    CASE("inflate", test_inflate);
    CASE("inflate-many", test_inflate_many);
    CASE("inflate-huge", test_inflate_huge);
    CASE("inflate-reset", test_inflate_reset);
    CASE("reporting", test_reporting);
    CASE("target", test_target);
    CASE("size", test_size);
    CASE("size-of-no-driver", test_size_of_no_driver);
    CASE("stats", test_stats);
    CASE("stats-many", test_stats_many);
    return g_test_run();
}
