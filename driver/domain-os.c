#include "driver/domain-os.h"

#include "driver/error.h"

#include <string.h>

#define MENU_MS_MAX   65535
#define REBOOT_MS_MAX 65535

const char *const domain_boot_words[] = { "fd", "hd", "cdrom", "network", NULL };
const char *const domain_firmware_words[] = { "none", "bios", "efi", NULL };
const char *const domain_firmware_feature_words[] = { "enrolled-keys", "secure-boot", NULL };
const char *const domain_loader_words[] = { "none", "rom", "pflash", NULL };

void
domain_os_init(DomainOs *os)
{
    os->arch = g_strdup("x86_64");
    os->machine = g_strdup(DOMAIN_MACHINE_Q35);
    for (int i = 0; i < DOMAIN_N_FIRMWARE_FEATURES; i++)
        os->firmware_features[i] = -1;
    os->loader.readonly = os->loader.secure = os->loader.stateless = -1;
    os->boot_menu = os->boot_menu_ms = os->bios_serial = -1;
    os->reboot_ms = -1;
}

static char **
string_of(DomainOs *os, gsize i)
{
    char **const strings[] = {
        &os->arch,    &os->machine,     &os->kernel,     &os->initrd,
        &os->cmdline, &os->loader.path, &os->nvram.path, &os->nvram.template,
    };

    return i < G_N_ELEMENTS(strings) ? strings[i] : NULL;
}

void
domain_os_clear(DomainOs *os)
{
    char **string;

    for (gsize i = 0; (string = string_of(os, i)); i++)
        g_clear_pointer(string, g_free);
}

void
domain_os_own(DomainOs *os)
{
    char **string;

    for (gsize i = 0; (string = string_of(os, i)); i++)
        *string = g_strdup(*string);
}

gboolean
domain_os_has_firmware(const DomainOs *os)
{
    return os->firmware != DOMAIN_FIRMWARE_NONE || os->loader.path || !os->kernel;
}

gboolean
domain_os_has_nvram(const DomainOs *os)
{
    return os->loader.stateless != 1 &&
           (os->firmware == DOMAIN_FIRMWARE_EFI ||
            (os->loader.path && os->loader.type == DOMAIN_LOADER_PFLASH));
}

void
domain_os_complete(DomainOs *os, gboolean has_boot_order)
{
    if (os->loader.path && os->loader.type == DOMAIN_LOADER_NONE)
        os->loader.type =
            os->firmware == DOMAIN_FIRMWARE_EFI ? DOMAIN_LOADER_PFLASH : DOMAIN_LOADER_ROM;
    if (os->n_boot || has_boot_order)
        return;
    os->boot[0] = DOMAIN_BOOT_HD;
    os->n_boot = 1;
}

static gboolean
check_features(const DomainOs *os, GError **error)
{
    const int *features = os->firmware_features;

    if (os->firmware == DOMAIN_FIRMWARE_NONE && (features[DOMAIN_FIRMWARE_ENROLLED_KEYS] >= 0 ||
                                                 features[DOMAIN_FIRMWARE_SECURE_BOOT] >= 0))
        return driver_error(error, VIR_ERR_XML_DETAIL,
                            "cannot use feature-based firmware autoselection when firmware "
                            "autoselection is disabled");
    if (features[DOMAIN_FIRMWARE_ENROLLED_KEYS] == 1 && features[DOMAIN_FIRMWARE_SECURE_BOOT] == 0)
        return driver_error(error, VIR_ERR_XML_DETAIL,
                            "firmware feature 'enrolled-keys' cannot be enabled when firmware "
                            "feature 'secure-boot' is disabled");
    return TRUE;
}

static gboolean
refuse(GError **error, const char *what)
{
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "%s is not supported yet by this machine", what);
}

