/* The Linux boot protocol on x86, Documentation/arch/x86/boot.rst: section names are quoted. */
#include "qemu-kvm-backend/x86/boot.h"
#include "qemu-kvm-backend/x86/boot-file.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/e820.h"
#include "qemu-kvm-backend/x86/layout.h"
#include "qemu-kvm-backend/x86/linux-header.h"

#include <inttypes.h>
#include <string.h>

#define PROTOCOL_MIN     0x020c /* the first with xloadflags */
#define PROTOCOL_INITRD  0x7fffffffu
#define LOADER_UNDEFINED 0xffu
#define ENTRY_64         0x200u
#define HEAP_END         0xfe00u

/* What the file says of itself, after the checks. */
typedef struct Kernel {
    struct boot_params params; /* with the header of the file and nothing else yet */
    uint64_t offset;           /* of the protected-mode part in the file */
    uint64_t size;
    uint64_t addr;   /* where it is loaded */
    uint64_t needed; /* bytes from there on that must be RAM */
} Kernel;

static bool
check_header(const struct setup_header *header, VmmError *err)
{
    if (header->version < PROTOCOL_MIN)
        return vmm_error(
            err, VMM_ERROR_UNSUPPORTED,
            "The Linux kernel speaks boot protocol %u.%02u, but 2.12 (Linux 3.8) is the "
            "oldest that is supported",
            header->version >> 8, header->version & 0xff);
    if (!(header->xloadflags & XLF_KERNEL_64))
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "The Linux kernel has no 64-bit entry: 32-bit kernels are not supported");
    if (!(header->loadflags & LOADED_HIGH))
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "The Linux kernel is a zImage, but only a bzImage is supported");
    if (header->kernel_alignment == 0 ||
        (header->kernel_alignment & (header->kernel_alignment - 1)) != 0)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The Linux kernel is damaged: its alignment 0x%x is not a power of two",
                         header->kernel_alignment);
    return true;
}

/* "The Real-Mode Kernel Header", syssize */
static bool
find_payload(int fd, Kernel *kernel, VmmError *err)
{
    const struct setup_header *header = &kernel->params.hdr;
    uint64_t file_size;

    kernel->offset = linux_header_setup_size(header);
    kernel->size = (uint64_t)header->syssize * 16;
    if (!boot_file_size(fd, "kernel", &file_size, err))
        return false;
    if (kernel->offset > file_size || kernel->size > file_size - kernel->offset)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The Linux kernel is truncated: it should have %" PRIu64
                         " bytes but has %" PRIu64,
                         kernel->offset + kernel->size, file_size);
    if (kernel->size <= ENTRY_64)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The Linux kernel is damaged: it has no 64-bit code");
    return true;
}

/* "Details of Header Fields", pref_address and init_size: a kernel of 64 bits runs at pref_address
 * or above, wherever it was loaded, so loading it there spares it a move. */
static bool
place(Kernel *kernel, const Memory *memory, VmmError *err)
{
    const struct setup_header *header = &kernel->params.hdr;
    uint64_t align = header->relocatable_kernel ? header->kernel_alignment : 1;
    uint64_t addr = header->pref_address;

    if (addr < LAYOUT_KERNEL && header->relocatable_kernel)
        addr = LAYOUT_KERNEL;
    if (addr < LAYOUT_KERNEL || addr > LAYOUT_LOW_RAM_END)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The Linux kernel wants to run at address 0x%" PRIx64
                         ", where there is no RAM for it",
                         addr);
    kernel->addr = (addr + align - 1) / align * align;
    kernel->needed = header->init_size > kernel->size ? header->init_size : kernel->size;
    return boot_check_ram(memory, kernel->addr, kernel->needed, err);
}

static void
fill_e820(struct boot_params *params, const Memory *memory)
{
    E820Entry map[E820_MAX];
    unsigned n = e820_build(memory, map);

    for (unsigned i = 0; i < n; i++) {
        params->e820_table[i].addr = map[i].addr;
        params->e820_table[i].size = map[i].size;
        params->e820_table[i].type = map[i].type;
    }
    params->e820_entries = n;
}

/* The fields that the boot loader owns; whatever the file had there does not count. */
static void
fill_params(Kernel *kernel, const BootSource *source, const Memory *memory, BootRange initrd)
{
    struct boot_params *params = &kernel->params;
    struct setup_header *header = &params->hdr;

    header->type_of_loader = LOADER_UNDEFINED;
    header->ext_loader_type = 0;
    header->ext_loader_ver = 0;
    header->loadflags = LOADED_HIGH | CAN_USE_HEAP;
    header->heap_end_ptr = HEAP_END;
    header->code32_start = kernel->addr;
    header->vid_mode = 0xffff; /* normal */
    header->cmd_line_ptr = LAYOUT_BOOT_CMDLINE;
    header->ramdisk_image = initrd.addr;
    header->ramdisk_size = initrd.size;
    header->setup_data = 0;
    header->hardware_subarch = 0;
    header->hardware_subarch_data = 0;
    params->acpi_rsdp_addr = source->rsdp;
    fill_e820(params, memory);
}

static uint64_t
initrd_ceiling(const struct setup_header *header)
{
    return (header->initrd_addr_max ? header->initrd_addr_max : PROTOCOL_INITRD) + 1ull;
}

static bool
load(const BootSource *source, Memory *memory, BootEntry *ret, VmmError *err)
{
    const struct setup_header *header;
    Kernel kernel = { 0 };
    BootRange initrd;

    header = &kernel.params.hdr;
    if (!linux_header_read(source->kernel_fd, &kernel.params, err) || !check_header(header, err) ||
        !find_payload(source->kernel_fd, &kernel, err) || !place(&kernel, memory, err) ||
        !memory_load(memory, kernel.addr, source->kernel_fd, kernel.offset, kernel.size, err) ||
        !boot_load_initrd(source, memory, kernel.addr + kernel.needed, initrd_ceiling(header),
                          &initrd, err) ||
        !boot_write_cmdline(source, memory, "", header->cmdline_size, err))
        return false;
    fill_params(&kernel, source, memory, initrd);
    if (!boot_write(memory, LAYOUT_BOOT_INFO, &kernel.params, sizeof(kernel.params), err))
        return false;
    *ret = (BootEntry){
        .mode = BOOT_LONG,
        .rip = kernel.addr + ENTRY_64,
        .rsi = LAYOUT_BOOT_INFO,
        .rsp = LAYOUT_BOOT_STACK,
    };
    return true;
}

const BootLoader boot_linux = { .name = "linux", .probe = linux_header_probe, .load = load };
