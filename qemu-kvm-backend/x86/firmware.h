/* firmware: what a firmware image is told of the machine that it starts on, through fw-cfg. */
#pragma once

#include "qemu-kvm-backend/hw/fw-cfg.h"
#include "qemu-kvm-backend/x86/acpi.h"
#include "qemu-kvm-backend/x86/boot-source.h"
#include "qemu-kvm-backend/x86/cpuid.h"
#include "qemu-kvm-backend/x86/smbios.h"

#define FIRMWARE_FILES_MAX 16

/* A file of its own; the content is in a descriptor where @content is NULL. */
typedef struct FirmwareFile {
    char *name;
    char *content;
    int fd;
} FirmwareFile;

/* What the driver has to say to it. */
typedef struct FirmwareSettings {
    SmbiosWords words;
    uint8_t uuid[16];
    bool uefi; /* it is UEFI, not a BIOS */
    char
        *boot_order; /* lines of Open Firmware paths, the first one is tried first; NULL: its own */
    FirmwareFile files[FIRMWARE_FILES_MAX]; /* for what runs in the guest */
    unsigned n_files;
    FirmwareFile network_rom; /* with which a BIOS boots from network cards; without a name: none */
    uint64_t serial_port; /* the I/O port that it writes to and reads from as well; 0: none */
    uint64_t menu_ms;     /* how long it waits for the key that opens its boot menu; 0: no menu */
    uint64_t reboot_ms; /* after which a BIOS that found no system starts over; UINT32_MAX: never */
} FirmwareSettings;

typedef struct FirmwareMachine {
    const FirmwareSettings *settings;
    const CpuTopology *topology;
    unsigned apic_id_end; /* the highest APIC id, and one */
    const Memory *memory;
    const AcpiConfig *acpi;   /* NULL: no ACPI, and no sleep */
    const BootSource *kernel; /* to boot instead of a disk; NULL: none */
    bool vmx;                 /* the guest's CPUs have it, and firmware has to enable it */
} FirmwareMachine;

/* Fills @cfg anew. What @machine points at may go, but for the descriptors of the kernel. */
bool firmware_describe(const FirmwareMachine *machine, FwCfg *cfg, VmmError *err);

bool firmware_parse_uuid(const char *text, uint8_t ret[16]);
