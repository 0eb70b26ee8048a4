#include "cli/hint.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct Hint {
    const char *complaint; /* a part of it: the daemon's words, or a text of ours up to its first argument */
    /* "%s" stands for the domain, "%q" for the complaint's first argument; where there is none, there is no such
     * hint. */
    const char *command;
    const char *reason;    /* N_(), or NULL */
} Hint;

/* The first that fits counts. */
static const Hint hints[] = {
    { "is not providing a guest agent", "man vmctld",
      N_("GUEST AGENT there says what a guest needs") },
    { "QEMU guest agent is not c", "man vmctld", N_("GUEST AGENT there says what a guest needs") },
    { "state change lock", "vmctl domjobinfo %s", N_("another job changes the domain") },
    { "is another process using the image '%s'?", "fuser -v %q", N_("who has it open") },
    { "can't be renamed", "vmctl managedsave-remove %s", N_("that loses what was saved") },
    { "managed save image exists", "vmctl undefine %s --managed-save", NULL },
    { "cannot delete inactive domain with", "vmctl undefine %s --snapshots-metadata", NULL },
    { N_("domain '%s' has no current snapshot"), "vmctl snapshot-list %s", NULL },
    { "cannot undefine transient domain", "vmctl destroy %s", N_("it is gone then") },
    { "needs the program 'passt'", "sudo apt install passt", NULL },
    { "Domain snapshot not found", "vmctl snapshot-list %s", NULL },
    { "cannot undefine domain with nvram", "vmctl undefine %s --nvram", NULL },
    { "domain is already running", "vmctl console %s", NULL },
    { "omain is already active", "vmctl console %s", NULL },
    { "domain is not running", "vmctl start %s", NULL },
    { "omain is paused", "vmctl resume %s", NULL },
    { "domain has active console session", "vmctl console %s --force", NULL },
    { "the limit for locked memory", "man vmctl-domain", N_("memoryBacking there has more") },
    { "Active console session exists", "vmctl console %s --force", NULL },
    { "already exists with uuid", "vmctl list --all", NULL },
    { "XML document failed to validate", "man vmctl-domain", NULL },
    { "unsupported configuration", "man vmctl-domain", NULL },
    { "Could not access KVM", "vmctl doctor", NULL },
    { "/dev/kvm", "vmctl doctor", NULL },
    { "Domain not found", "vmctl list --all", NULL },
    { "with name '%s' already exists", "vmctl list --all", NULL },
    { "Network not found", "vmctl net-list --all", NULL },
    { "Storage pool not found", "vmctl pool-list --all", NULL },
    { "Interface not found", "vmctl iface-list --all", NULL },
    { "Node device not found", "vmctl nodedev-list", NULL },
    { "network '%s' is not active", "vmctl net-start %q", NULL },
    { "storage pool '%s' is not active", "vmctl pool-start %q", NULL },
    { "denied access", "sudo usermod -aG libvirt \"$USER\"",
      N_("its members may change guests, once they have logged in again") },
    { "no polkit agent available", "sudo usermod -aG libvirt \"$USER\"",
      N_("its members may change guests, once they have logged in again") },
    { "access denied", "sudo usermod -aG libvirt \"$USER\"",
      N_("its members may change guests, once they have logged in again") },
    { N_("you may not use %s: %s; try it as root, or: vmctl -c qemu:///session list"), "vmctl doctor",
      NULL },
    { N_("no daemon answers at %s: %s; %s"), "vmctl doctor", NULL },
    { N_("command '%s' doesn't support option --%s"), "vmctl help %q", NULL },
    { N_("command '%s' requires <%s> option"), "vmctl help %q", NULL },
    { N_("command '%s' requires --%s option"), "vmctl help %q", NULL },
    { N_("unknown command: '%s'"), "vmctl help", NULL },
    { N_("command or command group '%s' doesn't exist"), "vmctl help", NULL },
};

/* The longest part of a text that is no argument: what surely is in a complaint. */
static char *
fixed_part(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "%s", -1);
    const char *longest = "";

    for (gsize i = 0; parts[i]; i++) {
        if (strlen(parts[i]) > strlen(longest))
            longest = parts[i];
    }
    return g_strdup(longest);
}

static gboolean
fits(const Hint *hint, const char *complaints)
{
    g_autofree char *part = fixed_part(_(hint->complaint));

    return strstr(complaints, part) != NULL;
}

/* What @complaints have in the place of the first argument of @text; NULL: they are another text. */
static char *
argument_in(const char *text, const char *complaints)
{
    g_auto(GStrv) parts = g_strsplit(text, "%s", 3);
    const char *start = parts[1] ? strstr(complaints, parts[0]) : NULL;
    const char *end;

    if (!start)
        return NULL;
    start += strlen(parts[0]);
    end = strstr(start, parts[1]);
    return end ? g_strndup(start, (gsize)(end - start)) : NULL;
}

static const char *
domain_of(const Args *args)
{
    if (!args || !command_option(args_command(args), "domain"))
        return NULL;
    return args_string(args, "domain");
}

/* As a shell reads it as one word. */
static char *
as_word(const char *text)
{
    return text[strcspn(text, " \t'\"\\$`&|;<>()*?[]#~!{}")] ? g_shell_quote(text) : g_strdup(text);
}

static char *
command_of(const Hint *hint, const char *domain, const char *complaints)
{
    const char *place = strchr(hint->command, '%');
    g_autofree char *what = NULL, *word = NULL;

    if (!place)
        return g_strdup(hint->command);
    what = place[1] == 'q' ? argument_in(_(hint->complaint), complaints) : g_strdup(domain);
    if (!what)
        return NULL;
    word = as_word(what);
    return g_strdup_printf("%.*s%s%s", (int)(place - hint->command), hint->command, word,
                           place + strlen("%s"));
}

char *
hint_for(const char *complaints, const Args *args)
{
    for (gsize i = 0; i < G_N_ELEMENTS(hints); i++) {
        g_autofree char *command =
            fits(&hints[i], complaints)
                                       ? command_of(&hints[i], domain_of(args), complaints)
                                       : NULL;

        if (command && hints[i].reason)
            return g_strdup_printf(_("hint: %s (%s)"), command, _(hints[i].reason));
        if (command)
            return g_strdup_printf(_("hint: %s"), command);
    }
    return NULL;
}
