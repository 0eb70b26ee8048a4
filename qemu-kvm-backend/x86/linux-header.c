/* Section names of boot.rst are quoted. */
#include "qemu-kvm-backend/x86/linux-header.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/boot-file.h"

#include <string.h>

#define SECTOR          512u
#define HEADER_AT       offsetof(struct boot_params, hdr) /* 0x1f1, in the file as well */
#define HEADER_END_AT   0x201u /* a byte: the header ends that far behind 0x202 */
#define HEADER_ROOM_END offsetof(struct boot_params, edd_mbr_sig_buffer)
#define HEADER_MAGIC    0x53726448u /* HdrS */
#define BOOT_FLAG       0xaa55u
#define SETUP_SECTS_OLD 4u

bool
linux_header_is_marked(const struct setup_header *header)
{
    return header->boot_flag == BOOT_FLAG && header->header == HEADER_MAGIC;
}

bool
linux_header_probe(const uint8_t *head, size_t size)
{
    struct setup_header header;

    if (size < HEADER_AT + sizeof(header))
        return false;
    memcpy(&header, head + HEADER_AT, sizeof(header));
    return linux_header_is_marked(&header);
}

/* "Details of Header Fields": the header is as long as the byte at 0x201 says, shorter or longer
 * than the one that we know; what is missing is zero, what is beyond belongs to the kernel alone.
 */
bool
linux_header_read(int fd, struct boot_params *ret, VmmError *err)
{
    uint8_t start[HEADER_ROOM_END];
    size_t end;

    memset(ret, 0, sizeof(*ret));
    if (!boot_file_read(fd, 0, start, sizeof(start)))
        return vmm_error(err, VMM_ERROR_INVALID, "The Linux kernel is truncated in its header");
    end = start[HEADER_END_AT] + HEADER_END_AT + 1;
    if (end > sizeof(start))
        end = sizeof(start);
    memcpy((uint8_t *)ret + HEADER_AT, start + HEADER_AT, end - HEADER_AT);
    return true;
}

/* "The Real-Mode Kernel Header", setup_sects */
uint64_t
linux_header_setup_size(const struct setup_header *header)
{
    return ((header->setup_sects ? header->setup_sects : SETUP_SECTS_OLD) + 1) * SECTOR;
}
