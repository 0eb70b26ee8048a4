#include "driver/domain-def.h"

#include "driver/device-chardev.h"
#include "driver/device-disk.h"
#include "driver/error.h"
#include "driver/pci-layout.h"
#include "driver/uuid.h"

#include <string.h>

#define NAME_MAX_BYTES 240 /* a file name, with room for what is added to it */

const char *const domain_action_words[] = { "destroy", "restart", "rename-restart", "preserve",
                                            NULL };
const char *const domain_virt_words[] = { "kvm", "test", NULL };

DomainDef *
domain_def_new(void)
{
    DomainDef *def = g_new0(DomainDef, 1);

    sysinfo_init(&def->sysinfo);
    domain_os_init(&def->os);
    def->vcpus = def->current_vcpus = 1;
    domain_memory_init(&def->backing);
    domain_iothreads_init(&def->iothreads);
    domain_tune_init(&def->tune);
    domain_numatune_init(&def->numatune);
    domain_features_init(&def->features);
    domain_cpu_init(&def->cpu);
    domain_clock_init(&def->clock);
    def->on_poweroff = DOMAIN_ACTION_DESTROY;
    def->on_reboot = DOMAIN_ACTION_RESTART;
    def->on_crash = DOMAIN_ACTION_DESTROY;
    def->devices = device_list_new();
    return def;
}

void
domain_def_free(DomainDef *def)
{
    if (!def)
        return;
    g_free(def->name);
    g_free(def->title);
    g_free(def->description);
    g_free(def->metadata);
    sysinfo_clear(&def->sysinfo);
    domain_os_clear(&def->os);
    g_free(def->emulator);
    domain_cpu_clear(&def->cpu);
    domain_clock_clear(&def->clock);
    domain_iothreads_clear(&def->iothreads);
    domain_tune_clear(&def->tune);
    g_ptr_array_unref(def->devices);
    g_free(def);
}

/* Replaces what a copied struct still shares with the original. */
static void
copy_strings(DomainDef *def)
{
    char **strings[] = {
        &def->name, &def->title, &def->description, &def->metadata, &def->emulator,
    };

    for (gsize i = 0; i < G_N_ELEMENTS(strings); i++)
        *strings[i] = g_strdup(*strings[i]);
}

static void
complete_devices(const DomainDef *def)
{
    gboolean machine = def->virt != DOMAIN_VIRT_TEST;
    gboolean pc = g_strcmp0(def->os.machine, DOMAIN_MACHINE_MICROVM) != 0;

    for (const DeviceKind *const *kind = device_kinds; *kind; kind++) {
        if ((*kind)->complete && (machine || !(*kind)->of_machine) && (pc || !(*kind)->of_pc))
            (*kind)->complete(def->devices);
    }
    if (machine)
        pci_layout_complete(def->devices, !pc);
    device_list_sort(def->devices);
}

/* The arch of libvirt's test driver where a document names none. */
void
domain_def_set_virt(DomainDef *def, DomainVirt virt)
{
    def->virt = virt;
    if (virt != DOMAIN_VIRT_TEST)
        return;
    g_free(def->os.arch);
    def->os.arch = g_strdup("i686");
    g_clear_pointer(&def->os.machine, g_free);
}

DomainDef *
domain_def_copy(const DomainDef *def)
{
    DomainDef *copy = g_memdup2(def, sizeof(*def));

    copy_strings(copy);
    domain_os_own(&copy->os);
    domain_cpu_own(&copy->cpu);
    domain_clock_own(&copy->clock);
    domain_iothreads_own(&copy->iothreads);
    domain_tune_own(&copy->tune);
    sysinfo_own(&copy->sysinfo);
    copy->devices = device_list_new();
    for (guint i = 0; i < def->devices->len; i++)
        g_ptr_array_add(copy->devices, device_copy(g_ptr_array_index(def->devices, i)));
    complete_devices(copy); /* joins again those that share something */
    return copy;
}

static gboolean
has_boot_order(const DomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (dev->boot_order)
            return TRUE;
    }
    return FALSE;
}

