#include "qemu-kvm-backend/hardware.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/guest-state.h"
#include "qemu-kvm-backend/hw/pci-host.h"
#include "qemu-kvm-backend/irq.h"
#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/pci-assign.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/vcpu.h"
#include "qemu-kvm-backend/x86/acpi-loader.h"
#include "qemu-kvm-backend/x86/acpi.h"
#include "qemu-kvm-backend/x86/boot.h"
#include "qemu-kvm-backend/x86/firmware.h"
#include "qemu-kvm-backend/x86/layout.h"
#include "qemu-kvm-backend/x86/nmi.h"
#include "qemu-kvm-backend/x86/power-on.h"
#include "qemu-kvm-backend/x86/regs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CPUID_SPARE     128 /* entries that cpu_config_cpuid() and cpuid_build() may add */
#define CPUID_1_ECX_VMX (1u << 5)

struct Hardware {
    Board board; /* first: a Board is a Hardware */
    HardwareOwner owner;
    MachineConfig *config;
    uint32_t apic_ids[MACHINE_VCPUS_MAX];
    bool vmx; /* vCPUs have it */
    Kvm *kvm;
    Irqs *irqs;
    Vcpus *vcpus;
    PowerOn *power_on;
    Device **devices; /* in the order of their creation */
    size_t n_devices;
    bool running;
};

/* What devices ask of the board. */

static void
board_set_irq(Board *board, unsigned gsi, bool level)
{
    kvm_set_irq(((Hardware *)board)->kvm, gsi, level);
}

static int
board_msi_new(Board *board, int fd)
{
    return irqs_msi_new(((Hardware *)board)->irqs, fd);
}

static bool
board_msi_set(Board *board, int msi, const MsiMessage *message)
{
    return irqs_msi_set(((Hardware *)board)->irqs, msi, message);
}

static void
board_msi_free(Board *board, int msi)
{
    irqs_msi_free(((Hardware *)board)->irqs, msi);
}

static bool
board_add_doorbell(Board *board, uint64_t gpa, int fd)
{
    return irqs_doorbell(((Hardware *)board)->irqs, &(Doorbell){ .addr = gpa }, fd, true);
}

static void
board_remove_doorbell(Board *board, uint64_t gpa, int fd)
{
    irqs_doorbell(((Hardware *)board)->irqs, &(Doorbell){ .addr = gpa }, fd, false);
}

static bool
board_map_rom(Board *board, uint64_t gpa, const void *host, uint64_t size)
{
    return kvm_map_rom(((Hardware *)board)->kvm, gpa, host, size);
}

static void
board_unmap_rom(Board *board, uint64_t gpa)
{
    kvm_unmap_rom(((Hardware *)board)->kvm, gpa);
}

static void
board_notify(Board *board, VmmMsg *event)
{
    Hardware *hw = (Hardware *)board;

    hw->owner.notify(hw->owner.data, event);
}

static void
end_run(Hardware *hw, const char *reason, const char *text)
{
    hw->owner.ended(hw->owner.data, reason, text);
    vcpus_stop(hw->vcpus);
}

static void
board_request(Board *board, BoardRequest what, unsigned code, const char *why)
{
    static const char *const reasons[] = {
        [BOARD_POWEROFF] = VMM_REASON_POWEROFF, [BOARD_RESET] = VMM_REASON_RESET,
        [BOARD_EXIT] = VMM_REASON_EXIT,         [BOARD_IO_ERROR] = VMM_REASON_IO_ERROR,
        [BOARD_PANIC] = VMM_REASON_PANICKED,
    };
    char number[16];

    snprintf(number, sizeof(number), "%u", code);
    end_run((Hardware *)board, reasons[what], what == BOARD_EXIT ? number : why);
}

static void
vcpu_ended(void *data, VcpuVerdict verdict, const char *text)
{
    static const char *const reasons[] = {
        [VCPU_POWEROFF] = VMM_REASON_POWEROFF,
        [VCPU_RESET] = VMM_REASON_RESET,
        [VCPU_CRASH] = VMM_REASON_CRASHED,
    };

    end_run(data, reasons[verdict], text);
}

