/* domain-clock: the <clock> element: what the guest's clock shows at first, and its timers. */
#pragma once

#include <glib.h>

struct _xmlNode;
struct VmmMsg;
struct XmlWriter;

typedef enum DomainClockOffset {
    DOMAIN_CLOCK_UTC,
    DOMAIN_CLOCK_LOCALTIME,
} DomainClockOffset;

typedef struct DomainClock {
    DomainClockOffset offset;
    GPtrArray *timers; /* of DomainTimer */
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

/* The timer @name, or NULL where nothing is said of it. */
const DomainTimer *domain_clock_timer(const DomainClock *clock, const char *name);
/* The keys of "create" about clocks. */
void domain_clock_lower(const DomainClock *clock, struct VmmMsg *msg);
