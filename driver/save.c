#include "driver/save.h"

#include "driver/domain-xml-abi.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/image-file.h"
#include "driver/managed-save.h"
#include "driver/restore-source.h"
#include "driver/save-image.h"
#include "driver/save-recover.h"
#include "driver/save-seal.h"
#include "driver/test-image.h"
#include "driver/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define JOB_NAME    "domain save" /* as libvirt's errors call it */
#define PROGRESS_MS 250           /* how often the VMM is asked how far it is */

/* A save goes through steps in the order of the functions below. Whatever happens, save_fail() or save_finish()
 * comes once. */
typedef struct Save {
    Verb *verb;
    char *path; /* NULL: the managed one's, until it begins */
    char *xml;  /* the caller's document; NULL: none */
    gboolean managed;
    char *temporary; /* what the image is called until it is whole; NULL: as it will be */
    int fd;
    gboolean was_running;
    gboolean writing;   /* the VMM has begun, and will tell when it has ended */
    gboolean cancelled; /* somebody wants it to end */
    gboolean whole;     /* the image has its name: the guest's end is what is waited for */
    gboolean dropped;   /* the daemon stops: the next one undoes it */
    gboolean unsettled; /* the guest does not run on yet: what it tells later brings save_recover() */
    guint asked;        /* answers of the VMM still to come to one of the steps */
    guint timer;
    SaveSeal *seal; /* waits for the disk */
    JobInfo info;
    GError *error; /* what it failed for */
} Save;

static void
save_free(gpointer data)
{
    Save *save = data;

    g_clear_handle_id(&save->timer, g_source_remove);
    save_seal_forget(save->seal);
    if (save->fd >= 0)
        close(save->fd);
    g_clear_error(&save->error);
    g_free(save->temporary);
    g_free(save->path);
    g_free(save->xml);
    g_free(save);
}

static Domain *
domain_of(const Save *save)
{
    return save->verb->domain;
}

static void
ask(Save *save, VmmLink *link, VmmMsg *request, guint timeout_ms, VmmLinkReply reply)
{
    save->asked++;
    vmm_link_send(link, request, timeout_ms, reply, save);
}

/* The end, one way or the other */

static void
keep_info(Save *save)
{
    Domain *domain = domain_of(save);
    int type = !save->error      ? VIR_DOMAIN_JOB_COMPLETED
               : save->cancelled ? VIR_DOMAIN_JOB_CANCELLED
                                 : VIR_DOMAIN_JOB_FAILED;

    job_info_end(&save->info, type);
    g_free(domain->job_completed);
    domain->job_completed = g_memdup2(&save->info, sizeof(save->info));
}

static void
save_finish(Save *save)
{
    Domain *domain = domain_of(save);
    g_autoptr(GError) error = g_steal_pointer(&save->error);

    domain->save = NULL;
    if (domain->guest && !save->dropped && !save->unsettled)
        guest_remove_saving(domain->host->env->run_dir, domain_uuid(domain));
    verb_finish(save->verb, error); /* frees the save */
}

