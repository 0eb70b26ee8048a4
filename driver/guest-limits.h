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
/* Gives it every limit but those of its threads. Without a @room it is an error where @def asks for what takes one. */
gboolean guest_limits_begin(const DriverEnv *env, const DomainDef *def, const Cgroup *room,
                            pid_t pid, GError **error);
/* Whether its threads, too, have limits of their own, to be set before its vCPUs run. */
gboolean guest_limits_has_threads(const DomainDef *def);
gboolean guest_limits_threads(const DomainDef *def, const Cgroup *room, pid_t pid, GError **error);
/* Those of I/O thread @id, which has just come; and what is left of one that has gone. */
gboolean guest_limits_iothread(const DomainDef *def, const Cgroup *room, pid_t pid, guint id,
                               GError **error);
void guest_limits_drop_iothread(const Cgroup *room, guint id);

/* One kind at a time, for a guest that runs. */
gboolean guest_limits_bandwidth(const Cgroup *room, TunePart part, const TuneBandwidth *bandwidth,
                                pid_t pid, GError **error);
/* The names of the parts that they have: of the first vCPU, of I/O thread @id (free it with g_free()), of the rest. */
#define GUEST_PART_EMULATOR "emulator"
#define GUEST_PART_VCPU0    "vcpu0"
char *guest_limits_iothread_part(guint id);
/* The number of the host's disk at @path. */
gboolean guest_limits_disk(const char *path, dev_t *ret, GError **error);
