#include "driver/domain-tune.h"

#include "driver/domain-memory.h"
#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In libvirt's order of formatting. */
static const struct {
    const char *period, *quota;
    TunePart part;
} bandwidth_rows[] = {
    { "period", "quota", TUNE_VCPU },
    { "global_period", "global_quota", TUNE_GLOBAL },
    { "emulator_period", "emulator_quota", TUNE_EMULATOR },
    { "iothread_period", "iothread_quota", TUNE_IOTHREAD },
};

void
tune_device_free(TuneDevice *device)
{
    if (!device)
        return;
    g_free(device->path);
    g_free(device);
}

static GPtrArray *
device_array(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)tune_device_free);
}

void
domain_tune_init(DomainTune *tune)
{
    memset(tune, 0, sizeof(*tune));
    tune->pins = g_array_new(FALSE, TRUE, sizeof(TunePin));
    tune->devices = device_array();
}

void
domain_tune_clear(DomainTune *tune)
{
    g_clear_pointer(&tune->pins, g_array_unref);
    g_clear_pointer(&tune->devices, g_ptr_array_unref);
    g_clear_pointer(&tune->partition, g_free);
}

void
domain_tune_own(DomainTune *tune)
{
    const GPtrArray *devices = tune->devices;

    tune->pins = g_array_copy(tune->pins);
    tune->partition = g_strdup(tune->partition);
    tune->devices = device_array();
    for (guint i = 0; i < devices->len; i++) {
        const TuneDevice *device = g_ptr_array_index(devices, i);
        TuneDevice *copy = g_memdup2(device, sizeof(*device));

        copy->path = g_strdup(device->path);
        g_ptr_array_add(tune->devices, copy);
    }
}

/* Lookups */

static TunePin *
find_pin(const DomainTune *tune, guint vcpu)
{
    for (guint i = 0; i < tune->pins->len; i++) {
        TunePin *pin = &g_array_index(tune->pins, TunePin, i);

        if (pin->vcpu == vcpu)
            return pin;
    }
    return NULL;
}

CpuSet
domain_tune_vcpu_set(const DomainTune *tune, guint vcpu)
{
    const TunePin *pin = find_pin(tune, vcpu);

    return pin ? pin->cpus : tune->cpuset;
}

CpuSet
domain_tune_emulator_set(const DomainTune *tune)
{
    return cpuset_is_empty(&tune->emulator) ? tune->cpuset : tune->emulator;
}

static int
compare_pins(gconstpointer one, gconstpointer other)
{
    const TunePin *a = one, *b = other;

    return a->vcpu < b->vcpu ? -1 : a->vcpu > b->vcpu;
}

void
domain_tune_pin(DomainTune *tune, guint vcpu, const CpuSet *cpus)
{
    TunePin *pin = find_pin(tune, vcpu);
    const TunePin made = { vcpu, *cpus };

    if (pin) {
        pin->cpus = *cpus;
        return;
    }
    g_array_append_val(tune->pins, made);
    g_array_sort(tune->pins, compare_pins);
}

TuneDevice *
domain_tune_device(const DomainTune *tune, const char *path)
{
    for (guint i = 0; i < tune->devices->len; i++) {
        TuneDevice *device = g_ptr_array_index(tune->devices, i);

        if (strcmp(device->path, path) == 0)
            return device;
    }
    return NULL;
}

TuneDevice *
domain_tune_need_device(DomainTune *tune, const char *path)
{
    TuneDevice *device = domain_tune_device(tune, path);

    if (device)
        return device;
    device = g_new0(TuneDevice, 1);
    device->path = g_strdup(path);
    g_ptr_array_add(tune->devices, device);
    return device;
}

static gboolean
says_something(const TuneDevice *device)
{
    return device->weight || device->read_iops || device->write_iops || device->read_bps ||
           device->write_bps;
}

void
domain_tune_prune(DomainTune *tune)
{
    for (guint i = tune->devices->len; i > 0; i--) {
        if (!says_something(g_ptr_array_index(tune->devices, i - 1)))
            g_ptr_array_remove_index(tune->devices, i - 1);
    }
}

/* Parsing */

