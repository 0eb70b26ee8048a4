/* domain: one guest: its definitions, its state, and what can be done with it.
 *
 * Everything runs in the one main context. A verb that waits for the VMM answers through a DomainDone,
 * exactly once, possibly before it returns; its error is NULL on success and not the callee's to free.
 */
#pragma once

#include "driver/domain-def.h"
#include "driver/job-info.h"

typedef struct Domain Domain;
typedef void (*DomainDone)(gpointer data, const GError *error);
/* The same with a result, a floating one on success. */
typedef void (*DomainReply)(gpointer data, GVariant *result, const GError *error);

/* Which domain something is of, which need not be there. */
typedef struct DomainIdentity {
    char *name, *uuid;
} DomainIdentity;
void domain_identity_clear(DomainIdentity *identity);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(DomainIdentity, domain_identity_clear)

/* The file that a guest was saved to. */
typedef struct SavedImage {
    const char *path;
    const DomainIdentity *whose; /* it has to be this one's: who was asked about it may be another one's. NULL: anybody's */
} SavedImage;

Domain *domain_ref(Domain *domain);
void domain_unref(Domain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Domain, domain_unref)

const char *domain_name(const Domain *domain);
const char *domain_uuid(const Domain *domain);
int domain_id(const Domain *domain); /* -1: not running */
gboolean domain_is_active(const Domain *domain);
gboolean domain_is_persistent(const Domain *domain);
/* The persistent definition differs from the one that runs (virDomainIsUpdated). */
gboolean domain_is_updated(const Domain *domain);
gboolean domain_is_simulated(const Domain *domain); /* it is the test driver's */
gboolean domain_autostart(const Domain *domain);
gboolean domain_set_autostart(Domain *domain, gboolean autostart, GError **error);
const char *domain_os_type(const Domain *domain); /* "hvm" */
/* virDomainState and one of the virDomain*Reason numbers. */
void domain_state(const Domain *domain, int *ret_state, int *ret_reason);
/* The definition in force: the live one of a running domain. */
const DomainDef *domain_def(const Domain *domain);
/* The one that VIR_DOMAIN_AFFECT_* in @flags means; NULL with @error. */
const DomainDef *domain_affected_def(const Domain *domain, guint flags, GError **error);
/* The one that is kept; NULL for a transient domain. */
const DomainDef *domain_persistent_def(const Domain *domain);
/* @flags: VIR_DOMAIN_XML_*. */
/* Its title, "" for none; for g_free(). */
char *domain_title(const Domain *domain);
char *domain_xml(const Domain *domain, guint flags, GError **error);

/* Verbs; @flags are those of the virDomain function of the same name, unknown ones refused. */
void domain_start(Domain *domain, guint flags, DomainDone done,
                  gpointer data); /* virDomainCreateWithFlags */
void domain_shutdown(Domain *domain, guint flags, DomainDone done,
                     gpointer data); /* ShutdownFlags */
void domain_reboot(Domain *domain, guint flags, DomainDone done, gpointer data);
void domain_reset(Domain *domain, guint flags, DomainDone done, gpointer data);
void domain_inject_nmi(Domain *domain, guint flags, DomainDone done, gpointer data);

/* Keys that are pressed together. */
typedef struct DomainKeys {
    guint codeset; /* virKeycodeSet */
    guint hold_ms; /* how long; 0: as the driver likes */
    const guint32 *codes;
    gsize n; /* VIR_DOMAIN_SEND_KEY_MAX_KEYS at most */
} DomainKeys;
void domain_send_key(Domain *domain, const DomainKeys *keys, guint flags, DomainDone done,
                     gpointer data);
void domain_suspend(Domain *domain, DomainDone done, gpointer data);
void domain_resume(Domain *domain, DomainDone done, gpointer data);
/* By the guest's agent; @target: virNodeSuspendTarget, @duration_s: 0 and nothing else. */
void domain_pm_suspend(Domain *domain, guint target, guint64 duration_s, guint flags,
                       DomainReply done, gpointer data);
