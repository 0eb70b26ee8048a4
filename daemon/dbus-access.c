#include "daemon/dbus-access.h"

#include "daemon/dbus-caller.h"
#include "daemon/dbus-polkit.h"
#include "driver/error.h"

#include <string.h>

#define ACTION_READ   "org.libvirt.unix.monitor"
#define ACTION_MANAGE "org.libvirt.unix.manage"
#define ACTION_API    "org.libvirt.api."

/* The calls of one client are checked one after the other, which keeps their order. So many may wait: as many as the
 * system bus lets a client wait for replies to, for pages of virtual machines ask about all of them at a time. */
#define WAITING_MAX 128

/* So many clients of one user, and of all, may have a check going on: a bus lets nobody wait for more than 128
 * replies by default, and one user's open dialogs must not lock out the others. */
#define ASKING_PER_USER 16
#define ASKING_MAX      96

struct Access {
    GDBusConnection *bus;
    AccessLevels levels;
    Callers *callers;
    GHashTable *asking; /* uid -> clients with a check going on */
    guint n_asking;
    int holds; /* one for each check that goes on */
    gboolean freed;
};

/* The domains that the answer to a call may tell of, each of which takes a permission of its own. */
typedef struct Filter {
    const char *permission;
    char *action;
    GHashTable *domains;  /* NULL: of none */
    Domain **all, **next; /* NULL ends them; the one to be asked about */
} Filter;

typedef struct Check {
    Access *access;
    char *sender;
    const char *action, *driver, *permission;
    char *api_action; /* to be asked when that has been granted; NULL: there is none */
    GVariant *details;
    AccessLook look; /* tells more of them, once the first action has been granted; NULL: nobody does */
    gboolean interactive;
    Filter filter; /* to be asked of then */
    AccessDone done;
    gpointer data;
    Caller *caller;
} Check;

static void
release(Access *access)
{
    if (--access->holds > 0)
        return;
    g_hash_table_unref(access->asking);
    g_object_unref(access->bus);
    g_free(access);
}

Access *
access_new(GDBusConnection *bus, AccessLevels levels)
{
    Access *access = g_new0(Access, 1);

    access->bus = g_object_ref(bus);
    access->levels = levels;
    access->callers = callers_new(bus);
    access->asking = g_hash_table_new(NULL, NULL);
    access->holds = 1;
    return access;
}

void
access_free(Access *access)
{
    if (!access)
        return;
    g_clear_pointer(&access->callers, callers_free);
    access->freed = TRUE;
    release(access);
}

gboolean
access_is_read(const char *permission)
{
    const char *verb = strchr(permission, '.') + 1;

    return g_str_equal(verb, "read") || g_str_equal(verb, "getattr") ||
           g_str_has_prefix(verb, "search-");
}

gboolean
access_is_per_domain(const Access *access)
{
    return access->levels == ACCESS_API;
}

gboolean
access_is_trusted(Access *access, const char *sender)
{
    const Caller *caller = callers_ask_now(access->callers, sender);

    return caller && (caller->uid == 0 || (caller->trusted && !access_is_per_domain(access)));
}

static void
add_detail(GVariantBuilder *details, const char *of, const char *what, const char *value)
{
    g_autofree char *key = g_strjoin("_", of, what, NULL);

    if (value)
        g_variant_builder_add(details, "{ss}", key, value);
}

static void
add_host_object(GVariantBuilder *details, const HostFacts *facts)
{
    static const char *const kinds[N_HOST_KINDS] = { "network", "pool", "interface",
                                                     "node_device" };
    const char *of = kinds[facts->kind];

    add_detail(details, of, "name", facts->name);
    add_detail(details, of, "uuid", facts->uuid);
    add_detail(details, of, "macaddr", facts->mac);
}

/* What a rule of the administrator's may look at, with libvirt's names. */
static GVariant *
details_new(const char *driver, const char *permission, const char *name, const char *uuid,
            const HostObject *host)
{
    GVariantBuilder details;

    g_variant_builder_init(&details, G_VARIANT_TYPE("a{ss}"));
    g_variant_builder_add(&details, "{ss}", "connect_driver", driver);
    g_variant_builder_add(&details, "{ss}", "permission", permission);
    add_detail(&details, "domain", "name", name);
    add_detail(&details, "domain", "uuid", uuid);
    if (host)
        add_host_object(&details, host->facts);
    return g_variant_ref_sink(g_variant_builder_end(&details));
}

