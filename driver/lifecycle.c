/* lifecycle: the verbs that change what a domain does, and what its guest tells by itself. */
#include "driver/agent.h"
#include "driver/agent-link.h"
#include "driver/adopt.h"
#include "driver/console.h"
#include "driver/domain-firmware.h"
#include "driver/domain-index.h"
#include "driver/domain-list.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/guest-log.h"
#include "driver/guest-news.h"
#include "driver/hook.h"
#include "driver/disk-resize.h"
#include "driver/hotplug.h"
#include "driver/launch.h"
#include "driver/managed-save.h"
#include "driver/pm-suspend.h"
#include "driver/restore.h"
#include "driver/save-recover.h"
#include "driver/save.h"
#include "driver/snapshot.h"
#include "driver/store.h"
#include "driver/verb.h"

#include <string.h>

/* One that takes nothing but flags. */
static void
start_plain(Domain *domain, const char *name, const char *function, guint flags, guint known,
            void (*begin)(Verb *verb), DomainDone done, gpointer data)
{
    const Verb verb = {
        .domain = domain, .flags = flags, .begin = begin, .done = done, .data = data
    };

    verb_start_checked(name, &verb, function, known);
}

static void
verb_ask(Verb *verb, VmmLink *link, const char *request, VmmLinkReply reply)
{
    vmm_link_send(link, vmm_link_request(link, request), VMM_LINK_TIMEOUT_MS, reply, verb);
}

/* start */

static void
start_begin(Verb *verb)
{
    /* What to start, where it is not the domain's own. */
    const DomainDef *own = verb->domain->persistent;
    const LaunchPlan plan = { verb->detail ? verb->detail : own, .flags = verb->flags };

    if (domain_is_active(verb->domain))
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is already running");
    else if (!plan.def)
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is transient and has ended");
    else if (verb->detail || !restore_managed(verb))
        launch_begin(verb->domain, &plan, verb_finished, verb);
}

void
domain_start(Domain *domain, guint flags, DomainDone done, gpointer data)
{
    const guint known = VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY |
                        VIR_DOMAIN_START_BYPASS_CACHE | VIR_DOMAIN_START_FORCE_BOOT |
                        VIR_DOMAIN_START_RESET_NVRAM;

    start_plain(domain, "start", "virDomainCreateWithFlags", flags, known, start_begin, done, data);
}

void
domain_start_with(Domain *domain, DomainDef *def, guint flags, DomainDone done, gpointer data)
{
    const Verb verb = {
        .domain = domain,
        .flags = flags,
        .detail = def,
        .detail_free = (GDestroyNotify)domain_def_free,
        .begin = start_begin,
        .done = done,
        .data = data,
    };

    verb_start("start", &verb);
}

/* reset */

/* One that had crashed stands at its reset vector then. */
static void
was_reset(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;

    if (!error && verb->domain->state == VIR_DOMAIN_CRASHED)
        domain_move(verb->domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED);
    verb_finish(verb, error);
}

static void
reset_begin(Verb *verb)
{
    VmmLink *link = verb_link(verb);

    if (link)
        verb_ask(verb, link, VMM_RESET, was_reset);
}

void
domain_reset(Domain *domain, guint flags, DomainDone done, gpointer data)
{
    start_plain(domain, "reset", "virDomainReset", flags, 0, reset_begin, done, data);
}

/* inject-nmi */

static void
inject_nmi_begin(Verb *verb)
{
    VmmLink *link = verb_link(verb);

    if (link)
        verb_ask(verb, link, VMM_INJECT_NMI, verb_answered);
}

void
domain_inject_nmi(Domain *domain, guint flags, DomainDone done, gpointer data)
{
    start_plain(domain, "inject-nmi", "virDomainInjectNMI", flags, 0, inject_nmi_begin, done, data);
}

/* suspend and resume */

