/* interface-addresses: virDomainInterfaceAddresses(): from the guest's agent, or from what the host has heard. */
#include "driver/agent-info.h"
#include "driver/agent.h"
#include "driver/device-interface.h"
#include "driver/domain-agent.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/neighbours.h"

#include <string.h>

static GVariant *
no_interfaces(void)
{
    return g_variant_new_array(G_VARIANT_TYPE("(ssa(isu))"), NULL, 0);
}

/* What the host's kernel knows of a card's neighbour at the other end; a prefix is not to be had. */
static GVariant *
heard_of(const Device *dev, const GPtrArray *neighbours)
{
    const guint8 *mac = device_interface_mac(dev);
    g_autofree char *text = device_interface_mac_text(dev);
    const char *tap = device_interface_tap(dev);
    GVariantBuilder addresses;
    gboolean any = FALSE;

    g_variant_builder_init(&addresses, G_VARIANT_TYPE("a(isu)"));
    for (guint i = 0; i < neighbours->len; i++) {
        const Neighbour *neighbour = g_ptr_array_index(neighbours, i);

        if (memcmp(neighbour->mac, mac, NEIGHBOUR_MAC_SIZE) != 0)
            continue;
        g_variant_builder_add(&addresses, "(isu)", neighbour->type, neighbour->text, 0);
        any = TRUE;
    }
    if (any)
        return g_variant_new("(ssa(isu))", tap ? tap : "", text, &addresses);
    g_variant_builder_clear(&addresses);
    return NULL;
}

static GVariant *
from_neighbours(const Domain *domain, GError **error)
{
    const GPtrArray *devices = domain->live->devices;
    g_autoptr(GPtrArray) neighbours = neighbours_list(error);
    GVariantBuilder list;

    if (!neighbours)
        return NULL;
    g_variant_builder_init(&list, G_VARIANT_TYPE("a(ssa(isu))"));
    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);
        GVariant *one = dev->kind == &device_interface ? heard_of(dev, neighbours) : NULL;

        if (one)
            g_variant_builder_add_value(&list, one);
    }
    return g_variant_builder_end(&list);
}

static void
got_interfaces(AgentVerb *verb, GVariant *returned, const GError *error)
{
    g_autoptr(GError) problem = error ? g_error_copy(error) : NULL;
    GVariant *list = returned ? agent_interfaces_read(returned, &problem) : NULL;

    agent_verb_finish(verb, list, problem);
}

static void
ask_interfaces(AgentVerb *verb)
{
    agent_verb_ask(verb, "guest-network-get-interfaces", NULL, got_interfaces);
}

/* What takes no agent; floating, NULL with @error. */
static GVariant *
look_up(Domain *domain, guint source, guint flags, GError **error)
{
    if (!driver_check_flags(flags, 0, "virDomainInterfaceAddresses", error))
        return NULL;
    if (!domain_is_active(domain)) {
        driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
        return NULL;
    }
    switch (source) {
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE: /* only networks of libvirt's give out leases */
        return no_interfaces();
    case VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP:
        return from_neighbours(domain, error);
    default:
        driver_error(error, VIR_ERR_ARGUMENT_UNSUPPORTED, "Unknown IP address data source %u",
                     source);
        return NULL;
    }
}

void
domain_interface_addresses(Domain *domain, guint source, guint flags, DomainReply done,
                           gpointer data)
{
    const AgentVerb verb = {
        .domain = domain, .begin = ask_interfaces, .done = done, .data = data
    };
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) list = NULL;

    if (source == VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT ||
        (domain_is_simulated(domain) && source <= VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)) {
        agent_verb_start("interface-addresses", &verb, "virDomainInterfaceAddresses", flags, 0);
        return;
    }
    list = look_up(domain, source, flags, &error);
    if (list)
        g_variant_ref_sink(list);
    done(data, list, error);
}