static GVariant *
details_of(const char *driver, const char *permission, const Domain *domain, const HostObject *host)
{
    return details_new(driver, permission, domain ? domain_name(domain) : NULL,
                       domain ? domain_uuid(domain) : NULL, host);
}

static void
filter_init(Filter *filter, const AccessRequest *request)
{
    filter->permission = request->filter;
    filter->action = g_strconcat(ACTION_API, request->filter, NULL);
    filter->domains = g_hash_table_ref(request->domains);
    filter->all = (Domain **)g_hash_table_get_keys_as_array(filter->domains, NULL);
    filter->next = filter->all;
}

static void
filter_clear(Filter *filter)
{
    g_free(filter->action);
    g_free(filter->all);
    g_clear_pointer(&filter->domains, g_hash_table_unref);
}

static void
finish(Check *check, const GError *error)
{
    Access *access = check->access;

    if (!access->freed) {
        if (check->caller && !error)
            check->caller->trusted = TRUE;
        check->done(check->data, error);
    }
    g_variant_unref(check->details);
    g_free(check->api_action);
    filter_clear(&check->filter);
    g_free(check->sender);
    g_free(check);
    release(access);
}

static void
refuse(Check *check, virErrorNumber code, const char *text)
{
    g_autoptr(GError) error = NULL;

    driver_error(&error, code, "%s", text);
    finish(check, error);
}

/* Without an authority on the bus, the group alone tells. */
static void
decide_by_group(Check *check)
{
    if (check->caller->manager)
        finish(check, NULL);
    else
        refuse(check, VIR_ERR_AUTH_FAILED, "access denied: polkit is not there to be asked");
}

/* One client more, or less (@change -1), has a check going on; FALSE: one more would be too many. */
static gboolean
count_asking(Access *access, const Caller *caller, int change)
{
    gpointer uid = GUINT_TO_POINTER(caller->uid);
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(access->asking, uid));

    if (change > 0 && (n >= ASKING_PER_USER || access->n_asking >= ASKING_MAX))
        return FALSE;
    access->n_asking += change;
    if (n + change)
        g_hash_table_insert(access->asking, uid, GUINT_TO_POINTER(n + change));
    else
        g_hash_table_remove(access->asking, uid);
    return TRUE;
}

static gboolean
is_api(const Check *check)
{
    return check->action == check->api_action;
}

/* libvirt does not tell why. */
static void
refuse_api(Check *check)
{
    g_autofree char *text = g_strdup_printf("'%s' denied access", check->driver);

    refuse(check, VIR_ERR_ACCESS_DENIED, text);
}

static void
decide(Check *check, PolkitAnswer answer, const GError *error)
{
    g_autofree char *nobody =
        g_strdup_printf("no polkit agent available to authenticate action '%s'", check->action);

    if (is_api(check) && answer != POLKIT_YES) {
        refuse_api(check);
        return;
    }
    switch (answer) {
    case POLKIT_YES:
        finish(check, NULL);
        break;
    case POLKIT_NO:
        refuse(check, VIR_ERR_AUTH_FAILED, "access denied by policy");
        break;
    case POLKIT_CHALLENGE:
        refuse(check, VIR_ERR_AUTH_UNAVAILABLE, nobody);
        break;
    case POLKIT_DISMISSED:
        refuse(check, VIR_ERR_AUTH_CANCELLED, "user cancelled authentication process");
        break;
    case POLKIT_ABSENT:
        decide_by_group(check);
        break;
    case POLKIT_BROKEN:
        refuse(check, VIR_ERR_AUTH_FAILED, error->message);
        break;
    }
}

static void answered(PolkitAnswer answer, const GError *error, gpointer data);

static void
ask_polkit(Check *check)
{
    polkit_check(check->access->bus, check->sender, check->action, check->details,
                 check->interactive, answered, check);
}

