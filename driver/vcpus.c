/* vcpus: how many vCPUs a domain has, by its definition. A guest that runs keeps what it started with. */
#include "driver/error.h"
#include "driver/verb.h"

typedef struct Wish {
    guint vcpus;
    guint affects;
} Wish;

#define WHICH_LIVE       "live"
#define WHICH_PERSISTENT "persistent"

static gboolean
check_below(const DomainDef *def, guint vcpus, const char *which, GError **error)
{
    return vcpus <= def->vcpus ||
           driver_error(error, VIR_ERR_INVALID_ARG,
                        "requested vcpus is greater than max allowable vcpus for the %s domain: %u > %u",
                        which, vcpus, def->vcpus);
}

/* What the topology comes to; 0: there is none. */
static guint
topology_vcpus(const DomainCpu *cpu)
{
    return cpu->sockets * cpu->dies * cpu->cores * cpu->threads;
}

static gboolean
check_maximum(const Verb *verb, const Wish *wish, GError **error)
{
    const DomainDef *def = verb->domain->persistent;
    guint in_topology;

    if (wish->affects & VIR_DOMAIN_AFFECT_LIVE)
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "maximum vcpu count of a live domain can't be modified");
    in_topology = topology_vcpus(&def->cpu);
    return !in_topology || in_topology == wish->vcpus ||
           driver_error(error, VIR_ERR_INVALID_ARG,
                        "CPU topology doesn't match the desired vcpu count");
}

static gboolean
check_count(const Verb *verb, const Wish *wish, GError **error)
{
    const Domain *domain = verb->domain;
    gboolean live = (wish->affects & VIR_DOMAIN_AFFECT_LIVE) != 0;
    gboolean config = (wish->affects & VIR_DOMAIN_AFFECT_CONFIG) != 0;

    if ((live && !check_below(domain->live, wish->vcpus, WHICH_LIVE, error)) ||
        (config && !check_below(domain->persistent, wish->vcpus, WHICH_PERSISTENT, error)))
        return FALSE;
    return !live || domain_is_simulated(domain) || wish->vcpus == domain->live->current_vcpus ||
           driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                        "this machine cannot change the number of vCPUs of a guest that runs");
}

static gboolean
save_vcpus(Verb *verb, const Wish *wish, GError **error)
{
    g_autoptr(DomainDef) def = NULL;

    if (!(wish->affects & VIR_DOMAIN_AFFECT_CONFIG))
        return TRUE;
    def = domain_def_copy(verb->domain->persistent);
    if (verb->flags & VIR_DOMAIN_VCPU_MAXIMUM)
        def->vcpus = wish->vcpus;
    else
        def->current_vcpus = wish->vcpus;
    def->current_vcpus = MIN(def->current_vcpus, def->vcpus);
    return domain_def_check(def, error) && verb_save(verb, g_steal_pointer(&def), error);
}

static void
set_begin(Verb *verb)
{
    Wish *wish = verb->detail;
    gboolean maximum = (verb->flags & VIR_DOMAIN_VCPU_MAXIMUM) != 0;
    guint affects = verb_affects(verb);
    g_autoptr(GError) error = NULL;

    if (!affects)
        return;
    wish->affects = affects;
    if ((maximum ? check_maximum(verb, wish, &error) : check_count(verb, wish, &error)) &&
        save_vcpus(verb, wish, &error) && affects & VIR_DOMAIN_AFFECT_LIVE)
        verb->domain->live->current_vcpus = wish->vcpus; /* only a simulated guest has another number then */
    verb_finish(verb, error);
}

static gboolean
check_arguments(guint vcpus, guint flags, GError **error)
{
    if (vcpus == 0)
        return driver_error_argument(error, "nvcpus in virDomainSetVcpusFlags must not be zero");
    if (flags & VIR_DOMAIN_VCPU_GUEST)
        return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                            "this machine does not ask guests to change their vCPUs");
    return TRUE;
}

void
domain_set_vcpus(Domain *domain, guint vcpus, guint flags, DomainDone done, gpointer data)
{
    const guint known = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG |
                        VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_VCPU_GUEST |
                        VIR_DOMAIN_VCPU_HOTPLUGGABLE;
    g_autoptr(GError) error = NULL;
    Wish *wish;

    if (!check_arguments(vcpus, flags, &error)) {
        done(data, error);
        return;
    }
    wish = g_new(Wish, 1);
    *wish = (Wish){ vcpus, 0 };
    verb_start_checked("set-vcpus", &(Verb){ domain, flags, wish, g_free, set_begin, done, data },
                       "virDomainSetVcpusFlags", known);
}
