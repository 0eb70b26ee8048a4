#include "driver/cpu-archs.h"

#include "driver/cpu-models.h"
#include "driver/error.h"

#include <string.h>

static const char *const our_archs[] = { "x86_64", "i686", NULL };

/* Others: libvirt compares no CPUs of these. */
static const char *const named_archs[] = {
    "alpha",  "cris",   "ia64",     "lm32",     "m68k",   "microblaze", "microblazeel",
    "mips",   "mipsel", "mips64",   "mips64el", "openrisc", "parisc",   "parisc64",
    "ppc",    "ppcemb", "riscv32",  "riscv64",  "sh4",    "sh4eb",      "sparc",
    "sparc64", "unicore32", "xtensa", "xtensaeb", NULL,
};

static const char *const any_model[] = { NULL };
static const char *const power_models[] = { "POWER6",  "POWER7",        "POWER8",        "POWER9",
                                            "POWER10", "POWERPC_e5500", "POWERPC_e6500", NULL };

/* And of these it does. */
static const struct {
    const char *name;
    const char *const *models;
} compared_archs[] = {
    { "aarch64", any_model },   { "armv6l", any_model },     { "armv7b", any_model },
    { "armv7l", any_model },    { "ppc64", power_models },   { "ppc64le", power_models },
    { "s390", any_model },      { "s390x", any_model },
};

gboolean
cpu_arch_is_ours(const char *arch)
{
    return g_strv_contains(our_archs, arch);
}

static const char *const *
models_of(const char *arch)
{
    for (gsize i = 0; i < G_N_ELEMENTS(compared_archs); i++) {
        if (strcmp(compared_archs[i].name, arch) == 0)
            return compared_archs[i].models;
    }
    return NULL;
}

gboolean
cpu_arch_is_known(const char *arch)
{
    return cpu_arch_is_ours(arch) || models_of(arch) || g_strv_contains(named_archs, arch);
}

static char **
our_models(void)
{
    GPtrArray *names = g_ptr_array_new();

    for (gsize i = 0; i < cpu_n_models; i++)
        g_ptr_array_add(names, g_strdup(cpu_models[i].name));
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

char **
cpu_arch_models(const char *arch, GError **error)
{
    const char *const *models = models_of(arch);

    if (cpu_arch_is_ours(arch))
        return our_models();
    if (models)
        return g_strdupv((char **)models);
    if (cpu_arch_is_known(arch))
        driver_error(error, VIR_ERR_NO_SUPPORT, "'%s' architecture is not supported by CPU driver",
                     arch);
    else
        driver_error(error, VIR_ERR_INVALID_ARG, "cannot find architecture %s", arch);
    return NULL;
}
