#include "cli/hint.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct Hint {
    const char *complaint; /* a part of it: the daemon's words, or a text of ours up to its first argument */
    const char *command;   /* "%s" stands for the domain; without one in the line, there is no such hint */
    const char *reason;    /* N_(), or NULL */
} Hint;

/* The first that fits counts. */
static const Hint hints[] = {
    { "is not providing a guest agent", "man vmctld",
      N_("GUEST AGENT there says what a guest needs") },
    { "QEMU guest agent is not c", "man vmctld", N_("GUEST AGENT there says what a guest needs") },
    { "managed save image exists", "vmctl undefine %s --managed-save", NULL },
    { "cannot delete inactive domain with", "vmctl undefine %s --snapshots-metadata", NULL },
    { "Domain snapshot not found", "vmctl snapshot-list %s", NULL },
    { "cannot undefine domain with nvram", "vmctl undefine %s --nvram", NULL },
    { "domain is already running", "vmctl console %s", NULL },
    { "omain is already active", "vmctl console %s", NULL },
    { "domain is not running", "vmctl start %s", NULL },
    { "omain is paused", "vmctl resume %s", NULL },
    { "domain has active console session", "vmctl console %s --force", NULL },
    { "Active console session exists", "vmctl console %s --force", NULL },
    { "already exists with uuid", "vmctl list --all", NULL },
    { "XML document failed to validate", "man vmctl-domain", NULL },
    { "unsupported configuration", "man vmctl-domain", NULL },
    { "Could not access KVM", "vmctl doctor", NULL },
    { "/dev/kvm", "vmctl doctor", NULL },
    { "Domain not found", "vmctl list --all", NULL },
    { "Network not found", "vmctl net-list --all", NULL },
    { "Storage pool not found", "vmctl pool-list --all", NULL },
    { "Interface not found", "vmctl iface-list --all", NULL },
    { "Node device not found", "vmctl nodedev-list", NULL },
    { N_("unknown command: '%s'"), "vmctl help", NULL },
    { N_("command or command group '%s' doesn't exist"), "vmctl help", NULL },
};

/* What stands before the first argument of a text, or after it where that is longer: what surely is in a complaint. */
static char *
fixed_part(const char *text)
{
    const char *argument = strstr(text, "%s");
    const char *behind = argument ? argument + strlen("%s") : NULL;

    if (!argument)
        return g_strdup(text);
    return argument - text >= (gssize)strlen(behind) ? g_strndup(text, (gsize)(argument - text))
                                                     : g_strdup(behind);
}

static gboolean
fits(const Hint *hint, const char *complaints)
{
    g_autofree char *part = fixed_part(_(hint->complaint));

    return strstr(complaints, part) != NULL;
}

static const char *
domain_of(const Args *args)
{
    if (!args || !command_option(args_command(args), "domain"))
        return NULL;
    return args_string(args, "domain");
}

static char *
command_of(const Hint *hint, const char *domain)
{
    const char *place = strstr(hint->command, "%s");
    g_autofree char *quoted = NULL;

    if (!place)
        return g_strdup(hint->command);
    if (!domain)
        return NULL;
    quoted = domain[strcspn(domain, " \t'\"\\$`&|;<>()*?[]#~!{}")] ? g_shell_quote(domain)
                                                                 : g_strdup(domain);
    return g_strdup_printf("%.*s%s%s", (int)(place - hint->command), hint->command, quoted,
                           place + strlen("%s"));
}

char *
hint_for(const char *complaints, const Args *args)
{
    for (gsize i = 0; i < G_N_ELEMENTS(hints); i++) {
        g_autofree char *command =
            fits(&hints[i], complaints) ? command_of(&hints[i], domain_of(args)) : NULL;

        if (command && hints[i].reason)
            return g_strdup_printf(_("hint: %s (%s)"), command, _(hints[i].reason));
        if (command)
            return g_strdup_printf(_("hint: %s"), command);
    }
    return NULL;
}
