#include "driver/agent.h"

#include "driver/agent-info.h"
#include "driver/agent-link.h"
#include "driver/device-channel.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/json.h"
#include "driver/test-agent.h"
#include "driver/unix-socket.h"

#include <string.h>
#include <sys/socket.h>

/* The connection */

static const Device *
find_channel(const Domain *domain)
{
    const GPtrArray *devices = domain->live->devices;

    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        if (dev->kind == &device_channel && g_strcmp0(device_channel_name(dev), CHANNEL_AGENT) == 0)
            return dev;
    }
    return NULL;
}

void
agent_opened(Domain *domain)
{
    const Device *channel = find_channel(domain);
    const char *path = channel ? device_channel_socket(channel) : NULL;
    g_autoptr(GError) error = NULL;
    int fd;

    if (domain->agent || !path || !device_channel_is_open(channel))
        return;
    fd = unix_socket_connect(path, SOCK_STREAM, &error);
    if (fd >= 0)
        domain->agent = agent_link_new(fd);
    else
        g_warning("Domain '%s': the guest agent is not connected: %s", domain_name(domain),
                  error->message);
}

void
agent_closed(Domain *domain)
{
    agent_link_free(g_steal_pointer(&domain->agent));
}

void
agent_channel_left(Domain *domain)
{
    if (!find_channel(domain))
        agent_closed(domain);
}

static gboolean
is_available(Domain *domain, GError **error)
{
    gboolean simulated = domain_is_simulated(domain);

    if (!domain_is_active(domain) || !domain->live ||
        (!simulated && domain->state != VIR_DOMAIN_RUNNING))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
    if (simulated)
        return TRUE;
    agent_opened(domain); /* where that did not work when it was told */
    if (domain->agent)
        return TRUE;
    return find_channel(domain) ? driver_error(error, VIR_ERR_AGENT_UNRESPONSIVE,
                                               "QEMU guest agent is not connected")
                                : driver_error(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                                               "QEMU guest agent is not configured");
}

/* Verbs */

static void
verb_free(AgentVerb *verb)
{
    if (verb->detail_free)
        verb->detail_free(verb->detail);
    domain_unref(verb->domain);
    g_free(verb);
}

void
agent_verb_finish(AgentVerb *verb, GVariant *result, const GError *error)
{
    g_autoptr(GVariant) own = result ? g_variant_ref_sink(result) : NULL;

    verb->done(verb->data, own, error);
    job_end(&verb->domain->agent_job);
    verb_free(verb);
}

void
agent_verb_fail(AgentVerb *verb, int code, const char *format, ...)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    driver_error(&error, code, "%s", text);
    agent_verb_finish(verb, NULL, error);
}

void
agent_verb_done(AgentVerb *verb, GVariant *returned, const GError *error)
{
    agent_verb_finish(verb, NULL, error);
}

static void
may_run(gpointer data, const GError *error)
{
    AgentVerb *verb = data;
    g_autoptr(GError) why = NULL;

    if (error) {
        verb->done(verb->data, NULL, error);
        verb_free(verb);
    } else if (is_available(verb->domain, &why)) {
        verb->begin(verb);
    } else {
        agent_verb_finish(verb, NULL, why);
    }
}

void
agent_verb_start(const char *name, const AgentVerb *verb, const char *function, guint flags,
                 guint known)
{
    g_autoptr(GError) error = NULL;
    AgentVerb *copy = g_memdup2(verb, sizeof(*verb));

    domain_ref(copy->domain);
    if ((!domain_is_simulated(copy->domain) || test_agent_check(function, &error)) &&
        driver_check_flags(flags, known, function, &error)) {
        job_begin(&copy->domain->agent_job, name, JOB_WAIT_MS, may_run, copy);
        return;
    }
    copy->done(copy->data, NULL, error);
    verb_free(copy);
}

/* Asking */

typedef struct Question {
    AgentVerb *verb;
    char *execute;  /* the command's name */
    gboolean whole; /* the answer is the whole reply */
    AgentAnswer answer;
} Question;

