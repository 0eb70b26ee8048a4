/* Sending and receiving Ethernet frames as fast as it goes. */
#include "virtio.h"

#define TYPE_NET     1
#define HEADER_SIZE  12 /* struct virtio_net_hdr of virtio 1.0 */
#define FRAME_MAX    1514
#define BUFFER_SIZE  2048
#define ETHERTYPE_HI 0x88
#define ETHERTYPE_LO 0xb5 /* for local experiments */

static Device card;
static Queue rx, tx;
static uint8_t buffers[QUEUE_SIZE][BUFFER_SIZE] __attribute__((aligned(4096)));

static void
open_card(void)
{
    virtio_open(&card, TYPE_NET, 0);
    virtio_queue(&card, &rx, 0);
    virtio_queue(&card, &tx, 1);
    virtio_start(&card);
}

/* To everybody, from a local address. */
static void
make_frame(uint8_t *frame)
{
    for (unsigned i = 0; i < 6; i++) {
        frame[i] = 0xff;
        frame[6 + i] = i == 0 ? 0x02 : 0x00;
    }
    frame[12] = ETHERTYPE_HI;
    frame[13] = ETHERTYPE_LO;
}

void
play_net_send(const uint64_t numbers[NUMBERS_MAX])
{
    uint64_t frames = numbers[0], size = numbers[1], sent = 0, done = 0;

    if (size < 60 || size > FRAME_MAX)
        fail("no such size");
    open_card();
    for (unsigned i = 0; i < QUEUE_SIZE; i++) {
        make_frame(buffers[i] + HEADER_SIZE);
        tx.desc[i] = (Desc){ (uintptr_t)buffers[i], HEADER_SIZE + size, 0, 0 };
    }
    put("begin\n");
    for (; sent < QUEUE_SIZE && sent < frames; sent++)
        queue_offer(&tx, sent);
    queue_kick(&tx);
    while (done < frames) {
        do {
            uint16_t slot = queue_wait(&tx);

            done++;
            if (sent < frames) {
                queue_offer(&tx, slot);
                sent++;
            }
        } while (tx.used.idx != tx.next_used);
        queue_kick(&tx);
    }
    put("end\n");
    hang();
}

void
play_net_receive(const uint64_t numbers[NUMBERS_MAX])
{
    uint64_t frames = numbers[0], done = 0;

    open_card();
    for (unsigned i = 0; i < QUEUE_SIZE; i++) {
        rx.desc[i] = (Desc){ (uintptr_t)buffers[i], BUFFER_SIZE, DESC_WRITE, 0 };
        queue_offer(&rx, i);
    }
    queue_kick(&rx);
    put("begin\n");
    while (done < frames) {
        do {
            queue_offer(&rx, queue_wait(&rx));
            done++;
        } while (rx.used.idx != rx.next_used && done < frames);
        queue_kick(&rx);
    }
    put("end\n");
    hang();
}
