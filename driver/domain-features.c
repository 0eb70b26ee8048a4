#include "driver/domain-features.h"

#include "driver/error.h"
#include "driver/xml-policy.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

/* How a feature is written. */
typedef enum Form {
    FORM_BARE,   /* <acpi/>: on */
    FORM_EOI,    /* an attribute of <apic> */
    FORM_KVM,    /* <NAME state='on'/> below <kvm> */
    FORM_STATE,  /* <NAME state='on'/>, on where nothing is said */
    FORM_DRIVER, /* <ioapic driver='kvm'/> */
} Form;

static const struct FeatureRow {
    const char *name;
    Form form;
} rows[DOMAIN_N_FEATURES] = {
    [DOMAIN_FEATURE_ACPI] = { "acpi", FORM_BARE },
    [DOMAIN_FEATURE_APIC] = { "apic", FORM_BARE },
    [DOMAIN_FEATURE_APIC_EOI] = { "eoi", FORM_EOI },
    [DOMAIN_FEATURE_PAE] = { "pae", FORM_BARE },
    [DOMAIN_FEATURE_KVM_HIDDEN] = { "hidden", FORM_KVM },
    [DOMAIN_FEATURE_KVM_HINT_DEDICATED] = { "hint-dedicated", FORM_KVM },
    [DOMAIN_FEATURE_KVM_POLL_CONTROL] = { "poll-control", FORM_KVM },
    [DOMAIN_FEATURE_KVM_PV_IPI] = { "pv-ipi", FORM_KVM },
    [DOMAIN_FEATURE_PVSPINLOCK] = { "pvspinlock", FORM_STATE },
    [DOMAIN_FEATURE_PMU] = { "pmu", FORM_STATE },
    [DOMAIN_FEATURE_VMPORT] = { "vmport", FORM_STATE },
    [DOMAIN_FEATURE_IOAPIC] = { "ioapic", FORM_DRIVER },
};

static const char *const switches[] = { "off", "on", NULL };

void
domain_features_init(DomainFeatures *features)
{
    for (int i = 0; i < DOMAIN_N_FEATURES; i++)
        features->states[i] = -1;
    domain_hyperv_init(&features->hyperv);
}

static int
find(const char *name, gboolean in_kvm)
{
    for (int i = 0; i < DOMAIN_N_FEATURES; i++) {
        if ((rows[i].form == FORM_KVM) == in_kvm && rows[i].form != FORM_EOI &&
            strcmp(rows[i].name, name) == 0)
            return i;
    }
    return -1;
}

static gboolean
parse_kvm(DomainFeatures *features, const XmlNode *kvm, GError **error)
{
    for (const XmlNode *node = xml_first(kvm); node; node = xml_next(node)) {
        int i = find(xml_name(node), TRUE);

        if (i < 0)
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unsupported KVM feature: %s",
                                xml_name(node));
        if (!xml_attr_word(node, "state", XML_REQUIRED, switches, &features->states[i], error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
parse_driver(DomainFeatures *features, const XmlNode *node, int i, GError **error)
{
    static const char *const drivers[] = { "qemu", "kvm", NULL };

    return xml_attr_word(node, "driver", XML_REQUIRED, drivers, &features->states[i], error);
}

/* Whether the policy takes it without effect. */
static gboolean
is_of_no_effect(const XmlNode *node)
{
    const XmlPlace *features = xml_place_element(xml_place_domain(), NULL, "features");
    const XmlPolicy *policy = xml_place_policy(xml_place_element(features, NULL, xml_name(node)));

    return policy && policy->verdict == XML_ACCEPT;
}

static gboolean
parse_feature(DomainFeatures *features, const XmlNode *node, GError **error)
{
    int i = find(xml_name(node), FALSE);

    if (is_of_no_effect(node))
        return TRUE;
    if (strcmp(xml_name(node), "kvm") == 0)
        return parse_kvm(features, node, error);
    if (strcmp(xml_name(node), "hyperv") == 0)
        return domain_hyperv_parse(&features->hyperv, node, error);
    if (i < 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unexpected feature '%s'",
                            xml_name(node));
    if (rows[i].form == FORM_DRIVER)
        return parse_driver(features, node, i, error);
    features->states[i] = 1;
    if (i == DOMAIN_FEATURE_APIC)
        return xml_attr_word(node, "eoi", XML_OPTIONAL, switches,
                             &features->states[DOMAIN_FEATURE_APIC_EOI], error);
    return rows[i].form == FORM_BARE ||
           xml_attr_word(node, "state", XML_OPTIONAL, switches, &features->states[i], error);
}

gboolean
domain_features_parse(DomainFeatures *features, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "features");
    const XmlNode *child = node ? xml_first(node) : NULL;

    for (; child; child = xml_next(child)) {
        if (!parse_feature(features, child, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_said(const DomainFeatures *features, int first, int last)
{
    for (int i = first; i <= last; i++) {
        if (features->states[i] >= 0)
            return TRUE;
    }
    return FALSE;
}

static void
format_state(const DomainFeatures *features, int i, XmlWriter *out)
{
    xml_open(out, rows[i].name);
    if (i == DOMAIN_FEATURE_APIC && features->states[DOMAIN_FEATURE_APIC_EOI] >= 0)
        xml_put_attr(out, "eoi", switches[features->states[DOMAIN_FEATURE_APIC_EOI]]);
    if (rows[i].form == FORM_STATE || rows[i].form == FORM_KVM)
        xml_put_attr(out, "state", switches[features->states[i]]);
    if (rows[i].form == FORM_DRIVER)
        xml_put_attr(out, "driver", "kvm");
    xml_close(out);
}

void
domain_features_format(const DomainFeatures *features, XmlWriter *out)
{
    const int first_kvm = DOMAIN_FEATURE_KVM_HIDDEN, last_kvm = DOMAIN_FEATURE_KVM_PV_IPI;
    gboolean kvm = is_said(features, first_kvm, last_kvm);

    if (!is_said(features, 0, DOMAIN_N_FEATURES - 1) && !features->hyperv.present)
        return;
    xml_open(out, "features");
    for (int i = 0; i < DOMAIN_N_FEATURES; i++) {
        if (i == first_kvm)
            domain_hyperv_format(&features->hyperv, out);
        if (i == first_kvm && kvm)
            xml_open(out, "kvm");
        if (features->states[i] >= 0 && rows[i].form != FORM_EOI)
            format_state(features, i, out);
        if (i == last_kvm && kvm)
            xml_close(out);
    }
    xml_close(out);
}
