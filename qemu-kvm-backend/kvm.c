#include "qemu-kvm-backend/kvm.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/amx.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CPUID_MAX 4096 /* entries; far beyond what KVM has */
#define MSRS_MAX  4096

#define ROM_SLOT 8u /* the first slot of read-only memory; RAM has the lower ones */
#define ROMS_MAX 4u

struct Kvm {
    int fd;
    int vm_fd;
    size_t run_size;
    pthread_mutex_t rom_lock; /* guards the array below */
    uint64_t roms[ROMS_MAX];  /* guest physical addresses of slots after RAM's; 0: free */
};

typedef struct Capability {
    int number;
    const char *name;
    const char *purpose;
} Capability;

#define CAPABILITY(name, purpose)                                                                  \
    {                                                                                              \
        KVM_CAP_##name, "KVM_CAP_" #name, purpose                                                  \
    }

static const Capability required[] = {
    CAPABILITY(USER_MEMORY, "guest RAM"),
    CAPABILITY(SET_TSS_ADDR, "real mode on Intel CPUs"),
    CAPABILITY(SET_IDENTITY_MAP_ADDR, "real mode on Intel CPUs"),
    CAPABILITY(IRQCHIP, "the interrupt controllers"),
    CAPABILITY(IRQ_ROUTING, "where interrupts lead"),
    CAPABILITY(IRQFD, "interrupts of devices"),
    CAPABILITY(IOEVENTFD, "notifications of devices"),
    CAPABILITY(IOEVENTFD_ANY_LENGTH, "notifications of devices"),
    CAPABILITY(PIT2, "the interval timer"),
    CAPABILITY(PIT_STATE2, "resetting the interval timer"),
    CAPABILITY(EXT_CPUID, "telling a guest what its CPU can do"),
    CAPABILITY(IMMEDIATE_EXIT, "stopping a vCPU without losing the request"),
    CAPABILITY(MP_STATE, "starting and resetting further vCPUs"),
    CAPABILITY(VCPU_EVENTS, "resetting pending interrupts"),
    CAPABILITY(DEBUGREGS, "resetting debug registers"),
    CAPABILITY(XSAVE, "resetting floating point and vector registers"),
};

bool
kvm_check_capabilities(int (*has)(void *data, int capability), void *data, VmmError *err)
{
    bool complete = true;

    for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
        const Capability *cap = &required[i];

        if (has(data, cap->number) > 0)
            continue;
        log_line("error: KVM lacks %s: needed for %s", cap->name, cap->purpose);
        if (complete)
            vmm_error(err, VMM_ERROR_UNSUPPORTED, "KVM lacks %s: needed for %s", cap->name,
                      cap->purpose);
        complete = false;
    }
    return complete;
}

int
kvm_has(const Kvm *kvm, int capability)
{
    int answer = ioctl(kvm->vm_fd >= 0 ? kvm->vm_fd : kvm->fd, KVM_CHECK_EXTENSION, capability);

    return answer < 0 ? 0 : answer;
}

static int
has_capability(void *data, int capability)
{
    return kvm_has(data, capability);
}

static bool
check_version(Kvm *kvm, VmmError *err)
{
    int version = ioctl(kvm->fd, KVM_GET_API_VERSION, 0);

    if (version < 0)
        return vmm_error_errno(err, "The descriptor given as 'kvm' is not /dev/kvm");
    if (version != KVM_API_VERSION)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "KVM has API version %d where %d is needed",
                         version, KVM_API_VERSION);
    return true;
}

static bool
create_vm(Kvm *kvm, VmmError *err)
{
    int size = ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);

    if (size < (int)sizeof(struct kvm_run))
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "KVM's vCPUs have a run area of %d bytes",
                         size);
    kvm->run_size = size;
    do /* EINTR: a signal came while the kernel was building the VM */
        kvm->vm_fd = ioctl(kvm->fd, KVM_CREATE_VM, 0);
    while (kvm->vm_fd < 0 && errno == EINTR);
    return kvm->vm_fd >= 0 || vmm_error_errno(err, "Cannot create a virtual machine in KVM");
}

/* Before the first vCPU, as KVM wants it. */
static bool
set_addresses(Kvm *kvm, VmmError *err)
{
    uint64_t identity_map = LAYOUT_IDENTITY_MAP;

    if (ioctl(kvm->vm_fd, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) < 0 ||
        ioctl(kvm->vm_fd, KVM_SET_TSS_ADDR, (unsigned long)LAYOUT_TSS) < 0)
        return vmm_error_errno(err, "Cannot tell KVM where its own pages are");
    return true;
}

