/* domain-clock: the <clock> element: what the guest's clock shows at first, and its timers. */
#pragma once

#include <glib.h>

struct _xmlNode;
struct VmmMsg;
struct XmlWriter;

typedef enum DomainClockOffset {
    DOMAIN_CLOCK_UTC,
    DOMAIN_CLOCK_LOCALTIME,
    DOMAIN_CLOCK_VARIABLE,
    DOMAIN_CLOCK_TIMEZONE,
    DOMAIN_CLOCK_ABSOLUTE,
} DomainClockOffset;

typedef struct DomainClock {
    DomainClockOffset offset;
    gboolean reset;          /* of UTC and LOCALTIME: what the guest sets it to ends with the guest's run */
    DomainClockOffset basis; /* of VARIABLE: UTC or LOCALTIME ... */
    gint64 adjustment;       /* ... and seconds ahead of it */
    char *timezone;          /* of TIMEZONE: its name in the host's database, or in POSIX's form; else NULL */
    guint64 start;           /* of ABSOLUTE: seconds since 1970, UTC */
    GPtrArray *timers;       /* of DomainTimer */
} DomainClock;

typedef struct DomainTimer {
    char *name;        /* "rtc", "pit", "hpet", "kvmclock", "tsc", "hypervclock" */
    char *tickpolicy;  /* or NULL */
    char *track;       /* or NULL */
    char *mode;        /* or NULL */
    guint64 frequency; /* Hz; 0: not said */
    int present;       /* 1, 0, or -1: not said */
} DomainTimer;

void domain_clock_init(DomainClock *clock);
void domain_clock_clear(DomainClock *clock);
/* Gives @clock, a copy of the struct, things of its own. */
void domain_clock_own(DomainClock *clock);

/* The <clock> child of @root, if there is one. Timers are checked too. */
gboolean domain_clock_parse(DomainClock *clock, const struct _xmlNode *root, GError **error);
void domain_clock_format(const DomainClock *clock, struct XmlWriter *out);

/* Of a guest that starts at @now, in seconds since 1970: a clock that varies goes by UTC from here on, because what the
 * host's local time does later does not move it. Others stay as they are. */
void domain_clock_settle(DomainClock *clock, gint64 now);
/* The guest has put its clock, which is settled, @ahead seconds of UTC; a definition keeps that of one that varies, as
 * far as another start can do it. TRUE: it says something else now. */
gboolean domain_clock_set(DomainClock *clock, gint64 ahead);
/* The same of the definition that is kept, whatever it goes by, at @now; FALSE where it means not @before, which is what
 * the guest's clock was. */
gboolean domain_clock_follow(DomainClock *clock, gint64 now, gint64 before, gint64 ahead);

/* The timer @name, or NULL where nothing is said of it. */
const DomainTimer *domain_clock_timer(const DomainClock *clock, const char *name);
/* The keys of "create" about clocks, for a guest that starts at @now, in seconds since 1970.
 * VIR_ERR_CONFIG_UNSUPPORTED: the host does not know the time zone, or the clock cannot show the time. */
gboolean domain_clock_lower(const DomainClock *clock, gint64 now, struct VmmMsg *msg, GError **error);