static void
runs_on(gpointer data, VmmMsg *reply, const GError *error)
{
    Save *save = data;
    Domain *domain = domain_of(save);

    save->asked--;
    if (!error && domain->state == VIR_DOMAIN_PAUSED) {
        domain_move(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_SAVE_CANCELED);
        domain_emit(domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
    } else if (error && domain_is_active(domain) && !domain->ending) {
        save->unsettled = TRUE;
        g_warning("Unable to resume domain '%s' after save failure: %s", domain_name(domain),
                  error->message);
        domain_emit(domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_API_ERROR);
    }
    save_finish(save);
}

static gboolean
write_saving(const Save *save, gboolean undone, GError **error)
{
    const Domain *domain = domain_of(save);
    GuestSaving saving = { save->temporary ? save->temporary : (char *)"", undone };

    return guest_write_saving(domain->host->env->run_dir, domain_uuid(domain), &saving, error);
}

/* Undoes what was done. */
static void
save_fail(Save *save, const GError *error)
{
    Domain *domain = domain_of(save);
    gboolean alive = domain_is_active(domain) && !domain->ending;
    VmmLink *link = alive && save->was_running ? guest_link(domain->guest) : NULL;

    save->writing = FALSE;
    g_clear_handle_id(&save->timer, g_source_remove);
    if (!alive)
        driver_error(&save->error, VIR_ERR_OPERATION_FAILED, "domain is not running");
    else
        save->error = g_error_copy(error);
    if (alive)
        write_saving(save, TRUE, NULL);
    if (save->temporary && g_unlink(save->temporary) < 0 && errno != ENOENT)
        g_warning("Cannot remove '%s': %s", save->temporary, g_strerror(errno));
    keep_info(save);
    if (link)
        ask(save, link, vmm_link_request(link, VMM_RUN), VMM_LINK_TIMEOUT_MS, runs_on);
    else
        save_finish(save);
}

static void
save_fail_cancelled(Save *save)
{
    g_autoptr(GError) error = NULL;

    driver_error(&error, VIR_ERR_OPERATION_ABORTED, "job '%s' canceled by client", JOB_NAME);
    save_fail(save, error);
}

/* Step 6: the guest ends. */

static void
guest_ended(gpointer data, const GError *error)
{
    Save *save = data;

    if (error)
        save->error = g_error_copy(error);
    save_finish(save);
}

static void
end_guest(Save *save)
{
    Domain *domain = domain_of(save);

    save->whole = TRUE;
    if (save->managed)
        managed_save_was_written(domain);
    keep_info(save);
    domain_tell(domain, job, &save->info);
    domain->ending = DOMAIN_ENDS_SAVED;
    domain_wait_end(domain, guest_ended, save);
    guest_kill(domain->guest);
}

/* Step 5: the image is on the disk, and gets its name. */

static gboolean
publish(Save *save, GError **error)
{
    /* Somebody undefined it meanwhile: nobody would ever find the image. */
    if (save->managed && !domain_is_persistent(domain_of(save)))
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "cannot do managed save for transient domain");
    return image_file_publish(save->temporary, save->path, error);
}

static void
sealed(gpointer data, const GError *failure)
{
    Save *save = data;
    g_autoptr(GError) error = NULL;

    save->seal = NULL;
    if (failure)
        save_fail(save, failure);
    else if (save->cancelled)
        save_fail_cancelled(save);
    else if (publish(save, &error))
        end_guest(save);
    else
        save_fail(save, error);
}

static void
start_seal(Save *save)
{
    const guint flags = save->verb->flags;
    gboolean running = save->was_running && !(flags & VIR_DOMAIN_SAVE_PAUSED);

    if (flags & VIR_DOMAIN_SAVE_RUNNING)
        running = TRUE;
    save->seal = save_seal_start(g_steal_fd(&save->fd), running,
                                 (flags & VIR_DOMAIN_SAVE_BYPASS_CACHE) != 0, sealed, save);
}

/* Step 4: the VMM writes. */

void
save_job_ended(Domain *domain, VmmMsg *event)
{
    Save *save = domain->save;
    const char *outcome = "", *text = "no reason given";
    g_autoptr(GError) error = NULL;

    vmm_msg_get_string(event, "outcome", &outcome);
    vmm_msg_get_string(event, "text", &text);
    if (!save) {
        save_recover(domain); /* of a daemon before this one */
        return;
    }
    if (!save->writing)
        return;
    save->writing = FALSE;
    g_clear_handle_id(&save->timer, g_source_remove);
    vmm_msg_get_u64(event, "bytes", &save->info.transferred);
    if (strcmp(outcome, VMM_OUTCOME_COMPLETED) == 0) {
        start_seal(save);
    } else if (save->cancelled) {
        save_fail_cancelled(save);
    } else {
        driver_error(&error, VIR_ERR_OPERATION_FAILED, "job '%s' failed: %s", JOB_NAME, text);
        save_fail(save, error);
    }
}

static void
take_progress(Save *save, VmmMsg *reply)
{
    g_autoptr(GError) error = NULL;
    guint64 done = 0, total = 0;

    if (!vmm_msg_has(reply, "job")) {
        /* The link was down when it said how it ended. */
        driver_error(&error, VIR_ERR_OPERATION_FAILED, "job '%s' unexpectedly failed", JOB_NAME);
        save_fail(save, error);
        return;
    }
    vmm_msg_get_u64(reply, "job-total", &total);
    vmm_msg_get_u64(reply, "job-done", &done);
    vmm_msg_get_u64(reply, "job-bytes", &save->info.transferred);
    save->info.total = total;
    save->info.done = MIN(done, total);
}