Kvm *
kvm_new(int kvm_fd, VmmError *err)
{
    Kvm *kvm = vmm_must(calloc(1, sizeof(*kvm)));

    kvm->fd = kvm_fd;
    kvm->vm_fd = -1;
    pthread_mutex_init(&kvm->rom_lock, NULL);
    amx_ask_for_guests();
    if (check_version(kvm, err) && create_vm(kvm, err) &&
        kvm_check_capabilities(has_capability, kvm, err) && set_addresses(kvm, err))
        return kvm;
    kvm_free(kvm);
    return NULL;
}

void
kvm_free(Kvm *kvm)
{
    if (!kvm)
        return;
    if (kvm->vm_fd >= 0)
        close(kvm->vm_fd);
    close(kvm->fd);
    pthread_mutex_destroy(&kvm->rom_lock);
    free(kvm);
}

int
kvm_vm_fd(const Kvm *kvm)
{
    return kvm->vm_fd;
}

bool
kvm_create_chips(Kvm *kvm, VmmError *err)
{
    struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

    if (ioctl(kvm->vm_fd, KVM_CREATE_IRQCHIP, 0) < 0)
        return vmm_error_errno(err, "Cannot create the interrupt controllers in KVM");
    if (ioctl(kvm->vm_fd, KVM_CREATE_PIT2, &pit) < 0)
        return vmm_error_errno(err, "Cannot create the interval timer in KVM");
    return true;
}

bool
kvm_lose_ticks(Kvm *kvm, VmmError *err)
{
    struct kvm_reinject_control control = { .pit_reinject = 0 };

    return ioctl(kvm->vm_fd, KVM_REINJECT_CONTROL, &control) == 0 ||
           vmm_error_errno(err, "Cannot have the interval timer's late ticks lost");
}

unsigned
kvm_max_vcpus(const Kvm *kvm)
{
    int max = kvm_has(kvm, KVM_CAP_MAX_VCPUS);

    /* Both answers of 0 are api.rst's: without MAX_VCPUS ask NR_VCPUS, without that assume 4. */
    if (max == 0)
        max = kvm_has(kvm, KVM_CAP_NR_VCPUS);
    return max ? max : 4;
}

/* A slot that is there already changes its flags. */
static bool
set_slots(Kvm *kvm, const Memory *memory, uint32_t flags)
{
    MemoryRegion region;

    for (unsigned i = 0; memory_region(memory, i, &region); i++) {
        struct kvm_userspace_memory_region slot = {
            .slot = i,
            .flags = flags,
            .guest_phys_addr = region.gpa,
            .memory_size = region.size,
            .userspace_addr = (uintptr_t)region.host,
        };

        if (ioctl(kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot) < 0)
            return false;
    }
    return true;
}

bool
kvm_add_memory(Kvm *kvm, const Memory *memory, VmmError *err)
{
    return set_slots(kvm, memory, 0) ||
           vmm_error_errno(err, "Cannot give KVM %" PRIu64 " bytes of guest memory",
                           memory_size(memory));
}

bool
kvm_track_memory(Kvm *kvm, const Memory *memory, bool on, VmmError *err)
{
    return set_slots(kvm, memory, on ? KVM_MEM_LOG_DIRTY_PAGES : 0) ||
           vmm_error_errno(err, "Cannot have KVM note which memory the guest writes");
}

bool
kvm_take_dirty(Kvm *kvm, const Memory *memory, unsigned i, uint64_t *bitmap, VmmError *err)
{
    size_t words = memory_dirty_words(memory, i);
    uint64_t *fresh = vmm_must(calloc(words, sizeof(*fresh)));
    struct kvm_dirty_log log = { .slot = i, .dirty_bitmap = fresh };
    bool good = ioctl(kvm->vm_fd, KVM_GET_DIRTY_LOG, &log) == 0;

    if (!good)
        vmm_error_errno(err, "Cannot ask KVM which memory the guest has written");
    for (size_t w = 0; good && w < words; w++)
        bitmap[w] |= fresh[w];
    free(fresh);
    return good;
}

static bool
set_rom(Kvm *kvm, unsigned i, uint64_t gpa, const void *host, uint64_t size)
{
    struct kvm_userspace_memory_region slot = {
        .slot = ROM_SLOT + i,
        .flags = KVM_MEM_READONLY,
        .guest_phys_addr = gpa,
        .memory_size = size,
        .userspace_addr = (uintptr_t)host,
    };

    return ioctl(kvm->vm_fd, KVM_SET_USER_MEMORY_REGION, &slot) == 0;
}

