#include "driver/domain-hyperv.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

#define RETRIES_MIN 4095 /* libvirt's */

static const char *const switches[] = { "off", "on", NULL };

/* Those that KVM does not have for our machine can only be off. */
static const struct HypervRow {
    const char *name;
    gboolean can_be_on;
} rows[DOMAIN_N_HYPERV] = {
    [DOMAIN_HYPERV_RELAXED] = { "relaxed", TRUE },
    [DOMAIN_HYPERV_VAPIC] = { "vapic", TRUE },
    [DOMAIN_HYPERV_SPINLOCKS] = { "spinlocks", TRUE },
    [DOMAIN_HYPERV_VPINDEX] = { "vpindex", TRUE },
    [DOMAIN_HYPERV_RUNTIME] = { "runtime", TRUE },
    [DOMAIN_HYPERV_SYNIC] = { "synic", TRUE },
    [DOMAIN_HYPERV_STIMER] = { "stimer", TRUE },
    [DOMAIN_HYPERV_RESET] = { "reset", TRUE },
    [DOMAIN_HYPERV_VENDOR_ID] = { "vendor_id", TRUE },
    [DOMAIN_HYPERV_FREQUENCIES] = { "frequencies", TRUE },
    [DOMAIN_HYPERV_REENLIGHTENMENT] = { "reenlightenment", TRUE },
    [DOMAIN_HYPERV_TLBFLUSH] = { "tlbflush", TRUE },
    [DOMAIN_HYPERV_IPI] = { "ipi", TRUE },
    [DOMAIN_HYPERV_EVMCS] = { "evmcs", FALSE },
    [DOMAIN_HYPERV_AVIC] = { "avic", TRUE },
};

void
domain_hyperv_init(DomainHyperv *hyperv)
{
    *hyperv = (DomainHyperv){ 0 };
    for (int i = 0; i < DOMAIN_N_HYPERV; i++)
        hyperv->states[i] = -1;
}

const char *
domain_hyperv_name(DomainHypervFeature feature)
{
    return rows[feature].can_be_on ? rows[feature].name : NULL;
}

gboolean
domain_hyperv_is_on(const DomainHyperv *hyperv)
{
    for (int i = 0; i < DOMAIN_N_HYPERV; i++) {
        if (hyperv->states[i] == 1)
            return TRUE;
    }
    return FALSE;
}

static int
find(const char *name)
{
    for (int i = 0; i < DOMAIN_N_HYPERV; i++) {
        if (strcmp(rows[i].name, name) == 0)
            return i;
    }
    return -1;
}

static gboolean
parse_retries(DomainHyperv *hyperv, const XmlNode *node, GError **error)
{
    return xml_attr_uint(node, "retries", XML_REQUIRED, &hyperv->retries, error) &&
           (hyperv->retries >= RETRIES_MIN ||
            driver_error(error, VIR_ERR_XML_ERROR,
                         "HyperV spinlock retry count must be at least %d", RETRIES_MIN));
}

static gboolean
parse_vendor_id(DomainHyperv *hyperv, const XmlNode *node, GError **error)
{
    g_autofree char *value = xml_attr(node, "value");

    if (!value)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "missing 'value' attribute for HyperV feature 'vendor_id'");
    if (strlen(value) > DOMAIN_HYPERV_VENDOR_ID_MAX)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "HyperV vendor_id value must not be more than %d characters.",
                            DOMAIN_HYPERV_VENDOR_ID_MAX);
    if (strchr(value, ','))
        return driver_error(error, VIR_ERR_XML_ERROR, "HyperV vendor_id value is invalid");
    g_strlcpy(hyperv->vendor_id, value, sizeof(hyperv->vendor_id));
    return TRUE;
}

/* What an earlier element said stays, as with libvirt. */
static gboolean
parse_timers(DomainHyperv *hyperv, const XmlNode *node, GError **error)
{
    int state = -1;

    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        if (strcmp(xml_name(child), "direct") != 0)
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "unsupported Hyper-V stimer feature: %s", xml_name(child));
        if (!xml_attr_word(child, "state", XML_REQUIRED, switches, &state, error))
            return FALSE;
        hyperv->direct_timers = state == 1;
    }
    return TRUE;
}

static gboolean
parse_feature(DomainHyperv *hyperv, const XmlNode *node, GError **error)
{
    int i = find(xml_name(node));

    if (i < 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "unsupported HyperV Enlightenment feature: %s", xml_name(node));
    if (!xml_attr_word(node, "state", XML_REQUIRED, switches, &hyperv->states[i], error))
        return FALSE;
    if (hyperv->states[i] == 0)
        return TRUE;
    if (!rows[i].can_be_on)
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "value 'on' of attribute 'state' of <%s> is not supported yet by this machine",
            xml_name(node));
    return (i != DOMAIN_HYPERV_SPINLOCKS || parse_retries(hyperv, node, error)) &&
           (i != DOMAIN_HYPERV_VENDOR_ID || parse_vendor_id(hyperv, node, error)) &&
           (i != DOMAIN_HYPERV_STIMER || parse_timers(hyperv, node, error));
}

gboolean
domain_hyperv_parse(DomainHyperv *hyperv, const XmlNode *node, GError **error)
{
    static const char *const modes[] = { "custom", NULL };
    int mode = 0;

    hyperv->present = TRUE;
    if (!xml_attr_word(node, "mode", XML_OPTIONAL, modes, &mode, error))
        return FALSE;
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        if (!parse_feature(hyperv, child, error))
            return FALSE;
    }
    return TRUE;
}

static void
format_direct(XmlWriter *out)
{
    xml_open(out, "direct");
    xml_put_attr(out, "state", switches[1]);
    xml_close(out);
}

void
domain_hyperv_format(const DomainHyperv *hyperv, XmlWriter *out)
{
    if (!hyperv->present)
        return;
    xml_open(out, "hyperv");
    xml_put_attr(out, "mode", "custom");
    for (int i = 0; i < DOMAIN_N_HYPERV; i++) {
        if (hyperv->states[i] < 0)
            continue;
        xml_open(out, rows[i].name);
        xml_put_attr(out, "state", switches[hyperv->states[i]]);
        if (i == DOMAIN_HYPERV_SPINLOCKS && hyperv->states[i] == 1)
            xml_put_attr_uint(out, "retries", hyperv->retries);
        if (i == DOMAIN_HYPERV_VENDOR_ID && hyperv->states[i] == 1)
            xml_put_attr(out, "value", hyperv->vendor_id);
        if (i == DOMAIN_HYPERV_STIMER && hyperv->states[i] == 1 && hyperv->direct_timers)
            format_direct(out);
        xml_close(out);
    }
    xml_close(out);
}
