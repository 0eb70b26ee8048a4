#include "driver/bandwidth.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <string.h>

#define KIB 1024

gboolean
bandwidth_refuse_floor(GError **error)
{
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "floor attribute is not supported for this config");
}

static gboolean
parse_number(const XmlNode *node, const char *name, gboolean *ret_said, guint64 *ret,
             GError **error)
{
    g_autofree char *text = xml_attr(node, name);

    *ret_said = text != NULL;
    return !text || xml_parse_uint64(text, ret) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "could not convert bandwidth %s value '%s'", name, text);
}

static gboolean
parse_rate(BandwidthRate *rate, const XmlNode *node, GError **error)
{
    gboolean average, peak, burst, floor;

    if (!parse_number(node, "average", &average, &rate->average, error) ||
        !parse_number(node, "peak", &peak, &rate->peak, error) ||
        !parse_number(node, "burst", &burst, &rate->burst, error) ||
        !parse_number(node, "floor", &floor, &rate->floor, error))
        return FALSE;
    if (!average && !floor)
        return driver_error(error, VIR_ERR_XML_DETAIL, "%s",
                            "Missing mandatory average or floor attributes");
    return average || (!peak && !burst) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "'peak' and 'burst' require 'average' attribute");
}

static gboolean
parse_direction(BandwidthRate *rate, const XmlNode *parent, const char *element, GError **error)
{
    const XmlNode *node = xml_child(parent, element);

    if (xml_count_children(parent, element) > 1)
        return driver_error(error, VIR_ERR_XML_DETAIL, "Only one child <%s> element allowed",
                            element);
    return !node || parse_rate(rate, node, error);
}

static gboolean
parse_directions(Bandwidth *bandwidth, const XmlNode *node, gboolean may_floor, GError **error)
{
    if (!parse_direction(&bandwidth->in, node, "inbound", error) ||
        !parse_direction(&bandwidth->out, node, "outbound", error))
        return FALSE;
    if (bandwidth->in.floor && !may_floor)
        return bandwidth_refuse_floor(error);
    return !bandwidth->out.floor ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "'floor' attribute allowed only in <inbound> element");
}

gboolean
bandwidth_parse(Bandwidth *bandwidth, const XmlNode *interface, gboolean may_floor, GError **error)
{
    const XmlNode *node = xml_child(interface, "bandwidth");

    return !node || parse_directions(bandwidth, node, may_floor, error);
}

static void
put_number(XmlWriter *out, const char *name, guint64 value)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

    if (value)
        xml_put_attr(out, name, text);
}

static gboolean
is_limit(const BandwidthRate *rate)
{
    return rate->average || rate->floor;
}

static void
format_rate(const BandwidthRate *rate, XmlWriter *out, const char *element)
{
    if (!is_limit(rate))
        return;
    xml_open(out, element);
    put_number(out, "average", rate->average);
    put_number(out, "peak", rate->peak);
    put_number(out, "floor", rate->floor);
    put_number(out, "burst", rate->burst);
    xml_close(out);
}

void
bandwidth_format(const Bandwidth *bandwidth, XmlWriter *out)
{
    if (!is_limit(&bandwidth->in) && !is_limit(&bandwidth->out))
        return;
    xml_open(out, "bandwidth");
    format_rate(&bandwidth->in, out, "inbound");
    format_rate(&bandwidth->out, out, "outbound");
    xml_close(out);
}

static void
put_bytes(VmmMsg *msg, const char *key, guint64 kib)
{
    if (kib)
        vmm_msg_put_u64(msg, key, MIN(kib, G_MAXUINT64 / KIB) * KIB);
}

void
bandwidth_put(const Bandwidth *bandwidth, gboolean always, VmmMsg *msg)
{
    if (!always && !bandwidth->in.average && !bandwidth->out.average)
        return;
    vmm_msg_put_bool(msg, "bandwidth", true);
    put_bytes(msg, "in-rate", bandwidth->in.average);
    put_bytes(msg, "in-peak", bandwidth->in.peak);
    put_bytes(msg, "in-burst", bandwidth->in.burst);
    put_bytes(msg, "out-rate", bandwidth->out.average);
    put_bytes(msg, "out-peak", bandwidth->out.peak);
    put_bytes(msg, "out-burst", bandwidth->out.burst);
}
