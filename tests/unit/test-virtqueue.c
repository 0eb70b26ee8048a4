/* A queue against drivers that do what they may, and those that do what they may not. Every case that breaks the
 * rules must end in NEEDS_RESET, within bounded work, and a reset must mend it. */
#include "tests/unit/virtio-guest.h"

#include <string.h>

#define MIB      ((uint64_t)1 << 20)
#define MEMORY   (4 * MIB)
#define QUEUE    16u
#define EVENTS   (1ull << VIRTIO_F_EVENT_IDX)
#define INDIRECT (1ull << VIRTIO_F_INDIRECT_DESC)

/* A queue on its own, and what it told its owner. */
typedef struct Fixture {
    Memory *memory;
    VirtQueue *queue;
    GuestQueue guest;
    uint64_t free_gpa;
    unsigned n_raised;
    const char *broken;
} Fixture;

static void
driver_told(void *data, unsigned index)
{
    g_assert_cmpuint(index, ==, 3);
    ((Fixture *)data)->n_raised++;
}

static void
broke(void *data, const char *why)
{
    g_assert_null(((Fixture *)data)->broken);
    ((Fixture *)data)->broken = why;
}

static uint8_t *
at(Fixture *f, uint64_t gpa)
{
    return memory_at(f->memory, gpa, 1);
}

static void
put16(Fixture *f, uint64_t gpa, uint16_t value)
{
    value = GUINT16_TO_LE(value);
    memcpy(at(f, gpa), &value, 2);
}

static uint16_t
get16(Fixture *f, uint64_t gpa)
{
    uint16_t value;

    memcpy(&value, at(f, gpa), 2);
    return GUINT16_FROM_LE(value);
}

static QueueSetup
setup_of(unsigned size)
{
    return (QueueSetup){
        .size = size, .desc = 0x1000, .driver = 0x2000, .device = 0x3000, .enabled = true
    };
}

static void
set_up(Fixture *f, uint64_t features)
{
    QueueSetup setup = setup_of(QUEUE);
    QueueOwner owner;

    *f = (Fixture){ .memory = memory_new(MEMORY, NULL), .free_gpa = 0x10000 };
    owner = (QueueOwner){ f->memory, driver_told, broke, f };
    f->guest = (GuestQueue){ QUEUE, setup.desc, setup.driver, setup.device, 0, 0 };
    f->queue = queue_new(3, &owner);
    g_assert_true(queue_map(f->queue, &setup, 256, features));
}

static void
tear_down(Fixture *f)
{
    queue_free(f->queue);
    memory_free(f->memory);
}

static void
desc_at(Fixture *f, uint64_t table, unsigned i, uint64_t addr, uint32_t len, unsigned flags,
        unsigned next)
{
    addr = GUINT64_TO_LE(addr);
    len = GUINT32_TO_LE(len);
    memcpy(at(f, table + 16 * i), &addr, 8);
    memcpy(at(f, table + 16 * i + 8), &len, 4);
    put16(f, table + 16 * i + 12, flags);
    put16(f, table + 16 * i + 14, next);
}

static void
desc(Fixture *f, unsigned i, uint64_t addr, uint32_t len, unsigned flags, unsigned next)
{
    desc_at(f, f->guest.desc, i, addr, len, flags, next);
}

static void
offer(Fixture *f, uint16_t head)
{
    put16(f, f->guest.driver + 4 + f->guest.avail % QUEUE * 2, head);
    put16(f, f->guest.driver + 2, ++f->guest.avail);
}

