/* The commands about what a definition says: domrename, desc, metadata, set-lifecycle-action, setvcpus. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/editor.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

static gboolean
run_domrename(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain =
        domain_find(session, args_string(args, "domain"), DOMAIN_BY_NAME | DOMAIN_BY_UUID, error);

    if (!domain ||
        !domain_do(domain, "Rename", g_variant_new("(su)", args_string(args, "new-name"), 0),
                   error))
        return FALSE;
    output_extra("%s\n", _("Domain successfully renamed"));
    return TRUE;
}

static const Option domrename_options[] = {
    OPTION_DOMAIN(N_("the domain's name or UUID")),
    { "new-name", OPTION_DATA, OPTION_REQUIRED, N_("its new name") },
    { NULL },
};

const Command command_domrename = {
    "domrename",
    N_("give a domain another name"),
    N_("It must not run. Its UUID stays what it is."),
    domrename_options,
    run_domrename,
    COMMAND_CHANGES,
};

/* Title and description */

static gboolean
is_missing(const GError *error)
{
    return error && strstr(error->message, "metadata not found: ");
}

/* NULL with @error; without one where there is none. */
static char *
get_metadata(Domain *domain, int type, const char *uri, guint flags, GError **error)
{
    g_autoptr(GVariant) reply = domain_call(
        domain, "GetMetadata", g_variant_new("(isu)", type, uri, flags), "(s)", error);
    char *text = NULL;

    if (reply)
        g_variant_get(reply, "(s)", &text);
    return text;
}

static gboolean
set_metadata(Domain *domain, int type, const char *text, const char *key, const char *uri,
             guint flags, GError **error)
{
    return domain_do(domain, "SetMetadata",
                     g_variant_new("(isssu)", type, text ? text : "", key ? key : "",
                                   uri ? uri : "", flags),
                     error);
}

static gboolean
show_desc(Domain *domain, gboolean title, guint flags, GError **error)
{
    int type = title ? VIR_DOMAIN_METADATA_TITLE : VIR_DOMAIN_METADATA_DESCRIPTION;
    g_autoptr(GError) failed = NULL;
    g_autofree char *text = get_metadata(domain, type, "", flags, &failed);

    if (!text && !is_missing(failed)) {
        g_propagate_error(error, g_steal_pointer(&failed));
        return FALSE;
    }
    if (output_is_json())
        output_json(g_variant_new_parsed("{%s: <%ms>}", title ? "title" : "description",
                                         text && *text ? text : NULL));
    else if (text && *text)
        output("%s", text);
    else
        output_extra(title ? _("No title for domain: %s") : _("No description for domain: %s"),
                     domain->name);
    return TRUE;
}

static gboolean
change_desc(Domain *domain, gboolean title, const char *text, guint flags, GError **error)
{
    int type = title ? VIR_DOMAIN_METADATA_TITLE : VIR_DOMAIN_METADATA_DESCRIPTION;

    if (!set_metadata(domain, type, text, NULL, NULL, flags, error)) {
        output_error("%s", title ? _("Failed to set new domain title")
                                 : _("Failed to set new domain description"));
        return FALSE;
    }
    output_extra("%s", title ? _("Domain title updated successfully")
                             : _("Domain description updated successfully"));
    return TRUE;
}

/* A text of the domain's in the editor. */
typedef struct Edit {
    Domain *domain;
    int type;
    const char *key, *uri;
    guint flags;
} Edit;

/* Nothing, where there is none yet. */
static char *
get_edited(gpointer data, GError **error)
{
    const Edit *edit = data;
    gboolean config = (edit->flags & VIR_DOMAIN_AFFECT_CONFIG) != 0;
    guint flags = config ? VIR_DOMAIN_AFFECT_CONFIG : edit->flags;
    g_autoptr(GError) failed = NULL;
    char *text = get_metadata(edit->domain, edit->type, edit->uri, flags, &failed);

    if (text)
        return text;
    if (is_missing(failed))
        return g_strdup("");
    g_propagate_error(error, g_steal_pointer(&failed));
    return NULL;
}

/* Editors end a file with the end of a line, which a title has not. */
static gboolean
set_edited(gpointer data, const char *text, GError **error)
{
    const Edit *edit = data;
    g_autofree char *stripped = g_strdup(text);

    if (edit->type == VIR_DOMAIN_METADATA_TITLE && g_str_has_suffix(stripped, "\n"))
        stripped[strlen(stripped) - 1] = '\0';
    return set_metadata(edit->domain, edit->type, stripped, edit->key, edit->uri, edit->flags,
                        error);
}

static gboolean
edit_text(const Edit *edit, gboolean *ret_changed, GError **error)
{
    const Editable document = { get_edited, set_edited, (gpointer)edit };

    return editor_edit(&document, ret_changed, error);
}

