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

    env->privileged = privileged;
    if (privileged)
        system_dirs(env);
    else
        session_dirs(env);
    env->vmm = from_environment("VMCTL_VMM", VMCTL_LIBEXECDIR "/vmctl-vmm");
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
    g_free(env->kvm);
    g_free(env);
}
