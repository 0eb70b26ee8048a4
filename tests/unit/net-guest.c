#include "tests/unit/net-guest.h"

#include <string.h>

NetGuest *
net_guest_new(VirtioGuest *guest, unsigned pair, uint32_t rx_size, uint32_t tx_size)
{
    NetGuest *net = g_new0(NetGuest, 1);

    *net = (NetGuest){ .guest = guest, .pair = pair, .rx_size = rx_size, .tx_size = tx_size };
    net->rx = guest_alloc(guest, (uint64_t)rx_size * NET_GUEST_SLOTS);
    net->tx = guest_alloc(guest, (uint64_t)tx_size * NET_GUEST_SLOTS);
    return net;
}

static uint64_t
rx_buffer(NetGuest *net, unsigned slot)
{
    return net->rx + (uint64_t)slot * net->rx_size;
}

void
net_guest_offer(NetGuest *net, unsigned slot)
{
    guest_desc(net->guest, net->guest->queues[2 * net->pair].desc, slot, rx_buffer(net, slot),
               net->rx_size, DESC_WRITE, 0);
    guest_offer(net->guest, 2 * net->pair, slot);
}

void
net_guest_offer_all(NetGuest *net)
{
    for (unsigned i = 0; i < NET_GUEST_SLOTS; i++)
        net_guest_offer(net, i);
}

/* Appends what one buffer got. */
static void
take_buffer(NetGuest *net, GByteArray *packet, bool again)
{
    uint32_t slot, size;

    g_assert_true(guest_take_used(net->guest, 2 * net->pair, &slot, &size));
    g_assert_cmpuint(slot, <, NET_GUEST_SLOTS);
    g_assert_cmpuint(size, >, 0);
    g_assert_cmpuint(size, <=, net->rx_size);
    g_byte_array_append(packet, guest_memory(net->guest, rx_buffer(net, slot), size), size);
    if (again)
        net_guest_offer(net, slot);
}

static bool
has_used(NetGuest *net)
{
    GuestQueue *queue = &net->guest->queues[2 * net->pair];
    uint16_t idx;

    memcpy(&idx, guest_memory(net->guest, queue->device + 2, 2), 2);
    return GUINT16_FROM_LE(idx) != queue->used;
}

GByteArray *
net_guest_receive(NetGuest *net, NetHeader *ret_header, bool again)
{
    GByteArray *packet;

    if (!has_used(net))
        return NULL;
    packet = g_byte_array_new();
    take_buffer(net, packet, again);
    g_assert_cmpuint(packet->len, >=, sizeof(NetHeader));
    memcpy(ret_header, packet->data, sizeof(NetHeader));
    g_byte_array_remove_range(packet, 0, sizeof(NetHeader));
    for (unsigned i = 1; i < GUINT16_FROM_LE(ret_header->num_buffers); i++)
        take_buffer(net, packet, again);
    return packet;
}

bool
net_guest_send(NetGuest *net, const NetHeader *header, const void *frame, size_t size)
{
    unsigned slot = 0, queue = 2 * net->pair + 1;
    uint64_t buffer;

    g_assert_cmpuint(sizeof(NetHeader) + size, <=, net->tx_size);
    while (slot < NET_GUEST_SLOTS && net->tx_busy[slot])
        slot++;
    if (slot == NET_GUEST_SLOTS)
        return false;
    buffer = net->tx + (uint64_t)slot * net->tx_size;
    memcpy(guest_memory(net->guest, buffer, sizeof(*header)), header, sizeof(*header));
    memcpy(guest_memory(net->guest, buffer + sizeof(*header), size), frame, size);
    guest_desc(net->guest, net->guest->queues[queue].desc, slot, buffer, sizeof(*header) + size, 0,
               0);
    guest_offer(net->guest, queue, slot);
    net->tx_busy[slot] = true;
    net->n_tx_busy++;
    return true;
}

unsigned
net_guest_reclaim(NetGuest *net)
{
    uint32_t slot, size;
    unsigned n = 0;

    while (guest_take_used(net->guest, 2 * net->pair + 1, &slot, &size)) {
        g_assert_cmpuint(slot, <, NET_GUEST_SLOTS);
        g_assert_true(net->tx_busy[slot]);
        g_assert_cmpuint(size, ==, 0);
        net->tx_busy[slot] = false;
        n++;
    }
    net->n_tx_busy -= n;
    return n;
}
