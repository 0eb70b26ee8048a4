/* Fuzz target: a virtqueue alone, whose rings and descriptors the driver changes at any time. What comes out of it
 * lies in RAM and is no longer than the queue; a broken one gives nothing any more.
 *
 * The input: a byte of features, one of the size, and steps of eight bytes: what, which, and three halfwords. */
#include "qemu-kvm-backend/virtio/queue.h"

#include <glib.h>
#include <string.h>

#define MEMORY    0x10000u
#define DESCS     0x0u
#define DRIVER    0x800u
#define DEVICE    0xa00u
#define RINGS     0x1000u /* where they end */
#define STEP      8
#define STEPS_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Fuzz {
    Memory *memory;
    VirtQueue *queue;
    QueueSetup setup;
    uint64_t features;
    bool broken;
    uint16_t heads[256]; /* that the device has, oldest first */
    unsigned n_heads;
} Fuzz;

static void
driver_told(void *data, unsigned index)
{
    g_assert_false(((Fuzz *)data)->broken);
}

static void
broke(void *data, const char *why)
{
    Fuzz *fuzz = data;

    g_assert_false(fuzz->broken); /* once */
    fuzz->broken = true;
}

static void
map(Fuzz *fuzz)
{
    g_assert_true(queue_map(fuzz->queue, &fuzz->setup, 128, fuzz->features));
    fuzz->broken = false;
    fuzz->n_heads = 0;
}

static uint16_t
half(const uint8_t *step, unsigned i)
{
    return step[2 + 2 * i] | step[3 + 2 * i] << 8;
}

/* Addresses beyond RAM, lengths of anything. */
static void
put_desc(Fuzz *fuzz, const uint8_t *step)
{
    uint64_t addr = (uint64_t)half(step, 0) << (step[1] >> 6) * 8;
    uint32_t len = half(step, 1);
    uint8_t desc[16] = { 0 };

    if (len >= 0xfff0)
        len = UINT32_MAX - (len & 15);
    memcpy(desc, &addr, 8);
    memcpy(desc + 8, &len, 4);
    desc[12] = step[6] & 7;
    desc[14] = step[7];
    memory_write(fuzz->memory, DESCS + 16 * (step[1] % 64), desc, sizeof(desc));
}

static void
check_iov(Fuzz *fuzz, const struct iovec *iov, unsigned n, size_t size)
{
    uint8_t *ram = memory_at(fuzz->memory, 0, MEMORY);

    for (unsigned i = 0; i < n; i++) {
        uint8_t *base = iov[i].iov_base;

        g_assert_cmpuint(iov[i].iov_len, >, 0);
        g_assert_true(base >= ram && iov[i].iov_len <= MEMORY &&
                      base + iov[i].iov_len <= ram + MEMORY);
        size -= iov[i].iov_len;
    }
    g_assert_cmpuint(size, ==, 0);
}

static void
pop(Fuzz *fuzz)
{
    VirtChain chain;

    if (!queue_pop(fuzz->queue, &chain))
        return;
    g_assert_false(fuzz->broken);
    g_assert_cmpuint(chain.head, <, fuzz->setup.size);
    g_assert_cmpuint(chain.n_out + chain.n_in, >, 0);
    g_assert_cmpuint(chain.n_out + chain.n_in, <=, fuzz->setup.size);
    check_iov(fuzz, chain.out, chain.n_out, chain.out_size);
    check_iov(fuzz, chain.in, chain.n_in, chain.in_size);
    g_assert_cmpuint(fuzz->n_heads, <, fuzz->setup.size);
    fuzz->heads[fuzz->n_heads++] = chain.head;
}

static void
push(Fuzz *fuzz, uint32_t written)
{
    if (fuzz->n_heads == 0)
        return;
    queue_push(fuzz->queue, fuzz->heads[0], written);
    fuzz->n_heads--;
    memmove(fuzz->heads, fuzz->heads + 1, fuzz->n_heads * sizeof(fuzz->heads[0]));
}

static void
take_step(Fuzz *fuzz, const uint8_t *step)
{
    uint8_t *avail = memory_at(fuzz->memory, DRIVER, 4);

    switch (step[0] % 12) {
    case 0 ... 2:
        put_desc(fuzz, step);
        break;
    case 3: /* anywhere in the rings, or the indirect tables behind them */
        memory_write(fuzz->memory, half(step, 0) % (2 * RINGS), step + 4, 4);
        break;
    case 4 ... 5: /* a chain, published */
        memory_write(fuzz->memory, DRIVER + 4 + 2 * (avail[2] % fuzz->setup.size), step + 1, 1);
        avail[2]++;
        break;
    case 6 ... 7:
        pop(fuzz);
        break;
    case 8:
        push(fuzz, half(step, 0));
        break;
    case 9:
        queue_flush(fuzz->queue);
        break;
    case 10:
        if (fuzz->n_heads > 0 && !fuzz->broken) {
            queue_unpop(fuzz->queue);
            fuzz->n_heads--;
        }
        break;
    case 11:
        if (step[1] == 0xff)
            map(fuzz);
        else if (step[1] & 1)
            queue_ignore_kicks(fuzz->queue);
        else
            queue_want_kicks(fuzz->queue);
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static Fuzz fuzz;

    if (size < 2)
        return 0;
    if (!fuzz.memory) {
        QueueOwner owner = { NULL, driver_told, broke, &fuzz };

        fuzz.memory = memory_new(MEMORY, NULL);
        owner.memory = fuzz.memory;
        fuzz.queue = queue_new(3, &owner);
    }
    memset(memory_at(fuzz.memory, 0, MEMORY), 0, MEMORY);
    fuzz.features = (uint64_t)(data[0] & 3) << 28;
    fuzz.setup = (QueueSetup){ 1u << data[1] % 8, DESCS, DRIVER, DEVICE, true };
    map(&fuzz);
    for (size_t at = 2; at + STEP <= size && at < STEPS_MAX * STEP; at += STEP)
        take_step(&fuzz, data + at);
    return 0;
}
