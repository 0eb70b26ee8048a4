/* bandwidth: <bandwidth> of an interface: how much of the network a guest may use. As in libvirt, averages and peaks
 * are KiB a second, and a burst is KiB; inbound is what comes to the guest.
 *
 * A floor is a network's to keep, and this driver has no networks: it stays in definitions of such interfaces.
 */
#pragma once

#include <glib.h>

struct VmmMsg;
struct XmlWriter;
struct _xmlNode;

typedef struct BandwidthRate {
    guint64 average, peak, floor, burst; /* 0: not said */
} BandwidthRate;

typedef struct Bandwidth {
    BandwidthRate in, out;
} Bandwidth;

/* Of the element <interface>; a floor only where @may_floor. */
gboolean bandwidth_parse(Bandwidth *bandwidth, const struct _xmlNode *interface, gboolean may_floor,
                         GError **error);
void bandwidth_format(const Bandwidth *bandwidth, struct XmlWriter *out);
/* What libvirt says of a floor where there is no network. */
gboolean bandwidth_refuse_floor(GError **error);
/* For the VMM's card; nothing where there is no limit, unless @always. */
void bandwidth_put(const Bandwidth *bandwidth, gboolean always, struct VmmMsg *msg);
