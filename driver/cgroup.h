/* cgroup: the room that a guest's process has on the host: a control group of version 2, or one in each
 * hierarchy of version 1 where that is all there is.
 *
 * ROOT/PATH is the guest's; parts of it, PATH/vcpu0 and so on, are for some of its threads and limit nothing
 * but CPU time (they are "threaded" in version 2's words, so the process stays in PATH itself). Files are those
 * of the kernel's cgroup-v2.rst and cgroup-v1/. Nothing here knows domains.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

typedef struct Cgroup Cgroup;

typedef enum CgroupController {
    CGROUP_CPU,
    CGROUP_MEMORY,
    CGROUP_IO, /* "blkio" in version 1 */
    CGROUP_N_CONTROLLERS
} CgroupController;

/* Sizes are in bytes, CGROUP_UNLIMITED is no limit; weights and shares in the version's own scale. */
typedef enum CgroupValue {
    CGROUP_CPU_SHARES,
    CGROUP_MEMORY_HARD,
    CGROUP_MEMORY_SOFT,
    CGROUP_MEMORY_SWAP, /* memory and swap together */
    CGROUP_IO_WEIGHT,
} CgroupValue;
#define CGROUP_UNLIMITED G_MAXUINT64

/* What a disk may be used for in a second; 0: no limit. */
typedef enum CgroupRate {
    CGROUP_READ_BYTES,
    CGROUP_WRITE_BYTES,
    CGROUP_READ_OPERATIONS,
    CGROUP_WRITE_OPERATIONS,
} CgroupRate;

/* Makes @path below @root, every group on the way there included, with as many controllers as the host lets
 * it have. NULL where there are no cgroups, or none that may be changed. */
Cgroup *cgroup_make(const char *root, const char *path, GError **error);
/* The group that somebody else made for the process @pid to be in, where its name is @name; its controllers are
 * those of the group around it. NULL: it is somewhere else. */
Cgroup *cgroup_of_process(const char *root, pid_t pid, const char *name);
/* One that is there. */
Cgroup *cgroup_open(const char *root, const char *path);
void cgroup_free(Cgroup *group);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cgroup, cgroup_free)
const char *cgroup_root(const Cgroup *group);
const char *cgroup_path(const Cgroup *group);
gboolean cgroup_has(const Cgroup *group, CgroupController controller);
/* Removes it from the host, parts first; processes that are still in it keep it there. */
void cgroup_remove(const Cgroup *group);
/* The same of a part that has no thread any more. */
void cgroup_remove_part(const Cgroup *group, const char *part);

gboolean cgroup_add_process(const Cgroup *group, pid_t pid, GError **error);
/* Moves a thread of a process in @group to its part @part, which is made where there is none. */
gboolean cgroup_add_thread(const Cgroup *group, const char *part, pid_t tid, GError **error);

gboolean cgroup_set(const Cgroup *group, CgroupValue value, guint64 number, GError **error);
gboolean cgroup_get(const Cgroup *group, CgroupValue value, guint64 *ret, GError **error);
/* CPU time that the group, or a part of it, gets in each period. A @period_us of 0 and a @quota_us of 0 leave it
 * as it is; a negative quota is no limit. */
gboolean cgroup_set_bandwidth(const Cgroup *group, const char *part, guint64 period_us,
                              gint64 quota_us, GError **error);
/* The quota is -1 where there is no limit; a part that does not exist has none. */
gboolean cgroup_get_bandwidth(const Cgroup *group, const char *part, guint64 *ret_period_us,
                              gint64 *ret_quota_us, GError **error);
gboolean cgroup_set_rate(const Cgroup *group, dev_t disk, CgroupRate rate, guint64 number,
                         GError **error);
gboolean cgroup_set_disk_weight(const Cgroup *group, dev_t disk, guint weight, GError **error);
/* CPU time that it used, as long as it exists. */
gboolean cgroup_cpu_time(const Cgroup *group, guint64 *ret_total_ns, guint64 *ret_user_ns,
                         guint64 *ret_system_ns, GError **error);
