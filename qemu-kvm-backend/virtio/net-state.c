/* The card's state: what the guest has asked for. Packets are in its queues and in the network; the counters are
 * those of this process. */
#include "qemu-kvm-backend/virtio/net.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>

static void
save_address(const void *object, StateOut *out)
{
    state_put_bytes(out, ((const Net *)object)->own_mac, NET_MAC_SIZE);
}

static bool
load_address(void *object, const void *data, size_t size, VmmError *err)
{
    const Net *net = object;

    if (size == NET_MAC_SIZE && memcmp(data, net->own_mac, NET_MAC_SIZE) == 0)
        return true;
    return vmm_error(err, VMM_ERROR_INVALID, "The saved network card '%s' had another address",
                     net->vdev.dev->id);
}

static uint64_t
get_link(const void *object)
{
    return net_link_is_up(object);
}

/* The cable is as it is now, and the guest hears where that is new. */
static bool
set_link_known(void *object, uint64_t value)
{
    Net *net = object;

    if (value != net_link_is_up(net))
        virtio_config_changed(&net->vdev);
    return value <= 1;
}

static const StateField macs_fields[] = {
    STATE_BYTES(NetMacs, macs),
    STATE_NUMBER_MAX(NetMacs, n, NET_FILTER_MACS),
    STATE_NUMBER(NetMacs, all),
    STATE_END,
};

static const StateTable macs_table = { .version = 1, .fields = macs_fields };

static bool
net_loaded(void *object, VmmError *err)
{
    Net *net = object;

    return net->n_active <= net->n_pairs ||
           vmm_error(err, VMM_ERROR_INVALID,
                     "The saved network card '%s' used %u pairs of queues, this one has %u",
                     net->vdev.dev->id, net->n_active, net->n_pairs);
}

static const StateField net_fields[] = {
    STATE_BLOB("address", save_address, load_address),
    STATE_VALUE("link", get_link, set_link_known),
    STATE_BYTES(Net, config.mac),
    STATE_NUMBER(Net, n_active),
    STATE_NUMBER(Net, offloads),
    STATE_BYTES(Net, filter.mac),
    STATE_NUMBERS(Net, filter.modes),
    STATE_STRUCT(Net, filter.unicast, &macs_table),
    STATE_STRUCT(Net, filter.multicast, &macs_table),
    STATE_BYTES(Net, filter.vlans),
    STATE_END,
};

const StateTable net_state = { .version = 1, .fields = net_fields, .loaded = net_loaded };