/* Devices, as many as there are. */

static void
for_devices(Hardware *hw, void (*hook)(Device *dev))
{
    for (size_t i = 0; i < hw->n_devices; i++)
        hook(hw->devices[i]);
}

static void
reset_device(Device *dev)
{
    if (dev->class->reset)
        dev->class->reset(dev);
}

static void
pause_device(Device *dev)
{
    if (dev->class->pause)
        dev->class->pause(dev);
}

static void
resume_device(Device *dev)
{
    if (dev->class->resume)
        dev->class->resume(dev);
}

static void
describe_devices(void *data, Aml *aml)
{
    Hardware *hw = data;

    for (size_t i = 0; i < hw->n_devices; i++) {
        if (hw->devices[i]->class->describe)
            hw->devices[i]->class->describe(hw->devices[i], aml);
    }
}

static void
plug(Hardware *hw, Device *dev)
{
    hw->devices = vmm_must(realloc(hw->devices, (hw->n_devices + 1) * sizeof(Device *)));
    hw->devices[hw->n_devices++] = dev;
}

static Device *
find_device(const Hardware *hw, const char *id)
{
    for (size_t i = 0; i < hw->n_devices; i++) {
        if (strcmp(hw->devices[i]->id, id) == 0)
            return hw->devices[i];
    }
    return NULL;
}

static bool
has_class(const Hardware *hw, const DeviceClass *class)
{
    for (size_t i = 0; i < hw->n_devices; i++) {
        if (hw->devices[i]->class == class)
            return true;
    }
    return false;
}

/* Building. */

static bool
check_vcpus(Hardware *hw, VmmError *err)
{
    const CpuTopology *topology = &hw->config->topology;
    unsigned max = kvm_max_vcpus(hw->kvm);

    if (topology->n_vcpus > max)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "%u vCPUs are more than the %u that KVM has",
                         topology->n_vcpus, max);
    for (unsigned i = 0; i < topology->n_vcpus; i++) {
        hw->apic_ids[i] = cpuid_apic_id(topology, i);
        if (hw->apic_ids[i] >= MACHINE_VCPUS_MAX)
            return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                             "This CPU topology gives vCPU %u the APIC id %u, beyond %d", i,
                             hw->apic_ids[i], MACHINE_VCPUS_MAX - 1);
    }
    return true;
}

static struct kvm_cpuid2 *
copy_cpuid(const struct kvm_cpuid2 *common, unsigned room)
{
    size_t size = sizeof(*common) + room * sizeof(common->entries[0]);

    return memcpy(vmm_must(malloc(size)), common, size);
}

static bool
has_vmx(const struct kvm_cpuid2 *cpuid)
{
    for (unsigned i = 0; i < cpuid->nent; i++) {
        if (cpuid->entries[i].function == 1)
            return cpuid->entries[i].ecx & CPUID_1_ECX_VMX;
    }
    return false;
}

static bool
add_vcpu(Hardware *hw, unsigned i, struct kvm_cpuid2 *cpuid, unsigned room, VmmError *err)
{
    int fd;

    if (!cpuid_build(cpuid, room, &hw->config->topology, i, hw->config->pae, err))
        return false;
    hw->vmx = has_vmx(cpuid);
    fd = kvm_create_vcpu(hw->kvm, hw->apic_ids[i], cpuid, err);
    if (fd < 0)
        return false;
    if (!cpu_config_vcpu(&hw->config->cpu, hw->kvm, fd, err) || !power_on_prepare(fd, i, err)) {
        close(fd);
        return false;
    }
    return vcpus_add(hw->vcpus, fd, kvm_run_size(hw->kvm), err);
}

/* The features that every vCPU has, with room for its own leaves; free() it. */
static struct kvm_cpuid2 *
build_cpuid(Hardware *hw, unsigned *ret_room, VmmError *err)
{
    struct kvm_cpuid2 *cpuid = kvm_supported_cpuid(hw->kvm, CPUID_SPARE, ret_room, err);

    if (!cpuid)
        return NULL;
    cpuid_offer(cpuid, kvm_has(hw->kvm, KVM_CAP_TSC_DEADLINE_TIMER) > 0);
    if (cpu_config_cpuid(&hw->config->cpu, cpuid, *ret_room, err))
        return cpuid;
    free(cpuid);
    return NULL;
}

