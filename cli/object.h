/* object: one of what there is beside domains, a network, a storage pool, a device or an interface of the host: found by
 * what the user calls it. */
#pragma once

#include "cli/args.h"
#include "cli/session.h"

typedef enum {
    OBJECT_BY_NAME = 1 << 0,
    OBJECT_BY_KEY = 1 << 1, /* a UUID, or a MAC address */
    OBJECT_BY_ANY = 3,
} ObjectBy;

typedef struct ObjectKind {
    const char *option;    /* that says which one: "network" */
    const char *interface; /* its own, on the bus */
    const char *list;      /* Connect's method that tells all */
    const char *by_name, *by_key; /* and those that find one; without the second it has nothing but a name */
    gboolean (*is_key)(const char *text);
    gboolean name_too;   /* what is a key may be a name all the same */
    const char *missing; /* N_(), with one %s */
} ObjectKind;

extern const ObjectKind object_interface, object_network, object_node_device, object_pool;
/* All of them; NULL ends the table. */
extern const ObjectKind *const object_kinds[];

typedef struct Object {
    const ObjectKind *kind;
    Connection *connection; /* borrowed */
    char *path;
} Object;

/* NULL after saying that there is none; @error has the daemon's own words, if any. */
Object *object_find(Session *session, const ObjectKind *kind, const char *text, ObjectBy by,
                    GError **error);
/* The one that the option of @kind names. */
Object *object_from_args(Session *session, const ObjectKind *kind, const Args *args, GError **error);
/* The one behind a path, as a method returned it. */
Object *object_from_path(Session *session, const ObjectKind *kind, const char *path);
void object_free(Object *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Object, object_free)

/* A method of its interface: the reply, or NULL with @error. @parameters are consumed. */
GVariant *object_call(const Object *object, const char *method, GVariant *parameters,
                      const char *reply_type, GError **error);
/* All its properties; NULL with @error. */
GVariantDict *object_properties(const Object *object, GError **error);
/* A property that is a text; for g_free(). */
char *object_text(const Object *object, const char *property, GError **error);
/* Its document; @flags are those of the kind's function of libvirt. For g_free(). */
char *object_xml(const Object *object, guint flags, GError **error);