static gboolean
edit_desc(Domain *domain, gboolean title, guint flags, GError **error)
{
    const Edit edit = { .domain = domain,
                        .type = title ? VIR_DOMAIN_METADATA_TITLE
                                      : VIR_DOMAIN_METADATA_DESCRIPTION,
                        .uri = "",
                        .flags = flags };
    gboolean changed;

    if (!edit_text(&edit, &changed, error))
        return FALSE;
    if (changed)
        output_extra("%s", title ? _("Domain title updated successfully")
                                 : _("Domain description updated successfully"));
    else
        output_extra("%s\n", title ? _("Domain title not changed")
                                   : _("Domain description not changed"));
    return TRUE;
}

static gboolean
run_desc(Session *session, const Args *args, GError **error)
{
    gboolean title = args_has(args, "title");
    g_autofree char *text = NULL;
    guint flags;
    g_autoptr(Domain) domain = NULL;

    if (!args_exclusive(args, "edit", "new-desc", error) ||
        !(domain = domain_from_args(session, args, error)) ||
        !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    if (args_has(args, "edit"))
        return edit_desc(domain, title, flags, error);
    if (!args_has(args, "new-desc"))
        return show_desc(domain, title, flags & VIR_DOMAIN_AFFECT_CONFIG, error);
    text = g_strjoinv(" ", (char **)args_list(args, "new-desc"));
    return change_desc(domain, title, text, flags, error);
}

static const Option desc_options[] = {
    OPTION_DOMAIN_ANY,
    { "live", OPTION_BOOL, 0, N_("in the guest that runs") },
    { "config", OPTION_BOOL, 0, N_("in the definition of its next start") },
    { "current", OPTION_BOOL, 0, N_("in the guest where it runs, else in the definition") },
    { "title", OPTION_BOOL, 0, N_("the title instead of the description") },
    { "edit", OPTION_BOOL, OPTION_CHANGES, N_("change it in an editor") },
    { "new-desc", OPTION_ARGV, OPTION_EMPTY_OK | OPTION_CHANGES, N_("the new text; \"\" for none") },
    { NULL },
};

const Command command_desc = {
    "desc", N_("print or change the description or the title of a domain"),
    NULL,   desc_options,
    run_desc, COMMAND_JSON,
};

/* Other programs' elements */

static gboolean
check_metadata(const Args *args, GError **error)
{
    if (!args_exclusive(args, "edit", "set", error) ||
        !args_exclusive(args, "remove", "set", error) ||
        !args_exclusive(args, "remove", "edit", error))
        return FALSE;
    return (!args_has(args, "set") && !args_has(args, "edit")) || args_has(args, "key") ||
           cli_fail(error, "%s", _("namespace key is required when modifying metadata"));
}

static gboolean
show_element(Domain *domain, const char *uri, guint flags, GError **error)
{
    g_autofree char *text =
        get_metadata(domain, VIR_DOMAIN_METADATA_ELEMENT, uri, flags, error);

    if (text && output_is_json())
        output_json(g_variant_new_parsed("{'uri': <%s>, 'element': <%s>}", uri, text));
    else if (text)
        output("%s\n", text);
    return text != NULL;
}

static gboolean
edit_element(Domain *domain, const char *uri, const char *key, guint flags, GError **error)
{
    const Edit edit = { domain, VIR_DOMAIN_METADATA_ELEMENT, key, uri, flags };
    gboolean changed;

    if (!edit_text(&edit, &changed, error))
        return FALSE;
    output_extra("%s\n", changed ? _("Metadata modified") : _("Metadata not changed"));
    return TRUE;
}

static gboolean
run_metadata(Session *session, const Args *args, GError **error)
{
    const char *uri = args_string(args, "uri"), *element = args_string(args, "set");
    guint flags;
    g_autoptr(Domain) domain = NULL;

    if (!check_metadata(args, error) || !(domain = domain_from_args(session, args, error)) ||
        !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    if (args_has(args, "edit"))
        return edit_element(domain, uri, args_string(args, "key"), flags, error);
    if (!element && !args_has(args, "remove"))
        return show_element(domain, uri, flags, error);
    if (!set_metadata(domain, VIR_DOMAIN_METADATA_ELEMENT, element, args_string(args, "key"), uri,
                      flags, error))
        return FALSE;
    output_extra("%s\n", element ? _("Metadata modified") : _("Metadata removed"));
    return TRUE;
}

static const Option metadata_options[] = {
    OPTION_DOMAIN_ANY,
    { "uri", OPTION_DATA, OPTION_REQUIRED, N_("the namespace of the element") },
    { "live", OPTION_BOOL, 0, N_("in the guest that runs") },
    { "config", OPTION_BOOL, 0, N_("in the definition of its next start") },
    { "current", OPTION_BOOL, 0, N_("in the guest where it runs, else in the definition") },
    { "edit", OPTION_BOOL, OPTION_CHANGES, N_("change it in an editor") },
    { "key", OPTION_STRING, 0, N_("the prefix that the namespace gets") },
    { "set", OPTION_STRING, OPTION_CHANGES, N_("the new element") },
    { "remove", OPTION_BOOL, OPTION_CHANGES, N_("remove the element") },
    { NULL },
};

const Command command_metadata = {
    "metadata",
    N_("print or change what other programs keep in a domain's definition"),
    NULL,
    metadata_options,
    run_metadata,
    COMMAND_JSON,
};

/* set-lifecycle-action */

static const char *const lifecycle_types[] = { "poweroff", "reboot", "crash", NULL };
static const char *const lifecycle_actions[] = { "destroy",  "restart",          "rename-restart",
                                                 "preserve", "coredump-destroy", "coredump-restart",
                                                 NULL };

/* The place of @text among @words; -1: none. */
static int
find_word(const char *const *words, const char *text)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
    }
    return -1;
}

