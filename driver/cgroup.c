#include "driver/cgroup.h"

#include "driver/error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define PERIOD_US 100000 /* the kernel's own */
#define V1_UNLIMITED                                                                               \
    (G_MAXINT64 / 2) /* version 1 shows "no limit" as a number of pages that is nearly this */
#define V2_ALL_THREADS "cgroup.threads"

struct Cgroup {
    char *root, *path;
    gboolean v1;
};

/* By CgroupController. */
static const struct {
    const char *v1, *v2;
} controllers[] = {
    [CGROUP_CPU] = { "cpu", "cpu" },
    [CGROUP_MEMORY] = { "memory", "memory" },
    [CGROUP_IO] = { "blkio", "io" },
};

/* By CgroupValue. v2_first is used where the host has it. */
static const struct {
    CgroupController controller;
    const char *v1, *v2, *v2_first;
} files[] = {
    [CGROUP_CPU_SHARES] = { CGROUP_CPU, "cpu.shares", "cpu.weight", NULL },
    [CGROUP_MEMORY_HARD] = { CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max", NULL },
    [CGROUP_MEMORY_SOFT] = { CGROUP_MEMORY, "memory.soft_limit_in_bytes", "memory.high", NULL },
    [CGROUP_MEMORY_SWAP] = { CGROUP_MEMORY, "memory.memsw.limit_in_bytes", "memory.swap.max",
                             NULL },
    [CGROUP_IO_WEIGHT] = { CGROUP_IO, "blkio.weight", "io.weight", "io.bfq.weight" },
};

/* By CgroupRate: a file of its own in version 1, a word of io.max in version 2. */
static const struct {
    const char *v1, *v2;
} rates[] = {
    [CGROUP_READ_BYTES] = { "blkio.throttle.read_bps_device", "rbps" },
    [CGROUP_WRITE_BYTES] = { "blkio.throttle.write_bps_device", "wbps" },
    [CGROUP_READ_OPERATIONS] = { "blkio.throttle.read_iops_device", "riops" },
    [CGROUP_WRITE_OPERATIONS] = { "blkio.throttle.write_iops_device", "wiops" },
};

/* The directory of the group, or of a part of it. */
static char *
dir_of(const Cgroup *group, CgroupController controller, const char *part)
{
    return group->v1
               ? g_build_filename(group->root, controllers[controller].v1, group->path, part, NULL)
               : g_build_filename(group->root, group->path, part, NULL);
}

static char *
file_of(const Cgroup *group, CgroupController controller, const char *part, const char *name)
{
    g_autofree char *dir = dir_of(group, controller, part);

    return g_build_filename(dir, name, NULL);
}

static gboolean
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    gboolean written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int saved = errno;

    if (fd >= 0)
        close(fd);
    errno = saved;
    return written;
}

static gboolean
write_value(const char *path, const char *text, GError **error)
{
    return write_file(path, text) ||
           driver_error_errno(error, errno, "Unable to write to '%s'", path);
}

static char *
read_value(const char *path, GError **error)
{
    g_autoptr(GError) failed = NULL;
    char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, &failed)) {
        driver_error(error, VIR_ERR_SYSTEM_ERROR, "Unable to read from '%s': %s", path,
                     failed->message);
        return NULL;
    }
    return g_strchomp(text);
}

/* Making */

