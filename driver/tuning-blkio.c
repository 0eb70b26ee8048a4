/* tuning-blkio: how much of the host's disks a guest may use. What there is about single disks travels as one
 * text each: "/dev/sda,500,/dev/sdb,200".
 */
#include "driver/error.h"
#include "driver/guest-limits.h"
#include "driver/tuning-private.h"

static guint64
weight_of(const TuneDevice *device)
{
    return device->weight;
}

static guint64
read_iops_of(const TuneDevice *device)
{
    return device->read_iops;
}

static guint64
write_iops_of(const TuneDevice *device)
{
    return device->write_iops;
}

static guint64
read_bps_of(const TuneDevice *device)
{
    return device->read_bps;
}

static guint64
write_bps_of(const TuneDevice *device)
{
    return device->write_bps;
}

static void
put_weight(TuneDevice *device, guint64 value)
{
    device->weight = value;
}

static void
put_read_iops(TuneDevice *device, guint64 value)
{
    device->read_iops = value;
}

static void
put_write_iops(TuneDevice *device, guint64 value)
{
    device->write_iops = value;
}

static void
put_read_bps(TuneDevice *device, guint64 value)
{
    device->read_bps = value;
}

static void
put_write_bps(TuneDevice *device, guint64 value)
{
    device->write_bps = value;
}

#define NO_RATE (-1)

/* In libvirt's order. */
static const struct {
    const char *name;
    int rate; /* CgroupRate; NO_RATE: the weight */
    guint64 max;
    guint64 (*get)(const TuneDevice *device);
    void (*put)(TuneDevice *device, guint64 value);
} rows[] = {
    { VIR_DOMAIN_BLKIO_DEVICE_WEIGHT, NO_RATE, G_MAXUINT, weight_of, put_weight },
    { VIR_DOMAIN_BLKIO_DEVICE_READ_IOPS, CGROUP_READ_OPERATIONS, G_MAXUINT, read_iops_of,
      put_read_iops },
    { VIR_DOMAIN_BLKIO_DEVICE_WRITE_IOPS, CGROUP_WRITE_OPERATIONS, G_MAXUINT, write_iops_of,
      put_write_iops },
    { VIR_DOMAIN_BLKIO_DEVICE_READ_BPS, CGROUP_READ_BYTES, G_MAXUINT64, read_bps_of, put_read_bps },
    { VIR_DOMAIN_BLKIO_DEVICE_WRITE_BPS, CGROUP_WRITE_BYTES, G_MAXUINT64, write_bps_of,
      put_write_bps },
};

static const TypedParam params[] = {
    { VIR_DOMAIN_BLKIO_WEIGHT, G_VARIANT_TYPE_UINT32 },
    { VIR_DOMAIN_BLKIO_DEVICE_WEIGHT, G_VARIANT_TYPE_STRING },
    { VIR_DOMAIN_BLKIO_DEVICE_READ_IOPS, G_VARIANT_TYPE_STRING },
    { VIR_DOMAIN_BLKIO_DEVICE_WRITE_IOPS, G_VARIANT_TYPE_STRING },
    { VIR_DOMAIN_BLKIO_DEVICE_READ_BPS, G_VARIANT_TYPE_STRING },
    { VIR_DOMAIN_BLKIO_DEVICE_WRITE_BPS, G_VARIANT_TYPE_STRING },
    { NULL },
};

/* Calls @take with each pair of @text; FALSE where it is not made of pairs, or @take says so. */
typedef gboolean (*Take)(gpointer data, gsize row, const char *path, guint64 value, GError **error);

static gboolean
for_each_pair(const char *text, gsize row, Take take, gpointer data, GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);

    for (gsize i = 0; words[i]; i += 2) {
        guint64 value;

        if (!*words[i] || !words[i + 1] ||
            !g_ascii_string_to_unsigned(words[i + 1], 10, 0, rows[row].max, &value, NULL))
            return driver_error(error, VIR_ERR_INVALID_ARG,
                                "unable to parse blkio device '%s' '%s'", rows[row].name, text);
        if (!take(data, row, words[i], value, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
for_each(GVariant *values, Take take, gpointer data, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *text;

        if (typed_params_get_text(values, rows[i].name, &text) && *text &&
            !for_each_pair(text, i, take, data, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
take_nothing(gpointer data, gsize row, const char *path, guint64 value, GError **error)
{
    return TRUE;
}

static gboolean
check(GVariant *values, GError **error)
{
    return for_each(values, take_nothing, NULL, error);
}

static gboolean
set_pair(gpointer room, gsize row, const char *path, guint64 value, GError **error)
{
    dev_t disk;

    return guest_limits_disk(path, &disk, error) &&
           (rows[row].rate == NO_RATE ? cgroup_set_disk_weight(room, disk, value, error)
                                      : cgroup_set_rate(room, disk, rows[row].rate, value, error));
}

static gboolean
set_live(const Domain *domain, GVariant *values, GError **error)
{
    const Cgroup *room = guest_room(domain->guest);
    guint weight;

    if (typed_params_get_uint(values, VIR_DOMAIN_BLKIO_WEIGHT, &weight) &&
        !cgroup_set(room, CGROUP_IO_WEIGHT, weight, error))
        return FALSE;
    return for_each(values, set_pair, (gpointer)room, error);
}

static gboolean
note_pair(gpointer tune, gsize row, const char *path, guint64 value, GError **error)
{
    rows[row].put(domain_tune_need_device(tune, path), value);
    return TRUE;
}

static void
set_def(DomainTune *tune, GVariant *values)
{
    typed_params_get_uint(values, VIR_DOMAIN_BLKIO_WEIGHT, &tune->weight);
    for_each(values, note_pair, tune, NULL);
    domain_tune_prune(tune);
}

static void
add_devices(const DomainTune *tune, GVariantBuilder *out)
{
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) text = g_string_new(NULL);

        for (guint j = 0; j < tune->devices->len; j++) {
            const TuneDevice *device = g_ptr_array_index(tune->devices, j);

            if (rows[i].get(device))
                g_string_append_printf(text, "%s%s,%" G_GUINT64_FORMAT, text->len ? "," : "",
                                       device->path, rows[i].get(device));
        }
        g_variant_builder_add(out, "{sv}", rows[i].name, g_variant_new_string(text->str));
    }
}

static void
add_weight(GVariantBuilder *out, guint weight)
{
    g_variant_builder_add(out, "{sv}", VIR_DOMAIN_BLKIO_WEIGHT, g_variant_new_uint32(weight));
}

/* Some hosts have the controller without weights: then it is the definition's. */
static gboolean
get_live(const Domain *domain, GVariantBuilder *out, GError **error)
{
    const DomainTune *tune = &domain->live->tune;
    guint64 weight = tune->weight;

    cgroup_get(guest_room(domain->guest), CGROUP_IO_WEIGHT, &weight, NULL);
    add_weight(out, weight);
    add_devices(tune, out);
    return TRUE;
}

static void
get_def(const DomainTune *tune, GVariantBuilder *out)
{
    add_weight(out, tune->weight);
    add_devices(tune, out);
}

const Tuning tuning_blkio = {
    .job = "set-block-io",
    .get_name = "virDomainGetBlkioParameters",
    .set_name = "virDomainSetBlkioParameters",
    .session = "Block I/O tuning is not available in session mode",
    .absent = "blkio cgroup isn't mounted",
    .controller = CGROUP_IO,
    .params = params,
    .check = check,
    .set_live = set_live,
    .set_def = set_def,
    .get_live = get_live,
    .get_def = get_def,
};
