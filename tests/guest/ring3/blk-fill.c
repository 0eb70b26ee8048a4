/* A disk that is written from its beginning to its end, and read again. */
#include "virtio.h"

#define TYPE_BLK  2
#define F_FLUSH   (1ull << 9)
#define T_IN      0
#define T_OUT     1
#define T_FLUSH   4
#define SECTOR    512
#define BLOCK     16384
#define DEPTH_MAX 64 /* three descriptors each */
#define STATUS_OK 0

typedef struct Header {
    uint32_t type, reserved;
    uint64_t sector;
} Header;

static Device disk;
static Queue queue;
static Header headers[DEPTH_MAX];
static volatile uint8_t statuses[DEPTH_MAX];
static uint64_t buffers[DEPTH_MAX][BLOCK / sizeof(uint64_t)] __attribute__((aligned(4096)));

static void
ask(unsigned slot, uint32_t type, uint64_t sector)
{
    Desc *desc = &queue.desc[3 * slot];
    uint16_t way = type == T_IN ? DESC_WRITE : 0;

    headers[slot] = (Header){ .type = type, .sector = sector };
    statuses[slot] = 0xff;
    desc[0] = (Desc){ (uintptr_t)&headers[slot], sizeof(Header), DESC_NEXT,
                      3 * slot + (type == T_FLUSH ? 2 : 1) };
    desc[1] = (Desc){ (uintptr_t)buffers[slot], BLOCK, DESC_NEXT | way, 3 * slot + 2 };
    desc[2] = (Desc){ (uintptr_t)&statuses[slot], 1, DESC_WRITE, 0 };
    queue_offer(&queue, 3 * slot);
}

static unsigned
answer(void)
{
    unsigned slot = queue_wait(&queue) / 3;

    if (statuses[slot] != STATUS_OK)
        fail("a request failed");
    return slot;
}

/* No two words of the disk are the same, and none is zero. */
static uint64_t
word_at(uint64_t sector, unsigned i)
{
    return sector * (SECTOR / sizeof(uint64_t)) + i + 1;
}

static void
prepare(unsigned slot, uint32_t type, uint64_t sector)
{
    for (unsigned i = 0; i < BLOCK / sizeof(uint64_t); i++)
        buffers[slot][i] = type == T_OUT ? word_at(sector, i) : 0;
    ask(slot, type, sector);
}

static void
check(unsigned slot)
{
    for (unsigned i = 0; i < BLOCK / sizeof(uint64_t); i++) {
        if (buffers[slot][i] != word_at(headers[slot].sector, i))
            fail("this is not what was written");
    }
}

/* All of the disk, @depth blocks at once. */
static void
pass(uint32_t type, uint64_t depth)
{
    uint64_t blocks = *(volatile uint64_t *)disk.config / (BLOCK / SECTOR), asked = 0;

    for (; asked < depth && asked < blocks; asked++)
        prepare(asked, type, asked * (BLOCK / SECTOR));
    queue_kick(&queue);
    for (uint64_t done = 0; done < blocks; done++) {
        unsigned slot = answer();

        if (type == T_IN)
            check(slot);
        if (asked == blocks)
            continue;
        prepare(slot, type, asked++ * (BLOCK / SECTOR));
        queue_kick(&queue);
    }
}

void
play_blk_fill(const uint64_t numbers[NUMBERS_MAX])
{
    if (numbers[0] == 0 || numbers[0] > DEPTH_MAX)
        fail("no such depth");
    virtio_open(&disk, TYPE_BLK, F_FLUSH);
    virtio_queue(&disk, &queue, 0);
    virtio_start(&disk);
    pass(T_OUT, numbers[0]);
    ask(0, T_FLUSH, 0);
    queue_kick(&queue);
    answer();
    put("written\n");
    pass(T_IN, numbers[0]);
    put("read\n");
    hang();
}
