#include "qemu-kvm-backend/confine.h"

#include "qemu-kvm-backend/confine-filter.h"
#include "qemu-kvm-backend/confine-steps.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

typedef struct Step {
    const char *name;
    bool (*take)(void); /* false with errno; errno 0: there is no need for it */
    bool hurts_sanitizer;
} Step;

static bool filtered; /* the process has its first filter, so threads can take theirs */

static bool
take_seccomp(void)
{
    filtered = confine_filter_load(CONFINE_START);
    return filtered;
}

static const Step steps[] = {
    { "oom", confine_oom, false },
    { "user-ns", confine_user_ns, false },
    { "net", confine_net, false },
    { "ipc", confine_ipc, false },
    { "uts", confine_uts, false },
    { "cgroup", confine_cgroup, false },
    { "root", confine_root, true },
    { "rlimits", confine_rlimits, false },
    { "bounding", confine_bounding, false },
    { "groups", confine_groups, true },
    { "uid", confine_uid, true },
    { "capabilities", confine_capabilities, false },
    { "dumpable", confine_dumpable, true },
    { "no-new-privs", confine_no_new_privs, false },
    { "mdwe", confine_mdwe, false },
    { "landlock", confine_landlock, true },
    { "seccomp", take_seccomp, true },
};

#define N_STEPS (sizeof(steps) / sizeof(steps[0]))

static char summary[N_STEPS * 16];

static void
append(char *text, size_t size, const char *more)
{
    size_t used = strlen(text);

    snprintf(text + used, size - used, "%s%s", used ? " " : "", more);
}

static void
take(const Step *step, char *missing, size_t size)
{
    char why[80];

    errno = 0;
    if (SANITIZED && step->hurts_sanitizer) {
        snprintf(why, sizeof(why), "%s (built with sanitizers);", step->name);
    } else if (step->take()) {
        append(summary, sizeof(summary), step->name);
        return;
    } else if (errno == 0) {
        return;
    } else {
        snprintf(why, sizeof(why), "%s (%s);", step->name, strerrordesc_np(errno));
    }
    append(missing, size, why);
}

void
confine_start(void)
{
    char missing[N_STEPS * 60] = "";

    syscall(SYS_close_range, VMM_LISTEN_FD + 1, ~0u, 0); /* none, unless somebody was careless */
    for (size_t i = 0; i < N_STEPS; i++) {
        /* The C library looks for the time zone once: let it, before files cannot be asked for. */
        if (i == N_STEPS - 1)
            tzset();
        take(&steps[i], missing, sizeof(missing));
    }
    log_line("Confined by %s", summary);
    if (*missing)
        log_line("Not confined by %.*s", (int)strlen(missing) - 1, missing);
}

void
confine_thread(ConfineRole role)
{
    if (filtered && !confine_filter_load(role))
        log_line("A thread's own seccomp filter is not possible: %s", strerrordesc_np(errno));
}

const char *
confine_summary(void)
{
    return summary;
}
