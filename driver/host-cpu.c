#include "driver/host-cpu.h"

#include "driver/cpu-decode.h"
#include "driver/error.h"
#include "qemu-kvm-backend/proto/amx.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define KVM_ENTRIES_MAX 1024 /* of CPUID; KVM has about 80 */
#define MSRS_MAX        256

#define LEAF_XSAVE 0xdu
#define LEAF_SIZES 0x80000008u

static const struct {
    const char *id; /* CPUID leaf 0 */
    const char *name;
} vendors[] = {
    { "GenuineIntel", "Intel" },
    { "AuthenticAMD", "AMD" },
    { "HygonGenuine", "Hygon" },
};

const char *
host_cpu_vendor(const char *vendor_id)
{
    for (gsize i = 0; i < G_N_ELEMENTS(vendors); i++) {
        if (strcmp(vendors[i].id, vendor_id) == 0)
            return vendors[i].name;
    }
    return NULL;
}

gboolean
host_cpu_vendor_known(const char *vendor)
{
    for (gsize i = 0; i < G_N_ELEMENTS(vendors); i++) {
        if (strcmp(vendors[i].name, vendor) == 0)
            return TRUE;
    }
    return FALSE;
}

static void
read_vendor(HostCpu *host, guint32 ebx, guint32 ecx, guint32 edx)
{
    memset(host->vendor_id, 0, sizeof(host->vendor_id));
    memcpy(host->vendor_id, &ebx, 4);
    memcpy(host->vendor_id + 4, &edx, 4);
    memcpy(host->vendor_id + 8, &ecx, 4);
}

/* What the instruction says, which needs no rights; and no MSR, which needs some. */
static void
read_own(HostCpu *host)
{
    guint32 regs[4] = { 0 };

    __get_cpuid(0, &regs[CPU_EAX], &regs[CPU_EBX], &regs[CPU_ECX], &regs[CPU_EDX]);
    read_vendor(host, regs[CPU_EBX], regs[CPU_ECX], regs[CPU_EDX]);
    __get_cpuid(1, &regs[CPU_EAX], &regs[CPU_EBX], &regs[CPU_ECX], &regs[CPU_EDX]);
    host->signature = cpu_signature_read(regs[CPU_EAX]);
    if (__get_cpuid(LEAF_SIZES, &regs[CPU_EAX], &regs[CPU_EBX], &regs[CPU_ECX], &regs[CPU_EDX]))
        host->physical_bits = regs[CPU_EAX] & 0xff;
    for (int i = 0; i < CPU_N_WORDS; i++) {
        const CpuWord *word = &cpu_words[i];

        if (word->reg != CPU_MSR &&
            __get_cpuid_count(word->leaf, word->index, &regs[CPU_EAX], &regs[CPU_EBX],
                              &regs[CPU_ECX], &regs[CPU_EDX]))
            host->own.words[i] = regs[word->reg];
    }
}

/* What KVM supports and vmctl-vmm does not tell guests of, for the reasons that it gives (x86/cpuid-offer.c): shadow
 * stacks and indirect branch tracking. */
static void
remove_hidden(CpuBits *bits)
{
    bits->words[cpu_word_find(0x7, 0, CPU_ECX)] &= ~(1u << 7);
    bits->words[cpu_word_find(0x7, 0, CPU_EDX)] &= ~(1u << 20);
}

/* AMX where KVM lacks the state of its tiles. */
static void
remove_amx(CpuBits *bits)
{
    static const char *const names[] = { "amx-bf16", "amx-tile", "amx-int8", "amx-fp16", "amx-complex" };
    CpuBits amx = { { 0 } };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        cpu_bits_add_name(&amx, names[i]);
    cpu_bits_remove(bits, &amx);
}

