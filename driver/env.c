#include "driver/env.h"

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

DriverEnv *
driver_env_new(gboolean privileged)
{
    DriverEnv *env = g_new0(DriverEnv, 1);
    g_autofree char *neighbour = NULL;

    env->privileged = privileged;
    if (privileged)
        system_dirs(env);
    else
        session_dirs(env);
    env->vmm = from_environment("VMCTL_VMM", VMCTL_LIBEXECDIR "/vmctl-vmm");
    neighbour = beside(env->vmm, "vmctl-vsock");
    env->vsock = from_environment("VMCTL_VSOCK", neighbour);
    env->firmware_dirs = firmware_dirs(privileged);
    env->kvm = from_environment("VMCTL_KVM", "/dev/kvm");
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
    g_free(env->kvm);
    g_strfreev(env->firmware_dirs);
    g_free(env);
}