static gboolean
is_filtering(const Check *check)
{
    return check->filter.action && check->action == check->filter.action;
}

/* FALSE: there is no domain left to be asked about. */
static gboolean
ask_of_next(Check *check)
{
    const Filter *filter = &check->filter;

    if (!filter->domains || !*filter->next)
        return FALSE;
    check->action = filter->action;
    g_variant_unref(check->details);
    check->details = details_of(check->driver, filter->permission, *filter->next, NULL);
    ask_polkit(check);
    return TRUE;
}

/* What a domain is asked about for is answered without it, where the answer is no. */
static gboolean
filter_one(Check *check, PolkitAnswer answer)
{
    Domain *domain = *check->filter.next++;

    if (answer != POLKIT_YES)
        g_hash_table_remove(check->filter.domains, domain);
    return ask_of_next(check);
}

/* Documents are read, and files opened, for those alone who may manage. FALSE: no more is known. */
static gboolean
look_closer(Check *check)
{
    AccessLook look = g_steal_pointer(&check->look);
    g_auto(DomainIdentity) of = { 0 };

    if (!look || !look(check->data, &of))
        return FALSE;
    g_variant_unref(check->details);
    check->details = details_new(check->driver, check->permission, of.name, of.uuid, NULL);
    return TRUE;
}

/* The next action, or the same one again with more details. FALSE: that was the last question. */
static gboolean
ask_more(Check *check, PolkitAnswer answer)
{
    gboolean looked;

    if (is_filtering(check))
        return filter_one(check, answer);
    if (answer != POLKIT_YES)
        return FALSE;
    if (is_api(check))
        return ask_of_next(check);
    looked = look_closer(check);
    if (!check->api_action && !looked)
        return FALSE;
    if (check->api_action)
        check->action = check->api_action;
    ask_polkit(check);
    return TRUE;
}

static void
answered(PolkitAnswer answer, const GError *error, gpointer data)
{
    Check *check = data, *next;
    Access *access = check->access;
    Caller *caller = check->caller;

    if (access->freed) {
        finish(check, NULL);
        return;
    }
    if (ask_more(check, answer))
        return;
    decide(check, is_filtering(check) ? POLKIT_YES : answer, error);
    g_queue_pop_head(&caller->waiting);
    next = g_queue_peek_head(&caller->waiting);
    if (next)
        ask_polkit(next);
    else
        count_asking(access, caller, -1);
}

/* In its turn. */
static void
wait_for_polkit(Check *check)
{
    Caller *caller = check->caller;

    if (caller->waiting.length >= WAITING_MAX) {
        refuse(check, VIR_ERR_AUTH_FAILED, "too many calls of this client wait for authorization");
        return;
    }
    if (caller->waiting.length == 0 && !count_asking(check->access, caller, 1)) {
        refuse(check, VIR_ERR_AUTH_FAILED, "too many clients wait for authorization");
        return;
    }
    g_queue_push_tail(&caller->waiting, check);
    if (caller->waiting.length == 1)
        ask_polkit(check);
}

static void
have_caller(Caller *caller, const GError *error, gpointer data)
{
    Check *check = data;

    check->caller = caller;
    if (!caller)
        refuse(check, VIR_ERR_AUTH_FAILED, error->message);
    else if (caller->uid == 0)
        finish(check, NULL);
    else
        wait_for_polkit(check);
}

void
access_check(Access *access, const AccessRequest *request, AccessDone done, gpointer data)
{
    Check *check = g_new0(Check, 1);

    check->access = access;
    access->holds++;
    check->sender = g_strdup(request->sender);
    check->action = access_is_read(request->permission) ? ACTION_READ : ACTION_MANAGE;
    check->driver = request->driver;
    if (access_is_per_domain(access))
        check->api_action = g_strconcat(ACTION_API, request->permission, NULL);
    if (access_is_per_domain(access) && request->domains)
        filter_init(&check->filter, request);
    check->details =
        details_of(request->driver, request->permission, request->domain, request->host);
    check->permission = request->permission;
    check->look = request->look;
    check->interactive = request->interactive;
    check->done = done;
    check->data = data;
    callers_ask(access->callers, check->sender, have_caller, check);
}
