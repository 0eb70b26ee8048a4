#include "driver/snapshot-def.h"

const char *const snapshot_state_words[] = {
    [SNAPSHOT_NOSTATE] = "nostate",         [SNAPSHOT_RUNNING] = "running",
    [SNAPSHOT_BLOCKED] = "blocked",         [SNAPSHOT_PAUSED] = "paused",
    [SNAPSHOT_SHUTDOWN] = "shutdown",       [SNAPSHOT_SHUTOFF] = "shutoff",
    [SNAPSHOT_CRASHED] = "crashed",         [SNAPSHOT_PMSUSPENDED] = "pmsuspended",
    [SNAPSHOT_DISK_ONLY] = "disk-snapshot", NULL,
};

const char *const snapshot_location_words[] = {
    [SNAPSHOT_UNSAID] = "default",    [SNAPSHOT_NO] = "no",
    [SNAPSHOT_INTERNAL] = "internal", [SNAPSHOT_EXTERNAL] = "external",
    [SNAPSHOT_MANUAL] = "manual",     NULL,
};

const char *const snapshot_type_words[] = { "file", "block", NULL };

SnapshotDef *
snapshot_def_new(void)
{
    SnapshotDef *def = g_new0(SnapshotDef, 1);

    def->disks = g_ptr_array_new_with_free_func((GDestroyNotify)snapshot_disk_free);
    return def;
}

void
snapshot_def_free(SnapshotDef *def)
{
    if (!def)
        return;
    g_free(def->name);
    g_free(def->description);
    g_free(def->parent);
    g_free(def->memory_file);
    g_ptr_array_unref(def->disks);
    domain_def_free(def->domain);
    domain_def_free(def->inactive);
    g_free(def);
}

SnapshotDisk *
snapshot_disk_new(const char *name)
{
    SnapshotDisk *disk = g_new0(SnapshotDisk, 1);

    disk->name = g_strdup(name);
    return disk;
}

void
snapshot_disk_free(SnapshotDisk *disk)
{
    if (!disk)
        return;
    g_free(disk->name);
    g_free(disk->format);
    g_free(disk->path);
    g_free(disk);
}

gboolean
snapshot_def_is_external(const SnapshotDef *def)
{
    if (def->memory == SNAPSHOT_EXTERNAL)
        return TRUE;
    for (guint i = 0; i < def->disks->len; i++) {
        const SnapshotDisk *disk = g_ptr_array_index(def->disks, i);

        if (disk->location == SNAPSHOT_EXTERNAL)
            return TRUE;
    }
    return FALSE;
}

gboolean
snapshot_def_runs(const SnapshotDef *def)
{
    return def->state == SNAPSHOT_RUNNING || def->state == SNAPSHOT_PAUSED;
}
