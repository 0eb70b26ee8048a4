/* The driver's end of a control socket, against a peer that answers, lies, hangs or goes away. */
#include "driver/error.h"
#include "driver/vmm-link.h"

#include <sys/socket.h>
#include <unistd.h>

#define SOME 500  /* messages: more than a socket holds */
#define MANY 2000 /* more than a link lets wait */

typedef struct Fixture {
    VmmLink *link;
    int peer;
    guint closed, events, late;
    gboolean wrong; /* as it was closed */
    GString *answers; /* one word for each */
} Fixture;

static void
on_event(gpointer data, VmmMsg *event)
{
    ((Fixture *)data)->events++;
}

static void
on_closed(gpointer data, gboolean wrong)
{
    Fixture *f = data;

    f->closed++;
    f->wrong = wrong;
    vmm_link_free(g_steal_pointer(&f->link));
}

static void
on_late(gpointer data)
{
    ((Fixture *)data)->late++;
}

static void
set_up(Fixture *f, gconstpointer unused)
{
    VmmLinkEvents events = { on_event, on_closed, f, on_late };
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==,
                    0);
    f->link = vmm_link_new(ends[0], &events);
    f->peer = ends[1];
    f->answers = g_string_new("");
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    vmm_link_free(f->link);
    if (f->peer >= 0)
        close(f->peer);
    g_string_free(f->answers, TRUE);
}

static void
on_reply(gpointer data, VmmMsg *reply, const GError *error)
{
    Fixture *f = data;

    g_assert_true((reply == NULL) != (error == NULL));
    g_string_append_printf(f->answers, "%s;", reply ? vmm_msg_name(reply) : error->message);
}

static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
ask(Fixture *f, const char *verb, guint timeout_ms)
{
    vmm_link_send(f->link, vmm_link_request(f->link, verb), timeout_ms, on_reply, f);
}

/* Answers the oldest request that was not answered. */
static void
peer_answers(Fixture *f, VmmMsgKind kind)
{
    vmm_msg_auto request = vmm_msg_recv(f->peer);
    vmm_msg_auto reply = NULL;

    g_assert_nonnull(request);
    reply = vmm_msg_new(kind, vmm_msg_serial(request), vmm_msg_name(request));
    if (kind == VMM_MSG_ERROR) {
        vmm_msg_put_string(reply, "class", VMM_ERROR_STATE);
        vmm_msg_put_string(reply, "text", "the guest is paused");
    }
    g_assert_true(vmm_msg_send(f->peer, reply));
}

static void
test_answers(Fixture *f, gconstpointer unused)
{
    g_assert_false(vmm_link_has_heard(f->link));
    ask(f, "hello", 60000);
    ask(f, "run", 60000);
    peer_answers(f, VMM_MSG_REPLY);
    peer_answers(f, VMM_MSG_ERROR);
    settle();
    g_assert_true(vmm_link_has_heard(f->link));
    g_assert_cmpstr(f->answers->str, ==,
                    "hello;Requested operation is not valid: the guest is paused;");
    g_assert_cmpuint(f->closed, ==, 0);
}

static void
test_event(Fixture *f, gconstpointer unused)
{
    vmm_msg_auto event = vmm_msg_new(VMM_MSG_EVENT, 0, "reset");

    g_assert_true(vmm_msg_send(f->peer, event));
    settle();
    g_assert_cmpuint(f->events, ==, 1);
}

/* A late answer is dropped, and those after it still find who asked. */
static void
test_late(Fixture *f, gconstpointer unused)
{
    ask(f, "pause", 20);
    g_usleep(40000);
    settle();
    g_assert_nonnull(strstr(f->answers->str, "does not answer 'pause'"));
    g_string_truncate(f->answers, 0);
    ask(f, "hello", 60000);
    peer_answers(f, VMM_MSG_REPLY);
    peer_answers(f, VMM_MSG_REPLY);
    settle();
    g_assert_cmpstr(f->answers->str, ==, "hello;");
    g_assert_nonnull(f->link);
}

/* What has all the time in the world is waited for, whatever is given up beside it. */
static void
test_patient(Fixture *f, gconstpointer unused)
{
    ask(f, "add-device", VMM_LINK_NO_TIMEOUT);
    ask(f, "pause", 20);
    g_usleep(40000);
    settle();
    g_assert_null(strstr(f->answers->str, "add-device"));
    g_assert_nonnull(strstr(f->answers->str, "does not answer 'pause'"));
    g_string_truncate(f->answers, 0);
    peer_answers(f, VMM_MSG_REPLY);
    peer_answers(f, VMM_MSG_REPLY);
    settle();
    g_assert_cmpstr(f->answers->str, ==, "add-device;");
}

static void
test_peer_goes(Fixture *f, gconstpointer unused)
{
    ask(f, "hello", 60000);
    ask(f, "run", 60000);
    close(f->peer);
    f->peer = -1;
    settle();
    g_assert_cmpstr(f->answers->str, ==,
                    "internal error: the guest's process went away during 'hello';"
                    "internal error: the guest's process went away during 'run';");
    g_assert_cmpuint(f->closed, ==, 1);
    g_assert_false(f->wrong);
}

