/* domain-private: what a Domain is inside the driver: for domain, lifecycle, launch, adopt and driver. */
#pragma once

#include "driver/domain-brief.h"
#include "driver/domain.h"
#include "driver/env.h"
#include "driver/events.h"
#include "driver/guest.h"
#include "driver/job.h"
#include "driver/store.h"
#include "driver/units.h"

struct AgentLink;
struct ConsoleSet;
struct DomainList;
struct HostObjects;
struct Launch;
struct Save;
struct SnapshotTree;

/* What the domains of one driver share. */
typedef struct DomainHost {
    DriverEnv *env;
    Units *units; /* NULL: guests are this process' own children */
    struct DomainList *list;
    int last_id;
    GQueue awake; /* of Domain: whose definition rests when others have been needed since */
    struct DomainIndex *index;
    struct HostObjects *objects; /* networks and so on */
    DriverEvents events;
} DomainHost;

/* Tells of one of DriverEvents' events, with what it takes after the domain. */
#define domain_tell(domain, event, ...)                                                            \
    do {                                                                                           \
        const DriverEvents *events_ = &(domain)->host->events;                                     \
                                                                                                   \
        if (events_->event)                                                                        \
            events_->event(events_->data, (domain), ##__VA_ARGS__);                                \
    } while (0)

/* What the driver ends a guest for. */
typedef enum DomainEnding {
    DOMAIN_ENDS_ITSELF, /* it does not */
    DOMAIN_ENDS_DESTROYED,
    DOMAIN_ENDS_SAVED,
    DOMAIN_ENDS_FAILED, /* it could not go on after it was restored */
    DOMAIN_ENDS_HALTED, /* a snapshot was made of it */
    DOMAIN_ENDS_CRASHED, /* its core was dumped and nothing is to go on */
    /* The domain goes back to a snapshot, and on from there: it stays, transient or not. */
    DOMAIN_ENDS_REVERTED,
} DomainEnding;

/* Somebody who waits for the end of a guest. */
typedef struct EndWait {
    DomainDone done;
    gpointer data;
} EndWait;

/* What libvirt's test driver remembers of a domain, whether that runs or not: test-agent's. */
typedef struct TestGuest {
    guint64 seconds; /* the clock, since 1970 */
    guint nseconds;
    gboolean frozen[2]; /* by file system */
} TestGuest;

/* How an image is called, managed-save.h. */
typedef enum ManagedSaveName {
    MANAGED_SAVE_READY,
    MANAGED_SAVE_USED,    /* the guest that was made of it may have gone on */
    MANAGED_SAVE_LEAVING, /* its domain is being undefined */
} ManagedSaveName;

struct Domain {
    guint refs;
    DomainHost *host;
    /* NULL: transient, or it rests in its file. It is there while a guest, a start or a job is. */
    DomainDef *persistent;
    DomainBrief *brief;  /* where it rests */
    DomainDef *stand_in; /* for readers, where it rests in a file that cannot be read */
    GList resting;       /* in the host's queue, where it has data */
    StoreStamp stamp;    /* of its file as it was written or read; 0: there is none */
    DomainDef *live;     /* NULL: not running */
    gboolean removed;    /* no list has it any more: whoever holds it does nothing with it */
    gboolean updated;    /* persistent was defined anew since the start */
    gboolean autostart;
    gboolean managed_save;    /* there is an image that it starts from ... */
    ManagedSaveName saved_as; /* ... of this name */
    gboolean from_image;      /* its guest comes from there, and has not gone on yet */
    int id;                /* -1: not running */
    int state, reason;     /* virDomainState and reason */
    JobQueue job;
    const DomainDef
        *coming;       /* the live definition to be, until the guest's process has it; borrowed */
    UnitCall *offer;   /* a process that the next launch is to use; NULL: none */
    struct Save *save; /* a save under way */
    JobInfo *job_completed; /* about the last one; NULL: none */
    struct Launch *launch;  /* a start under way, which has the guest until it is done */
    Guest *guest;           /* of a running domain */
    GuestRecord words;      /* of a VMM that said that it stopped */
    DomainEnding ending;
    GQueue end_waits; /* of EndWait */
    GQueue hooks;     /* of Hook: the one that runs, and those that wait for it */
    struct ConsoleSet *consoles;
    struct AgentLink *agent; /* NULL: not connected */
    JobQueue agent_job;
    int agent_timeout_s; /* agent-link.h */
    struct SnapshotTree *snapshots; /* NULL: none */
    GHashTable *figures; /* of DeviceFigures, by the device's alias; NULL: none yet */
    gboolean figures_stale;
    GHashTable *leaving; /* devices that the guest was asked to let go of: hotplug's; NULL: none */
    struct {
        gboolean waits;       /* for the job, to be kept */
        gint64 before, ahead; /* seconds ahead of UTC, before that and now */
    } clock; /* what the guest has made of it: guest-clock's */
    struct DiskResize *resize; /* under way: disk-resize's; NULL: none */
    TestGuest test; /* of a simulated guest */
    guint again; /* a timer to write down what could not be: domain-files'; 0: none */
};

/* A domain with one definition or both, which it takes over; the caller puts it into the list. */
Domain *domain_new(DomainHost *host, DomainDef *persistent, DomainDef *live);

/* An answer of its guest's process failed with @error because the daemon stops: what was asked may be done yet, as the next
 * daemon finds. */
gboolean domain_is_left(const Domain *domain, const GError *error);

/* Of the definition in force. */
DomainFigures domain_figures(const Domain *domain);
/* Reads a definition that rests; TRUE where there is nothing to read. Every verb's job begins with it. */
gboolean domain_wake(Domain *domain, GError **error);
/* Nothing more is to be done with the definition now: it rests when many others have been needed since. */
void domain_let_rest(Domain *domain);
/* The host goes. */
void domain_forget_rest(Domain *domain);
/* Moves to another state, as domain-state's table allows, and writes it where a restarted daemon looks. */
void domain_move(Domain *domain, int state, int reason);
/* Write the state and the live definition where a restarted daemon looks: where that fails, later again, as long as
 * the guest runs and until domain_forget_files(). */
void domain_write_status(Domain *domain);
void domain_write_live(Domain *domain);
void domain_forget_files(Domain *domain);
/* The same once, with what is to be the live definition. */
gboolean domain_write_live_as(const Domain *domain, const DomainDef *live, GError **error);
void domain_emit(Domain *domain, int event, int detail);
/* As domain_start(), but with @def, which it takes over. */
void domain_start_with(Domain *domain, DomainDef *def, guint flags, DomainDone done, gpointer data);
/* Tells those of domain_wait_end(). */
void domain_tell_end(Domain *domain, const GError *error);

/* What a guest's process tells: lifecycle.c. @data is the Domain. */
GuestEvents domain_guest_events(Domain *domain);
/* Why a guest ended by its VMM's last words, in libvirt's numbers; @words may be empty. */
void domain_end_reason(const GuestRecord *words, DomainEnding ending, int *ret_reason,
                       int *ret_detail);
