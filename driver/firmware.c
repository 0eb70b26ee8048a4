#include "driver/firmware.h"

#include "driver/error.h"

#include <libvirt/virterror.h>
#include <string.h>
#include <unistd.h>

/* The better ones first; no secure boot, which would need SMM. */
static const struct Place {
    DomainFirmware kind;
    const char *code, *variables;
} places[] = {
    { DOMAIN_FIRMWARE_BIOS, "/usr/share/seabios/bios-256k.bin", NULL }, /* Debian, Fedora */
    { DOMAIN_FIRMWARE_BIOS, "/usr/share/qemu/bios-256k.bin", NULL },
    { DOMAIN_FIRMWARE_BIOS, "/usr/share/seabios/bios.bin", NULL },
    { DOMAIN_FIRMWARE_EFI, "/usr/share/OVMF/OVMF_CODE_4M.fd",
      "/usr/share/OVMF/OVMF_VARS_4M.fd" }, /* Debian */
    { DOMAIN_FIRMWARE_EFI, "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd" },
    { DOMAIN_FIRMWARE_EFI, "/usr/share/edk2/ovmf/OVMF_CODE.fd",
      "/usr/share/edk2/ovmf/OVMF_VARS.fd" }, /* Fedora */
    { DOMAIN_FIRMWARE_EFI, "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
      "/usr/share/edk2/x64/OVMF_VARS.4m.fd" }, /* Arch */
    { DOMAIN_FIRMWARE_EFI, "/usr/share/qemu/ovmf-x86_64-code.bin",
      "/usr/share/qemu/ovmf-x86_64-vars.bin" }, /* SUSE */
};

static gboolean
fits(const FirmwareWish *wish, DomainFirmware kind, const FirmwareImage *image)
{
    if (wish->kind != kind || (wish->code && strcmp(wish->code, image->code) != 0))
        return FALSE;
    /* Flash with variables can be read only as well, but such a build was not made for it. */
    if (wish->kind == DOMAIN_FIRMWARE_EFI && (image->variables == NULL) != wish->stateless)
        return FALSE;
    for (int i = 0; i < DOMAIN_N_FIRMWARE_FEATURES; i++) {
        if (wish->features[i] >= 0 && wish->features[i] != image->features[i])
            return FALSE;
    }
    return access(image->code, R_OK) == 0;
}

static gboolean
find_described(const char *const *dirs, const FirmwareWish *wish, FirmwareImage *ret)
{
    g_autoptr(GPtrArray) paths = firmware_descriptor_list(dirs);

    for (guint i = 0; i < paths->len; i++) {
        g_auto(FirmwareImage) image = { 0 };
        DomainFirmware kind;

        if (!firmware_descriptor_read(g_ptr_array_index(paths, i), &kind, &image) ||
            !fits(wish, kind, &image))
            continue;
        *ret = image;
        image = (FirmwareImage){ 0 };
        return TRUE;
    }
    return FALSE;
}

static gboolean
find_placed(const FirmwareWish *wish, FirmwareImage *ret)
{
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        const FirmwareImage image = { (char *)places[i].code, (char *)places[i].variables };

        if (!fits(wish, places[i].kind, &image))
            continue;
        *ret = (FirmwareImage){ g_strdup(image.code), g_strdup(image.variables) };
        return TRUE;
    }
    return FALSE;
}

gboolean
firmware_find(const char *const *dirs, const FirmwareWish *wish, FirmwareImage *ret, GError **error)
{
    if (find_described(dirs, wish, ret) || find_placed(wish, ret))
        return TRUE;
    if (wish->features[DOMAIN_FIRMWARE_SECURE_BOOT] == 1)
        return driver_error(
            error, VIR_ERR_OPERATION_FAILED,
            "Unable to find any firmware to satisfy '%s': none on this host has secure "
            "boot without SMM, which this machine does not have",
            domain_firmware_words[wish->kind]);
    return driver_error(error, VIR_ERR_OPERATION_FAILED,
                        "Unable to find any firmware to satisfy '%s'",
                        domain_firmware_words[wish->kind]);
}

const char *
firmware_network_rom(void)
{
    static const char *const paths[] = {
        "/usr/lib/ipxe/qemu/pxe-virtio.rom",   /* Debian */
        "/usr/share/ipxe/1af41000.rom",        /* Fedora */
        "/usr/share/ipxe/qemu/1af41000.rom",
        "/usr/share/qemu/pxe-virtio.rom", /* Arch, SUSE */
    };

    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        if (access(paths[i], R_OK) == 0)
            return paths[i];
    }
    return NULL;
}