/* The slot for @gpa, 0: a free one; ROMS_MAX where there is none. */
static unsigned
find_rom(const Kvm *kvm, uint64_t gpa)
{
    unsigned i = 0;

    while (i < ROMS_MAX && kvm->roms[i] != gpa)
        i++;
    return i;
}

bool
kvm_map_rom(Kvm *kvm, uint64_t gpa, const void *host, uint64_t size)
{
    bool mapped = false;
    unsigned i;

    errno = ENOTSUP;
    if (kvm_has(kvm, KVM_CAP_READONLY_MEM) <= 0)
        return false;
    pthread_mutex_lock(&kvm->rom_lock);
    i = find_rom(kvm, 0);
    errno = ENOSPC;
    if (i < ROMS_MAX)
        mapped = set_rom(kvm, i, gpa, host, size);
    if (mapped)
        kvm->roms[i] = gpa;
    pthread_mutex_unlock(&kvm->rom_lock);
    return mapped;
}

/* A slot of size 0 is none (api.rst). */
void
kvm_unmap_rom(Kvm *kvm, uint64_t gpa)
{
    unsigned i;

    pthread_mutex_lock(&kvm->rom_lock);
    i = find_rom(kvm, gpa);
    if (i < ROMS_MAX && set_rom(kvm, i, gpa, NULL, 0))
        kvm->roms[i] = 0;
    pthread_mutex_unlock(&kvm->rom_lock);
}

struct kvm_cpuid2 *
kvm_supported_cpuid(const Kvm *kvm, unsigned spare, unsigned *ret_room, VmmError *err)
{
    /* KVM says E2BIG until there is room. It has about 80 entries, and each try takes it 0.3 ms. */
    for (unsigned room = 128; room <= CPUID_MAX; room *= 2) {
        size_t size = sizeof(struct kvm_cpuid2) + (room + spare) * sizeof(struct kvm_cpuid_entry2);
        struct kvm_cpuid2 *cpuid = vmm_must(calloc(1, size));

        cpuid->nent = room;
        if (ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, cpuid) == 0) {
            *ret_room = room + spare;
            return cpuid;
        }
        free(cpuid);
        if (errno != E2BIG)
            break;
    }
    vmm_error_errno(err, "Cannot ask KVM which CPU features it supports");
    return NULL;
}

struct kvm_msr_list *
kvm_msr_list(const Kvm *kvm, VmmError *err)
{
    for (unsigned room = 256; room <= MSRS_MAX; room *= 2) {
        struct kvm_msr_list *list =
            vmm_must(calloc(1, sizeof(*list) + room * sizeof(list->indices[0])));

        list->nmsrs = room;
        if (ioctl(kvm->fd, KVM_GET_MSR_INDEX_LIST, list) == 0)
            return list;
        free(list);
        if (errno != E2BIG)
            break;
    }
    vmm_error_errno(err, "Cannot ask KVM which model-specific registers it has");
    return NULL;
}

bool
kvm_hyperv_cpuid(const Kvm *kvm, struct kvm_cpuid2 *ret, VmmError *err)
{
    return ioctl(kvm->fd, KVM_GET_SUPPORTED_HV_CPUID, ret) == 0 ||
           vmm_error_errno(err, "Cannot ask KVM what it has of Hyper-V");
}

int
kvm_create_vcpu(Kvm *kvm, uint32_t apic_id, const struct kvm_cpuid2 *cpuid, VmmError *err)
{
    int fd = ioctl(kvm->vm_fd, KVM_CREATE_VCPU, (unsigned long)apic_id);

    if (fd < 0) {
        vmm_error_errno(err, "Cannot create a vCPU with APIC id %" PRIu32, apic_id);
        return -1;
    }
    if (ioctl(fd, KVM_SET_CPUID2, cpuid) == 0)
        return fd;
    vmm_error_errno(err, "Cannot set the CPUID of the vCPU with APIC id %" PRIu32, apic_id);
    close(fd);
    return -1;
}

size_t
kvm_run_size(const Kvm *kvm)
{
    return kvm->run_size;
}

void
kvm_set_irq(Kvm *kvm, unsigned gsi, bool level)
{
    struct kvm_irq_level line = { .irq = gsi, .level = level };

    if (ioctl(kvm->vm_fd, KVM_IRQ_LINE, &line) < 0)
        log_guest("Cannot drive interrupt line %u: %s", gsi, strerrordesc_np(errno));
}
