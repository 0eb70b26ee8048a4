#include "driver/test-agent.h"

#include "driver/device-disk.h"
#include "driver/device-interface.h"
#include "driver/error.h"
#include "driver/host-objects.h"
#include "driver/interface.h"
#include "driver/json.h"
#include "driver/test-default.h"
#include "driver/xml-host.h"

#include <string.h>

#define NS_PER_S         G_GINT64_CONSTANT(1000000000)
#define ADDRESSES_OF_ONE 20 /* a domain's cards have those after the ones of the domain before it */

static const char *const mountpoints[] = { "/", "/boot", NULL };
#define N_MOUNTPOINTS (G_N_ELEMENTS(mountpoints) - 1)

/* The clock */

static GVariant *
get_time(Domain *domain, GVariant *arguments, GError **error)
{
    const TestGuest *guest = &domain->test;

    if (domain->state == VIR_DOMAIN_RUNNING)
        return g_variant_new("(tu)", guest->seconds, guest->nseconds);
    driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
    return NULL;
}

static GVariant *
set_time(Domain *domain, GVariant *arguments, GError **error)
{
    gint64 ns = 0;

    if (arguments)
        json_get_int(arguments, "time", 0, G_MAXINT64, &ns);
    domain->test.seconds = ns / NS_PER_S;
    domain->test.nseconds = ns % NS_PER_S;
    return NULL;
}

/* File systems */

static gboolean
find_mountpoint(const char *mountpoint, gsize *ret, GError **error)
{
    for (gsize i = 0; i < N_MOUNTPOINTS; i++) {
        if (strcmp(mountpoints[i], mountpoint) == 0) {
            *ret = i;
            return TRUE;
        }
    }
    return driver_error(error, VIR_ERR_OPERATION_INVALID, "mount point not found: %s", mountpoint);
}

/* Freezes or thaws what "mountpoints" names, without it all: how many were not so before. */
static GVariant *
move_filesystems(Domain *domain, GVariant *arguments, gboolean freeze, GError **error)
{
    g_autoptr(GVariant) names = arguments ? json_member(arguments, "mountpoints", "as") : NULL;
    g_autofree const char **list = names ? g_variant_get_strv(names, NULL) : NULL;
    gboolean frozen[N_MOUNTPOINTS];
    guint n = 0;

    memcpy(frozen, domain->test.frozen, sizeof(frozen));
    for (const char *const *name = list ? list : mountpoints; *name; name++) {
        gsize i = 0;

        if (!find_mountpoint(*name, &i, error))
            return NULL;
        n += frozen[i] != freeze;
        frozen[i] = freeze;
    }
    memcpy(domain->test.frozen, frozen, sizeof(frozen));
    return g_variant_new_uint32(n);
}

static GVariant *
freeze(Domain *domain, GVariant *arguments, GError **error)
{
    return move_filesystems(domain, arguments, TRUE, error);
}

static GVariant *
thaw(Domain *domain, GVariant *arguments, GError **error)
{
    return move_filesystems(domain, arguments, FALSE, error);
}

static GVariant *
trim(Domain *domain, GVariant *arguments, GError **error)
{
    const char *mountpoint;
    gsize i;

    if (arguments && json_get_text(arguments, "mountpoint", &mountpoint))
        find_mountpoint(mountpoint, &i, error);
    return NULL;
}

static const char *
first_disk(const Domain *domain)
{
    const GPtrArray *devices = domain->live->devices;

    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);
        const char *target = device_disk_target(dev);

        if (target && !device_disk_is_cdrom(dev))
            return target;
    }
    return NULL;
}

static GVariant *
list_filesystems(Domain *domain, GVariant *arguments, GError **error)
{
    const char *disk = first_disk(domain);
    const char *const targets[] = { disk, NULL };
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("a(sssas)"));
    for (guint i = 0; disk && i < N_MOUNTPOINTS; i++) {
        g_autofree char *name = g_strdup_printf("%s%u", disk, i + 1);

        g_variant_builder_add(&list, "(sss^as)", mountpoints[i], name, "ext4", targets);
    }
    return g_variant_builder_end(&list);
}

/* Addresses */

/* @address with @offset added to its last bytes. */
static char *
address_after(GInetAddress *address, guint offset)
{
    gsize size = g_inet_address_get_native_size(address);
    g_autofree guint8 *bytes = g_memdup2(g_inet_address_to_bytes(address), size);
    g_autoptr(GInetAddress) next = NULL;

    for (gsize i = size; i-- > 0 && offset; offset >>= 8) {
        offset += bytes[i];
        bytes[i] = offset;
    }
    next = g_inet_address_new_from_bytes(bytes, g_inet_address_get_family(address));
    return g_inet_address_to_string(next);
}

