#include "driver/iothreads.h"

#include "driver/alter.h"
#include "driver/device-disk.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/guest-limits.h"
#include "driver/guest-threads.h"
#include "driver/pinning.h"

#define AFFECTS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

IoThreadPoll
iothread_first_poll(void)
{
    return (IoThreadPoll){ .max_ns = VMM_POLL_MAX_NS };
}

VmmMsg *
iothread_request(VmmLink *link, const char *verb, guint id)
{
    VmmMsg *request = vmm_link_request(link, verb);

    vmm_msg_put_u64(request, "id", id);
    return request;
}

/* Asking */

/* Where it may run: in a guest that runs, as the host has it. */
static CpuSet
cpus_of(const Domain *domain, const DomainDef *def, const DomainIoThread *iothread)
{
    GuestThread thread;

    if (def == domain->live && !domain_is_simulated(domain) &&
        guest_threads_find_iothread(guest_pid(domain->guest), iothread->id, &thread))
        return guest_thread_affinity(thread.tid);
    if (!cpuset_is_empty(&iothread->cpus))
        return iothread->cpus;
    return cpuset_is_empty(&def->tune.cpuset) ? cpuset_host() : def->tune.cpuset;
}

GVariant *
domain_iothreads(const Domain *domain, guint flags, GError **error)
{
    const DomainDef *def;
    GVariantBuilder rows;

    if (!driver_check_flags(flags, AFFECTS, "virDomainGetIOThreadInfo", error))
        return NULL;
    def = domain_affected_def(domain, flags, error);
    if (!def)
        return NULL;
    g_variant_builder_init(&rows, G_VARIANT_TYPE("a(uab)"));
    for (guint i = 0; i < def->iothreads.list->len; i++) {
        const DomainIoThread *thread = domain_iothreads_get(&def->iothreads, i);
        const CpuSet cpus = cpus_of(domain, def, thread);

        g_variant_builder_add(&rows, "(u@ab)", thread->id, cpuset_to_variant(&cpus, domain_mapped_cpus(domain)));
    }
    return g_variant_builder_end(&rows);
}

/* Changing; what all of that is about. */
typedef struct Wish {
    Alteration alteration;
    guint id;
    CpuSet cpus; /* of a pin */
} Wish;

static Wish *
wish_new(const AlterationKind *kind, guint id)
{
    Wish *wish = g_new0(Wish, 1);

    wish->alteration.kind = kind;
    wish->id = id;
    return wish;
}

gboolean
iothread_check_id(guint id, GError **error)
{
    return id != 0 ||
           driver_error(error, VIR_ERR_INVALID_ARG, "invalid value of 0 for iothread_id");
}

/* libvirt's test driver changes one definition at a time. */
static gboolean
check_alone(const Domain *domain, guint flags, GError **error)
{
    return !domain_is_simulated(domain) || driver_check_affect_flags(flags, error);
}

/* Coming */

static gboolean
check_free(const DomainDef *def, guint id, GError **error)
{
    return !domain_iothreads_find(&def->iothreads, id) ||
           driver_error(error, VIR_ERR_INVALID_ARG,
                        "an IOThread is already using iothread_id '%u'", id);
}

static gboolean
add_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    const Wish *wish = (const Wish *)alteration;

    if (!check_free(def, wish->id, error))
        return FALSE;
    domain_iothreads_add(&def->iothreads, wish->id);
    return domain_def_check(def, error);
}

static VmmMsg *
tell_add(Alteration *alteration, const Domain *domain, VmmLink *link, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    g_autoptr(DomainDef) def = domain_def_copy(domain->live);

    if (!add_config(alteration, def, error))
        return NULL;
    return iothread_request(link, VMM_ADD_IOTHREAD, wish->id);
}

static void
taken_back(gpointer data, VmmMsg *reply, const GError *error)
{
    if (error)
        g_warning("An I/O thread without limits stays in a guest: %s", error->message);
}

static void
take_back(Domain *domain, guint id)
{
    VmmLink *link = guest_link(domain->guest);

    domain_iothreads_remove(&domain->live->iothreads, id);
    if (link)
        vmm_link_send(link, iothread_request(link, VMM_REMOVE_IOTHREAD, id), VMM_LINK_TIMEOUT_MS,
                      taken_back, NULL);
}

static gboolean
add_live(const Alteration *alteration, Domain *domain, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    DomainIoThread *thread = domain_iothreads_add(&domain->live->iothreads, wish->id);

    thread->poll = iothread_first_poll();
    if (domain_is_simulated(domain) ||
        guest_limits_iothread(domain->live, guest_room(domain->guest), guest_pid(domain->guest), wish->id, error))
        return TRUE;
    take_back(domain, wish->id);
    return FALSE;
}

static const AlterationKind add_kind = {
    .job = "add-iothread",
    .function = "virDomainAddIOThread",
    .config = add_config,
    .tell = tell_add,
    .live = add_live,
    .free = g_free,
};

/* Going */

static gboolean
check_idle(const DomainDef *def, guint id, GError **error)
{
    if (!domain_iothreads_find(&def->iothreads, id))
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "cannot find IOThread '%u' in iothreadids list", id);
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (device_disk_iothread(dev) == id)
            return driver_error(error, VIR_ERR_INVALID_ARG,
                                "cannot remove IOThread %u since it is being used by disk '%s'", id,
                                device_disk_target(dev));
    }
    return TRUE;
}

