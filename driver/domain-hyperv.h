/* domain-hyperv: the <hyperv> element of <features>: what a guest made for Hyper-V finds of it here. */
#pragma once

#include <glib.h>

struct _xmlNode;
struct XmlWriter;

/* In libvirt's order of formatting. */
typedef enum DomainHypervFeature {
    DOMAIN_HYPERV_RELAXED, /* no watchdog on what a preempted vCPU does late */
    DOMAIN_HYPERV_VAPIC,
    DOMAIN_HYPERV_SPINLOCKS,
    DOMAIN_HYPERV_VPINDEX,
    DOMAIN_HYPERV_RUNTIME,
    DOMAIN_HYPERV_SYNIC,
    DOMAIN_HYPERV_STIMER,
    DOMAIN_HYPERV_RESET,
    DOMAIN_HYPERV_VENDOR_ID,
    DOMAIN_HYPERV_FREQUENCIES,
    DOMAIN_HYPERV_REENLIGHTENMENT,
    DOMAIN_HYPERV_TLBFLUSH,
    DOMAIN_HYPERV_IPI,
    DOMAIN_HYPERV_EVMCS,
    DOMAIN_HYPERV_AVIC,
    DOMAIN_N_HYPERV
} DomainHypervFeature;

#define DOMAIN_HYPERV_VENDOR_ID_MAX 12 /* bytes: three registers */

/* Plain: no part of it is anybody's to free. */
typedef struct DomainHyperv {
    gboolean present;            /* the element is there */
    int states[DOMAIN_N_HYPERV]; /* 1 on, 0 off, -1 not said */
    guint retries; /* of a spinlock before the guest says that it waits; where SPINLOCKS is on */
    gboolean direct_timers; /* that interrupt by themselves; where STIMER is on */
    char vendor_id[DOMAIN_HYPERV_VENDOR_ID_MAX + 1]; /* where VENDOR_ID is on */
} DomainHyperv;

/* Its element's name; NULL: it can only be off. */
const char *domain_hyperv_name(DomainHypervFeature feature);

void domain_hyperv_init(DomainHyperv *hyperv);
/* The element @node; what an earlier one said stays unless this one says something else of it. */
gboolean domain_hyperv_parse(DomainHyperv *hyperv, const struct _xmlNode *node, GError **error);
void domain_hyperv_format(const DomainHyperv *hyperv, struct XmlWriter *out);
/* Any of them is on. */
gboolean domain_hyperv_is_on(const DomainHyperv *hyperv);
