#include "driver/agent-link.h"

#include "driver/error.h"
#include "driver/json.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The byte that is in no JSON text: the agent's parser starts anew at ours, and its own goes before the answer to
 * guest-sync-delimited. */
#define MARK 0xff

#define READ_SIZE 65536

/* Whatever a guest floods its daemon with, others are heard before. */
#define PRIORITY (G_PRIORITY_DEFAULT + 10)

typedef enum Stage {
    STAGE_IDLE,
    STAGE_SEEK, /* looks for the mark */
    STAGE_SYNC, /* reads the line after it */
    STAGE_RUN,  /* reads the answer to the command */
} Stage;

struct AgentLink {
    int fd;
    Stage stage;
    gboolean closed; /* by the other end */
    guint source, timer;
    gint64 id; /* of the last guest-sync-delimited */
    GByteArray *in;
    gsize scanned;   /* bytes of @in that have no end of a line */
    GByteArray *out; /* what is still to be written */
    char *command;
    int timeout_s;
    AgentLinkReply reply;
    gpointer data;
};

static void wait_for_io(AgentLink *link);

AgentLink *
agent_link_new(int fd)
{
    AgentLink *link = g_new0(AgentLink, 1);

    link->fd = fd;
    link->in = g_byte_array_new();
    link->out = g_byte_array_new();
    return link;
}

static void
stop_waiting(AgentLink *link)
{
    g_clear_handle_id(&link->source, g_source_remove);
    g_clear_handle_id(&link->timer, g_source_remove);
}

/* The last thing that is done with the link in a callback: who is told may free it. */
static void
finish(AgentLink *link, GVariant *answer, GError *error)
{
    AgentLinkReply reply = g_steal_pointer(&link->reply);
    g_autoptr(GVariant) own = answer;
    g_autoptr(GError) own_error = error;

    stop_waiting(link);
    link->stage = STAGE_IDLE;
    g_clear_pointer(&link->command, g_free);
    g_byte_array_set_size(link->in, 0);
    g_byte_array_set_size(link->out, 0);
    link->scanned = 0;
    reply(link->data, answer, error);
}

static void
fail(AgentLink *link, virErrorNumber code, const char *text)
{
    GError *error = NULL;

    driver_error(&error, code, "%s", text);
    finish(link, NULL, error);
}

static void
fail_gone(AgentLink *link)
{
    fail(link, VIR_ERR_AGENT_UNRESPONSIVE, "Guest agent disappeared while executing command");
}

static gboolean
out_of_time(gpointer data)
{
    AgentLink *link = data;

    link->timer = 0;
    fail(link, VIR_ERR_AGENT_UNRESPONSIVE, "Guest agent not available for now");
    return G_SOURCE_REMOVE;
}

static void
set_timer(AgentLink *link, int seconds)
{
    g_clear_handle_id(&link->timer, g_source_remove);
    if (seconds != AGENT_BLOCK)
        link->timer = g_timeout_add(
            1000 * (seconds == AGENT_DEFAULT ? AGENT_SYNC_TIMEOUT_S : seconds), out_of_time, link);
}

/* Reading */

/* The next line without its end, or NULL; for g_free(). */
static char *
take_line(AgentLink *link)
{
    const guint8 *start = link->in->data;
    const guint8 *end = link->in->len > link->scanned
                            ? memchr(start + link->scanned, '\n', link->in->len - link->scanned)
                            : NULL;
    char *line;

    link->scanned = link->in->len;
    if (!end)
        return NULL;
    line = g_strndup((const char *)start, end - start);
    g_byte_array_remove_range(link->in, 0, end - start + 1);
    link->scanned = 0;
    return line;
}

static void
run_command(AgentLink *link)
{
    g_byte_array_append(link->out, (const guint8 *)link->command, strlen(link->command));
    g_byte_array_append(link->out, (const guint8 *)"\n", 1);
    link->stage = STAGE_RUN;
    set_timer(link, link->timeout_s);
}

/* What is before the last mark is of another time. */
static void
seek_mark(AgentLink *link)
{
    const guint8 *mark = link->in->len ? memrchr(link->in->data, MARK, link->in->len) : NULL;

    g_byte_array_remove_range(link->in, 0,
                              mark ? (guint)(mark - link->in->data) + 1 : link->in->len);
    link->scanned = 0;
    if (mark)
        link->stage = STAGE_SYNC;
}

/* FALSE: there is no whole line yet. */
static gboolean
read_sync(AgentLink *link)
{
    g_autofree char *line = NULL;
    g_autoptr(GVariant) answer = NULL;
    gint64 id;

    if (link->in->len && memrchr(link->in->data, MARK, link->in->len))
        seek_mark(link);
    line = take_line(link);
    if (!line)
        return FALSE;
    answer = json_parse(line, NULL);
    if (answer && json_get_int(answer, "return", 0, G_MAXINT64, &id) && id == link->id)
        run_command(link);
    else
        link->stage = STAGE_SEEK; /* of an earlier time, or no agent's */
    return TRUE;
}