void domain_pm_wakeup(Domain *domain, guint flags, DomainDone done, gpointer data);
void domain_destroy(Domain *domain, guint flags, DomainDone done, gpointer data);
/* Calls @done when the process of the guest that the domain has is gone; with an error where the daemon stops before. */
void domain_wait_end(Domain *domain, DomainDone done, gpointer data);
gboolean domain_undefine(Domain *domain, guint flags, GError **error);
void domain_rename(Domain *domain, const char *name, guint flags, DomainDone done, gpointer data);
/* @flags: VIR_DOMAIN_AFFECT_*, VIR_DOMAIN_VCPU_*; how many, u. */
void domain_get_vcpus(Domain *domain, guint flags, DomainReply done, gpointer data);
void domain_set_vcpus(Domain *domain, guint vcpus, guint flags, DomainReply done, gpointer data);

/* Title, description and other programs' elements; "" is none. @flags: VIR_DOMAIN_AFFECT_*. */
typedef struct DomainMetadata {
    int type; /* virDomainMetadataType */
    const char *metadata, *key, *uri;
} DomainMetadata;
void domain_set_metadata(Domain *domain, const DomainMetadata *to, guint flags, DomainDone done,
                         gpointer data);
char *domain_get_metadata(const Domain *domain, int type, const char *uri, guint flags,
                          GError **error);

/* Saving: the guest becomes the file @path, or the image that the domain starts from, and ends. @xml: another
 * document for it, NULL: its own; @flags: VIR_DOMAIN_SAVE_*. */
void domain_save(Domain *domain, const char *path, const char *xml, guint flags, DomainDone done,
                 gpointer data);
void domain_managed_save(Domain *domain, guint flags, DomainDone done, gpointer data);
gboolean domain_has_managed_save(const Domain *domain);
gboolean domain_managed_save_remove(Domain *domain, guint flags, GError **error);
/* The document in that image, for g_free(), and another one for it. */
char *domain_managed_save_xml(Domain *domain, guint flags, GError **error);
gboolean domain_managed_save_define(Domain *domain, const char *xml, guint flags, GError **error);

/* The long job that is done to a running domain, VIR_DOMAIN_JOB_NONE where there is none; @flags:
 * VIR_DOMAIN_JOB_STATS_*. Aborting only asks: the job's own call tells. */
gboolean domain_job_info(const Domain *domain, JobInfo *ret, GError **error);
gboolean domain_job_stats(Domain *domain, guint flags, JobInfo *ret, GError **error);
gboolean domain_abort_job(Domain *domain, GError **error);

/* Whether the driver can reach a running domain's process, and what it is busy with; asks nobody. @flags: none. */
typedef struct DomainControl {
    int state;        /* VIR_DOMAIN_CONTROL_* */
    int details;      /* VIR_DOMAIN_CONTROL_ERROR_REASON_* */
    guint64 state_ms; /* for so long; 0 where that is not known */
} DomainControl;
gboolean domain_control(const Domain *domain, guint flags, DomainControl *ret, GError **error);

/* Devices; @xml is the document of one, @flags VIR_DOMAIN_AFFECT_*. Detaching by XML waits some seconds for
 * the guest to let go of the device; it has succeeded when the guest was asked. */
void domain_attach_device(Domain *domain, const char *xml, guint flags, DomainDone done,
                          gpointer data);
void domain_update_device(Domain *domain, const char *xml, guint flags, DomainDone done,
                          gpointer data);
void domain_detach_device(Domain *domain, const char *xml, guint flags, DomainDone done,
                          gpointer data);
void domain_detach_device_alias(Domain *domain, const char *alias, guint flags, DomainDone done,
                                gpointer data);

/* Memory, in KiB; @flags: VIR_DOMAIN_AFFECT_* and VIR_DOMAIN_MEM_MAXIMUM. */
void domain_set_memory(Domain *domain, guint64 kib, guint flags, DomainDone done, gpointer data);
void domain_set_memory_stats_period(Domain *domain, int period_s, guint flags, DomainDone done,
                                    gpointer data);
/* a{it}: virDomainMemoryStatTags and their values, see device_figures_refresh() for how new they are. */
void domain_memory_stats(Domain *domain, guint flags, DomainReply done, gpointer data);

/* A byte stream to a serial port or console of a running guest: one end of a socket pair, which the
 * caller owns, or -1. @device is an alias or a number such as "serial0", NULL for the first console.
 * @flags: VIR_DOMAIN_CONSOLE_FORCE ends a session that is open, VIR_DOMAIN_CONSOLE_SAFE is implied. */
int domain_open_console(Domain *domain, const char *device, guint flags, GError **error);
