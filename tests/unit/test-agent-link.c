/* The connection to a guest agent, whose part the test plays. What agents that behave badly do is in
 * tests/bus/test-bus-agent and tests/fuzz/fuzz-agent. */
#include "driver/agent-link.h"
#include "driver/error.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct Fixture {
    AgentLink *link;
    int agent; /* the other end */
    guint n_answers;
    char *answer; /* or the error */
} Fixture;

static void
answered(gpointer data, GVariant *reply, const GError *error)
{
    Fixture *f = data;

    f->n_answers++;
    g_free(f->answer);
    f->answer = error ? g_strdup(error->message) : g_variant_print(reply, FALSE);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==,
                    0);
    f->link = agent_link_new(ends[0]);
    f->agent = ends[1];
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    agent_link_free(f->link);
    if (f->agent >= 0)
        close(f->agent);
    g_free(f->answer);
}

static void
turn(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        continue;
}

/* What has come to the agent; for g_free(). */
static char *
hear(Fixture *f)
{
    char bytes[512];
    ssize_t n;

    turn();
    n = recv(f->agent, bytes, sizeof(bytes) - 1, 0);
    return g_strndup(bytes, MAX(n, 0));
}

static void
say(Fixture *f, const char *text)
{
    g_assert_cmpint(send(f->agent, text, strlen(text), 0), ==, (ssize_t)strlen(text));
}

/* Answers guest-sync-delimited, late things first. */
static void
agree(Fixture *f)
{
    g_autofree char *heard = hear(f), *id = NULL, *answer = NULL;
    const char *at = strstr(heard, "\"id\":");

    g_assert_true((guchar)heard[0] == 0xff);
    g_assert_nonnull(strstr(heard, "\"execute\":\"guest-sync-delimited\""));
    id = g_strndup(at + 5, strspn(at + 5, "0123456789"));
    answer = g_strdup_printf("{\"return\":\"late\"}\n\xff{\"return\":%s}\n", id);
    say(f, answer);
}

static void
test_command(Fixture *f, gconstpointer data)
{
    g_autofree char *command = NULL;

    for (guint i = 1; i <= 2; i++) {
        agent_link_send(f->link, "{\"execute\":\"guest-ping\"}", AGENT_DEFAULT, answered, f);
        agree(f);
        g_free(command);
        command = hear(f);
        g_assert_cmpstr(command, ==, "{\"execute\":\"guest-ping\"}\n");
        say(f, "{\"return\":");
        turn();
        g_assert_cmpuint(f->n_answers, ==, i - 1);
        say(f, " {}}\n");
        turn();
        g_assert_cmpuint(f->n_answers, ==, i);
        g_assert_cmpstr(f->answer, ==, "{'return': <@a{sv} {}>}");
    }
    /* What nobody asked for is not even read. */
    say(f, "{}\n{}\n");
    turn();
    g_assert_cmpuint(f->n_answers, ==, 2);
    g_assert_true(agent_link_is_open(f->link));
}

/* The link goes, because the guest has closed its channel: what was said before counts. */
static void
test_last_words(Fixture *f, gconstpointer data)
{
    g_autofree char *command = NULL;

    agent_link_send(f->link, "{}", AGENT_BLOCK, answered, f);
    agree(f);
    command = hear(f);
    say(f, "{\"return\":7}\n");
    agent_link_free(g_steal_pointer(&f->link));
    g_assert_cmpuint(f->n_answers, ==, 1);
    g_assert_cmpstr(f->answer, ==, "{'return': <int64 7>}");
}

static void
test_gone(Fixture *f, gconstpointer data)
{
    agent_link_send(f->link, "{}", AGENT_BLOCK, answered, f);
    turn();
    close(f->agent);
    f->agent = -1;
    turn();
    g_assert_cmpstr(f->answer, ==,
                    "Guest agent is not responding: Guest agent disappeared while executing "
                    "command");
    g_assert_false(agent_link_is_open(f->link));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, test) g_test_add("/agent-link/" name, Fixture, NULL, set_up, test, tear_down)
    CASE("command", test_command);
    CASE("last-words", test_last_words);
    CASE("gone", test_gone);
    return g_test_run();
}