/* The highest byte of RAM has an address that the guest's CPUs can form. */
static bool
check_reach(Hardware *hw, const struct kvm_cpuid2 *cpuid, VmmError *err)
{
    unsigned bits = cpuid_physical_bits(cpuid);
    MemoryRegion region;

    for (unsigned i = 0; memory_region(hw->board.memory, i, &region); i++) {
        if (bits < 64 && (region.gpa + region.size - 1) >> bits)
            return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                             "%" PRIu64 " bytes of memory are more than the CPU's %u address bits "
                             "reach",
                             memory_size(hw->board.memory), bits);
    }
    return true;
}

static bool
build_vcpus(Hardware *hw, VmmError *err)
{
    VcpuOwner owner = {
        .pio = hw->board.pio,
        .mmio = hw->board.mmio,
        .memory = hw->board.memory,
        .ended = vcpu_ended,
        .data = hw,
    };
    struct kvm_cpuid2 *common;
    unsigned room, n = hw->config->topology.n_vcpus;
    bool good;

    if (!check_vcpus(hw, err) || !cpu_config_vm(&hw->config->cpu, hw->kvm, err))
        return false;
    common = build_cpuid(hw, &room, err);
    if (!common)
        return false;
    good = check_reach(hw, common, err);
    hw->vcpus = vcpus_new(n, &owner);
    for (unsigned i = 0; good && i < n; i++) {
        struct kvm_cpuid2 *cpuid = copy_cpuid(common, room);

        good = add_vcpu(hw, i, cpuid, room, err);
        free(cpuid);
    }
    free(common);
    vcpus_wait(hw->vcpus); /* each thread has its name, by which the host finds it */
    return good;
}

static bool
build_memory(Hardware *hw, VmmError *err)
{
    hw->board.memory = memory_new_from(hw->config->memory, &hw->config->ram, err);
    return hw->board.memory && kvm_add_memory(hw->kvm, hw->board.memory, err);
}

/* RAM goes before the chips. A new slot waits until nobody can see the old set of slots, and that
 * takes some milliseconds once the chips are on KVM's buses: 7.6 ms in all against 1.3 in this
 * order, the medians of 25 runs on Linux 6.18. */
static bool
build_kvm(Hardware *hw, VmmError *err)
{
    int fd = hw->config->kvm_fd;

    hw->config->kvm_fd = -1;
    hw->kvm = kvm_new(fd, err);
    if (hw->kvm && build_memory(hw, err) && kvm_create_chips(hw->kvm, err) &&
        (hw->config->pit_reinject || kvm_lose_ticks(hw->kvm, err)))
        hw->irqs = irqs_new(hw->kvm, err);
    return hw->irqs != NULL;
}

/* Devices of the board, as far as they are not there yet; NULL ends @classes. */
static bool
build_devices(Hardware *hw, const DeviceClass *const *classes, VmmMsg *params, VmmError *err)
{
    for (; *classes; classes++) {
        Device *dev;

        if (has_class(hw, *classes))
            continue;
        dev = device_new(*classes, &hw->board, (*classes)->name, params, err);
        if (!dev)
            return false;
        plug(hw, dev);
    }
    return true;
}

static bool
build_power_on(Hardware *hw, VmmError *err)
{
    unsigned n;
    const int *fds = vcpus_fds(hw->vcpus, &n);

    hw->power_on = power_on_capture(hw->kvm, fds, n, err);
    return hw->power_on != NULL;
}