static gboolean
parse_number(const XmlNode *parent, const char *group, const char *name, guint64 *ret,
             GError **error)
{
    g_autofree char *text = xml_child_text(parent, name);

    if (!text || xml_parse_uint64(text, ret))
        return TRUE;
    return driver_error(error, VIR_ERR_XML_ERROR, "can't parse %s %s value", group, name);
}

/* Quotas have a sign. */
static gboolean
parse_quota(const XmlNode *parent, const char *name, gint64 *ret, GError **error)
{
    g_autofree char *text = xml_child_text(parent, name);
    char *end;
    gint64 value;

    if (!text)
        return TRUE;
    errno = 0;
    value = g_ascii_strtoll(text, &end, 10);
    if (errno || end == text || *end)
        return driver_error(error, VIR_ERR_XML_ERROR, "can't parse cputune %s value", name);
    *ret = value;
    return TRUE;
}

static gboolean
parse_cpuset(const XmlNode *node, const char *element, CpuSet *ret, GError **error)
{
    g_autofree char *text = xml_attr(node, "cpuset");

    if (!text)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "missing cpuset for %s", element);
    if (!cpuset_parse(text, ret, error))
        return FALSE;
    return !cpuset_is_empty(ret) ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Invalid value of 'cpuset': %s", text);
}

static gboolean
parse_pin(DomainTune *tune, const XmlNode *node, GError **error)
{
    TunePin pin;

    if (!xml_attr_uint(node, "vcpu", XML_REQUIRED, &pin.vcpu, error) ||
        !parse_cpuset(node, "vcpupin", &pin.cpus, error))
        return FALSE;
    if (find_pin(tune, pin.vcpu))
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "duplicate vcpupin for vcpu '%u'",
                            pin.vcpu);
    domain_tune_pin(tune, pin.vcpu, &pin.cpus);
    return TRUE;
}

static gboolean
parse_pins(DomainTune *tune, const XmlNode *node, GError **error)
{
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        if (xml_namespace(child))
            continue;
        if (strcmp(xml_name(child), "vcpupin") == 0 && !parse_pin(tune, child, error))
            return FALSE;
        if (strcmp(xml_name(child), "emulatorpin") == 0 &&
            !parse_cpuset(child, "emulatorpin", &tune->emulator, error))
            return FALSE;
    }
    return TRUE;
}

/* Without it they are the host's default; 0, which libvirt takes, is what no group can have. */
static gboolean
parse_shares(DomainTune *tune, const XmlNode *node, GError **error)
{
    if (!xml_child(node, "shares"))
        return TRUE;
    if (!parse_number(node, "cputune", "shares", &tune->shares, error))
        return FALSE;
    return tune->shares > 0 ||
           driver_error(
               error, VIR_ERR_CONFIG_UNSUPPORTED,
               "value '0' of element <shares> of <cputune> is not supported by this machine");
}

static gboolean
parse_cputune(DomainTune *tune, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "cputune");

    if (!node)
        return TRUE;
    if (!parse_shares(tune, node, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(bandwidth_rows); i++) {
        TuneBandwidth *bandwidth = &tune->bandwidth[bandwidth_rows[i].part];

        if (!parse_number(node, "cputune", bandwidth_rows[i].period, &bandwidth->period_us,
                          error) ||
            !parse_quota(node, bandwidth_rows[i].quota, &bandwidth->quota_us, error))
            return FALSE;
    }
    return parse_pins(tune, node, error);
}

/* What is as much as libvirt's "unlimited" is no limit. */
static gboolean
parse_limit(const XmlNode *node, const char *name, guint64 *ret_kib, GError **error)
{
    if (!domain_memory_parse_size(node, name, ret_kib, error))
        return FALSE;
    if (*ret_kib >= VIR_DOMAIN_MEMORY_PARAM_UNLIMITED)
        *ret_kib = 0;
    return TRUE;
}

static gboolean
parse_memtune(DomainTune *tune, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "memtune");

    return !node || (parse_limit(node, "hard_limit", &tune->hard_limit_kib, error) &&
                     parse_limit(node, "soft_limit", &tune->soft_limit_kib, error) &&
                     parse_limit(node, "swap_hard_limit", &tune->swap_hard_limit_kib, error));
}