static void
test_chain(void)
{
    VirtChain chain;
    char text[8] = { 0 };
    Fixture f;

    set_up(&f, 0);
    g_assert_true(queue_is_ready(f.queue));
    g_assert_cmpuint(queue_size(f.queue), ==, QUEUE);
    g_assert_false(queue_has_work(f.queue));
    g_assert_false(queue_pop(f.queue, &chain));
    memcpy(at(&f, 0x8000), "abc", 3);
    memcpy(at(&f, 0x9000), "def", 3);
    desc(&f, 5, 0x8000, 3, DESC_NEXT, 2);
    desc(&f, 2, 0x9000, 3, DESC_NEXT, 7);
    desc(&f, 7, 0xa000, 4, DESC_NEXT | DESC_WRITE, 1);
    desc(&f, 1, 0xb000, 4, DESC_WRITE, 0);
    offer(&f, 5);
    g_assert_true(queue_has_work(f.queue));
    g_assert_true(queue_pop(f.queue, &chain));
    g_assert_cmpuint(chain.head, ==, 5);
    g_assert_cmpuint(chain.n_out, ==, 2);
    g_assert_cmpuint(chain.n_in, ==, 2);
    g_assert_cmpuint(chain.out_size, ==, 6);
    g_assert_cmpuint(chain.in_size, ==, 8);
    g_assert_cmpuint(iov_read(chain.out, chain.n_out, 1, text, 7), ==, 5);
    g_assert_cmpstr(text, ==, "bcdef");
    g_assert_cmpuint(iov_write(chain.in, chain.n_in, 2, "123456", 6), ==, 6);
    g_assert_cmpmem(at(&f, 0xa002), 2, "12", 2);
    g_assert_cmpmem(at(&f, 0xb000), 4, "3456", 4);
    g_assert_cmpuint(iov_write(chain.in, chain.n_in, 8, "7", 1), ==, 0);
    queue_push(f.queue, chain.head, 8);
    g_assert_cmpuint(f.n_raised, ==, 0);
    queue_flush(f.queue);
    queue_flush(f.queue);
    g_assert_cmpuint(f.n_raised, ==, 1);
    g_assert_cmpuint(get16(&f, f.guest.device + 2), ==, 1);
    g_assert_cmpuint(get16(&f, f.guest.device + 4), ==, 5);
    g_assert_cmpuint(get16(&f, f.guest.device + 8), ==, 8);
    tear_down(&f);
}

static void
test_unpop(void)
{
    VirtChain chain;
    Fixture f;

    set_up(&f, 0);
    desc(&f, 0, 0x8000, 3, 0, 0);
    offer(&f, 0);
    for (int i = 0; i < 100; i++) {
        g_assert_true(queue_pop(f.queue, &chain));
        queue_unpop(f.queue);
    }
    g_assert_true(queue_pop(f.queue, &chain));
    g_assert_false(queue_pop(f.queue, &chain));
    g_assert_null(f.broken);
    tear_down(&f);
}

/* Indexes wrap at 65536, rings at the queue's size. */
static void
test_wraps(void)
{
    VirtChain chain;
    Fixture f;

    set_up(&f, 0);
    for (unsigned i = 0; i < 70000; i++) {
        desc(&f, i % QUEUE, 0x8000, i % 100 + 1, DESC_WRITE, 0);
        offer(&f, i % QUEUE);
        g_assert_true(queue_pop(f.queue, &chain));
        g_assert_cmpuint(chain.head, ==, i % QUEUE);
        g_assert_cmpuint(chain.in_size, ==, i % 100 + 1);
        queue_push(f.queue, chain.head, 1);
        queue_flush(f.queue);
    }
    g_assert_null(f.broken);
    g_assert_cmpuint(get16(&f, f.guest.device + 2), ==, 70000 % 65536);
    tear_down(&f);
}

static void
test_indirect(void)
{
    VirtChain chain;
    Fixture f;

    set_up(&f, INDIRECT);
    desc(&f, 0, 0x8000, 8, DESC_NEXT, 1);
    desc(&f, 1, 0x5000, 3 * 16, DESC_INDIRECT, 0);
    desc_at(&f, 0x5000, 0, 0x9000, 16, DESC_NEXT, 2);
    desc_at(&f, 0x5000, 2, 0xa000, 32, DESC_NEXT | DESC_WRITE, 1);
    desc_at(&f, 0x5000, 1, 0xb000, 64, DESC_WRITE, 0);
    offer(&f, 0);
    g_assert_true(queue_pop(f.queue, &chain));
    g_assert_cmpuint(chain.n_out, ==, 2);
    g_assert_cmpuint(chain.n_in, ==, 2);
    g_assert_cmpuint(chain.out_size, ==, 24);
    g_assert_cmpuint(chain.in_size, ==, 96);
    tear_down(&f);
}

