/* regs: a vCPU's registers at the door of a kernel, and in the log after a crash. */
#pragma once

#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/x86/boot.h"

/* Sets the registers of a powered-on vCPU as the kernel at @entry expects them: flat segments by
 * the GDT at LAYOUT_BOOT_GDT, interrupts off, and the mode's paging (Linux'
 * Documentation/arch/x86/boot, "64-bit Boot Protocol"; Multiboot 0.6.96, 3.2; PVH, "Xen HVM direct
 * boot ABI"), or one that wakes up (ACPI 6.4, 16.3.1), whose own tables are its affair. */
bool regs_enter(int vcpu_fd, const BootEntry *entry, VmmError *err);

/* Writes vCPU @index's registers and the instruction that it stands at to the log, as often as
 * log_guest() allows. In the vCPU's thread, or while it is parked. */
void regs_log(int vcpu_fd, unsigned index, const Memory *memory);
