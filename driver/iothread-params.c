/* iothread-params: how an I/O thread works, changed: virDomainSetIOThreadParams, in libvirt's words. */
#include "driver/iothreads.h"

#include "driver/alter.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/typed-params.h"

typedef struct Wish {
    Alteration alteration;
    guint id;
    GVariant *params;
} Wish;

static void
wish_free(gpointer data)
{
    Wish *wish = data;

    g_variant_unref(wish->params);
    g_free(wish);
}

static const TypedParam params[] = {
    { VIR_DOMAIN_IOTHREAD_POLL_MAX_NS, G_VARIANT_TYPE_UINT64 },
    { VIR_DOMAIN_IOTHREAD_POLL_GROW, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_IOTHREAD_POLL_SHRINK, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN, G_VARIANT_TYPE_INT32 },
    { VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX, G_VARIANT_TYPE_INT32 },
    { NULL },
};

/* libvirt's test driver knows these, of a guest that runs. */
static const TypedParam test_params[] = {
    { VIR_DOMAIN_IOTHREAD_POLL_MAX_NS, G_VARIANT_TYPE_UINT64 },
    { VIR_DOMAIN_IOTHREAD_POLL_GROW, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_IOTHREAD_POLL_SHRINK, G_VARIANT_TYPE_UINT32 },
    { NULL },
};

static void
read_poll(GVariant *values, IoThreadPoll *poll)
{
    typed_params_get_uint64(values, VIR_DOMAIN_IOTHREAD_POLL_MAX_NS, &poll->max_ns);
    typed_params_get_uint(values, VIR_DOMAIN_IOTHREAD_POLL_GROW, &poll->grow);
    typed_params_get_uint(values, VIR_DOMAIN_IOTHREAD_POLL_SHRINK, &poll->shrink);
}

static gboolean
sets_poll(GVariant *values)
{
    for (gsize i = 0; test_params[i].name; i++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(values, test_params[i].name, NULL);

        if (value)
            return TRUE;
    }
    return FALSE;
}

static gboolean
read_pool(GVariant *values, IoThreadPool *pool)
{
    gboolean min = g_variant_lookup(values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN, "i", &pool->min);
    gboolean max = g_variant_lookup(values, VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX, "i", &pool->max);

    return min || max;
}

static gboolean
check_most(const char *name, guint64 value, GError **error)
{
    return value <= G_MAXINT || driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                             "%s (%" G_GUINT64_FORMAT
                                             ") must be less than or equal to %d",
                                             name, value, G_MAXINT);
}

static gboolean
check_values(GVariant *values, GError **error)
{
    IoThreadPoll poll = { 0 };
    IoThreadPool pool = { IOTHREAD_POOL_UNSAID, IOTHREAD_POOL_UNSAID };

    read_poll(values, &poll);
    read_pool(values, &pool);
    if (!check_most("poll-max-ns", poll.max_ns, error) ||
        !check_most("poll-grow", poll.grow, error) ||
        !check_most("poll-shrink", poll.shrink, error))
        return FALSE;
    if (pool.min < IOTHREAD_POOL_UNSAID)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "thread_pool_min (%d) must be equal to or greater than -1", pool.min);
    return (pool.max >= IOTHREAD_POOL_UNSAID && pool.max != 0) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "thread_pool_max (%d) must be a positive number or -1", pool.max);
}

static gboolean
check_sign(const char *name, int value, GError **error)
{
    return value >= 0 || driver_error(error, VIR_ERR_OPERATION_INVALID,
                                      "%s (%d) must be equal to or greater than 0 for live change",
                                      name, value);
}

/* In a guest that runs a bound can change, but no more be taken back. */
static gboolean
check_live_pool(GVariant *values, GError **error)
{
    IoThreadPool pool = { 0 };

    read_pool(values, &pool);
    return check_sign("thread_pool_min", pool.min, error) &&
           check_sign("thread_pool_max", pool.max, error);
}

static DomainIoThread *
find_to_set(const DomainDef *def, guint id, GError **error)
{
    DomainIoThread *thread = domain_iothreads_find(&def->iothreads, id);

    if (!thread)
        driver_error(error, VIR_ERR_INVALID_ARG, "cannot find IOThread '%u' in iothreadids", id);
    return thread;
}

static gboolean
check_pool(GVariant *values, IoThreadPool pool, GError **error)
{
    return !read_pool(values, &pool) || pool.min <= pool.max ||
           driver_error(error, VIR_ERR_OPERATION_INVALID,
                        "thread_pool_min (%d) can't be greater than thread_pool_max (%d)", pool.min,
                        pool.max);
}

static gboolean
set_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    DomainIoThread *thread = find_to_set(def, wish->id, error);

    if (!thread)
        return FALSE;
    if (def->virt != DOMAIN_VIRT_TEST && sets_poll(wish->params))
        return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                            "configuring persistent polling values is not supported");
    if (!check_pool(wish->params, thread->pool, error))
        return FALSE;
    read_pool(wish->params, &thread->pool);
    return TRUE;
}

static VmmMsg *
tell_set(Alteration *alteration, const Domain *domain, VmmLink *link, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    const DomainIoThread *thread = find_to_set(domain->live, wish->id, error);
    IoThreadPoll poll;
    VmmMsg *request;

    if (!thread || !check_live_pool(wish->params, error) ||
        !check_pool(wish->params, thread->pool, error))
        return NULL;
    request = iothread_request(link, VMM_TELL_IOTHREAD, wish->id);
    poll = thread->poll;
    read_poll(wish->params, &poll);
    vmm_msg_put_u64(request, "poll-max-ns", poll.max_ns);
    vmm_msg_put_u64(request, "poll-grow", poll.grow);
    vmm_msg_put_u64(request, "poll-shrink", poll.shrink);
    return request;
}

static gboolean
set_live(const Alteration *alteration, Domain *domain, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    DomainIoThread *thread = find_to_set(domain->live, wish->id, error);

    if (!thread)
        return FALSE;
    read_poll(wish->params, &thread->poll);
    read_pool(wish->params, &thread->pool);
    return TRUE;
}

static const AlterationKind set_kind = {
    .job = "set-iothread",
    .function = "virDomainSetIOThreadParams",
    .config = set_config,
    .tell = tell_set,
    .live = set_live,
    .free = wish_free,
};

static gboolean
check_params(const Domain *domain, guint id, GVariant *values, guint flags, GError **error)
{
    if (!domain_is_simulated(domain))
        return iothread_check_id(id, error) && typed_params_check(values, params, error) &&
               check_values(values, error);
    return driver_check_flags(flags, VIR_DOMAIN_AFFECT_LIVE, "virDomainSetIOThreadParams", error) &&
           iothread_check_id(id, error) && typed_params_check(values, test_params, error);
}

void
domain_set_iothread(Domain *domain, guint id, GVariant *values, guint flags, DomainDone done,
                    gpointer data)
{
    g_autoptr(GError) error = NULL;
    Wish *wish;

    if (!check_params(domain, id, values, flags, &error)) {
        done(data, error);
        return;
    }
    wish = g_new(Wish, 1);
    *wish = (Wish){ { &set_kind }, id, g_variant_ref(values) };
    alter(domain, &wish->alteration, flags, done, data);
}
