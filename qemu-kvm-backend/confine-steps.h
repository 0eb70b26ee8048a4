/* confine-steps: the steps of confine.h but seccomp, which see. Each answers false with errno where it is
 * not possible, errno 0 where there is no need for it, and leaves the process fit to run. The order is
 * that of confine.c: some need what a later one gives up. */
#pragma once

#include <stdbool.h>

bool confine_oom(void);
bool confine_user_ns(void);
bool confine_net(void);
bool confine_ipc(void);
bool confine_uts(void);
bool confine_cgroup(void);
bool confine_root(void);
bool confine_rlimits(void);
bool confine_bounding(void);
bool confine_groups(void);
bool confine_uid(void);
bool confine_capabilities(void);
bool confine_dumpable(void);
bool confine_no_new_privs(void);
bool confine_mdwe(void);
bool confine_landlock(void);