static gboolean
del_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    const Wish *wish = (const Wish *)alteration;

    if (!check_idle(def, wish->id, error))
        return FALSE;
    domain_iothreads_remove(&def->iothreads, wish->id);
    return TRUE;
}

static VmmMsg *
tell_del(Alteration *alteration, const Domain *domain, VmmLink *link, GError **error)
{
    const Wish *wish = (const Wish *)alteration;

    if (!check_idle(domain->live, wish->id, error))
        return NULL;
    return iothread_request(link, VMM_REMOVE_IOTHREAD, wish->id);
}

static gboolean
del_live(const Alteration *alteration, Domain *domain, GError **error)
{
    const Wish *wish = (const Wish *)alteration;

    domain_iothreads_remove(&domain->live->iothreads, wish->id);
    guest_limits_drop_iothread(guest_room(domain->guest), wish->id);
    return TRUE;
}

static const AlterationKind del_kind = {
    .job = "del-iothread",
    .function = "virDomainDelIOThread",
    .config = del_config,
    .tell = tell_del,
    .live = del_live,
    .free = g_free,
};

/* Pinning */

static gboolean
pin_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    DomainIoThread *thread = domain_iothreads_find(&def->iothreads, wish->id);

    if (!thread)
        return driver_error(error, VIR_ERR_INVALID_ARG, "iothreadid %u not found", wish->id);
    thread->cpus = wish->cpus;
    return TRUE;
}

static gboolean
pin_thread(const Domain *domain, const Wish *wish, GError **error)
{
    GuestThread thread;

    if (!domain_iothreads_find(&domain->live->iothreads, wish->id) ||
        !guest_threads_find_iothread(guest_pid(domain->guest), wish->id, &thread))
        return driver_error(error, VIR_ERR_INVALID_ARG, "iothread %u not found", wish->id);
    return guest_thread_pin(thread.tid, &wish->cpus, error);
}

static gboolean
pin_live(const Alteration *alteration, Domain *domain, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    g_autofree char *name = g_strdup_printf(VIR_DOMAIN_TUNABLE_CPU_IOTHREADSPIN, wish->id);

    if ((!domain_is_simulated(domain) && !pin_thread(domain, wish, error)) ||
        !pin_config(alteration, domain->live, error))
        return FALSE;
    domain_tell_pinned(domain, name, &wish->cpus);
    return TRUE;
}

static const AlterationKind pin_kind = {
    .job = "pin",
    .function = "virDomainPinIOThread",
    .config = pin_config,
    .live = pin_live,
    .free = g_free,
};

/* The calls */

void
domain_add_iothread(Domain *domain, guint id, guint flags, DomainDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;

    if (iothread_check_id(id, &error) && check_alone(domain, flags, &error))
        alter(domain, &wish_new(&add_kind, id)->alteration, flags, done, data);
    else
        done(data, error);
}

void
domain_del_iothread(Domain *domain, guint id, guint flags, DomainDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;

    if (iothread_check_id(id, &error) && check_alone(domain, flags, &error))
        alter(domain, &wish_new(&del_kind, id)->alteration, flags, done, data);
    else
        done(data, error);
}

void
domain_pin_iothread(Domain *domain, guint id, GVariant *map, guint flags, DomainDone done,
                    gpointer data)
{
    g_autoptr(GError) error = NULL;
    Wish *wish = wish_new(&pin_kind, id);

    wish->cpus = cpuset_from_variant(map, domain_mapped_cpus(domain));
    if (!cpuset_is_empty(&wish->cpus)) {
        alter(domain, &wish->alteration, flags, done, data);
        return;
    }
    g_free(wish);
    driver_error(&error, VIR_ERR_INVALID_ARG, "Empty iothread cpumap list for pinning");
    done(data, error);
}

/* After a restart */

typedef struct Question {
    Domain *domain;
    guint id;
} Question;

static void
heard_poll(gpointer data, VmmMsg *reply, const GError *error)
{
    Question *question = data;
    const DomainDef *live = question->domain->live;
    DomainIoThread *thread = live ? domain_iothreads_find(&live->iothreads, question->id) : NULL;
    guint64 grow = 0, shrink = 0;

    if (reply && thread) {
        vmm_msg_get_u64(reply, "poll-max-ns", &thread->poll.max_ns);
        vmm_msg_get_u64(reply, "poll-grow", &grow);
        vmm_msg_get_u64(reply, "poll-shrink", &shrink);
        thread->poll.grow = MIN(grow, G_MAXUINT);
        thread->poll.shrink = MIN(shrink, G_MAXUINT);
    }
    domain_unref(question->domain);
    g_free(question);
}

void
iothreads_refresh(Domain *domain)
{
    VmmLink *link = domain->guest ? guest_link(domain->guest) : NULL;
    const DomainIoThreads *threads = &domain->live->iothreads;

    for (guint i = 0; link && i < threads->list->len; i++) {
        guint id = domain_iothreads_get(threads, i)->id;
        Question *question = g_new(Question, 1);

        *question = (Question){ domain_ref(domain), id };
        vmm_link_send(link, iothread_request(link, VMM_TELL_IOTHREAD, id), VMM_LINK_TIMEOUT_MS,
                      heard_poll, question);
    }
}
