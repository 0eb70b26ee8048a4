#include "driver/restore.h"

#include "driver/error.h"
#include "driver/launch.h"
#include "driver/managed-save.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A guest of one, in steps. */

typedef struct Restore {
    Verb *verb;
    RestoreSource source;
    gboolean managed;
    gboolean told_to_run;
    gboolean asked_paused; /* by the caller, not by the image */
    gboolean bypass_cache;
    GError *error;
} Restore;

static void
restore_finish(Restore *restore, const GError *error)
{
    restore->verb->domain->from_image = FALSE;
    if (restore->bypass_cache)
        posix_fadvise(restore->source.fd, 0, 0, POSIX_FADV_DONTNEED);
    verb_finish(restore->verb, error);
    restore_source_clear(&restore->source);
    g_clear_error(&restore->error);
    g_free(restore);
}

/* Step 3, where it cannot run: nothing of it is left but its image. */

static void
ended(gpointer data, const GError *error)
{
    Restore *restore = data;

    restore_finish(restore, restore->error);
}

static void
restore_fail(Restore *restore, const GError *error)
{
    Domain *domain = restore->verb->domain;

    if (!domain_is_active(domain)) {
        restore_finish(restore, error);
        return;
    }
    restore->error = g_error_copy(error);
    if (!domain->ending)
        domain->ending = DOMAIN_ENDS_FAILED;
    domain_wait_end(domain, ended, restore);
    guest_kill(domain->guest);
}

/* Step 2: it runs, or not. */

/* The guest has gone on from there, or is told to be as it is: whoever finds it again finds no image. */
static void
leave_image(Domain *domain)
{
    managed_save_drop(domain);
    domain->from_image = FALSE;
    domain_write_status(domain);
}

/* A guest that may have written to its disks is not begun again from before that: whose process was told to run it and
 * went away without a word may be one. */
static gboolean
may_have_run(const Restore *restore, const GError *error)
{
    return restore->told_to_run && g_error_matches(error, DRIVER_ERROR, VIR_ERR_INTERNAL_ERROR);
}

