#include "driver/launch.h"

#include "driver/domain-firmware.h"
#include "driver/domain-list.h"
#include "driver/domain-state.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/guest-end.h"
#include "driver/guest-limits.h"
#include "driver/guest-log.h"
#include "driver/guest-news.h"
#include "driver/hook.h"
#include "driver/image-wait.h"
#include "driver/launch-machine.h"
#include "driver/launch-tell.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* A start goes through these steps; each answers FALSE with @error, and launch_fail() undoes whatever
 * was done. */
struct Launch {
    Domain *domain;
    DomainDef *live;
    int id;
    gboolean paused;
    gboolean reset_nvram;
    gboolean from_snapshot;
    gboolean bounded; /* every thread has its limits */
    int state;        /* what it is restored from; -1: it boots */
    Guest *guest;
    int log_fd;
    GPtrArray *requests;          /* of VmmMsg: create, then the devices */
    ImageWait *images;            /* that its disks use */
    Hook *hook;                   /* an administrator's program that is waited for; NULL: none */
    void (*next)(Launch *launch); /* what follows it */
    guint waiting;                /* answers still to come */
    GError *error;                /* the first thing that went wrong */
    gboolean restoring;           /* one of the answers is the event that ends it */
    gboolean asleep;              /* what was restored has suspended itself */
    gboolean running;             /* all has been answered: what ends now has run */
    gboolean gone;                /* and its process has ended since */
    GQueue news;                  /* of VmmMsg: what it has told of itself, for who follows */
    gboolean undoing;
    DomainDone done;
    gpointer data;
};

static void
launch_free(Launch *launch)
{
    if (launch->log_fd >= 0)
        close(launch->log_fd);
    if (launch->state >= 0)
        close(launch->state);
    g_ptr_array_unref(launch->requests);
    image_wait_free(launch->images);
    g_queue_clear_full(&launch->news, (GDestroyNotify)vmm_msg_free);
    domain_def_free(launch->live);
    g_clear_error(&launch->error);
    domain_unref(launch->domain);
    g_free(launch);
}

/* What an undefine made of it meanwhile, for which it was as good as running. */
static void
forget_live(Domain *domain)
{
    if (domain_is_persistent(domain))
        g_clear_pointer(&domain->live, domain_def_free);
    else
        domain_list_remove(domain->host->list, domain);
}

static void
launch_finish(Launch *launch)
{
    Domain *domain = launch->domain;

    domain->launch = NULL;
    domain->coming = NULL;
    if (launch->error) { /* before its caller hears: who waits from then on waits for another end */
        domain->ending = DOMAIN_ENDS_ITSELF;
        forget_live(domain);
        domain_tell_end(domain, NULL);
    }
    launch->done(launch->data, launch->error);
    launch_free(launch);
}

/* Everything that was done is undone, at the end of the process where one was started. */
static void
launch_undo(Launch *launch)
{
    launch->undoing = TRUE; /* answers that now fail are no news */
    g_clear_pointer(&launch->hook, hook_cancel);
    g_clear_pointer(&launch->images, image_wait_free);
    if (launch->domain->host->units)
        units_cancel(launch->domain->host->units, launch);
    g_clear_pointer(&launch->guest, guest_free);
    device_list_release(launch->live->devices);
    guest_discard(launch->domain->host->env->run_dir, launch->live->uuid);
    if (launch->log_fd >= 0)
        guest_log_end(launch->domain->host->env, launch->live->name, VIR_DOMAIN_SHUTOFF_FAILED);
    hook_guest_ended(launch->domain, launch->live, launch->id);
    launch_finish(launch);
}

static void
launch_fail(Launch *launch, const GError *error)
{
    if (!launch->error)
        launch->error = g_error_copy(error);
    g_clear_pointer(&launch->images,
                    image_wait_free); /* a process that is being ended is told nothing */
    if (launch->guest && guest_pid(launch->guest) && !launch->gone)
        guest_kill(launch->guest); /* launch_exited() goes on */
    else
        launch_undo(launch);
}

