#include "driver/unit-requests.h"

#include "driver/domain-list.h"
#include "driver/error.h"
#include "driver/verb.h"

#define RISE_S 5 /* from when a guest is woken until its button is pressed */

/* A request about a domain, which it holds. */
typedef struct Request {
    Domain *domain;
    UnitCall *call;
    guint press; /* the timer of a button that is still to be pressed */
} Request;

/* A daemon that stops has no answer: the next one has. */
static void
answer(gpointer data, const GError *error)
{
    Request *request = data;

    if (request->domain->host->units)
        unit_call_answer(request->call, error);
    else
        unit_call_drop(request->call);
    g_clear_handle_id(&request->press, g_source_remove);
    domain_unref(request->domain);
    g_free(request);
}

/* NULL with the call answered where there is no such domain. */
static Request *
request_new(DomainHost *host, const char *name, UnitCall *call)
{
    Domain *domain = domain_list_find_name(host->list, name);
    g_autoptr(GError) error = NULL;
    Request *request;

    if (!domain) {
        driver_error(&error, VIR_ERR_NO_DOMAIN, "no domain with matching name '%s'", name);
        unit_call_answer(call, error);
        return NULL;
    }
    request = g_new(Request, 1);
    *request = (Request){ .domain = domain_ref(domain), .call = call };
    return request;
}

/* The launch takes the offered process, and answers; nobody has where it did not come to that. */
static void
started(gpointer data, const GError *error)
{
    Domain *domain = data;
    UnitCall *unused = g_steal_pointer(&domain->offer);

    if (unused)
        unit_call_answer(unused, error);
    else if (error)
        g_warning("Cannot start domain '%s': %s", domain_name(domain), error->message);
    domain_unref(domain);
}

static void
serve_start(gpointer host, const char *name, UnitCall *call)
{
    Request *request = request_new(host, name, call);
    g_autoptr(GError) error = NULL;
    Domain *domain = request ? request->domain : NULL;

    if (!request)
        return;
    if (domain_is_active(domain) || domain->offer) {
        driver_error(&error, VIR_ERR_OPERATION_INVALID, "domain is already running");
        answer(request, error);
        return;
    }
    g_free(request); /* the start holds the domain from here on */
    domain->offer = call;
    domain_start(domain, 0, started, domain);
}

/* Verbs wait for one another: the turn of this one comes when what others do with the domain is over. That may be a
 * long save; the unit has its own time for its start and stop, and what it does when that is over ends the wait. */
static void
await_turn(const char *name, Request *request, void (*begin)(Verb *verb), DomainDone done)
{
    const Verb verb = {
        .domain = request->domain, .patient = TRUE, .begin = begin, .done = done, .data = request
    };

    verb_start(name, &verb);
}

static void
wait_begin(Verb *verb)
{
    if (domain_is_active(verb->domain))
        verb_finish(verb, NULL);
    else
        verb_fail(verb, VIR_ERR_OPERATION_FAILED, "the start failed, and vmctld's log says why");
}

static void
serve_wait(gpointer host, const char *name, UnitCall *call)
{
    Request *request = request_new(host, name, call);

    if (request)
        await_turn("wait", request, wait_begin, answer);
}

/* A stop: who is off cannot refuse. */
static void
button_pressed(gpointer data, const GError *error)
{
    Request *request = data;

    if (!domain_is_active(request->domain))
        answer(request, NULL);
    else if (error)
        answer(request, error);
    else
        domain_wait_end(request->domain, answer, request);
}

static void
pressed_late(gpointer data, const GError *error)
{
    g_autoptr(Domain) domain = data;

    if (error && domain_is_active(domain) && domain->host->units)
        g_warning("Cannot press the power button of domain '%s': %s", domain_name(domain),
                  error->message);
}

static gboolean
press_late(gpointer data)
{
    Request *request = data;

    request->press = 0;
    domain_shutdown(request->domain, 0, pressed_late, domain_ref(request->domain));
    return G_SOURCE_REMOVE;
}

/* What a stop has it do it does, whoever saw to that. */
static gboolean
runs(const Domain *domain)
{
    return domain->host->units && domain->state == VIR_DOMAIN_RUNNING;
}

/* Now its kernel rises, and until its devices have done so, too, Linux drops what its button says. */
static void
woken(gpointer data, const GError *error)
{
    Request *request = data;
    gboolean rises = domain_is_active(request->domain) && (!error || runs(request->domain));

    button_pressed(request, rises ? NULL : error);
    if (rises)
        request->press = g_timeout_add_seconds(RISE_S, press_late, request);
}

static void
resumed(gpointer data, const GError *error)
{
    Request *request = data;

    if (error && !runs(request->domain))
        button_pressed(request, error);
    else
        domain_shutdown(request->domain, 0, button_pressed, request);
}

