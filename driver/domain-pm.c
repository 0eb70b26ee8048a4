#include "driver/domain-pm.h"

#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

static const char *const enabled_words[] = { "yes", "no", NULL }; /* from DOMAIN_PM_YES on */

static const struct {
    const char *element, *key;
    gsize offset;
} rows[] = {
    { "suspend-to-mem", "pm-suspend-to-mem", offsetof(DomainPm, to_mem) },
    { "suspend-to-disk", "pm-suspend-to-disk", offsetof(DomainPm, to_disk) },
};

static DomainPmState
state_of(const DomainPm *pm, gsize row)
{
    return *(const DomainPmState *)((const char *)pm + rows[row].offset);
}

gboolean
domain_pm_parse(DomainPm *pm, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "pm");

    for (gsize i = 0; node && i < G_N_ELEMENTS(rows); i++) {
        DomainPmState *state = (DomainPmState *)((char *)pm + rows[i].offset);
        const XmlNode *child = xml_child(node, rows[i].element);
        int word = -1;

        if (child && !xml_attr_word(child, "enabled", XML_OPTIONAL, enabled_words, &word, error))
            return FALSE;
        *state = word < 0 ? DOMAIN_PM_DEFAULT : DOMAIN_PM_YES + word;
    }
    return TRUE;
}

void
domain_pm_format(const DomainPm *pm, XmlWriter *out)
{
    if (!pm->to_mem && !pm->to_disk)
        return;
    xml_open(out, "pm");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!state_of(pm, i))
            continue;
        xml_open(out, rows[i].element);
        xml_put_attr(out, "enabled", enabled_words[state_of(pm, i) - DOMAIN_PM_YES]);
        xml_close(out);
    }
    xml_close(out);
}

void
domain_pm_lower(const DomainPm *pm, VmmMsg *msg)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (state_of(pm, i) == DOMAIN_PM_NO)
            vmm_msg_put_bool(msg, rows[i].key, FALSE);
    }
}
