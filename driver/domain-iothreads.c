#include "driver/domain-iothreads.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <sched.h>
#include <string.h>

#define POOL_MOST 64 /* threads that a disk can have for its calls */

/* libvirt's words; the last two have a priority. */
static const char *const policy_words[] = { "batch", "idle", "fifo", "rr", NULL };
static const int policies[] = { SCHED_BATCH, SCHED_IDLE, SCHED_FIFO, SCHED_RR };

void
domain_iothreads_init(DomainIoThreads *threads)
{
    *threads = (DomainIoThreads){
        .list = g_ptr_array_new_with_free_func(g_free),
        .rest = { IOTHREAD_POOL_UNSAID, IOTHREAD_POOL_UNSAID },
    };
}

void
domain_iothreads_clear(DomainIoThreads *threads)
{
    g_clear_pointer(&threads->list, g_ptr_array_unref);
}

void
domain_iothreads_own(DomainIoThreads *threads)
{
    const GPtrArray *list = threads->list;

    threads->list = g_ptr_array_new_full(list->len, g_free);
    for (guint i = 0; i < list->len; i++)
        g_ptr_array_add(threads->list, g_memdup2(list->pdata[i], sizeof(DomainIoThread)));
}

/* The list */

DomainIoThread *
domain_iothreads_get(const DomainIoThreads *threads, guint i)
{
    return g_ptr_array_index(threads->list, i);
}

DomainIoThread *
domain_iothreads_find(const DomainIoThreads *threads, guint id)
{
    for (guint i = 0; i < threads->list->len; i++) {
        DomainIoThread *thread = domain_iothreads_get(threads, i);

        if (thread->id == id)
            return thread;
    }
    return NULL;
}

DomainIoThread *
domain_iothreads_add(DomainIoThreads *threads, guint id)
{
    DomainIoThread *thread = g_new0(DomainIoThread, 1);

    thread->id = id;
    thread->said = TRUE;
    thread->pool = (IoThreadPool){ IOTHREAD_POOL_UNSAID, IOTHREAD_POOL_UNSAID };
    g_ptr_array_add(threads->list, thread);
    return thread;
}

void
domain_iothreads_remove(DomainIoThreads *threads, guint id)
{
    g_ptr_array_remove(threads->list, domain_iothreads_find(threads, id));
}

guint
domain_iothreads_workers(const DomainIoThreads *threads, guint id)
{
    const DomainIoThread *thread = id ? domain_iothreads_find(threads, id) : NULL;
    const IoThreadPool *pool = thread ? &thread->pool : &threads->rest;

    return pool->max == IOTHREAD_POOL_UNSAID ? 0 : MIN(pool->max, POOL_MOST);
}

/* Parsing */

static gboolean
parse_pool(const XmlNode *node, IoThreadPool *pool, GError **error)
{
    return xml_attr_int(node, "thread_pool_min", XML_NON_NEGATIVE, &pool->min, error) &&
           xml_attr_int(node, "thread_pool_max", XML_NON_NEGATIVE, &pool->max, error);
}

static gboolean
parse_thread(DomainIoThreads *threads, const XmlNode *node, GError **error)
{
    guint id = 0;

    if (!xml_attr_uint(node, "id", XML_REQUIRED | XML_NONZERO, &id, error))
        return FALSE;
    if (domain_iothreads_find(threads, id))
        return driver_error(error, VIR_ERR_XML_ERROR, "duplicate iothread id '%u' found", id);
    return parse_pool(node, &domain_iothreads_add(threads, id)->pool, error);
}

