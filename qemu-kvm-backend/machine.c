#include "qemu-kvm-backend/machine.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/machine-config.h"
#include "qemu-kvm-backend/mailbox.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/vcpu.h"
#include "qemu-kvm-backend/x86/acpi.h"
#include "qemu-kvm-backend/x86/boot.h"
#include "qemu-kvm-backend/x86/power-on.h"
#include "qemu-kvm-backend/x86/regs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CPUID_SPARE 64 /* entries that cpuid_build() may add */

struct Machine {
    Board board; /* first: a Board is a Machine */
    void (*notify)(void *data, VmmMsg *event);
    void *data;
    Mailbox *mailbox;
    const char *state;
    const char *reason;

    /* From "create" on. */
    MachineConfig config;
    uint32_t apic_ids[MACHINE_VCPUS_MAX];
    Kvm *kvm;
    Vcpus *vcpus;
    PowerOn *power_on;
    Device **devices; /* in the order of their creation */
    size_t n_devices;
};

/* What devices ask of the board. */

static void
board_set_irq(Board *board, unsigned gsi, bool level)
{
    kvm_set_irq(((Machine *)board)->kvm, gsi, level);
}

static void
board_notify(Board *board, VmmMsg *event)
{
    mailbox_post_event(((Machine *)board)->mailbox, event);
}

static void
end_run(Machine *m, const char *reason, const char *text)
{
    mailbox_post_ending(m->mailbox, reason, text);
    vcpus_stop(m->vcpus);
}

static void
board_request(Board *board, BoardRequest what, unsigned code, const char *why)
{
    static const char *const reasons[] = {
        [BOARD_POWEROFF] = VMM_REASON_POWEROFF,
        [BOARD_RESET] = VMM_REASON_RESET,
        [BOARD_EXIT] = VMM_REASON_EXIT,
    };
    char number[16];

    snprintf(number, sizeof(number), "%u", code);
    end_run((Machine *)board, reasons[what], what == BOARD_EXIT ? number : why);
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

/* State and its news. */

static bool
is(const Machine *m, const char *state)
{
    return strcmp(m->state, state) == 0;
}

static void
enter(Machine *m, const char *state, const char *reason)
{
    m->state = state;
    m->reason = reason;
}

static VmmMsg *
event_new(const char *name, const char *reason)
{
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, name);

    vmm_msg_put_string(event, "reason", reason);
    return event;
}

/* The exit record outlives the process for a driver that was not there to get the event. */
static void
write_record(Machine *m, const char *text)
{
    char line[sizeof(((VmmError *)0)->text) + 64];
    int n;

    if (m->config.record_fd < 0)
        return;
    n = snprintf(line, sizeof(line), "%s %s %s\n", m->state, m->reason, text);
    if (pwrite(m->config.record_fd, line, n, 0) != n)
        log_line("Cannot write the exit record: %s", strerrordesc_np(errno));
}

static void
stop(Machine *m, const char *reason, const char *text)
{
    VmmMsg *event = event_new(VMM_EVENT_STOPPED, reason);

    enter(m, VMM_STATE_STOPPED, reason);
    log_line("Guest stopped: %s: %s", reason, text);
    vmm_msg_put_string(event, "state", m->state);
    vmm_msg_put_string(event, "text", text);
    write_record(m, text);
    m->notify(m->data, event);
    loop_quit(m->board.loop);
}

/* Devices, as many as there are. */

static void
for_devices(Machine *m, void (*hook)(Device *dev))
{
    for (size_t i = 0; i < m->n_devices; i++)
        hook(m->devices[i]);
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
    Machine *m = data;

    for (size_t i = 0; i < m->n_devices; i++) {
        if (m->devices[i]->class->describe)
            m->devices[i]->class->describe(m->devices[i], aml);
    }
}

static void
plug(Machine *m, Device *dev)
{
    m->devices = vmm_must(realloc(m->devices, (m->n_devices + 1) * sizeof(Device *)));
    m->devices[m->n_devices++] = dev;
}

