/* The commands that talk to a guest's agent itself: qemu-agent-command, guest-agent-timeout. */
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <string.h>

/* JSON on many lines */

static void
begin_line(GString *out, guint depth)
{
    g_string_append_c(out, '\n');
    for (guint i = 0; i < depth; i++)
        g_string_append(out, "  ");
}

/* The end of the string that begins at @text, behind its last quote. */
static const char *
skip_string(const char *text)
{
    for (text++; *text && *text != '"'; text++) {
        if (*text == '\\' && text[1])
            text++;
    }
    return *text ? text + 1 : text;
}

/* @json: one line, as the daemon writes it, with no blanks but in strings. For g_free(). */
static char *
spread(const char *json)
{
    GString *out = g_string_new(NULL);
    guint depth = 0;

    while (*json) {
        const char *end = *json == '"' ? skip_string(json) : json + 1;
        gboolean empty = strchr("[{", *json) && (json[1] == ']' || json[1] == '}');

        if (strchr("]}", *json))
            begin_line(out, --depth);
        if (empty)
            end++;
        g_string_append_len(out, json, end - json);
        if (strchr("[{", *json) && !empty)
            begin_line(out, ++depth);
        else if (*json == ',')
            begin_line(out, depth);
        else if (*json == ':')
            g_string_append_c(out, ' ');
        json = end;
    }
    return g_string_free(out, FALSE);
}

/* How long to wait: seconds, or libvirt's word for more or less. */
static gboolean
read_timeout(const Args *args, int *ret, GError **error)
{
    int given = args_has(args, "timeout") + args_has(args, "async") + args_has(args, "block");
    int timeout = args_int(args, "timeout", VIR_DOMAIN_QEMU_AGENT_COMMAND_DEFAULT);

    if (args_has(args, "timeout") && timeout < 1)
        return cli_fail(error, "%s", _("timeout must be positive"));
    if (given > 1)
        return cli_fail(error, "%s", _("timeout, async and block options are exclusive"));
    if (args_has(args, "async"))
        timeout = VIR_DOMAIN_QEMU_AGENT_COMMAND_NOWAIT;
    if (args_has(args, "block"))
        timeout = VIR_DOMAIN_QEMU_AGENT_COMMAND_BLOCK;
    *ret = timeout;
    return TRUE;
}

static gboolean
run_agent_command(Session *session, const Args *args, GError **error)
{
    g_autofree char *command = g_strjoinv(" ", (char **)args_list(args, "cmd"));
    g_autofree char *pretty = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL;
    const char *result;
    int timeout = 0;

    if (!domain || !read_timeout(args, &timeout, error))
        return FALSE;
    reply = connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE,
                            "QemuAgentCommand", g_variant_new("(siu)", command, timeout, 0), "(s)",
                            error);
    if (!reply)
        return FALSE;
    g_variant_get(reply, "(&s)", &result);
    if (args_has(args, "pretty"))
        pretty = spread(result);
    output("%s\n", pretty ? pretty : result);
    return TRUE;
}

static const Option agent_command_options[] = {
    OPTION_DOMAIN_ANY,
    { "timeout", OPTION_INT, OPTION_NAMED_ONLY, N_("seconds to wait for the answer") },
    { "async", OPTION_BOOL, 0, N_("do not wait at all") },
    { "block", OPTION_BOOL, 0, N_("wait for any time") },
    { "pretty", OPTION_BOOL, 0, N_("print the answer on many lines") },
    { "cmd", OPTION_ARGV, OPTION_REQUIRED, N_("the command, a JSON object") },
    { NULL },
};

const Command command_qemu_agent_command = {
    "qemu-agent-command",
    N_("send any command to the agent of a domain's guest"),
    N_("For what no other command does: the answer is printed as it comes, which is JSON."),
    agent_command_options,
    run_agent_command,
    COMMAND_CHANGES | COMMAND_JSON,
};

static gboolean
run_agent_timeout(Session *session, const Args *args, GError **error)
{
    int timeout = args_int(args, "timeout", VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK);
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL;

    if (!domain)
        return FALSE;
    reply =
        connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE,
                        "AgentSetResponseTimeout", g_variant_new("(iu)", timeout, 0), "()", error);
    return reply != NULL;
}

static const Option agent_timeout_options[] = {
    OPTION_DOMAIN_ANY,
    { "timeout", OPTION_INT, OPTION_NAMED_ONLY,
      N_("seconds; -1: five; -2, or without this option: any time") },
    { NULL },
};

const Command command_guest_agent_timeout = {
    "guest-agent-timeout",
    N_("say how long the agent of a domain's guest may take for an answer"),
    NULL,
    agent_timeout_options,
    run_agent_timeout,
    COMMAND_CHANGES,
};
