/* confine-filter: the seccomp filters, one for each role, as the build has made them of confine-rules. */
#pragma once

#include "qemu-kvm-backend/confine-role.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct ConfineFilter {
    const struct sock_filter *code;
    size_t n; /* instructions */
} ConfineFilter;

/* By role. */
extern const ConfineFilter confine_filters[CONFINE_N_ROLES];

/* Puts the calling thread under the filter of @role, on top of those that it has. From then on a call
 * that is not in confine-rules for that role ends the whole process with SIGSYS. False with errno;
 * needs no_new_privs. */
bool confine_filter_load(ConfineRole role);