static bool
has_device(const Machine *m, const char *id)
{
    for (size_t i = 0; i < m->n_devices; i++) {
        if (strcmp(m->devices[i]->id, id) == 0)
            return true;
    }
    return false;
}

/* Power: on, off, and back to the start. */

static bool
boot(Machine *m, VmmError *err)
{
    BootSource source = {
        .kernel_fd = m->config.kernel_fd,
        .initrd_fd = m->config.initrd_fd,
        .cmdline = m->config.cmdline,
    };
    AcpiConfig acpi = {
        .n_vcpus = m->config.topology.n_vcpus,
        .apic_ids = m->apic_ids,
        .describe = describe_devices,
        .data = m,
    };
    BootEntry entry;
    unsigned n;

    if (m->config.acpi && !acpi_write(&acpi, m->board.memory, &source.rsdp, err))
        return false;
    return boot_load(&source, m->board.memory, &entry, err) &&
           regs_enter(vcpus_fds(m->vcpus, &n)[0], &entry, err);
}

static void
halt_vcpus(Machine *m)
{
    vcpus_stop(m->vcpus);
    vcpus_wait(m->vcpus);
    for_devices(m, pause_device);
}

static void
start_vcpus(Machine *m, const char *reason)
{
    for_devices(m, resume_device);
    enter(m, VMM_STATE_RUNNING, reason);
    vcpus_run(m->vcpus);
}

/* All vCPUs are parked. Devices go first, so that the lines that they hold are down when the chips
 * are put back. */
static bool
start_over(Machine *m, VmmError *err)
{
    unsigned n;

    if (!vcpus_abandon(m->vcpus, err))
        return false;
    for_devices(m, reset_device);
    return power_on_restore(m->power_on, m->kvm, vcpus_fds(m->vcpus, &n), err) && boot(m, err);
}

/* A guest's clock does not blame the guest for the time that it was paused. EINVAL: it has no
 * kvmclock. */
static void
excuse_pause(Machine *m)
{
    unsigned n;
    const int *fds = vcpus_fds(m->vcpus, &n);

    for (unsigned i = 0; i < n; i++)
        ioctl(fds[i], KVM_KVMCLOCK_CTRL, 0);
}

static void
pause_for(Machine *m, const char *reason)
{
    excuse_pause(m);
    enter(m, VMM_STATE_PAUSED, reason);
}

/* What a guest did to itself, and what its policy makes of it. */

static const char *
action_for(const Machine *m, const char *reason)
{
    if (strcmp(reason, VMM_REASON_POWEROFF) == 0)
        return m->config.policy.on_poweroff;
    if (strcmp(reason, VMM_REASON_RESET) == 0)
        return m->config.policy.on_reboot;
    if (strcmp(reason, VMM_REASON_CRASHED) == 0)
        return m->config.policy.on_crash;
    return VMM_ACTION_STOP; /* the debug-exit port */
}

static void
reset_by_guest(Machine *m, const Ending *ending, bool was_running)
{
    VmmError err;

    log_guest("Guest reset: %s: %s", ending->reason, ending->text);
    if (!start_over(m, &err)) {
        stop(m, VMM_REASON_CRASHED, err.text);
        return;
    }
    m->notify(m->data, event_new(VMM_EVENT_RESET, ending->reason));
    if (was_running)
        start_vcpus(m, m->reason);
}

static void
pause_by_guest(Machine *m, const Ending *ending)
{
    VmmMsg *event = event_new(VMM_EVENT_PAUSED, ending->reason);

    log_guest("Guest paused: %s: %s", ending->reason, ending->text);
    vmm_msg_put_string(event, "text", ending->text);
    pause_for(m, ending->reason);
    m->notify(m->data, event);
}

