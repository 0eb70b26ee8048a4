/* What "add-device" says of a card, beside the keys of net/backend.h and net/shaper.h: mac, mtu, queues, link. */
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/virtio/net.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define MTU_MIN 68 /* 5.1.4.1 */
#define MTU_MAX 65535

static bool
read_mac(Net *net, VmmMsg *params, VmmError *err)
{
    uint8_t *mac = net->own_mac;
    const char *text = "";
    int end = 0;

    vmm_msg_get_string(params, "mac", &text);
    if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
               &mac[4], &mac[5], &end) == NET_MAC_SIZE &&
        text[end] == '\0' && end == 17 && !(mac[0] & 1))
        return true;
    return vmm_error(err, VMM_ERROR_INVALID,
                     "Network card '%s' has no address of its own, such as 52:54:00:12:34:56",
                     net->vdev.dev->id);
}

/* A number that the driver may leave out. */
static bool
read_number(VmmMsg *params, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
            VmmError *err)
{
    uint64_t value = *ret;

    vmm_msg_get_u64(params, key, &value);
    if (value != *ret && (value < min || value > max))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The key '%s' of a network card is not between %u and %u", key,
                         (unsigned)min, (unsigned)max);
    *ret = value;
    return true;
}

bool
net_read_params(Net *net, VmmMsg *params, VmmError *err)
{
    uint64_t mtu = 0, pairs = 1;
    bool link = true;

    if (!read_mac(net, params, err) || !read_number(params, "mtu", MTU_MIN, MTU_MAX, &mtu, err) ||
        !read_number(params, "queues", 1, NET_PAIRS_MAX, &pairs, err))
        return false;
    vmm_msg_get_bool(params, "link", &link);
    net->n_pairs = pairs;
    net->config.status = htole16(link ? VIRTIO_NET_S_LINK_UP : 0);
    net->config.max_virtqueue_pairs = htole16(pairs);
    net->config.mtu = htole16(mtu);
    return true;
}
