/* xml-host-pool: what the document of a storage pool has to say, which its type decides. Errors are libvirt's. */
#pragma once

#include <glib.h>

struct _xmlNode;

/* The type of the pool @root, and whether what its source names can be: before its name is looked at. @ret: the type's
 * bit of VIR_CONNECT_LIST_STORAGE_POOLS_*. */
gboolean xml_host_pool_begin(const struct _xmlNode *root, guint *ret, GError **error);
/* Its name, where it goes by that of its source; NULL: it does not. Free with g_free(). */
char *xml_host_pool_source_name(const struct _xmlNode *root, guint type);
/* Whether the rest of it is there. */
gboolean xml_host_pool_check(const struct _xmlNode *root, guint type, GError **error);

/* Whether what @source names can be that of a pool of the type @word. */
gboolean xml_host_pool_check_source(const struct _xmlNode *source, const char *word, GError **error);