void
domain_def_complete(DomainDef *def)
{
    if (!*def->uuid && sysinfo_uuid(&def->sysinfo))
        uuid_parse(sysinfo_uuid(&def->sysinfo),
                   def->uuid); /* where it is none, the check says so */
    if (!*def->uuid) {
        g_autofree char *uuid = g_uuid_string_random();

        g_strlcpy(def->uuid, uuid, sizeof(def->uuid));
    }
    /* More than there is, or none: all of it, as in libvirt. */
    if (def->current_memory_kib == 0 || def->current_memory_kib > def->memory_kib)
        def->current_memory_kib = def->memory_kib;
    domain_os_complete(&def->os, has_boot_order(def));
    domain_cpu_complete(&def->cpu);
    complete_devices(def);
}

/* A document cannot carry it: the name would be another one when it is read again. */
static gboolean
has_noncharacter(const char *name)
{
    for (const char *at = name; *at; at++) {
        if ((guchar)*at < ' ' && *at != '\t' && *at != '\r')
            return TRUE;
    }
    return strstr(name, "\xef\xbf\xbe") || strstr(name, "\xef\xbf\xbf"); /* U+FFFE and U+FFFF */
}

gboolean
domain_def_check_name(const char *name, GError **error)
{
    if (!name || !*name)
        return driver_error(error, VIR_ERR_NO_NAME, NULL);
    if (strchr(name, '/'))
        return driver_error(error, VIR_ERR_XML_ERROR, "name %s cannot contain '/'", name);
    if (strchr(name, '\n'))
        return driver_error(error, VIR_ERR_XML_DETAIL, "invalid char in name: \n");
    if (has_noncharacter(name))
        return driver_error(error, VIR_ERR_XML_DETAIL, "invalid char in name: one that XML does not have");
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return driver_error(error, VIR_ERR_XML_ERROR, "name '%s' cannot be a file's name", name);
    if (strlen(name) > NAME_MAX_BYTES)
        return driver_error(error, VIR_ERR_XML_ERROR, "name is longer than %d bytes",
                            NAME_MAX_BYTES);
    return TRUE;
}

static gboolean
check_memory(const DomainDef *def, GError **error)
{
    if (def->memory_kib == 0)
        return driver_error(
            error, VIR_ERR_XML_ERROR,
            "Memory size must be specified via <memory> or in the <numa> configuration");
    return domain_memory_check(&def->backing, def->memory_kib, error);
}

static gboolean
check_vcpus(const DomainDef *def, GError **error)
{
    if (def->vcpus == 0)
        return driver_error(error, VIR_ERR_XML_ERROR, "maximum vcpus count must be at least 1");
    if (def->current_vcpus > def->vcpus)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "maximum vCPU count must not be less than current vCPU count");
    if (def->current_vcpus == 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "vcpu 0 can't be offline");
    if (def->vcpus > DOMAIN_VCPUS_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Maximum CPUs greater than specified machine type limit %d",
                            DOMAIN_VCPUS_MAX);
    return TRUE;
}

gboolean
domain_def_has_serial(const DomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind == &device_serial)
            return TRUE;
    }
    return FALSE;
}

/* The hint is a promise about the host's processors, which libvirt lets none but such CPUs make. */
static gboolean
check_features(const DomainDef *def, GError **error)
{
    if (def->features.states[DOMAIN_FEATURE_KVM_HINT_DEDICATED] == 1 &&
        def->cpu.mode < DOMAIN_CPU_HOST_PASSTHROUGH)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "element <hint-dedicated> of <kvm> is supported by this machine with "
                            "'host-passthrough' / 'maximum' CPUs only");
    return TRUE;
}

static gboolean
check_os(const DomainDef *def, GError **error)
{
    const DomainOsContext context = { def->features.states[DOMAIN_FEATURE_ACPI] == 1,
                                      domain_def_has_serial(def) };

    return domain_os_check(&def->os, &context, error) &&
           sysinfo_check(&def->sysinfo, def->os.smbios_mode, def->name, def->uuid,
                         domain_os_has_firmware(&def->os), error);
}