static gboolean
address_in_network(const Domain *domain, const char *network, guint card, GVariantBuilder *addresses,
                   GError **error)
{
    const HostObject *object =
        host_objects_find(domain->host->objects, HOST_NETWORK, HOST_BY_NAME, network, error);
    guint offset = ADDRESSES_OF_ONE * (domain->id - 1) + card + 1, prefix;
    g_autoptr(GInetAddress) first = object ? xml_host_first_address(object->facts->xml, &prefix) : NULL;
    g_autofree char *text = NULL;

    if (!object)
        return FALSE;
    if (!first)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "network '%s' has no addresses", network);
    text = address_after(first, offset);
    g_variant_builder_add(addresses, "(isu)",
                          g_inet_address_get_family(first) == G_SOCKET_FAMILY_IPV6 ? VIR_IP_ADDR_TYPE_IPV6
                                                                                   : VIR_IP_ADDR_TYPE_IPV4,
                          text, prefix);
    return TRUE;
}

static gboolean
put_card(const Domain *domain, const Device *dev, guint card, GVariantBuilder *list, GError **error)
{
    const char *network = device_interface_network(dev);
    g_autofree char *mac = device_interface_mac_text(dev);
    GVariantBuilder addresses;

    g_variant_builder_init(&addresses, G_VARIANT_TYPE("a(isu)"));
    if (!network) {
        g_autofree char *text = g_strdup_printf("192.168.0.%u", 1 + card);

        g_variant_builder_add(&addresses, "(isu)", VIR_IP_ADDR_TYPE_IPV4, text, 24);
    } else if (!address_in_network(domain, network, card, &addresses, error)) {
        g_variant_builder_clear(&addresses);
        return FALSE;
    }
    g_variant_builder_add(list, "(ssa(isu))", device_interface_name(dev), mac, &addresses);
    return TRUE;
}

static GVariant *
list_interfaces(Domain *domain, GVariant *arguments, GError **error)
{
    const GPtrArray *devices = domain->live->devices;
    GVariantBuilder list;
    guint card = 0;

    g_variant_builder_init(&list, G_VARIANT_TYPE("a(ssa(isu))"));
    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        if (dev->kind == &device_interface && !put_card(domain, dev, card++, &list, error)) {
            g_variant_builder_clear(&list);
            return NULL;
        }
    }
    return g_variant_builder_end(&list);
}

/* The rest */

static GVariant *
get_hostname(Domain *domain, GVariant *arguments, GError **error)
{
    return g_variant_new_take_string(g_strdup_printf("%shost", domain_name(domain)));
}

static GVariant *
accept_only(Domain *domain, GVariant *arguments, GError **error)
{
    return NULL;
}

static const struct {
    const char *function, *execute;
    GVariant *(*answer)(Domain *domain, GVariant *arguments, GError **error);
} rows[] = {
    { "virDomainFSFreeze", "guest-fsfreeze-freeze", freeze },
    { "virDomainFSFreeze", "guest-fsfreeze-freeze-list", freeze },
    { "virDomainFSThaw", "guest-fsfreeze-thaw", thaw },
    { "virDomainFSTrim", "guest-fstrim", trim },
    { "virDomainGetFSInfo", "guest-get-fsinfo", list_filesystems },
    { "virDomainGetHostname", "guest-get-host-name", get_hostname },
    { "virDomainGetTime", "guest-get-time", get_time },
    { "virDomainInterfaceAddresses", "guest-network-get-interfaces", list_interfaces },
    { "virDomainSetTime", "guest-set-time", set_time },
    { "virDomainSetUserPassword", "guest-set-user-password", accept_only },
};

gboolean
test_agent_check(const char *function, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].function, function) == 0)
            return TRUE;
    }
    return driver_error(error, VIR_ERR_NO_SUPPORT, "%s", function);
}

GVariant *
test_agent_answer(Domain *domain, const char *execute, GVariant *arguments, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].execute, execute) == 0)
            return rows[i].answer(domain, arguments, error);
    }
    g_assert_not_reached();
}

/* From which second of the clock on it is so, and whether the time since then is told. */
DomainControl
test_agent_control(const Domain *domain)
{
    static const int details[] = {
        VIR_DOMAIN_CONTROL_ERROR_REASON_NONE, VIR_DOMAIN_CONTROL_ERROR_REASON_UNKNOWN,
        VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR, VIR_DOMAIN_CONTROL_ERROR_REASON_INTERNAL
    };
    guint64 seconds = domain->test.seconds;

    if (seconds > 0 && seconds < 10000)
        return (DomainControl){ .state = VIR_DOMAIN_CONTROL_JOB, .state_ms = seconds };
    if (seconds >= 10000 && seconds < 30000)
        return (DomainControl){ .state = VIR_DOMAIN_CONTROL_OCCUPIED, .state_ms = seconds - 10000 };
    if (seconds >= 30000 && seconds < 60000)
        return (DomainControl){ .state = VIR_DOMAIN_CONTROL_ERROR,
                                .details = details[seconds % G_N_ELEMENTS(details)],
                                .state_ms = seconds - 30000 };
    return (DomainControl){ .state = VIR_DOMAIN_CONTROL_OK };
}
