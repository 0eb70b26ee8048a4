#include "driver/agent-info.h"

#include "driver/device-disk.h"
#include "driver/error.h"
#include "driver/json.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define TEXT_MAX 512 /* characters */

char *
agent_text_readable(const char *text)
{
    char *copy = g_utf8_substring(text, 0, MIN(g_utf8_strlen(text, -1), TEXT_MAX));

    for (char *at = copy; *at; at++) {
        if (g_ascii_iscntrl(*at))
            *at = ' ';
    }
    return copy;
}

void
agent_param_add(GVariantBuilder *params, GVariant *value, const char *format, ...)
{
    g_autofree char *name = NULL;
    va_list args;

    va_start(args, format);
    name = g_strdup_vprintf(format, args);
    va_end(args);
    g_variant_builder_add(params, "{sv}", name, value);
}

static void
add_text(GVariantBuilder *params, const char *prefix, const char *name, const char *text)
{
    if (text)
        agent_param_add(params, g_variant_new_string(text), "%s%s", prefix, name);
}

static GVariant *
child_of(GVariant *array, gsize index)
{
    g_autoptr(GVariant) boxed = g_variant_get_child_value(array, index);

    return g_variant_get_variant(boxed);
}

static char *
dup_text(GVariant *object, const char *key)
{
    const char *text = NULL;

    json_get_text(object, key, &text);
    return g_strdup(text);
}

/* Disks */

static void
disk_free(gpointer data)
{
    AgentDisk *disk = data;

    g_free(disk->device);
    g_free(disk->serial);
    g_free(disk->bus);
    g_free(disk);
}

static gboolean
read_number(GVariant *object, const char *key, gint64 *ret, GError **error)
{
    /* -1 is the agent's word for unknown. */
    return json_get_int(object, key, -1, G_MAXUINT, ret) ||
           driver_error(error, VIR_ERR_INTERNAL_ERROR,
                        "'%s' missing in guest-get-fsinfo 'disk' data", key);
}

static AgentDisk *
read_disk(GVariant *object, GError **error)
{
    g_autoptr(GVariant) pci = json_member(object, "pci-controller", "a{sv}");
    AgentDisk *disk = g_new0(AgentDisk, 1);

    disk->device = dup_text(object, "dev");
    disk->serial = dup_text(object, "serial");
    disk->bus = dup_text(object, "bus-type");
    if (!pci)
        driver_error(error, VIR_ERR_INTERNAL_ERROR,
                     "'pci-controller' missing in guest-get-fsinfo 'disk' data");
    else if (read_number(pci, "domain", &disk->domain, error) &&
             read_number(pci, "bus", &disk->pci_bus, error) &&
             read_number(pci, "slot", &disk->slot, error) &&
             read_number(pci, "function", &disk->function, error))
        return disk;
    disk_free(disk);
    return NULL;
}

/* Each virtio disk is a device of its own, and so its own controller. */
static const Device *
find_disk(const AgentDisk *disk, const DomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (device_disk_target(dev) && dev->pci.known && dev->pci.domain == disk->domain &&
            dev->pci.bus == disk->pci_bus && dev->pci.slot == disk->slot &&
            dev->pci.function == disk->function)
            return dev;
    }
    return NULL;
}

const char *
agent_disk_target(const AgentDisk *disk, const DomainDef *def)
{
    const Device *dev = find_disk(disk, def);

    return dev ? device_disk_target(dev) : NULL;
}

/* File systems */

static void
filesystem_free(gpointer data)
{
    AgentFilesystem *fs = data;

    g_free(fs->mountpoint);
    g_free(fs->name);
    g_free(fs->type);
    g_ptr_array_unref(fs->disks);
    g_free(fs);
}

static gboolean
read_disks(AgentFilesystem *fs, GVariant *entry, GError **error)
{
    g_autoptr(GVariant) disks = json_member(entry, "disk", "av");

    if (!disks)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'disk' missing in reply of guest-get-fsinfo");
    for (gsize i = 0; i < g_variant_n_children(disks); i++) {
        g_autoptr(GVariant) one = child_of(disks, i);
        AgentDisk *disk = read_disk(one, error);

        if (!disk)
            return FALSE;
        g_ptr_array_add(fs->disks, disk);
    }
    return TRUE;
}

static gboolean
read_text(GVariant *entry, const char *key, char **ret, GError **error)
{
    *ret = dup_text(entry, key);
    return *ret || driver_error(error, VIR_ERR_INTERNAL_ERROR,
                                "'%s' missing in reply of guest-get-fsinfo", key);
}

static gboolean
read_bytes(GVariant *entry, const char *key, gint64 *ret, GError **error)
{
    g_autoptr(GVariant) any = json_member(entry, key, "*");

    *ret = -1;
    return !any || json_get_int(entry, key, 0, G_MAXINT64, ret) ||
           driver_error(error, VIR_ERR_INTERNAL_ERROR,
                        "Error getting '%s' in reply of guest-get-fsinfo", key);
}

