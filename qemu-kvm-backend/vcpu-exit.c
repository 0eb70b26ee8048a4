#include "qemu-kvm-backend/vcpu-exit.h"

#include "qemu-kvm-backend/x86/hyperv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct Exit {
    struct kvm_run *run;
    Bus *pio;
    Bus *mmio;
    char *text;
} Exit;

typedef struct ExitRow {
    const char *name;
    VcpuVerdict (*serve)(Exit *exit); /* NULL: nothing that we ask of KVM leads here, a crash */
} ExitRow;

static VcpuVerdict say(Exit *exit, VcpuVerdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static VcpuVerdict
say(Exit *exit, VcpuVerdict verdict, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(exit->text, VCPU_TEXT, format, args);
    va_end(args);
    return verdict;
}

/* A string instruction with a repeat count comes as one exit, its elements one after the other. */
static VcpuVerdict
serve_io(Exit *exit)
{
    struct kvm_run *run = exit->run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;

    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        if (run->io.direction == KVM_EXIT_IO_OUT)
            bus_write(exit->pio, run->io.port, data, run->io.size);
        else
            bus_read(exit->pio, run->io.port, data, run->io.size);
    }
    return VCPU_GO_ON;
}

static VcpuVerdict
serve_mmio(Exit *exit)
{
    struct kvm_run *run = exit->run;

    if (run->mmio.len > sizeof(run->mmio.data))
        return say(exit, VCPU_CRASH, "KVM asks for an access of %u bytes", run->mmio.len);
    if (run->mmio.is_write)
        bus_write(exit->mmio, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
    else
        bus_read(exit->mmio, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
    return VCPU_GO_ON;
}

static VcpuVerdict
serve_nothing(Exit *exit)
{
    return VCPU_GO_ON;
}

static VcpuVerdict
serve_shutdown(Exit *exit)
{
    return say(exit, VCPU_RESET, "triple fault");
}

static VcpuVerdict
serve_system_event(Exit *exit)
{
    switch (exit->run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        return say(exit, VCPU_POWEROFF, "KVM reports that the guest shut down");
    case KVM_SYSTEM_EVENT_RESET:
        return say(exit, VCPU_RESET, "KVM reports that the guest asked for a reset");
    case KVM_SYSTEM_EVENT_CRASH:
        return say(exit, VCPU_CRASH, "The guest reported its own crash to KVM");
    default:
        return say(exit, VCPU_CRASH, "KVM reports system event %u, which is unknown",
                   exit->run->system_event.type);
    }
}

static VcpuVerdict
serve_fail_entry(Exit *exit)
{
    return say(exit, VCPU_CRASH,
               "The CPU refused to enter the guest: hardware reason 0x%" PRIx64 " on host CPU %u",
               (uint64_t)exit->run->fail_entry.hardware_entry_failure_reason,
               exit->run->fail_entry.cpu);
}

static const char *
suberror_name(uint32_t suberror)
{
    static const char *const names[] = {
        [KVM_INTERNAL_ERROR_EMULATION] = "instruction not emulated",
        [KVM_INTERNAL_ERROR_SIMUL_EX] = "exception while delivering another",
        [KVM_INTERNAL_ERROR_DELIVERY_EV] = "exit while delivering an event",
        [KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "exit that KVM does not know",
    };
    const char *name = suberror < sizeof(names) / sizeof(names[0]) ? names[suberror] : NULL;

    return name ? name : "unknown";
}

/* The bytes of the instruction, where KVM says that it fetched them. */
static void
put_instruction(const struct kvm_run *run, char *text, size_t size)
{
    size_t used = 0;

    text[0] = 0;
    if (run->internal.suberror != KVM_INTERNAL_ERROR_EMULATION ||
        run->emulation_failure.ndata < 1 ||
        !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
        return;
    used = snprintf(text, size, "; instruction");
    for (unsigned i = 0; i < run->emulation_failure.insn_size && i < 15 && used < size; i++)
        used += snprintf(text + used, size - used, " %02x", run->emulation_failure.insn_bytes[i]);
}

static VcpuVerdict
serve_internal_error(Exit *exit)
{
    char instruction[80];

    put_instruction(exit->run, instruction, sizeof(instruction));
    return say(exit, VCPU_CRASH, "KVM internal error %u (%s)%s", exit->run->internal.suberror,
               suberror_name(exit->run->internal.suberror), instruction);
}

static VcpuVerdict
serve_hyperv(Exit *exit)
{
    if (hyperv_exit(exit->run))
        return VCPU_GO_ON;
    return say(exit, VCPU_CRASH, "KVM reports %u of Hyper-V, which is unknown", exit->run->hyperv.type);
}

/* By KVM_EXIT_*: api.rst, "The kvm_run structure". A halted vCPU waits in the kernel, where its
 * APIC is, and so do interrupt windows and the I/O APIC's ends of interrupt. */
static const ExitRow rows[] = {
    [KVM_EXIT_UNKNOWN] = { "unknown hardware exit", NULL },
    [KVM_EXIT_EXCEPTION] = { "exception", NULL },
    [KVM_EXIT_IO] = { "port I/O", serve_io },
    [KVM_EXIT_HYPERCALL] = { "hypercall", NULL },
    [KVM_EXIT_DEBUG] = { "debug", NULL },
    [KVM_EXIT_HLT] = { "halt", NULL },
    [KVM_EXIT_MMIO] = { "MMIO", serve_mmio },
    [KVM_EXIT_IRQ_WINDOW_OPEN] = { "interrupt window", serve_nothing },
    [KVM_EXIT_SHUTDOWN] = { "shutdown", serve_shutdown },
    [KVM_EXIT_FAIL_ENTRY] = { "failed entry", serve_fail_entry },
    [KVM_EXIT_INTR] = { "signal", serve_nothing },
    [KVM_EXIT_SET_TPR] = { "TPR write", NULL },
    [KVM_EXIT_TPR_ACCESS] = { "TPR access", NULL },
    [KVM_EXIT_NMI] = { "NMI", NULL },
    [KVM_EXIT_INTERNAL_ERROR] = { "internal error", serve_internal_error },
    [KVM_EXIT_SYSTEM_EVENT] = { "system event", serve_system_event },
    [KVM_EXIT_IOAPIC_EOI] = { "I/O APIC end of interrupt", NULL },
    [KVM_EXIT_HYPERV] = { "Hyper-V", serve_hyperv },
    [KVM_EXIT_X86_RDMSR] = { "MSR read", NULL },
    [KVM_EXIT_X86_WRMSR] = { "MSR write", NULL },
    [KVM_EXIT_DIRTY_RING_FULL] = { "full dirty ring", NULL },
    [KVM_EXIT_X86_BUS_LOCK] = { "bus lock", NULL },
    [KVM_EXIT_XEN] = { "Xen", NULL },
};

VcpuVerdict
vcpu_exit(struct kvm_run *run, Bus *pio, Bus *mmio, char text[VCPU_TEXT])
{
    Exit exit = { .run = run, .pio = pio, .mmio = mmio, .text = text };
    const ExitRow *row = NULL;

    text[0] = 0;
    if (run->exit_reason < sizeof(rows) / sizeof(rows[0]))
        row = &rows[run->exit_reason];
    if (row && row->serve)
        return row->serve(&exit);
    return say(&exit, VCPU_CRASH, "KVM stopped a vCPU for a reason that is not served: %u (%s)",
               run->exit_reason, row && row->name ? row->name : "unknown");
}
