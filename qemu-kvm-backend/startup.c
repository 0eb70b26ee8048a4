#include "qemu-kvm-backend/startup.h"

#include "qemu-kvm-backend/hw/pci-host.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/pci-assign.h"
#include "qemu-kvm-backend/x86/acpi-loader.h"
#include "qemu-kvm-backend/x86/acpi.h"
#include "qemu-kvm-backend/x86/boot.h"
#include "qemu-kvm-backend/x86/facs.h"
#include "qemu-kvm-backend/x86/firmware.h"
#include "qemu-kvm-backend/x86/layout.h"
#include "qemu-kvm-backend/x86/regs.h"

static BootSource
boot_source(const MachineConfig *config)
{
    return (BootSource){
        .kernel_fd = config->kernel_fd,
        .initrd_fd = config->initrd_fd,
        .cmdline = config->cmdline,
    };
}

static void
describe_devices(void *data, Aml *aml)
{
    device_list_describe(data, aml);
}

/* As the machine is now: where PCI's configuration space is, is firmware's choice. */
static AcpiConfig
acpi_config(const Startup *startup)
{
    AcpiConfig acpi = {
        .n_vcpus = startup->config->topology.n_vcpus,
        .apic_ids = startup->vcpus->apic_ids,
        .describe = describe_devices,
        .data = startup->devices,
        .sleep = startup->config->sleep,
        .i8042 = startup->board->ps2,
    };

    if (startup->board->pci &&
        !pci_host_ecam(startup->board->pci, &acpi.ecam_base, &acpi.ecam_size))
        acpi.ecam_size = 0;
    return acpi;
}

/* There is no firmware that would do it. */
static void
set_up_pci(Pci *pci)
{
    if (!pci)
        return;
    pci_host_set_ecam(pci, LAYOUT_ECAM);
    pci_assign(pci, LAYOUT_PCI_MEMORY, LAYOUT_ECAM, LAYOUT_PCI_IO);
}

static bool
load_kernel(const Startup *startup, VmmError *err)
{
    BootSource source = boot_source(startup->config);
    AcpiConfig acpi;
    BootEntry entry;
    unsigned n;

    set_up_pci(startup->board->pci);
    acpi = acpi_config(startup);
    if (startup->config->acpi && !acpi_write(&acpi, startup->board->memory, &source.rsdp, err))
        return false;
    return boot_load(&source, startup->board->memory, &entry, err) &&
           regs_enter(vcpus_fds(startup->vcpus->vcpus, &n)[0], &entry, err);
}

/* Firmware asks for the tables after it has set up PCI. */
static void
refresh_acpi(void *data, FwCfg *cfg)
{
    const Startup *startup = data;
    pthread_mutex_t *lock = pci_lock(startup->board->pci);
    AcpiConfig acpi;
    VmmError err;
    bool fresh;

    pthread_mutex_lock(lock);
    acpi = acpi_config(startup);
    fresh = acpi_loader_refresh(&acpi, cfg, &err);
    pthread_mutex_unlock(lock);
    if (!fresh)
        log_guest("The guest's ACPI tables do not tell where its PCI is: %s", err.text);
}

static uint32_t
apic_id_end(const Startup *startup)
{
    uint32_t end = 0;

    for (unsigned i = 0; i < startup->config->topology.n_vcpus; i++) {
        if (startup->vcpus->apic_ids[i] >= end)
            end = startup->vcpus->apic_ids[i] + 1;
    }
    return end;
}

/* The first vCPU stands at the reset vector, which is where the firmware is. */
static bool
describe_to_firmware(const Startup *startup, VmmError *err)
{
    const MachineConfig *config = startup->config;
    BootSource source = boot_source(config);
    AcpiConfig acpi = acpi_config(startup);
    FirmwareMachine machine = {
        .settings = &config->firmware,
        .topology = &config->topology,
        .memory = startup->board->memory,
        .acpi = config->acpi ? &acpi : NULL,
        .kernel = source.kernel_fd >= 0 ? &source : NULL,
        .vmx = startup->vcpus->vmx,
        .apic_id_end = apic_id_end(startup),
    };

    if (!firmware_describe(&machine, startup->board->fw_cfg, err))
        return false;
    if (machine.acpi)
        fw_cfg_on_select(startup->board->fw_cfg, ACPI_FILE_LOADER, refresh_acpi, (void *)startup);
    return true;
}

bool
startup_load(const Startup *startup, VmmError *err)
{
    return startup->config->has_firmware ? describe_to_firmware(startup, err)
                                         : load_kernel(startup, err);
}

static bool
enter_waking_vector(const Startup *startup, VmmError *err)
{
    BootEntry entry;
    unsigned n;

    if (!startup->config->acpi ||
        !facs_waking(startup->board->memory, LAYOUT_ACPI + ACPI_FACS, &entry)) {
        log_guest("The guest slept and did not say where it wakes up: it starts over");
        return load_kernel(startup, err);
    }
    set_up_pci(startup->board->pci);
    return regs_enter(vcpus_fds(startup->vcpus->vcpus, &n)[0], &entry, err);
}

bool
startup_wake(const Startup *startup, VmmError *err)
{
    return startup->config->has_firmware ? describe_to_firmware(startup, err)
                                         : enter_waking_vector(startup, err);
}

bool
startup_describe(const Startup *startup, VmmError *err)
{
    return !startup->config->has_firmware || describe_to_firmware(startup, err);
}
