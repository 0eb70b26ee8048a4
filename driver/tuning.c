#include "driver/tuning-private.h"

#include "driver/alter.h"
#include "driver/error.h"
#include "driver/flags.h"

#define FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_TYPED_PARAM_STRING_OKAY)

/* A guest that runs is tuned by its cgroup; a session may have none. */
static gboolean
check_controller(const Domain *domain, const Tuning *tuning, GError **error)
{
    const Cgroup *room = guest_room(domain->guest);

    if (!room && !domain->host->env->privileged)
        return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED, "%s", tuning->session);
    return (room && cgroup_has(room, tuning->controller)) ||
           driver_error(error, VIR_ERR_OPERATION_INVALID, "%s", tuning->absent);
}

GVariant *
domain_tuning_get(const Domain *domain, const Tuning *tuning, guint flags, GError **error)
{
    gboolean live = domain_is_active(domain) && !(flags & VIR_DOMAIN_AFFECT_CONFIG) &&
                    !domain_is_simulated(domain);
    const DomainDef *def;
    GVariantBuilder out;

    if (!driver_check_flags(flags, FLAGS, tuning->get_name, error))
        return NULL;
    def = domain_affected_def(domain, flags, error);
    if (!def || (live && !check_controller(domain, tuning, error)))
        return NULL;
    g_variant_builder_init(&out, G_VARIANT_TYPE_VARDICT);
    if (!live)
        tuning->get_def(&def->tune, &out);
    else if (!tuning->get_live(domain, &out, error)) {
        g_variant_builder_clear(&out);
        return NULL;
    }
    return g_variant_builder_end(&out);
}

/* Setting */

typedef struct Wish {
    Alteration alteration;
    AlterationKind kind;
    const Tuning *tuning;
    GVariant *params;
} Wish;

static void
wish_free(gpointer data)
{
    Wish *wish = data;

    g_variant_unref(wish->params);
    g_free(wish);
}

static void
tell_tunable(Domain *domain, const Wish *wish)
{
    g_autoptr(GVariant) all = NULL;
    GVariantBuilder builder;

    if (!wish->tuning->tunable || g_variant_n_children(wish->params) == 0)
        return;
    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    typed_params_add(&builder, wish->tuning->tunable, wish->params);
    all = g_variant_ref_sink(g_variant_builder_end(&builder));
    domain_tell(domain, tunable, all);
}

static gboolean
check_fits(const Wish *wish, const DomainTune *tune, GError **error)
{
    return !wish->tuning->fits || wish->tuning->fits(tune, wish->params, error);
}

static gboolean
set_live(const Alteration *alteration, Domain *domain, GError **error)
{
    const Wish *wish = (const Wish *)alteration;

    if (!check_fits(wish, &domain->live->tune, error))
        return FALSE;
    if (!domain_is_simulated(domain)) {
        if (!check_controller(domain, wish->tuning, error) ||
            !wish->tuning->set_live(domain, wish->params, error))
            return FALSE;
        tell_tunable(domain, wish);
    }
    wish->tuning->set_def(&domain->live->tune, wish->params);
    return TRUE;
}

static gboolean
set_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    const Wish *wish = (const Wish *)alteration;

    if (!check_fits(wish, &def->tune, error))
        return FALSE;
    wish->tuning->set_def(&def->tune, wish->params);
    return TRUE;
}

void
domain_tuning_set(Domain *domain, const Tuning *tuning, GVariant *params, guint flags,
                  DomainDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;
    Wish *wish;

    if ((domain_is_simulated(domain) && !driver_check_affect_flags(flags, &error)) ||
        !typed_params_check(params, tuning->params, &error) ||
        (tuning->check && !tuning->check(params, &error))) {
        done(data, error);
        return;
    }
    wish = g_new0(Wish, 1);
    wish->alteration.kind = &wish->kind;
    wish->kind = (AlterationKind){
        .job = tuning->job,
        .function = tuning->set_name,
        .flags = VIR_TYPED_PARAM_STRING_OKAY,
        .config = set_config,
        .live = set_live,
        .free = wish_free,
    };
    wish->tuning = tuning;
    wish->params = g_variant_ref(params);
    alter(domain, &wish->alteration, flags, done, data);
}