void
launch_abort(Launch *launch)
{
    g_autoptr(GError) error = NULL;

    driver_error(&error, VIR_ERR_OPERATION_ABORTED, "the domain was destroyed during its start");
    launch_fail(launch, error);
}

/* Requests have failed with the link; the end of a restore would be waited for. */
void
launch_lost(Launch *launch)
{
    g_autoptr(GError) error = NULL;

    if (!launch->restoring || launch->running || launch->undoing)
        return;
    driver_error(&error, VIR_ERR_OPERATION_FAILED, "the guest's process hung up during its start");
    launch_fail(launch, error);
}

/* It runs, whatever is still to be done: the next daemon finds it so. */
static void
leave_running(Launch *launch)
{
    launch->undoing = TRUE; /* answers that now fail are no news */
    g_clear_pointer(&launch->hook, hook_cancel);
    g_clear_pointer(&launch->guest, guest_free);
    driver_error(&launch->error, VIR_ERR_OPERATION_ABORTED, "the daemon is stopping");
    launch_finish(launch);
}

void
launch_drop(Launch *launch)
{
    if (launch->running && !launch->paused && !launch->gone && !launch->error) {
        leave_running(launch);
        return;
    }
    if (!launch->error)
        driver_error(&launch->error, VIR_ERR_OPERATION_ABORTED, "the daemon is stopping");
    if (launch->guest)
        guest_kill(launch->guest);
    launch_undo(launch);
}

static void
heard_stopped(Launch *launch, VmmMsg *event)
{
    const char *text = "", *reason = "";

    vmm_msg_get_string(event, "reason", &reason);
    vmm_msg_get_string(event, "text", &text);
    if (!launch->error)
        driver_error(&launch->error, VIR_ERR_OPERATION_FAILED,
                     "the guest stopped during its start (%s): %s", reason, text);
}

static void one_answered(Launch *launch, const GError *error);

static void
heard_job_ended(Launch *launch, VmmMsg *event)
{
    g_autoptr(GError) error = NULL;
    const char *outcome = "", *text = "no reason given", *state = "";

    vmm_msg_get_string(event, "outcome", &outcome);
    vmm_msg_get_string(event, "text", &text);
    vmm_msg_get_string(event, "state", &state);
    launch->asleep = strcmp(state, VMM_STATE_SUSPENDED) == 0;
    if (strcmp(outcome, VMM_OUTCOME_COMPLETED) != 0)
        driver_error(&error, VIR_ERR_OPERATION_FAILED, "cannot restore the guest: %s", text);
    one_answered(launch, error);
}

/* A hook may take longer than the guest does to suspend itself, or to be done. */
void
launch_event(Launch *launch, VmmMsg *event)
{
    const char *name = vmm_msg_name(event);

    if (strcmp(name, VMM_EVENT_STOPPED) == 0 && !launch->running)
        heard_stopped(launch, event);
    else if (strcmp(name, VMM_EVENT_JOB_ENDED) == 0 && launch->restoring)
        heard_job_ended(launch, event);
    else
        g_queue_push_tail(&launch->news, vmm_msg_ref(event));
}

static void
exited_early(Launch *launch)
{
    g_autofree char *line = guest_end_last_line(launch->log_fd);
    const char *end = guest_end(launch->guest);

    /* VIR_ERR_INTERNAL_ERROR is the link's word for "went away": the log knows better why. */
    if (!launch->error || g_error_matches(launch->error, DRIVER_ERROR, VIR_ERR_INTERNAL_ERROR)) {
        g_clear_error(&launch->error);
        driver_error(&launch->error, VIR_ERR_INTERNAL_ERROR,
                     "the guest's process %s during its start: %s", end ? end : "ended",
                     *line ? line : "its log is empty");
    }
    launch_undo(launch);
}

void
launch_exited(Launch *launch)
{
    if (launch->running && !launch->error)
        launch->gone = TRUE;
    else
        exited_early(launch);
}