/* TRUE with @ret or @error where the line is the end of the command. */
static gboolean
read_answer(char *line, GVariant **ret, GError **error)
{
    g_autoptr(GVariant) answer = NULL, value = NULL, problem = NULL;

    if (!*g_strstrip(line))
        return FALSE;
    answer = json_parse(line, NULL);
    if (!answer) {
        driver_error(error, VIR_ERR_INTERNAL_ERROR, "cannot parse the guest agent's answer");
        return TRUE;
    }
    value = json_member(answer, "return", "*");
    problem = json_member(answer, "error", "*");
    if (value || problem)
        *ret = g_steal_pointer(&answer);
    else
        driver_error(error, VIR_ERR_INTERNAL_ERROR, "the guest agent's answer is none");
    return TRUE;
}

/* All that has come; TRUE with @ret or @error at the end of the command. */
static gboolean
consume(AgentLink *link, GVariant **ret, GError **error)
{
    gboolean more = TRUE;

    while (more) {
        g_autofree char *line = NULL;

        switch (link->stage) {
        case STAGE_SEEK:
            seek_mark(link);
            more = link->stage == STAGE_SYNC;
            break;
        case STAGE_SYNC:
            more = read_sync(link);
            break;
        default:
            line = take_line(link);
            if (line && read_answer(line, ret, error))
                return TRUE;
            more = line != NULL;
        }
    }
    if (link->in->len <= AGENT_RESPONSE_MAX)
        return FALSE;
    driver_error(error, VIR_ERR_INTERNAL_ERROR, "No complete agent response found in %d bytes",
                 AGENT_RESPONSE_MAX);
    return TRUE;
}

/* FALSE at the end of the stream. */
static gboolean
read_some(AgentLink *link)
{
    guint had = link->in->len;
    ssize_t n;

    g_byte_array_set_size(link->in, had + READ_SIZE);
    n = recv(link->fd, link->in->data + had, READ_SIZE, MSG_DONTWAIT);
    g_byte_array_set_size(link->in, had + MAX(n, 0));
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* What an agent that goes away has said before is heard. */
static void
hear_last_words(AgentLink *link)
{
    GVariant *answer = NULL;
    GError *error = NULL;
    guint had;

    do {
        had = link->in->len;
        if (!read_some(link))
            break;
        if (consume(link, &answer, &error)) {
            finish(link, answer, error);
            return;
        }
    } while (link->in->len > had);
    fail_gone(link);
}

void
agent_link_free(AgentLink *link)
{
    if (!link)
        return;
    if (link->stage != STAGE_IDLE)
        hear_last_words(link);
    stop_waiting(link);
    close(link->fd);
    g_byte_array_unref(link->in);
    g_byte_array_unref(link->out);
    g_free(link);
}

static gboolean
write_some(AgentLink *link)
{
    ssize_t n = send(link->fd, link->out->data, link->out->len, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
        g_byte_array_remove_range(link->out, 0, n);
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static gboolean
on_io(int fd, GIOCondition condition, gpointer data)
{
    AgentLink *link = data;
    GVariant *answer = NULL;
    GError *error = NULL;

    link->source = 0;
    if (condition & G_IO_OUT && !write_some(link))
        link->closed = TRUE;
    if (condition & (G_IO_IN | G_IO_HUP | G_IO_ERR) && !read_some(link))
        link->closed = TRUE;
    if (consume(link, &answer, &error))
        finish(link, answer, error);
    else if (link->closed)
        fail_gone(link);
    else
        wait_for_io(link);
    return G_SOURCE_REMOVE;
}

static void
wait_for_io(AgentLink *link)
{
    GIOCondition condition = G_IO_IN | (link->out->len > 0 ? G_IO_OUT : 0);

    link->source = g_unix_fd_add_full(PRIORITY, link->fd, condition, on_io, link, NULL);
}

gboolean
agent_link_is_open(const AgentLink *link)
{
    return !link->closed;
}

void
agent_link_send(AgentLink *link, const char *command, int timeout_s, AgentLinkReply reply,
                gpointer data)
{
    const guint8 mark = MARK;
    g_autofree char *sync = NULL;
    int sync_s = timeout_s >= 0 ? MIN(timeout_s, AGENT_SYNC_TIMEOUT_S) : AGENT_SYNC_TIMEOUT_S;

    g_assert(link->stage == STAGE_IDLE);
    /* Of no meaning but that it is another one each time, of daemons before this one, too. */
    link->id = MAX(g_get_real_time(), link->id + 1);
    sync = g_strdup_printf("{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%" //
                           G_GINT64_FORMAT "}}\n",
                           link->id);
    link->stage = STAGE_SEEK;
    link->command = g_strdup(command);
    link->timeout_s = timeout_s;
    link->reply = reply;
    link->data = data;
    g_byte_array_append(link->out, &mark, 1);
    g_byte_array_append(link->out, (const guint8 *)sync, strlen(sync));
    set_timer(link, sync_s);
    wait_for_io(link);
}
