/* A disk that changes while it is in use: how fast it may be, and its size. */
#include "virtio.h"

#define TYPE_BLK   2
#define F_FLUSH    (1ull << 9)
#define T_IN       0
#define T_OUT      1
#define SECTOR     512
#define BLOCK      4096
#define DEPTH_MAX  64 /* three descriptors each */
#define STATUS_OK  0
#define GENERATION 21   /* in the common configuration */
#define FIRST_WORD 0x30 /* by which it is told */
#define LAST_WORD  0xef
#define PATTERN    0xa5

typedef struct Header {
    uint32_t type, reserved;
    uint64_t sector;
} Header;

static Device disk;
static Queue queue;
static Header headers[DEPTH_MAX];
static volatile uint8_t statuses[DEPTH_MAX];
static volatile uint8_t buffers[DEPTH_MAX][BLOCK] __attribute__((aligned(4096)));

static void
ask(unsigned slot, uint32_t type, uint64_t sector, uint32_t size)
{
    Desc *desc = &queue.desc[3 * slot];
    uint16_t way = type == T_IN ? DESC_WRITE : 0;

    headers[slot] = (Header){ .type = type, .sector = sector };
    statuses[slot] = 0xff;
    desc[0] = (Desc){ (uintptr_t)&headers[slot], sizeof(Header), DESC_NEXT, 3 * slot + 1 };
    desc[1] = (Desc){ (uintptr_t)buffers[slot], size, DESC_NEXT | way, 3 * slot + 2 };
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

static void
start(void)
{
    virtio_queue(&disk, &queue, 0);
    virtio_start(&disk);
}

/* Waves */

static void
check_block(unsigned slot)
{
    for (unsigned i = 0; i < BLOCK / SECTOR; i++) {
        if (*(volatile uint64_t *)&buffers[slot][i * SECTOR] != headers[slot].sector + i)
            fail("this is another sector");
    }
}

void
play_blk_waves(const uint64_t numbers[NUMBERS_MAX])
{
    if (numbers[0] == 0 || numbers[0] > DEPTH_MAX)
        fail("no such depth");
    virtio_open(&disk, TYPE_BLK, 0);
    start();
    for (;;) {
        for (unsigned slot = 0; slot < numbers[0]; slot++)
            ask(slot, T_IN, slot * (BLOCK / SECTOR), BLOCK);
        queue_kick(&queue);
        check_block(answer());
        put("first\n");
        for (unsigned i = 1; i < numbers[0]; i++)
            check_block(answer());
        put("all\n");
    }
}

/* Sizes */

/* Virtio 1.2, 2.5.1: read anew where it has changed meanwhile. */
static uint64_t
capacity(void)
{
    volatile uint32_t *config = (volatile uint32_t *)disk.config;
    uint8_t generation;
    uint64_t sectors;

    do {
        generation = disk.common[GENERATION];
        sectors = config[0] | (uint64_t)config[1] << 32;
    } while (disk.common[GENERATION] != generation);
    return sectors;
}

static void
transfer(uint32_t type, uint64_t sector)
{
    ask(0, type, sector, SECTOR);
    queue_kick(&queue);
    answer();
}

static void
fill(uint8_t byte)
{
    for (unsigned i = 0; i < SECTOR; i++)
        buffers[0][i] = byte;
}

static bool
is_full_of(uint8_t byte)
{
    for (unsigned i = 0; i < SECTOR; i++) {
        if (buffers[0][i] != byte)
            return false;
    }
    return true;
}

static void
try_sector(uint64_t sector)
{
    fill(1);
    transfer(T_IN, sector);
    if (!is_full_of(0))
        fail("what has come is not empty");
    fill(PATTERN);
    transfer(T_OUT, sector);
    fill(1);
    transfer(T_IN, sector);
    if (!is_full_of(PATTERN))
        fail("what was written is not there");
}

static void
say_size(uint64_t sectors)
{
    put_number(sectors);
    put(" sectors\n");
}

void
play_blk_sizes(const uint64_t numbers[NUMBERS_MAX])
{
    uint64_t before;

    virtio_open(&disk, TYPE_BLK, F_FLUSH); /* there may be a cache, and it is left alone */
    virtio_watch_config(&disk, FIRST_WORD);
    start();
    before = capacity();
    say_size(before);
    for (unsigned word = FIRST_WORD; word < LAST_WORD; word++) {
        uint64_t now;

        while (!virtio_config_changed(word))
            pause();
        virtio_watch_config(&disk, word + 1);
        now = capacity();
        if (now > before)
            try_sector(now - 1);
        say_size(now);
        before = now;
    }
    fail("no vector is left");
}