static gboolean
is_v2(const char *root)
{
    g_autofree char *path = g_build_filename(root, "cgroup.controllers", NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* What a group has is for it to give to those below it. Some hosts lack one, and where processes are in the
 * group itself it cannot be given: then guests do without. */
static void
enable_controllers(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "cgroup.subtree_control", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(controllers); i++) {
        g_autofree char *text = g_strconcat("+", controllers[i].v2, NULL);

        write_file(path, text);
    }
}

static gboolean
make_dir(const char *dir, GError **error)
{
    return g_mkdir(dir, 0755) == 0 || errno == EEXIST ||
           driver_error_errno(error, errno, "Failed to create cgroup '%s'", dir);
}

static gboolean
make_v2(const Cgroup *group, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(group->path, "/", -1);
    g_autofree char *dir = g_strdup(group->root);

    for (gsize i = 0; parts[i]; i++) {
        g_autofree char *parent = g_steal_pointer(&dir);

        dir = g_build_filename(parent, parts[i], NULL);
        enable_controllers(parent);
        if (!make_dir(dir, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
has_hierarchy(const Cgroup *group, CgroupController controller)
{
    g_autofree char *dir = g_build_filename(group->root, controllers[controller].v1, NULL);

    return g_file_test(dir, G_FILE_TEST_IS_DIR);
}

static gboolean
make_v1(const Cgroup *group, GError **error)
{
    gboolean any = FALSE;

    for (int i = 0; i < CGROUP_N_CONTROLLERS; i++) {
        g_autofree char *dir = dir_of(group, i, NULL);

        if (!has_hierarchy(group, i))
            continue;
        any = TRUE;
        if (g_mkdir_with_parents(dir, 0755) < 0)
            return driver_error_errno(error, errno, "Failed to create cgroup '%s'", dir);
    }
    return any || driver_error(error, VIR_ERR_OPERATION_FAILED,
                               "there are no control groups in '%s'", group->root);
}

Cgroup *
cgroup_make(const char *root, const char *path, GError **error)
{
    g_autoptr(Cgroup) group = cgroup_open(root, path);

    if (!(group->v1 ? make_v1 : make_v2)(group, error))
        return NULL;
    return g_steal_pointer(&group);
}

Cgroup *
cgroup_open(const char *root, const char *path)
{
    Cgroup *group = g_new0(Cgroup, 1);

    group->root = g_strdup(root);
    group->path = g_strdup(*path == '/' ? path + 1 : path);
    group->v1 = !is_v2(root);
    return group;
}

void
cgroup_free(Cgroup *group)
{
    if (!group)
        return;
    g_free(group->root);
    g_free(group->path);
    g_free(group);
}

Cgroup *
cgroup_of_process(const char *root, pid_t pid, const char *name)
{
    g_autofree char *file = g_strdup_printf("/proc/%d/cgroup", (int)pid);
    g_autofree char *text = NULL;
    g_autofree char *last = NULL;
    g_autofree char *around = NULL;
    g_autofree char *dir = NULL;

    if (!is_v2(root) || !g_file_get_contents(file, &text, NULL, NULL) ||
        !g_str_has_prefix(text, "0::/"))
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    last = g_path_get_basename(text);
    if (strcmp(last, name) != 0)
        return NULL;
    around = g_path_get_dirname(text + strlen("0::/"));
    dir = g_build_filename(root, around, NULL);
    enable_controllers(dir);
    return cgroup_open(root, text + strlen("0::/"));
}

const char *
cgroup_root(const Cgroup *group)
{
    return group->root;
}

const char *
cgroup_path(const Cgroup *group)
{
    return group->path;
}

gboolean
cgroup_has(const Cgroup *group, CgroupController controller)
{
    g_autofree char *path = file_of(group, controller, NULL, "cgroup.controllers");
    g_autofree char *text = NULL;
    g_auto(GStrv) words = NULL;

    if (group->v1)
        return has_hierarchy(group, controller);
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return FALSE;
    words = g_strsplit(g_strchomp(text), " ", -1);
    return g_strv_contains((const char *const *)words, controllers[controller].v2);
}

/* Directories of cgroups are removed with the files in them. */
static void
remove_dir(const char *dir)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            g_rmdir(path);
    }
    g_rmdir(dir);
}

void
cgroup_remove(const Cgroup *group)
{
    for (int i = 0; i < (group->v1 ? CGROUP_N_CONTROLLERS : 1); i++) {
        g_autofree char *dir = dir_of(group, i, NULL);

        remove_dir(dir);
    }
}

void
cgroup_remove_part(const Cgroup *group, const char *part)
{
    for (int i = 0; i < (group->v1 ? CGROUP_N_CONTROLLERS : 1); i++) {
        g_autofree char *dir = dir_of(group, i, part);

        g_rmdir(dir);
    }
}

/* Processes and threads */

gboolean
cgroup_add_process(const Cgroup *group, pid_t pid, GError **error)
{
    char text[16];

    g_snprintf(text, sizeof(text), "%d", (int)pid);
    for (int i = 0; i < (group->v1 ? CGROUP_N_CONTROLLERS : 1); i++) {
        g_autofree char *path = file_of(group, i, NULL, "cgroup.procs");

        if (group->v1 && !has_hierarchy(group, i))
            continue;
        if (!write_value(path, text, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
make_part(const Cgroup *group, const char *part, GError **error)
{
    g_autofree char *dir = dir_of(group, CGROUP_CPU, part);
    g_autofree char *type = g_build_filename(dir, "cgroup.type", NULL);
    g_autofree char *control = file_of(group, CGROUP_CPU, NULL, "cgroup.subtree_control");

    if (g_file_test(dir, G_FILE_TEST_IS_DIR))
        return TRUE;
    if (!make_dir(dir, error))
        return FALSE;
    return group->v1 ||
           (write_value(type, "threaded", error) && write_value(control, "+cpu", error));
}

gboolean
cgroup_add_thread(const Cgroup *group, const char *part, pid_t tid, GError **error)
{
    g_autofree char *path = file_of(group, CGROUP_CPU, part, group->v1 ? "tasks" : V2_ALL_THREADS);
    char text[16];

    g_snprintf(text, sizeof(text), "%d", (int)tid);
    return make_part(group, part, error) && write_value(path, text, error);
}

/* Values */

static char *
value_path(const Cgroup *group, CgroupValue value)
{
    CgroupController controller = files[value].controller;
    g_autofree char *first = NULL;

    if (group->v1)
        return file_of(group, controller, NULL, files[value].v1);
    first = files[value].v2_first ? file_of(group, controller, NULL, files[value].v2_first) : NULL;
    if (first && g_file_test(first, G_FILE_TEST_EXISTS))
        return g_steal_pointer(&first);
    return file_of(group, controller, NULL, files[value].v2);
}

/* Version 2 counts swap alone. */
static gboolean
without_memory(const Cgroup *group, guint64 *number, GError **error)
{
    guint64 memory;

    if (*number == CGROUP_UNLIMITED)
        return TRUE;
    if (!cgroup_get(group, CGROUP_MEMORY_HARD, &memory, error))
        return FALSE;
    if (memory > *number)
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "memory hard_limit tunable value must be lower than or equal to "
                            "swap_hard_limit");
    *number -= memory;
    return TRUE;
}

gboolean
cgroup_set(const Cgroup *group, CgroupValue value, guint64 number, GError **error)
{
    g_autofree char *path = value_path(group, value);
    g_autofree char *text = NULL;

    if (!group->v1 && value == CGROUP_MEMORY_SWAP && !without_memory(group, &number, error))
        return FALSE;
    if (number == CGROUP_UNLIMITED)
        return write_value(path, group->v1 ? "-1" : "max", error);
    text = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    return write_value(path, text, error);
}

static guint64
parse_number(const Cgroup *group, const char *text)
{
    const char *digits = g_str_has_prefix(text, "default ") ? text + strlen("default ") : text;
    guint64 number = g_ascii_strtoull(digits, NULL, 10);

    if (g_str_has_prefix(text, "max") || (group->v1 && number > V1_UNLIMITED))
        return CGROUP_UNLIMITED;
    return number;
}

gboolean
cgroup_get(const Cgroup *group, CgroupValue value, guint64 *ret, GError **error)
{
    g_autofree char *path = value_path(group, value);
    g_autofree char *text = read_value(path, error);
    guint64 number, memory;

    if (!text)
        return FALSE;
    number = parse_number(group, text);
    if (!group->v1 && value == CGROUP_MEMORY_SWAP && number != CGROUP_UNLIMITED) {
        if (!cgroup_get(group, CGROUP_MEMORY_HARD, &memory, error))
            return FALSE;
        number = memory == CGROUP_UNLIMITED ? CGROUP_UNLIMITED : number + memory;
    }
    *ret = number;
    return TRUE;
}

/* CPU time */

static gboolean
read_number(const Cgroup *group, const char *part, const char *name, gint64 *ret, GError **error)
{
    g_autofree char *path = file_of(group, CGROUP_CPU, part, name);
    g_autofree char *text = read_value(path, error);

    if (!text)
        return FALSE;
    *ret = g_ascii_strtoll(text, NULL, 10);
    return TRUE;
}

static gboolean
write_number(const Cgroup *group, const char *part, const char *name, gint64 number, GError **error)
{
    g_autofree char *path = file_of(group, CGROUP_CPU, part, name);
    char text[24];

    g_snprintf(text, sizeof(text), "%" G_GINT64_FORMAT, number);
    return write_value(path, text, error);
}

static gboolean
part_exists(const Cgroup *group, const char *part)
{
    g_autofree char *dir = dir_of(group, CGROUP_CPU, part);

    return g_file_test(dir, G_FILE_TEST_IS_DIR);
}

/* "max 100000" */
static gboolean
get_bandwidth_v2(const Cgroup *group, const char *part, guint64 *ret_period_us,
                 gint64 *ret_quota_us, GError **error)
{
    g_autofree char *path = file_of(group, CGROUP_CPU, part, "cpu.max");
    g_autofree char *text = read_value(path, error);
    const char *space = text ? strchr(text, ' ') : NULL;

    if (!text)
        return FALSE;
    *ret_quota_us = g_str_has_prefix(text, "max") ? -1 : g_ascii_strtoll(text, NULL, 10);
    *ret_period_us = space ? g_ascii_strtoull(space + 1, NULL, 10) : PERIOD_US;
    return TRUE;
}

gboolean
cgroup_get_bandwidth(const Cgroup *group, const char *part, guint64 *ret_period_us,
                     gint64 *ret_quota_us, GError **error)
{
    gint64 period;

    if (part && !part_exists(group, part)) {
        *ret_period_us = PERIOD_US;
        *ret_quota_us = -1;
        return TRUE;
    }
    if (!group->v1)
        return get_bandwidth_v2(group, part, ret_period_us, ret_quota_us, error);
    if (!read_number(group, part, "cpu.cfs_period_us", &period, error) ||
        !read_number(group, part, "cpu.cfs_quota_us", ret_quota_us, error))
        return FALSE;
    *ret_period_us = period;
    return TRUE;
}

static gboolean
set_bandwidth_v2(const Cgroup *group, const char *part, guint64 period_us, gint64 quota_us,
                 GError **error)
{
    g_autofree char *path = file_of(group, CGROUP_CPU, part, "cpu.max");
    g_autofree char *text =
        quota_us < 0
            ? g_strdup_printf("max %" G_GUINT64_FORMAT, period_us)
            : g_strdup_printf("%" G_GINT64_FORMAT " %" G_GUINT64_FORMAT, quota_us, period_us);

    return write_value(path, text, error);
}

gboolean
cgroup_set_bandwidth(const Cgroup *group, const char *part, guint64 period_us, gint64 quota_us,
                     GError **error)
{
    guint64 old_period = PERIOD_US;
    gint64 old_quota = -1;

    if (group->v1)
        return (!period_us || write_number(group, part, "cpu.cfs_period_us", period_us, error)) &&
               (!quota_us || write_number(group, part, "cpu.cfs_quota_us", quota_us, error));
    if (!period_us || !quota_us)
        cgroup_get_bandwidth(group, part, &old_period, &old_quota, NULL);
    return set_bandwidth_v2(group, part, period_us ? period_us : old_period,
                            quota_us ? quota_us : old_quota, error);
}

/* "usage_usec 12\nuser_usec 7\nsystem_usec 5\n..." */
static guint64
stat_of(const char *text, const char *key)
{
    const char *at = g_str_has_prefix(text, key) ? text : strstr(text, key);

    return at ? g_ascii_strtoull(at + strlen(key), NULL, 10) * 1000 : 0;
}

gboolean
cgroup_cpu_time(const Cgroup *group, guint64 *ret_total_ns, guint64 *ret_user_ns,
                guint64 *ret_system_ns, GError **error)
{
    g_autofree char *path = file_of(group, CGROUP_CPU, NULL, "cpu.stat");
    g_autofree char *text = NULL;

    if (group->v1)
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "cgroup CPUACCT controller is not mounted");
    text = read_value(path, error);
    if (!text)
        return FALSE;
    *ret_total_ns = stat_of(text, "usage_usec ");
    *ret_user_ns = stat_of(text, "\nuser_usec ");
    *ret_system_ns = stat_of(text, "\nsystem_usec ");
    return TRUE;
}

/* Disks */

gboolean
cgroup_set_rate(const Cgroup *group, dev_t disk, CgroupRate rate, guint64 number, GError **error)
{
    g_autofree char *path = file_of(group, CGROUP_IO, NULL, group->v1 ? rates[rate].v1 : "io.max");
    g_autofree char *text = NULL;

    if (group->v1)
        text = g_strdup_printf("%u:%u %" G_GUINT64_FORMAT, major(disk), minor(disk), number);
    else if (number)
        text = g_strdup_printf("%u:%u %s=%" G_GUINT64_FORMAT, major(disk), minor(disk),
                               rates[rate].v2, number);
    else
        text = g_strdup_printf("%u:%u %s=max", major(disk), minor(disk), rates[rate].v2);
    return write_value(path, text, error);
}

gboolean
cgroup_set_disk_weight(const Cgroup *group, dev_t disk, guint weight, GError **error)
{
    g_autofree char *usual = value_path(group, CGROUP_IO_WEIGHT);
    g_autofree char *path =
        group->v1 ? file_of(group, CGROUP_IO, NULL, "blkio.weight_device") : g_strdup(usual);
    g_autofree char *text = NULL;

    if (!group->v1 && weight == 0)
        text = g_strdup_printf("%u:%u default", major(disk), minor(disk));
    else
        text = g_strdup_printf("%u:%u %u", major(disk), minor(disk), weight);
    return write_value(path, text, error);
}
