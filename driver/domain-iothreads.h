/* domain-iothreads: a domain's I/O threads: <iothreads>, <iothreadids>, <defaultiothread>, and what <cputune> says of
 * them. Values only; guest-limits and the guest's process make them so.
 */
#pragma once

#include "driver/cpuset.h"

#include <glib.h>

struct XmlWriter;
struct _xmlNode;

#define DOMAIN_IOTHREADS_MAX 256 /* of one guest: a process has a bound on its threads */
#define IOTHREAD_POOL_UNSAID (-1)

/* How a thread is scheduled by the host: libvirt's words, in the kernel's numbers. */
typedef struct ThreadSchedule {
    gboolean said;
    int policy;   /* SCHED_* */
    int priority; /* of SCHED_FIFO and SCHED_RR */
} ThreadSchedule;

/* How many threads make the calls of a disk with io='threads'; IOTHREAD_POOL_UNSAID: not said. */
typedef struct IoThreadPool {
    int min, max;
} IoThreadPool;

/* How it looks for events before it sleeps, in the guest that runs: nothing of it is in a document. */
typedef struct IoThreadPoll {
    guint64 max_ns;
    guint grow, shrink;
} IoThreadPoll;

typedef struct DomainIoThread {
    guint id;
    gboolean said; /* the document, or somebody who added it, gave it the number */
    IoThreadPool pool;
    CpuSet cpus; /* empty: as the domain's set has it */
    ThreadSchedule schedule;
    IoThreadPoll poll;
} DomainIoThread;

typedef struct DomainIoThreads {
    GPtrArray *list; /* of DomainIoThread, in the document's order */
    gboolean rest_said;
    IoThreadPool rest; /* of disks that have no thread of their own */
} DomainIoThreads;

void domain_iothreads_init(DomainIoThreads *threads);
void domain_iothreads_clear(DomainIoThreads *threads);
/* Replaces what a copied struct still shares with the original. */
void domain_iothreads_own(DomainIoThreads *threads);

gboolean domain_iothreads_parse(DomainIoThreads *threads, const struct _xmlNode *root,
                                GError **error);
gboolean domain_iothreads_check(const DomainIoThreads *threads, GError **error);
/* What stands behind <vcpu>; and the two kinds of elements of <cputune>, apart, for there are others in between. */
void domain_iothreads_format(const DomainIoThreads *threads, struct XmlWriter *out);
gboolean domain_iothreads_are_tuned(const DomainIoThreads *threads);
void domain_iothreads_format_pins(const DomainIoThreads *threads, struct XmlWriter *out);
void domain_iothreads_format_schedules(const DomainIoThreads *threads, struct XmlWriter *out);

/* NULL: there is none of that number. */
DomainIoThread *domain_iothreads_find(const DomainIoThreads *threads, guint id);
DomainIoThread *domain_iothreads_get(const DomainIoThreads *threads, guint i);
/* One more, at the end, and one less. */
DomainIoThread *domain_iothreads_add(DomainIoThreads *threads, guint id);
void domain_iothreads_remove(DomainIoThreads *threads, guint id);
/* How many threads a disk gets for its calls that is served by thread @id, or by none of them (0); 0: as many as usual. */
guint domain_iothreads_workers(const DomainIoThreads *threads, guint id);