static AgentFilesystem *
read_filesystem(GVariant *entry, GError **error)
{
    AgentFilesystem *fs = g_new0(AgentFilesystem, 1);

    fs->disks = g_ptr_array_new_with_free_func(disk_free);
    if (read_text(entry, "mountpoint", &fs->mountpoint, error) &&
        read_text(entry, "name", &fs->name, error) && read_text(entry, "type", &fs->type, error) &&
        read_bytes(entry, "used-bytes", &fs->used, error) &&
        read_bytes(entry, "total-bytes", &fs->total, error) && read_disks(fs, entry, error))
        return fs;
    filesystem_free(fs);
    return NULL;
}

GPtrArray *
agent_filesystems_read(GVariant *returned, GError **error)
{
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(filesystem_free);

    if (!g_variant_is_of_type(returned, G_VARIANT_TYPE("av"))) {
        driver_error(error, VIR_ERR_INTERNAL_ERROR, "Malformed guest-get-fsinfo data array");
        return NULL;
    }
    /* The agent begins with the last one that was mounted. */
    for (gsize i = g_variant_n_children(returned); i > 0; i--) {
        g_autoptr(GVariant) entry = child_of(returned, i - 1);
        AgentFilesystem *fs = read_filesystem(entry, error);

        if (!fs)
            return NULL;
        g_ptr_array_add(all, fs);
    }
    return g_steal_pointer(&all);
}

static void
describe_disk(const AgentDisk *disk, const char *prefix, const DomainDef *def,
              GVariantBuilder *params)
{
    add_text(params, prefix, "alias", agent_disk_target(disk, def));
    add_text(params, prefix, "serial", disk->serial);
    add_text(params, prefix, "device", disk->device);
}

static void
describe_filesystem(const AgentFilesystem *fs, guint index, const DomainDef *def,
                    GVariantBuilder *params)
{
    g_autofree char *prefix = g_strdup_printf("fs.%u.", index);

    add_text(params, prefix, "name", fs->name);
    add_text(params, prefix, "mountpoint", fs->mountpoint);
    add_text(params, prefix, "fstype", fs->type);
    if (fs->total >= 0)
        agent_param_add(params, g_variant_new_uint64(fs->total), "%stotal-bytes", prefix);
    if (fs->used >= 0)
        agent_param_add(params, g_variant_new_uint64(fs->used), "%sused-bytes", prefix);
    agent_param_add(params, g_variant_new_uint32(fs->disks->len), "%sdisk.count", prefix);
    for (guint i = 0; i < fs->disks->len; i++) {
        g_autofree char *below = g_strdup_printf("%sdisk.%u.", prefix, i);

        describe_disk(g_ptr_array_index(fs->disks, i), below, def, params);
    }
}

void
agent_filesystems_describe(const GPtrArray *all, const DomainDef *def, GVariantBuilder *params)
{
    agent_param_add(params, g_variant_new_uint32(all->len), "fs.count");
    for (guint i = 0; i < all->len; i++)
        describe_filesystem(g_ptr_array_index(all, i), i, def, params);
}

/* Block devices */

static void
describe_dependencies(GVariant *entry, const char *prefix, GVariantBuilder *params)
{
    g_autoptr(GVariant) names = json_member(entry, "dependencies", "av");
    gsize n = names ? g_variant_n_children(names) : 0;

    if (n > 0)
        agent_param_add(params, g_variant_new_uint32(n), "%sdependency.count", prefix);
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) name = child_of(names, i);

        if (g_variant_is_of_type(name, G_VARIANT_TYPE_STRING))
            agent_param_add(params, name, "%sdependency.%zu.name", prefix, i);
    }
}

/* The address is not there for all of them. */
static void
describe_address(GVariant *entry, const char *prefix, const DomainDef *def, GVariantBuilder *params)
{
    g_autoptr(GVariant) address = json_member(entry, "address", "a{sv}");
    AgentDisk *disk = address ? read_disk(address, NULL) : NULL;

    if (!disk)
        return;
    add_text(params, prefix, "serial", disk->serial);
    add_text(params, prefix, "alias", agent_disk_target(disk, def));
    add_text(params, prefix, "guest_bus", disk->bus);
    disk_free(disk);
}

static gboolean
describe_block_device(GVariant *entry, guint index, const DomainDef *def, GVariantBuilder *params,
                      GError **error)
{
    g_autofree char *prefix = g_strdup_printf("disk.%u.", index);
    const char *name = NULL, *alias = NULL;
    gboolean partition = FALSE;

    if (!json_get_text(entry, "name", &name))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'name' missing in reply of guest-get-disks");
    if (!json_get_bool(entry, "partition", &partition))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "'partition' missing in reply of guest-get-disks");
    add_text(params, prefix, "name", name);
    agent_param_add(params, g_variant_new_boolean(partition), "%spartition", prefix);
    describe_dependencies(entry, prefix, params);
    describe_address(entry, prefix, def, params);
    if (json_get_text(entry, "alias", &alias))
        add_text(params, prefix, "guest_alias", alias);
    return TRUE;
}

