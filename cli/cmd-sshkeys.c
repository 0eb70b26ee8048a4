/* The commands about the SSH keys of a guest's users, which its agent sees to. */
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/file.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static void
print_keys(const char *const *keys)
{
    static const TableKey column = { "key", TABLE_TEXT };
    g_autoptr(Table) table = table_new(NULL);

    for (gsize i = 0; keys[i]; i++) {
        if (output_is_json())
            table_add(table, (const char *const[]){ keys[i], NULL });
        else
            output("%s\n", keys[i]);
    }
    if (output_is_json())
        table_print(table, &column);
}

static gboolean
run_get_keys(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autofree const char **keys = NULL;
    g_autoptr(GVariant) reply = NULL;

    if (!domain)
        return FALSE;
    reply = connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE,
                            "AuthorizedSSHKeysGet",
                            g_variant_new("(su)", args_string(args, "user"), 0), "(as)", error);
    if (!reply)
        return FALSE;
    g_variant_get(reply, "(^a&s)", &keys);
    print_keys(keys);
    return TRUE;
}

static const Option get_options[] = {
    OPTION_DOMAIN_ANY,
    { "user", OPTION_DATA, OPTION_REQUIRED, N_("a user of the guest") },
    { NULL },
};

const Command command_get_user_sshkeys = {
    "get-user-sshkeys",
    N_("list the keys with which a user of a domain's guest may log in"),
    N_("The guest's agent is asked."),
    get_options,
    run_get_keys,
    COMMAND_JSON,
};

/* The lines of a file; NULL with @error. */
static GPtrArray *
read_keys(const char *path, GError **error)
{
    g_autofree char *text = file_read_text(path, error);
    g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);

    if (!lines)
        return NULL;
    for (gsize i = 0; lines[i]; i++) {
        if (*lines[i])
            g_ptr_array_add(keys, g_strdup(lines[i]));
    }
    if (keys->len > 0)
        return g_steal_pointer(&keys);
    cli_fail(error, _("File %s contains no keys"), path);
    return NULL;
}

static gboolean
check_options(const Args *args, GError **error)
{
    gboolean file = args_has(args, "file");

    if (args_has(args, "remove") && !file)
        return cli_fail(error, _("Option --%s is required by option --%s"), "file", "remove");
    if (!args_exclusive(args, "reset", "remove", error))
        return FALSE;
    return file || args_has(args, "reset") || cli_fail(error, "%s", _("Option --file is required"));
}

static gboolean
run_set_keys(Session *session, const Args *args, GError **error)
{
    const char *path = args_string(args, "file");
    guint flags = args_has(args, "remove")  ? VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_REMOVE
                  : args_has(args, "reset") ? 0
                                            : VIR_DOMAIN_AUTHORIZED_SSH_KEYS_SET_APPEND;
    g_autoptr(Domain) domain = NULL;
    g_autoptr(GPtrArray) keys = NULL;
    g_autoptr(GVariant) reply = NULL;

    if (!check_options(args, error))
        return FALSE;
    domain = domain_from_args(session, args, error);
    keys = !domain ? NULL : path ? read_keys(path, error) : g_ptr_array_new();
    if (!keys)
        return FALSE;
    reply = connection_call(
        domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE, "AuthorizedSSHKeysSet",
        g_variant_new("(s@asu)", args_string(args, "user"),
                      g_variant_new_strv((const char *const *)keys->pdata, keys->len), flags),
        "()", error);
    return reply != NULL;
}

static const Option set_options[] = {
    OPTION_DOMAIN_ANY,
    { "user", OPTION_DATA, OPTION_REQUIRED, N_("a user of the guest") },
    { "file", OPTION_STRING, OPTION_NAMED_ONLY, N_("a file with keys, one a line") },
    { "reset", OPTION_BOOL, 0, N_("take away those that there are, before") },
    { "remove", OPTION_BOOL, 0, N_("take away those of the file") },
    { NULL },
};

const Command command_set_user_sshkeys = {
    "set-user-sshkeys",
    N_("change the keys with which a user of a domain's guest may log in"),
    N_("Without an option but --file: keys are added. The guest's agent is asked."),
    set_options,
    run_set_keys,
    COMMAND_CHANGES,
};
