/* fw-cfg: what firmware asks the machine: numbered items of bytes, some of which have names (QEMU's
 * docs/specs/fw_cfg.rst).
 *
 * The device keeps nothing that a guest could change: items are only read. Whoever powers the machine on
 * fills it while no vCPU runs.
 */
#pragma once

#include "qemu-kvm-backend/device.h"

/* Items that have a number of their own. */
enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_IRQ0_OVERRIDE = 0x8002,
};

#define FW_CFG_FILES_MAX 32
#define FW_CFG_NAME_MAX  56 /* bytes, with the NUL */

typedef struct FwCfg FwCfg;

/* Leaves the signature and the interface's version. */
void fw_cfg_clear(FwCfg *cfg);

/* Copies @data; each number once. */
void fw_cfg_put(FwCfg *cfg, uint16_t key, const void *data, size_t size);
void fw_cfg_put_u16(FwCfg *cfg, uint16_t key, uint16_t value);
void fw_cfg_put_u32(FwCfg *cfg, uint16_t key, uint32_t value);
void fw_cfg_put_u64(FwCfg *cfg, uint16_t key, uint64_t value);
/* [@offset, @offset + @size) of the file @fd, which stays the caller's and open, read as it is asked for. */
void fw_cfg_put_fd(FwCfg *cfg, uint16_t key, int fd, uint64_t offset, uint32_t size);
/* A named item; names are those of the firmware's sources. At most FW_CFG_FILES_MAX. */
void fw_cfg_put_file(FwCfg *cfg, const char *name, const void *data, size_t size);
/* New content for a named item: its size stays what the directory says, the rest is zeroes. False where
 * @size is too large. */
bool fw_cfg_replace_file(FwCfg *cfg, const char *name, const void *data, size_t size);

/* @before is called when the guest selects the item @name, to bring files up to date that depend on
 * what firmware has done since; in a vCPU's thread, with the device's lock. */
typedef void (*FwCfgBefore)(void *data, FwCfg *cfg);
void fw_cfg_on_select(FwCfg *cfg, const char *name, FwCfgBefore before, void *data);