static void
suspended(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;

    if (!error && verb->domain->state == VIR_DOMAIN_RUNNING) {
        domain_move(verb->domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
        domain_emit(verb->domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    }
    verb_finish(verb, error);
}

static void
suspend_begin(Verb *verb)
{
    VmmLink *link = verb_link(verb);

    if (!link)
        return;
    if (verb->domain->state == VIR_DOMAIN_PMSUSPENDED)
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is pmsuspended");
    else if (verb->domain->state == VIR_DOMAIN_PAUSED && domain_is_simulated(verb->domain))
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is not running");
    else if (verb->domain->state == VIR_DOMAIN_PAUSED)
        verb_finish(verb, NULL);
    else /* what the guest has written to its disks so far may have to be brought there first */
        vmm_link_send(link, vmm_link_request(link, VMM_PAUSE), VMM_LINK_NO_TIMEOUT, suspended, verb);
}

void
domain_suspend(Domain *domain, DomainDone done, gpointer data)
{
    start_plain(domain, "suspend", "virDomainSuspend", 0, 0, suspend_begin, done, data);
}

static void
resumed(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;

    if (!error &&
        (verb->domain->state == VIR_DOMAIN_PAUSED || verb->domain->state == VIR_DOMAIN_CRASHED)) {
        domain_move(verb->domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
        domain_emit(verb->domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    }
    verb_finish(verb, error);
}

static void
resume_begin(Verb *verb)
{
    VmmLink *link = verb_link(verb);

    if (!link)
        return;
    if (verb->domain->state == VIR_DOMAIN_PMSUSPENDED)
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is pmsuspended");
    else if (verb->domain->state == VIR_DOMAIN_RUNNING)
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is already running");
    else
        verb_ask(verb, link, VMM_RUN, resumed);
}

void
domain_resume(Domain *domain, DomainDone done, gpointer data)
{
    start_plain(domain, "resume", "virDomainResume", 0, 0, resume_begin, done, data);
}

/* destroy waits for no job: it is what ends a guest that hangs in one. */

typedef struct Destroy {
    Domain *domain;
    DomainDone done;
    gpointer data;
} Destroy;

static void
destroyed(gpointer data, const GError *error)
{
    Destroy *destroy = data;

    destroy->done(destroy->data, error);
    domain_unref(destroy->domain);
    g_free(destroy);
}

void
domain_destroy(Domain *domain, guint flags, DomainDone done, gpointer data)
{
    const guint known = VIR_DOMAIN_DESTROY_GRACEFUL;
    g_autoptr(GError) error = NULL;
    Destroy *destroy;

    if (!driver_check_flags(flags, known, "virDomainDestroyFlags", &error) ||
        (!domain->guest && !domain->launch &&
         !driver_error(&error, VIR_ERR_OPERATION_INVALID, "domain is not running"))) {
        done(data, error);
        return;
    }
    destroy = g_new(Destroy, 1);
    *destroy = (Destroy){ domain_ref(domain), done, data };
    domain_wait_end(domain, destroyed, destroy);
    if (!domain->ending)
        domain->ending = DOMAIN_ENDS_DESTROYED;
    hook_hurry(domain);
    /* A VMM has nothing to save when it ends, so the graceful way is the same. */
    if (domain->launch)
        launch_abort(domain->launch);
    else
        guest_kill(domain->guest);
}

/* undefine */

/* Whether there is nothing to be learnt from the file of a definition that rests: it is the one that we know, and it
 * tells of no other file. */
static gboolean
is_known(const Domain *domain)
{
    const StoreStamp *then = &domain->stamp;
    StoreStamp now;

    return domain->brief && !domain->brief->figures.nvram && !domain_is_active(domain) &&
           !domain->launch &&
           store_stamp(domain->host->env->config_dir, domain_uuid(domain), &now) &&
           now.inode == then->inode && now.size == then->size && now.changed_ns == then->changed_ns;
}

/* A damaged file is not ours to delete, and what else belongs to the domain only the file would say. One that an
 * administrator took away is no definition any more: what is left goes without it. */
static gboolean
read_once_more(Domain *domain, GError **error)
{
    g_autoptr(GError) unread = NULL;

    if (domain_wake(domain, &unread))
        return TRUE;
    if (store_exists(domain->host->env->config_dir, domain_uuid(domain))) {
        g_propagate_error(error, g_steal_pointer(&unread));
        return FALSE;
    }
    domain->persistent = domain_brief_stand_in(domain->brief);
    g_clear_pointer(&domain->brief, g_free);
    return TRUE;
}

static void
define_again(Domain *domain)
{
    const char *config_dir = domain->host->env->config_dir;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = domain_xml_format_stored(domain->persistent, &error);

    if (!text || !store_save(config_dir, domain_uuid(domain), text, &error) ||
        !store_set_autostart(config_dir, domain_uuid(domain), domain->autostart, &error))
        g_warning("Cannot bring back the definition of domain '%s': %s", domain_name(domain), error->message);
}

/* The variables go last: a definition can be written again, what firmware and guest have kept in them cannot. */
static gboolean
remove_definition(Domain *domain, guint flags, GError **error)
{
    const DriverEnv *env = domain->host->env;

    if (!env->simulated && !domain_firmware_may_undefine(domain->persistent, flags, error))
        return FALSE;
    if (!store_remove(env->config_dir, domain_uuid(domain), error))
        return FALSE;
    if (env->simulated || !(flags & VIR_DOMAIN_UNDEFINE_NVRAM) ||
        domain_firmware_remove_variables(domain->persistent, error))
        return TRUE;
    define_again(domain);
    return FALSE;
}

/* The image goes first, for it would be that of the next domain with this uuid, and comes back where the definition stays. */
static gboolean
remove_files(Domain *domain, guint flags, GError **error)
{
    gboolean image = domain->managed_save;

    if (image && !managed_save_set_aside(domain, MANAGED_SAVE_LEAVING, error))
        return FALSE;
    if (remove_definition(domain, flags, error)) {
        if (image)
            managed_save_drop(domain);
        return TRUE;
    }
    if (image)
        managed_save_take_back(domain);
    return FALSE;
}

gboolean
domain_undefine(Domain *domain, guint flags, GError **error)
{
    /* Checkpoints there are none of. */
    const guint known = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                        VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM |
                        VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA;
    g_autoptr(Domain) held = domain_ref(domain);

    if (!driver_check_flags(flags, known, "virDomainUndefineFlags", error))
        return FALSE;
    if (!domain_is_persistent(domain))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "cannot undefine transient domain");
    if (domain->managed_save && !(flags & VIR_DOMAIN_UNDEFINE_MANAGED_SAVE))
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "Refusing to undefine while domain managed save image exists");
    if (!domain_is_active(domain) && domain_n_snapshots(domain) > 0 &&
        !(flags & VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA))
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "cannot delete inactive domain with %u snapshots",
                            domain_n_snapshots(domain));
    if (!is_known(domain) && !read_once_more(domain, error))
        return FALSE;
    if (!remove_files(domain, flags, error))
        return FALSE;
    domain->autostart = FALSE;
    if (domain->host->units)
        units_set_enabled(domain_name(domain), FALSE, NULL);
    domain->updated = FALSE;
    domain_index_changed(domain);
    if (domain_is_active(domain) || domain->launch) {
        if (!domain->live)
            domain->live = domain_def_copy(domain->persistent);
        g_clear_pointer(&domain->persistent, domain_def_free);
    } else {
        domain_list_remove(domain->host->list, domain);
    }
    domain_emit(domain, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_REMOVED);
    return TRUE;
}

/* What the guest tells. */

static void
keep_words(Domain *domain, VmmMsg *event)
{
    const char *state = "", *reason = "", *text = "";

    vmm_msg_get_string(event, "state", &state);
    vmm_msg_get_string(event, "reason", &reason);
    vmm_msg_get_string(event, "text", &text);
    guest_record_clear(&domain->words);
    domain->words.state = g_strdup(state);
    domain->words.reason = g_strdup(reason);
    domain->words.text = g_utf8_make_valid(text, -1);
}

/* What libvirt makes of a panic before it does what <on_crash> says. */
static void
guest_panicked(Domain *domain)
{
    domain_move(domain, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
    domain_emit(domain, VIR_DOMAIN_EVENT_CRASHED, VIR_DOMAIN_EVENT_CRASHED_PANICKED);
}

static void
guest_stopped(Domain *domain, VmmMsg *event)
{
    keep_words(domain, event);
    if (strcmp(domain->words.reason, VMM_REASON_HIBERNATED) == 0)
        pm_hibernated(domain);
    if (strcmp(domain->words.reason, VMM_REASON_CRASHED) == 0) {
        g_warning("Domain '%s' crashed: %s", domain_name(domain), domain->words.text);
    } else if (strcmp(domain->words.reason, VMM_REASON_PANICKED) == 0) {
        guest_panicked(domain);
    } else if (strcmp(domain->words.reason, VMM_REASON_POWER_CUT) == 0) {
        g_message("Domain '%s': %s", domain_name(domain), domain->words.text);
    } else if (!domain->ending) {
        domain_move(domain, VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_USER);
        domain_emit(domain, VIR_DOMAIN_EVENT_SHUTDOWN, VIR_DOMAIN_EVENT_SHUTDOWN_GUEST);
    }
}

/* A disk's policy is to wait for better times, or an action of the definition paused it: it has crashed,
 * or powered off, and is kept for a look. */
static void
guest_paused(Domain *domain, VmmMsg *event)
{
    const char *reason = "";

    vmm_msg_get_string(event, "reason", &reason);
    if (strcmp(reason, VMM_REASON_CRASHED) == 0 || strcmp(reason, VMM_REASON_PANICKED) == 0) {
        guest_panicked(domain);
    } else if (strcmp(reason, VMM_REASON_WATCHDOG) == 0) {
        domain_move(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG);
        domain_emit(domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG);
    } else if (strcmp(reason, VMM_REASON_IO_ERROR) == 0) {
        domain_move(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
        domain_emit(domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR);
    } else {
        if (strcmp(reason, VMM_REASON_HIBERNATED) == 0)
            pm_hibernated(domain);
        domain_move(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SHUTTING_DOWN);
        domain_emit(domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    }
}

/* Where <on_crash> restarts a guest that panicked, libvirt lets it crash and then run again. */
static void
guest_reset(Domain *domain, VmmMsg *event)
{
    const char *reason = "";

    vmm_msg_get_string(event, "reason", &reason);
    if (strcmp(reason, VMM_REASON_PANICKED) == 0) {
        guest_panicked(domain);
        domain_move(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_CRASHED);
        domain_emit(domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    } else if (strcmp(reason, VMM_REASON_HIBERNATED) == 0) {
        pm_hibernated(domain);
        domain_move(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
        domain_emit(domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
    }
    domain_tell(domain, reboot);
}

static void
guest_event(gpointer data, VmmMsg *event)
{
    Domain *domain = data;
    const char *name = vmm_msg_name(event);

    if (domain->launch)
        launch_event(domain->launch, event);
    else if (strcmp(name, VMM_EVENT_STOPPED) == 0)
        guest_stopped(domain, event);
    else if (strcmp(name, VMM_EVENT_PAUSED) == 0)
        guest_paused(domain, event);
    else if (strcmp(name, VMM_EVENT_SUSPENDED) == 0)
        pm_suspended(domain);
    else if (strcmp(name, VMM_EVENT_WOKEN) == 0)
        pm_woken(domain);
    else if (strcmp(name, VMM_EVENT_RESET) == 0)
        guest_reset(domain, event);
    else
        guest_news(domain, event);
}

void
domain_end_reason(const GuestRecord *words, DomainEnding ending, int *ret_reason, int *ret_detail)
{
    static const struct {
        int reason, detail;
    } asked[] = {
        [DOMAIN_ENDS_DESTROYED] = { VIR_DOMAIN_SHUTOFF_DESTROYED,
                                    VIR_DOMAIN_EVENT_STOPPED_DESTROYED },
        [DOMAIN_ENDS_SAVED] = { VIR_DOMAIN_SHUTOFF_SAVED, VIR_DOMAIN_EVENT_STOPPED_SAVED },
        [DOMAIN_ENDS_FAILED] = { VIR_DOMAIN_SHUTOFF_FAILED, VIR_DOMAIN_EVENT_STOPPED_FAILED },
        [DOMAIN_ENDS_HALTED] = { VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT,
                                 VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT },
        [DOMAIN_ENDS_CRASHED] = { VIR_DOMAIN_SHUTOFF_CRASHED, VIR_DOMAIN_EVENT_STOPPED_CRASHED },
        [DOMAIN_ENDS_REVERTED] = { VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT,
                                   VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT },
    };

    if (ending) {
        *ret_reason = asked[ending].reason;
        *ret_detail = asked[ending].detail;
    } else if (!words->reason) {
        /* Killed, or died of its own: libvirt's numbers for a QEMU that went away. */
        *ret_reason = VIR_DOMAIN_SHUTOFF_CRASHED;
        *ret_detail = VIR_DOMAIN_EVENT_STOPPED_FAILED;
    } else if (strcmp(words->reason, VMM_REASON_CRASHED) == 0 ||
               strcmp(words->reason, VMM_REASON_PANICKED) == 0) {
        *ret_reason = VIR_DOMAIN_SHUTOFF_CRASHED;
        *ret_detail = VIR_DOMAIN_EVENT_STOPPED_CRASHED;
    } else {
        *ret_reason = VIR_DOMAIN_SHUTOFF_SHUTDOWN;
        *ret_detail = VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN;
    }
}

/* What an earlier daemon had begun and nobody came to undo. */
static void
settle_save(Domain *domain)
{
    if (!domain->save && save_had_ended(domain->host->env->run_dir, domain_uuid(domain)) &&
        !domain->ending)
        domain->ending = DOMAIN_ENDS_SAVED;
}

static void
guest_exited(gpointer data)
{
    g_autoptr(Domain) domain = domain_ref(data);
    int id = domain->id, reason, detail;
    gboolean comes_back;
    Guest *guest;

    if (domain->launch) {
        launch_exited(domain->launch);
        return;
    }
    if (guest_end(domain->guest) && !domain->ending)
        g_warning("Domain '%s': the guest's process %s", domain_name(domain),
                  guest_end(domain->guest));
    if (!domain->words.reason) /* it was ended from outside, and told nobody */
        guest_read_record(domain->host->env->run_dir, domain_uuid(domain), &domain->words);
    settle_save(domain);
    domain_end_reason(&domain->words, domain->ending, &reason, &detail);
    comes_back = domain->ending == DOMAIN_ENDS_REVERTED;
    g_clear_pointer(&domain->consoles, console_set_free);
    domain->agent_timeout_s = AGENT_BLOCK;
    g_clear_pointer(&domain->figures, g_hash_table_unref);
    guest = g_steal_pointer(&domain->guest);
    device_list_release(domain->live->devices);
    guest_discard(domain->host->env->run_dir, domain_uuid(domain));
    guest_log_end(domain->host->env, domain_name(domain), reason);
    hook_guest_ended(domain, domain->live, id);
    domain->id = -1;
    domain->ending = DOMAIN_ENDS_ITSELF;
    domain->updated = FALSE;
    domain_list_set_id(domain->host->list, domain, id, -1);
    domain_move(domain, VIR_DOMAIN_SHUTOFF, reason);
    if (domain_is_persistent(domain))
        g_clear_pointer(&domain->live, domain_def_free);
    else if (!comes_back)
        domain_list_remove(domain->host->list, domain);
    domain_let_rest(domain);
    domain_emit(domain, VIR_DOMAIN_EVENT_STOPPED, detail);
    save_guest_gone(domain);
    domain_tell_end(domain, NULL);
    agent_closed(domain);
    hotplug_forget(domain);
    domain_forget_files(domain);
    disk_resize_forget(domain);
    /* Last, because verbs that waited for it fail now, and the next one begins. */
    guest_free(guest);
}

/* What was given up has been done: a suspend, say, whose caller was told that it had failed. */
static void
guest_late(gpointer data)
{
    adopt_anew(data);
}

/* A start that cannot go on fails for it, and one that has said that it ends has every right to hang up. What a running one
 * had to tell meanwhile was lost with the link: it is asked how it is, if it is one that makes sense. */
static void
guest_lost(gpointer data, gboolean sane)
{
    Domain *domain = data;

    if (domain->launch) {
        launch_lost(domain->launch);
    } else if (!domain->ending && !domain->words.reason) {
        domain_tell(domain, control_error);
        if (sane)
            adopt_anew(domain);
    }
}

GuestEvents
domain_guest_events(Domain *domain)
{
    return (GuestEvents){ guest_event, guest_exited, domain, guest_late, guest_lost };
}