static void
obey_guest(Machine *m)
{
    bool was_running = is(m, VMM_STATE_RUNNING);
    const char *action;
    Ending ending;

    /* Parked first, so that no second vCPU adds an ending to the one that is taken. */
    if (was_running)
        halt_vcpus(m);
    mailbox_take_ending(m->mailbox, &ending);
    action = action_for(m, ending.reason);
    if (strcmp(action, VMM_ACTION_RESET) == 0)
        reset_by_guest(m, &ending, was_running);
    else if (strcmp(action, VMM_ACTION_PAUSE) == 0)
        pause_by_guest(m, &ending);
    else
        stop(m, ending.reason, ending.text);
}

/* Also before every verb: a guest that has turned itself off is not resumed because the request
 * overtook the news. */
static void
read_mail(void *data)
{
    Machine *m = data;
    VmmMsg *event;

    while ((event = mailbox_take_event(m->mailbox)))
        m->notify(m->data, event);
    if (!is(m, VMM_STATE_STOPPED) && mailbox_has_ending(m->mailbox))
        obey_guest(m);
}

/* Building. */

static bool
check_vcpus(Machine *m, VmmError *err)
{
    const CpuTopology *topology = &m->config.topology;
    unsigned max = kvm_max_vcpus(m->kvm);

    if (topology->n_vcpus > max)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "%u vCPUs are more than the %u that KVM has",
                         topology->n_vcpus, max);
    for (unsigned i = 0; i < topology->n_vcpus; i++) {
        m->apic_ids[i] = cpuid_apic_id(topology, i);
        if (m->apic_ids[i] >= MACHINE_VCPUS_MAX)
            return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                             "This CPU topology gives vCPU %u the APIC id %u, beyond %d", i,
                             m->apic_ids[i], MACHINE_VCPUS_MAX - 1);
    }
    return true;
}

static struct kvm_cpuid2 *
copy_cpuid(const struct kvm_cpuid2 *supported, unsigned room)
{
    size_t size = sizeof(*supported) + room * sizeof(supported->entries[0]);

    return memcpy(vmm_must(malloc(size)), supported, size);
}

