/* guest-limits: what a definition's tuning means for the process of a guest: its cgroup, its shares and
 * limits, the CPUs of its threads.
 */
#pragma once

#include "driver/cgroup.h"
#include "driver/domain-def.h"
#include "driver/env.h"

/* The room that the process of a guest that is about to start will have, for its name to be kept before there is one;
 * NULL where this host has no cgroups for guests. */
Cgroup *guest_limits_room(const DriverEnv *env, const DomainDef *def, pid_t pid);
/* Makes @room, where nobody did, with the process in it. Failing leaves none. */
gboolean guest_limits_enter(const Cgroup *room, pid_t pid, GError **error);
/* Gives it every limit but those of its vCPUs. Without a @room it is an error where @def asks for what takes one. */
gboolean guest_limits_begin(const DriverEnv *env, const DomainDef *def, const Cgroup *room,
                            pid_t pid, GError **error);
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
