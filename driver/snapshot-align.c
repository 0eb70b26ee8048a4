/* snapshot-align: <disks> of a snapshot beside the disks that the domain has. */
#include "driver/snapshot-def.h"

#include "driver/device-disk.h"
#include "driver/error.h"

#include <string.h>
#include <sys/stat.h>

typedef struct Aligning {
    const DomainDef *domain;
    SnapshotLocation location; /* where nothing else is said */
    gboolean uniform;          /* no disk may be anywhere else */
    GHashTable *asked;         /* target -> SnapshotDisk of the document */
} Aligning;

/* What the disk's own document says, where that may be. */
static SnapshotLocation
location_of(const Aligning *to, const Device *dev)
{
    const char *said = device_disk_snapshot(dev);

    for (int i = SNAPSHOT_UNSAID; said && snapshot_location_words[i]; i++) {
        if (strcmp(snapshot_location_words[i], said) == 0)
            return i;
    }
    return to->location;
}

static gboolean
check_location(const Aligning *to, const Device *dev, SnapshotDisk *disk, GError **error)
{
    if (disk->location == SNAPSHOT_UNSAID)
        disk->location = to->uniform ? to->location : location_of(to, dev);
    if (to->uniform && disk->location != to->location)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "disk '%s' must use snapshot mode '%s'", disk->name,
                            snapshot_location_words[to->location]);
    if (disk->path && disk->location != SNAPSHOT_EXTERNAL)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "file '%s' for disk '%s' requires use of external snapshot mode",
                            disk->path, disk->name);
    return TRUE;
}

static gboolean
take_asked(Aligning *to, SnapshotDisk *disk, GError **error)
{
    const Device *dev = device_disk_find(to->domain->devices, disk->name);
    const char *target = dev ? device_disk_target(dev) : NULL;

    if (!target)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "no disk named '%s'", disk->name);
    if (!g_hash_table_insert(to->asked, (gpointer)target, disk))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s' specified twice",
                            disk->name);
    if (!check_location(to, dev, disk, error))
        return FALSE;
    g_free(disk->name);
    disk->name = g_strdup(target);
    return TRUE;
}

/* A drive without a medium has nothing to keep. */
static SnapshotDisk *
disk_of(const Aligning *to, const Device *dev)
{
    SnapshotDisk *disk = g_hash_table_lookup(to->asked, device_disk_target(dev));

    if (disk)
        return disk;
    disk = snapshot_disk_new(device_disk_target(dev));
    disk->location = device_disk_source(dev) ? location_of(to, dev) : SNAPSHOT_NO;
    return disk;
}

/* A name for a file that is made beside the disk's own. */
static char *
external_path(const SnapshotDisk *disk, const char *name, const char *source, GError **error)
{
    g_autofree char *stem = g_strdup(source);
    char *dot = source ? strrchr(stem, '.') : NULL;
    struct stat st;

    if (disk->type != SNAPSHOT_TYPE_FILE)
        driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                     "cannot generate external snapshot name for disk '%s' on a '%s' device",
                     disk->name, snapshot_type_words[disk->type]);
    else if (!source)
        driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                     "cannot generate external snapshot name for disk '%s' without source",
                     disk->name);
    else if (stat(source, &st) < 0 || !S_ISREG(st.st_mode))
        driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                     "source for disk '%s' is not a regular file; refusing to generate external "
                     "snapshot name",
                     disk->name);
    else {
        if (dot && !strchr(dot, '/'))
            *dot = '\0';
        return g_strconcat(stem, ".", name, NULL);
    }
    return NULL;
}

static gboolean
check_collision(const SnapshotDef *def, const SnapshotDisk *disk, GError **error)
{
    for (guint i = 0; i < def->disks->len; i++) {
        const SnapshotDisk *other = g_ptr_array_index(def->disks, i);

        if (other == disk)
            break;
        if (g_strcmp0(other->path, disk->path) == 0)
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "cannot generate external snapshot name for disk '%s': collision "
                                "with disk '%s'",
                                disk->name, other->name);
    }
    return TRUE;
}

static gboolean
name_files(SnapshotDef *def, const DomainDef *domain, GError **error)
{
    for (guint i = 0; i < def->disks->len; i++) {
        SnapshotDisk *disk = g_ptr_array_index(def->disks, i);
        const Device *dev = device_disk_find(domain->devices, disk->name);

        if (disk->location != SNAPSHOT_EXTERNAL || disk->path)
            continue;
        disk->path = external_path(disk, def->name, device_disk_source(dev), error);
        if (!disk->path || !check_collision(def, disk, error))
            return FALSE;
    }
    return TRUE;
}

static GPtrArray *
disks_of(const DomainDef *domain)
{
    GPtrArray *disks = g_ptr_array_new();

    for (guint i = 0; i < domain->devices->len; i++) {
        Device *dev = g_ptr_array_index(domain->devices, i);

        if (device_disk_target(dev))
            g_ptr_array_add(disks, dev);
    }
    return disks;
}

/* As many as there are rows: what was asked for moves into the rows. */
static gboolean
align(SnapshotDef *def, Aligning *to, const GPtrArray *disks, GError **error)
{
    g_autoptr(GPtrArray) asked = g_steal_pointer(&def->disks);

    def->disks = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_disk_free);
    for (guint i = 0; i < asked->len; i++) {
        if (!take_asked(to, g_ptr_array_index(asked, i), error))
            return FALSE;
    }
    g_ptr_array_set_free_func(asked, NULL);
    for (guint i = 0; i < disks->len; i++)
        g_ptr_array_add(def->disks, disk_of(to, g_ptr_array_index(disks, i)));
    return TRUE;
}

gboolean
snapshot_def_align(SnapshotDef *def, const DomainDef *domain, SnapshotLocation location,
                   gboolean uniform, GError **error)
{
    g_autoptr(GHashTable) asked = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) disks = disks_of(domain);
    Aligning to = {
        .domain = domain,
        .location = location,
        .uniform = uniform && location == SNAPSHOT_INTERNAL,
        .asked = asked,
    };

    if (def->disks->len > disks->len)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "too many disk snapshot requests for domain");
    return align(def, &to, disks, error) && name_files(def, domain, error);
}
