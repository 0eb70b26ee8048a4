#include "driver/unit-requests.h"

#include "driver/domain-list.h"
#include "driver/error.h"
#include "driver/verb.h"

/* A request about a domain, which it holds. */
typedef struct Request {
    Domain *domain;
    UnitCall *call;
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
    *request = (Request){ domain_ref(domain), call };
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

static void
wait_begin(Verb *verb)
{
    if (domain_is_active(verb->domain))
        verb_finish(verb, NULL);
    else
        verb_fail(verb, VIR_ERR_OPERATION_FAILED, "the start failed, and vmctld's log says why");
}

/* Verbs wait for one another: this one's turn comes when the start is over. */
static void
serve_wait(gpointer host, const char *name, UnitCall *call)
{
    Request *request = request_new(host, name, call);

    if (request)
        verb_start("wait", &(Verb){ .domain = request->domain,
                                    .begin = wait_begin,
                                    .done = answer,
                                    .data = request });
}

static void
button_pressed(gpointer data, const GError *error)
{
    Request *request = data;

    if (error || !domain_is_active(request->domain))
        answer(request, error);
    else
        domain_wait_end(request->domain, answer, request);
}

static void
serve_stop(gpointer host, const char *name, UnitCall *call)
{
    Request *request = request_new(host, name, call);

    if (!request)
        return;
    if (domain_is_active(request->domain))
        domain_shutdown(request->domain, 0, button_pressed, request);
    else
        answer(request, NULL);
}

static void
serve_save(gpointer host, const char *name, UnitCall *call)
{
    Request *request = request_new(host, name, call);

    if (!request)
        return;
    if (domain_is_active(request->domain))
        domain_managed_save(request->domain, 0, answer, request);
    else
        answer(request, NULL);
}

Units *
unit_requests_serve(DomainHost *host, int fd, const UnitManager *manager)
{
    const UnitRequests requests = { serve_start, serve_wait, serve_stop, serve_save, host };

    return units_new(fd, manager, &requests);
}
