#include "qemu-kvm-backend/memory-nodes.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <linux/mempolicy.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PREFERRED_MANY 5 /* MPOL_PREFERRED_MANY, Linux 5.15 */

static const struct {
    const char *word;
    int one, several; /* policies for one node, and for more */
} policies[] = {
    { VMM_NODES_BIND, MPOL_BIND, MPOL_BIND },
    { VMM_NODES_PREFERRED, MPOL_PREFERRED, PREFERRED_MANY },
    { VMM_NODES_INTERLEAVE, MPOL_INTERLEAVE, MPOL_INTERLEAVE },
};

static unsigned
count_nodes(const MemoryNodes *nodes)
{
    unsigned n = 0;

    for (unsigned i = 0; i < sizeof(nodes->mask) / sizeof(nodes->mask[0]); i++)
        n += __builtin_popcountl(nodes->mask[i]);
    return n;
}

static bool
set_policy(MemoryNodes *nodes, const char *word, VmmError *err)
{
    bool several = count_nodes(nodes) > 1;

    for (unsigned i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        if (strcmp(policies[i].word, word) == 0) {
            nodes->policy = several ? policies[i].several : policies[i].one;
            return true;
        }
    }
    return vmm_error(err, VMM_ERROR_INVALID, "ram-policy: '%s' is none", word);
}

/* Bytes with the lowest node first are words with the lowest node first on a little-endian machine. */
bool
memory_nodes_parse(MemoryNodes *ret, const char *policy, const void *bits, size_t size,
                   VmmError *err)
{
    MemoryNodes nodes = { MPOL_DEFAULT };

    if (size > sizeof(nodes.mask))
        return vmm_error(err, VMM_ERROR_INVALID, "ram-nodes: there are no more than %d",
                         MEMORY_NODES_MAX);
    memcpy(nodes.mask, bits, size);
    if (count_nodes(&nodes) == 0)
        return vmm_error(err, VMM_ERROR_INVALID, "ram-nodes: none is named");
    if (!set_policy(&nodes, policy, err))
        return false;
    *ret = nodes;
    return true;
}

/* The kernel takes the number of the last bit that may be set, plus two. */
static bool
ask(const MemoryNodes *nodes, void *at, uint64_t size, unsigned flags, VmmError *err)
{
    return syscall(SYS_mbind, at, size, nodes->policy, nodes->mask, MEMORY_NODES_MAX + 1, flags) ==
               0 ||
           vmm_error_errno(err, "Cannot have guest memory on those nodes of the host");
}

bool
memory_nodes_are_said(const MemoryNodes *nodes)
{
    return nodes->policy != MPOL_DEFAULT;
}

bool
memory_nodes_bind(const MemoryNodes *nodes, void *at, uint64_t size, VmmError *err)
{
    return !memory_nodes_are_said(nodes) || ask(nodes, at, size, 0, err);
}

bool
memory_nodes_move(const MemoryNodes *nodes, void *at, uint64_t size, VmmError *err)
{
    return !memory_nodes_are_said(nodes) || ask(nodes, at, size, MPOL_MF_MOVE, err);
}