/* Between the steps: an administrator may forbid it. */

static void
hook_ended(gpointer data, const GError *error)
{
    Launch *launch = data;

    launch->hook = NULL;
    if (error)
        launch_fail(launch, error);
    else
        launch->next(launch);
}

static void
after_hook(Launch *launch, const char *operation, void (*next)(Launch *launch))
{
    launch->next = next;
    launch->hook =
        hook_begin(launch->domain, operation, launch->live, launch->id, hook_ended, launch);
    if (!launch->hook)
        next(launch);
}

/* Step 1: the host's side of everything. */

static gboolean
open_log(Launch *launch, GError **error)
{
    const DriverEnv *env = launch->domain->host->env;

    if (env->simulated)
        return TRUE;
    launch->log_fd = guest_log_open(env, launch->live->name, error);
    return launch->log_fd >= 0;
}

static gboolean
open_host(Launch *launch, GError **error)
{
    Domain *domain = launch->domain;
    GuestEvents events = domain_guest_events(domain);

    domain_def_assign_aliases(launch->live);
    if (!open_log(launch, error) || !domain_firmware_fill(launch->live, domain->host->env, error))
        return FALSE;
    launch->guest = guest_new(domain->host->env->run_dir, launch->live->uuid, &events, error);
    if (!launch->guest)
        return FALSE;
    return launch_machine_describe(
        &(LaunchMachine){ domain, launch->live, launch->guest, launch->reset_nvram,
                          launch->state < 0 && !launch->from_snapshot, launch->images, launch->requests },
        error);
}

/* The room comes before anything that takes much of the host, and its name before the room, so that whatever daemon comes
 * next can remove it. A host that has none to give is one where guests do without, unless an administrator's partition
 * was asked for. */
static gboolean
make_room(Launch *launch, GError **error)
{
    const DriverEnv *env = launch->domain->host->env;
    const DomainDef *def = launch->live;
    Guest *guest = launch->guest;
    Cgroup *room = guest_limits_room(env, def, guest_pid(guest));

    if (!guest_set_room(guest, room, error))
        return FALSE;
    if (room && !guest_limits_enter(room, guest_pid(guest), def->tune.partition ? error : NULL)) {
        guest_set_room(guest, NULL, NULL);
        if (def->tune.partition)
            return FALSE;
    }
    return guest_limits_begin(env, def, guest_room(guest), guest_pid(guest), error);
}

/* What a restarted daemon needs to find the process comes first: all the rest goes with it. */
static gboolean
settle_process(Launch *launch, GError **error)
{
    const DriverEnv *env = launch->domain->host->env;
    guint64 locked = domain_memory_locked(&launch->live->backing, launch->live->memory_kib);
    GuestStatus status = { .id = launch->id,
                           .state = VIR_DOMAIN_SHUTOFF,
                           .from_image = launch->domain->from_image };

    if (env->simulated) /* no process, nothing to limit */
        return TRUE;
    status.pid = guest_pid(launch->guest);
    status.start_time = guest_start_time(status.pid);
    return guest_write_status(env->run_dir, launch->live->uuid, &status, error) &&
           make_room(launch, error) && guest_allow_locked(launch->guest, locked, error);
}

static void start_create(Launch *launch);

static void
images_ready(gpointer data, const GError *error)
{
    Launch *launch = data;

    if (error)
        launch_fail(launch, error);
    else
        start_create(launch);
}

/* The process is there. It gets no image that may still change; what has gone before has taken some of that time. */
static void
start_wait(Launch *launch)
{
    image_wait_begin(launch->images, IMAGE_WAIT_MS, images_ready, launch);
}

/* The unit's process is there. */
static void
process_ready(gpointer data, UnitCall *call, const GError *failed)
{
    Launch *launch = data;
    const char *vmm = launch->domain->host->env->vmm;
    g_autoptr(GError) error = failed ? g_error_copy(failed) : NULL;

    if (call && guest_take(launch->guest, call, vmm, launch->log_fd, &error) &&
        settle_process(launch, &error))
        start_wait(launch);
    else
        launch_fail(launch, error);
}

