/* agent-guest: a guest's host name, clock, users and their keys, and any command. */
#include "driver/agent-link.h"
#include "driver/agent.h"
#include "driver/domain-agent.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/json.h"

#include <string.h>

#define NS_PER_S G_GINT64_CONSTANT(1000000000)

/* A verb that is one command. */
typedef struct Command {
    const char *execute;
    GVariant *arguments;
    AgentAnswer answer;
} Command;

static void
command_free(gpointer data)
{
    Command *command = data;

    g_clear_pointer(&command->arguments, g_variant_unref);
    g_free(command);
}

static void
ask_command(AgentVerb *verb)
{
    Command *command = verb->detail;

    agent_verb_ask(verb, command->execute, command->arguments, command->answer);
}

/* @arguments may be NULL, and is taken over. */
static Command *
command_new(const char *execute, GVariant *arguments, AgentAnswer answer)
{
    Command *command = g_new(Command, 1);

    *command = (Command){ execute, arguments ? g_variant_ref_sink(arguments) : NULL, answer };
    return command;
}

static void
start(Domain *domain, const char *name, Command *command, const char *function, guint flags,
      guint known, DomainReply done, gpointer data)
{
    const AgentVerb verb = {
        .domain = domain,
        .begin = ask_command,
        .done = done,
        .data = data,
        .detail = command,
        .detail_free = command_free,
    };

    agent_verb_start(name, &verb, function, flags, known);
}

/* Host name */

static void
got_hostname(AgentVerb *verb, GVariant *returned, const GError *error)
{
    const char *name;

    if (error)
        agent_verb_finish(verb, NULL, error);
    else if (json_get_text(returned, "host-name", &name))
        agent_verb_finish(verb, g_variant_new_string(name), NULL);
    else
        agent_verb_fail(verb, VIR_ERR_INTERNAL_ERROR,
                        "'host-name' missing in guest-get-host-name reply");
}

void
domain_get_hostname(Domain *domain, guint flags, DomainReply done, gpointer data)
{
    const guint known = VIR_DOMAIN_GET_HOSTNAME_LEASE | VIR_DOMAIN_GET_HOSTNAME_AGENT;
    g_autoptr(GError) error = NULL;

    /* There are no networks of libvirt's here that could have given out a lease. */
    if (flags & VIR_DOMAIN_GET_HOSTNAME_LEASE && !(flags & ~known)) {
        if (flags & VIR_DOMAIN_GET_HOSTNAME_AGENT)
            driver_error_argument(&error, "Flags 'VIR_DOMAIN_GET_HOSTNAME_LEASE' and "
                                          "'VIR_DOMAIN_GET_HOSTNAME_AGENT' are mutually exclusive");
        else if (!domain_is_active(domain))
            driver_error(&error, VIR_ERR_OPERATION_INVALID, "domain is not running");
        else
            driver_error(&error, VIR_ERR_NO_HOSTNAME, "no hostname found for domain %s",
                         domain_name(domain));
        done(data, NULL, error);
        return;
    }
    start(domain, "get-hostname", command_new("guest-get-host-name", NULL, got_hostname),
          "virDomainGetHostname", flags, known, done, data);
}

/* The clock */

static void
got_time(AgentVerb *verb, GVariant *returned, const GError *error)
{
    gint64 ns;

    if (error)
        agent_verb_finish(verb, NULL, error);
    else if (!g_variant_is_of_type(returned, G_VARIANT_TYPE_INT64) ||
             (ns = g_variant_get_int64(returned)) < 0)
        agent_verb_fail(verb, VIR_ERR_INTERNAL_ERROR, "malformed return value");
    else
        agent_verb_finish(
            verb, g_variant_new("(tu)", (guint64)(ns / NS_PER_S), (guint)(ns % NS_PER_S)), NULL);
}

void
domain_get_time(Domain *domain, guint flags, DomainReply done, gpointer data)
{
    start(domain, "get-time", command_new("guest-get-time", NULL, got_time), "virDomainGetTime",
          flags, 0, done, data);
}

void
domain_set_time(Domain *domain, guint64 seconds, guint nseconds, guint flags, DomainReply done,
                gpointer data)
{
    const guint64 max = G_MAXINT64 / NS_PER_S - 1;
    GVariant *arguments = NULL;

    if (!(flags & VIR_DOMAIN_TIME_SYNC) && seconds > max) {
        g_autoptr(GError) error = NULL;

        driver_error(&error, VIR_ERR_INVALID_ARG,
                     "Time '%" G_GINT64_FORMAT "' is too big for guest agent", (gint64)seconds);
        done(data, NULL, error);
        return;
    }
    if (!(flags & VIR_DOMAIN_TIME_SYNC))
        arguments =
            json_object("time", g_variant_new_int64((gint64)seconds * NS_PER_S + nseconds), NULL);
    start(domain, "set-time", command_new("guest-set-time", arguments, agent_verb_done),
          "virDomainSetTime", flags, VIR_DOMAIN_TIME_SYNC, done, data);
}

/* Users */

