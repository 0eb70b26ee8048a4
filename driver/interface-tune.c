#include "driver/interface-tune.h"

#include "driver/alter.h"
#include "driver/bandwidth.h"
#include "driver/device-interface.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/typed-params.h"

#define FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

static const TypedParam known[] = {
    { VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_BANDWIDTH_IN_PEAK, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_BANDWIDTH_IN_BURST, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_BANDWIDTH_IN_FLOOR, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_BANDWIDTH_OUT_PEAK, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_BANDWIDTH_OUT_BURST, G_VARIANT_TYPE_UINT32 },
    { NULL },
};

static Device *
find_interface(const DomainDef *def, const char *name, GError **error)
{
    Device *dev = device_interface_lookup(def->devices, name);

    if (!dev)
        driver_error(error, VIR_ERR_INVALID_ARG, "'%s' is not a known interface", name);
    return dev;
}

/* Getting */

static void
add(GVariantBuilder *out, const char *name, guint64 kib)
{
    g_variant_builder_add(out, "{sv}", name, g_variant_new_uint32(MIN(kib, G_MAXUINT32)));
}

GVariant *
domain_interface_parameters(const Domain *domain, const char *name, guint flags, GError **error)
{
    const DomainDef *def;
    const Bandwidth *bandwidth;
    Device *dev;
    GVariantBuilder out;

    if (!driver_check_flags(flags, FLAGS | VIR_TYPED_PARAM_STRING_OKAY,
                            "virDomainGetInterfaceParameters", error) ||
        !(def = domain_affected_def(domain, flags, error)) ||
        !(dev = find_interface(def, name, error)))
        return NULL;
    bandwidth = device_interface_bandwidth(dev);
    g_variant_builder_init(&out, G_VARIANT_TYPE_VARDICT);
    add(&out, VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, bandwidth->in.average);
    add(&out, VIR_DOMAIN_BANDWIDTH_IN_PEAK, bandwidth->in.peak);
    add(&out, VIR_DOMAIN_BANDWIDTH_IN_BURST, bandwidth->in.burst);
    add(&out, VIR_DOMAIN_BANDWIDTH_IN_FLOOR, bandwidth->in.floor);
    add(&out, VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, bandwidth->out.average);
    add(&out, VIR_DOMAIN_BANDWIDTH_OUT_PEAK, bandwidth->out.peak);
    add(&out, VIR_DOMAIN_BANDWIDTH_OUT_BURST, bandwidth->out.burst);
    return g_variant_builder_end(&out);
}

/* Setting */

typedef struct Wish {
    Alteration alteration;
    char *name;
    GVariant *params;
    Bandwidth bandwidth; /* that is to be, while the VMM is told */
    char *alias;         /* of the interface that it is for */
} Wish;

static void
wish_free(gpointer data)
{
    Wish *wish = data;

    g_free(wish->name);
    g_free(wish->alias);
    g_variant_unref(wish->params);
    g_free(wish);
}

/* FALSE where it is not spoken of. */
static gboolean
take(GVariant *params, const char *name, guint64 *ret)
{
    guint value;

    if (!typed_params_get_uint(params, name, &value))
        return FALSE;
    *ret = value;
    return TRUE;
}

/* Neither an average nor a floor: there is no limit. */
static void
take_params(Bandwidth *bandwidth, GVariant *params)
{
    BandwidthRate in = { 0 }, out = { 0 };
    gboolean average = take(params, VIR_DOMAIN_BANDWIDTH_IN_AVERAGE, &in.average);
    gboolean floor = take(params, VIR_DOMAIN_BANDWIDTH_IN_FLOOR, &in.floor);

    take(params, VIR_DOMAIN_BANDWIDTH_IN_PEAK, &in.peak);
    take(params, VIR_DOMAIN_BANDWIDTH_IN_BURST, &in.burst);
    if (average || floor)
        bandwidth->in = in.average || in.floor ? in : (BandwidthRate){ 0 };
    take(params, VIR_DOMAIN_BANDWIDTH_OUT_PEAK, &out.peak);
    take(params, VIR_DOMAIN_BANDWIDTH_OUT_BURST, &out.burst);
    if (take(params, VIR_DOMAIN_BANDWIDTH_OUT_AVERAGE, &out.average))
        bandwidth->out = out.average ? out : (BandwidthRate){ 0 };
}

/* What @dev will have. */
static gboolean
change(Device *dev, GVariant *params, Bandwidth *ret, GError **error)
{
    *ret = *device_interface_bandwidth(dev);
    take_params(ret, params);
    return !ret->in.floor || device_interface_may_floor(dev) || bandwidth_refuse_floor(error);
}

static gboolean
set_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    Device *dev = find_interface(def, wish->name, error);

    return dev && change(dev, wish->params, device_interface_bandwidth(dev), error);
}

static VmmMsg *
tell(Alteration *alteration, const Domain *domain, VmmLink *link, GError **error)
{
    Wish *wish = (Wish *)alteration;
    Device *dev = find_interface(domain->live, wish->name, error);
    VmmMsg *request;

    if (!dev || !change(dev, wish->params, &wish->bandwidth, error))
        return NULL;
    wish->alias = g_strdup(dev->alias);
    request = vmm_link_request(link, VMM_TELL_DEVICE);
    vmm_msg_put_string(request, "id", dev->alias);
    bandwidth_put(&wish->bandwidth, TRUE, request);
    return request;
}

/* The card may have gone meanwhile. */
static gboolean
set_live(const Alteration *alteration, Domain *domain, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    Device *dev = device_interface_lookup(domain->live->devices, wish->name);

    if (dev && g_strcmp0(dev->alias, wish->alias) == 0)
        *device_interface_bandwidth(dev) = wish->bandwidth;
    return TRUE;
}

static const AlterationKind kind = {
    .job = "set-interface-parameters",
    .function = "virDomainSetInterfaceParameters",
    .config = set_config,
    .tell = tell,
    .live = set_live,
    .free = wish_free,
};

void
domain_set_interface_parameters(Domain *domain, const char *name, GVariant *params, guint flags,
                                DomainDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;
    Wish *wish;

    if (!typed_params_check(params, known, &error)) {
        done(data, error);
        return;
    }
    wish = g_new0(Wish, 1);
    wish->name = g_strdup(name);
    wish->params = g_variant_ref(params);
    wish->alteration.kind = &kind;
    alter(domain, &wish->alteration, flags, done, data);
}
