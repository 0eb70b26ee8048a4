/* Reading a disk as fast as it goes. */
#include "virtio.h"

#define TYPE_BLK    2
#define T_IN        0
#define SECTOR      512
#define RANDOM_SIZE 4096
#define LONG_SIZE   (128 << 10)
#define DEPTH_MAX   64 /* three descriptors each */
#define STATUS_OK   0

typedef struct Header {
    uint32_t type, reserved;
    uint64_t sector;
} Header;

static Device disk;
static Queue queue;
static Header headers[DEPTH_MAX];
static volatile uint8_t statuses[DEPTH_MAX];
static uint8_t buffers[DEPTH_MAX][LONG_SIZE] __attribute__((aligned(4096)));
static uint64_t state = 88172645463325252ull;

/* Marsaglia's xorshift64. */
static uint64_t
random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void
make_chain(unsigned slot, uint32_t size)
{
    Desc *desc = &queue.desc[3 * slot];

    headers[slot].type = T_IN;
    desc[0] = (Desc){ (uintptr_t)&headers[slot], sizeof(Header), DESC_NEXT, 3 * slot + 1 };
    desc[1] = (Desc){ (uintptr_t)buffers[slot], size, DESC_NEXT | DESC_WRITE, 3 * slot + 2 };
    desc[2] = (Desc){ (uintptr_t)&statuses[slot], 1, DESC_WRITE, 0 };
}

typedef struct Run {
    uint32_t size;
    uint64_t places; /* of that size, on the disk */
    uint64_t asked;
    bool random;
} Run;

static void
ask(Run *run, unsigned slot)
{
    uint64_t place = (run->random ? random_number() : run->asked) % run->places;

    run->asked++;
    headers[slot].sector = place * (run->size / SECTOR);
    statuses[slot] = 0xff;
    queue_offer(&queue, 3 * slot);
}

static void
start(Run *run, uint64_t depth)
{
    if (depth == 0 || depth > DEPTH_MAX)
        fail("no such depth");
    virtio_open(&disk, TYPE_BLK, 0);
    virtio_queue(&disk, &queue, 0);
    virtio_start(&disk);
    run->places = *(volatile uint64_t *)disk.config * SECTOR / run->size;
    for (unsigned slot = 0; slot < depth; slot++)
        make_chain(slot, run->size);
}

/* All that is done is asked for again at once, in one kick. */
static void
read_disk(Run *run, uint64_t requests, uint64_t depth)
{
    uint64_t done = 0;

    start(run, depth);
    put("begin\n");
    for (unsigned slot = 0; slot < depth && run->asked < requests; slot++)
        ask(run, slot);
    queue_kick(&queue);
    while (done < requests) {
        do {
            unsigned slot = queue_wait(&queue) / 3;

            if (statuses[slot] != STATUS_OK)
                fail("a request failed");
            done++;
            if (run->asked < requests)
                ask(run, slot);
        } while (queue.used.idx != queue.next_used);
        queue_kick(&queue);
    }
    put("end\n");
    hang();
}

void
play_blk_random(const uint64_t numbers[NUMBERS_MAX])
{
    Run run = { .size = RANDOM_SIZE, .random = true };

    read_disk(&run, numbers[0], numbers[1]);
}

void
play_blk_sequence(const uint64_t numbers[NUMBERS_MAX])
{
    Run run = { .size = LONG_SIZE };

    read_disk(&run, numbers[0], numbers[1]);
}