gboolean
agent_disks_describe(GVariant *returned, const DomainDef *def, GVariantBuilder *params,
                     GError **error)
{
    gsize n;

    if (!g_variant_is_of_type(returned, G_VARIANT_TYPE("av")))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "qemu agent didn't return an array of disks");
    n = g_variant_n_children(returned);
    agent_param_add(params, g_variant_new_uint32(n), "disk.count");
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) entry = child_of(returned, i);

        if (!describe_block_device(entry, i, def, params, error))
            return FALSE;
    }
    return TRUE;
}

/* Network interfaces */

typedef struct Interface {
    char *mac;
    GPtrArray *addresses; /* of GVariant: (isu) */
} Interface;

static void
interface_free(gpointer data)
{
    Interface *iface = data;

    g_free(iface->mac);
    g_ptr_array_unref(iface->addresses);
    g_free(iface);
}

/* virIPAddrType, or -1. */
static int
address_type(const char *word)
{
    if (strcmp(word, "ipv4") == 0)
        return VIR_IP_ADDR_TYPE_IPV4;
    return strcmp(word, "ipv6") == 0 ? VIR_IP_ADDR_TYPE_IPV6 : -1;
}

static gboolean
read_address(Interface *iface, GVariant *entry, const char *name, GError **error)
{
    const char *type, *text;
    gint64 prefix;

    if (!json_get_text(entry, "ip-address-type", &type))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "qemu agent didn't provide 'ip-address-type' field for interface '%s'",
                            name);
    if (address_type(type) < 0) {
        g_autofree char *shown = agent_text_readable(type);

        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "unknown ip address type '%s'", shown);
    }
    if (!json_get_text(entry, "ip-address", &text))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "qemu agent didn't provide 'ip-address' field for interface '%s'",
                            name);
    if (!json_get_int(entry, "prefix", 0, G_MAXUINT, &prefix))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "malformed 'prefix' field");
    g_ptr_array_add(iface->addresses, g_variant_ref_sink(g_variant_new("(isu)", address_type(type),
                                                                       text, (guint)prefix)));
    return TRUE;
}

static gboolean
read_addresses(Interface *iface, GVariant *entry, const char *name, GError **error)
{
    g_autoptr(GVariant) any = json_member(entry, "ip-addresses", "*");

    if (any && !g_variant_is_of_type(any, G_VARIANT_TYPE("av")))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Malformed ip-addresses array");
    for (gsize i = 0; any && i < g_variant_n_children(any); i++) {
        g_autoptr(GVariant) address = child_of(any, i);

        if (!read_address(iface, address, name, error))
            return FALSE;
    }
    return TRUE;
}

/* "eth0:1" is another name of eth0, whose addresses are eth0's. */
static gboolean
read_interface(GHashTable *known, GPtrArray *order, GVariant *entry, GError **error)
{
    const char *whole = NULL;
    g_autofree char *name = NULL, *shown = NULL;
    Interface *iface;

    if (!json_get_text(entry, "name", &whole))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "qemu agent didn't provide 'name' field");
    name = g_strndup(whole, strcspn(whole, ":"));
    iface = g_hash_table_lookup(known, name);
    if (!iface) {
        iface = g_new0(Interface, 1);
        iface->mac = dup_text(entry, "hardware-address");
        iface->addresses = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
        g_ptr_array_add(order, g_strdup(name));
        g_hash_table_insert(known, g_strdup(name), iface);
    }
    shown = agent_text_readable(whole);
    return read_addresses(iface, entry, shown, error);
}

static GVariant *
list_interfaces(GHashTable *known, const GPtrArray *order)
{
    GVariantBuilder list;

    g_variant_builder_init(&list, G_VARIANT_TYPE("a(ssa(isu))"));
    for (guint i = 0; i < order->len; i++) {
        const char *name = g_ptr_array_index(order, i);
        const Interface *iface = g_hash_table_lookup(known, name);

        g_variant_builder_add(&list, "(ss@a(isu))", name, iface->mac ? iface->mac : "",
                              g_variant_new_array(G_VARIANT_TYPE("(isu)"),
                                                  (GVariant **)iface->addresses->pdata,
                                                  iface->addresses->len));
    }
    return g_variant_builder_end(&list);
}

GVariant *
agent_interfaces_read(GVariant *returned, GError **error)
{
    g_autoptr(GHashTable) known =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, interface_free);
    g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);

    if (!g_variant_is_of_type(returned, G_VARIANT_TYPE("av"))) {
        driver_error(error, VIR_ERR_INTERNAL_ERROR,
                     "qemu agent didn't return an array of interfaces");
        return NULL;
    }
    for (gsize i = 0; i < g_variant_n_children(returned); i++) {
        g_autoptr(GVariant) entry = child_of(returned, i);

        if (!read_interface(known, order, entry, error))
            return NULL;
    }
    return list_interfaces(known, order);
}
