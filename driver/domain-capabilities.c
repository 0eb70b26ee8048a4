#include "driver/domain-capabilities.h"

#include "driver/domain-firmware.h"
#include "driver/error.h"
#include "driver/firmware.h"
#include "driver/guest-cpu.h"
#include "driver/xml-write.h"

#include <string.h>

#define ARCH    "x86_64"
#define MICROVM "microvm"

static gboolean
is_any(const char *text)
{
    return !text || !*text;
}

static gboolean
check_query(const DomainCapabilitiesQuery *query, const DriverEnv *env, GError **error)
{
    if (!is_any(query->virttype) && strcmp(query->virttype, "kvm") != 0)
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "the virtualization type '%s' is not supported by this machine, which "
                            "is 'kvm'",
                            query->virttype);
    if (!is_any(query->arch) && strcmp(query->arch, ARCH) != 0)
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "the architecture '%s' is not supported by this machine, which is '%s'",
                            query->arch, ARCH);
    if (!is_any(query->emulator) && strcmp(query->emulator, env->vmm) != 0)
        return driver_error(error, VIR_ERR_INVALID_ARG, "there is no emulator '%s' here but '%s'",
                            query->emulator, env->vmm);
    if (!is_any(query->machine) && strcmp(query->machine, "q35") != 0 &&
        !g_str_has_prefix(query->machine, "pc-q35-") && strcmp(query->machine, MICROVM) != 0)
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "the machine '%s' is not supported by emulator '%s'", query->machine,
                            env->vmm);
    return TRUE;
}

static void
open_supported(XmlWriter *out, const char *name, gboolean supported)
{
    xml_open(out, name);
    xml_put_attr(out, "supported", supported ? "yes" : "no");
}

/* <enum name='...'> of @values, words with spaces in between. */
static void
put_enum(XmlWriter *out, const char *name, const char *values)
{
    g_auto(GStrv) list = g_strsplit(values, " ", -1);

    xml_open(out, "enum");
    xml_put_attr(out, "name", name);
    for (char **value = list; *value && **value; value++)
        xml_put_element(out, "value", *value);
    xml_close(out);
}

/* What boots without a kernel, as far as it is installed. */
static void
put_os(XmlWriter *out, const DriverEnv *env)
{
    const FirmwareWish wish = { .kind = DOMAIN_FIRMWARE_EFI,
                                .features = (const int[DOMAIN_N_FIRMWARE_FEATURES]){ -1, -1 } };
    FirmwareImage image;
    gboolean efi = firmware_find((const char *const *)env->firmware_dirs, &wish, &image, NULL);

    open_supported(out, "os", TRUE);
    put_enum(out, "firmware", efi ? "efi" : "");
    open_supported(out, "loader", TRUE);
    if (efi)
        xml_put_element(out, "value", image.code);
    put_enum(out, "type", "rom pflash");
    put_enum(out, "readonly", "yes");
    put_enum(out, "secure", "no");
    xml_close(out);
    xml_close(out);
    if (efi)
        firmware_image_clear(&image);
}

static void
put_passthrough(XmlWriter *out, const char *mode, const char *migratable)
{
    xml_open(out, "mode");
    xml_put_attr(out, "name", mode);
    xml_put_attr(out, "supported", "yes");
    put_enum(out, migratable, "on off");
    xml_close(out);
}

static void
put_features(XmlWriter *out, const DomainCpu *cpu)
{
    for (guint i = 0; i < cpu->features->len; i++) {
        const DomainCpuFeature *feature = cpu->features->pdata[i];

        xml_open(out, "feature");
        xml_put_attr(out, "policy", feature->policy == DOMAIN_CPU_DISABLE ? "disable" : "require");
        xml_put_attr(out, "name", feature->name);
        xml_close(out);
    }
}

static void
put_host_model(XmlWriter *out, const HostCpu *host)
{
    gboolean supported;
    DomainCpu cpu;

    domain_cpu_init(&cpu);
    supported = host->has_kvm && guest_cpu_expand(&cpu, host, NULL);
    xml_open(out, "mode");
    xml_put_attr(out, "name", "host-model");
    xml_put_attr(out, "supported", supported ? "yes" : "no");
    if (supported) {
        xml_open(out, "model");
        xml_put_attr(out, "fallback", "forbid");
        xml_put_text(out, cpu.model);
        xml_close(out);
        xml_put_element(out, "vendor", cpu.vendor);
        put_features(out, &cpu);
    }
    xml_close(out);
    domain_cpu_clear(&cpu);
}

/* The features of @model that a guest here would not have. */
static CpuBits
blockers_of(const CpuModel *model, const HostCpu *host)
{
    CpuBits bits, added, left_out;

    cpu_model_bits(model, &bits);
    guest_cpu_defaults(&added, &left_out);
    cpu_bits_remove(&bits, &host->kvm);
    cpu_bits_remove(&bits, &left_out);
    return bits;
}

static void
put_blockers(XmlWriter *out, const CpuModel *model, const CpuBits *blockers)
{
    g_autoptr(GPtrArray) names = cpu_bits_sorted(blockers);

    xml_open(out, "blockers");
    xml_put_attr(out, "model", model->name);
    for (guint i = 0; i < names->len; i++) {
        xml_open(out, "feature");
        xml_put_attr(out, "name", names->pdata[i]);
        xml_close(out);
    }
    xml_close(out);
}