static bool
add_vcpu(Machine *m, unsigned i, struct kvm_cpuid2 *cpuid, unsigned room, VmmError *err)
{
    bool tsc_deadline = kvm_has(m->kvm, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
    int fd;

    if (!cpuid_build(cpuid, room, &m->config.topology, i, m->config.pae, tsc_deadline, err))
        return false;
    fd = kvm_create_vcpu(m->kvm, m->apic_ids[i], cpuid, err);
    if (fd < 0)
        return false;
    if (!power_on_prepare(fd, i, err)) {
        close(fd);
        return false;
    }
    return vcpus_add(m->vcpus, fd, kvm_run_size(m->kvm), err);
}

static bool
build_vcpus(Machine *m, VmmError *err)
{
    VcpuOwner owner = {
        .pio = m->board.pio,
        .mmio = m->board.mmio,
        .memory = m->board.memory,
        .ended = vcpu_ended,
        .data = m,
    };
    struct kvm_cpuid2 *supported;
    unsigned room, n = m->config.topology.n_vcpus;
    bool good = true;

    if (!check_vcpus(m, err))
        return false;
    supported = kvm_supported_cpuid(m->kvm, CPUID_SPARE, &room, err);
    if (!supported)
        return false;
    m->vcpus = vcpus_new(n, &owner);
    for (unsigned i = 0; good && i < n; i++) {
        struct kvm_cpuid2 *cpuid = copy_cpuid(supported, room);

        good = add_vcpu(m, i, cpuid, room, err);
        free(cpuid);
    }
    free(supported);
    return good;
}

static bool
build_memory(Machine *m, VmmError *err)
{
    m->board.memory = memory_new(m->config.memory, err);
    return m->board.memory && kvm_add_memory(m->kvm, m->board.memory, err);
}

static bool
build_kvm(Machine *m, VmmError *err)
{
    int fd = m->config.kvm_fd;

    m->config.kvm_fd = -1;
    m->kvm = kvm_new(fd, err);
    return m->kvm != NULL;
}

static bool
build_board_devices(Machine *m, VmmError *err)
{
    for (size_t i = 0; device_board_classes[i]; i++) {
        const DeviceClass *class = device_board_classes[i];
        vmm_msg_auto empty = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
        Device *dev = device_new(class, &m->board, class->name, empty, err);

        if (!dev)
            return false;
        plug(m, dev);
    }
    return true;
}

static bool
build_power_on(Machine *m, VmmError *err)
{
    unsigned n;
    const int *fds = vcpus_fds(m->vcpus, &n);

    m->power_on = power_on_capture(m->kvm, fds, n, err);
    return m->power_on != NULL;
}

static void
tear_down(Machine *m)
{
    vcpus_free(m->vcpus);
    while (m->n_devices > 0)
        device_free(m->devices[--m->n_devices]);
    free(m->devices);
    power_on_free(m->power_on);
    kvm_free(m->kvm);
    memory_free(m->board.memory);
    bus_free(m->board.pio);
    bus_free(m->board.mmio);
    machine_config_clear(&m->config);
    m->vcpus = NULL;
    m->devices = NULL;
    m->power_on = NULL;
    m->kvm = NULL;
    m->board.memory = NULL;
    m->board.pio = m->board.mmio = NULL;
}

static bool
build(Machine *m, VmmMsg *msg, VmmError *err)
{
    m->board.pio = bus_new("port I/O");
    m->board.mmio = bus_new("MMIO");
    return machine_config_read(&m->config, msg, err) && build_kvm(m, err) && build_memory(m, err) &&
           build_vcpus(m, err) && build_board_devices(m, err) && build_power_on(m, err);
}

Machine *
machine_new(Loop *loop, void (*notify)(void *data, VmmMsg *event), void *data)
{
    Machine *m = vmm_must(calloc(1, sizeof(*m)));

    m->board = (Board){
        .loop = loop,
        .set_irq = board_set_irq,
        .request = board_request,
        .notify = board_notify,
    };
    m->notify = notify;
    m->data = data;
    m->config.kvm_fd = m->config.kernel_fd = m->config.initrd_fd = m->config.record_fd = -1;
    m->mailbox = mailbox_new(loop, read_mail, m);
    enter(m, VMM_STATE_EMPTY, VMM_REASON_USER);
    return m;
}

void
machine_free(Machine *m)
{
    if (!m)
        return;
    tear_down(m);
    mailbox_free(m->mailbox);
    free(m);
}

const char *
machine_state(const Machine *m)
{
    return m->state;
}

const char *
machine_reason(const Machine *m)
{
    return m->reason;
}

bool
machine_create(Machine *m, VmmMsg *msg, VmmError *err)
{
    if (!is(m, VMM_STATE_EMPTY))
        return vmm_error(err, VMM_ERROR_STATE, "The machine was created already");
    if (!build(m, msg, err)) {
        tear_down(m);
        return false;
    }
    enter(m, VMM_STATE_CREATED, VMM_REASON_USER);
    return true;
}

bool
machine_add_device(Machine *m, VmmMsg *msg, VmmError *err)
{
    const char *class_name, *id, *unread;
    const DeviceClass *class;
    Device *dev;

    if (!is(m, VMM_STATE_CREATED))
        return vmm_error(err, VMM_ERROR_STATE, "Devices can be added to a new machine only");
    if (!vmm_msg_get_string(msg, "class", &class_name) || !vmm_msg_get_string(msg, "id", &id))
        return vmm_error(err, VMM_ERROR_INVALID, "add-device: 'class' or 'id' is missing");
    class = device_class_find(class_name);
    if (!class)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "There is no device class '%s'", class_name);
    if (has_device(m, id))
        return vmm_error(err, VMM_ERROR_INVALID, "There is a device '%s' already", id);
    dev = device_new(class, &m->board, id, msg, err);
    if (!dev)
        return false;
    unread = vmm_msg_unread(msg);
    if (unread) {
        device_free(dev);
        return vmm_error(err, VMM_ERROR_INVALID,
                         "add-device: '%s' does not know the key '%s' or not of this type",
                         class_name, unread);
    }
    plug(m, dev);
    return true;
}

