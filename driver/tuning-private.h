/* tuning-private: what a family of parameters is: for tuning and tuning-*. */
#pragma once

#include "driver/domain-private.h"
#include "driver/tuning.h"
#include "driver/typed-params.h"

struct Tuning {
    const char *job; /* a literal */
    const char *get_name, *set_name;
    const char *session, *absent; /* libvirt's words where there is no such controller */
    const char *tunable; /* what libvirt's event about them puts before their names; NULL: it tells of none */
    CgroupController controller;
    const TypedParam *params;
    /* Values alone; must hold for either definition. */
    gboolean (*check)(GVariant *params, GError **error);
    /* Values beside those of @tune that stay; NULL: they are nothing to each other. */
    gboolean (*fits)(const DomainTune *tune, GVariant *params, GError **error);
    gboolean (*set_live)(const Domain *domain, GVariant *params, GError **error);
    void (*set_def)(DomainTune *tune, GVariant *params);
    gboolean (*get_live)(const Domain *domain, GVariantBuilder *out, GError **error);
    void (*get_def)(const DomainTune *tune, GVariantBuilder *out);
};
