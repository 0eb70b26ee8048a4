#include "driver/domain-firmware.h"

#include "driver/boot-order.h"
#include "driver/error.h"
#include "driver/firmware.h"
#include "driver/image-lock.h"
#include "driver/store.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COM1          0x3f8
#define VARIABLES_MAX (16u << 20) /* of the room that flash has */
#define MENU_MS       2500        /* SeaBIOS' own */

#define VOLUME_SIGNATURE_AT 40

static const int no_wishes[DOMAIN_N_FIRMWARE_FEATURES] = { -1, -1 };

static gboolean
find(const DomainOs *os, const DriverEnv *env, int kind, FirmwareImage *ret, GError **error)
{
    const FirmwareWish wish = {
        .kind = kind,
        .features = os->firmware == kind ? os->firmware_features : no_wishes,
        .code = os->loader.path,
        .stateless = os->loader.stateless == 1,
    };

    return firmware_find((const char *const *)env->firmware_dirs, &wish, ret, error);
}

/* As libvirt writes it back. */
static gboolean
choose(DomainOs *os, const DriverEnv *env, GError **error)
{
    g_auto(FirmwareImage) image = { 0 };

    if (!find(os, env, os->firmware, &image, error))
        return FALSE;
    os->loader.path = g_steal_pointer(&image.code);
    if (os->firmware == DOMAIN_FIRMWARE_BIOS) {
        os->loader.type = DOMAIN_LOADER_ROM;
        return TRUE;
    }
    os->loader.type = DOMAIN_LOADER_PFLASH;
    os->loader.readonly = 1;
    for (int i = 0; i < DOMAIN_N_FIRMWARE_FEATURES; i++)
        os->firmware_features[i] = image.features[i];
    if (!os->nvram.template)
        os->nvram.template = g_steal_pointer(&image.variables);
    return TRUE;
}

/* Of an image that the document names: what there is of its variables on this host. Nothing is no error
 * before somebody needs it. */
static void
find_template(DomainOs *os, const DriverEnv *env)
{
    g_auto(FirmwareImage) image = { 0 };

    if (find(os, env, DOMAIN_FIRMWARE_EFI, &image, NULL))
        os->nvram.template = g_steal_pointer(&image.variables);
}

static char *
variables_path(const DomainDef *def, const DriverEnv *env)
{
    g_autofree char *name = g_strconcat(def->name, "_VARS.fd", NULL);

    return g_build_filename(env->state_dir, "nvram", name, NULL);
}

/* An image that the document names together with what it must be able to do. */
static gboolean
check_features(const DomainOs *os, const DriverEnv *env, GError **error)
{
    g_auto(FirmwareImage) image = { 0 };

    return os->firmware_features[DOMAIN_FIRMWARE_SECURE_BOOT] != 1 ||
           find(os, env, os->firmware, &image, error);
}

gboolean
domain_firmware_fill(DomainDef *def, const DriverEnv *env, GError **error)
{
    DomainOs *os = &def->os;

    if (env->simulated)
        return TRUE;
    if (os->firmware != DOMAIN_FIRMWARE_NONE &&
        !(os->loader.path ? check_features(os, env, error) : choose(os, env, error)))
        return FALSE;
    if (!domain_os_has_nvram(os))
        return TRUE;
    if (!os->nvram.template)
        find_template(os, env);
    if (!os->nvram.path)
        os->nvram.path = variables_path(def, env);
    return TRUE;
}

/* Their file by another name: another domain may take the old one, and must not get these variables with it. */

static gboolean
is_same_file(const char *a, const char *b)
{
    struct stat st_a, st_b;

    return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
           st_a.st_ino == st_b.st_ino;
}

/* A link, which takes the place of no file that was kept of another domain. One that is there already is what a daemon
 * left that did not live to drop it; without a file there is nothing to be linked yet. */
static gboolean
link_variables(const char *old, const char *path, GError **error)
{
    if (g_access(old, F_OK) < 0 || is_same_file(old, path))
        return TRUE;
    return (link(old, path) == 0 && store_sync_directory_of(path)) ||
           driver_error_errno(error, errno, "cannot rename the NVRAM to '%s'", path);
}

