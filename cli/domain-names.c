#include "cli/domain-names.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* Rows are indexed by libvirt's enums: the newest of them may be missing in the header that we are built
 * with, so the ends of the lists stand as plain positions. */
typedef struct Names {
    const char *name;
    const char *const *details;
    gsize n_details;
} Names;

#define DETAILS(list) list, G_N_ELEMENTS(list)

static const char *const only_unknown[] = { N_("unknown") };
static const char *const running_reasons[] = {
    N_("unknown"),       N_("booted"),   N_("migrated"),           N_("restored"),
    N_("from snapshot"), N_("unpaused"), N_("migration canceled"), N_("save canceled"),
    N_("event wakeup"),  N_("crashed"),  N_("post-copy"),          N_("post-copy failed"),
};
static const char *const paused_reasons[] = {
    N_("unknown"),       N_("user"),
    N_("migrating"),     N_("saving"),
    N_("dumping"),       N_("I/O error"),
    N_("watchdog"),      N_("from snapshot"),
    N_("shutting down"), N_("creating snapshot"),
    N_("crashed"),       N_("starting up"),
    N_("post-copy"),     N_("post-copy failed"),
    N_("api error"),
};
static const char *const shutdown_reasons[] = { N_("unknown"), N_("user") };
static const char *const shutoff_reasons[] = {
    N_("unknown"), N_("shutdown"), N_("destroyed"),     N_("crashed"), N_("migrated"),
    N_("saved"),   N_("failed"),   N_("from snapshot"), N_("daemon"),
};
static const char *const crashed_reasons[] = { N_("unknown"), N_("panicked") };

static const Names states[] = {
    [VIR_DOMAIN_NOSTATE] = { N_("no state"), DETAILS(only_unknown) },
    [VIR_DOMAIN_RUNNING] = { N_("running"), DETAILS(running_reasons) },
    [VIR_DOMAIN_BLOCKED] = { N_("idle"), DETAILS(only_unknown) },
    [VIR_DOMAIN_PAUSED] = { N_("paused"), DETAILS(paused_reasons) },
    [VIR_DOMAIN_SHUTDOWN] = { N_("in shutdown"), DETAILS(shutdown_reasons) },
    [VIR_DOMAIN_SHUTOFF] = { N_("shut off"), DETAILS(shutoff_reasons) },
    [VIR_DOMAIN_CRASHED] = { N_("crashed"), DETAILS(crashed_reasons) },
    [VIR_DOMAIN_PMSUSPENDED] = { N_("pmsuspended"), DETAILS(only_unknown) },
};

static const char *const defined_details[] = { N_("Added"), N_("Updated"), N_("Renamed"),
                                               N_("Snapshot") };
static const char *const undefined_details[] = { N_("Removed"), N_("Renamed") };
static const char *const started_details[] = { N_("Booted"), N_("Migrated"), N_("Restored"),
                                               N_("Snapshot"), N_("Event wakeup") };
static const char *const suspended_details[] = {
    N_("Paused"),   N_("Migrated"),  N_("I/O Error"), N_("Watchdog"),        N_("Restored"),
    N_("Snapshot"), N_("API error"), N_("Post-copy"), N_("Post-copy Error"),
};
static const char *const resumed_details[] = { N_("Unpaused"), N_("Migrated"), N_("Snapshot"),
                                               N_("Post-copy"), N_("Post-copy Error") };
static const char *const stopped_details[] = { N_("Shutdown"), N_("Destroyed"), N_("Crashed"),
                                               N_("Migrated"), N_("Saved"),     N_("Failed"),
                                               N_("Snapshot") };
static const char *const shutdown_details[] = { N_("Finished"), N_("Finished after guest request"),
                                                N_("Finished after host request") };
static const char *const pmsuspended_details[] = { N_("Memory"), N_("Disk") };
static const char *const crashed_details[] = { N_("Panicked"), N_("Crashloaded") };

static const Names events[] = {
    [VIR_DOMAIN_EVENT_DEFINED] = { N_("Defined"), DETAILS(defined_details) },
    [VIR_DOMAIN_EVENT_UNDEFINED] = { N_("Undefined"), DETAILS(undefined_details) },
    [VIR_DOMAIN_EVENT_STARTED] = { N_("Started"), DETAILS(started_details) },
    [VIR_DOMAIN_EVENT_SUSPENDED] = { N_("Suspended"), DETAILS(suspended_details) },
    [VIR_DOMAIN_EVENT_RESUMED] = { N_("Resumed"), DETAILS(resumed_details) },
    [VIR_DOMAIN_EVENT_STOPPED] = { N_("Stopped"), DETAILS(stopped_details) },
    [VIR_DOMAIN_EVENT_SHUTDOWN] = { N_("Shutdown"), DETAILS(shutdown_details) },
    [VIR_DOMAIN_EVENT_PMSUSPENDED] = { N_("PMSuspended"), DETAILS(pmsuspended_details) },
    [VIR_DOMAIN_EVENT_CRASHED] = { N_("Crashed"), DETAILS(crashed_details) },
};

static const Names *
row(const Names *rows, gsize n_rows, int number)
{
    return number >= 0 && (gsize)number < n_rows ? &rows[number] : NULL;
}

static const char *
detail_of(const Names *names, int detail)
{
    if (!names || detail < 0 || (gsize)detail >= names->n_details)
        return NULL;
    return names->details[detail];
}

const char *
domain_state_name(int state)
{
    const Names *names = row(states, G_N_ELEMENTS(states), state);

    return names ? _(names->name) : _("no state");
}

const char *
domain_reason_name(int state, int reason)
{
    const char *name = detail_of(row(states, G_N_ELEMENTS(states), state), reason);

    return name ? _(name) : _("unknown");
}

const char *
domain_event_name(int event)
{
    const Names *names = row(events, G_N_ELEMENTS(events), event);

    return names ? _(names->name) : _("unknown");
}

const char *
domain_event_detail_name(int event, int detail)
{
    const char *name = detail_of(row(events, G_N_ELEMENTS(events), event), detail);

    return name ? _(name) : _("unknown");
}
