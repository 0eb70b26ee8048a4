#include "qemu-kvm-backend/x86/firmware.h"

#include "qemu-kvm-backend/x86/acpi-loader.h"
#include "qemu-kvm-backend/x86/boot-file.h"
#include "qemu-kvm-backend/x86/e820.h"
#include "qemu-kvm-backend/x86/firmware-kernel.h"
#include "qemu-kvm-backend/x86/layout.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX (16u << 20)

#define GIB 0x40000000ull

#define KVM_PAGES_SIZE 0x4000u /* from LAYOUT_IDENTITY_MAP on */

#define FEATURE_CONTROL_LOCKED 1u
#define FEATURE_CONTROL_VMX    4u /* outside SMX */

/* As in the interface 0x15/e820 */
typedef struct __attribute__((packed)) PackedE820 {
    uint64_t addr, size;
    uint32_t type;
} PackedE820;

static void
put_file_u64(FwCfg *cfg, const char *name, uint64_t value)
{
    value = htole64(value);
    fw_cfg_put_file(cfg, name, &value, sizeof(value));
}

/* Whole RAM, for firmware takes from it what it needs for itself, and what is KVM's. */
static void
put_map(FwCfg *cfg, const Memory *memory)
{
    PackedE820 map[3];
    MemoryRegion region;
    unsigned n = 0;

    for (unsigned i = 0; i < 2 && memory_region(memory, i, &region); i++)
        map[n++] = (PackedE820){ htole64(region.gpa), htole64(region.size), htole32(E820_RAM) };
    map[n++] = (PackedE820){ htole64(LAYOUT_IDENTITY_MAP), htole64(KVM_PAGES_SIZE),
                             htole32(E820_RESERVED) };
    fw_cfg_put_file(cfg, "etc/e820", map, n * sizeof(map[0]));
}

/* Above it firmware may place large BARs. */
static uint64_t
high_end(const Memory *memory)
{
    uint64_t end = LAYOUT_HIGH_RAM;
    MemoryRegion region;

    for (unsigned i = 0; memory_region(memory, i, &region); i++) {
        if (region.gpa + region.size > end)
            end = region.gpa + region.size;
    }
    return (end + GIB - 1) / GIB * GIB;
}

static void
put_memory(FwCfg *cfg, const Memory *memory)
{
    fw_cfg_put_u64(cfg, FW_CFG_RAM_SIZE, memory_size(memory));
    put_map(cfg, memory);
    put_file_u64(cfg, "etc/reserved-memory-end", high_end(memory));
}

static void
put_cpus(FwCfg *cfg, const FirmwareMachine *machine)
{
    fw_cfg_put_u16(cfg, FW_CFG_NB_CPUS, machine->topology->n_vcpus);
    fw_cfg_put_u16(cfg, FW_CFG_MAX_CPUS, machine->apic_id_end);
    if (machine->vmx)
        put_file_u64(cfg, "etc/msr_feature_control", FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX);
}

static void
put_smbios(FwCfg *cfg, const FirmwareMachine *machine)
{
    const CpuTopology *topology = machine->topology;
    unsigned cores = topology->dies * topology->cores;
    SmbiosConfig config = { .n_sockets = topology->sockets,
                            .n_cores = cores,
                            .n_threads = cores * topology->threads,
                            .memory = machine->memory,
                            .words = &machine->settings->words };
    SmbiosTables tables;

    memcpy(config.uuid, machine->settings->uuid, sizeof(config.uuid));
    smbios_build(&config, &tables);
    fw_cfg_put_file(cfg, "etc/smbios/smbios-tables", tables.bytes, tables.size);
    fw_cfg_put_file(cfg, "etc/smbios/smbios-anchor", tables.anchor, sizeof(tables.anchor));
    smbios_clear(&tables);
}

static void
put_settings(FwCfg *cfg, const FirmwareSettings *settings)
{
    uint64_t reboot_ms = settings->reboot_ms;
    uint32_t wait = htole32(reboot_ms < UINT32_MAX ? reboot_ms : UINT32_MAX);

    fw_cfg_put(cfg, FW_CFG_UUID, settings->uuid, sizeof(settings->uuid));
    fw_cfg_put_u16(cfg, FW_CFG_NOGRAPHIC, settings->serial_port != 0); /* SeaBIOS: so use COM1 */
    fw_cfg_put_u16(cfg, FW_CFG_BOOT_MENU, settings->menu_ms > 0);
    fw_cfg_put_u32(cfg, FW_CFG_IRQ0_OVERRIDE, 1); /* the timer is at pin 2, see acpi.c */
    fw_cfg_put_file(cfg, "etc/boot-fail-wait", &wait, sizeof(wait));
    if (settings->menu_ms > 0) {
        uint16_t ms = htole16(settings->menu_ms < UINT16_MAX ? settings->menu_ms : UINT16_MAX);

        fw_cfg_put_file(cfg, "etc/boot-menu-wait", &ms, sizeof(ms));
    }
    if (settings->serial_port) {
        uint16_t port = htole16(settings->serial_port);

        fw_cfg_put_file(cfg, "etc/sercon-port", &port, sizeof(port));
    }
}