Hardware *
hardware_new(Loop *loop, MachineConfig *config, VmmMsg *create, const HardwareOwner *owner,
             VmmError *err)
{
    Hardware *hw = vmm_must(calloc(1, sizeof(*hw)));

    hw->board = (Board){
        .loop = loop,
        .pio = bus_new("port I/O"),
        .mmio = bus_new("MMIO"),
        .set_irq = board_set_irq,
        .request = board_request,
        .notify = board_notify,
        .msi_new = board_msi_new,
        .msi_set = board_msi_set,
        .msi_free = board_msi_free,
        .add_doorbell = board_add_doorbell,
        .remove_doorbell = board_remove_doorbell,
        .map_rom = board_map_rom,
        .unmap_rom = board_unmap_rom,
    };
    hw->owner = *owner;
    hw->config = config;
    if (build_kvm(hw, err) && build_vcpus(hw, err) &&
        build_devices(hw, device_board_classes, create, err) &&
        (!config->pci || build_devices(hw, device_pci_classes, create, err)) &&
        (!config->has_firmware || build_devices(hw, device_firmware_classes, create, err)) &&
        build_power_on(hw, err))
        return hw;
    hardware_free(hw);
    return NULL;
}

void
hardware_free(Hardware *hw)
{
    if (!hw)
        return;
    vcpus_free(hw->vcpus);
    while (hw->n_devices > 0)
        device_free(hw->devices[--hw->n_devices]);
    free(hw->devices);
    power_on_free(hw->power_on);
    irqs_free(hw->irqs);
    kvm_free(hw->kvm);
    memory_free(hw->board.memory);
    bus_free(hw->board.pio);
    bus_free(hw->board.mmio);
    free(hw);
}

static Device *
create_device(Hardware *hw, const DeviceClass *class, const char *id, VmmMsg *msg, VmmError *err)
{
    Device *dev = device_new(class, &hw->board, id, msg, err);
    const char *unread;

    if (!dev)
        return NULL;
    unread = vmm_msg_unread(msg);
    if (!unread)
        return dev;
    device_free(dev);
    vmm_error(err, VMM_ERROR_INVALID,
              "add-device: '%s' does not know the key '%s' or not of this type", class->name,
              unread);
    return NULL;
}

bool
hardware_add_device(Hardware *hw, const DeviceClass *class, const char *id, VmmMsg *msg,
                    VmmError *err)
{
    vmm_msg_auto empty = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    Device *dev;

    if (hw->board.hot && !class->eject)
        return vmm_error(err, VMM_ERROR_STATE,
                         "A device of class '%s' can be added to a new machine only", class->name);
    if (find_device(hw, id))
        return vmm_error(err, VMM_ERROR_INVALID, "There is a device '%s' already", id);
    if (!hw->board.hot && class->needs && !build_devices(hw, class->needs, empty, err))
        return false;
    dev = create_device(hw, class, id, msg, err);
    if (!dev)
        return false;
    plug(hw, dev);
    if (hw->board.hot)
        reset_device(dev);
    if (hw->running)
        resume_device(dev);
    return true;
}

bool
hardware_eject_device(Hardware *hw, const char *id, VmmError *err)
{
    Device *dev = find_device(hw, id);

    if (!dev)
        return vmm_error(err, VMM_ERROR_INVALID, "There is no device '%s'", id);
    if (!dev->class->eject)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "Device '%s' cannot be removed", id);
    return dev->class->eject(dev, err);
}

bool
hardware_remove_device(Hardware *hw, const char *id)
{
    Device *dev = find_device(hw, id);
    size_t at = 0;

    if (!dev || !dev->class->eject)
        return false;
    while (hw->devices[at] != dev)
        at++;
    hw->n_devices--;
    memmove(&hw->devices[at], &hw->devices[at + 1], (hw->n_devices - at) * sizeof(Device *));
    device_free(dev);
    return true;
}

/* What is not understood is refused, but what was understood may have been done by then. */
bool
hardware_tell_device(Hardware *hw, const char *id, VmmMsg *msg, VmmMsg *reply, VmmError *err)
{
    Device *dev = find_device(hw, id);
    const char *unread;

    if (!dev)
        return vmm_error(err, VMM_ERROR_INVALID, "There is no device '%s'", id);
    if (!dev->class->tell)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "Device '%s' can be told nothing", id);
    if (!dev->class->tell(dev, msg, reply, err))
        return false;
    unread = vmm_msg_unread(msg);
    if (!unread)
        return true;
    return vmm_error(err, VMM_ERROR_INVALID,
                     "tell-device: '%s' does not know the key '%s' or not of this type", id,
                     unread);
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

