#include "qemu-kvm-backend/x86/vcpu-msrs.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MSRS_AT_ONCE 256 /* KVM's MAX_IO_MSRS */

#define MSR_TSC          0x10
#define MSR_MTRR_DEFAULT 0x2ff
#define MSR_TSC_DEADLINE 0x6e0

typedef struct MsrBatch {
    struct kvm_msrs head;
    struct kvm_msr_entry entries[MSRS_AT_ONCE];
} MsrBatch;

/* Which there are. */

typedef struct MsrRow {
    uint32_t first, n;
} MsrRow;

/* Memory types, by number: SDM volume 3, 12.11.2, and the PAT. No more than there are, because each
 * register that KVM refuses costs a call. */
static const MsrRow type_msrs[] = {
    { 0x200, 16 }, /* base and mask of each variable range */
    { 0x250, 1 },  /* the fixed ranges: 64 KiB, 16 KiB, 4 KiB */
    { 0x258, 2 },
    { 0x268, 8 },
    { 0x277, 1 }, /* PAT */
    { MSR_MTRR_DEFAULT, 1 },
};
/* The synthetic interrupt controller and its timers ("Hypervisor Top Level Functional Specification" 6.0b, 11.8 and
 * 12.3), of which KVM's list names the first ones only. A timer's count comes behind its configuration. */
static const MsrRow synic_msrs[] = {
    { 0x40000081, 3 },  /* version, event page, message page */
    { 0x40000090, 16 }, /* the interrupts */
    { 0x400000b0, 8 },  /* the timers */
};

static unsigned
count_msrs(const MsrRow *rows, size_t n_rows)
{
    unsigned n = 0;

    for (size_t i = 0; i < n_rows; i++)
        n += rows[i].n;
    return n;
}

/* @list with those of @rows as well, for which it is made larger. */
static struct kvm_msr_list *
add_msrs(struct kvm_msr_list *list, const MsrRow *rows, size_t n_rows)
{
    unsigned more = count_msrs(rows, n_rows);

    list = vmm_must(realloc(list, sizeof(*list) + (list->nmsrs + more) * sizeof(uint32_t)));
    for (size_t i = 0; i < n_rows; i++) {
        for (uint32_t j = 0; j < rows[i].n; j++)
            list->indices[list->nmsrs++] = rows[i].first + j;
    }
    return list;
}

/* The memory types are missing in older kernels' lists. A register that comes twice does no harm. */
struct kvm_msr_list *
vcpu_msrs_list(const Kvm *kvm, bool synic, VmmError *err)
{
    struct kvm_msr_list *list = kvm_msr_list(kvm, err);

    if (list)
        list = add_msrs(list, type_msrs, sizeof(type_msrs) / sizeof(type_msrs[0]));
    if (list && synic)
        list = add_msrs(list, synic_msrs, sizeof(synic_msrs) / sizeof(synic_msrs[0]));
    return list;
}

void
vcpu_msrs_clear(VcpuMsrs *msrs)
{
    free(msrs->entries);
    *msrs = (VcpuMsrs){ NULL, 0 };
}

/* Reading. */

/* KVM_GET_MSRS says how many it read before the first that it refuses: that one is left out. */
static void
read_all(VcpuMsrs *msrs, int fd, const struct kvm_msr_list *list)
{
    MsrBatch *batch = vmm_must(malloc(sizeof(*batch)));
    unsigned next = 0;

    msrs->entries = vmm_must(calloc(list->nmsrs + 1, sizeof(struct kvm_msr_entry)));
    while (next < list->nmsrs) {
        unsigned n = list->nmsrs - next < MSRS_AT_ONCE ? list->nmsrs - next : MSRS_AT_ONCE;
        int got;

        memset(batch, 0, sizeof(*batch));
        batch->head.nmsrs = n;
        for (unsigned i = 0; i < n; i++)
            batch->entries[i].index = list->indices[next + i];
        got = ioctl(fd, KVM_GET_MSRS, batch);
        if (got < 0)
            got = 0;
        memcpy(msrs->entries + msrs->n, batch->entries, got * sizeof(struct kvm_msr_entry));
        msrs->n += got;
        next += (unsigned)got < n ? got + 1 : got;
    }
    free(batch);
}

static void
swap(VcpuMsrs *msrs, uint32_t i, uint32_t j)
{
    struct kvm_msr_entry entry = msrs->entries[i];

    msrs->entries[i] = msrs->entries[j];
    msrs->entries[j] = entry;
}

