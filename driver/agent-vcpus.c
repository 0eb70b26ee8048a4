/* agent-vcpus: the CPUs that a guest uses, as its agent tells and sets them. */
#include "driver/agent.h"
#include "driver/domain-agent.h"
#include "driver/error.h"
#include "driver/json.h"

#define ID_MAX 4095

typedef struct GuestCpu {
    gint64 id;
    gboolean online, offlinable;
    gboolean wanted; /* to be set */
} GuestCpu;

/* What is to be set. */
typedef struct Change Change;
struct Change {
    gboolean (*want)(Change *change, GError **error); /* says so of the CPUs that it is about */
    gboolean *map;
    gsize n; /* of the map, or how many are to be online */
    gboolean online;
    GArray *cpus; /* of GuestCpu; what is still to be set is wanted */
};

static void
change_free(gpointer data)
{
    Change *change = data;

    g_free(change->map);
    g_clear_pointer(&change->cpus, g_array_unref);
    g_free(change);
}

/* Reading */

static gboolean
read_cpu(GVariant *entry, GuestCpu *ret, GError **error)
{
    if (!json_get_int(entry, "logical-id", 0, G_MAXUINT, &ret->id))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'logical-id' missing in reply of guest-get-vcpus");
    if (!json_get_bool(entry, "online", &ret->online))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'online' missing in reply of guest-get-vcpus");
    if (!json_get_bool(entry, "can-offline", &ret->offlinable))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'can-offline' missing in reply of guest-get-vcpus");
    return ret->id <= ID_MAX ||
           driver_error(error, VIR_ERR_INTERNAL_ERROR,
                        "vcpu id '%u' reported by guest agent is out of range", (guint)ret->id);
}

static int
compare_ids(gconstpointer a, gconstpointer b)
{
    const GuestCpu *left = a, *right = b;

    return left->id < right->id ? -1 : left->id > right->id;
}

/* In the order of their numbers; NULL with @error. */
static GArray *
read_cpus(GVariant *returned, GError **error)
{
    g_autoptr(GArray) cpus = g_array_new(FALSE, TRUE, sizeof(GuestCpu));

    if (!g_variant_is_of_type(returned, G_VARIANT_TYPE("av"))) {
        driver_error(error, VIR_ERR_INTERNAL_ERROR,
                     "guest-get-vcpus reply was missing return data");
        return NULL;
    }
    for (gsize i = 0; i < g_variant_n_children(returned); i++) {
        g_autoptr(GVariant) boxed = g_variant_get_child_value(returned, i);
        g_autoptr(GVariant) entry = g_variant_get_variant(boxed);
        GuestCpu cpu = { 0 };

        if (!read_cpu(entry, &cpu, error))
            return NULL;
        g_array_append_val(cpus, cpu);
    }
    g_array_sort(cpus, compare_ids);
    return g_steal_pointer(&cpus);
}

/* The same of an answer; NULL with the verb finished. */
static GArray *
take_cpus(AgentVerb *verb, GVariant *returned, const GError *error)
{
    g_autoptr(GError) problem = error ? g_error_copy(error) : NULL;
    GArray *cpus = returned ? read_cpus(returned, &problem) : NULL;

    if (!cpus)
        agent_verb_finish(verb, NULL, problem);
    return cpus;
}

/* "0-2,5", as libvirt writes a map, of those that @has says. */
static char *
format_ids(const GArray *cpus, gboolean (*has)(const GuestCpu *cpu))
{
    GString *text = g_string_new(NULL);
    gint64 first = -1, last = -1;

    for (guint i = 0; i <= cpus->len; i++) {
        const GuestCpu *cpu = i < cpus->len ? &g_array_index(cpus, GuestCpu, i) : NULL;

        if (cpu && !has(cpu))
            continue;
        if (cpu && last >= 0 && cpu->id <= last + 1) {
            last = cpu->id;
            continue;
        }
        if (last >= 0)
            g_string_append_printf(text, text->len ? ",%d" : "%d", (int)first);
        if (last > first)
            g_string_append_printf(text, "-%d", (int)last);
        first = last = cpu ? cpu->id : -1;
    }
    return g_string_free(text, FALSE);
}

static gboolean
is_there(const GuestCpu *cpu)
{
    return TRUE;
}

static gboolean
is_online(const GuestCpu *cpu)
{
    return cpu->online;
}

static gboolean
is_offlinable(const GuestCpu *cpu)
{
    return cpu->offlinable;
}