static void
put_model(XmlWriter *out, const CpuModel *model, const HostCpu *host)
{
    CpuBits blockers = blockers_of(model, host);
    gboolean usable = cpu_bits_empty(&blockers);

    xml_open(out, "model");
    xml_put_attr(out, "usable", usable ? "yes" : "no");
    xml_put_attr(out, "vendor", model->vendor ? model->vendor : "unknown");
    xml_put_text(out, model->name);
    xml_close(out);
    if (!usable)
        put_blockers(out, model, &blockers);
}

static int
compare_models(gconstpointer a, gconstpointer b)
{
    const CpuModel *const *left = a, *const *right = b;

    return strcmp((*right)->name, (*left)->name); /* as libvirt has them: backwards */
}

static void
put_custom(XmlWriter *out, const HostCpu *host)
{
    g_autoptr(GPtrArray) models = g_ptr_array_new();

    for (gsize i = 0; i < cpu_n_models; i++)
        g_ptr_array_add(models, (gpointer)&cpu_models[i]);
    g_ptr_array_sort(models, compare_models);
    xml_open(out, "mode");
    xml_put_attr(out, "name", "custom");
    xml_put_attr(out, "supported", "yes");
    for (guint i = 0; i < models->len; i++)
        put_model(out, models->pdata[i], host);
    xml_close(out);
}

/* Without a KVM there is still an answer, in which no model is usable. */
static void
put_cpu(XmlWriter *out, const DriverEnv *env)
{
    HostCpu host;

    host_cpu_probe(env->kvm, &host, NULL);
    xml_open(out, "cpu");
    put_passthrough(out, "host-passthrough", "hostPassthroughMigratable");
    put_passthrough(out, "maximum", "maximumMigratable");
    put_host_model(out, &host);
    put_custom(out, &host);
    xml_close(out);
}

/* Kinds of devices in libvirt's order, each with its enums: a name and words. A bus is there for any of the disks, as
 * in libvirt: here CD-ROMs may name the others. */
static const struct DeviceRow {
    const char *name;
    gboolean supported;
    const char *enums[4][2];
} device_rows[] = {
    { "disk", TRUE, { { "diskDevice", "disk cdrom" }, { "bus", "ide scsi virtio sata" } } },
    { "graphics", FALSE, { { NULL } } },
    { "video", FALSE, { { NULL } } },
    { "hostdev", FALSE, { { NULL } } },
    { "rng", TRUE, { { "model", "virtio" }, { "backendModel", "random builtin" } } },
    { "filesystem", FALSE, { { NULL } } },
    { "tpm", FALSE, { { NULL } } },
    { "redirdev", FALSE, { { NULL } } },
    { "channel", TRUE, { { "type", "null pty dev file pipe udp tcp unix" } } },
};

static void
put_devices(XmlWriter *out)
{
    xml_open(out, "devices");
    for (gsize i = 0; i < G_N_ELEMENTS(device_rows); i++) {
        const struct DeviceRow *row = &device_rows[i];

        open_supported(out, row->name, row->supported);
        for (gsize j = 0; j < G_N_ELEMENTS(row->enums) && row->enums[j][0]; j++)
            put_enum(out, row->enums[j][0], row->enums[j][1]);
        xml_close(out);
    }
    xml_close(out);
}

static void
put_memory(XmlWriter *out)
{
    open_supported(out, "memoryBacking", TRUE);
    put_enum(out, "sourceType", "file anonymous memfd");
    xml_close(out);
}

static void
put_hyperv(XmlWriter *out)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (int i = 0; i < DOMAIN_N_HYPERV; i++) {
        const char *name = domain_hyperv_name(i);

        if (name)
            g_string_append_printf(names, names->len ? " %s" : "%s", name);
    }
    open_supported(out, "hyperv", TRUE);
    put_enum(out, "features", names->str);
    xml_close(out);
}

static void
put_domain_features(XmlWriter *out)
{
    /* What clients look for. */
    static const struct {
        const char *name;
        gboolean supported;
    } rows[] = {
        { "gic", FALSE },    { "vmcoreinfo", FALSE },
        { "genid", FALSE },  { "backingStoreInput", TRUE },
        { "backup", FALSE }, { "sev", FALSE },
        { "sgx", FALSE },
    };

    xml_open(out, "features");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        open_supported(out, rows[i].name, rows[i].supported);
        xml_close(out);
    }
    put_hyperv(out);
    xml_close(out);
}

static void
put_vcpus(XmlWriter *out)
{
    xml_open(out, "vcpu");
    xml_put_attr_uint(out, "max", DOMAIN_VCPUS_MAX);
    xml_close(out);
    open_supported(out, "iothreads", TRUE);
    xml_close(out);
}

char *
domain_capabilities_format(const DriverEnv *env, const DomainCapabilitiesQuery *query,
                           GError **error)
{
    XmlWriter *out;

    if (!check_query(query, env, error))
        return NULL;
    out = xml_writer_new();
    xml_open(out, "domainCapabilities");
    xml_put_element(out, "path", env->vmm);
    xml_put_element(out, "domain", "kvm");
    xml_put_element(out, "machine", g_strcmp0(query->machine, MICROVM) == 0 ? MICROVM : "q35");
    xml_put_element(out, "arch", ARCH);
    put_vcpus(out);
    put_os(out, env);
    put_cpu(out, env);
    put_memory(out);
    put_devices(out);
    put_domain_features(out);
    xml_close(out);
    return xml_writer_finish(out);
}
