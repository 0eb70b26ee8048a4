/* domain-os: what a domain document says about booting: <os>, as values.
 *
 * Firmware is chosen in one of three ways: a loader with a path is that image; firmware='efi' or 'bios' lets
 * the driver choose one and write its choice back (domain-firmware.h); with neither of them a kernel is
 * booted without firmware, and a guest without a kernel has the BIOS that the host has. Firmware boots the kernel where
 * there is one.
 */
#pragma once

#include <glib.h>

#define DOMAIN_BOOT_MAX 4 /* boot devices that count, as in libvirt */

/* Machines, by the names that libvirt has for QEMU's. */
#define DOMAIN_MACHINE_Q35     "q35"
#define DOMAIN_MACHINE_MICROVM "microvm"

/* What firmware would try to boot from (virDomainBootOrder's words: "fd", "hd", "cdrom",
 * "network"). */
typedef enum DomainBoot {
    DOMAIN_BOOT_FD,
    DOMAIN_BOOT_HD,
    DOMAIN_BOOT_CDROM,
    DOMAIN_BOOT_NETWORK,
    DOMAIN_N_BOOTS
} DomainBoot;

typedef enum DomainFirmware {
    DOMAIN_FIRMWARE_NONE, /* the driver does not choose */
    DOMAIN_FIRMWARE_BIOS,
    DOMAIN_FIRMWARE_EFI,
} DomainFirmware;

/* In the order in which libvirt writes them. */
typedef enum DomainFirmwareFeature {
    DOMAIN_FIRMWARE_ENROLLED_KEYS,
    DOMAIN_FIRMWARE_SECURE_BOOT,
    DOMAIN_N_FIRMWARE_FEATURES
} DomainFirmwareFeature;

typedef enum DomainLoaderType {
    DOMAIN_LOADER_NONE, /* not said */
    DOMAIN_LOADER_ROM,
    DOMAIN_LOADER_PFLASH,
} DomainLoaderType;

/* Switches are 1, 0, or -1: not said. */
typedef struct DomainLoader {
    gboolean present; /* the document has a <loader> */
    char *path;
    int type; /* DomainLoaderType */
    int readonly, secure, stateless;
} DomainLoader;

typedef struct DomainNvram {
    char *path;         /* of this guest's variables; NULL: not yet given */
    char *template;     /* what they begin as; NULL: not said */
    gboolean as_source; /* written as <source file='...'/> */
} DomainNvram;

typedef struct DomainOs {
    char *arch;                      /* "x86_64" */
    char *machine;                   /* DOMAIN_MACHINE_*; versions are not kept */
    char *kernel, *initrd, *cmdline; /* NULL: not given */
    int firmware;                    /* DomainFirmware */
    int firmware_features[DOMAIN_N_FIRMWARE_FEATURES];
    DomainLoader loader;
    DomainNvram nvram;
    DomainBoot boot[DOMAIN_BOOT_MAX];
    guint n_boot;
    int boot_menu;    /* whether firmware offers one */
    int boot_menu_ms; /* how long it waits for somebody; -1: not said */
    int bios_serial;  /* the BIOS speaks on the first serial port; -1: where there is one */
    gint64 reboot_ms; /* after which a BIOS that found no system starts over; -1: never */
    gboolean has_reboot_ms;
    int smbios_mode; /* SysinfoMode */
} DomainOs;

void domain_os_init(DomainOs *os);
void domain_os_clear(DomainOs *os);
/* Gives @os, a plain copy of another one, strings of its own. */
void domain_os_own(DomainOs *os);
/* What libvirt writes back where it was left open. */
void domain_os_complete(DomainOs *os, gboolean has_boot_order);

typedef struct DomainOsContext {
    gboolean has_acpi, has_serial;
} DomainOsContext;

/* Whether this machine can honour it. */
gboolean domain_os_check(const DomainOs *os, const DomainOsContext *context, GError **error);

/* A firmware image boots, not the kernel by itself. */
gboolean domain_os_has_firmware(const DomainOs *os);
/* Its firmware is UEFI with variables that outlive the guest. */
gboolean domain_os_has_nvram(const DomainOs *os);

/* The words of the enums, each list in the enum's order and ended by NULL. */
extern const char *const domain_boot_words[];
extern const char *const domain_firmware_words[]; /* the first is none's */
extern const char *const domain_firmware_feature_words[];
extern const char *const domain_loader_words[]; /* likewise */
