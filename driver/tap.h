/* tap: a network interface of the host whose other end is a descriptor, for a guest's network card.
 *
 * Making one takes CAP_NET_ADMIN, as does all that is done to it afterwards. One that was made here goes
 * with its last descriptor.
 */
#pragma once

#include <glib.h>

#define TAP_QUEUES_MAX 16

typedef struct TapWish {
    const char *name;   /* NULL: the first free one of vnet0, vnet1 and so on */
    gboolean existing;  /* it was made by somebody else, for us to use */
    guint queues;       /* descriptors: 1 to TAP_QUEUES_MAX */
    const guint8 *mac;  /* the guest's, of 6 bytes */
    guint mtu;          /* bytes; 0: as it is */
    const char *bridge; /* to become a port of; NULL: none */
} TapWish;

/* Opens a tap that passes frames with a virtio header and nothing else before them, sets it up as the
 * wish says, and brings it up; one that exists is only opened. @ret_fds takes @wish->queues descriptors,
 * @ret_name (owned by the caller) its name. */
gboolean tap_open(const TapWish *wish, int *ret_fds, char **ret_name, GError **error);
/* Makes the tap @name a port of bridge @to instead of @from. */
gboolean tap_move(const char *name, const char *from, const char *to, GError **error);
