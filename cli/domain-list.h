/* domain-list: all domains of the daemon at one look. */
#pragma once

#include "cli/connection.h"

typedef struct DomainEntry {
    char *path;
    char *name;
    char *uuid;
    guint id; /* 0: not running */
    int state, reason;
    gboolean persistent, autostart;
} DomainEntry;

/* Those that pass the filter @flags (VIR_CONNECT_LIST_DOMAINS_*): the running ones by id, then the others
 * by name. DomainEntry *, freed with the array; NULL with the daemon's error. */
GPtrArray *domain_list(Connection *connection, guint flags, GError **error);
