/* A guest that runs, looked at from outside: what its process can still reach. */
#include "tests/guest/vmm-harness.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_GUEST_UID 65536u

static char *
proc_path(const Vmm *vmm, const char *name)
{
    return g_strdup_printf("/proc/%d/%s", (int)vmm_pid(vmm), name);
}

static char *
proc_read(const Vmm *vmm, const char *name)
{
    g_autofree char *path = proc_path(vmm, name);
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* The first word of the line of a status file that begins with @key; a number in base @base. */
static guint64
status_number(const char *status, const char *key, guint base)
{
    g_autofree char *line = g_strconcat("\n", key, ":\t", NULL);
    const char *at = strstr(status, line);

    if (!at)
        g_error("no '%s' in\n%s", key, status);
    return g_ascii_strtoull(at + strlen(line), NULL, base);
}

static gboolean
in_force(Vmm *vmm, const char *step)
{
    vmm_msg_auto reply = vmm_call(vmm, vmm_request(vmm, VMM_HELLO));
    const char *confined = NULL;
    g_auto(GStrv) steps = NULL;

    g_assert_true(vmm_msg_get_string(reply, "confined", &confined));
    steps = g_strsplit(confined, " ", 0);
    return g_strv_contains((const char *const *)steps, step);
}

static Vmm *
start(void)
{
    Vmm *vmm = vmm_start(2, "count 1000");

    vmm_wait_serial(vmm, ".");
    return vmm;
}

/* With root's rights everything is possible, so that in tests run by root nothing may be missing. */
static void
test_all_steps(void)
{
    static const char *const steps[] = { "oom",    "net",          "ipc",      "uts",
                                         "root",   "rlimits",      "bounding", "groups",
                                         "uid",    "capabilities", "dumpable", "no-new-privs",
                                         "seccomp" };
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *log = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start();
    log = vmm_log(vmm);
    g_assert_nonnull(strstr(log, "Confined by "));
    if (getuid() != 0 || strstr(log, "built with sanitizers")) {
        g_test_skip("needs root and a build without sanitizers");
        return;
    }
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (!in_force(vmm, steps[i]))
            g_error("'%s' is not in force; the log:\n%s", steps[i], log);
    }
}

