#include "driver/vmm-link.h"

#include "driver/error.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define NEVER       G_MAXINT64
#define WAITING_MAX 1024 /* requests that a guest's process leaves unanswered before we hang up: some for each device */

typedef struct Waiting {
    guint32 serial;
    char *verb;
    gint64 sent, deadline; /* monotonic, microseconds */
    VmmLinkReply reply; /* NULL: given up */
    gpointer data;
    VmmMsg *request; /* NULL: sent */
} Waiting;

struct VmmLink {
    int fd;
    guint source, sink; /* there is a sink while something has not been sent */
    guint timer;
    guint32 last_serial;
    GQueue waiting; /* of Waiting, in the order of sending */
    VmmLinkEvents events;
    gboolean broken; /* sending failed; told from the main loop */
    gboolean heard;  /* something came that makes sense */
    guint depth;     /* callbacks under way */
    gboolean freed;  /* by one of them */
};

static void
waiting_free(Waiting *w)
{
    g_clear_pointer(&w->request, vmm_msg_free);
    g_free(w->verb);
    g_free(w);
}

static void
hold(VmmLink *link)
{
    link->depth++;
}

/* FALSE where the link was freed meanwhile. */
static gboolean
release(VmmLink *link)
{
    if (--link->depth > 0 || !link->freed)
        return !link->freed;
    g_free(link);
    return FALSE;
}

static void
answer(Waiting *w, VmmMsg *reply, const GError *error)
{
    if (w->reply)
        w->reply(w->data, reply, error);
    waiting_free(w);
}

static void
fail_waiting(VmmLink *link)
{
    Waiting *w;

    while ((w = g_queue_pop_head(&link->waiting))) {
        g_autoptr(GError) error = NULL;

        driver_error(&error, VIR_ERR_INTERNAL_ERROR, "the guest's process went away during '%s'",
                     w->verb);
        answer(w, NULL, error);
    }
}

static void
stop(VmmLink *link)
{
    g_clear_handle_id(&link->source, g_source_remove);
    g_clear_handle_id(&link->sink, g_source_remove);
    g_clear_handle_id(&link->timer, g_source_remove);
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

void
vmm_link_free(VmmLink *link)
{
    if (!link || link->freed)
        return;
    link->freed = TRUE;
    stop(link);
    hold(link);
    fail_waiting(link);
    release(link);
}

/* The link is over. The owner hears of it first, so that whoever fails now and asks for something else
 * does not find a dead link; one who keeps it and asks has that question fail and nothing more. */
static void
link_closed(VmmLink *link, gboolean wrong)
{
    gboolean news = link->fd >= 0;

    link->broken = FALSE;
    stop(link);
    if (news)
        link->events.closed(link->events.data, wrong);
    if (!link->freed)
        fail_waiting(link);
}

static virErrorNumber
error_code(const char *kind)
{
    if (g_strcmp0(kind, VMM_ERROR_UNSUPPORTED) == 0)
        return VIR_ERR_CONFIG_UNSUPPORTED;
    if (g_strcmp0(kind, VMM_ERROR_STATE) == 0)
        return VIR_ERR_OPERATION_INVALID;
    if (g_strcmp0(kind, VMM_ERROR_INVALID) == 0)
        return VIR_ERR_INVALID_ARG;
    return VIR_ERR_OPERATION_FAILED;
}

/* The next answer will be late, too. */
static gboolean
owes_late(const VmmLink *link)
{
    const Waiting *next = g_queue_peek_head((GQueue *)&link->waiting);

    return next && !next->reply;
}

static void
take_reply(VmmLink *link, VmmMsg *msg)
{
    Waiting *w = g_queue_peek_head(&link->waiting);

    if (!w || w->request || w->serial != vmm_msg_serial(msg) || strcmp(w->verb, vmm_msg_name(msg)) != 0) {
        g_warning("A guest's process answered '%s', which nobody asked: hanging up",
                  vmm_msg_name(msg));
        link_closed(link, TRUE);
        return;
    }
    link->heard = TRUE;
    g_queue_pop_head(&link->waiting);
    if (!w->reply && !owes_late(link) && link->events.late)
        link->events.late(link->events.data);
    if (vmm_msg_kind(msg) == VMM_MSG_ERROR) {
        g_autoptr(GError) error = NULL;
        const char *kind = NULL, *text = "no reason given";

        vmm_msg_get_string(msg, "class", &kind);
        vmm_msg_get_string(msg, "text", &text);
        driver_error(&error, error_code(kind), "%s",
                     g_utf8_validate(text, -1, NULL) ? text : "unreadable");
        answer(w, NULL, error);
    } else {
        answer(w, msg, NULL);
    }
}

static void
take(VmmLink *link, VmmMsg *msg)
{
    switch (vmm_msg_kind(msg)) {
    case VMM_MSG_REPLY:
    case VMM_MSG_ERROR:
        take_reply(link, msg);
        break;
    case VMM_MSG_EVENT:
        link->heard = TRUE;
        link->events.event(link->events.data, msg);
        break;
    case VMM_MSG_REQUEST:
        g_warning("A guest's process sent a request: hanging up");
        link_closed(link, TRUE);
        break;
    }
}

/* FALSE: there is nothing to read any more, for now or for good. The caller holds the link. */
static gboolean
read_one(VmmLink *link)
{
    vmm_msg_auto msg = vmm_msg_recv(link->fd);
    gboolean wrong = !msg && errno == EBADMSG;

    if (!msg && errno == EAGAIN)
        return FALSE;
    if (msg) {
        take(link, msg);
        return link->fd >= 0;
    }
    if (wrong)
        g_warning("A guest's process sent what is no message: hanging up");
    link_closed(link, wrong);
    return FALSE;
}

static gboolean
readable(int fd, GIOCondition condition, gpointer data)
{
    VmmLink *link = data;

    hold(link);
    read_one(link);
    release(link);
    /* Removing a source twice is an error: stop() has forgotten it where it has removed it. */
    return G_SOURCE_CONTINUE;
}

static void arm_timer(VmmLink *link);

/* Answers are matched by their order, so one that is late keeps its place, without an asker. What has not been sent is
 * not, and gets no answer. */
static void
give_up(VmmLink *link, Waiting *w)
{
    g_autoptr(GError) error = NULL;
    VmmLinkReply reply = w->reply;
    gpointer data = w->data;

    driver_error(&error, VIR_ERR_OPERATION_TIMEOUT, "the guest's process does not answer '%s'",
                 w->verb);
    w->reply = NULL;
    if (w->request) {
        g_queue_remove(&link->waiting, w);
        waiting_free(w);
    }
    reply(data, NULL, error);
}

/* Whose time is over first. */
static Waiting *
most_urgent(VmmLink *link)
{
    Waiting *first = NULL;

    for (GList *l = link->waiting.head; l; l = l->next) {
        Waiting *w = l->data;

        if (w->reply && w->deadline != NEVER && (!first || w->deadline < first->deadline))
            first = w;
    }
    return first;
}

static gboolean
timed_out(gpointer data)
{
    VmmLink *link = data;
    Waiting *w;

    link->timer = 0;
    hold(link);
    if (link->broken)
        link_closed(link, FALSE);
    for (guint i = 0; i < WAITING_MAX && link->fd >= 0 && read_one(link); i++) /* it may be we who are late */
        ;
    while (!link->freed && (w = most_urgent(link)) && w->deadline <= g_get_monotonic_time())
        give_up(link, w);
    if (!link->freed)
        arm_timer(link);
    release(link);
    return G_SOURCE_REMOVE;
}

static void
arm_timer(VmmLink *link)
{
    Waiting *w = most_urgent(link);
    gint64 left;

    g_clear_handle_id(&link->timer, g_source_remove);
    if (!w && !link->broken)
        return;
    left = link->broken ? 0 : MAX(0, w->deadline - g_get_monotonic_time());
    link->timer = g_timeout_add((left + 999) / 1000, timed_out, link);
}

VmmLink *
vmm_link_new(int fd, const VmmLinkEvents *events)
{
    VmmLink *link = g_new0(VmmLink, 1);

    link->fd = fd;
    link->events = *events;
    link->source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, readable, link);
    return link;
}

