#include "qemu-kvm-backend/x86/boot-file.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE ((uint64_t)4096)
#define MIB  ((uint64_t)0x100000)

static uint64_t
mib_up(uint64_t bytes)
{
    return bytes / MIB + (bytes % MIB != 0);
}

bool
boot_file_size(int fd, const char *what, uint64_t *ret, VmmError *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return vmm_error_errno(err, "The %s cannot be examined", what);
    if (!S_ISREG(st.st_mode))
        return vmm_error(err, VMM_ERROR_INVALID, "The %s is not a regular file", what);
    *ret = st.st_size;
    return true;
}

bool
boot_file_read(int fd, uint64_t offset, void *to, size_t size)
{
    uint8_t *at = to;

    errno = ENODATA;
    if (offset > INT64_MAX || size > INT64_MAX - offset)
        return false;
    while (size > 0) {
        ssize_t n = pread(fd, at, size, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENODATA;
        if (n <= 0)
            return false;
        at += n;
        offset += n;
        size -= n;
    }
    return true;
}

bool
boot_check_ram(const Memory *memory, uint64_t addr, uint64_t size, VmmError *err)
{
    uint64_t low_end = memory_low_end(memory);
    uint64_t end = size > UINT64_MAX - addr ? UINT64_MAX : addr + size;

    if (end <= low_end)
        return true;
    if (end > LAYOUT_LOW_RAM_END)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The kernel is to be loaded up to address 0x%" PRIx64
                         ", beyond the 2 GiB that "
                         "RAM there has at most",
                         end);
    return vmm_error(err, VMM_ERROR_INVALID,
                     "The kernel needs %" PRIu64 " MiB of RAM but the guest has %" PRIu64 " MiB",
                     mib_up(end), memory_size(memory) / MIB);
}

static uint64_t
min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

bool
boot_load_initrd(const BootSource *source, Memory *memory, uint64_t floor, uint64_t ceiling,
                 BootRange *ret, VmmError *err)
{
    uint64_t top = min64(ceiling, memory_low_end(memory));
    uint64_t size, addr;

    *ret = (BootRange){ 0 };
    if (source->initrd_fd < 0)
        return true;
    if (!boot_file_size(source->initrd_fd, "initrd", &size, err))
        return false;
    if (size == 0)
        return true;
    addr = size <= top ? (top - size) & ~(PAGE - 1) : 0;
    if (addr < floor)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The initrd of %" PRIu64 " MiB does not fit beside the kernel: it may lie "
                         "between %" PRIu64 " MiB and %" PRIu64 " MiB",
                         mib_up(size), mib_up(floor), top / MIB);
    if (!memory_load(memory, addr, source->initrd_fd, 0, size, err))
        return false;
    *ret = (BootRange){ .addr = addr, .size = size };
    return true;
}

bool
boot_write(Memory *memory, uint64_t gpa, const void *from, size_t size, VmmError *err)
{
    if (memory_write(memory, gpa, from, size))
        return true;
    return vmm_error(err, VMM_ERROR_INVALID,
                     "The guest has too little RAM to boot a kernel: %" PRIu64 " KiB",
                     memory_size(memory) / 1024);
}

bool
boot_check_cmdline(const char *prefix, const char *cmdline, size_t limit, VmmError *err)
{
    size_t n_prefix = strlen(prefix), n = strlen(cmdline);

    limit = min64(limit, LAYOUT_EBDA - LAYOUT_BOOT_CMDLINE - 1);
    if (n <= limit && n_prefix <= limit - n)
        return true;
    return vmm_error(
        err, VMM_ERROR_INVALID,
        "The kernel's command line has %zu characters but the kernel takes at most %zu",
        n_prefix + n, limit);
}

bool
boot_write_cmdline(const BootSource *source, Memory *memory, const char *prefix, size_t limit,
                   VmmError *err)
{
    const char *cmdline = source->cmdline ? source->cmdline : "";
    size_t n_prefix = strlen(prefix);

    return boot_check_cmdline(prefix, cmdline, limit, err) &&
           boot_write(memory, LAYOUT_BOOT_CMDLINE, prefix, n_prefix, err) &&
           boot_write(memory, LAYOUT_BOOT_CMDLINE + n_prefix, cmdline, strlen(cmdline) + 1, err);
}