static gboolean
parse_uint(const XmlNode *node, const char *name, guint *ret, GError **error)
{
    guint64 value = *ret;

    if (!parse_number(node, "blkiotune", name, &value, error))
        return FALSE;
    if (value > G_MAXUINT)
        return driver_error(error, VIR_ERR_XML_ERROR, "can't parse blkiotune %s value", name);
    *ret = value;
    return TRUE;
}

static gboolean
parse_device(DomainTune *tune, const XmlNode *node, GError **error)
{
    g_autofree char *path = xml_child_text(node, "path");
    TuneDevice *device;

    if (!path)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "missing per-device path");
    if (domain_tune_device(tune, path))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "duplicate blkio device path '%s'",
                            path);
    device = domain_tune_need_device(tune, path);
    return parse_uint(node, "weight", &device->weight, error) &&
           parse_uint(node, "read_iops_sec", &device->read_iops, error) &&
           parse_uint(node, "write_iops_sec", &device->write_iops, error) &&
           parse_number(node, "blkiotune", "read_bytes_sec", &device->read_bps, error) &&
           parse_number(node, "blkiotune", "write_bytes_sec", &device->write_bps, error);
}

static gboolean
parse_blkiotune(DomainTune *tune, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "blkiotune");

    if (!node)
        return TRUE;
    if (!parse_uint(node, "weight", &tune->weight, error))
        return FALSE;
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        if (!xml_namespace(child) && strcmp(xml_name(child), "device") == 0 &&
            !parse_device(tune, child, error))
            return FALSE;
    }
    domain_tune_prune(tune); /* as libvirt leaves them out */
    return TRUE;
}

static gboolean
parse_resource(DomainTune *tune, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "resource");

    if (!node)
        return TRUE;
    tune->partition = xml_child_text(node, "partition");
    return tune->partition ||
           driver_error(error, VIR_ERR_XML_ERROR, "missing resource partition attribute");
}

gboolean
domain_tune_parse(DomainTune *tune, const XmlNode *root, GError **error)
{
    const XmlNode *vcpu = xml_child(root, "vcpu");
    g_autofree char *cpuset = vcpu ? xml_attr(vcpu, "cpuset") : NULL;

    if (cpuset && !cpuset_parse(cpuset, &tune->cpuset, error))
        return FALSE;
    return parse_cputune(tune, root, error) && parse_memtune(tune, root, error) &&
           parse_blkiotune(tune, root, error) && parse_resource(tune, root, error);
}

/* Checking */

static gboolean
check_bandwidth(const DomainTune *tune, gsize row, GError **error)
{
    const TuneBandwidth *bandwidth = &tune->bandwidth[bandwidth_rows[row].part];

    if (bandwidth->period_us &&
        (bandwidth->period_us < TUNE_PERIOD_MIN || bandwidth->period_us > TUNE_PERIOD_MAX))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Value of cputune '%s' must be in range [%llu, %llu]",
                            bandwidth_rows[row].period, TUNE_PERIOD_MIN, TUNE_PERIOD_MAX);
    if (bandwidth->quota_us > 0 &&
        (bandwidth->quota_us < TUNE_QUOTA_MIN || bandwidth->quota_us > TUNE_QUOTA_MAX))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Value of cputune '%s' must be in range [%lld, %lld]",
                            bandwidth_rows[row].quota, TUNE_QUOTA_MIN, TUNE_QUOTA_MAX);
    return TRUE;
}

/* It becomes a directory below the root of the cgroups: nothing leads out of there. */
static gboolean
check_partition(const char *partition, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(partition, "/", -1);

    if (*partition != '/')
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Resource partition '%s' must start with '/'", partition);
    for (gsize i = 1; parts[i]; i++) {
        if (strcmp(parts[i], ".") == 0 || strcmp(parts[i], "..") == 0 || strchr(parts[i], '\n'))
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "Resource partition '%s' is no path of a cgroup", partition);
    }
    return TRUE;
}

gboolean
domain_tune_check(const DomainTune *tune, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bandwidth_rows); i++) {
        if (!check_bandwidth(tune, i, error))
            return FALSE;
    }
    return !tune->partition || check_partition(tune->partition, error);
}

/* Formatting */