void
domain_set_user_password(Domain *domain, const char *user, const char *password, guint flags,
                         DomainReply done, gpointer data)
{
    g_autofree char *encoded = g_base64_encode((const guchar *)password, strlen(password));
    gboolean crypted = (flags & VIR_DOMAIN_PASSWORD_ENCRYPTED) != 0;
    GVariant *arguments =
        json_object("crypted", g_variant_new_boolean(crypted), "username",
                    g_variant_new_string(user), "password", g_variant_new_string(encoded), NULL);

    start(domain, "set-user-password",
          command_new("guest-set-user-password", arguments, agent_verb_done),
          "virDomainSetUserPassword", flags, VIR_DOMAIN_PASSWORD_ENCRYPTED, done, data);
}

static void
got_keys(AgentVerb *verb, GVariant *returned, const GError *error)
{
    g_autoptr(GVariant) keys = returned ? json_member(returned, "keys", "av") : NULL;
    GVariantBuilder lines;
    GVariantIter iter;
    GVariant *key;

    if (error || !keys) {
        if (error)
            agent_verb_finish(verb, NULL, error);
        else
            agent_verb_fail(verb, VIR_ERR_INTERNAL_ERROR,
                            "qemu agent didn't return an array of keys");
        return;
    }
    g_variant_builder_init(&lines, G_VARIANT_TYPE_STRING_ARRAY);
    g_variant_iter_init(&iter, keys);
    while (g_variant_iter_next(&iter, "v", &key)) {
        if (g_variant_is_of_type(key, G_VARIANT_TYPE_STRING))
            g_variant_builder_add_value(&lines, key);
        g_variant_unref(key);
    }
    agent_verb_finish(verb, g_variant_builder_end(&lines), NULL);
}

void
domain_get_ssh_keys(Domain *domain, const char *user, guint flags, DomainReply done, gpointer data)
{
    GVariant *arguments = json_object("username", g_variant_new_string(user), NULL);

    start(domain, "get-ssh-keys", command_new("guest-ssh-get-authorized-keys", arguments, got_keys),
          "virDomainAuthorizedSSHKeysGet", flags, 0, done, data);
}

void
domain_set_ssh_keys(Domain *domain, const char *user, const char *const *keys, guint flags,
                    DomainReply done, gpointer data)
{
    const guint known =
        VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND | VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE;
    gboolean append = (flags & VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND) != 0;
    gboolean removing = (flags & VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE) != 0;
    GVariant *name = g_variant_new_string(user), *lines = g_variant_new_strv(keys, -1);
    GVariant *arguments = removing ? json_object("username", name, "keys", lines, NULL)
                                   : json_object("username", name, "keys", lines, "reset",
                                                 g_variant_new_boolean(!append), NULL);

    start(
        domain, "set-ssh-keys",
        command_new(removing ? "guest-ssh-remove-authorized-keys" : "guest-ssh-add-authorized-keys",
                    arguments, agent_verb_done),
        "virDomainAuthorizedSSHKeysSet", flags, known, done, data);
}

/* Any command */

typedef struct AnyCommand {
    GVariant *command;
    int timeout_s;
} AnyCommand;

static void
any_command_free(gpointer data)
{
    AnyCommand *any = data;

    g_variant_unref(any->command);
    g_free(any);
}

static void
got_anything(AgentVerb *verb, GVariant *reply, const GError *error)
{
    if (error)
        agent_verb_finish(verb, NULL, error);
    else
        agent_verb_finish(verb, g_variant_new_take_string(json_format(reply)), NULL);
}

static void
ask_anything(AgentVerb *verb)
{
    AnyCommand *any = verb->detail;

    agent_verb_ask_raw(verb, any->command, any->timeout_s, got_anything);
}

static gboolean
check_timeout(int timeout_s, GError **error)
{
    return timeout_s >= AGENT_BLOCK ||
           driver_error(error, VIR_ERR_INVALID_ARG,
                        "guest agent timeout '%d' is less than the minimum '%d'", timeout_s,
                        AGENT_BLOCK);
}

void
domain_agent_command(Domain *domain, const char *command, int timeout_s, guint flags,
                     DomainReply done, gpointer data)
{
    g_autoptr(GError) error = NULL;
    AgentVerb verb = {
        .domain = domain,
        .begin = ask_anything,
        .done = done,
        .data = data,
        .detail_free = any_command_free,
    };
    GVariant *parsed = check_timeout(timeout_s, &error) ? json_parse(command, &error) : NULL;

    if (!parsed) {
        done(data, NULL, error);
        return;
    }
    verb.detail = g_new(AnyCommand, 1);
    *(AnyCommand *)verb.detail = (AnyCommand){ parsed, timeout_s };
    agent_verb_start("agent-command", &verb, "virDomainQemuAgentCommand", flags, 0);
}

gboolean
domain_agent_set_timeout(Domain *domain, int timeout_s, guint flags, GError **error)
{
    if (!driver_check_flags(flags, 0, "virDomainAgentSetResponseTimeout", error) ||
        !check_timeout(timeout_s, error))
        return FALSE;
    if (!domain_is_active(domain))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
    domain->agent_timeout_s = timeout_s;
    return TRUE;
}
