/* object-commands: what the commands about objects have in common: a row of theirs is one of these functions, and in
 * @about what it is to be done with. The texts are N_(); one with a %s has there what the user called the object. */
#pragma once

#include "cli/object.h"
#include "cli/watch.h"

/* One call of a method, and what is said of it. */
typedef struct ObjectVerb {
    const ObjectKind *kind;
    const char *method;
    const ArgsFlag *flags; /* whose union is its only argument; NULL: it has none */
    const char *done, *failed;
    const char *exclusive[2]; /* two options of which one can be given; NULL: there are none */
} ObjectVerb;
gboolean object_run_verb(Session *session, const Args *args, GError **error);
/* For a method that knows no flag. */
extern const ArgsFlag object_no_flags[];

/* Connect's method that takes the document in the file --file. */
typedef struct ObjectMake {
    const ObjectKind *kind;
    const char *method;
    const ArgsFlag *flags; /* as above, behind the document */
    const char *done, *failed; /* with the object's name (where there is one) and the file's */
    const char *exclusive[2];
    const char *validating; /* libvirt's function that --validate asks for, of which the bus has no method */
} ObjectMake;
gboolean object_run_make(Session *session, const Args *args, GError **error);
/* The object that Connect's @method makes; @parameters are consumed. */
Object *object_make(Session *session, const ObjectKind *kind, const char *method,
                    GVariant *parameters, GError **error);
#define OPTION_FILE(help)                                                                          \
    {                                                                                              \
        "file", OPTION_DATA, OPTION_REQUIRED, help                                                 \
    }

/* The property Autostart, unless --disable. */
typedef struct ObjectAutostart {
    const ObjectKind *kind;
    const char *marked, *unmarked, *mark_failed, *unmark_failed;
} ObjectAutostart;
gboolean object_run_autostart(Session *session, const Args *args, GError **error);

/* The document. */
typedef struct ObjectXml {
    const ObjectKind *kind;
    const ArgsFlag *flags;
} ObjectXml;
gboolean object_run_dumpxml(Session *session, const Args *args, GError **error);

/* One property, of what is found in one way: "what is the name of that UUID?" */
typedef struct ObjectFact {
    const ObjectKind *kind;
    ObjectBy by;
    const char *property;
} ObjectFact;
/* Such a property, alone on its line; in JSON its name is the key. */
gboolean object_tell(const Object *object, const char *property, GError **error);
gboolean object_run_fact(Session *session, const Args *args, GError **error);

/* The document in the user's editor. */
typedef struct ObjectEdit {
    const ObjectKind *kind;
    const char *method;   /* Connect's that defines one */
    gboolean takes_flags; /* of which there are none */
    guint flags;          /* of the document that is edited */
    const char *edited, *unchanged;
} ObjectEdit;
gboolean object_run_edit(Session *session, const Args *args, GError **error);

/* Waits for events: @about is a WatchSubject, whose data is the ObjectKind. */
gboolean object_run_event(Session *session, const Args *args, GError **error);
