#include "qemu-kvm-backend/virtio/net-control.h"

#include <endian.h>
#include <linux/virtio_net.h>

/* A command: what the chain holds besides the class and the command. */
typedef struct Command {
    const VirtChain *chain;
    size_t at; /* of the bytes that were not read yet */
    uint8_t command;
    NetFilter *filter;
    const NetControlOps *ops;
    void *data;
} Command;

static bool
take(Command *command, void *to, size_t size)
{
    if (iov_read(command->chain->out, command->chain->n_out, command->at, to, size) != size)
        return false;
    command->at += size;
    return true;
}

static bool
serve_rx(Command *command)
{
    uint8_t on;

    if (command->command >= NET_RX_MODES || !take(command, &on, sizeof(on)))
        return false;
    command->filter->modes[command->command] = on;
    return true;
}

/* One of the two lists; those past NET_FILTER_MACS are not looked at. */
static bool
take_macs(Command *command, NetMacs *ret)
{
    NetMacs macs = { 0 };
    uint32_t n;

    if (!take(command, &n, sizeof(n)))
        return false;
    n = le32toh(n);
    macs.all = n > NET_FILTER_MACS;
    macs.n = macs.all ? 0 : n;
    if (!take(command, macs.macs, (size_t)macs.n * NET_MAC_SIZE))
        return false;
    if (macs.all)
        command->at += (uint64_t)n * NET_MAC_SIZE;
    *ret = macs;
    return command->at <= command->chain->out_size;
}

static bool
serve_mac(Command *command)
{
    NetMacs unicast, multicast;
    uint8_t mac[NET_MAC_SIZE];

    switch (command->command) {
    case VIRTIO_NET_CTRL_MAC_TABLE_SET:
        if (!take_macs(command, &unicast) || !take_macs(command, &multicast))
            return false;
        command->filter->unicast = unicast;
        command->filter->multicast = multicast;
        return true;
    case VIRTIO_NET_CTRL_MAC_ADDR_SET:
        return take(command, mac, sizeof(mac)) && command->ops->set_mac(command->data, mac);
    default:
        return false;
    }
}

static bool
serve_vlan(Command *command)
{
    uint16_t vlan;

    if (command->command > VIRTIO_NET_CTRL_VLAN_DEL || !take(command, &vlan, sizeof(vlan)) ||
        le16toh(vlan) >= NET_VLANS)
        return false;
    net_filter_set_vlan(command->filter, le16toh(vlan),
                        command->command == VIRTIO_NET_CTRL_VLAN_ADD);
    return true;
}

static bool
serve_mq(Command *command)
{
    uint16_t n;

    return command->command == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET && take(command, &n, sizeof(n)) &&
           command->ops->set_pairs(command->data, le16toh(n));
}

static bool
serve_offloads(Command *command)
{
    uint64_t features;

    return command->command == VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET &&
           take(command, &features, sizeof(features)) &&
           command->ops->set_offloads(command->data, le64toh(features));
}

static const struct {
    uint8_t class;
    unsigned feature;
    bool (*serve)(Command *command);
} classes[] = {
    { VIRTIO_NET_CTRL_RX, VIRTIO_NET_F_CTRL_RX, serve_rx },
    { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_F_CTRL_VQ, serve_mac },
    { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_F_CTRL_VLAN, serve_vlan },
    { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_F_MQ, serve_mq },
    { VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, serve_offloads },
};

static bool
obey(Command *command, uint64_t features)
{
    uint8_t class;

    if (!take(command, &class, sizeof(class)) ||
        !take(command, &command->command, sizeof(command->command)))
        return false;
    for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (classes[i].class == class)
            return features >> classes[i].feature & 1 && classes[i].serve(command);
    }
    return false;
}

uint32_t
net_control_serve(const VirtChain *chain, uint64_t features, NetFilter *filter,
                  const NetControlOps *ops, void *data)
{
    Command command = { .chain = chain, .filter = filter, .ops = ops, .data = data };
    uint8_t ack = obey(&command, features) ? VIRTIO_NET_OK : VIRTIO_NET_ERR;

    return iov_write(chain->in, chain->n_in, 0, &ack, sizeof(ack));
}
