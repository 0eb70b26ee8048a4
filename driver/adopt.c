#include "driver/adopt.h"

#include "driver/domain-list.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/guest-log.h"
#include "driver/guest-news.h"
#include "driver/hook.h"
#include "driver/managed-save.h"
#include "driver/save-recover.h"

#include <string.h>

/* The domain of a definition found under /run: the one that is defined, or a transient one. */
static Domain *
domain_for(DomainHost *host, DomainDef *live)
{
    Domain *domain = domain_list_find_uuid(host->list, live->uuid);
    g_autoptr(Domain) made = NULL;

    if (domain) {
        domain->live = live;
        return domain;
    }
    made = domain_new(host, NULL, live);
    domain_list_add(host->list, made);
    return made;
}

/* The guest as its VMM says it is now. */
static void
adopt_state(Domain *domain, const char *state, const char *reason)
{
    const char *run_dir = domain->host->env->run_dir;

    if (strcmp(state, VMM_STATE_RUNNING) == 0) {
        if (domain->state != VIR_DOMAIN_RUNNING)
            domain_move(domain, VIR_DOMAIN_RUNNING,
                        domain->state == VIR_DOMAIN_PMSUSPENDED ? VIR_DOMAIN_RUNNING_WAKEUP
                                                                : VIR_DOMAIN_RUNNING_UNPAUSED);
    } else if (strcmp(state, VMM_STATE_SUSPENDED) == 0) {
        domain_move(domain, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN);
    } else if (strcmp(state, VMM_STATE_PAUSED) == 0 || strcmp(state, VMM_STATE_CREATED) == 0) {
        if (strcmp(reason, VMM_REASON_CRASHED) == 0 || strcmp(reason, VMM_REASON_PANICKED) == 0)
            domain_move(domain, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
        else if (strcmp(reason, VMM_REASON_IO_ERROR) == 0)
            domain_move(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
        else if (strcmp(reason, VMM_REASON_WATCHDOG) == 0)
            domain_move(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG);
        else if (domain->state != VIR_DOMAIN_PAUSED)
            domain_move(domain, VIR_DOMAIN_PAUSED,
                        save_is_under_way(run_dir, domain_uuid(domain)) ? VIR_DOMAIN_PAUSED_SAVE
                                                                        : VIR_DOMAIN_PAUSED_USER);
    }
}

static void
greeted(gpointer data, VmmMsg *reply, const GError *error)
{
    g_autoptr(Domain) domain = data;
    const char *state = "", *reason = "";

    if (error) {
        g_warning("Domain '%s' runs but does not answer: %s", domain_name(domain), error->message);
        return;
    }
    vmm_msg_get_string(reply, "state", &state);
    vmm_msg_get_string(reply, "reason", &reason);
    adopt_state(domain, state, reason);
    save_recover(domain);
    guest_news_refresh(domain);
}

static void
greeted_anew(gpointer data, VmmMsg *reply, const GError *error)
{
    Domain *domain = data;
    int before = domain->state;

    domain_ref(domain);
    greeted(domain, reply, error);
    if (domain->state != before && domain->state == VIR_DOMAIN_PAUSED)
        domain_emit(domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    else if (domain->state != before && domain->state == VIR_DOMAIN_RUNNING)
        domain_emit(domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    else if (domain->state != before && domain->state == VIR_DOMAIN_PMSUSPENDED)
        domain_emit(domain, VIR_DOMAIN_EVENT_PMSUSPENDED, VIR_DOMAIN_EVENT_PMSUSPENDED_MEMORY);
    domain_unref(domain);
}

void
adopt_anew(Domain *domain)
{
    VmmLink *link = domain_is_active(domain) ? guest_link(domain->guest) : NULL;

    if (link)
        vmm_link_send(link, vmm_link_request(link, VMM_HELLO), VMM_LINK_TIMEOUT_MS, greeted_anew,
                      domain_ref(domain));
}

/* A guest whose start the last daemon did not live to finish: it was told to nobody, so it ends. What it was made of is
 * there for the next start, if it was never told to run: one that goes away instead of saying so may have been. */
static void
greeted_unfinished(gpointer data, VmmMsg *reply, const GError *error)
{
    g_autoptr(Domain) domain = data;
    const gboolean from_image = domain->from_image;
    const char *state = "";
    gboolean runs;

    if (reply)
        vmm_msg_get_string(reply, "state", &state);
    if (domain_is_left(domain, error))
        return;
    runs = strcmp(state, VMM_STATE_RUNNING) == 0 || strcmp(state, VMM_STATE_SUSPENDED) == 0;
    domain->from_image = FALSE;
    managed_save_settle(domain, runs || (error && managed_save_is_used(domain)) || !from_image);
    if (runs) {
        domain_move(domain, VIR_DOMAIN_RUNNING,
                    from_image ? VIR_DOMAIN_RUNNING_RESTORED : VIR_DOMAIN_RUNNING_BOOTED);
        adopt_state(domain, state, "");
        guest_news_refresh(domain);
        return;
    }
    g_message("Domain '%s' was never started to its end: ending it", domain_name(domain));
    if (domain->guest)
        guest_kill(domain->guest);
}

/* The last daemon had saved it, and did not live to end it. */
static void
end_saved(Domain *domain)
{
    g_message("Domain '%s' has been saved: ending it", domain_name(domain));
    managed_save_settle(domain, FALSE);
    domain->ending = DOMAIN_ENDS_SAVED;
    guest_kill(domain->guest);
}

static void
adopt_running(Domain *domain, const GuestStatus *status)
{
    VmmLink *link = guest_link(domain->guest);
    gboolean unfinished = status->state == VIR_DOMAIN_SHUTOFF || status->from_image;
    g_autoptr(GError) error = NULL;

    if (!domain_wake(domain, &error))
        g_warning("%s", error->message);
    domain->id = status->id;
    domain->updated = status->updated;
    domain->from_image = status->from_image;
    domain->state = unfinished ? VIR_DOMAIN_PAUSED : status->state;
    domain->reason = unfinished ? VIR_DOMAIN_PAUSED_STARTING_UP : status->reason;
    domain_list_set_id(domain->host->list, domain, -1, domain->id);
    hook_begin(domain, HOOK_RECONNECT, domain->live, domain->id, NULL, NULL);
    if (save_is_whole(domain->host->env->run_dir, domain_uuid(domain))) {
        end_saved(domain);
        return;
    }
    if (!unfinished)
        managed_save_settle(domain, TRUE);
    if (!link && unfinished)
        greeted_unfinished(domain_ref(domain), NULL, NULL);
    else if (link)
        vmm_link_send(link, vmm_link_request(link, VMM_HELLO),
                      unfinished ? VMM_LINK_NO_TIMEOUT : VMM_LINK_TIMEOUT_MS,
                      unfinished ? greeted_unfinished : greeted, domain_ref(domain));
}

/* The process is gone: what it left says how it ended. */
static void
bury(Domain *domain, int id)
{
    g_auto(GuestRecord) words = { 0 };
    const char *run_dir = domain->host->env->run_dir;
    int reason, detail;
    gboolean saved;

    guest_read_record(run_dir, domain_uuid(domain), &words);
    saved = save_had_ended(run_dir, domain_uuid(domain));
    device_list_release(domain->live->devices);
    guest_discard(run_dir, domain_uuid(domain));
    hook_guest_ended(domain, domain->live, id);
    domain_end_reason(&words, saved ? DOMAIN_ENDS_SAVED : DOMAIN_ENDS_ITSELF, &reason, &detail);
    guest_log_end(domain->host->env, domain_name(domain), reason);
    domain->state = VIR_DOMAIN_SHUTOFF;
    domain->reason = reason;
    domain->updated = FALSE;
    if (domain_is_persistent(domain)) {
        g_clear_pointer(&domain->live, domain_def_free);
        domain_emit(domain, VIR_DOMAIN_EVENT_STOPPED, detail);
    } else {
        g_autoptr(Domain) held = domain_ref(domain);

        domain_list_remove(domain->host->list, domain);
        domain_emit(domain, VIR_DOMAIN_EVENT_STOPPED, detail);
    }
}

/* A start that the last daemon had only prepared: the status comes right after the process, which
 * ends by itself where it was told nothing. */
static gboolean
was_only_prepared(const char *run_dir, const char *uuid)
{
    g_autofree char *status = g_build_filename(run_dir, "guests", uuid, "status", NULL);

    return !g_file_test(status, G_FILE_TEST_EXISTS);
}

static void
adopt_one(DomainHost *host, const char *uuid)
{
    const char *run_dir = host->env->run_dir;
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = guest_read_live(run_dir, uuid, &error);
    DomainDef *live = xml ? domain_xml_parse_live(xml, NULL, &error) : NULL;
    GuestStatus status;
    GuestEvents events;
    Domain *domain;

    if (!live || strcmp(live->uuid, uuid) != 0 ||
        !guest_read_status(run_dir, uuid, &status, &error)) {
        g_warning("The guest in '%s/guests/%s' cannot be found again: %s", run_dir, uuid,
                  error ? error->message : "its definition has another uuid");
        domain_def_free(live);
        return;
    }
    guest_files_settle(run_dir, uuid);
    device_list_found(live->devices);
    domain = domain_for(host, live);
    host->last_id = MAX(host->last_id, status.id);
    events = domain_guest_events(domain);
    domain->guest = guest_adopt(run_dir, uuid, &status, &events);
    if (domain->guest)
        adopt_running(domain, &status);
    else
        bury(domain, status.id);
}

void
adopt_guests(DomainHost *host)
{
    g_autofree char *dir = g_build_filename(host->env->run_dir, "guests", NULL);
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        if (!g_uuid_string_is_valid(name))
            g_warning("'%s/%s' is no guest's directory: left alone", dir, name);
        else if (was_only_prepared(host->env->run_dir, name))
            guest_discard(host->env->run_dir, name);
        else
            adopt_one(host, name);
    }
}
