#include "qemu-kvm-backend/x86/peek.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGE 4096u /* the smallest that a guest maps */

static bool
translate(int vcpu_fd, uint64_t address, uint64_t *ret)
{
    struct kvm_translation translation = { .linear_address = address };

    if (vcpu_fd < 0) {
        *ret = address;
        return true;
    }
    if (ioctl(vcpu_fd, KVM_TRANSLATE, &translation) < 0 || !translation.valid)
        return false;
    *ret = translation.physical_address;
    return true;
}

static bool
write_all(int to, const uint8_t *from, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t n = pwrite(to, from, size, (off_t)offset);

        if (n <= 0)
            return false;
        from += n;
        offset += n;
        size -= n;
    }
    return true;
}

bool
peek(const Memory *memory, int vcpu_fd, uint64_t address, uint64_t size, int to, VmmError *err)
{
    for (uint64_t done = 0; done < size;) {
        uint64_t at = address + done;
        uint64_t n = PAGE - at % PAGE;
        const void *from;
        uint64_t gpa;

        if (n > size - done)
            n = size - done;
        if (!translate(vcpu_fd, at, &gpa))
            return vmm_error(err, VMM_ERROR_FAILED, "The guest has nothing mapped at 0x%" PRIx64, at);
        from = memory_at(memory, gpa, n);
        if (!from)
            return vmm_error(err, VMM_ERROR_FAILED, "There is no RAM at the guest's address 0x%" PRIx64,
                             at);
        if (!write_all(to, from, n, done))
            return vmm_error_errno(err, "Cannot write what the guest has at 0x%" PRIx64, at);
        done += n;
    }
    return true;
}
