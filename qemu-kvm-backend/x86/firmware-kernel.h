/* firmware-kernel: a kernel that firmware is to boot instead of a disk.
 *
 * fw-cfg has its parts as numbered items. UEFI looks for them by itself and starts the kernel as an application. A BIOS
 * does not: it gets a ROM that has it load them (kernel-rom.S), as a file that is in the boot order by a path of its own.
 */
#pragma once

#include "qemu-kvm-backend/hw/fw-cfg.h"
#include "qemu-kvm-backend/x86/boot-source.h"

#define FIRMWARE_KERNEL_FILE "genroms/kernel.bin"
#define FIRMWARE_KERNEL_PATH "/rom@" FIRMWARE_KERNEL_FILE

/* Also checks that the firmware, which is a BIOS or UEFI, can start it in @memory. The descriptors stay the caller's and
 * open. */
bool firmware_kernel_put(const BootSource *kernel, bool uefi, const Memory *memory, FwCfg *cfg,
                         VmmError *err);