/* As the machine is now: where PCI's configuration space is, is firmware's choice. */
static AcpiConfig
acpi_config(Hardware *hw)
{
    AcpiConfig acpi = {
        .n_vcpus = hw->config->topology.n_vcpus,
        .apic_ids = hw->apic_ids,
        .describe = describe_devices,
        .data = hw,
    };

    if (hw->board.pci && !pci_host_ecam(hw->board.pci, &acpi.ecam_base, &acpi.ecam_size))
        acpi.ecam_size = 0;
    return acpi;
}

static bool
boot_kernel(Hardware *hw, BootSource *source, VmmError *err)
{
    AcpiConfig acpi;
    BootEntry entry;
    unsigned n;

    set_up_pci(hw->board.pci);
    acpi = acpi_config(hw);
    if (hw->config->acpi && !acpi_write(&acpi, hw->board.memory, &source->rsdp, err))
        return false;
    return boot_load(source, hw->board.memory, &entry, err) &&
           regs_enter(vcpus_fds(hw->vcpus, &n)[0], &entry, err);
}

/* Firmware asks for the tables after it has set up PCI. */
static void
refresh_acpi(void *data, FwCfg *cfg)
{
    Hardware *hw = data;
    AcpiConfig acpi;
    VmmError err;
    bool fresh;

    pthread_mutex_lock(pci_lock(hw->board.pci));
    acpi = acpi_config(hw);
    fresh = acpi_loader_refresh(&acpi, cfg, &err);
    pthread_mutex_unlock(pci_lock(hw->board.pci));
    if (!fresh)
        log_guest("The guest's ACPI tables do not tell where its PCI is: %s", err.text);
}

/* The first vCPU stands at the reset vector, which is where the firmware is. */
static bool
boot_firmware(Hardware *hw, const BootSource *source, VmmError *err)
{
    AcpiConfig acpi = acpi_config(hw);
    FirmwareMachine machine = {
        .settings = &hw->config->firmware,
        .topology = &hw->config->topology,
        .memory = hw->board.memory,
        .acpi = hw->config->acpi ? &acpi : NULL,
        .kernel = source->kernel_fd >= 0 ? source : NULL,
        .vmx = hw->vmx,
    };

    for (unsigned i = 0; i < hw->config->topology.n_vcpus; i++) {
        if (hw->apic_ids[i] >= machine.apic_id_end)
            machine.apic_id_end = hw->apic_ids[i] + 1;
    }
    if (!firmware_describe(&machine, hw->board.fw_cfg, err))
        return false;
    if (machine.acpi)
        fw_cfg_on_select(hw->board.fw_cfg, ACPI_FILE_LOADER, refresh_acpi, hw);
    return true;
}

static bool
boot(Hardware *hw, VmmError *err)
{
    BootSource source = {
        .kernel_fd = hw->config->kernel_fd,
        .initrd_fd = hw->config->initrd_fd,
        .cmdline = hw->config->cmdline,
    };

    return hw->config->has_firmware ? boot_firmware(hw, &source, err)
                                    : boot_kernel(hw, &source, err);
}

bool
hardware_power_on(Hardware *hw, VmmError *err)
{
    for_devices(hw, reset_device);
    hw->board.hot = boot(hw, err);
    return hw->board.hot;
}

/* Devices go first, so that the lines that they hold are down when the chips are put back. */
bool
hardware_reset(Hardware *hw, VmmError *err)
{
    unsigned n;

    if (!vcpus_abandon(hw->vcpus, err))
        return false;
    for_devices(hw, reset_device);
    return power_on_restore(hw->power_on, hw->kvm, vcpus_fds(hw->vcpus, &n), err) && boot(hw, err);
}

void
hardware_run(Hardware *hw)
{
    for_devices(hw, resume_device);
    hw->running = true;
    vcpus_run(hw->vcpus);
}