gboolean
vmm_link_has_heard(const VmmLink *link)
{
    return link->heard;
}

guint
vmm_link_n_waiting(const VmmLink *link)
{
    return link->waiting.length;
}

gint64
vmm_link_waits_since_us(const VmmLink *link)
{
    const Waiting *w = link->waiting.head ? link->waiting.head->data : NULL;

    return w ? w->sent : 0;
}

VmmMsg *
vmm_link_request(VmmLink *link, const char *verb)
{
    if (++link->last_serial == 0)
        link->last_serial = 1;
    return vmm_msg_new(VMM_MSG_REQUEST, link->last_serial, verb);
}

/* The owner is told from the main loop. */
static void
cannot_ask(VmmLink *link, const Waiting *w)
{
    g_warning("Cannot ask a guest's process to '%s': %s", w->verb, g_strerror(errno));
    link->broken = TRUE;
    arm_timer(link);
}

/* Failing leaves errno. */
static gboolean
send_now(VmmLink *link, Waiting *w)
{
    if (!vmm_msg_send(link->fd, w->request))
        return FALSE;
    g_clear_pointer(&w->request, vmm_msg_free);
    return TRUE;
}

static gboolean
writable(int fd, GIOCondition condition, gpointer data)
{
    VmmLink *link = data;

    for (GList *l = link->waiting.head; l; l = l->next) {
        Waiting *w = l->data;

        if (!w->request || send_now(link, w))
            continue;
        if (errno == EAGAIN)
            return G_SOURCE_CONTINUE;
        cannot_ask(link, w);
        break;
    }
    link->sink = 0;
    return G_SOURCE_REMOVE;
}

/* A process that has much to read yet gets more when it has read some of it. Failing leaves errno. */
static gboolean
send_request(VmmLink *link, Waiting *w)
{
    if (link->sink || send_now(link, w))
        return TRUE;
    if (errno != EAGAIN)
        return FALSE;
    link->sink = g_unix_fd_add(link->fd, G_IO_OUT, writable, link);
    return TRUE;
}

static gboolean
may_ask(const VmmLink *link)
{
    errno = link->fd < 0 ? ENOTCONN : EBUSY;
    return link->fd >= 0 && link->waiting.length <= WAITING_MAX;
}

gboolean
vmm_link_send(VmmLink *link, VmmMsg *request, guint timeout_ms, VmmLinkReply reply, gpointer data)
{
    Waiting *w = g_new0(Waiting, 1);

    w->serial = vmm_msg_serial(request);
    w->verb = g_strdup(vmm_msg_name(request));
    w->sent = g_get_monotonic_time();
    w->deadline = timeout_ms == VMM_LINK_NO_TIMEOUT ? NEVER : w->sent + timeout_ms * (gint64)1000;
    w->reply = reply;
    w->data = data;
    w->request = request;
    g_queue_push_tail(&link->waiting, w);
    if (!link->broken && (!may_ask(link) || !send_request(link, w)))
        cannot_ask(link, w);
    arm_timer(link);
    return !link->broken;
}
