/* domain: one domain of the daemon, found by what the user calls it. */
#pragma once

#include "cli/args.h"
#include "cli/session.h"

typedef struct Domain {
    Connection *connection; /* borrowed */
    char *path;             /* its object */
    char *name;
} Domain;

typedef enum {
    DOMAIN_BY_ID = 1 << 0,
    DOMAIN_BY_UUID = 1 << 1,
    DOMAIN_BY_NAME = 1 << 2,
    DOMAIN_BY_ANY = 7,
} DomainBy;

/* Finds @text as an id, then as a UUID, then as a name, among the ways that @by allows. NULL after saying
 * "failed to get domain"; @error has the daemon's own words. */
Domain *domain_find(Session *session, const char *text, DomainBy by, GError **error);
/* The domain that --domain names. */
Domain *domain_from_args(Session *session, const Args *args, GError **error);
/* The object of the domain of that name, without a word where there is none. For g_free(). */
char *domain_path(Connection *connection, const char *name);
/* The domain behind an object's path, as a method returned it. */
Domain *domain_from_path(Session *session, const char *path, GError **error);
/* Defines what @xml describes; @flags are VIR_DOMAIN_DEFINE_*. */
Domain *domain_define(Session *session, const char *xml, guint flags, GError **error);
void domain_free(Domain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Domain, domain_free)

/* The UUID that an object's path ends with; NULL for another path. For g_free(). */
char *domain_path_uuid(const char *path);

/* A method of org.libvirt.Domain: its reply, or NULL with @error. @parameters are consumed. */
GVariant *domain_call(Domain *domain, const char *method, GVariant *parameters,
                      const char *reply_type, GError **error);
/* One that answers nothing. */
gboolean domain_do(Domain *domain, const char *method, GVariant *parameters, GError **error);

gboolean domain_is_active(Domain *domain, gboolean *ret_active, GError **error);
/* virDomainState and its reason. */
gboolean domain_state(Domain *domain, int *ret_state, int *ret_reason, GError **error);
/* Its document; @flags are VIR_DOMAIN_XML_*. */
char *domain_xml(Domain *domain, guint flags, GError **error);
/* The figures of VIR_DOMAIN_STATS_* @groups, a dictionary of wrapped values. */
GVariantDict *domain_stats(Domain *domain, guint groups, GError **error);