gboolean
domain_firmware_rename(DomainDef *def, const char *name, const DriverEnv *env, GError **error)
{
    char **path = &def->os.nvram.path;
    g_autofree char *old = variables_path(def, env);

    g_free(def->name);
    def->name = g_strdup(name);
    if (g_strcmp0(*path, old) != 0)
        return TRUE;
    g_free(*path);
    *path = variables_path(def, env);
    return link_variables(old, *path, error);
}

void
domain_firmware_drop_link(const char *go, const char *stay)
{
    if (g_strcmp0(go, stay) != 0 && is_same_file(go, stay) && g_unlink(go) < 0)
        g_warning("Cannot remove '%s': %s", go, g_strerror(errno));
}

/* Making the variables */

static gboolean
read_template(const DomainOs *os, char **ret, gsize *ret_size, GError **error)
{
    g_autoptr(GError) why = NULL;

    if (!os->nvram.template)
        return driver_error(error, VIR_ERR_OPERATION_FAILED,
                            "unable to find any master var store for loader: %s", os->loader.path);
    if (!g_file_get_contents(os->nvram.template, ret, ret_size, &why))
        return driver_error(error, VIR_ERR_OPERATION_FAILED, "cannot read the NVRAM template: %s",
                            why->message);
    if (*ret_size <= VARIABLES_MAX)
        return TRUE;
    g_clear_pointer(ret, g_free);
    return driver_error(error, VIR_ERR_OPERATION_FAILED, "the NVRAM template '%s' is too large",
                        os->nvram.template);
}

/* Whole or not at all: half a store would never be mended. */
static gboolean
make_variables(const DomainOs *os, const DriverEnv *env, GError **error)
{
    g_autofree char *dir = g_build_filename(env->state_dir, "nvram", NULL);
    g_autoptr(GError) why = NULL;
    g_autofree char *data = NULL;
    gsize size;

    if (g_mkdir_with_parents(dir, 0700) < 0)
        return driver_error_errno(error, errno, "cannot make the directory '%s'", dir);
    if (!read_template(os, &data, &size, error))
        return FALSE;
    if (g_file_set_contents_full(os->nvram.path, data, size, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                 &why))
        return TRUE;
    return driver_error(error, VIR_ERR_OPERATION_FAILED, "cannot make the NVRAM: %s", why->message);
}