static void
got_cpus(AgentVerb *verb, GVariant *returned, const GError *error)
{
    static const struct {
        const char *name;
        gboolean (*has)(const GuestCpu *cpu);
    } maps[] = { { "vcpus", is_there }, { "online", is_online }, { "offlinable", is_offlinable } };
    g_autoptr(GArray) cpus = take_cpus(verb, returned, error);
    GVariantBuilder params;

    if (!cpus)
        return;
    g_variant_builder_init(&params, G_VARIANT_TYPE_VARDICT);
    for (gsize i = 0; i < G_N_ELEMENTS(maps); i++)
        g_variant_builder_add(&params, "{sv}", maps[i].name,
                              g_variant_new_take_string(format_ids(cpus, maps[i].has)));
    agent_verb_finish(verb, g_variant_builder_end(&params), NULL);
}

static void
ask_cpus(AgentVerb *verb)
{
    agent_verb_ask(verb, "guest-get-vcpus", NULL, got_cpus);
}

void
domain_get_guest_vcpus(Domain *domain, guint flags, DomainReply done, gpointer data)
{
    const AgentVerb verb = { .domain = domain, .begin = ask_cpus, .done = done, .data = data };

    agent_verb_start("get-guest-vcpus", &verb, "virDomainGetGuestVcpus", flags, 0);
}

/* Counting */

static guint
count_cpus(const GArray *cpus, gboolean (*has)(const GuestCpu *cpu))
{
    guint n = 0;

    for (guint i = 0; i < cpus->len; i++)
        n += has(&g_array_index(cpus, GuestCpu, i));
    return n;
}

static void
got_cpus_to_count(AgentVerb *verb, GVariant *returned, const GError *error)
{
    gboolean all = GPOINTER_TO_UINT(verb->detail) & VIR_DOMAIN_VCPU_MAXIMUM;
    g_autoptr(GArray) cpus = take_cpus(verb, returned, error);

    if (cpus)
        agent_verb_finish(verb, g_variant_new_uint32(count_cpus(cpus, all ? is_there : is_online)), NULL);
}

static void
ask_cpus_to_count(AgentVerb *verb)
{
    agent_verb_ask(verb, "guest-get-vcpus", NULL, got_cpus_to_count);
}

void
domain_count_guest_vcpus(Domain *domain, guint flags, DomainReply done, gpointer data)
{
    const AgentVerb verb = { .domain = domain,
                             .begin = ask_cpus_to_count,
                             .done = done,
                             .data = data,
                             .detail = GUINT_TO_POINTER(flags) };

    agent_verb_start("count-guest-vcpus", &verb, "virDomainGetVcpusFlags", 0, 0);
}

/* Setting: those of the map that are not so yet, in as many commands as the agent needs */

static gboolean
want_one(Change *change, gsize id, GError **error)
{
    for (guint i = 0; i < change->cpus->len; i++) {
        GuestCpu *cpu = &g_array_index(change->cpus, GuestCpu, i);

        if (cpu->id != (gint64)id)
            continue;
        if (!change->online && cpu->online && !cpu->offlinable)
            return driver_error(error, VIR_ERR_INVALID_ARG, "vCPU '%u' is not offlinable",
                                (guint)id);
        cpu->wanted = cpu->online != change->online;
        return TRUE;
    }
    return driver_error(error, VIR_ERR_INVALID_ARG, "guest is missing vCPUs '%zu'", id);
}