/* Step 2: the process. It may take a while to come, so the next step follows from here. */
static gboolean
begin_process(Launch *launch, GError **error)
{
    Domain *domain = launch->domain;
    const DriverEnv *env = domain->host->env;
    g_autofree char *xml =
        domain_xml_format(launch->live, launch->id, DOMAIN_FORMAT_LIVE | DOMAIN_FORMAT_SECURE);

    if (!guest_write_live(env->run_dir, launch->live->uuid, xml, error))
        return FALSE;
    if (domain->offer) {
        process_ready(launch, g_steal_pointer(&domain->offer), NULL);
        return TRUE;
    }
    if (domain->host->units) {
        units_request(domain->host->units, launch->live->name, process_ready, launch);
        return TRUE;
    }
    if (!guest_spawn(launch->guest, env->vmm, launch->log_fd, error) ||
        !settle_process(launch, error))
        return FALSE;
    start_wait(launch);
    return TRUE;
}

static void
start_process(Launch *launch)
{
    g_autoptr(GError) error = NULL;

    if (!begin_process(launch, &error))
        launch_fail(launch, error);
}

static void
start_open(Launch *launch)
{
    g_autoptr(GError) error = NULL;

    if (open_host(launch, &error))
        after_hook(launch, HOOK_START, start_process);
    else
        launch_fail(launch, error);
}

/* Before anything of the host is taken. */
static void
start_prepare(Launch *launch)
{
    after_hook(launch, HOOK_PREPARE, start_open);
}

/* Step 4: it runs. */
static void
start_finish(Launch *launch)
{
    g_autoptr(Domain) domain = domain_ref(launch->domain);
    const gboolean gone = launch->gone;

    domain_def_free(domain->live);
    domain->live = g_steal_pointer(&launch->live);
    domain->guest = g_steal_pointer(&launch->guest);
    domain->launch = NULL;
    domain->id = launch->id;
    domain->updated = FALSE;
    domain_list_set_id(domain->host->list, domain, -1, domain->id);
    if (launch->state >= 0)
        launch_tell_restored(domain, launch->asleep);
    else if (launch->from_snapshot)
        launch_tell_reverted(domain, launch->paused);
    else
        launch_tell_started(domain, launch->paused);
    guest_news_started(domain);
    if (launch->state >= 0 && !domain->host->env->simulated)
        guest_news_refresh(domain); /* what the guest had told before it was saved */
    if (domain->host->units)
        units_running(domain->host->units, domain_name(domain), domain_uuid(domain), domain->id,
                      guest_pid(domain->guest));
    launch_tell_news(domain, &launch->news);
    launch_finish(launch);
    if (gone)
        domain_guest_events(domain).exited(domain);
}

static void
start_ran(Launch *launch)
{
    launch->running = TRUE;
    after_hook(launch, HOOK_STARTED, start_finish);
}

static void answered(gpointer data, VmmMsg *reply, const GError *error);

/* The host finds RAM first, or empties it, which takes as long as there is RAM, and what is asked next waits for that. A
 * process that hangs there is ended by who destroys the domain. */
static void
ask(Launch *launch, VmmMsg *request, VmmLinkReply reply)
{
    launch->waiting++;
    vmm_link_send(guest_link(launch->guest), request, VMM_LINK_NO_TIMEOUT, reply, launch);
}

/* What its threads may have is settled once they are there, before its vCPUs run. */
static void
bound_threads(Launch *launch)
{
    Guest *guest = launch->guest;
    g_autoptr(GError) error = NULL;

    launch->bounded = TRUE;
    if (!launch->domain->host->env->simulated &&
        !guest_limits_threads(launch->live, guest_room(guest), guest_pid(guest), &error))
        launch_fail(launch, error);
    else if (launch->paused)
        start_ran(launch);
    else
        ask(launch, vmm_link_request(guest_link(guest), VMM_RUN), answered);
}

