/* pool-sources: what libvirt's test driver finds where somebody looks for sources of storage pools. */
#pragma once

#include <glib.h>

/* virConnectFindStoragePoolSources: the <sources> for pools of that type; @spec is the <source> to look at, "" is none.
 * NULL with libvirt's error; the result is for g_free(). */
char *pool_sources_find(const char *type, const char *spec, GError **error);