static gboolean
want_mapped(Change *change, GError **error)
{
    for (gsize id = 0; id < change->n; id++) {
        if (change->map[id] && !want_one(change, id, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
is_stuck_offline(const GuestCpu *cpu)
{
    return !cpu->online && !cpu->offlinable;
}

static gboolean
is_stuck_online(const GuestCpu *cpu)
{
    return cpu->online && !cpu->offlinable;
}

static gboolean
check_count(const GArray *cpus, gsize n, GError **error)
{
    if (count_cpus(cpus, is_stuck_offline) > 0)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Invalid data provided by guest agent");
    if (n > cpus->len)
        return driver_error(error, VIR_ERR_OPERATION_FAILED, "guest agent reports less cpu than requested");
    return n >= count_cpus(cpus, is_stuck_online) ||
           driver_error(error, VIR_ERR_OPERATION_FAILED, "Cannot offline enough CPUs");
}

/* As many as are missing or too many, of those that can be moved, the first ones first. */
static gboolean
want_count(Change *change, GError **error)
{
    guint online = count_cpus(change->cpus, is_online);
    gsize left;

    if (!check_count(change->cpus, change->n, error))
        return FALSE;
    change->online = change->n > online;
    left = change->online ? change->n - online : online - change->n;
    for (guint i = 0; left > 0; i++) {
        GuestCpu *cpu = &g_array_index(change->cpus, GuestCpu, i);

        cpu->wanted = cpu->offlinable && cpu->online != change->online;
        left -= cpu->wanted;
    }
    return TRUE;
}

static GVariant *
wanted_list(const Change *change, guint *ret_n)
{
    GVariantBuilder list;

    *ret_n = 0;
    g_variant_builder_init(&list, G_VARIANT_TYPE("av"));
    for (guint i = 0; i < change->cpus->len; i++) {
        const GuestCpu *cpu = &g_array_index(change->cpus, GuestCpu, i);

        if (!cpu->wanted)
            continue;
        ++*ret_n;
        g_variant_builder_add(&list, "v",
                              json_object("logical-id", g_variant_new_int64(cpu->id), "online",
                                          g_variant_new_boolean(change->online), NULL));
    }
    return g_variant_builder_end(&list);
}

static void set_some(AgentVerb *verb);

/* The agent did the first n of the list. */
static void
was_set(AgentVerb *verb, GVariant *returned, const GError *error)
{
    Change *change = verb->detail;
    gint64 n = 0;

    if (error) {
        agent_verb_finish(verb, NULL, error);
        return;
    }
    if (g_variant_is_of_type(returned, G_VARIANT_TYPE_INT64))
        n = g_variant_get_int64(returned);
    if (n <= 0 || n > change->cpus->len) {
        agent_verb_fail(verb, VIR_ERR_INTERNAL_ERROR,
                        "guest agent returned malformed or invalid return value");
        return;
    }
    for (guint i = 0; n > 0 && i < change->cpus->len; i++) {
        GuestCpu *cpu = &g_array_index(change->cpus, GuestCpu, i);

        n -= cpu->wanted;
        cpu->wanted = FALSE;
    }
    set_some(verb);
}

static void
set_some(AgentVerb *verb)
{
    guint n;
    g_autoptr(GVariant) list = g_variant_ref_sink(wanted_list(verb->detail, &n));

    if (n == 0)
        agent_verb_finish(verb, NULL, NULL);
    else
        agent_verb_ask(verb, "guest-set-vcpus", json_object("vcpus", list, NULL), was_set);
}

static void
got_cpus_to_set(AgentVerb *verb, GVariant *returned, const GError *error)
{
    Change *change = verb->detail;
    g_autoptr(GError) problem = NULL;

    change->cpus = take_cpus(verb, returned, error);
    if (!change->cpus)
        return;
    if (change->want(change, &problem))
        set_some(verb);
    else
        agent_verb_finish(verb, NULL, problem);
}

static void
ask_cpus_to_set(AgentVerb *verb)
{
    agent_verb_ask(verb, "guest-get-vcpus", NULL, got_cpus_to_set);
}

static void
start_change(const char *name, Domain *domain, const Change *change, const char *function, guint flags,
             DomainReply done, gpointer data)
{
    const AgentVerb verb = { .domain = domain,
                             .begin = ask_cpus_to_set,
                             .done = done,
                             .data = data,
                             .detail = g_memdup2(change, sizeof(*change)),
                             .detail_free = change_free };

    agent_verb_start(name, &verb, function, flags, 0);
}

void
domain_use_guest_vcpus(Domain *domain, guint count, DomainReply done, gpointer data)
{
    const Change change = { .want = want_count, .n = count };

    start_change("use-guest-vcpus", domain, &change, "virDomainSetVcpusFlags", 0, done, data);
}

void
domain_set_guest_vcpus(Domain *domain, const gboolean *map, gsize n, int state, guint flags,
                       DomainReply done, gpointer data)
{
    Change change = { .want = want_mapped, .n = n, .online = state };

    if (state != 0 && state != 1) {
        g_autoptr(GError) error = NULL;

        driver_error(&error, VIR_ERR_INVALID_ARG, "unsupported state value");
        done(data, NULL, error);
        return;
    }
    change.map = g_memdup2(map, n * sizeof(*map));
    start_change("set-guest-vcpus", domain, &change, "virDomainSetGuestVcpus", flags, done, data);
}