/* What drivers may not do: each builds its ring, and the queue must say so. */

static void
loop_of_two(Fixture *f)
{
    desc(f, 0, 0x8000, 1, DESC_NEXT, 1);
    desc(f, 1, 0x8000, 1, DESC_NEXT, 0);
}

static void
loop_of_one(Fixture *f)
{
    desc(f, 0, 0x8000, 1, DESC_NEXT, 0);
}

static void
next_too_large(Fixture *f)
{
    desc(f, 0, 0x8000, 1, DESC_NEXT, QUEUE);
}

static void
next_is_all_ones(Fixture *f)
{
    desc(f, 0, 0x8000, 1, DESC_NEXT, 0xffff);
}

static void
no_length(Fixture *f)
{
    desc(f, 0, 0x8000, 0, 0, 0);
}

static void
length_is_all_ones(Fixture *f)
{
    desc(f, 0, 0x8000, 0xffffffff, DESC_WRITE, 0);
}

static void
address_wraps(Fixture *f)
{
    desc(f, 0, ~0ull - 7, 16, DESC_WRITE, 0);
}

static void
beyond_ram(Fixture *f)
{
    desc(f, 0, MEMORY - 8, 9, 0, 0);
}

static void
into_mmio(Fixture *f)
{
    desc(f, 0, 0xfee00000, 4, DESC_WRITE, 0);
}

static void
readable_after_writable(Fixture *f)
{
    desc(f, 0, 0x8000, 4, DESC_NEXT | DESC_WRITE, 1);
    desc(f, 1, 0x8000, 4, 0, 0);
}

static void
indirect_in_indirect(Fixture *f)
{
    desc(f, 0, 0x5000, 16, DESC_INDIRECT, 0);
    desc_at(f, 0x5000, 0, 0x5000, 16, DESC_INDIRECT, 0);
}

/* The table is the queue's own, and leads back to itself. */
static void
indirect_in_itself(Fixture *f)
{
    desc(f, 0, f->guest.desc, QUEUE * 16, DESC_INDIRECT, 0);
}

static void
indirect_odd(Fixture *f)
{
    desc(f, 0, 0x5000, 24, DESC_INDIRECT, 0);
}

static void
indirect_empty(Fixture *f)
{
    desc(f, 0, 0x5000, 0, DESC_INDIRECT, 0);
}

static void
indirect_and_next(Fixture *f)
{
    desc(f, 0, 0x5000, 16, DESC_INDIRECT | DESC_NEXT, 1);
    desc_at(f, 0x5000, 0, 0x8000, 1, 0, 0);
}

static void
indirect_outside(Fixture *f)
{
    desc(f, 0, MEMORY - 16, 32, DESC_INDIRECT, 0);
}

static void
indirect_next_outside(Fixture *f)
{
    desc(f, 0, 0x5000, 32, DESC_INDIRECT, 0);
    desc_at(f, 0x5000, 0, 0x8000, 1, DESC_NEXT, 2);
}

static void
indirect_loop(Fixture *f)
{
    desc(f, 0, 0x5000, 32, DESC_INDIRECT, 0);
    desc_at(f, 0x5000, 0, 0x8000, 1, DESC_NEXT, 0);
}

/* One more than the queue has descriptors. */
static void
indirect_too_long(Fixture *f)
{
    desc(f, 0, 0x5000, (QUEUE + 1) * 16, DESC_INDIRECT, 0);
    for (unsigned i = 0; i <= QUEUE; i++)
        desc_at(f, 0x5000, i, 0x8000, 1, i < QUEUE ? DESC_NEXT : 0, i + 1);
}

