#include "driver/env.h"

#include <string.h>
#include <unistd.h>

#define CGROUPS "/sys/fs/cgroup"

static void
system_dirs(DriverEnv *env)
{
    env->config_dir = g_strdup(VMCTL_SYSCONFDIR "/vmctl");
    env->run_dir = g_strdup("/run/vmctl");
    env->state_dir = g_strdup(VMCTL_LOCALSTATEDIR "/lib/vmctl");
    env->log_dir = g_strdup(VMCTL_LOCALSTATEDIR "/log/vmctl");
}

static void
session_dirs(DriverEnv *env)
{
    env->config_dir = g_build_filename(g_get_user_config_dir(), "vmctl", NULL);
    env->run_dir = g_build_filename(g_get_user_runtime_dir(), "vmctl", NULL);
    env->state_dir = g_build_filename(g_get_user_data_dir(), "vmctl", NULL);
    env->log_dir = g_build_filename(g_get_user_cache_dir(), "vmctl", "log", NULL);
}

/* As QEMU's docs/interop/firmware.json has them: the user's own, the administrator's, those of packages. */
static char **
firmware_dirs(gboolean privileged)
{
    const char *given = g_getenv("VMCTL_FIRMWARE_DIRS");
    g_autofree char *own = g_build_filename(g_get_user_config_dir(), "qemu", "firmware", NULL);
    const char *const usual[] = { own, "/etc/qemu/firmware", "/usr/share/qemu/firmware", NULL };

    return given ? g_strsplit(given, ":", -1) : g_strdupv((char **)usual + (privileged ? 1 : 0));
}

/* A session's guests live beside its daemon, where the user may make cgroups: in what systemd delegated to the
 * user's own manager. Processes can go nowhere else anyway. */
static char *
session_cgroup(void)
{
    g_autofree char *text = NULL;
    g_autofree char *parent = NULL;
    g_autofree char *dir = NULL;
    const char *line;

    if (!g_file_get_contents("/proc/self/cgroup", &text, NULL, NULL) ||
        !(line = g_str_has_prefix(text, "0::") ? text : strstr(text, "\n0::")))
        return NULL;
    line = strchr(line, '/');
    if (!line)
        return NULL;
    g_strdelimit(text, "\n", '\0');
    parent = g_path_get_dirname(line);
    dir = g_build_filename(CGROUPS, parent, NULL);
    return access(dir, W_OK) == 0 && strcmp(parent, "/") != 0 ? g_steal_pointer(&dir) : NULL;
}

static char *
cgroup_root(gboolean privileged)
{
    const char *given = g_getenv("VMCTL_CGROUP");

    if (given)
        return g_strdup(given);
    return privileged ? g_strdup(CGROUPS) : session_cgroup();
}

static char *
beside(const char *program, const char *name)
{
    g_autofree char *dir = g_path_get_dirname(program);

    return g_build_filename(dir, name, NULL);
}

static char *
from_environment(const char *name, const char *usual)
{
    const char *value = g_getenv(name);

    return g_strdup(value && *value ? value : usual);
}

static char *
schemas(void)
{
    return from_environment("VMCTL_SCHEMAS", VMCTL_DATADIR "/schemas");
}

DriverEnv *
driver_env_new(gboolean privileged)
{
    DriverEnv *env = g_new0(DriverEnv, 1);
    g_autofree char *vsock = NULL, *connect = NULL;

    env->name = "QEMU";
    env->privileged = privileged;
    if (privileged)
        system_dirs(env);
    else
        session_dirs(env);
    env->vmm = from_environment("VMCTL_VMM", VMCTL_LIBEXECDIR "/vmctl-vmm");
    vsock = beside(env->vmm, "vmctl-vsock");
    env->vsock = from_environment("VMCTL_VSOCK", vsock);
    connect = beside(env->vmm, "vmctl-connect");
    env->connect = from_environment("VMCTL_CONNECT", connect);
    env->firmware_dirs = firmware_dirs(privileged);
    env->cgroup_root = cgroup_root(privileged);
    env->schema_dir = schemas();
    env->kvm = from_environment("VMCTL_KVM", "/dev/kvm");
    return env;
}

DriverEnv *
driver_env_new_test(void)
{
    DriverEnv *env = g_new0(DriverEnv, 1);

    env->name = "Test";
    env->simulated = TRUE;
    env->schema_dir = schemas();
    return env;
}

void
driver_env_free(DriverEnv *env)
{
    if (!env)
        return;
    g_free(env->config_dir);
    g_free(env->run_dir);
    g_free(env->state_dir);
    g_free(env->log_dir);
    g_free(env->vmm);
    g_free(env->vsock);
    g_free(env->connect);
    g_free(env->schema_dir);
    g_free(env->kvm);
    g_free(env->cgroup_root);
    g_strfreev(env->firmware_dirs);
    g_free(env);
}