static void
runs(gpointer data, VmmMsg *reply, const GError *error)
{
    Restore *restore = data;
    Domain *domain = restore->verb->domain;

    if (domain_is_left(domain, error)) {
        restore_finish(restore, error);
        return;
    }
    if (error) {
        if (restore->managed && domain_is_persistent(domain) && !may_have_run(restore, error))
            managed_save_take_back(domain);
        else if (restore->managed)
            managed_save_drop(domain);
        restore_fail(restore, error);
        return;
    }
    if (restore->managed)
        leave_image(domain);
    if (domain->state == VIR_DOMAIN_PAUSED) {
        domain_move(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
        domain_emit(domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT);
    }
    restore_finish(restore, NULL);
}

static void
stay_paused(Restore *restore)
{
    Domain *domain = restore->verb->domain;

    if (restore->managed)
        leave_image(domain);
    domain_emit(domain, VIR_DOMAIN_EVENT_SUSPENDED,
                restore->asked_paused ? VIR_DOMAIN_EVENT_SUSPENDED_PAUSED
                                      : VIR_DOMAIN_EVENT_SUSPENDED_RESTORED);
    restore_finish(restore, NULL);
}

static void
launched(gpointer data, const GError *launch_error)
{
    Restore *restore = data;
    Domain *domain = restore->verb->domain;
    g_autoptr(GError) error = NULL;
    VmmLink *link;

    if (launch_error) {
        restore_finish(restore, launch_error);
        return;
    }
    if (restore->managed && domain->managed_save && /* else somebody removed it meanwhile */
        !managed_save_set_aside(domain, MANAGED_SAVE_USED, &error)) {
        restore_fail(restore, error);
        return;
    }
    if (domain->state == VIR_DOMAIN_PMSUSPENDED) { /* which only waking it ends */
        if (restore->managed)
            leave_image(domain);
        restore_finish(restore, NULL);
        return;
    }
    link = restore->source.running ? guest_link(domain->guest) : NULL;
    if (link) {
        restore->told_to_run =
            vmm_link_send(link, vmm_link_request(link, VMM_RUN), VMM_LINK_NO_TIMEOUT, runs, restore);
    } else if (restore->source.running) {
        driver_error(&error, VIR_ERR_OPERATION_FAILED, "failed to resume domain");
        runs(restore, NULL, error);
    } else {
        stay_paused(restore);
    }
}

/* Step 1: a machine as the image's was, and what was in it. Takes @source over. */
static void
restore_begin(Verb *verb, RestoreSource *source, guint start_flags, Restore like)
{
    Restore *restore = g_memdup2(&like, sizeof(like));
    LaunchPlan plan = {
        .flags = start_flags,
        .restore = TRUE,
    };

    restore->verb = verb;
    restore->source = *source;
    *source = (RestoreSource){ .fd = -1 };
    verb->domain->from_image = like.managed;
    plan.def = restore->source.def;
    plan.state = restore->source.fd;
    launch_begin(verb->domain, &plan, launched, restore);
}

/* virDomainRestoreFlags */

static void
free_source(gpointer data)
{
    restore_source_clear(data);
    g_free(data);
}

static void
restore_verb_begin(Verb *verb)
{
    const Restore like = {
        .asked_paused = (verb->flags & VIR_DOMAIN_SAVE_PAUSED) != 0,
        .bypass_cache = (verb->flags & VIR_DOMAIN_SAVE_BYPASS_CACHE) != 0,
    };
    guint flags = verb->flags & VIR_DOMAIN_SAVE_RESET_NVRAM ? VIR_DOMAIN_START_RESET_NVRAM : 0;

    if (domain_is_active(verb->domain))
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is already running");
    else
        restore_begin(verb, verb->detail, flags, like);
}

void
restore_domain(Domain *domain, RestoreSource *source, guint flags, DomainDone done, gpointer data)
{
    const Verb verb = {
        .domain = domain,
        .flags = flags,
        .detail = g_memdup2(source, sizeof(*source)),
        .detail_free = free_source,
        .begin = restore_verb_begin,
        .done = done,
        .data = data,
    };

    *source = (RestoreSource){ .fd = -1 };
    verb_start("restore", &verb);
}

/* A domain's own image */

/* One that was made of another domain, as somebody who copies files can have it. */
static gboolean
check_owner(const Domain *domain, const DomainDef *def, GError **error)
{
    if (strcmp(domain_name(domain), def->name) == 0 && strcmp(domain_uuid(domain), def->uuid) == 0)
        return TRUE;
    return driver_error(error, VIR_ERR_OPERATION_FAILED,
                        "cannot restore domain '%s' uuid %s from a file which belongs to domain "
                        "'%s' uuid %s",
                        domain_name(domain), domain_uuid(domain), def->name, def->uuid);
}

/* FALSE: @ret_boot, or @error. */
static gboolean
open_managed(Domain *domain, guint flags, RestoreSource *ret, gboolean *ret_boot, GError **error)
{
    gboolean boot = domain->host->env->simulated || (flags & VIR_DOMAIN_START_FORCE_BOOT);
    g_autofree char *path = boot ? NULL : managed_save_path(domain);
    gboolean torn = FALSE;

    *ret_boot = FALSE;
    if (boot) {
        *ret_boot = managed_save_remove(domain, error);
        return FALSE;
    }
    if (!managed_save_make_ready(domain, error))
        return FALSE;
    if (restore_source_open(domain->host->env, &(SavedImage){ path, NULL }, NULL, 0, ret, &torn, error)) {
        if (check_owner(domain, ret->def, error))
            return TRUE;
        restore_source_clear(ret);
    } else if (torn && managed_save_remove(domain, NULL)) {
        g_warning("Ignoring incomplete managed state %s", path);
        *ret_boot = TRUE;
    }
    return FALSE;
}

gboolean
restore_managed(Verb *verb)
{
    RestoreSource source = { .fd = -1 };
    g_autoptr(GError) error = NULL;
    const Restore like = {
        .managed = TRUE,
        .asked_paused = (verb->flags & VIR_DOMAIN_START_PAUSED) != 0,
        .bypass_cache = (verb->flags & VIR_DOMAIN_START_BYPASS_CACHE) != 0,
    };
    gboolean boot;

    if (!verb->domain->managed_save)
        return FALSE;
    if (open_managed(verb->domain, verb->flags, &source, &boot, &error)) {
        source.running &= !like.asked_paused;
        restore_begin(verb, &source, verb->flags & VIR_DOMAIN_START_RESET_NVRAM, like);
        return TRUE;
    }
    if (boot)
        return FALSE;
    verb_finish(verb, error);
    return TRUE;
}