typedef struct Bad {
    const char *name;
    void (*build)(Fixture *f);
    const char *why;
} Bad;

static const Bad bads[] = {
    { "loop-of-two", loop_of_two, "a chain is longer than its queue" },
    { "loop-of-one", loop_of_one, "a chain is longer than its queue" },
    { "next-too-large", next_too_large, "a descriptor's index is outside of its table" },
    { "next-is-all-ones", next_is_all_ones, "a descriptor's index is outside of its table" },
    { "no-length", no_length, "a descriptor has no length" },
    { "length-is-all-ones", length_is_all_ones, "a descriptor points outside of RAM" },
    { "address-wraps", address_wraps, "a descriptor points outside of RAM" },
    { "beyond-ram", beyond_ram, "a descriptor points outside of RAM" },
    { "into-mmio", into_mmio, "a descriptor points outside of RAM" },
    { "readable-after-writable", readable_after_writable,
      "a device-readable descriptor follows a device-writable one" },
    { "indirect-in-indirect", indirect_in_indirect,
      "a descriptor is indirect inside an indirect table" },
    { "indirect-in-itself", indirect_in_itself,
      "a descriptor is indirect inside an indirect table" },
    { "indirect-odd", indirect_odd, "an indirect table's size is not a multiple of 16" },
    { "indirect-empty", indirect_empty, "an indirect table's size is not a multiple of 16" },
    { "indirect-and-next", indirect_and_next, "an indirect descriptor has a next one" },
    { "indirect-outside", indirect_outside, "an indirect table is not in RAM" },
    { "indirect-next-outside", indirect_next_outside,
      "a descriptor's index is outside of its table" },
    { "indirect-loop", indirect_loop, "a chain is longer than its queue" },
    { "indirect-too-long", indirect_too_long, "a chain is longer than its queue" },
};

static void
assert_broken(Fixture *f, const char *why)
{
    VirtChain chain;

    g_assert_false(queue_pop(f->queue, &chain));
    g_assert_cmpstr(f->broken, ==, why);
    g_assert_false(queue_pop(f->queue, &chain));
    g_assert_false(queue_has_work(f->queue));
    g_assert_false(queue_want_kicks(f->queue));
    queue_push(f->queue, 0, 0);
    queue_flush(f->queue);
    g_assert_cmpuint(f->n_raised, ==, 0);
    g_assert_cmpuint(get16(f, f->guest.device + 2), ==, 0);
}

static void
test_bad(gconstpointer data)
{
    const Bad *bad = data;
    QueueSetup setup = setup_of(QUEUE);
    VirtChain chain;
    Fixture f;

    set_up(&f, INDIRECT);
    bad->build(&f);
    offer(&f, 0);
    assert_broken(&f, bad->why);
    queue_unmap(f.queue);
    memset(at(&f, f.guest.driver), 0, 64);
    f.guest.avail = 0;
    g_assert_true(queue_map(f.queue, &setup, 256, INDIRECT));
    desc(&f, 0, 0x8000, 1, 0, 0);
    offer(&f, 0);
    g_assert_true(queue_pop(f.queue, &chain));
    tear_down(&f);
}

static void
test_not_negotiated(void)
{
    Fixture f;

    set_up(&f, 0);
    desc(&f, 0, 0x5000, 16, DESC_INDIRECT, 0);
    offer(&f, 0);
    assert_broken(&f, "a descriptor is indirect, which was not negotiated");
    tear_down(&f);
}

static void
test_head_too_large(void)
{
    Fixture f;

    set_up(&f, 0);
    offer(&f, QUEUE);
    assert_broken(&f, "a descriptor's index is outside of its table");
    tear_down(&f);
}

static void
test_index_jumps(void)
{
    Fixture f;

    set_up(&f, 0);
    put16(&f, f.guest.driver + 2, QUEUE + 1);
    g_assert_false(queue_has_work(f.queue));
    assert_broken(&f, "an available index is ahead by more than the queue's size");
    tear_down(&f);
}