/* The TSC's deadline is compared with it when it is set. */
static void
put_in_order(VcpuMsrs *msrs)
{
    for (uint32_t i = 0; i < msrs->n; i++) {
        if (msrs->entries[i].index == MSR_TSC)
            swap(msrs, i, 0);
    }
    for (uint32_t i = 0; i + 1 < msrs->n; i++) {
        if (msrs->entries[i].index == MSR_TSC_DEADLINE)
            swap(msrs, i, msrs->n - 1);
    }
}

void
vcpu_msrs_get(VcpuMsrs *msrs, int fd, const struct kvm_msr_list *list)
{
    vcpu_msrs_clear(msrs);
    read_all(msrs, fd, list);
    put_in_order(msrs);
}

bool
vcpu_msr_get(int fd, uint32_t index, uint64_t *ret)
{
    MsrBatch one = { .head.nmsrs = 1, .entries[0].index = index };

    if (ioctl(fd, KVM_GET_MSRS, &one) != 1)
        return false;
    *ret = one.entries[0].data;
    return true;
}

uint64_t
vcpu_msrs_tsc(const VcpuMsrs *msrs)
{
    return msrs->n > 0 && msrs->entries[0].index == MSR_TSC ? msrs->entries[0].data : 0;
}

void
vcpu_msrs_set_tsc(VcpuMsrs *msrs, uint64_t tsc)
{
    if (msrs->n > 0 && msrs->entries[0].index == MSR_TSC)
        msrs->entries[0].data = tsc;
}

/* Writing. */

/* Some can be read and not set; that is no loss where they are what they were. */
static bool
is_as_saved(int fd, const struct kvm_msr_entry *entry)
{
    uint64_t value = 0;

    return vcpu_msr_get(fd, entry->index, &value) ? value == entry->data : entry->data == 0;
}

bool
vcpu_msrs_set(const VcpuMsrs *msrs, int fd, bool strict, VmmError *err)
{
    MsrBatch *batch = vmm_must(calloc(1, sizeof(*batch)));
    uint32_t next = 0;
    bool good = true;

    while (next < msrs->n && good) {
        uint32_t left = msrs->n - next, n = left < MSRS_AT_ONCE ? left : MSRS_AT_ONCE, set;
        int done;

        batch->head.nmsrs = n;
        memcpy(batch->entries, msrs->entries + next, n * sizeof(struct kvm_msr_entry));
        done = ioctl(fd, KVM_SET_MSRS, batch);
        set = done < 0 ? 0 : done;
        next += set;
        if (set == n)
            continue;
        if (strict && !is_as_saved(fd, &msrs->entries[next]))
            good =
                vmm_error(err, VMM_ERROR_UNSUPPORTED,
                          "KVM does not set a vCPU's register 0x%" PRIx32 " to 0x%" PRIx64
                          ", which the saved one had",
                          (uint32_t)msrs->entries[next].index, (uint64_t)msrs->entries[next].data);
        next++;
    }
    free(batch);
    return good;
}

/* In a stream. */

/* Index and value alone: the kernel's struct has a hole. */
typedef struct SavedMsr {
    uint64_t index, value;
} SavedMsr;

void
vcpu_msrs_save(const VcpuMsrs *msrs, StateOut *out)
{
    for (uint32_t i = 0; i < msrs->n; i++) {
        SavedMsr saved = { msrs->entries[i].index, msrs->entries[i].data };

        state_put_bytes(out, &saved, sizeof(saved));
    }
}

bool
vcpu_msrs_load(VcpuMsrs *msrs, const void *data, size_t size, VmmError *err)
{
    if (size % sizeof(SavedMsr))
        return vmm_error(err, VMM_ERROR_INVALID, "The saved vCPU's registers are cut short");
    vcpu_msrs_clear(msrs);
    msrs->n = size / sizeof(SavedMsr);
    msrs->entries = vmm_must(calloc(msrs->n + 1, sizeof(msrs->entries[0])));
    for (uint32_t i = 0; i < msrs->n; i++) {
        SavedMsr saved;

        memcpy(&saved, (const uint8_t *)data + i * sizeof(saved), sizeof(saved));
        msrs->entries[i].index = saved.index;
        msrs->entries[i].data = saved.value;
    }
    put_in_order(msrs);
    return true;
}
