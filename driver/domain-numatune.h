/* domain-numatune: <numatune>: on which of the host's NUMA nodes a guest's RAM is. */
#pragma once

#include "driver/cpuset.h"

#include <libvirt/virterror.h>

struct VmmMsg;
struct XmlWriter;
struct _xmlNode;

typedef struct DomainNumatune {
    gboolean said; /* there is a <memory> in it */
    int mode;      /* virDomainNumatuneMemMode */
    CpuSet nodes;  /* by their numbers, for which sets of CPUs have room */
} DomainNumatune;

void domain_numatune_init(DomainNumatune *numatune);
gboolean domain_numatune_parse(DomainNumatune *numatune, const struct _xmlNode *root,
                               GError **error);
void domain_numatune_format(const DomainNumatune *numatune, struct XmlWriter *out);
/* A list of nodes, which may not be an empty one: VIR_ERR_INVALID_ARG, or @empty with libvirt's @what. */
gboolean domain_numatune_parse_nodes(const char *text, virErrorNumber empty, const char *what,
                                     CpuSet *ret, GError **error);

/* The keys of "create", and of "set-memory-nodes", about nodes. VIR_ERR_CONFIG_UNSUPPORTED where the host has not got
 * them. */
gboolean domain_numatune_lower(const DomainNumatune *numatune, struct VmmMsg *msg, GError **error);
