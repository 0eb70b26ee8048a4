#include "qemu-kvm-backend/firmware-settings.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME_MAX 55 /* bytes that the directory has room for */

static const char *const text_keys[SMBIOS_N_TEXTS] = {
    [SMBIOS_BIOS_VENDOR] = "bios-vendor",
    [SMBIOS_BIOS_VERSION] = "bios-version",
    [SMBIOS_BIOS_DATE] = "bios-date",
    [SMBIOS_BIOS_RELEASE] = "bios-release",
    [SMBIOS_SYSTEM_MANUFACTURER] = "system-manufacturer",
    [SMBIOS_SYSTEM_PRODUCT] = "system-product",
    [SMBIOS_SYSTEM_VERSION] = "system-version",
    [SMBIOS_SYSTEM_SERIAL] = "system-serial",
    [SMBIOS_SYSTEM_SKU] = "system-sku",
    [SMBIOS_SYSTEM_FAMILY] = "system-family",
    [SMBIOS_BOARD_MANUFACTURER] = "board-manufacturer",
    [SMBIOS_BOARD_PRODUCT] = "board-product",
    [SMBIOS_BOARD_VERSION] = "board-version",
    [SMBIOS_BOARD_SERIAL] = "board-serial",
    [SMBIOS_BOARD_ASSET] = "board-asset",
    [SMBIOS_BOARD_LOCATION] = "board-location",
    [SMBIOS_CHASSIS_MANUFACTURER] = "chassis-manufacturer",
    [SMBIOS_CHASSIS_VERSION] = "chassis-version",
    [SMBIOS_CHASSIS_SERIAL] = "chassis-serial",
    [SMBIOS_CHASSIS_ASSET] = "chassis-asset",
    [SMBIOS_CHASSIS_SKU] = "chassis-sku",
};

static char *
take_text(VmmMsg *msg, const char *key)
{
    const char *text;

    return vmm_msg_get_string(msg, key, &text) ? vmm_must(strdup(text)) : NULL;
}

static void
read_words(SmbiosWords *words, VmmMsg *msg)
{
    char key[64];

    for (unsigned i = 0; i < SMBIOS_N_TEXTS; i++) {
        snprintf(key, sizeof(key), "smbios-%s", text_keys[i]);
        words->texts[i] = take_text(msg, key);
    }
    for (; words->n_oem < SMBIOS_OEM_MAX; words->n_oem++) {
        snprintf(key, sizeof(key), "smbios-oem-%u", words->n_oem);
        words->oem[words->n_oem] = take_text(msg, key);
        if (!words->oem[words->n_oem])
            return;
    }
}

/* The names that firmware itself looks for are not the driver's to give. */
static bool
check_name(const FirmwareSettings *settings, const FirmwareFile *file, VmmError *err)
{
    for (unsigned i = 0; i < settings->n_files; i++) {
        if (strcmp(settings->files[i].name, file->name) == 0)
            return vmm_error(err, VMM_ERROR_INVALID, "The firmware's file '%s' is there twice",
                             file->name);
    }
    return (strncmp(file->name, "opt/", 4) == 0 && strlen(file->name) <= FILE_NAME_MAX) ||
           vmm_error(err, VMM_ERROR_INVALID, "The firmware's file cannot be called '%s'",
                     file->name);
}

static bool
read_files(FirmwareSettings *settings, VmmMsg *msg, VmmError *err)
{
    for (; settings->n_files < FIRMWARE_FILES_MAX; settings->n_files++) {
        FirmwareFile *file = &settings->files[settings->n_files];
        char name[32], content[32], fd[32];

        snprintf(name, sizeof(name), "fw-cfg-%u-name", settings->n_files);
        snprintf(content, sizeof(content), "fw-cfg-%u-content", settings->n_files);
        snprintf(fd, sizeof(fd), "fw-cfg-%u-fd", settings->n_files);
        *file = (FirmwareFile){ .name = take_text(msg, name), .fd = -1 };
        if (!file->name)
            return true;
        file->content = take_text(msg, content);
        if (!file->content && !vmm_msg_take_fd(msg, fd, &file->fd)) {
            vmm_error(err, VMM_ERROR_INVALID, "create: '%s' has no content", name);
            settings->n_files++; /* for clearing */
            return false;
        }
        if (!check_name(settings, file, err)) {
            settings->n_files++;
            return false;
        }
    }
    return true;
}

/* Under the name by which SeaBIOS looks for a ROM of all virtio network cards (its docs/Runtime_config.md). */
static void
read_network_rom(FirmwareSettings *settings, VmmMsg *msg)
{
    FirmwareFile *rom = &settings->network_rom;

    if (vmm_msg_take_fd(msg, "network-rom", &rom->fd))
        rom->name = vmm_must(strdup("pci1af4,1041.rom"));
}

static bool
read_port(FirmwareSettings *settings, VmmMsg *msg, VmmError *err)
{
    vmm_msg_get_u64(msg, "firmware-port", &settings->serial_port);
    return settings->serial_port <= UINT16_MAX ||
           vmm_error(err, VMM_ERROR_INVALID, "Port 0x%" PRIx64 " of the firmware is out of range",
                     settings->serial_port);
}

bool
firmware_settings_read(FirmwareSettings *settings, bool has_firmware, VmmMsg *msg, VmmError *err)
{
    const char *uuid;

    if (vmm_msg_get_string(msg, "uuid", &uuid) && !firmware_parse_uuid(uuid, settings->uuid))
        return vmm_error(err, VMM_ERROR_INVALID, "create: '%s' is not a UUID", uuid);
    if (!has_firmware)
        return true;
    vmm_msg_get_bool(msg, "firmware-uefi", &settings->uefi);
    settings->boot_order = take_text(msg, "boot-order");
    vmm_msg_get_u64(msg, "boot-menu", &settings->menu_ms);
    settings->reboot_ms = UINT32_MAX;
    vmm_msg_get_u64(msg, "reboot-timeout", &settings->reboot_ms);
    read_words(&settings->words, msg);
    read_network_rom(settings, msg);
    return read_port(settings, msg, err) && read_files(settings, msg, err);
}

static void
clear_file(FirmwareFile *file)
{
    free(file->name);
    free(file->content);
    if (file->fd >= 0)
        close(file->fd);
}

void
firmware_settings_clear(FirmwareSettings *settings)
{
    for (unsigned i = 0; i < SMBIOS_N_TEXTS; i++)
        free(settings->words.texts[i]);
    for (unsigned i = 0; i < settings->words.n_oem; i++)
        free(settings->words.oem[i]);
    for (unsigned i = 0; i < settings->n_files; i++)
        clear_file(&settings->files[i]);
    if (settings->network_rom.name)
        clear_file(&settings->network_rom);
    free(settings->boot_order);
    memset(settings, 0, sizeof(*settings));
}
