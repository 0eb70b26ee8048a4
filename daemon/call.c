#include "daemon/call.h"

#include "driver/error.h"

struct Call {
    const Method *method;
    ApiObject object; /* holds the domain */
    GVariant *args;
    const CallFace *face;
    gpointer data;
    gboolean answered;
    int holds; /* one for the answer that is owed, one while the method runs */
};

static Call *
call_new(const Method *method, const ApiObject *object, GVariant *args, const CallFace *face,
         gpointer data)
{
    Call *call = g_new0(Call, 1);

    call->method = method;
    call->object = *object;
    if (object->domain)
        domain_ref(object->domain);
    call->args = g_variant_ref(args);
    call->face = face;
    call->data = data;
    call->holds = 1;
    return call;
}

static void
call_release(Call *call)
{
    if (--call->holds > 0)
        return;
    if (call->object.domain)
        domain_unref(call->object.domain);
    g_variant_unref(call->args);
    g_free(call);
}

void
call_run(const Method *method, const ApiObject *object, GVariant *args, const CallFace *face,
         gpointer data)
{
    Call *call = call_new(method, object, args, face, data);
    GError *error = NULL;

    call->holds++;
    if (method->test && driver_is_simulated(object->driver)) {
        method->test(call);
    } else if (method->run) {
        method->run(call);
    } else {
        driver_error(&error, VIR_ERR_NO_SUPPORT, "%s", method->libvirt_name);
        call_fail(call, error);
    }
    call_release(call);
}

const ApiObject *
call_object(const Call *call)
{
    return &call->object;
}

const char *
call_member(const Call *call)
{
    return call->method->member;
}

const char *
call_libvirt_name(const Call *call)
{
    return call->method->libvirt_name;
}

GVariant *
call_args(const Call *call)
{
    return call->args;
}

gboolean
call_check_params(Call *call, GVariant *params)
{
    GError *error = NULL;

    if (g_variant_n_children(params) > 0)
        return TRUE;
    driver_error_argument(&error, "params in %s must not be NULL", call_libvirt_name(call));
    call_fail(call, error);
    return FALSE;
}

Domain *
call_subject(const Call *call, GError **error)
{
    return call->method->subject(&call->object, call->args, error);
}

void
call_bind(const Call *call, Domain *domain)
{
    guint flags;

    g_variant_get_child(call->args, g_variant_n_children(call->args) - 1, "u", &flags);
    if (flags & VIR_DOMAIN_START_AUTODESTROY)
        call->face->bind(call->data, domain);
}

const DomainIdentity *
call_checked(const Call *call)
{
    return call->face->checked(call->data);
}

GPtrArray *
call_list(const Call *call, guint flags, GError **error)
{
    g_autoptr(GPtrArray) domains = driver_list(call->object.driver, flags, error);
    GHashTable *visible = call->face->visible(call->data);
    GPtrArray *left;

    if (!domains || !visible)
        return g_steal_pointer(&domains);
    left = g_ptr_array_new_with_free_func((GDestroyNotify)domain_unref);
    for (guint i = 0; i < domains->len; i++) {
        if (g_hash_table_contains(visible, domains->pdata[i]))
            g_ptr_array_add(left, domain_ref(domains->pdata[i]));
    }
    return left;
}

GVariant *
call_name(const Call *call, Domain *domain)
{
    return call->face->name(call->data, domain);
}

GVariant *
call_snapshot_name(const Call *call, const Snapshot *snapshot)
{
    return call->face->snapshot_name(call->data, call->object.domain, snapshot);
}

GVariant *
call_host_name(const Call *call, const HostObject *object)
{
    return call->face->host_name(call->data, object);
}

static GVariant *
name_domain(const Call *call, gpointer domain)
{
    return call_name(call, domain);
}

static GVariant *
name_snapshot(const Call *call, gpointer snapshot)
{
    return call_snapshot_name(call, snapshot);
}

static GVariant *
name_host_object(const Call *call, gpointer object)
{
    return call_host_name(call, object);
}

static GVariant *
names_of(const Call *call, const GPtrArray *objects,
         GVariant *(*name)(const Call *call, gpointer object))
{
    g_autofree GVariant **names = g_new(GVariant *, objects->len);

    for (guint i = 0; i < objects->len; i++)
        names[i] = name(call, objects->pdata[i]);
    return g_variant_new_array(call->face->name_type, names, objects->len);
}

GVariant *
call_names(const Call *call, const GPtrArray *domains)
{
    return names_of(call, domains, name_domain);
}

GVariant *
call_snapshot_names(const Call *call, const GPtrArray *snapshots)
{
    return names_of(call, snapshots, name_snapshot);
}

GVariant *
call_host_names(const Call *call, const GPtrArray *objects)
{
    return names_of(call, objects, name_host_object);
}

static void
answer(Call *call, GVariant *result, int fd, const GError *error)
{
    g_assert(!call->answered);
    call->answered = TRUE;
    if (error)
        call->face->fail(call->data, error);
    else
        call->face->reply(call->data, result, fd);
    call_release(call);
}

void
call_reply(Call *call, GVariant *result)
{
    g_autoptr(GVariant) own = g_variant_ref_sink(result);

    answer(call, own, -1, NULL);
}

void
call_reply_nothing(Call *call)
{
    call_reply(call, g_variant_new("()"));
}

void
call_reply_fd(Call *call, int fd)
{
    g_autoptr(GVariant) own = g_variant_ref_sink(g_variant_new("(h)", 0));

    answer(call, own, fd, NULL);
}

void
call_fail(Call *call, GError *error)
{
    g_assert(error);
    answer(call, NULL, -1, error);
    g_error_free(error);
}

void
call_reply_text(Call *call, const char *text, GError *error)
{
    if (text)
        call_reply(call, g_variant_new("(s)", text));
    else
        call_fail(call, error);
}

void
call_done(gpointer call, const GError *error)
{
    if (error)
        answer(call, NULL, -1, error);
    else
        call_reply_nothing(call);
}

void
call_answer(gpointer call, GVariant *result, const GError *error)
{
    if (error)
        answer(call, NULL, -1, error);
    else if (!result)
        call_reply_nothing(call);
    else
        call_reply(call, g_variant_new("(@*)", result));
}