/* Readers are answered from what is known, so that none waits for the VMM. */
static void
told_progress(gpointer data, VmmMsg *reply, const GError *error)
{
    g_autoptr(Domain) domain = data;

    if (reply && domain->save && domain->save->writing)
        take_progress(domain->save, reply);
}

static gboolean
ask_progress(gpointer data)
{
    Domain *domain = domain_of(data);
    VmmLink *link = guest_link(domain->guest);

    if (link)
        vmm_link_send(link, vmm_link_request(link, VMM_STATS), PROGRESS_MS, told_progress,
                      domain_ref(domain));
    return G_SOURCE_CONTINUE;
}

static void
write_begun(gpointer data, VmmMsg *reply, const GError *error)
{
    Save *save = data;

    save->asked--;
    if (error) {
        if (g_error_matches(error, DRIVER_ERROR, VIR_ERR_OPERATION_TIMEOUT)) /* it may begin after all */
            save_ask_cancel(domain_of(save));
        save_fail(save, error);
        return;
    }
    save->writing = TRUE;
    save->timer = g_timeout_add(PROGRESS_MS, ask_progress, save);
    ask_progress(save);
    if (save->cancelled)
        save_ask_cancel(domain_of(save));
}

static void
start_write(Save *save)
{
    VmmLink *link = guest_link(domain_of(save)->guest);
    g_autoptr(GError) error = NULL;
    VmmMsg *request;

    if (!link) {
        driver_error(&error, VIR_ERR_OPERATION_FAILED, "the guest's process cannot be reached");
        save_fail(save, error);
        return;
    }
    request = vmm_link_request(link, VMM_SAVE);
    vmm_msg_put_fd(request, "fd", fcntl(save->fd, F_DUPFD_CLOEXEC, 0));
    ask(save, link, request, VMM_LINK_TIMEOUT_MS, write_begun);
}

/* Step 3: the guest stands still, for which its disks take as long as they take. */

static void
paused(gpointer data, VmmMsg *reply, const GError *error)
{
    Save *save = data;
    Domain *domain = domain_of(save);

    save->asked--;
    if (error) {
        save->was_running = FALSE;
        save_fail(save, error);
        return;
    }
    if (domain->state == VIR_DOMAIN_RUNNING) {
        domain_move(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE);
        domain_emit(domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    }
    if (save->cancelled)
        save_fail_cancelled(save);
    else
        start_write(save);
}

/* Step 2: the file, with what a daemon after this one must know of it. */

/* The definition that runs, as it would be started again: without what only this process of it has. */
static DomainDef *
saved_def(const Save *save, GError **error)
{
    const DomainDef *live = domain_of(save)->live;
    g_autofree char *plain = domain_xml_format(live, -1, DOMAIN_FORMAT_SECURE);
    g_autoptr(DomainDef) def = domain_xml_parse(plain, error);
    g_autoptr(DomainDef) other = NULL;

    if (!def || !domain_xml_carry_over(live, def, error))
        return NULL;
    if (!save->xml)
        return g_steal_pointer(&def);
    other = domain_xml_parse(save->xml, error);
    if (!other || !domain_xml_carry_over(def, other, error))
        return NULL;
    return g_steal_pointer(&other);
}

static gboolean
save_open(Save *save, GError **error)
{
    Domain *domain = domain_of(save);
    g_autoptr(DomainDef) def = saved_def(save, error);
    g_autofree char *xml = NULL;

    if (!def)
        return FALSE;
    if (save->managed && !(save->path = managed_save_path_for_writing(domain, error)))
        return FALSE;
    xml = domain_xml_format(def, domain->id, DOMAIN_FORMAT_LIVE | DOMAIN_FORMAT_SECURE);
    save->fd = save_image_begin(save->path, xml, &save->temporary, error);
    return save->fd >= 0 && write_saving(save, FALSE, error);
}

/* Step 1: may it be? */

/* Nothing of a simulated guest is worth keeping but its document, and nothing of its managed save but that there is one. */
static gboolean
write_simulated(const Save *save, const Domain *domain, GError **error)
{
    g_autofree char *xml = domain_xml_format(domain->live, -1, DOMAIN_FORMAT_SECURE);

    return test_image_write(save->path, domain_name(domain), xml, error);
}

static void
save_begin(Verb *verb)
{
    Save *save = verb->detail;
    Domain *domain = verb->domain;
    VmmLink *link = verb_link(verb);
    g_autoptr(GError) error = NULL;

    if (!link)
        return;
    if (save->managed && !domain_is_persistent(domain)) {
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "cannot do managed save for transient domain");
        return;
    }
    if (domain->host->env->simulated && !save->managed && !write_simulated(save, domain, &error)) {
        verb_finish(verb, error);
        return;
    }
    save->verb = verb;
    save->info = job_info_begin(VIR_DOMAIN_JOB_OPERATION_SAVE);
    save->info.total = domain->live->memory_kib * 1024;
    domain->save = save;
    if (domain->host->env->simulated) {
        end_guest(save);
        return;
    }
    if (!save_open(save, &error)) {
        save_fail(save, error);
        return;
    }
    save->was_running = domain->state == VIR_DOMAIN_RUNNING;
    if (save->was_running)
        ask(save, link, vmm_link_request(link, VMM_PAUSE), VMM_LINK_NO_TIMEOUT, paused);
    else
        start_write(save);
}