static void
test_index_goes_back(void)
{
    Fixture f;

    set_up(&f, 0);
    put16(&f, f.guest.driver + 2, 0xffff);
    assert_broken(&f, "an available index is ahead by more than the queue's size");
    tear_down(&f);
}

/* The same chain, again and again, while none is given back. */
static void
test_too_many(void)
{
    VirtChain chain;
    Fixture f;

    set_up(&f, 0);
    desc(&f, 0, 0x8000, 1, 0, 0);
    for (unsigned i = 0; i < QUEUE; i++) {
        offer(&f, 0);
        g_assert_true(queue_pop(f.queue, &chain));
    }
    offer(&f, 0);
    g_assert_false(queue_pop(f.queue, &chain));
    g_assert_cmpstr(f.broken, ==, "more chains are available than the queue has descriptors");
    tear_down(&f);
}

/* A driver that polls does not see a part of what belongs together, such as some of a packet's buffers. */
static void
test_push_together(void)
{
    VirtChain chain;
    Fixture f;

    set_up(&f, 0);
    for (unsigned i = 0; i < 3; i++) {
        desc(&f, i, 0x8000, 1, DESC_WRITE, 0);
        offer(&f, i);
    }
    for (unsigned i = 0; i < 3; i++) {
        g_assert_true(queue_pop(f.queue, &chain));
        queue_push(f.queue, chain.head, 1);
        g_assert_cmpuint(get16(&f, f.guest.device + 2), ==, 0);
    }
    queue_flush(f.queue);
    g_assert_cmpuint(get16(&f, f.guest.device + 2), ==, 3);
    tear_down(&f);
}

/* Only what was popped can be pushed. */
static void
test_push_nothing(void)
{
    Fixture f;

    set_up(&f, 0);
    queue_push(f.queue, 0, 0);
    queue_unpop(f.queue);
    g_assert_cmpuint(get16(&f, f.guest.device + 2), ==, 0);
    g_assert_false(queue_has_work(f.queue));
    tear_down(&f);
}

static void
test_setup(void)
{
    static const QueueSetup bad[] = {
        { 0, 0x1000, 0x2000, 0x3000, true },        { 3, 0x1000, 0x2000, 0x3000, true },
        { 512, 0x1000, 0x2000, 0x3000, true },      { 16, 0x1008, 0x2000, 0x3000, true },
        { 16, 0x1000, 0x2001, 0x3000, true },       { 16, 0x1000, 0x2000, 0x3002, true },
        { 16, MEMORY - 16, 0x2000, 0x3000, true },  { 16, 0x1000, MEMORY - 36, 0x3000, true },
        { 16, 0x1000, 0x2000, MEMORY - 132, true }, { 16, ~0ull - 15, 0x2000, 0x3000, true },
        { 16, 0xfee00000, 0x2000, 0x3000, true },
    };
    static const QueueSetup last = { 16, 0x1000, MEMORY - 40, MEMORY - 136 - 40, true };
    Fixture f;

    set_up(&f, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(queue_map(f.queue, &bad[i], 256, 0));
        g_assert_false(queue_is_ready(f.queue));
    }
    g_assert_true(queue_map(f.queue, &last, 256, 0));
    tear_down(&f);
}

/* When the driver wants to be told, by the flag and by the index. */
static void
test_interrupt_flag(void)
{
    VirtChain chain;
    Fixture f;

    set_up(&f, 0);
    desc(&f, 0, 0x8000, 1, 0, 0);
    put16(&f, f.guest.driver, 1);
    offer(&f, 0);
    g_assert_true(queue_pop(f.queue, &chain));
    queue_push(f.queue, 0, 0);
    queue_flush(f.queue);
    g_assert_cmpuint(f.n_raised, ==, 0);
    put16(&f, f.guest.driver, 0);
    offer(&f, 0);
    g_assert_true(queue_pop(f.queue, &chain));
    queue_push(f.queue, 0, 0);
    queue_flush(f.queue);
    g_assert_cmpuint(f.n_raised, ==, 1);
    tear_down(&f);
}

