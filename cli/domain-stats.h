/* domain-stats: figures of all domains. */
#pragma once

#include "cli/connection.h"

/* @record: a{sv}, with libvirt's names of the figures. */
typedef void (*DomainStatsEach)(gpointer data, const char *name, GVariant *record);
/* Calls @each for every domain; @groups and @flags are those of virConnectGetAllDomainStats. FALSE with the daemon's
 * error, before any was called for. */
gboolean domain_stats_all(Connection *connection, guint groups, guint flags, DomainStatsEach each,
                          gpointer data, GError **error);
