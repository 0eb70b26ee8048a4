#include "cli/object-commands.h"

#include "cli/editor.h"
#include "cli/facts.h"
#include "cli/file.h"
#include "cli/output.h"
#include "cli/xpath.h"

#include <glib/gi18n.h>

const ArgsFlag object_no_flags[] = { { NULL, 0 } };

static void
say_failed(const char *format, const char *name)
{
    g_autofree char *text = text_about(format, name, NULL);

    output_error("%s", text);
}

static void
say_done(const char *format, const char *name)
{
    g_autofree char *text = text_about(format, name, NULL);

    output_extra("%s", text);
}

static gboolean
check_exclusive(const Args *args, const char *const exclusive[2], GError **error)
{
    return !exclusive[0] || args_exclusive(args, exclusive[0], exclusive[1], error);
}

/* verb */

gboolean
object_run_verb(Session *session, const Args *args, GError **error)
{
    const ObjectVerb *verb = args_command(args)->about;
    const char *called = args_string(args, verb->kind->option);
    g_autoptr(Object) object = NULL;
    g_autoptr(GVariant) reply = NULL;

    if (!check_exclusive(args, verb->exclusive, error) ||
        !(object = object_from_args(session, verb->kind, args, error)))
        return FALSE;
    reply = object_call(object, verb->method,
                        verb->flags ? g_variant_new("(u)", args_flags(args, verb->flags)) : NULL,
                        "()", error);
    if (reply)
        say_done(verb->done, called);
    else
        say_failed(verb->failed, called);
    return reply != NULL;
}

/* define, create */

Object *
object_make(Session *session, const ObjectKind *kind, const char *method, GVariant *parameters,
            GError **error)
{
    const char *path;
    g_autoptr(GVariant) reply =
        connection_call(session->connection, connection_root(session->connection),
                        CONNECT_INTERFACE, method, parameters, "(o)", error);

    if (!reply)
        return NULL;
    g_variant_get(reply, "(&o)", &path);
    return object_from_path(session, kind, path);
}

/* As libvirt says it for a daemon that has not the function. */
static gboolean
refuse_to_validate(const ObjectMake *make, const char *file, GError **error)
{
    say_failed(make->failed, file);
    return cli_fail(error, _("this function is not supported by the connection driver: %s"),
                    make->validating);
}

gboolean
object_run_make(Session *session, const Args *args, GError **error)
{
    const ObjectMake *make = args_command(args)->about;
    const char *file = args_string(args, "file");
    g_autofree char *xml = NULL;
    g_autoptr(Object) object = NULL;
    g_autofree char *name = NULL;
    g_autofree char *text = NULL;

    if (!check_exclusive(args, make->exclusive, error) || !(xml = file_read_text(file, error)))
        return FALSE;
    if (make->validating && args_has(args, "validate"))
        return refuse_to_validate(make, file, error);
    object = object_make(session, make->kind, make->method,
                         make->flags ? g_variant_new("(su)", xml, args_flags(args, make->flags))
                                     : g_variant_new("(s)", xml),
                         error);
    if (!object) {
        say_failed(make->failed, file);
        return FALSE;
    }
    name = object_text(object, "Name", error);
    text = name ? text_about(make->done, name, file) : NULL;
    if (text)
        output_extra("%s", text);
    return text != NULL;
}

/* autostart */

gboolean
object_run_autostart(Session *session, const Args *args, GError **error)
{
    const ObjectAutostart *about = args_command(args)->about;
    const char *called = args_string(args, about->kind->option);
    gboolean autostart = !args_has(args, "disable");
    g_autoptr(Object) object = object_from_args(session, about->kind, args, error);

    if (!object)
        return FALSE;
    if (!connection_set(object->connection, object->path, about->kind->interface, "Autostart",
                        g_variant_new_boolean(autostart), error)) {
        say_failed(autostart ? about->mark_failed : about->unmark_failed, called);
        return FALSE;
    }
    say_done(autostart ? about->marked : about->unmarked, called);
    return TRUE;
}

/* dumpxml */

gboolean
object_run_dumpxml(Session *session, const Args *args, GError **error)
{
    const ObjectXml *about = args_command(args)->about;
    g_autoptr(Object) object = object_from_args(session, about->kind, args, error);
    g_autofree char *xml =
        object ? object_xml(object, args_flags(args, about->flags), error) : NULL;

    return xml && xpath_print(xml, args, error);
}

/* name, uuid */

gboolean
object_tell(const Object *object, const char *property, GError **error)
{
    g_autofree char *key = g_ascii_strdown(property, -1);
    g_autofree char *text = object_text(object, property, error);

    return text && facts_tell(key, text, NULL);
}

gboolean
object_run_fact(Session *session, const Args *args, GError **error)
{
    const ObjectFact *fact = args_command(args)->about;
    g_autoptr(Object) object = object_find(
        session, fact->kind, args_string(args, fact->kind->option), fact->by, error);

    return object && object_tell(object, fact->property, error);
}

/* edit */

typedef struct Edit {
    Session *session;
    const ObjectEdit *about;
    Object *object;
} Edit;

/* Not all drivers know the flag, and those have one document only. */
static char *
get_document(gpointer data, GError **error)
{
    const Edit *edit = data;
    char *xml = object_xml(edit->object, edit->about->flags, NULL);

    return xml ? xml : object_xml(edit->object, 0, error);
}

static gboolean
set_document(gpointer data, const char *xml, GError **error)
{
    const Edit *edit = data;
    g_autoptr(Object) defined = object_make(
        edit->session, edit->about->kind, edit->about->method,
        edit->about->takes_flags ? g_variant_new("(su)", xml, 0) : g_variant_new("(s)", xml), error);

    return defined != NULL;
}

gboolean
object_run_edit(Session *session, const Args *args, GError **error)
{
    gboolean changed;
    const ObjectEdit *about = args_command(args)->about;
    g_autoptr(Object) object = object_from_args(session, about->kind, args, error);
    g_autofree char *name = object ? object_text(object, "Name", error) : NULL;
    Edit edit = { session, about, object };
    const Editable document = { get_document, set_document, &edit };

    if (!name || !editor_edit(&document, &changed, error))
        return FALSE;
    say_done(changed ? about->edited : about->unchanged, name);
    return TRUE;
}

/* event */

gboolean
object_run_event(Session *session, const Args *args, GError **error)
{
    const WatchSubject *subject = args_command(args)->about;
    const ObjectKind *kind = subject->data;
    g_autoptr(Object) object = NULL;

    if (args_has(args, "list")) {
        watch_list_kinds(subject);
        return TRUE;
    }
    if (!args_has(args, "event"))
        return cli_fail(error, "%s", _("either --list or --event <type> is required"));
    if (!watch_check_args(subject, args, error))
        return FALSE;
    if (args_has(args, kind->option) && !(object = object_from_args(session, kind, args, error)))
        return FALSE;
    return watch_run(session, subject, args, object ? object->path : NULL, error);
}