static const char *
class_text(const char *class)
{
    static const char *const texts[][2] = {
        { "CommandDisabled", "The command has been disabled for this instance" },
        { "CommandNotFound", "The command has not been found" },
    };

    for (gsize i = 0; class && i < G_N_ELEMENTS(texts); i++) {
        if (strcmp(texts[i][0], class) == 0)
            return texts[i][1];
    }
    return class ? class : "unknown QEMU command error";
}

/* What the agent says instead of an answer. */
static void
refuse(Question *question, GVariant *problem, GError **error)
{
    const char *class = NULL, *text = NULL;
    g_autofree char *shown = NULL;

    json_get_text(problem, "class", &class);
    json_get_text(problem, "desc", &text);
    question->verb->unsupported =
        g_strcmp0(class, "CommandNotFound") == 0 || g_strcmp0(class, "CommandDisabled") == 0;
    shown = agent_text_readable(text ? text : class_text(class));
    driver_error(error, VIR_ERR_INTERNAL_ERROR, "unable to execute QEMU agent command '%s': %s",
                 question->execute, shown);
}

/* The connection's end is the domain's as well, so that the next verb makes another one. */
static void
drop_closed(Domain *domain)
{
    if (domain->agent && !agent_link_is_open(domain->agent))
        agent_closed(domain);
}

static void
replied(gpointer data, GVariant *reply, const GError *link_error)
{
    Question *question = data;
    AgentVerb *verb = question->verb;
    g_autoptr(GVariant) problem = reply ? json_member(reply, "error", "*") : NULL;
    g_autoptr(GVariant) returned = reply ? json_member(reply, "return", "*") : NULL;
    g_autoptr(GError) error = link_error ? g_error_copy(link_error) : NULL;

    drop_closed(verb->domain);
    verb->unsupported = FALSE;
    if (problem)
        refuse(question, problem, &error);
    if (verb->ends_agent && link_error && !verb->domain->agent)
        g_clear_error(&error);
    question->answer(verb, error ? NULL : (question->whole ? reply : returned), error);
    g_free(question->execute);
    g_free(question);
}

static void
ask(AgentVerb *verb, GVariant *command, const char *execute, gboolean whole, int timeout_s,
    AgentAnswer answer)
{
    g_autofree char *text = json_format(command);
    Question *question;

    if (!verb->domain->agent) { /* it went away since the last answer */
        g_autoptr(GError) error = NULL;

        driver_error(&error, VIR_ERR_AGENT_UNRESPONSIVE,
                     "Guest agent disappeared while executing command");
        answer(verb, NULL, error);
        return;
    }
    question = g_new(Question, 1);
    *question = (Question){ verb, g_strdup(execute), whole, answer };
    agent_link_send(verb->domain->agent, text, timeout_s, replied, question);
}

/* A simulated guest needs no answer that somebody would have to read. */
static void
answer_simulated(AgentVerb *verb, const char *execute, GVariant *arguments)
{
    g_autoptr(GVariant) own = arguments ? g_variant_ref_sink(arguments) : NULL;
    g_autoptr(GError) error = NULL;
    GVariant *result = test_agent_answer(verb->domain, execute, own, &error);

    agent_verb_finish(verb, result, error);
}

void
agent_verb_ask_for(AgentVerb *verb, const char *execute, GVariant *arguments, int timeout_s,
                   AgentAnswer answer)
{
    GVariant *name;

    if (domain_is_simulated(verb->domain)) {
        answer_simulated(verb, execute, arguments);
        return;
    }
    name = g_variant_new_string(execute);
    ask(verb,
        arguments ? json_object("execute", name, "arguments", arguments, NULL)
                  : json_object("execute", name, NULL),
        execute, FALSE, timeout_s, answer);
}

void
agent_verb_ask(AgentVerb *verb, const char *execute, GVariant *arguments, AgentAnswer answer)
{
    agent_verb_ask_for(verb, execute, arguments, verb->domain->agent_timeout_s, answer);
}

void
agent_verb_ask_raw(AgentVerb *verb, GVariant *command, int timeout_s, AgentAnswer answer)
{
    const char *execute = "<unknown>";

    json_get_text(command, "execute", &execute);
    ask(verb, command, execute, TRUE, timeout_s, answer);
}