static gboolean
parse_ids(DomainIoThreads *threads, const XmlNode *root, GError **error)
{
    const XmlNode *ids = xml_child(root, "iothreadids");
    const XmlNode *node = ids ? xml_first(ids) : NULL;

    for (; node; node = xml_next(node)) {
        if (!xml_namespace(node) && strcmp(xml_name(node), "iothread") == 0 &&
            !parse_thread(threads, node, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
check_count(guint64 n, GError **error)
{
    return n <= DOMAIN_IOTHREADS_MAX ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "%" G_GUINT64_FORMAT " I/O threads are not supported by this machine, which "
                        "has up to %d",
                        n, DOMAIN_IOTHREADS_MAX);
}

/* Those that have no number get the first ones that are free. */
static gboolean
parse_count(DomainIoThreads *threads, const XmlNode *root, GError **error)
{
    g_autofree char *text = xml_child_text(root, "iothreads");
    guint64 n = 0;

    if (text && (!xml_parse_uint64(text, &n) || n > G_MAXUINT))
        return driver_error(error, VIR_ERR_XML_ERROR, "invalid iothreads count '%s'", text);
    if (!check_count(n, error))
        return FALSE;
    for (guint id = 1; threads->list->len < n; id++) {
        if (!domain_iothreads_find(threads, id))
            domain_iothreads_add(threads, id)->said = FALSE;
    }
    return TRUE;
}

static gboolean
fail_unknown(guint id, GError **error)
{
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Cannot find 'iothread' : %u", id);
}

static gboolean
parse_pin(DomainIoThreads *threads, const XmlNode *node, GError **error)
{
    g_autofree char *text = xml_attr(node, "cpuset");
    DomainIoThread *thread;
    guint id = 0;

    if (!xml_attr_uint(node, "iothread", XML_REQUIRED | XML_NONZERO, &id, error))
        return FALSE;
    thread = domain_iothreads_find(threads, id);
    if (!thread)
        return fail_unknown(id, error);
    if (!text)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "missing cpuset for iothreadpin");
    if (!cpuset_is_empty(&thread->cpus))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "duplicate iothreadpin for same iothread '%u'", id);
    if (!cpuset_parse(text, &thread->cpus, error))
        return FALSE;
    return !cpuset_is_empty(&thread->cpus) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid value of 'cpuset': %s", text);
}

/* The numbers of those that a schedule is for, in a list as one of CPUs. */
static gboolean
parse_numbers(const XmlNode *node, CpuSet *ret, GError **error)
{
    g_autofree char *text = xml_attr(node, "iothreads");

    if (!text)
        return driver_error(error, VIR_ERR_XML_ERROR, "Missing attribute '%s' in element '%s'",
                            "iothreads", xml_name(node));
    if (!*text)
        return driver_error(error, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", text);
    if (!cpuset_parse(text, ret, error))
        return FALSE;
    return !cpuset_is_empty(ret) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "'%s' scheduler bitmap '%s' is empty",
                        "iothreads", text);
}

static gboolean
has_priority(int policy)
{
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static gboolean
parse_schedule(const XmlNode *node, ThreadSchedule *ret, GError **error)
{
    ThreadSchedule schedule = { .said = TRUE };
    int word = 0;

    if (!xml_attr_word(node, "scheduler", XML_REQUIRED, policy_words, &word, error))
        return FALSE;
    schedule.policy = policies[word];
    if (has_priority(schedule.policy) &&
        !xml_attr_int(node, "priority", XML_REQUIRED, &schedule.priority, error))
        return FALSE;
    *ret = schedule;
    return TRUE;
}

static gboolean
set_schedule(DomainIoThreads *threads, guint id, const ThreadSchedule *schedule, GError **error)
{
    DomainIoThread *thread = domain_iothreads_find(threads, id);

    if (!thread)
        return fail_unknown(id, error);
    if (thread->schedule.said)
        return driver_error(error, VIR_ERR_XML_DETAIL,
                            "'%s' attributes '%s' must not overlap", "iothreadsched", "iothreads");
    thread->schedule = *schedule;
    return TRUE;
}

static gboolean
parse_schedules(DomainIoThreads *threads, const XmlNode *node, GError **error)
{
    ThreadSchedule schedule;
    CpuSet numbers;

    if (!parse_numbers(node, &numbers, error) || !parse_schedule(node, &schedule, error))
        return FALSE;
    for (guint id = 0; id < CPUSET_MAX; id++) {
        if (CPU_ISSET(id, &numbers.cpus) && !set_schedule(threads, id, &schedule, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
parse_tuning(DomainIoThreads *threads, const XmlNode *root, GError **error)
{
    const XmlNode *cputune = xml_child(root, "cputune");
    const XmlNode *node = cputune ? xml_first(cputune) : NULL;

    for (; node; node = xml_next(node)) {
        if (xml_namespace(node))
            continue;
        if (strcmp(xml_name(node), "iothreadpin") == 0 && !parse_pin(threads, node, error))
            return FALSE;
        if (strcmp(xml_name(node), "iothreadsched") == 0 && !parse_schedules(threads, node, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
parse_rest(DomainIoThreads *threads, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "defaultiothread");

    if (!node)
        return TRUE;
    if (!parse_pool(node, &threads->rest, error))
        return FALSE;
    threads->rest_said = threads->rest.min >= 0 || threads->rest.max >= 0;
    return TRUE;
}

gboolean
domain_iothreads_parse(DomainIoThreads *threads, const XmlNode *root, GError **error)
{
    return parse_rest(threads, root, error) && parse_ids(threads, root, error) &&
           parse_count(threads, root, error) && parse_tuning(threads, root, error);
}

/* Checking */

static gboolean
check_pool(const IoThreadPool *pool, GError **error)
{
    if (pool->max == 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "thread_pool_max must be a positive integer");
    return pool->min <= pool->max ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "thread_pool_min must be smaller or equal to thread_pool_max");
}

gboolean
domain_iothreads_check(const DomainIoThreads *threads, GError **error)
{
    for (guint i = 0; i < threads->list->len; i++) {
        if (!check_pool(&domain_iothreads_get(threads, i)->pool, error))
            return FALSE;
    }
    return check_count(threads->list->len, error) && check_pool(&threads->rest, error);
}

/* Formatting */

static void
format_pool(const IoThreadPool *pool, XmlWriter *out)
{
    if (pool->min >= 0)
        xml_put_attr_uint(out, "thread_pool_min", pool->min);
    if (pool->max >= 0)
        xml_put_attr_uint(out, "thread_pool_max", pool->max);
}

/* Numbers that are what they would be without a word are left out, as libvirt leaves them out. */
static gboolean
says_more(const DomainIoThreads *threads)
{
    for (guint i = 0; i < threads->list->len; i++) {
        const DomainIoThread *thread = domain_iothreads_get(threads, i);

        if (thread->said || thread->pool.min >= 0 || thread->pool.max >= 0)
            return TRUE;
    }
    return FALSE;
}

static void
format_ids(const DomainIoThreads *threads, XmlWriter *out)
{
    xml_open(out, "iothreadids");
    for (guint i = 0; i < threads->list->len; i++) {
        const DomainIoThread *thread = domain_iothreads_get(threads, i);

        xml_open(out, "iothread");
        xml_put_attr_uint(out, "id", thread->id);
        format_pool(&thread->pool, out);
        xml_close(out);
    }
    xml_close(out);
}

void
domain_iothreads_format(const DomainIoThreads *threads, XmlWriter *out)
{
    char count[16];

    g_snprintf(count, sizeof(count), "%u", threads->list->len);
    if (threads->list->len)
        xml_put_element(out, "iothreads", count);
    if (says_more(threads))
        format_ids(threads, out);
    if (!threads->rest_said)
        return;
    xml_open(out, "defaultiothread");
    format_pool(&threads->rest, out);
    xml_close(out);
}

gboolean
domain_iothreads_are_tuned(const DomainIoThreads *threads)
{
    for (guint i = 0; i < threads->list->len; i++) {
        const DomainIoThread *thread = domain_iothreads_get(threads, i);

        if (thread->schedule.said || !cpuset_is_empty(&thread->cpus))
            return TRUE;
    }
    return FALSE;
}

static void
format_pin(const DomainIoThread *thread, XmlWriter *out)
{
    g_autofree char *text = cpuset_format(&thread->cpus);

    if (!*text)
        return;
    xml_open(out, "iothreadpin");
    xml_put_attr_uint(out, "iothread", thread->id);
    xml_put_attr(out, "cpuset", text);
    xml_close(out);
}

void
domain_iothreads_format_pins(const DomainIoThreads *threads, XmlWriter *out)
{
    for (guint i = 0; i < threads->list->len; i++)
        format_pin(domain_iothreads_get(threads, i), out);
}

static const char *
policy_word(int policy)
{
    guint i = 0;

    while (policies[i] != policy)
        i++;
    return policy_words[i];
}

static void
format_schedule(const DomainIoThread *thread, XmlWriter *out)
{
    g_autofree char *priority = g_strdup_printf("%d", thread->schedule.priority);

    if (!thread->schedule.said)
        return;
    xml_open(out, "iothreadsched");
    xml_put_attr_uint(out, "iothreads", thread->id);
    xml_put_attr(out, "scheduler", policy_word(thread->schedule.policy));
    if (has_priority(thread->schedule.policy))
        xml_put_attr(out, "priority", priority);
    xml_close(out);
}

void
domain_iothreads_format_schedules(const DomainIoThreads *threads, XmlWriter *out)
{
    for (guint i = 0; i < threads->list->len; i++)
        format_schedule(domain_iothreads_get(threads, i), out);
}
