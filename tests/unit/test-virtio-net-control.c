/* What a driver commands by the control queue, most of it which frames it wants to have. */
#include "tests/unit/net-fixture.h"

#include <string.h>
#include <sys/socket.h>

/* The answer to a command; 0xff where there was none. */
static uint8_t
command(Fixture *f, uint8_t class, uint8_t cmd, const void *bytes, size_t size)
{
    uint64_t buffer = guest_alloc(f->guest, 3 + size), table = f->guest->queues[CTRL].desc;
    uint8_t *at = guest_memory(f->guest, buffer, 3 + size);
    uint32_t head, len;

    at[0] = class;
    at[1] = cmd;
    if (size)
        memcpy(at + 2, bytes, size);
    at[2 + size] = 0xff;
    guest_desc(f->guest, table, 0, buffer, 2 + size, DESC_NEXT, 1);
    guest_desc(f->guest, table, 1, buffer + 2 + size, 1, DESC_WRITE, 0);
    guest_offer(f->guest, CTRL, 0);
    guest_kick(f->guest, CTRL);
    g_assert_true(guest_take_used(f->guest, CTRL, &head, &len));
    g_assert_cmpuint(len, ==, 1);
    return at[2 + size];
}

/* Whether a frame to @to, with a VLAN tag where @vlan is not negative, comes through. */
static bool
passes(Fixture *f, const uint8_t *to, int vlan)
{
    uint8_t packet[4 + 64] = { 0, 0, 0, 64 };
    g_autoptr(GByteArray) got = NULL;
    NetHeader header;

    memcpy(packet + 4, to, 6);
    packet[16] = vlan < 0 ? 0x08 : 0x81;
    packet[18] = vlan >> 8 & 0x0f;
    packet[19] = vlan;
    g_assert_cmpint(send(f->wire, packet, sizeof(packet), 0), ==, sizeof(packet));
    net_settle(f);
    got = net_guest_receive(f->net, &header, true);
    return got != NULL;
}

static bool
mode(Fixture *f, uint8_t cmd, uint8_t on)
{
    return command(f, VIRTIO_NET_CTRL_RX, cmd, &on, 1) == VIRTIO_NET_OK;
}

static const uint8_t other[] = { 0x52, 0x54, 0, 0, 0, 1 }, group[] = { 1, 0, 0x5e, 0, 0, 1 },
                     all[] = { 255, 255, 255, 255, 255, 255 };

static void
test_rx_modes(Fixture *f, const void *data)
{
    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    g_assert_true(passes(f, other, -1) && passes(f, group, -1));
    g_assert_true(mode(f, VIRTIO_NET_CTRL_RX_PROMISC, 0));
    g_assert_true(passes(f, net_mac, -1) && passes(f, all, -1));
    g_assert_false(passes(f, other, -1) || passes(f, group, -1));
    g_assert_true(mode(f, VIRTIO_NET_CTRL_RX_ALLMULTI, 1));
    g_assert_true(passes(f, group, -1) && !passes(f, other, -1));
    g_assert_true(mode(f, VIRTIO_NET_CTRL_RX_NOMULTI, 1));
    g_assert_false(passes(f, group, -1));
    g_assert_true(mode(f, VIRTIO_NET_CTRL_RX_ALLUNI, 1));
    g_assert_true(passes(f, other, -1));
    g_assert_true(mode(f, VIRTIO_NET_CTRL_RX_NOUNI, 1));
    g_assert_false(passes(f, net_mac, -1));
    g_assert_true(mode(f, VIRTIO_NET_CTRL_RX_NOBCAST, 1));
    g_assert_false(passes(f, all, -1));
    g_assert_true(mode(f, VIRTIO_NET_CTRL_RX_PROMISC, 1));
    g_assert_true(passes(f, net_mac, -1) && passes(f, all, -1) && passes(f, group, -1));
    g_assert_false(mode(f, 6, 1));
}

