/* edit: a domain's definition in the user's editor. */
#include "cli/commands.h"

#include "cli/domain.h"
#include "cli/editor.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

typedef struct Edit {
    Session *session;
    Domain *domain;
    guint flags; /* VIR_DOMAIN_DEFINE_* */
} Edit;

static char *
get_document(gpointer data, GError **error)
{
    const Edit *edit = data;

    return domain_xml(edit->domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE, error);
}

static gboolean
set_document(gpointer data, const char *xml, GError **error)
{
    const Edit *edit = data;
    g_autoptr(Domain) defined = domain_define(edit->session, xml, edit->flags, error);

    return defined != NULL;
}

static void
relax(gpointer data)
{
    ((Edit *)data)->flags &= ~(guint)VIR_DOMAIN_DEFINE_VALIDATE;
}

static gboolean
run_edit(Session *session, const Args *args, GError **error)
{
    gboolean changed;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    Edit edit = { session, domain,
                  args_has(args, "skip-validate") ? 0 : VIR_DOMAIN_DEFINE_VALIDATE };
    const Editable document = { get_document, set_document, &edit, relax };

    if (!domain || !editor_edit(&document, &changed, error))
        return FALSE;
    if (changed)
        output_extra(_("Domain '%s' XML configuration edited.\n"), domain->name);
    else
        output_extra(_("Domain '%s' XML configuration not changed.\n"), domain->name);
    return TRUE;
}

static const Option edit_options[] = {
    OPTION_DOMAIN_ANY,
    { "skip-validate", OPTION_BOOL, 0, N_("do not check the document against the schema") },
    { NULL },
};

const Command command_edit = {
    "edit",
    N_("edit the definition of a domain"),
    N_("The editor is $VISUAL, $EDITOR or vi. Where the domain runs, it changes with its next\n"
       "    start."),
    edit_options,
    run_edit,
    COMMAND_CHANGES,
};