static void
check_status(Vmm *vmm, const char *status)
{
    static const char *const sets[] = { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" };

    for (guint i = 0; i < G_N_ELEMENTS(sets); i++)
        g_assert_cmphex(status_number(status, sets[i], 16), ==, 0);
    g_assert_cmpuint(status_number(status, "NoNewPrivs", 10), ==, 1);
    if (in_force(vmm, "seccomp"))
        g_assert_cmpuint(status_number(status, "Seccomp", 10), ==, 2);
    if (in_force(vmm, "uid")) {
        g_assert_cmpuint(status_number(status, "Uid", 10), >=, FIRST_GUEST_UID);
        g_assert_cmpuint(status_number(status, "Gid", 10), ==, status_number(status, "Uid", 10));
        g_assert_nonnull(strstr(status, "\nGroups:\t \n"));
    }
}

/* Every thread: rights are a thread's, and only some are shared. */
static void
test_threads(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autoptr(GDir) tasks = NULL;
    g_autofree char *path = NULL;
    const char *task;
    guint filtered = 0;

    if (!vmm_have_kvm())
        return;
    vmm = start();
    path = proc_path(vmm, "task");
    tasks = g_dir_open(path, 0, NULL);
    g_assert_nonnull(tasks);
    while ((task = g_dir_read_name(tasks))) {
        g_autofree char *name = g_strdup_printf("task/%s/status", task);
        g_autofree char *status = proc_read(vmm, name);

        check_status(vmm, status);
        /* That of the start, and that of its role; the kernel's own helpers have what they inherit. */
        if (in_force(vmm, "seccomp") && status_number(status, "Seccomp_filters", 10) >= 2)
            filtered++;
    }
    if (in_force(vmm, "seccomp"))
        g_assert_cmpuint(filtered, >=, 3); /* main and two vCPUs */
}

static void
test_namespaces(void)
{
    static const char *const spaces[] = { "net", "ipc", "uts", "cgroup", "mnt" };
    static const char *const steps[] = { "net", "ipc", "uts", "cgroup", "root" };
    g_autoptr(Vmm) vmm = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start();
    for (guint i = 0; i < G_N_ELEMENTS(spaces); i++) {
        g_autofree char *name = g_strconcat("ns/", spaces[i], NULL);
        g_autofree char *theirs = proc_path(vmm, name);
        g_autofree char *ours = g_strconcat("/proc/self/", name, NULL);
        struct stat their, our;

        if (!in_force(vmm, steps[i]))
            continue;
        if (stat(theirs, &their) < 0) {
            g_test_skip("/proc of the guest cannot be read by this user");
            return;
        }
        g_assert_no_errno(stat(ours, &our));
        g_assert_cmpuint(their.st_ino, !=, our.st_ino);
    }
}

static void
test_root(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autoptr(GDir) dir = NULL;
    g_autofree char *path = NULL, *mounts = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start();
    path = proc_path(vmm, "root/");
    if (!in_force(vmm, "root") || !(dir = g_dir_open(path, 0, NULL))) {
        g_test_skip("no root of its own, or not to be seen by this user");
        return;
    }
    g_assert_null(g_dir_read_name(dir));
    mounts = proc_read(vmm, "mounts");
    g_assert_true(g_str_has_prefix(mounts, "none / tmpfs ro,"));
    g_assert_true(strchr(mounts, '\n') == mounts + strlen(mounts) - 1); /* and no other */
}

/* Descriptors: null devices, logs, sockets and what KVM and the loop are made of. No directory. */
static void
check_descriptor(const char *number, const char *target)
{
    static const char *const known[] = { "/dev/null", "/dev/kvm", "/memfd:", "socket:[",
                                         "anon_inode:" };
    gboolean good = g_str_has_suffix(target, "/payload.elf");

    for (guint i = 0; i < G_N_ELEMENTS(known); i++)
        good |= g_str_has_prefix(target, known[i]);
    if (!good)
        g_error("descriptor %s is '%s'", number, target);
}

static void
test_descriptors(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autoptr(GDir) dir = NULL;
    g_autofree char *path = NULL;
    const char *number;
    guint n = 0;

    if (!vmm_have_kvm())
        return;
    vmm = start();
    path = proc_path(vmm, "fd");
    if (!(dir = g_dir_open(path, 0, NULL))) {
        g_test_skip("/proc of the guest cannot be read by this user");
        return;
    }
    while ((number = g_dir_read_name(dir))) {
        g_autofree char *link = g_build_filename(path, number, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);

        g_assert_nonnull(target);
        check_descriptor(number, target);
        n++;
    }
    g_assert_cmpuint(n, <=, 40);
}

static void
test_limits(void)
{
    g_autoptr(Vmm) vmm = NULL;
    g_autofree char *limits = NULL, *score = NULL;

    if (!vmm_have_kvm())
        return;
    vmm = start();
    limits = proc_read(vmm, "limits");
    g_assert_true(g_regex_match_simple("^Max core file size +0 +0 ", limits, G_REGEX_MULTILINE, 0));
    g_assert_true(g_regex_match_simple("^Max open files +[0-9]{1,4} +[0-9]{1,4} ", limits,
                                       G_REGEX_MULTILINE, 0));
    if (in_force(vmm, "uid"))
        g_assert_true(
            g_regex_match_simple("^Max processes +1024 +1024 ", limits, G_REGEX_MULTILINE, 0));
    score = proc_read(vmm, "oom_score_adj");
    g_assert_cmpstr(score, ==, "500\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-confine/all-steps", test_all_steps);
    g_test_add_func("/guest-confine/threads", test_threads);
    g_test_add_func("/guest-confine/namespaces", test_namespaces);
    g_test_add_func("/guest-confine/root", test_root);
    g_test_add_func("/guest-confine/descriptors", test_descriptors);
    g_test_add_func("/guest-confine/limits", test_limits);
    return g_test_run();
}
