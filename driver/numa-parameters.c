#include "driver/numa-parameters.h"

#include "driver/alter.h"
#include "driver/domain-private.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/typed-params.h"

#include <libvirt/libvirt.h>

#define GET_FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_TYPED_PARAM_STRING_OKAY)

static const TypedParam params_known[] = {
    { VIR_DOMAIN_NUMA_MODE, G_VARIANT_TYPE_INT32 },
    { VIR_DOMAIN_NUMA_NODESET, G_VARIANT_TYPE_STRING },
    { NULL },
};

GVariant *
domain_numa_parameters(const Domain *domain, guint flags, GError **error)
{
    g_autofree char *nodes = NULL;
    const DomainDef *def;
    GVariantBuilder out;

    if (!driver_check_flags(flags, GET_FLAGS, "virDomainGetNumaParameters", error))
        return NULL;
    def = domain_affected_def(domain, flags, error);
    if (!def)
        return NULL;
    nodes = cpuset_format(&def->numatune.nodes);
    g_variant_builder_init(&out, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&out, "{sv}", VIR_DOMAIN_NUMA_MODE,
                          g_variant_new_int32(def->numatune.mode));
    g_variant_builder_add(&out, "{sv}", VIR_DOMAIN_NUMA_NODESET, g_variant_new_string(nodes));
    return g_variant_builder_end(&out);
}

/* Setting */

typedef struct Wish {
    Alteration alteration;
    int mode;     /* -1: as it is */
    CpuSet nodes; /* none: as they are */
} Wish;

static gboolean
merge(DomainNumatune *numatune, const Wish *wish, GError **error)
{
    if (cpuset_is_empty(&wish->nodes) && !numatune->said)
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "nodeset for NUMA memory tuning must be set if 'placement' is 'static'");
    numatune->said = TRUE;
    if (wish->mode >= 0)
        numatune->mode = wish->mode;
    if (!cpuset_is_empty(&wish->nodes))
        numatune->nodes = wish->nodes;
    return TRUE;
}

static gboolean
set_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    return merge(&def->numatune, (const Wish *)alteration, error);
}

/* Whether what a guest that runs has can become that. libvirt's test driver is less strict about modes. */
static gboolean
check_live(const Domain *domain, const Wish *wish, GError **error)
{
    const DomainNumatune *now = &domain->live->numatune;
    gboolean bound = now->mode == VIR_DOMAIN_NUMATUNE_MEM_STRICT ||
                     now->mode == VIR_DOMAIN_NUMATUNE_MEM_RESTRICTIVE;

    if (now->said && wish->mode >= 0 && wish->mode != now->mode)
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "can't change numatune mode for running domain");
    if (now->said && !bound && !domain_is_simulated(domain) && !cpuset_is_empty(&wish->nodes))
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "change of nodeset for running domain requires strict numa mode");
    return TRUE;
}

/* A guest whose RAM is nowhere in particular may get a mode with its first nodes. */
static VmmMsg *
tell(Alteration *alteration, const Domain *domain, VmmLink *link, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    DomainNumatune next = domain->live->numatune;
    VmmMsg *request;

    if (!check_live(domain, wish, error) || !merge(&next, wish, error))
        return NULL;
    request = vmm_link_request(link, VMM_SET_MEMORY_NODES);
    if (domain_is_simulated(domain) || domain_numatune_lower(&next, request, error))
        return request;
    vmm_msg_free(request);
    return NULL;
}

static gboolean
set_live(const Alteration *alteration, Domain *domain, GError **error)
{
    return merge(&domain->live->numatune, (const Wish *)alteration, error);
}

static const AlterationKind kind = {
    .job = "set-numa-parameters",
    .function = "virDomainSetNumaParameters",
    .flags = VIR_TYPED_PARAM_STRING_OKAY,
    .config = set_config,
    .tell = tell,
    .live = set_live,
    .free = g_free,
};

static gboolean
read_params(Wish *wish, GVariant *params, GError **error)
{
    const char *nodes;

    wish->mode = -1;
    if (!typed_params_check(params, params_known, error))
        return FALSE;
    if (g_variant_lookup(params, VIR_DOMAIN_NUMA_MODE, "i", &wish->mode) &&
        (wish->mode < 0 || wish->mode > VIR_DOMAIN_NUMATUNE_MEM_RESTRICTIVE))
        return driver_error(error, VIR_ERR_INVALID_ARG, "unsupported numatune mode: '%d'",
                            wish->mode);
    return !typed_params_get_text(params, VIR_DOMAIN_NUMA_NODESET, &nodes) ||
           domain_numatune_parse_nodes(nodes, VIR_ERR_OPERATION_INVALID,
                                       "Invalid nodeset of 'numatune'", &wish->nodes, error);
}

void
domain_set_numa_parameters(Domain *domain, GVariant *params, guint flags, DomainDone done,
                           gpointer data)
{
    g_autoptr(GError) error = NULL;
    Wish *wish = g_new0(Wish, 1);

    wish->alteration.kind = &kind;
    if ((!domain_is_simulated(domain) || driver_check_affect_flags(flags, &error)) &&
        read_params(wish, params, &error)) {
        alter(domain, &wish->alteration, flags, done, data);
        return;
    }
    done(data, error);
    g_free(wish);
}
