/* domain-features: the <features> element. */
#pragma once

#include "driver/domain-hyperv.h"

struct _xmlNode;
struct XmlWriter;

/* In libvirt's order of formatting. */
typedef enum DomainFeature {
    DOMAIN_FEATURE_ACPI,
    DOMAIN_FEATURE_APIC,
    DOMAIN_FEATURE_APIC_EOI, /* an attribute of <apic> */
    DOMAIN_FEATURE_PAE,
    DOMAIN_FEATURE_KVM_HIDDEN,         /* the rows of <kvm> */
    DOMAIN_FEATURE_KVM_HINT_DEDICATED, /* vCPUs have processors of their own */
    DOMAIN_FEATURE_KVM_POLL_CONTROL,
    DOMAIN_FEATURE_KVM_PV_IPI,
    DOMAIN_FEATURE_PVSPINLOCK,
    DOMAIN_FEATURE_PMU,
    DOMAIN_FEATURE_VMPORT, /* only ever off: there is none */
    DOMAIN_FEATURE_IOAPIC, /* <ioapic driver='kvm'/>, which it is */
    DOMAIN_N_FEATURES
} DomainFeature;

typedef struct DomainFeatures {
    int states[DOMAIN_N_FEATURES]; /* by DomainFeature: 1 on, 0 off, -1 not said */
    DomainHyperv hyperv;
} DomainFeatures;

void domain_features_init(DomainFeatures *features);
/* The <features> child of @root, if there is one. */
gboolean domain_features_parse(DomainFeatures *features, const struct _xmlNode *root,
                               GError **error);
void domain_features_format(const DomainFeatures *features, struct XmlWriter *out);