void
host_cpu_read_kvm(HostCpu *host, const struct kvm_cpuid2 *supported)
{
    guint32 components = 0;

    for (guint i = 0; i < supported->nent; i++) {
        const struct kvm_cpuid_entry2 *entry = &supported->entries[i];
        const guint32 regs[] = { entry->eax, entry->ebx, entry->ecx, entry->edx };

        for (int reg = CPU_EAX; reg <= CPU_EDX; reg++) {
            int word = cpu_word_find(entry->function, entry->index, reg);

            if (word >= 0)
                host->kvm.words[word] = regs[reg];
        }
        if (entry->function == LEAF_SIZES)
            host->physical_bits = entry->eax & 0xff;
        if (entry->function == LEAF_XSAVE && entry->index == 0)
            components = entry->eax;
    }
    if ((components & AMX_COMPONENTS) != AMX_COMPONENTS)
        remove_amx(&host->kvm);
    remove_hidden(&host->kvm);
    cpu_bits_add_name(&host->kvm, "hypervisor"); /* that is so, whatever KVM says */
    host->has_kvm = TRUE;
}

static gboolean
ask_cpuid(HostCpu *host, int kvm)
{
    gsize size = sizeof(struct kvm_cpuid2) + KVM_ENTRIES_MAX * sizeof(struct kvm_cpuid_entry2);
    g_autofree struct kvm_cpuid2 *supported = g_malloc0(size);

    supported->nent = KVM_ENTRIES_MAX;
    if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, supported) < 0)
        return FALSE;
    host_cpu_read_kvm(host, supported);
    /* KVM makes this one of its own timers, and says so elsewhere (api.rst, KVM_GET_SUPPORTED_CPUID). */
    if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_DEADLINE_TIMER) > 0)
        cpu_bits_add_name(&host->kvm, "tsc-deadline");
    return TRUE;
}

/* The feature MSRs as guests have them. Those that KVM does not list are none. */
static void
ask_msrs(HostCpu *host, int kvm)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } one = { .head.nmsrs = 1 };

    for (int i = 0; i < CPU_N_WORDS; i++) {
        if (cpu_words[i].reg != CPU_MSR)
            continue;
        one.entry = (struct kvm_msr_entry){ .index = cpu_words[i].leaf };
        if (ioctl(kvm, KVM_GET_MSRS, &one) == 1)
            host->kvm.words[i] = host->own.words[i] = one.entry.data;
    }
}

/* To be asked as the VMM asks it. */
static int
open_kvm(const char *path, GError **error)
{
    int fd;

    amx_ask_for_guests();
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        driver_error_errno(error, errno, "cannot open the KVM device '%s'", path);
    return fd;
}

gboolean
host_cpu_probe(const char *kvm_path, HostCpu *ret, GError **error)
{
    int kvm;
    gboolean known;

    memset(ret, 0, sizeof(*ret));
    read_own(ret);
    kvm = open_kvm(kvm_path, error);
    if (kvm < 0)
        return FALSE;
    known = ask_cpuid(ret, kvm);
    if (known)
        ask_msrs(ret, kvm);
    close(kvm);
    return known ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "KVM at '%s' does not tell which CPU features it supports", kvm_path);
}

/* Only a vCPU knows. The scratch VM has nothing else and lives for two calls. */
gboolean
host_cpu_tsc(const char *kvm_path, guint64 *ret_hz, gboolean *ret_scaling)
{
    int kvm = open_kvm(kvm_path, NULL);
    int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);
    int vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
    int khz = vcpu < 0 ? -1 : ioctl(vcpu, KVM_GET_TSC_KHZ, 0);

    if (khz > 0) {
        *ret_hz = khz * G_GUINT64_CONSTANT(1000);
        *ret_scaling = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_TSC_CONTROL) > 0;
    }
    if (vcpu >= 0)
        close(vcpu);
    if (vm >= 0)
        close(vm);
    if (kvm >= 0)
        close(kvm);
    return khz > 0;
}

const CpuModel *
host_cpu_decode(const HostCpu *host, const CpuBits *bits, gboolean guest)
{
    const char *vendor = host_cpu_vendor(host->vendor_id);

    return cpu_decode(bits, vendor ? vendor : "", &host->signature,
                      guest ? CPU_NOT_GUEST : CPU_NOT_HOST);
}