/* A kernel comes before everything. */
static void
put_boot_order(FwCfg *cfg, const FirmwareMachine *machine)
{
    const FirmwareSettings *settings = machine->settings;
    const char *first = machine->kernel && !settings->uefi ? FIRMWARE_KERNEL_PATH "\n" : "";
    const char *rest = settings->boot_order ? settings->boot_order : "";
    size_t size = strlen(first) + strlen(rest) + 1;
    char *order;

    if (size == 1)
        return;
    order = vmm_must(malloc(size));
    snprintf(order, size, "%s%s", first, rest);
    fw_cfg_put_file(cfg, "bootorder", order, size);
    free(order);
}

static bool
put_kernel(FwCfg *cfg, const FirmwareMachine *machine, VmmError *err)
{
    return !machine->kernel ||
           firmware_kernel_put(machine->kernel, machine->settings->uefi, machine->memory, cfg, err);
}

static bool
put_file(FwCfg *cfg, const FirmwareFile *file, VmmError *err)
{
    uint64_t size;
    void *data;
    bool good;

    if (file->content) {
        fw_cfg_put_file(cfg, file->name, file->content, strlen(file->content));
        return true;
    }
    if (!boot_file_size(file->fd, "firmware's file", &size, err))
        return false;
    if (size > FILE_SIZE_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "The file '%s' for the firmware is too large",
                         file->name);
    data = vmm_must(malloc(size + 1));
    good = boot_file_read(file->fd, 0, data, size) ||
           vmm_error(err, VMM_ERROR_FAILED, "The file '%s' for the firmware cannot be read",
                     file->name);
    if (good)
        fw_cfg_put_file(cfg, file->name, data, size);
    free(data);
    return good;
}

static bool
put_files(FwCfg *cfg, const FirmwareSettings *settings, VmmError *err)
{
    for (unsigned i = 0; i < settings->n_files; i++) {
        if (!put_file(cfg, &settings->files[i], err))
            return false;
    }
    return true;
}

static bool
put_network_rom(FwCfg *cfg, const FirmwareSettings *settings, VmmError *err)
{
    return !settings->network_rom.name || put_file(cfg, &settings->network_rom, err);
}

static bool
put_acpi(FwCfg *cfg, const AcpiConfig *acpi, VmmError *err)
{
    const SleepStates none = { 0 };

    sleep_put_file(acpi ? &acpi->sleep : &none, cfg);
    return !acpi || acpi_loader_put(acpi, cfg, err);
}

bool
firmware_describe(const FirmwareMachine *machine, FwCfg *cfg, VmmError *err)
{
    fw_cfg_clear(cfg);
    put_memory(cfg, machine->memory);
    put_cpus(cfg, machine);
    put_smbios(cfg, machine);
    put_settings(cfg, machine->settings);
    put_boot_order(cfg, machine);
    return put_files(cfg, machine->settings, err) && put_kernel(cfg, machine, err) &&
           put_acpi(cfg, machine->acpi, err) && put_network_rom(cfg, machine->settings, err);
}

bool
firmware_parse_uuid(const char *text, uint8_t ret[16])
{
    uint8_t uuid[16];
    int end = 0;

    sscanf(text,
           "%2hhx%2hhx%2hhx%2hhx-%2hhx%2hhx-%2hhx%2hhx-%2hhx%2hhx-%2hhx%2hhx%2hhx%2hhx%2hhx%2hhx%n",
           &uuid[0], &uuid[1], &uuid[2], &uuid[3], &uuid[4], &uuid[5], &uuid[6], &uuid[7], &uuid[8],
           &uuid[9], &uuid[10], &uuid[11], &uuid[12], &uuid[13], &uuid[14], &uuid[15], &end);
    if (end != 36 || text[end] != 0)
        return false;
    memcpy(ret, uuid, sizeof(uuid));
    return true;
}
