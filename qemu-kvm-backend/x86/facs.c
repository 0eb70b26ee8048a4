#include "qemu-kvm-backend/x86/facs.h"

#include <string.h>

#define REAL_MODE_END 0x100000u

/* It has no checksum. */
typedef struct __attribute__((packed)) Facs {
    char signature[4];
    uint32_t length;
    uint32_t hardware_signature;
    uint32_t waking_vector; /* in real mode */
    uint32_t global_lock;
    uint32_t flags;
    uint64_t x_waking_vector; /* in protected mode; not 0: instead of the other */
    uint8_t version;
    uint8_t reserved0[3];
    uint32_t ospm_flags;
    uint8_t reserved1[24];
} Facs;

_Static_assert(sizeof(Facs) == FACS_SIZE, "ACPI 6.4, table 5.12");

void
facs_build(uint8_t ret[FACS_SIZE])
{
    const Facs facs = { .signature = "FACS", .length = sizeof(facs), .version = 2 };

    memcpy(ret, &facs, sizeof(facs));
}

/* No flag of ours offers 64 bits, so the guest cannot ask for them. */
bool
facs_waking(const Memory *memory, uint64_t gpa, BootEntry *ret)
{
    Facs facs;

    if (!memory_read(memory, gpa, &facs, sizeof(facs)) || memcmp(facs.signature, "FACS", 4) != 0)
        return false;
    if (facs.x_waking_vector) {
        *ret = (BootEntry){ .mode = BOOT_PROTECTED, .rip = facs.x_waking_vector };
        return facs.x_waking_vector <= UINT32_MAX;
    }
    *ret = (BootEntry){ .mode = BOOT_REAL, .rip = facs.waking_vector };
    return facs.waking_vector != 0 && facs.waking_vector < REAL_MODE_END;
}