#define SAVE_FLAGS (VIR_DOMAIN_SAVE_BYPASS_CACHE | VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED)

static void
save_start(Domain *domain, Save *save, guint flags, const char *function, guint known,
           DomainDone done, gpointer data)
{
    const Verb verb = {
        .domain = domain,
        .flags = flags,
        .detail = save,
        .detail_free = save_free,
        .begin = save_begin,
        .done = done,
        .data = data,
    };
    g_autoptr(GError) error = NULL;

    if (driver_check_save_flags(flags, &error) &&
        driver_check_flags(flags, known, function, &error) &&
        restore_source_check_xml(domain->host->env, save->xml, &error)) {
        verb_start("save", &verb);
        return;
    }
    done(data, error);
    save_free(save);
}

void
domain_save(Domain *domain, const char *path, const char *xml, guint flags, DomainDone done,
            gpointer data)
{
    Save *save = g_new0(Save, 1);
    g_autoptr(GError) error = NULL;

    save->fd = -1;
    save->path = g_strdup(path);
    save->xml = g_strdup(xml);
    if (g_path_is_absolute(path)) {
        save_start(domain, save, flags, "virDomainSaveFlags",
                   domain->host->env->simulated ? 0 : SAVE_FLAGS, done, data);
        return;
    }
    /* libvirt's library would make it one of the caller's own directory, which nobody knows here. */
    driver_error(&error, VIR_ERR_INTERNAL_ERROR, "could not build absolute output file path");
    done(data, error);
    save_free(save);
}

void
domain_managed_save(Domain *domain, guint flags, DomainDone done, gpointer data)
{
    Save *save = g_new0(Save, 1);

    save->fd = -1;
    save->managed = TRUE;
    save_start(domain, save, flags, "virDomainManagedSave", SAVE_FLAGS, done, data);
}

/* From without */

/* What still waits for an answer of the VMM gets one, when the guest is freed. */
void
save_guest_gone(Domain *domain)
{
    Save *save = domain->save;

    if (save && !save->whole && !save->asked)
        save_fail(save, NULL);
}

void
save_drop(Domain *domain)
{
    Save *save = domain->save;
    g_autoptr(GError) error = NULL;

    if (!save)
        return;
    save->dropped = TRUE;
    save->was_running = FALSE;
    driver_error(&error, VIR_ERR_OPERATION_ABORTED, "the daemon is stopping");
    if (!save->asked && !save->whole)
        save_fail(save, error);
}

const JobInfo *
save_info(const Domain *domain)
{
    return domain->save ? &domain->save->info : NULL;
}

void
save_abort(Domain *domain)
{
    Save *save = domain->save;

    save->cancelled = TRUE;
    if (save->writing)
        save_ask_cancel(domain);
}
