/* cpuset: a set of the host's CPUs, as libvirt writes them: "0-3,^2,5".
 *
 * A plain value: copy it by assignment. An empty set means that none was said.
 */
#pragma once

#include <glib.h>
#include <sched.h>

#define CPUSET_MAX CPU_SETSIZE /* as many as libvirt's own sets have room for */

typedef struct CpuSet {
    cpu_set_t cpus;
} CpuSet;

/* VIR_ERR_INVALID_ARG where @text is no such list; an empty set is one. */
gboolean cpuset_parse(const char *text, CpuSet *ret, GError **error);
/* The shortest list. Free with g_free(). */
char *cpuset_format(const CpuSet *set);
gboolean cpuset_is_empty(const CpuSet *set);
gboolean cpuset_equal(const CpuSet *one, const CpuSet *other);

/* How many CPUs the host may have; those that it has. */
guint cpuset_host_count(void);
CpuSet cpuset_host(void);
/* The first @n. */
CpuSet cpuset_first(guint n);

/* ab: one boolean for each of the first @n CPUs; floating. */
GVariant *cpuset_to_variant(const CpuSet *set, guint n);
/* Those among the first @n. */
CpuSet cpuset_from_variant(GVariant *map, guint n);
