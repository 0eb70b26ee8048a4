/* guest-limits: what a definition's tuning means for the process of a guest: its cgroup, its shares and
 * limits, the CPUs of its threads.
 */
#pragma once

#include "driver/cgroup.h"
#include "driver/domain-def.h"
#include "driver/env.h"

/* Gives the process of a guest that is about to start its room, with every limit but those of its vCPUs.
 * @ret_room is set on failure, too, for then the process is in there; NULL where this host has no cgroup for
 * it, which is an error where @def asks for what takes one. */
gboolean guest_limits_begin(const DriverEnv *env, const DomainDef *def, pid_t pid,
                            Cgroup **ret_room, GError **error);
/* Whether its vCPUs, too, have limits of their own, to be set before they run. */
gboolean guest_limits_has_vcpus(const DomainDef *def);
gboolean guest_limits_vcpus(const DomainDef *def, const Cgroup *room, pid_t pid, GError **error);

/* One kind at a time, for a guest that runs. */
gboolean guest_limits_bandwidth(const Cgroup *room, TunePart part, const TuneBandwidth *bandwidth,
                                pid_t pid, GError **error);
/* The name of the part that vCPU @i has; "emulator" for the rest. */
#define GUEST_PART_EMULATOR "emulator"
#define GUEST_PART_VCPU0    "vcpu0"
/* The number of the host's disk at @path. */
gboolean guest_limits_disk(const char *path, dev_t *ret, GError **error);