static void
put_number(XmlWriter *out, const char *name, gint64 value)
{
    char text[24];

    if (!value)
        return;
    g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, value);
    xml_put_element(out, name, text);
}

static void
format_device(const TuneDevice *device, XmlWriter *out)
{
    xml_open(out, "device");
    xml_put_element(out, "path", device->path);
    put_number(out, "weight", device->weight);
    put_number(out, "read_iops_sec", device->read_iops);
    put_number(out, "write_iops_sec", device->write_iops);
    put_number(out, "read_bytes_sec", device->read_bps);
    put_number(out, "write_bytes_sec", device->write_bps);
    xml_close(out);
}

static void
format_blkiotune(const DomainTune *tune, XmlWriter *out)
{
    if (!tune->weight && !tune->devices->len)
        return;
    xml_open(out, "blkiotune");
    put_number(out, "weight", tune->weight);
    for (guint i = 0; i < tune->devices->len; i++)
        format_device(g_ptr_array_index(tune->devices, i), out);
    xml_close(out);
}

static void
format_limit(XmlWriter *out, const char *name, guint64 kib)
{
    char text[24];

    if (!kib)
        return;
    g_snprintf(text, sizeof(text), "%" G_GUINT64_FORMAT, kib);
    xml_open(out, name);
    xml_put_attr(out, "unit", "KiB");
    xml_put_text(out, text);
    xml_close(out);
}

static void
format_memtune(const DomainTune *tune, XmlWriter *out)
{
    if (!tune->hard_limit_kib && !tune->soft_limit_kib && !tune->swap_hard_limit_kib)
        return;
    xml_open(out, "memtune");
    format_limit(out, "hard_limit", tune->hard_limit_kib);
    format_limit(out, "soft_limit", tune->soft_limit_kib);
    format_limit(out, "swap_hard_limit", tune->swap_hard_limit_kib);
    xml_close(out);
}

void
domain_tune_format_before_memory_backing(const DomainTune *tune, XmlWriter *out)
{
    format_blkiotune(tune, out);
    format_memtune(tune, out);
}

static void
format_pins(const DomainTune *tune, XmlWriter *out)
{
    g_autofree char *emulator = cpuset_format(&tune->emulator);

    for (guint i = 0; i < tune->pins->len; i++) {
        const TunePin *pin = &g_array_index(tune->pins, TunePin, i);
        g_autofree char *text = cpuset_format(&pin->cpus);

        xml_open(out, "vcpupin");
        xml_put_attr_uint(out, "vcpu", pin->vcpu);
        xml_put_attr(out, "cpuset", text);
        xml_close(out);
    }
    if (!*emulator)
        return;
    xml_open(out, "emulatorpin");
    xml_put_attr(out, "cpuset", emulator);
    xml_close(out);
}

static gboolean
has_cputune(const DomainTune *tune, const DomainIoThreads *iothreads)
{
    for (gsize i = 0; i < TUNE_N_PARTS; i++) {
        if (tune->bandwidth[i].period_us || tune->bandwidth[i].quota_us)
            return TRUE;
    }
    return tune->shares || tune->pins->len || !cpuset_is_empty(&tune->emulator) ||
           domain_iothreads_are_tuned(iothreads);
}

void
domain_tune_format_cputune(const DomainTune *tune, const DomainIoThreads *iothreads, XmlWriter *out)
{
    if (!has_cputune(tune, iothreads))
        return;
    xml_open(out, "cputune");
    put_number(out, "shares", tune->shares);
    for (gsize i = 0; i < G_N_ELEMENTS(bandwidth_rows); i++) {
        const TuneBandwidth *bandwidth = &tune->bandwidth[bandwidth_rows[i].part];

        put_number(out, bandwidth_rows[i].period, bandwidth->period_us);
        put_number(out, bandwidth_rows[i].quota, bandwidth->quota_us);
    }
    format_pins(tune, out);
    domain_iothreads_format_pins(iothreads, out);
    domain_iothreads_format_schedules(iothreads, out);
    xml_close(out);
}

void
domain_tune_format_resource(const DomainTune *tune, XmlWriter *out)
{
    if (!tune->partition)
        return;
    xml_open(out, "resource");
    xml_put_element(out, "partition", tune->partition);
    xml_close(out);
}
