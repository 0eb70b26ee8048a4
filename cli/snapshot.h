/* snapshot: one snapshot of a domain, found by its name or as the current one. */
#pragma once

#include "cli/domain.h"

#define SNAPSHOT_INTERFACE "org.libvirt.DomainSnapshot"

#define OPTION_SNAPSHOT                                                                            \
    {                                                                                              \
        "snapshotname", OPTION_STRING, 0, N_("the snapshot's name")                                \
    }

typedef struct Snapshot {
    Domain *domain; /* borrowed */
    char *path;     /* its object */
    char *name;
} Snapshot;

/* The snapshot behind an object's path, as a method returned it. */
Snapshot *snapshot_from_path(Domain *domain, const char *path);
void snapshot_free(Snapshot *snapshot);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Snapshot, snapshot_free)

/* NULL with the daemon's error. */
Snapshot *snapshot_find(Domain *domain, const char *name, GError **error);
Snapshot *snapshot_current(Domain *domain, GError **error);
/* The daemon says that there is no current one. */
gboolean snapshot_error_is_no_current(const GError *error);
/* The one that the option @option names, or that --current means: one of them has to be there, and with @exclusive
 * only one. */
Snapshot *snapshot_from_args(Domain *domain, const Args *args, const char *option,
                             gboolean exclusive, GError **error);
/* Makes what @xml describes; @flags are VIR_DOMAIN_SNAPSHOT_CREATE_*. */
Snapshot *snapshot_create(Domain *domain, const char *xml, guint flags, GError **error);

/* Of Snapshot: those of the domain, or those below @from; @flags are VIR_DOMAIN_SNAPSHOT_LIST_*. In the daemon's order;
 * free with g_ptr_array_unref(). */
GPtrArray *snapshot_list(Domain *domain, const Snapshot *from, guint flags, GError **error);

/* Its document; @flags are VIR_DOMAIN_SNAPSHOT_XML_*. For g_free(). */
char *snapshot_xml(const Snapshot *snapshot, guint flags, GError **error);
/* The document to make it of once more, secrets included, and in @flags (VIR_DOMAIN_SNAPSHOT_CREATE_*) what that takes. */
char *snapshot_redefinition(const Snapshot *snapshot, guint *flags, GError **error);
gboolean snapshot_is_current(const Snapshot *snapshot, gboolean *ret, GError **error);
/* A method with nothing but flags, which answers nothing. */
gboolean snapshot_do(const Snapshot *snapshot, const char *method, guint flags, GError **error);
