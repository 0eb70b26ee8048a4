/* kind: what a sort of back end does, and the channel that it does it with. */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/net/packet.h"

#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

/* Room for what came in, and for the rest of what has to go out. */
#define NET_BUFFER_SIZE (2 * (4 + NET_FRAME_MAX))

typedef struct NetChannel {
    int fd; /* -1: none */
    bool lost;
    /* Bytes that came in; [head, tail) were not taken. They are touched only where bytes are. */
    uint8_t *in;
    size_t head, tail;
    /* What a stream could not take of the last frame. */
    uint8_t *out;
    size_t out_head, out_tail;
} NetChannel;

typedef struct NetKind {
    const char *name; /* the "backend" key */
    unsigned channels_max;
    size_t in_size, out_size; /* of a channel's buffers */
    /* Looks at a descriptor that the driver passed; what it can do goes to @ret_features. */
    bool (*open)(NetChannel *channel, uint64_t *ret_features, VmmError *err);
    bool (*set_offloads)(NetChannel *channel, uint64_t features); /* NULL: there are none */
    bool (*set_active)(NetChannel *channel, bool active);         /* NULL: nothing to do */
    /* Fills @ret with the oldest packet, which take() removes. False where there is none, and then the
     * channel may be lost. */
    bool (*peek)(NetChannel *channel, NetPacket *ret);
    void (*take)(NetChannel *channel);
    /* Sends header and frame: 1 sent, 0 refused, -1 full. @frame[-1] is free for a header. */
    int (*send)(NetChannel *channel, const NetHeader *header, struct iovec *frame, unsigned n,
                size_t size);
    /* Goes on with what was left of a frame; false where some is left still. NULL: nothing ever is. */
    bool (*flush)(NetChannel *channel);
} NetKind;

extern const NetKind net_kind_tap;
extern const NetKind net_kind_stream;