/* A guest's clock does not blame the guest for the time that it was paused. EINVAL: it has no
 * kvmclock. */
static void
excuse_pause(Hardware *hw)
{
    unsigned n;
    const int *fds = vcpus_fds(hw->vcpus, &n);

    for (unsigned i = 0; i < n; i++)
        ioctl(fds[i], KVM_KVMCLOCK_CTRL, 0);
}

void
hardware_halt(Hardware *hw)
{
    vcpus_stop(hw->vcpus);
    vcpus_wait(hw->vcpus);
    for_devices(hw, pause_device);
    hw->running = false;
    excuse_pause(hw);
}

void
hardware_park(Hardware *hw)
{
    vcpus_stop(hw->vcpus);
    vcpus_wait(hw->vcpus);
}

void
hardware_unpark(Hardware *hw)
{
    vcpus_run(hw->vcpus);
}

/* State. */

static GuestParts
guest_parts(Hardware *hw)
{
    GuestParts parts = {
        .config = hw->config,
        .kvm = hw->kvm,
        .layout = power_on_layout(hw->power_on),
        .devices = hw->devices,
        .n_devices = hw->n_devices,
    };

    parts.vcpu_fds = vcpus_fds(hw->vcpus, &parts.n_vcpus);
    return parts;
}

bool
hardware_save(Hardware *hw, StateOut *before, StateOut *after, VmmError *err)
{
    GuestParts parts = guest_parts(hw);

    return vcpus_finish(hw->vcpus, err) && guest_state_save(&parts, before, after, err);
}

/* A kernel is in RAM, and firmware's tables are. */
bool
hardware_prepare_restore(Hardware *hw, VmmError *err)
{
    BootSource source = { .kernel_fd = hw->config->kernel_fd,
                          .initrd_fd = hw->config->initrd_fd,
                          .cmdline = hw->config->cmdline };

    for_devices(hw, reset_device);
    memory_clear(hw->board.memory);
    return !hw->config->has_firmware || boot_firmware(hw, &source, err);
}

bool
hardware_check_restore(Hardware *hw, const StateSection *first, VmmError *err)
{
    GuestParts parts = guest_parts(hw);

    return guest_state_check(&parts, first, err);
}

bool
hardware_restore(Hardware *hw, const StateSection *(*section)(void *data, size_t i), void *data,
                 VmmError *err)
{
    GuestParts parts = guest_parts(hw);

    if (!guest_state_load(&parts, section, data, err))
        return false;
    if (hw->board.pci) {
        pthread_mutex_lock(pci_lock(hw->board.pci));
        pci_remap(hw->board.pci);
        pthread_mutex_unlock(pci_lock(hw->board.pci));
    }
    hw->board.hot = true;
    return true;
}

Memory *
hardware_memory(Hardware *hw)
{
    return hw->board.memory;
}

bool
hardware_track_dirty(Hardware *hw, bool on, VmmError *err)
{
    if (!kvm_track_memory(hw->kvm, hw->board.memory, on, err))
        return false;
    memory_track(hw->board.memory, on);
    return true;
}

bool
hardware_take_dirty(Hardware *hw, unsigned i, uint64_t *bitmap, VmmError *err)
{
    memory_take_dirty(hw->board.memory, i, bitmap);
    return kvm_take_dirty(hw->kvm, hw->board.memory, i, bitmap, err);
}

bool
hardware_press_power_button(Hardware *hw)
{
    for (size_t i = 0; hw->config->acpi && i < hw->n_devices; i++) {
        Device *dev = hw->devices[i];

        if (dev->class->power_button && dev->class->power_button(dev))
            return true;
    }
    return false;
}

bool
hardware_inject_nmi(Hardware *hw)
{
    unsigned n;
    const int *fds = vcpus_fds(hw->vcpus, &n);

    return nmi_inject(fds, n) > 0;
}

unsigned
hardware_n_vcpus(const Hardware *hw)
{
    return hw->config->topology.n_vcpus;
}

uint64_t
hardware_cpu_time_ns(const Hardware *hw, unsigned i)
{
    return vcpus_cpu_time_ns(hw->vcpus, i);
}
