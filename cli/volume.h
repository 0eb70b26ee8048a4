/* volume: a volume of a storage pool, which is found in three ways. */
#pragma once

#include "cli/object.h"

extern const ObjectKind volume_kind;

/* In @pool (NULL: none) by its name, anywhere by its key or its path. NULL with @error, about the last of them. */
Object *volume_find(Session *session, const Object *pool, const char *text, GError **error);
