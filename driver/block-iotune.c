#include "driver/block-iotune.h"

#include "driver/alter.h"
#include "driver/device-disk.h"
#include "driver/disk.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/typed-params.h"

#define FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

/* Getting */

static void
add_values(const DiskLimits *limits, int from, int to, GVariantBuilder *out)
{
    for (int i = from; i < to; i++)
        g_variant_builder_add(out, "{sv}", disk_limit_names[i],
                              g_variant_new_uint64(limits->values[i]));
}

GVariant *
domain_block_iotune(const Domain *domain, const char *name, guint flags, GError **error)
{
    gboolean live = domain_is_active(domain) && !(flags & VIR_DOMAIN_AFFECT_CONFIG);
    const DomainDef *def;
    const Disk *disk;
    GVariantBuilder out;

    if (!driver_check_flags(flags, FLAGS | VIR_TYPED_PARAM_STRING_OKAY, "virDomainGetBlockIoTune",
                            error) ||
        !(def = domain_affected_def(domain, flags, error)))
        return NULL;
    disk = (const Disk *)device_disk_find(def->devices, name);
    if (!disk) {
        driver_error(error, VIR_ERR_INVALID_ARG,
                     live ? "No device found for specified path: %s"
                          : "disk '%s' was not found in the domain config",
                     name);
        return NULL;
    }
    g_variant_builder_init(&out, G_VARIANT_TYPE_VARDICT);
    add_values(&disk->limits, 0, DISK_LIMIT_LENGTH, &out);
    g_variant_builder_add(&out, "{sv}", VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME,
                          g_variant_new_string(disk->limits.group ? disk->limits.group : ""));
    add_values(&disk->limits, DISK_LIMIT_LENGTH, DISK_N_LIMITS, &out);
    return g_variant_builder_end(&out);
}

/* Setting */

typedef struct Wish {
    Alteration alteration;
    char *disk;
    GVariant *params;
    DomainDef *live; /* that is to be, while the VMM is told */
} Wish;

static void
wish_free(gpointer data)
{
    Wish *wish = data;

    g_free(wish->disk);
    g_variant_unref(wish->params);
    domain_def_free(wish->live);
    g_free(wish);
}

/* Families of which each parameter speaks for all: those that it leaves out are 0. */
static gboolean
speaks_of(GVariant *params, int first, int n)
{
    for (int i = first; i < first + n; i++) {
        guint64 value;

        if (typed_params_get_uint64(params, disk_limit_names[i], &value))
            return TRUE;
    }
    return FALSE;
}

static void
take_family(DiskLimits *limits, GVariant *params, int first, int n)
{
    if (!speaks_of(params, first, n))
        return;
    for (int i = first; i < first + n; i++) {
        limits->values[i] = 0;
        typed_params_get_uint64(params, disk_limit_names[i], &limits->values[i]);
    }
}

/* A length that is taken away goes back to what goes with a rate. */
static void
take_length(DiskLimits *limits, GVariant *params, int i)
{
    guint64 before = limits->values[DISK_LIMIT_LENGTH + i];

    take_family(limits, params, DISK_LIMIT_LENGTH + i, 1);
    if (before && !limits->values[DISK_LIMIT_LENGTH + i])
        limits->values[DISK_LIMIT_LENGTH + i] =
            limits->values[DISK_LIMIT_RATE + i] || limits->values[DISK_LIMIT_BURST + i];
}

static void
take_params(DiskLimits *limits, GVariant *params)
{
    const char *group;

    for (int first = DISK_LIMIT_RATE; first < DISK_LIMIT_SIZE; first += 3)
        take_family(limits, params, first, 3);
    take_family(limits, params, DISK_LIMIT_SIZE, 1);
    for (int i = 0; i < DISK_N_LIMITS - DISK_LIMIT_LENGTH; i++)
        take_length(limits, params, i);
    if (typed_params_get_text(params, VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME, &group)) {
        g_free(limits->group);
        limits->group = *group ? g_strdup(group) : NULL;
    }
    if (!disk_limits_any(limits)) /* a group of nothing */
        g_clear_pointer(&limits->group, g_free);
}

static Disk *
next_disk(const GPtrArray *devices, guint *at)
{
    while (*at < devices->len) {
        Disk *disk = g_ptr_array_index(devices, (*at)++);

        if (disk->dev.kind == &device_disk)
            return disk;
    }
    return NULL;
}

/* What is not said is as it was: in the group that the disk is to join, or else in the disk. */
static const DiskLimits *
limits_before(const GPtrArray *devices, const Disk *disk, GVariant *params)
{
    const char *group;
    const Disk *other;

    if (!typed_params_get_text(params, VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME, &group) ||
        g_strcmp0(group, disk->limits.group) == 0)
        return &disk->limits;
    for (guint at = 0; (other = next_disk(devices, &at));) {
        if (g_strcmp0(group, other->limits.group) == 0)
            return &other->limits;
    }
    return &disk->limits;
}