static void
test_interrupt_event(void)
{
    const unsigned wanted = 3;
    VirtChain chain;
    Fixture f;

    set_up(&f, EVENTS);
    desc(&f, 0, 0x8000, 1, 0, 0);
    for (unsigned i = 0; i < 6; i++) {
        put16(&f, f.guest.driver + 4 + QUEUE * 2, wanted);
        offer(&f, 0);
        g_assert_true(queue_pop(f.queue, &chain));
        queue_push(f.queue, 0, 0);
        queue_flush(f.queue);
        g_assert_cmpuint(f.n_raised, ==, 1 + (i >= wanted)); /* and the first time in any case */
    }
    tear_down(&f);
}

static uint16_t
avail_event(Fixture *f)
{
    return get16(f, f->guest.device + 4 + QUEUE * 8);
}

static void
test_kick_event(void)
{
    VirtChain chain;
    Fixture f;

    set_up(&f, EVENTS);
    desc(&f, 0, 0x8000, 1, 0, 0);
    for (unsigned i = 1; i < 4; i++) {
        offer(&f, 0);
        g_assert_true(queue_pop(f.queue, &chain));
        queue_push(f.queue, 0, 0);
        g_assert_false(queue_pop(f.queue, &chain));
        g_assert_cmpuint(avail_event(&f), ==, i);
    }
    queue_ignore_kicks(f.queue);
    offer(&f, 0);
    g_assert_true(queue_pop(f.queue, &chain));
    g_assert_false(queue_pop(f.queue, &chain));
    g_assert_cmpuint(avail_event(&f), ==, 3);
    g_assert_false(queue_want_kicks(f.queue));
    g_assert_cmpuint(avail_event(&f), ==, 4);
    offer(&f, 0);
    queue_ignore_kicks(f.queue);
    g_assert_true(queue_want_kicks(f.queue));
    tear_down(&f);
}

static void
test_kick_flag(void)
{
    Fixture f;

    set_up(&f, 0);
    queue_ignore_kicks(f.queue);
    g_assert_cmpuint(get16(&f, f.guest.device), ==, 1);
    desc(&f, 0, 0x8000, 1, 0, 0);
    offer(&f, 0);
    g_assert_true(queue_want_kicks(f.queue));
    g_assert_cmpuint(get16(&f, f.guest.device), ==, 0);
    tear_down(&f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtqueue/chain", test_chain);
    g_test_add_func("/virtqueue/unpop", test_unpop);
    g_test_add_func("/virtqueue/wraps", test_wraps);
    g_test_add_func("/virtqueue/indirect", test_indirect);
    for (size_t i = 0; i < G_N_ELEMENTS(bads); i++) {
        g_autofree char *name = g_strdup_printf("/virtqueue/bad/%s", bads[i].name);

        g_test_add_data_func(name, &bads[i], test_bad);
    }
    g_test_add_func("/virtqueue/bad/not-negotiated", test_not_negotiated);
    g_test_add_func("/virtqueue/bad/head-too-large", test_head_too_large);
    g_test_add_func("/virtqueue/bad/index-jumps", test_index_jumps);
    g_test_add_func("/virtqueue/bad/index-goes-back", test_index_goes_back);
    g_test_add_func("/virtqueue/bad/too-many", test_too_many);
    g_test_add_func("/virtqueue/push-nothing", test_push_nothing);
    g_test_add_func("/virtqueue/push-together", test_push_together);
    g_test_add_func("/virtqueue/setup", test_setup);
    g_test_add_func("/virtqueue/interrupt-flag", test_interrupt_flag);
    g_test_add_func("/virtqueue/interrupt-event", test_interrupt_event);
    g_test_add_func("/virtqueue/kick-event", test_kick_event);
    g_test_add_func("/virtqueue/kick-flag", test_kick_flag);
    return g_test_run();
}
