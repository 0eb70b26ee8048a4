/* layout: who lives where in guest physical memory and port space.
 *
 * Low RAM ends at 2 GiB where there is more of it, as on QEMU's q35, so that PCI windows, ECAM and
 * firmware have room below 4 GiB.
 */
#pragma once

#define LAYOUT_LOW_RAM_END  0x80000000ull /* RAM from here on is above 4 GiB instead */
#define LAYOUT_HIGH_RAM     0x100000000ull
#define LAYOUT_BOOT_GDT     0x500ull  /* what the boot loaders leave in low memory ... */
#define LAYOUT_BOOT_INFO    0x7000ull /* boot_params, hvm_start_info or multiboot info */
#define LAYOUT_BOOT_STACK   0x9000ull /* top of the stack that an entered kernel finds */
#define LAYOUT_BOOT_TABLES  0x9000ull /* page tables, six pages */
#define LAYOUT_BOOT_CMDLINE 0x20000ull
#define LAYOUT_EBDA         0x9fc00ull /* end of conventional memory */
#define LAYOUT_ACPI         0xe0000ull /* RSDP and tables, up to 1 MiB */
#define LAYOUT_ACPI_END     0x100000ull
#define LAYOUT_KERNEL       0x100000ull
#define LAYOUT_ECAM         0xe0000000ull /* PCI configuration space, where no firmware moves it ... */
#define LAYOUT_ECAM_SIZE    0x10000000ull
#define LAYOUT_PCI_MEMORY   0xc0000000ull /* ... and the memory that functions get then, up to it */
#define LAYOUT_PCI_IO       0x1000u       /* their ports, from here on */
#define LAYOUT_IOAPIC       0xfec00000ull
#define LAYOUT_LAPIC        0xfee00000ull
#define LAYOUT_IDENTITY_MAP 0xfeffc000ull /* KVM's own pages on Intel: one, then three */
#define LAYOUT_TSS          0xfeffd000ull

#define LAYOUT_PM_BASE     0x600u /* ICH9's PMBASE: PM1 event +0, control +4, timer +8 */
#define LAYOUT_SCI         9u
#define LAYOUT_S3_TYPE     1u /* PM1 control's SLP_TYP that suspends to RAM ... */
#define LAYOUT_S4_TYPE     2u /* ... that turns a machine off which has saved itself to its disk ... */
#define LAYOUT_S5_TYPE     0u /* ... and that turns it off */
#define LAYOUT_RESET_PORT  0xcf9u
#define LAYOUT_RESET_VALUE 6u /* written there, it resets the machine */
