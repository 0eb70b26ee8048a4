#include "driver/domain-numatune.h"

#include "driver/error.h"
#include "driver/host-topology.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <libvirt/libvirt.h>
#include <string.h>

static const char *const modes[] = {
    [VIR_DOMAIN_NUMATUNE_MEM_STRICT] = "strict",
    [VIR_DOMAIN_NUMATUNE_MEM_PREFERRED] = "preferred",
    [VIR_DOMAIN_NUMATUNE_MEM_INTERLEAVE] = "interleave",
    [VIR_DOMAIN_NUMATUNE_MEM_RESTRICTIVE] = "restrictive",
    NULL,
};

/* Restrictive differs from strict by what enforces it in libvirt's guests, which is cgroups alone: here it is the guest's
 * process itself, whose nodes can be changed. */
static const char *const policies[] = {
    [VIR_DOMAIN_NUMATUNE_MEM_STRICT] = VMM_NODES_BIND,
    [VIR_DOMAIN_NUMATUNE_MEM_PREFERRED] = VMM_NODES_PREFERRED,
    [VIR_DOMAIN_NUMATUNE_MEM_INTERLEAVE] = VMM_NODES_INTERLEAVE,
    [VIR_DOMAIN_NUMATUNE_MEM_RESTRICTIVE] = VMM_NODES_BIND,
};

void
domain_numatune_init(DomainNumatune *numatune)
{
    memset(numatune, 0, sizeof(*numatune));
}

gboolean
domain_numatune_parse_nodes(const char *text, virErrorNumber empty, const char *what, CpuSet *ret,
                            GError **error)
{
    CpuSet nodes;

    if (!*text) /* a list of CPUs may be empty */
        return driver_error(error, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", text);
    if (!cpuset_parse(text, &nodes, error))
        return FALSE;
    if (cpuset_is_empty(&nodes))
        return driver_error(error, empty, "%s: %s", what, text);
    *ret = nodes;
    return TRUE;
}

/* The policy has refused "auto". */
static gboolean
parse_placement(const XmlNode *memory, GError **error)
{
    g_autofree char *own = NULL;
    const char *placement = xml_peek_attr(memory, "placement", &own);

    if (!placement || strcmp(placement, "static") == 0 || strcmp(placement, "default") == 0)
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "Unsupported NUMA memory placement mode '%s'", placement);
}

static gboolean
parse_memory(DomainNumatune *numatune, const XmlNode *memory, GError **error)
{
    g_autofree char *own_mode = NULL, *own_nodes = NULL;
    const char *mode = xml_peek_attr(memory, "mode", &own_mode);
    const char *nodes = xml_peek_attr(memory, "nodeset", &own_nodes);

    if (mode && !xml_attr_word(memory, "mode", XML_OPTIONAL, modes, &numatune->mode, NULL))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Unsupported NUMA memory tuning mode '%s'", mode);
    if (!parse_placement(memory, error))
        return FALSE;
    numatune->said = mode || nodes || xml_has_attr(memory, "placement");
    if (nodes)
        return domain_numatune_parse_nodes(nodes, VIR_ERR_CONFIG_UNSUPPORTED,
                                           "Invalid value of 'nodeset'", &numatune->nodes, error);
    return !numatune->said ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "nodeset for NUMA memory tuning must be set if 'placement' is 'static'");
}

gboolean
domain_numatune_parse(DomainNumatune *numatune, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "numatune");
    const XmlNode *memory = node ? xml_child(node, "memory") : NULL;

    if (node && xml_count_children(root, "numatune") > 1)
        return driver_error(error, VIR_ERR_XML_ERROR, "only one numatune is supported");
    return !memory || parse_memory(numatune, memory, error);
}

void
domain_numatune_format(const DomainNumatune *numatune, XmlWriter *out)
{
    g_autofree char *nodes = NULL;

    if (!numatune->said)
        return;
    nodes = cpuset_format(&numatune->nodes);
    xml_open(out, "numatune");
    xml_open(out, "memory");
    xml_put_attr(out, "mode", modes[numatune->mode]);
    xml_put_attr(out, "nodeset", nodes);
    xml_close(out);
    xml_close(out);
}

/* Lowering */

static gboolean
put_nodes(const CpuSet *nodes, VmmMsg *msg, GError **error)
{
    const CpuSet host = host_topology_nodes("/sys");
    guint8 bits[CPUSET_MAX / 8] = { 0 };
    gsize used = 0;

    for (guint i = 0; i < CPUSET_MAX; i++) {
        if (!CPU_ISSET(i, &nodes->cpus))
            continue;
        if (!CPU_ISSET(i, &host.cpus))
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "NUMA node %u is unavailable",
                                i);
        bits[i / 8] |= 1u << i % 8;
        used = i / 8 + 1;
    }
    vmm_msg_put_bytes(msg, "ram-nodes", bits, used);
    return TRUE;
}

gboolean
domain_numatune_lower(const DomainNumatune *numatune, VmmMsg *msg, GError **error)
{
    if (!numatune->said)
        return TRUE;
    vmm_msg_put_string(msg, "ram-policy", policies[numatune->mode]);
    return put_nodes(&numatune->nodes, msg, error);
}