static int
open_variables(const DomainOs *os, GError **error)
{
    int fd = open(os->nvram.path, O_RDWR | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        driver_error_errno(error, errno, "cannot open the NVRAM '%s'", os->nvram.path);
    else if (image_lock(fd, FALSE, FALSE, os->nvram.path, error))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* What another guest has open is not made anew under its feet. */
static gboolean
reset_variables(const DomainOs *os, const DriverEnv *env, GError **error)
{
    int fd = open_variables(os, error);
    gboolean made;

    if (fd < 0)
        return FALSE;
    made = make_variables(os, env, error);
    close(fd);
    return made;
}

static gboolean
put_variables(VmmMsg *create, const DomainOs *os, const DriverEnv *env, gboolean reset,
              GError **error)
{
    gboolean there = g_access(os->nvram.path, F_OK) == 0;
    int fd;

    if (!there && !make_variables(os, env, error))
        return FALSE;
    if (there && reset && !reset_variables(os, env, error))
        return FALSE;
    fd = open_variables(os, error);
    if (fd >= 0)
        vmm_msg_put_fd(create, "nvram", fd);
    return fd >= 0;
}

/* Whatever the document has it for: UEFI's images begin with a firmware volume (UEFI PI 1.7, volume 3, 3.2.1). */
static gboolean
is_uefi(int fd)
{
    char signature[4];

    return pread(fd, signature, sizeof(signature), VOLUME_SIGNATURE_AT) == sizeof(signature) &&
           memcmp(signature, "_FVH", sizeof(signature)) == 0;
}

static gboolean
put_code(VmmMsg *create, const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return driver_error_errno(error, errno, "cannot open the firmware '%s'", path);
    if (is_uefi(fd))
        vmm_msg_put_bool(create, "firmware-uefi", TRUE);
    vmm_msg_put_fd(create, "firmware", fd);
    return TRUE;
}

static gboolean
put_bios(VmmMsg *create, const DomainOs *os, const DriverEnv *env, GError **error)
{
    g_auto(FirmwareImage) image = { 0 };

    if (os->loader.path)
        return put_code(create, os->loader.path, error);
    if (!find(os, env, DOMAIN_FIRMWARE_BIOS, &image, NULL))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "there is neither a <kernel> nor a BIOS on this host: "
                            "/usr/share/seabios/bios-256k.bin is missing");
    return put_code(create, image.code, error);
}

/* There is no screen, so firmware uses a serial port where it may. */
static void
put_settings(VmmMsg *create, const DomainDef *def)
{
    const DomainOs *os = &def->os;
    g_autofree char *order = boot_order_compose(def);

    vmm_msg_put_string(create, "uuid", def->uuid);
    vmm_msg_put_string(create, "boot-order", order);
    if (os->bios_serial != 0 && domain_def_has_serial(def))
        vmm_msg_put_u64(create, "firmware-port", COM1);
    if (os->boot_menu == 1)
        vmm_msg_put_u64(create, "boot-menu",
                        os->boot_menu_ms < 0 ? MENU_MS : MAX(os->boot_menu_ms, 1));
    if (os->reboot_ms >= 0)
        vmm_msg_put_u64(create, "reboot-timeout", os->reboot_ms);
}

gboolean
domain_firmware_put(VmmMsg *create, const DomainDef *def, const DriverEnv *env,
                    gboolean reset_nvram, GError **error)
{
    const DomainOs *os = &def->os;

    if (!domain_os_has_firmware(os))
        return TRUE;
    put_settings(create, def);
    return sysinfo_put(&def->sysinfo, os->smbios_mode, create, error) &&
           put_bios(create, os, env, error) &&
           (!domain_os_has_nvram(os) || put_variables(create, os, env, reset_nvram, error));
}

static gboolean
miss_network_rom(gboolean needed, GError **error)
{
    if (needed)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "a BIOS boots from the network by iPXE's ROM for virtio, which is not on this host: "
                            "/usr/lib/ipxe/qemu/pxe-virtio.rom is missing");
    g_warning("iPXE's ROM for virtio is not on this host, so a BIOS does not boot from the network");
    return TRUE;
}

/* UEFI has drivers of its own; a BIOS knows of network cards what a ROM tells it. */
gboolean
domain_firmware_network_rom(VmmMsg *create, const DomainDef *def, gboolean boots, const char **ret, GError **error)
{
    gboolean alone;
    bool uefi = false;

    *ret = NULL;
    vmm_msg_get_bool(create, "firmware-uefi", &uefi);
    if (!domain_os_has_firmware(&def->os) || uefi || !boot_order_has(def, DOMAIN_BOOT_NETWORK, &alone))
        return TRUE;
    *ret = firmware_network_rom();
    return *ret || miss_network_rom(boots && alone, error);
}

/* NULL where there is none. */
static const char *
variables_of(const DomainDef *def)
{
    const char *path = def && domain_os_has_nvram(&def->os) ? def->os.nvram.path : NULL;

    return path && g_access(path, F_OK) == 0 ? path : NULL;
}

gboolean
domain_firmware_may_undefine(const DomainDef *def, guint flags, GError **error)
{
    const guint both = VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM;

    if ((flags & both) == both)
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "cannot both keep and delete nvram");
    return flags & both || !variables_of(def) ||
           driver_error(error, VIR_ERR_OPERATION_INVALID, "cannot undefine domain with nvram");
}

gboolean
domain_firmware_remove_variables(const DomainDef *def, GError **error)
{
    const char *path = variables_of(def);

    return !path || g_unlink(path) == 0 ||
           driver_error_errno(error, errno, "failed to remove nvram: %s", path);
}