static gboolean
run_set_lifecycle_action(Session *session, const Args *args, GError **error)
{
    const char *type = args_string(args, "type"), *action = args_string(args, "action");
    int type_number = find_word(lifecycle_types, type);
    int action_number = find_word(lifecycle_actions, action);
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL;

    if (!domain || !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    if (type_number < 0)
        return cli_fail(error, _("Invalid lifecycle type '%s'."), type);
    if (action_number < 0)
        return cli_fail(error, _("Invalid lifecycle action '%s'."), action);
    reply = connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE,
                            "SetLifecycleAction",
                            g_variant_new("(uuu)", (guint)type_number, (guint)action_number, flags),
                            "()", error);
    if (!reply)
        output_error("%s", _("Unable to change lifecycle action."));
    return reply != NULL;
}

static const Option lifecycle_options[] = {
    OPTION_DOMAIN_ANY,
    { "type", OPTION_DATA, OPTION_REQUIRED, N_("poweroff, reboot or crash") },
    { "action", OPTION_DATA, OPTION_REQUIRED, N_("destroy, restart or preserve") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_set_lifecycle_action = {
    "set-lifecycle-action",
    N_("say what becomes of a domain when its guest powers off, reboots or crashes"),
    NULL,
    lifecycle_options,
    run_set_lifecycle_action,
    COMMAND_CHANGES,
};

/* vCPUs */

static const ArgsFlag vcpu_flags[] = {
    { "config", VIR_DOMAIN_VCPU_CONFIG },
    { "live", VIR_DOMAIN_VCPU_LIVE },
    { "guest", VIR_DOMAIN_VCPU_GUEST },
    { "maximum", VIR_DOMAIN_VCPU_MAXIMUM },
    { NULL, 0 },
};

static gboolean
check_setvcpus(const Args *args, GError **error)
{
    if (!args_exclusive(args, "current", "live", error) ||
        !args_exclusive(args, "current", "config", error) ||
        !args_exclusive(args, "guest", "config", error))
        return FALSE;
    if (args_has(args, "maximum") && !args_has(args, "config"))
        return cli_fail(error, _("Option --%s is required by option --%s"), "config", "maximum");
    return TRUE;
}

static gboolean
run_setvcpus(Session *session, const Args *args, GError **error)
{
    int count = args_int(args, "count", 0);
    guint more = args_has(args, "hotpluggable") ? VIR_DOMAIN_VCPU_HOTPLUGGABLE : 0;
    guint flags = args_flags(args, vcpu_flags) | more;
    g_autoptr(Domain) domain = NULL;

    if (!check_setvcpus(args, error) || !(domain = domain_from_args(session, args, error)))
        return FALSE;
    if (count < 0)
        return cli_fail(error, _("Numeric value '%d' for <%s> option is malformed or out of range"),
                        count, "count");
    if (count == 0)
        return cli_fail(error, "%s", _("Can't set 0 processors for a VM"));
    if (!flags && !args_has(args, "current")) /* as virDomainSetVcpus() has it */
        flags = VIR_DOMAIN_VCPU_LIVE;
    return domain_do(domain, "SetVcpus", g_variant_new("(uu)", (guint)count, flags), error);
}

static const Option setvcpus_options[] = {
    OPTION_DOMAIN_ANY,
    { "count", OPTION_INT, OPTION_REQUIRED, N_("how many") },
    { "maximum", OPTION_BOOL, 0, N_("how many it may have") },
    { "config", OPTION_BOOL, 0, N_("in the definition of its next start") },
    { "live", OPTION_BOOL, 0, N_("in the guest that runs") },
    { "current", OPTION_BOOL, 0, N_("in the guest where it runs, else in the definition") },
    { "guest", OPTION_BOOL, 0, N_("ask the guest to take them into use or out of it") },
    { "hotpluggable", OPTION_BOOL, 0, N_("new ones can be taken away again") },
    { NULL },
};

const Command command_setvcpus = {
    "setvcpus",
    N_("change how many vCPUs a domain has"),
    N_("A guest that runs keeps those that it has."),
    setvcpus_options,
    run_setvcpus,
    COMMAND_CHANGES,
};