/* Changes the limits of @disk and those that share them. */
static gboolean
set_limits(const GPtrArray *devices, Disk *disk, GVariant *params, GError **error)
{
    DiskLimits limits = { .group = NULL };
    gboolean good;
    Disk *other;

    disk_limits_copy(&limits, limits_before(devices, disk, params));
    take_params(&limits, params);
    good = disk_limits_check(&limits, error);
    if (good)
        disk_limits_copy(&disk->limits, &limits);
    for (guint at = 0; good && limits.group && (other = next_disk(devices, &at));) {
        if (g_strcmp0(limits.group, other->limits.group) == 0)
            disk_limits_copy(&other->limits, &limits);
    }
    disk_limits_clear(&limits);
    return good;
}

static gboolean
set_config(const Alteration *alteration, DomainDef *def, GError **error)
{
    const Wish *wish = (const Wish *)alteration;
    Disk *disk = (Disk *)device_disk_find(def->devices, wish->disk);

    if (!disk)
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "missing persistent configuration for disk '%s'", wish->disk);
    return set_limits(def->devices, disk, wish->params, error);
}

/* What was asked for, by the names of libvirt's event. */
static void
tell_tunable(Domain *domain, const Wish *wish)
{
    g_autoptr(GVariant) all = NULL;
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&builder, "{sv}", VIR_DOMAIN_TUNABLE_BLKDEV_DISK,
                          g_variant_new_string(wish->disk));
    typed_params_add(&builder, "blkdeviotune.", wish->params);
    all = g_variant_ref_sink(g_variant_builder_end(&builder));
    domain_tell(domain, tunable, all);
}

static void
take_limits(GPtrArray *to, const GPtrArray *from)
{
    Disk *disk;

    for (guint at = 0; (disk = next_disk(to, &at));) {
        const Disk *new = (const Disk *)device_disk_find(from, disk->target);

        if (new)
            disk_limits_copy(&disk->limits, &new->limits);
    }
}

static gboolean
set_live(const Alteration *alteration, Domain *domain, GError **error)
{
    const Wish *wish = (const Wish *)alteration;

    take_limits(domain->live->devices, wish->live->devices);
    if (g_variant_n_children(wish->params) > 0)
        tell_tunable(domain, wish);
    return TRUE;
}

/* The others of a group hear of it in the VMM. */
static VmmMsg *
tell(Alteration *alteration, const Domain *domain, VmmLink *link, GError **error)
{
    Wish *wish = (Wish *)alteration;
    VmmMsg *request;
    Disk *disk;

    wish->live = domain_def_copy(domain->live);
    disk = (Disk *)device_disk_find(wish->live->devices, wish->disk);
    if (!disk)
        driver_error(error, VIR_ERR_INVALID_ARG, "No device found for specified path: %s",
                     wish->disk);
    if (!disk || !set_limits(wish->live->devices, disk, wish->params, error))
        return NULL;
    request = vmm_link_request(link, VMM_TELL_DEVICE);
    vmm_msg_put_string(request, "id", disk->dev.alias);
    disk_limits_put(&disk->limits, TRUE, request);
    return request;
}

static const AlterationKind kind = {
    .job = "set-block-iotune",
    .function = "virDomainSetBlockIoTune",
    .config = set_config,
    .tell = tell,
    .live = set_live,
    .free = wish_free,
};

/* Values alone. */
static gboolean
check_params(GVariant *params, GError **error)
{
    TypedParam known[DISK_N_LIMITS + 2] = { { NULL } };
    DiskLimits limits = { .group = NULL };
    const char *conflict;

    for (int i = 0; i < DISK_N_LIMITS; i++)
        known[i] = (TypedParam){ disk_limit_names[i], G_VARIANT_TYPE_UINT64 };
    known[DISK_N_LIMITS] =
        (TypedParam){ VIR_DOMAIN_BLOCK_IOTUNE_GROUP_NAME, G_VARIANT_TYPE_STRING };
    if (!typed_params_check(params, known, error))
        return FALSE;
    for (int i = 0; i < DISK_N_LIMITS; i++) {
        typed_params_get_uint64(params, disk_limit_names[i], &limits.values[i]);
        if (limits.values[i] > DISK_LIMIT_MAX)
            return driver_error(error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                                "block I/O throttle limit value must be no more than "
                                "%" G_GUINT64_FORMAT,
                                DISK_LIMIT_MAX);
    }
    conflict = disk_limits_conflict(&limits);
    return !conflict ||
           driver_error(error, VIR_ERR_INVALID_ARG,
                        "total and read/write of %s cannot be set at the same time", conflict);
}

void
domain_set_block_iotune(Domain *domain, const char *disk, GVariant *params, guint flags,
                        DomainDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;
    Wish *wish;

    if (!check_params(params, &error)) {
        done(data, error);
        return;
    }
    wish = g_new0(Wish, 1);
    wish->disk = g_strdup(disk);
    wish->alteration.kind = &kind;
    wish->params = g_variant_ref(params);
    alter(domain, &wish->alteration, flags, done, data);
}
