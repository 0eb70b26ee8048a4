#include "driver/disk-limits.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <string.h>

const char *const disk_limit_names[DISK_N_LIMITS] = {
    "total_bytes_sec",
    "read_bytes_sec",
    "write_bytes_sec",
    "total_iops_sec",
    "read_iops_sec",
    "write_iops_sec",
    "total_bytes_sec_max",
    "read_bytes_sec_max",
    "write_bytes_sec_max",
    "total_iops_sec_max",
    "read_iops_sec_max",
    "write_iops_sec_max",
    "size_iops_sec",
    "total_bytes_sec_max_length",
    "read_bytes_sec_max_length",
    "write_bytes_sec_max_length",
    "total_iops_sec_max_length",
    "read_iops_sec_max_length",
    "write_iops_sec_max_length",
};

/* Where the three of a family begin. */
static const struct {
    const char *name;
    int first;
} families[] = {
    { "bytes_sec", DISK_LIMIT_RATE },
    { "iops_sec", DISK_LIMIT_RATE + 3 },
    { "bytes_sec_max", DISK_LIMIT_BURST },
    { "iops_sec_max", DISK_LIMIT_BURST + 3 },
};

static gboolean
parse_value(const XmlNode *iotune, const char *name, guint64 *ret, GError **error)
{
    g_autofree char *text = xml_child_text(iotune, name);

    return !text || xml_parse_uint64(text, ret) ||
           driver_error(error, VIR_ERR_XML_ERROR, "disk iotune field '%s' must be an integer",
                        name);
}

gboolean
disk_limits_parse(DiskLimits *limits, const XmlNode *disk, GError **error)
{
    const XmlNode *iotune = xml_child(disk, "iotune");
    const char *conflict;

    if (!iotune)
        return TRUE;
    for (int i = 0; i < DISK_N_LIMITS; i++) {
        if (!parse_value(iotune, disk_limit_names[i], &limits->values[i], error))
            return FALSE;
    }
    limits->group = xml_child_text(iotune, "group_name");
    conflict = disk_limits_conflict(limits);
    return !conflict ||
           driver_error(error, VIR_ERR_XML_ERROR,
                        "total and read/write %s cannot be set at the same time", conflict);
}

static void
format_values(const DiskLimits *limits, int from, int to, XmlWriter *out)
{
    for (int i = from; i < to; i++) {
        g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, limits->values[i]);

        if (limits->values[i])
            xml_put_element(out, disk_limit_names[i], text);
    }
}

void
disk_limits_format(const DiskLimits *limits, XmlWriter *out)
{
    if (!disk_limits_any(limits) && !limits->group)
        return;
    xml_open(out, "iotune");
    format_values(limits, 0, DISK_LIMIT_LENGTH, out);
    xml_put_element(out, "group_name", limits->group);
    format_values(limits, DISK_LIMIT_LENGTH, DISK_N_LIMITS, out);
    xml_close(out);
}

void
disk_limits_copy(DiskLimits *to, const DiskLimits *from)
{
    g_free(to->group);
    *to = *from;
    to->group = g_strdup(from->group);
}

void
disk_limits_clear(DiskLimits *limits)
{
    g_clear_pointer(&limits->group, g_free);
}

gboolean
disk_limits_any(const DiskLimits *limits)
{
    for (int i = 0; i < DISK_N_LIMITS; i++) {
        if (limits->values[i])
            return TRUE;
    }
    return FALSE;
}

const char *
disk_limits_conflict(const DiskLimits *limits)
{
    for (gsize i = 0; i < G_N_ELEMENTS(families); i++) {
        const guint64 *three = &limits->values[families[i].first];

        if (three[0] && (three[1] || three[2]))
            return families[i].name;
    }
    return NULL;
}

/* A burst is one beyond a rate. */
static gboolean
check_burst(const DiskLimits *limits, int i, GError **error)
{
    const char *const *names = disk_limit_names;
    guint64 rate = limits->values[DISK_LIMIT_RATE + i];
    guint64 burst = limits->values[DISK_LIMIT_BURST + i];

    if (burst && !rate)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%s' cannot be set if '%s' is not set",
                            names[DISK_LIMIT_BURST + i], names[DISK_LIMIT_RATE + i]);
    if (burst && burst < rate)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%s' cannot be smaller than '%s'", names[DISK_LIMIT_BURST + i],
                            names[DISK_LIMIT_RATE + i]);
    return burst || limits->values[DISK_LIMIT_LENGTH + i] <= 1 ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value '%s' cannot be set if '%s' is not set",
                        names[DISK_LIMIT_LENGTH + i], names[DISK_LIMIT_BURST + i]);
}

gboolean
disk_limits_check(const DiskLimits *limits, GError **error)
{
    if (limits->group && !disk_limits_any(limits))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "group_name can be configured only together with settings");
    for (int i = 0; i < DISK_N_LIMITS; i++) {
        if (limits->values[i] > DISK_LIMIT_MAX)
            return driver_error(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                                "block I/O throttle limit must be no more than %" G_GUINT64_FORMAT
                                " using QEMU",
                                DISK_LIMIT_MAX);
    }
    for (int i = 0; i < DISK_LIMIT_BURST; i++) {
        if (!check_burst(limits, i, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
disk_limits_equal(const DiskLimits *a, const DiskLimits *b)
{
    return memcmp(a->values, b->values, sizeof(a->values)) == 0 &&
           g_strcmp0(a->group, b->group) == 0;
}

gboolean
disk_limits_agree(const DiskLimits *a, const DiskLimits *b)
{
    return !a->group || g_strcmp0(a->group, b->group) != 0 || disk_limits_equal(a, b);
}

void
disk_limits_put(const DiskLimits *limits, gboolean always, VmmMsg *msg)
{
    if (!always && !disk_limits_any(limits))
        return;
    vmm_msg_put_bool(msg, "limits", true);
    if (limits->group)
        vmm_msg_put_string(msg, "limits-group", limits->group);
    for (int i = 0; i < DISK_N_LIMITS; i++) {
        g_autofree char *key = g_strdelimit(g_strdup(disk_limit_names[i]), "_", '-');

        if (limits->values[i])
            vmm_msg_put_u64(msg, key, limits->values[i]);
    }
}
