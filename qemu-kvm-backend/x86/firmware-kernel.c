#include "qemu-kvm-backend/x86/firmware-kernel.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/boot-file.h"
#include "qemu-kvm-backend/x86/linux-header.h"

#include <stdlib.h>
#include <string.h>

#define PROTOCOL_MIN 0x0203u   /* the first that says how high its initrd may be */
#define SETUP_MAX    0x8000u   /* bytes: the rest of 64 KiB are its heap and stack */
#define BIOS_ROOM    0x100000u /* bytes of low RAM; a BIOS keeps less */

/* The ROM as Plug and Play BIOS Specification 1.0a has it, 3.1 and 3.2. */
#define ROM_SIZE_AT     2u
#define ROM_CHECKSUM_AT 5u
#define ROM_PNP_AT      0x1au
#define ROM_UNIT        512u
#define PNP_CHECKSUM_AT 9u
#define PNP_SIZE        32u

extern const uint8_t kernel_rom[]; /* kernel-rom.S */

typedef struct Kernel {
    struct boot_params params; /* the header is the file's */
    uint64_t size, initrd_size;
} Kernel;

static bool
read_kernel(const BootSource *source, Kernel *ret, VmmError *err)
{
    if (!boot_file_size(source->kernel_fd, "kernel", &ret->size, err) ||
        !linux_header_read(source->kernel_fd, &ret->params, err))
        return false;
    ret->initrd_size = 0;
    if (source->initrd_fd >= 0 &&
        !boot_file_size(source->initrd_fd, "initrd", &ret->initrd_size, err))
        return false;
    return (ret->size <= UINT32_MAX && ret->initrd_size <= UINT32_MAX) ||
           vmm_error(err, VMM_ERROR_INVALID,
                     "The kernel or its initrd is too large to be passed to the firmware");
}

/* Also without a stub of its own for UEFI, which has a loader for such a kernel. */
static bool
check_for_uefi(const BootSource *source, const Kernel *kernel, VmmError *err)
{
    char magic[2];

    return linux_header_is_marked(&kernel->params.hdr) ||
           (boot_file_read(source->kernel_fd, 0, magic, sizeof(magic)) &&
            memcmp(magic, "MZ", sizeof(magic)) == 0) ||
           vmm_error(err, VMM_ERROR_UNSUPPORTED,
                     "UEFI starts a Linux bzImage or an application of its own, and the kernel is "
                     "neither");
}

/* The ROM finds a place for the initrd, and does not know how much the kernel needs besides. */
static bool
check_for_bios(const BootSource *source, const Kernel *kernel, const Memory *memory, VmmError *err)
{
    const struct setup_header *header = &kernel->params.hdr;

    if (!linux_header_is_marked(header) || header->version < PROTOCOL_MIN ||
        !(header->loadflags & LOADED_HIGH) || linux_header_setup_size(header) > SETUP_MAX)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "A BIOS starts a Linux bzImage, and the kernel is none");
    return boot_check_cmdline("", source->cmdline, header->cmdline_size, err) &&
           boot_check_ram(memory, header->pref_address,
                          header->init_size + kernel->initrd_size + BIOS_ROOM, err);
}

static void
put_items(FwCfg *cfg, const BootSource *source, const Kernel *kernel)
{
    size_t cmdline_size = strlen(source->cmdline) + 1;
    uint64_t setup = linux_header_setup_size(&kernel->params.hdr);

    if (setup > kernel->size)
        setup = kernel->size;
    fw_cfg_put_u32(cfg, FW_CFG_CMDLINE_SIZE, cmdline_size);
    fw_cfg_put(cfg, FW_CFG_CMDLINE_DATA, source->cmdline, cmdline_size);
    fw_cfg_put_u32(cfg, FW_CFG_SETUP_SIZE, setup);
    fw_cfg_put_fd(cfg, FW_CFG_SETUP_DATA, source->kernel_fd, 0, setup);
    fw_cfg_put_u32(cfg, FW_CFG_KERNEL_SIZE, kernel->size - setup);
    fw_cfg_put_fd(cfg, FW_CFG_KERNEL_DATA, source->kernel_fd, setup, kernel->size - setup);
    if (source->initrd_fd < 0)
        return;
    fw_cfg_put_u32(cfg, FW_CFG_INITRD_SIZE, kernel->initrd_size);
    fw_cfg_put_fd(cfg, FW_CFG_INITRD_DATA, source->initrd_fd, 0, kernel->initrd_size);
}

/* What makes the sum of @size bytes 0. */
static uint8_t
checksum(const uint8_t *bytes, size_t size)
{
    uint8_t sum = 0;

    while (size-- > 0)
        sum -= *bytes++;
    return sum;
}

static void
put_rom(FwCfg *cfg)
{
    size_t size = kernel_rom[ROM_SIZE_AT] * ROM_UNIT;
    uint8_t *rom = vmm_must(malloc(size));
    uint8_t *pnp;

    memcpy(rom, kernel_rom, size);
    pnp = rom + rom[ROM_PNP_AT] + rom[ROM_PNP_AT + 1] * 256;
    pnp[PNP_CHECKSUM_AT] = checksum(pnp, PNP_SIZE);
    rom[ROM_CHECKSUM_AT] = checksum(rom, size);
    fw_cfg_put_file(cfg, FIRMWARE_KERNEL_FILE, rom, size);
    free(rom);
}

bool
firmware_kernel_put(const BootSource *source, bool uefi, const Memory *memory, FwCfg *cfg,
                    VmmError *err)
{
    Kernel kernel;

    if (!read_kernel(source, &kernel, err) ||
        !(uefi ? check_for_uefi(source, &kernel, err)
               : check_for_bios(source, &kernel, memory, err)))
        return false;
    put_items(cfg, source, &kernel);
    if (!uefi)
        put_rom(cfg);
    return true;
}