static void
one_answered(Launch *launch, const GError *error)
{
    launch->waiting--;
    if (error && !launch->error)
        launch->error = g_error_copy(error);
    if (launch->waiting > 0 || launch->undoing)
        return;
    if (launch->error)
        launch_fail(launch, launch->error);
    else if (!launch->bounded)
        bound_threads(launch);
    else
        start_ran(launch);
}

static void
answered(gpointer data, VmmMsg *reply, const GError *error)
{
    one_answered(data, error);
}

/* It has begun; "job-ended" is an answer that is still to come, however long it takes. */
static void
restore_begun(gpointer data, VmmMsg *reply, const GError *error)
{
    Launch *launch = data;

    launch->restoring = reply != NULL;
    if (reply)
        launch->waiting++;
    one_answered(launch, error);
}

static void
greeted(gpointer data, VmmMsg *reply, const GError *error)
{
    Launch *launch = data;
    guint64 version = 0;

    if (reply && (!vmm_msg_get_u64(reply, "version", &version) || version < VMM_PROTO_VERSION) &&
        !launch->error)
        driver_error(&launch->error, VIR_ERR_OPERATION_FAILED,
                     "'%s' speaks version %" G_GUINT64_FORMAT " of the contract, %d is needed",
                     launch->domain->host->env->vmm, version, VMM_PROTO_VERSION);
    answered(data, reply, error);
}

static void
ask_restore(Launch *launch)
{
    VmmMsg *request = vmm_link_request(guest_link(launch->guest), VMM_RESTORE);

    vmm_msg_put_fd(request, "fd", fcntl(launch->state, F_DUPFD_CLOEXEC, 0));
    ask(launch, request, restore_begun);
}

/* Step 3: the machine, its devices, and off it goes; all of it without waiting in between, but where threads have
 * limits of their own. */
static void
start_create(Launch *launch)
{
    VmmLink *link = guest_link(launch->guest);
    guint n = launch->requests->len;
    g_autofree gpointer *requests = NULL;
    g_autoptr(GError) error = NULL;

    if (!link) { /* the process went away while its images were waited for */
        driver_error(&error, VIR_ERR_OPERATION_FAILED, "the guest's process cannot be reached");
        launch_fail(launch, error);
        return;
    }
    requests = g_ptr_array_steal(launch->requests, NULL);
    for (guint i = 0; i < n; i++)
        ask(launch, requests[i], answered);
    ask(launch, vmm_link_request(link, VMM_HELLO), greeted);
    launch->bounded = !guest_limits_has_threads(launch->live);
    if (launch->state >= 0)
        ask_restore(launch);
    else if (!launch->paused && launch->bounded)
        ask(launch, vmm_link_request(link, VMM_RUN), answered);
}

void
launch_begin(Domain *domain, const LaunchPlan *plan, DomainDone done, gpointer data)
{
    Launch *launch = g_new0(Launch, 1);

    launch->domain = domain_ref(domain);
    launch->live = domain_def_copy(plan->def);
    launch->id = ++domain->host->last_id;
    launch->paused = plan->restore || plan->flags & VIR_DOMAIN_START_PAUSED;
    launch->reset_nvram = (plan->flags & VIR_DOMAIN_START_RESET_NVRAM) != 0;
    launch->from_snapshot = plan->from_snapshot;
    launch->state = plan->restore ? fcntl(plan->state, F_DUPFD_CLOEXEC, 0) : -1;
    launch->log_fd = -1;
    launch->requests = g_ptr_array_new_with_free_func((GDestroyNotify)vmm_msg_free);
    launch->images = image_wait_new();
    launch->done = done;
    launch->data = data;
    domain->launch = launch;
    domain->coming = launch->live;
    guest_record_clear(&domain->words);
    if (plan->restore)
        after_hook(launch, HOOK_RESTORE, start_prepare);
    else
        start_prepare(launch);
}
