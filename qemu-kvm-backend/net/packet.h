/* packet: one packet between a network card and its back end. */
#pragma once

#include <linux/virtio_net.h>
#include <stddef.h>
#include <stdint.h>

typedef struct virtio_net_hdr_v1 NetHeader; /* virtio 1.2, section 5.1.6; little-endian */

_Static_assert(sizeof(NetHeader) == 12, "with num_buffers, as version 1 always has it");

#define NET_FRAME_MIN 14 /* an Ethernet header */
#define NET_FRAME_MAX                                                                              \
    65550 /* what segmentation offload makes of it (5.1.6.3.1, without the header) */

/* A packet that came in. The frame lies in the back end's memory until it is taken. */
typedef struct NetPacket {
    NetHeader header; /* num_buffers has no meaning yet */
    const uint8_t *frame;
    size_t size; /* bytes of the frame */
} NetPacket;