static void
test_macs(Fixture *f, const void *data)
{
    uint8_t table[4 + 6 + 4 + 6] = { 1 }, many[4 + 65 * 6 + 4] = { 65 };

    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    g_assert_true(mode(f, VIRTIO_NET_CTRL_RX_PROMISC, 0));
    memcpy(table + 4, other, 6);
    table[10] = 1;
    memcpy(table + 14, group, 6);
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_MAC, 0, table, sizeof(table)), ==, VIRTIO_NET_OK);
    g_assert_true(passes(f, other, -1) && passes(f, group, -1) && passes(f, net_mac, -1));
    /* Too short by a byte: nothing changes. */
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_MAC, 0, table, sizeof(table) - 1), ==,
                    VIRTIO_NET_ERR);
    g_assert_true(passes(f, other, -1) && passes(f, group, -1));
    /* More than are kept: all of that kind pass. */
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_MAC, 0, many, sizeof(many)), ==, VIRTIO_NET_OK);
    g_assert_true(passes(f, other, -1) && !passes(f, group, -1));
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_MAC, 0, many, sizeof(many) - 1), ==, VIRTIO_NET_ERR);
    memset(many, 0xff, 4);
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_MAC, 0, many, sizeof(many)), ==, VIRTIO_NET_ERR);
    memset(many, 0, sizeof(many));
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_MAC, 0, many, 8), ==, VIRTIO_NET_OK);
    g_assert_false(passes(f, other, -1));
    /* The card's own address, until the driver starts over. */
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_MAC, 1, other, 6), ==, VIRTIO_NET_OK);
    g_assert_true(passes(f, other, -1) && !passes(f, net_mac, -1));
    g_assert_cmphex(mmio_read(f->guest->test, f->guest->device + 5, 1), ==, 1);
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_MAC, 1, other, 5), ==, VIRTIO_NET_ERR);
    guest_reset(f->guest);
    g_assert_cmphex(mmio_read(f->guest->test, f->guest->device + 5, 1), ==, net_mac[5]);
}

static void
test_vlans(Fixture *f, const void *data)
{
    static const uint8_t vlan[] = { 0x34, 0x02 }, none[] = { 0x00, 0x10 };

    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    g_assert_true(passes(f, net_mac, -1) && passes(f, net_mac, 0) && !passes(f, net_mac, 0x234));
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_VLAN, 0, vlan, 2), ==, VIRTIO_NET_OK);
    g_assert_true(passes(f, net_mac, 0x234) && !passes(f, net_mac, 0x235) &&
                  !passes(f, net_mac, 0x134));
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_VLAN, 1, vlan, 2), ==, VIRTIO_NET_OK);
    g_assert_false(passes(f, net_mac, 0x234));
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_VLAN, 0, none, 2), ==, VIRTIO_NET_ERR);
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_VLAN, 0, vlan, 1), ==, VIRTIO_NET_ERR);
    g_assert_cmpint(command(f, VIRTIO_NET_CTRL_VLAN, 2, vlan, 2), ==, VIRTIO_NET_ERR);
}

/* Commands that were not negotiated, or that there are not. */
static void
test_other_commands(Fixture *f, const void *data)
{
    static const uint8_t bytes[8] = { 1 };

    for (unsigned class = VIRTIO_NET_CTRL_ANNOUNCE; class < 9; class ++)
        g_assert_cmpint(command(f, class, 0, bytes, 8), ==, VIRTIO_NET_ERR);
    guest_desc(f->guest, f->guest->queues[CTRL].desc, 0, f->net->tx, 8, 0, 0);
    guest_offer(f->guest, CTRL, 0);
    guest_kick(f->guest, CTRL);
    g_assert_true(net_is_broken(f));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(path, test)                                                                           \
    g_test_add("/virtio-net/" path, Fixture, NULL, net_set_up, test, net_tear_down)
    CASE("command/rx-modes", test_rx_modes);
    CASE("command/macs", test_macs);
    CASE("command/vlans", test_vlans);
    CASE("command/others", test_other_commands);
    return g_test_run();
}
