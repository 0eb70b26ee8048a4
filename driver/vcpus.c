/* vcpus: how many vCPUs a domain has, by its definition or, where the guest is meant, by its agent. A guest that runs
 * keeps what it started with, but need not use all of it. */
#include "driver/domain-agent.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/verb.h"

typedef struct Wish {
    guint vcpus;
    guint affects;
    DomainReply done;
    gpointer data;
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

static void
set_done(gpointer data, const GError *error)
{
    const Wish *wish = data;

    wish->done(wish->data, NULL, error);
}

/* The flags that @function knows of @domain: a simulated guest has no CPUs of its own. */
static gboolean
check_flags(const Domain *domain, guint flags, guint more, const char *function, GError **error)
{
    const guint known = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_DOMAIN_VCPU_MAXIMUM;

    return driver_check_flags(flags, known | more | (domain_is_simulated(domain) ? 0 : VIR_DOMAIN_VCPU_GUEST),
                              function, error);
}

static gboolean
check_set(const Domain *domain, guint vcpus, guint flags, GError **error)
{
    if (!driver_check_vcpu_flags(flags, error))
        return FALSE;
    if (vcpus == 0)
        return driver_error_argument(error, "nvcpus in virDomainSetVcpusFlags must not be zero");
    return check_flags(domain, flags, VIR_DOMAIN_VCPU_HOTPLUGGABLE, "virDomainSetVcpusFlags", error) &&
           (!(flags & VIR_DOMAIN_VCPU_GUEST) || domain_affected_def(domain, flags, error));
}

void
domain_set_vcpus(Domain *domain, guint vcpus, guint flags, DomainReply done, gpointer data)
{
    g_autoptr(GError) error = NULL;
    Wish *wish;

    if (!check_set(domain, vcpus, flags, &error)) {
        done(data, NULL, error);
        return;
    }
    if (flags & VIR_DOMAIN_VCPU_GUEST) {
        domain_use_guest_vcpus(domain, vcpus, done, data);
        return;
    }
    wish = g_new(Wish, 1);
    *wish = (Wish){ vcpus, 0, done, data };
    verb_start("set-vcpus", &(Verb){ domain, flags, wish, g_free, set_begin, set_done, wish });
}

static const DomainDef *
def_to_count(const Domain *domain, guint flags, GError **error)
{
    const DomainDef *def;

    if (!check_flags(domain, flags, 0, "virDomainGetVcpusFlags", error) ||
        !(def = domain_affected_def(domain, flags, error)))
        return NULL;
    if (!(flags & VIR_DOMAIN_VCPU_GUEST) || domain_is_active(domain))
        return def;
    driver_error(error, VIR_ERR_INVALID_ARG,
                 "vCPU count provided by the guest agent can only be requested for live domains");
    return NULL;
}

void
domain_get_vcpus(Domain *domain, guint flags, DomainReply done, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) count = NULL;
    const DomainDef *def = def_to_count(domain, flags, &error);

    if (def && flags & VIR_DOMAIN_VCPU_GUEST) {
        domain_count_guest_vcpus(domain, flags, done, data);
        return;
    }
    if (def)
        count = g_variant_ref_sink(
            g_variant_new_uint32(flags & VIR_DOMAIN_VCPU_MAXIMUM ? def->vcpus : def->current_vcpus));
    done(data, count, error);
}
