/* snapshot-private: between the files that make up snapshot.h. */
#pragma once

#include "driver/domain.h"

/* Whether @domain's backend makes snapshots; @function of libvirt is not supported where not. */
gboolean snapshot_check_backend(const Domain *domain, const char *function, GError **error);
/* Not both of two flags, in libvirt's words. */
gboolean snapshot_check_exclusive(guint flags, guint one, const char *one_name, guint other,
                                  const char *other_name, GError **error);