/* In the journal it is an entry of the unit's. */
static void
say(const Domain *domain, const char *text)
{
    g_autofree char *unit = units_name(domain_name(domain));

    g_log_structured(G_LOG_DOMAIN, G_LOG_LEVEL_MESSAGE, "DOMAIN_NAME", domain_name(domain),
                     "DOMAIN_UUID", domain_uuid(domain), "OBJECT_SYSTEMD_UNIT", unit, "MESSAGE",
                     "Domain '%s' %s", domain_name(domain), text);
}

/* What its definition keeps for a look has nobody in it who could be asked. */
static gboolean
is_kept(const Domain *domain)
{
    return domain->state == VIR_DOMAIN_CRASHED ||
           (domain->state == VIR_DOMAIN_PAUSED &&
            (domain->reason == VIR_DOMAIN_PAUSED_SHUTTING_DOWN ||
             domain->reason == VIR_DOMAIN_PAUSED_CRASHED));
}

/* Its turn is all that it waits for: what follows are verbs of their own. */
static void
turn_begin(Verb *verb)
{
    verb_finish(verb, NULL);
}

/* Only a guest that runs hears its button. */
static void
stop_by_state(gpointer data, const GError *error)
{
    Request *request = data;
    Domain *domain = request->domain;

    if (error || !domain_is_active(domain)) {
        button_pressed(request, error);
    } else if (is_kept(domain)) {
        say(domain, "had ended and was kept: its unit is stopped, and it goes");
        domain_destroy(domain, 0, answer, request);
    } else if (domain->state == VIR_DOMAIN_PAUSED) {
        say(domain, "is paused: its unit is stopped, and it is resumed to hear its power button");
        domain_resume(domain, resumed, request);
    } else if (domain->state == VIR_DOMAIN_PMSUSPENDED) {
        say(domain, "is asleep: its unit is stopped, and it is woken to hear its power button");
        domain_pm_wakeup(domain, 0, woken, request);
    } else {
        domain_shutdown(domain, 0, button_pressed, request);
    }
}

/* Whoever cannot be left as was said is not cut off: what it has not written yet would be lost. */
static void
left(Request *request, const char *otherwise, const GError *error)
{
    Domain *domain = request->domain;
    g_autofree char *text = NULL;

    if (!error || !domain_is_active(domain) || !domain->host->units) {
        answer(request, domain_is_active(domain) ? error : NULL);
        return;
    }
    text = g_strdup_printf("%s, and its unit's stop goes on by its power button: %s", otherwise,
                           error->message);
    say(domain, text);
    stop_by_state(request, NULL);
}

static void
saved(gpointer data, const GError *error)
{
    left(data, "cannot be saved", error);
}

/* Who is off by then, by a save of somebody else's perhaps, is off. */
static void
save_in_turn(gpointer data, const GError *error)
{
    Request *request = data;

    if (error || !domain_is_active(request->domain))
        answer(request, error);
    else
        domain_managed_save(request->domain, 0, saved, request);
}

/* Its agent says no more than that it falls asleep. */
static void
hibernated(gpointer data, GVariant *reply, const GError *error)
{
    Request *request = data;

    if (error)
        left(request, "does not suspend itself", error);
    else
        button_pressed(request, NULL);
}

static void
suspend_in_turn(gpointer data, const GError *error)
{
    Request *request = data;

    if (error || !domain_is_active(request->domain))
        answer(request, error);
    else
        domain_pm_suspend(request->domain, VIR_NODE_SUSPEND_TARGET_DISK, 0, 0, hibernated, request);
}

static const struct {
    const char *verb;
    DomainDone leave;
} stops[] = {
    [DRIVER_ON_STOP_STOP] = { "stop", stop_by_state },
    [DRIVER_ON_STOP_SAVE] = { "save", save_in_turn },
    [DRIVER_ON_STOP_SUSPEND] = { "suspend", suspend_in_turn },
};

static void
serve_stop(gpointer data, const char *name, DriverOnStop how, UnitCall *call)
{
    const DomainHost *host = data;
    Request *request = request_new(data, name, call);

    if (!request)
        return;
    if (how == DRIVER_ON_STOP_DEFAULT)
        how = host->env->on_stop;
    if (domain_is_active(request->domain))
        await_turn(stops[how].verb, request, turn_begin, stops[how].leave);
    else
        answer(request, NULL);
}

Units *
unit_requests_serve(DomainHost *host, int fd, const UnitManager *manager)
{
    const UnitRequests requests = { serve_start, serve_wait, serve_stop, host };

    return units_new(fd, manager, &requests);
}