/* What libvirt objects to, and then what its QEMU can do and this machine cannot. */
static gboolean
check_nvram(const DomainOs *os, GError **error)
{
    const DomainLoader *loader = &os->loader;
    const DomainNvram *nvram = &os->nvram;

    if (os->firmware == DOMAIN_FIRMWARE_NONE && !loader->path &&
        (loader->present || nvram->path || nvram->template))
        return driver_error(error, VIR_ERR_XML_DETAIL,
                            "no loader path specified and firmware auto selection disabled");
    if (nvram->path && os->firmware == DOMAIN_FIRMWARE_BIOS)
        return driver_error(error, VIR_ERR_XML_DETAIL,
                            "firmware type 'bios' does not support nvram");
    if (loader->stateless == 1 && nvram->template)
        return driver_error(error, VIR_ERR_XML_DETAIL,
                            "NVRAM template is not permitted when loader is stateless");
    if (loader->stateless == 1 && nvram->path)
        return driver_error(error, VIR_ERR_XML_DETAIL,
                            "NVRAM is not permitted when loader is stateless");
    if (loader->stateless == 0 && os->firmware == DOMAIN_FIRMWARE_BIOS)
        return driver_error(error, VIR_ERR_XML_DETAIL, "Only EFI firmware permits NVRAM");
    if (loader->stateless == 0 && os->firmware == DOMAIN_FIRMWARE_NONE &&
        loader->type != DOMAIN_LOADER_PFLASH)
        return driver_error(error, VIR_ERR_XML_DETAIL, "Only pflash loader type permits NVRAM");
    if ((nvram->path || nvram->template) && !domain_os_has_nvram(os))
        return refuse(error, "element <nvram> with a <loader> that is no flash");
    if (nvram->path && !g_path_is_absolute(nvram->path))
        return refuse(error, "a relative path in <nvram>");
    return TRUE;
}

static gboolean
check_loader(const DomainOs *os, GError **error)
{
    const DomainLoader *loader = &os->loader;
    gboolean flash = loader->type == DOMAIN_LOADER_PFLASH;

    if (loader->secure == 1)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value 'yes' of attribute 'secure' of <loader> is not supported yet by "
                            "this machine, which has no SMM");
    if (loader->path && flash && loader->readonly != 1)
        return refuse(error, "a <loader type='pflash'> without readonly='yes'");
    if (loader->readonly == 0)
        return refuse(error, "value 'no' of attribute 'readonly' of <loader>");
    if (loader->stateless == 1 && !flash && os->firmware != DOMAIN_FIRMWARE_EFI)
        return refuse(error, "value 'yes' of attribute 'stateless' of a <loader> that is no flash");
    return TRUE;
}

static gboolean
check_menu(const DomainOs *os, GError **error)
{
    if (os->boot_menu_ms > MENU_MS_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "invalid value for boot menu timeout, must be in range [0,65535]");
    if (os->reboot_ms < -1 || os->reboot_ms > REBOOT_MS_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "invalid value for rebootTimeout, must be in range [-1,65535]");
    return TRUE;
}

/* A microvm is what a kernel needs that is booted without firmware. */
static gboolean
check_machine(const DomainOs *os, GError **error)
{
    gboolean micro = g_strcmp0(os->machine, DOMAIN_MACHINE_MICROVM) == 0;

    if (!os->machine) /* the document is no machine's */
        return TRUE;
    if (!micro && strcmp(os->machine, DOMAIN_MACHINE_Q35) != 0)
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "value '%s' of attribute 'machine' of <type> is not supported yet by this "
            "machine, which is a q35 or a microvm",
            os->machine);
    if (micro && domain_os_has_firmware(os))
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "machine 'microvm' without a <kernel>, or with firmware, is not supported "
            "yet by this machine");
    return TRUE;
}

gboolean
domain_os_check(const DomainOs *os, const DomainOsContext *context, GError **error)
{
    if (!check_machine(os, error) || !check_features(os, error) || !check_nvram(os, error) ||
        !check_loader(os, error) || !check_menu(os, error))
        return FALSE;
    if (os->bios_serial == 1 && !context->has_serial)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "need at least one serial port to use BIOS serial output");
    if (!context->has_acpi && domain_os_has_firmware(os) &&
        (os->firmware == DOMAIN_FIRMWARE_EFI || os->loader.type == DOMAIN_LOADER_PFLASH))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "UEFI requires ACPI on this architecture");
    return TRUE;
}
