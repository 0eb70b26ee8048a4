/* dbus-access: which clients of the bus may do what.
 *
 * As in libvirt there are two levels: reading ("org.libvirt.unix.monitor") and everything
 * ("org.libvirt.unix.manage"). polkit decides; root may do anything, and where there is no polkit, so may
 * members of the group "libvirt", and nobody else anything.
 *
 * On top of that an administrator can have the action of libvirt's access driver "polkit" asked, too, such as
 * "org.libvirt.api.domain.start", where rules tell one domain from another.
 */
#pragma once

#include "driver/domain.h"
#include "driver/host-objects.h"

#include <gio/gio.h>

typedef struct Access Access;

typedef enum AccessLevels {
    ACCESS_UNIX, /* the two actions */
    ACCESS_API,  /* and after them that of each permission */
} AccessLevels;

Access *access_new(GDBusConnection *bus, AccessLevels levels);
void access_free(Access *access);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Access, access_free)

/* Looks which domain the call is about that access_check() got @data for; FALSE: it does not say. */
typedef gboolean (*AccessLook)(gpointer data, DomainIdentity *ret);

typedef struct AccessRequest {
    const char *sender;     /* its unique name */
    const char *driver;     /* "QEMU"; stays as it is */
    const char *permission; /* "domain.start", as in libvirt's polkit actions */
    const Domain *domain;   /* that it is about, or NULL */
    const HostObject *host; /* the same */
    AccessLook look;        /* where only a document or a file tells; NULL: it is known already */
    gboolean interactive;   /* the client says that its user may be asked for a password */
    const char *filter;     /* what it takes to be told of one of ... */
    GHashTable *domains;    /* a set of Domain, or NULL; it loses those before @done that there is no @filter for */
} AccessRequest;

/* @error is NULL: it may. Else libvirt's error: that access is denied, or that nobody can say. */
typedef void (*AccessDone)(gpointer data, const GError *error);
/* Calls @done exactly once, at once or later, unless access_free() comes first. */
void access_check(Access *access, const AccessRequest *request, AccessDone done, gpointer data);

/* Whether each domain is asked about by itself. */
gboolean access_is_per_domain(const Access *access);

/* TRUE for root, and where it has been allowed something before, unless each domain is asked about by itself: names of
 * objects are no secret to it. */
gboolean access_is_trusted(Access *access, const char *sender);

/* Whether @permission ("domain.read") is one that only looks. */
gboolean access_is_read(const char *permission);