static gboolean
check_boot_order(const DomainDef *def, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    if (def->os.n_boot && has_boot_order(def))
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "per-device boot elements cannot be used together with os/boot elements");
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (dev->boot_order && !g_hash_table_add(seen, GUINT_TO_POINTER(dev->boot_order)))
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "boot order '%u' used for more than one device", dev->boot_order);
    }
    return TRUE;
}

static gboolean
check_aliases(const DomainDef *def, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (!dev->alias || dev->kind->assign_alias) /* such a kind goes by somebody else's name */
            continue;
        if (!g_hash_table_add(seen, dev->alias))
            return driver_error(error, VIR_ERR_XML_ERROR, "non unique alias detected: %s",
                                dev->alias);
    }
    return TRUE;
}

static gboolean
check_devices(const DomainDef *def, GError **error)
{
    for (guint i = 0; i < def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind->check && !dev->kind->check(dev, error))
            return FALSE;
    }
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++) {
        if ((*kind)->check_all && !(*kind)->check_all(def->devices, error))
            return FALSE;
    }
    return (def->virt == DOMAIN_VIRT_TEST || pci_layout_check(def->devices, error)) &&
           check_aliases(def, error);
}

/* Whether the threads are there that disks are to be served by; libvirt's test driver does not ask. */
static gboolean
check_iothreads(const DomainDef *def, GError **error)
{
    for (guint i = 0; def->virt != DOMAIN_VIRT_TEST && i < def->devices->len; i++) {
        guint id = device_disk_iothread(g_ptr_array_index(def->devices, i));

        if (id && !domain_iothreads_find(&def->iothreads, id))
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "Disk iothread '%u' not defined in iothreadid", id);
    }
    return domain_iothreads_check(&def->iothreads, error);
}

gboolean
domain_def_check(const DomainDef *def, GError **error)
{
    return domain_def_check_name(def->name, error) && check_memory(def, error) &&
           check_vcpus(def, error) && check_iothreads(def, error) &&
           domain_tune_check(&def->tune, error) &&
           domain_cpu_check(&def->cpu, def->vcpus, error) && check_features(def, error) &&
           check_os(def, error) && check_boot_order(def, error) && check_devices(def, error);
}

static gboolean
alias_is_taken(const GPtrArray *devices, const char *alias)
{
    for (guint i = 0; i < devices->len; i++) {
        const Device *dev = g_ptr_array_index(devices, i);

        if (g_strcmp0(dev->alias, alias) == 0)
            return TRUE;
    }
    return FALSE;
}

static char *
next_alias(const GPtrArray *devices, const char *prefix)
{
    for (guint n = 0;; n++) {
        char *alias = g_strdup_printf("%s%u", prefix, n);

        if (!alias_is_taken(devices, alias))
            return alias;
        g_free(alias);
    }
}

static char *
alias_for(const GPtrArray *devices, const Device *dev)
{
    g_autofree char *alias = NULL;

    if (dev->kind->alias_number)
        alias = g_strdup_printf("%s%u", dev->kind->alias, dev->kind->alias_number(dev));
    return alias && !alias_is_taken(devices, alias) ? g_steal_pointer(&alias)
                                                    : next_alias(devices, dev->kind->alias);
}

void
domain_def_assign_aliases(DomainDef *def)
{
    for (guint i = 0; i < def->devices->len; i++) {
        Device *dev = g_ptr_array_index(def->devices, i);

        if (!dev->alias && dev->kind->alias)
            dev->alias = alias_for(def->devices, dev);
    }
    for (guint i = 0; i < def->devices->len; i++) {
        Device *dev = g_ptr_array_index(def->devices, i);

        if (dev->kind->assign_alias)
            dev->kind->assign_alias(dev, def->devices);
    }
}

const char *
domain_action_to_string(DomainAction action)
{
    return domain_action_words[action];
}