static bool
needs_life(Machine *m, const char *what, VmmError *err)
{
    read_mail(m);
    if (is(m, VMM_STATE_RUNNING) || is(m, VMM_STATE_PAUSED))
        return true;
    return vmm_error(err, VMM_ERROR_STATE, "%s: the guest is not running: its state is '%s'", what,
                     m->state);
}

bool
machine_run(Machine *m, VmmError *err)
{
    read_mail(m);
    if (is(m, VMM_STATE_RUNNING))
        return true;
    if (is(m, VMM_STATE_CREATED)) {
        for_devices(m, reset_device);
        if (!boot(m, err))
            return false;
    } else if (!is(m, VMM_STATE_PAUSED)) {
        return vmm_error(err, VMM_ERROR_STATE, "run: the machine's state is '%s'", m->state);
    }
    start_vcpus(m, VMM_REASON_USER);
    return true;
}

bool
machine_pause(Machine *m, VmmError *err)
{
    if (!needs_life(m, "pause", err))
        return false;
    if (is(m, VMM_STATE_PAUSED))
        return true;
    halt_vcpus(m);
    pause_for(m, VMM_REASON_USER);
    return true;
}

bool
machine_reset(Machine *m, VmmError *err)
{
    VmmError failure;
    bool was_running;

    if (!needs_life(m, "reset", err))
        return false;
    was_running = is(m, VMM_STATE_RUNNING);
    halt_vcpus(m);
    /* What the guest asked for in the meantime belongs to the run that is over. */
    mailbox_take_ending(m->mailbox, &(Ending){ 0 });
    if (!start_over(m, &failure)) {
        stop(m, VMM_REASON_CRASHED, failure.text);
        return vmm_error(err, failure.kind, "%s", failure.text);
    }
    log_line("Guest reset by request");
    if (was_running)
        start_vcpus(m, VMM_REASON_USER);
    return true;
}

bool
machine_power_button(Machine *m, VmmError *err)
{
    if (!needs_life(m, "power-button", err))
        return false;
    for (size_t i = 0; m->config.acpi && i < m->n_devices; i++) {
        Device *dev = m->devices[i];

        if (dev->class->power_button && dev->class->power_button(dev))
            return true;
    }
    return vmm_error(err, VMM_ERROR_UNSUPPORTED, "The guest has no ACPI power button");
}

bool
machine_set_action(Machine *m, VmmMsg *msg, VmmError *err)
{
    if (is(m, VMM_STATE_EMPTY))
        return vmm_error(err, VMM_ERROR_STATE, "set-action: there is no machine yet");
    return machine_policy_read(&m->config.policy, msg, err);
}

bool
machine_stats(Machine *m, VmmMsg *reply, VmmError *err)
{
    char key[32];
    unsigned n;

    if (is(m, VMM_STATE_EMPTY))
        return vmm_error(err, VMM_ERROR_STATE, "stats: there is no machine yet");
    vcpus_fds(m->vcpus, &n);
    for (unsigned i = 0; i < n; i++) {
        snprintf(key, sizeof(key), "vcpu-%u-time", i);
        vmm_msg_put_u64(reply, key, vcpus_cpu_time_ns(m->vcpus, i));
    }
    return true;
}

void
machine_quit(Machine *m)
{
    read_mail(m);
    if (is(m, VMM_STATE_STOPPED))
        return;
    if (is(m, VMM_STATE_RUNNING))
        halt_vcpus(m);
    enter(m, VMM_STATE_STOPPED, VMM_REASON_USER);
    log_line("Guest ended by request");
    write_record(m, "ended by request");
    loop_quit(m->board.loop);
}