static void
test_liars(Fixture *f, gconstpointer how)
{
    vmm_msg_auto msg = NULL;

    g_test_expect_message(NULL, G_LOG_LEVEL_WARNING, "*hanging up*");
    if (g_str_equal(how, "garbage")) {
        g_assert_cmpint(send(f->peer, "garbage", 7, 0), ==, 7);
    } else if (g_str_equal(how, "unasked")) {
        msg = vmm_msg_new(VMM_MSG_REPLY, 99, "hello");
    } else if (g_str_equal(how, "other-name")) {
        ask(f, "hello", 60000);
        msg = vmm_msg_new(VMM_MSG_REPLY, 1, "run");
    } else {
        msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "hello");
    }
    if (msg)
        g_assert_true(vmm_msg_send(f->peer, msg));
    settle();
    g_test_assert_expected_messages();
    g_assert_cmpuint(f->closed, ==, 1);
    g_assert_true(f->wrong);
}

/* A peer that never reads: there is an end to what it may leave unread. */
static void
test_full(Fixture *f, gconstpointer unused)
{
    GLogLevelFlags fatal = g_log_set_always_fatal(G_LOG_FATAL_MASK);
    guint asked = 0;

    while (f->link && asked < MANY) {
        ask(f, "hello", 60000);
        asked++;
        g_main_context_iteration(NULL, FALSE);
    }
    g_log_set_always_fatal(fatal);
    g_assert_cmpuint(asked, <, MANY);
    g_assert_cmpuint(f->closed, ==, 1);
}

/* An answer that has come in time counts, though we look late. */
static void
test_late_ourselves(Fixture *f, gconstpointer unused)
{
    vmm_msg_auto event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_STOPPED);

    ask(f, "run", 20);
    g_assert_true(vmm_msg_send(f->peer, event));
    peer_answers(f, VMM_MSG_REPLY);
    g_usleep(40000);
    settle();
    g_assert_cmpstr(f->answers->str, ==, "run;");
    g_assert_cmpuint(f->events, ==, 1);
}

/* Who comes back from a long silence is told of once. */
static void
test_late_together(Fixture *f, gconstpointer unused)
{
    for (guint i = 0; i < 3; i++)
        ask(f, "pause", 20);
    g_usleep(40000);
    settle();
    for (guint i = 0; i < 3; i++) {
        peer_answers(f, VMM_MSG_REPLY);
        settle();
        g_assert_cmpuint(f->late, ==, i == 2);
    }
}

/* More than the socket holds: what does not fit waits until the peer reads. */
static void
test_slow(Fixture *f, gconstpointer unused)
{
    for (guint i = 0; i < SOME; i++)
        ask(f, "hello", 60000);
    for (guint i = 0; i < SOME; i++) {
        peer_answers(f, VMM_MSG_REPLY);
        settle();
    }
    g_assert_cmpuint(f->answers->len, ==, SOME * strlen("hello;"));
    g_assert_null(strstr(f->answers->str, "error"));
    g_assert_nonnull(f->link);
}

/* What was given up before it could be sent never is. */
static void
test_withdrawn(Fixture *f, gconstpointer unused)
{
    for (guint i = 0; i < SOME; i++)
        ask(f, "hello", 60000);
    ask(f, "pause", 20);
    g_usleep(40000);
    settle();
    g_assert_nonnull(strstr(f->answers->str, "does not answer 'pause'"));
    g_string_truncate(f->answers, 0);
    ask(f, "run", 60000);
    for (guint i = 0; i <= SOME; i++) {
        peer_answers(f, VMM_MSG_REPLY);
        settle();
    }
    g_assert_true(g_str_has_suffix(f->answers->str, "hello;run;"));
    g_assert_null(strstr(f->answers->str, "pause"));
    g_assert_nonnull(f->link);
}

static void
on_closed_keep(gpointer data, gboolean wrong)
{
    ((Fixture *)data)->closed++;
}

/* Who keeps a link that has ended hears of the end once, however much he asks of it. */
static void
test_kept(Fixture *f, gconstpointer unused)
{
    const VmmLinkEvents events = { on_event, on_closed_keep, f };
    int ends[2];

    vmm_link_free(f->link);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==, 0);
    f->link = vmm_link_new(ends[0], &events);
    close(ends[1]);
    settle();
    g_assert_cmpuint(f->closed, ==, 1);
    g_test_expect_message(NULL, G_LOG_LEVEL_WARNING, "Cannot ask *");
    ask(f, "hello", 60000);
    settle();
    g_test_assert_expected_messages();
    g_assert_cmpstr(f->answers->str, ==, "internal error: the guest's process went away during 'hello';");
    g_assert_cmpuint(f->closed, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, how, fn) g_test_add(path, Fixture, how, set_up, fn, tear_down)
    ADD("/vmm-link/answers", NULL, test_answers);
    ADD("/vmm-link/event", NULL, test_event);
    ADD("/vmm-link/late", NULL, test_late);
    ADD("/vmm-link/patient", NULL, test_patient);
    ADD("/vmm-link/peer-goes", NULL, test_peer_goes);
    ADD("/vmm-link/garbage", "garbage", test_liars);
    ADD("/vmm-link/unasked", "unasked", test_liars);
    ADD("/vmm-link/other-name", "other-name", test_liars);
    ADD("/vmm-link/request", "request", test_liars);
    ADD("/vmm-link/full", NULL, test_full);
    ADD("/vmm-link/late-ourselves", NULL, test_late_ourselves);
    ADD("/vmm-link/late-together", NULL, test_late_together);
    ADD("/vmm-link/slow", NULL, test_slow);
    ADD("/vmm-link/withdrawn", NULL, test_withdrawn);
    ADD("/vmm-link/kept", NULL, test_kept);
    return g_test_run();
}
